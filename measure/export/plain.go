package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Plain is a table as people read it, such as the one beside a picture: every cell is text.
type Plain struct {
	Columns []string
	Rows    [][]string
	// From says where the figures come from; it is repeated in every row, so that a row that was copied
	// elsewhere can still be traced.
	From []Named
}

// Named is a value with the name of its column.
type Named struct{ Name, Value string }

// WriteCSV writes the table as RFC 4180 CSV in UTF-8. A cell that is wholly a number is written as
// programs read it.
func (p Plain) WriteCSV(out io.Writer) error {
	head := slices.Clone(p.Columns)
	var from []string
	for _, one := range p.From {
		head = append(head, one.Name)
		from = append(from, inert(one.Value))
	}
	for i, title := range head {
		head[i] = inert(title)
	}
	w := csv.NewWriter(out)
	if err := w.Write(head); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	for _, row := range p.Rows {
		line := make([]string, len(p.Columns), len(head))
		for i := range min(len(row), len(line)) {
			line[i] = cell(row[i])
		}
		if err := w.Write(append(line, from...)); err != nil {
			return fmt.Errorf("write csv: %w", err)
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

// written is a number as the locales of our words write it: with the minus of typography, and commas
// between thousands.
var written = regexp.MustCompile(`^[+\-−]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?$`)

// cell writes a text that is wholly a number as a number, and any other one so that no spreadsheet runs
// it.
func cell(text string) string {
	if !written.MatchString(text) {
		return inert(text)
	}
	return strings.NewReplacer("−", "-", ",", "", "+", "").Replace(text)
}
