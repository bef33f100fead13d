package figure_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
)

// TestEveryPictureSaysWhereItComesFrom draws each kind of picture with a source.
func TestEveryPictureSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	const first, second = "Source: a measure", "For the public"
	meta := chart.Meta{Title: "A picture", Lang: "en", Source: first}
	for _, c := range []chart.Chart{
		chart.DotPlot{Meta: meta}, chart.Forest{Meta: meta}, chart.Funnel{Meta: meta},
		chart.Control{Meta: meta}, chart.Trend{Meta: meta}, chart.HeatMap{Meta: meta},
		chart.Completeness{Meta: meta},
	} {
		f := figure.Figure{ID: "x", Chart: c}.Sourced(second, "", "Drawn by a program.").
			Sourced(second, "Drawn by a program.")
		var out bytes.Buffer
		if err := chart.SVG(&out, f.Chart, chart.Options{}); err != nil {
			t.Fatal(err)
		}
		if want := first + ". " + second + ". Drawn by a program."; !strings.Contains(out.String(), want) {
			t.Errorf("%T does not say %q:\n%s", c, want, out.String())
		}
	}
	if f := (figure.Figure{ID: "x"}).Sourced(second); f.Chart != nil {
		t.Errorf("a figure without a picture got %T", f.Chart)
	}
}
