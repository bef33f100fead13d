package figure_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds a text against a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatalf("write: %v", err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("read: %v; write it with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// inBoth holds a figure in both languages against its golden files.
func inBoth(t *testing.T, name string, of func(*figure.Teller, language.Tag) figure.Figure) {
	t.Helper()
	for _, tag := range []language.Tag{language.English, language.Spanish} {
		f := of(speaks(t, tag), tag)
		sane(t, name, text(f)+pictures(t, f, chart.Wide, chart.Narrow))
		golden(t, filepath.Join("time", name+"."+tag.String()+".txt"), text(f))
	}
}

// text is all that a figure says, as its readers see it.
func text(f figure.Figure) string {
	var b strings.Builder
	b.WriteString(f.Title + "\n[" + f.ID + "]\n\n")
	for _, s := range f.Sentences {
		b.WriteString(s + "\n")
	}
	b.WriteString("\n")
	for _, s := range f.Notes {
		b.WriteString("* " + s + "\n")
	}
	b.WriteString("\n" + f.Table.Caption + "\n")
	titles := make([]string, len(f.Table.Columns))
	for i, c := range f.Table.Columns {
		titles[i] = c.Title
	}
	b.WriteString(strings.Join(titles, " | ") + "\n")
	for _, r := range f.Table.Rows {
		cells := make([]string, len(r.Cells))
		for i, c := range r.Cells {
			cells[i] = c.Text
			if c.Note != "" {
				cells[i] += " (" + c.Note + ")"
			}
		}
		b.WriteString(strings.Join(cells, " | "))
		if r.Kind != figure.KindPlain {
			b.WriteString(" <" + string(r.Kind) + ">")
		}
		b.WriteString("\n")
	}
	return b.String()
}
