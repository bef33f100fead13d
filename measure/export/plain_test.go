package export_test

import (
	"bytes"
	"encoding/csv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure/export"
)

// lines reads a file back.
func lines(t *testing.T, p export.Plain) [][]string {
	t.Helper()
	var out bytes.Buffer
	if err := p.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPlainTableIsTracedInEveryRow(t *testing.T) {
	t.Parallel()
	got := lines(t, export.Plain{
		Columns: []string{"Group", "=of 100"},
		Rows:    [][]string{{"Spanish", "38"}, {"Chinese"}, {"one", "2", "3"}},
		From:    []export.Named{{"measure", "m"}, {"audience", "=public"}},
	})
	want := [][]string{
		{"Group", "'=of 100", "measure", "audience"},
		{"Spanish", "38", "m", "'=public"},
		{"Chinese", "", "m", "'=public"},
		{"one", "2", "m", "'=public"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the file holds otherwise (-want +got):\n%s", diff)
	}
}

func TestPlainCells(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"a negative number stays a number", "−14", "-14"},
		{"also with the minus of programs", "-14.5", "-14.5"},
		{"a positive difference is a number", "+3.2", "3.2"},
		{"thousands are no text", "−1,204.5", "-1204.5"},
		{"an interval is text", "−19 to −9", "−19 to −9"},
		{"an interval with a plus is not run", "+3 to +9", "'+3 to +9"},
		{"a formula is not run", "=cmd()", "'=cmd()"},
		{"nor one behind a minus", "-1+cmd()", "'-1+cmd()"},
		{"nor one behind an at sign", "@x", "'@x"},
		{"nor one behind a tab", "\t=x", "'\t=x"},
		{"nor one behind a NUL", "\x00=x", "'=x"},
		{"a date is text", "2025-03", "2025-03"},
		{"a word is left alone", "suppressed", "suppressed"},
		{"nothing is nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all := lines(t, export.Plain{Columns: []string{"a", "b"}, Rows: [][]string{{tt.in, "x"}}})
			if got := all[1][0]; got != tt.want {
				t.Errorf("%q is written as %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}
