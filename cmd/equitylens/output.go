package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/mattn/go-isatty"

	"github.com/equitylens/equitylens/internal/ingest"
)

// document prints one JSON document.
func document(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// table prints rows in columns.
func table(out io.Writer, header []string, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		if _, err := fmt.Fprintln(w, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return w.Flush()
}

// progress says on standard error how far a run is: one line that is written over on a terminal, a
// line a phase elsewhere.
func (p *program) progress() func(ingest.Progress) {
	file, ok := p.err.(*os.File)
	terminal := ok && isatty.IsTerminal(file.Fd())
	var mu sync.Mutex
	last := ""
	return func(at ingest.Progress) {
		mu.Lock()
		defer mu.Unlock()
		text := at.Phase
		if at.Note != "" {
			text += ": " + at.Note
		}
		if terminal {
			if at.Total > 0 {
				text += fmt.Sprintf(" %d/%d files", at.Files, at.Total)
			}
			if at.Lines > 0 {
				text += fmt.Sprintf(" %d lines", at.Lines)
			}
			_, _ = fmt.Fprintf(p.err, "\r\x1b[K%s", text)
			if at.Phase == "publish" {
				_, _ = fmt.Fprintln(p.err)
			}
			return
		}
		if text != last {
			_, _ = fmt.Fprintln(p.err, text)
		}
		last = text
	}
}
