package figure_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure/export"
	"github.com/equitylens/equitylens/server/figure"
)

func TestATableAsAFileKeepsNotes(t *testing.T) {
	t.Parallel()
	from := []export.Named{{Name: "snapshot", Value: "s-1"}}
	for _, tt := range []struct {
		name string
		in   figure.Table
		want export.Plain
	}{
		{"nothing", figure.Table{Caption: "Nothing"}, export.Plain{From: from}},
		{
			"a note behind a figure, and one alone",
			figure.Table{
				Columns: []figure.Column{{Title: "Group"}, {Title: "Of 100", Number: true}},
				Rows: []figure.TableRow{
					{Cells: []figure.Cell{{Text: "Spanish", Href: "/x"}, {Text: "12.5", Note: "few"}}, Kind: figure.KindSignal},
					{Cells: []figure.Cell{{Text: "English"}, {Note: "hidden"}}},
				},
			},
			export.Plain{
				Columns: []string{"Group", "Of 100"}, From: from,
				Rows: [][]string{{"Spanish", "12.5 (few)"}, {"English", "(hidden)"}},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.in.Plain(from)); diff != "" {
				t.Errorf("Plain() (-want +got):\n%s", diff)
			}
		})
	}
}
