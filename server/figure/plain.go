package figure

import (
	"strings"

	"github.com/equitylens/equitylens/measure/export"
)

// Plain is the table as a file, each row of which says where it comes from. A note stands in brackets
// behind the figure of which it is said.
func (t Table) Plain(from []export.Named) export.Plain {
	p := export.Plain{From: from}
	for _, c := range t.Columns {
		p.Columns = append(p.Columns, c.Title)
	}
	for _, row := range t.Rows {
		cells := make([]string, len(row.Cells))
		for i, c := range row.Cells {
			cells[i] = c.Text
			if c.Note != "" {
				cells[i] = strings.TrimSpace(c.Text + " (" + c.Note + ")")
			}
		}
		p.Rows = append(p.Rows, cells)
	}
	return p
}
