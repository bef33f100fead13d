package chart_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/equitylens/equitylens/server/chart"
)

// Whoever points at a row of a picture is told what the table beside it says.
func ExampleSVG() {
	var b bytes.Buffer
	err := chart.SVG(&b, chart.DotPlot{
		Meta: chart.Meta{Title: "Visits with a documented interpreter, 2025", Lang: "en"},
		Axis: chart.Axis{Label: "Share of visits",
			Format: func(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }},
		Rows: []chart.Row{
			{Label: "Spanish", Note: "n 1,204", Value: new(0.62), Interval: &[2]float64{0.59, 0.65}},
			{Label: "Portuguese", Note: "n 12", State: chart.Suppressed},
			{Label: "Somali", Note: "n 30", Value: new(0.0), Interval: &[2]float64{0, 0.11}},
		},
		Legend: chart.Legend{Interval: "95 % interval", Suppressed: "suppressed", NoData: "no data"},
	}, chart.Options{Width: chart.Narrow})
	if err != nil {
		fmt.Println(err)
	}
	for line := range strings.Lines(b.String()) {
		if title, ok := strings.CutPrefix(line, "<title>"); ok {
			fmt.Println(strings.TrimSuffix(title, "</title>\n"))
		}
	}
	// Output:
	// Spanish: 62 %
	// Portuguese: suppressed
	// Somali: 0 %
}
