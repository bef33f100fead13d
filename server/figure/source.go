package figure

import (
	"strings"

	"github.com/equitylens/equitylens/server/chart"
)

// Sourced returns the figure with sentences behind those that stand at the foot of its picture already:
// for whom it is, and what drew it. They are in the language of the figure. One that stands there already
// is not said again.
func (f Figure) Sourced(sentences ...string) Figure {
	switch c := f.Chart.(type) {
	case chart.DotPlot:
		c.Source = sourced(c.Source, sentences)
		f.Chart = c
	case chart.Forest:
		c.Source = sourced(c.Source, sentences)
		f.Chart = c
	case chart.Funnel:
		c.Source = sourced(c.Source, sentences)
		f.Chart = c
	case chart.Control:
		c.Source = sourced(c.Source, sentences)
		f.Chart = c
	case chart.Trend:
		c.Source = sourced(c.Source, sentences)
		f.Chart = c
	case chart.HeatMap:
		c.Source = sourced(c.Source, sentences)
		f.Chart = c
	case chart.Completeness:
		c.Source = sourced(c.Source, sentences)
		f.Chart = c
	}
	return f
}

// sourced puts sentences one behind the other.
func sourced(text string, sentences []string) string {
	for _, one := range sentences {
		switch {
		case strings.Contains(text, one):
		case one == "":
		case text == "":
			text = one
		case strings.HasSuffix(text, "."):
			text += " " + one
		default:
			text += ". " + one
		}
	}
	return text
}
