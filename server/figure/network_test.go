package figure_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
)

// pool is a network in which each member has a score out of some size, between the limits that
// stat.Funnel gives.
func pool(centre float64, sizes, scores []float64) figure.Pool {
	p := figure.Pool{
		Measure: "interpreter-documented", Version: "1.0.0", Score: &centre,
		Interval: &[2]float64{centre - 0.01, centre + 0.01}, Showing: len(sizes), Least: 3,
		Period: measure.Period{
			Start: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC),
		},
	}
	limits := stat.Funnel{Centre: centre}
	for i, n := range sizes {
		one := figure.PoolMember{Number: i + 1, Score: scores[i], N: n}
		one.Interval[0], one.Interval[1] = stat.Wilson(scores[i]*n, n)
		low, high := limits.Proportion(n, stat.Level95)
		lowest, highest := limits.Proportion(n, stat.Level998)
		one.Inner, one.Outer = &[2]float64{low, high}, &[2]float64{lowest, highest}
		one.Below, one.Above = scores[i] < low, scores[i] > high
		one.Far = scores[i] < lowest || scores[i] > highest
		p.Members = append(p.Members, one)
		p.N += n
	}
	return p
}

// documented is the measure of the networks.
var documented = figure.Measure{
	ID: "interpreter-documented", Rate: "main", Scoring: measure.Proportion, Improvement: measure.Increase, Per: 1,
	Words: measure.Words{Title: "Interpreter documented"},
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	eight := pool(0.6, []float64{300, 800, 1300, 1800, 2400, 3100, 4000, 5200},
		[]float64{0.62, 0.41, 0.58, 0.63, 0.6, 0.59, 0.61, 0.6})
	eight.Members[0].Name, eight.Members[0].Number, eight.Members[0].Own = "Harbor", 0, true
	ofGroup := eight
	ofGroup.Dimension, ofGroup.Code, ofGroup.Hidden, ofGroup.Absent = mapping.DimensionLanguageGroup, "spanish", 2, 1
	few := pool(0.6, []float64{300}, []float64{0.62})
	few.Score, few.Interval, few.Members[0].Inner, few.Members[0].Outer = nil, nil, nil, nil
	for _, test := range []struct {
		name   string
		pool   figure.Pool
		drawn  bool
		en, es []string
	}{
		{"of everybody", eight, true, []string{
			"Interpreter documented: each member by its size", "8 members show this figure; together: 60.0 of 100",
			"One of 8 is beyond the outer limits", "Member 2 (41", "lower than all together, the worse side",
			"One of 8 is beyond the inner limits", "Member 4 (63", "the better side", "Harbor (you)",
			"A member outside is a question and not a verdict",
		}, []string{"Miembro 2 (41", "menor que el conjunto, el lado peor", "Harbor (usted)"}},
		{"of a group", ofGroup, true, []string{
			"Interpreter documented, Spanish: each member by its size", "2 members hide this figure", "One member does not report",
		}, []string{"Español: cada miembro según su tamaño", "2 miembros ocultan esta cifra"}},
		{"of too few", few, false, []string{"One member shows this figure. Nothing is pooled of fewer than 3.", "Member 1"},
			[]string{"No se reúne nada de menos de 3."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for tag, wants := range map[language.Tag][]string{language.English: test.en, language.Spanish: test.es} {
				f := speaks(t, tag).Network(test.pool, documented)
				said := f.Title + "\n" + strings.Join(f.Sentences, "\n") + "\n" + strings.Join(f.Notes, "\n")
				for _, row := range f.Table.Rows {
					if len(row.Cells) != len(f.Table.Columns) {
						t.Errorf("a row has %d cells, not %d", len(row.Cells), len(f.Table.Columns))
					}
					for _, c := range row.Cells {
						said += "\n" + c.Text
					}
				}
				for _, want := range wants {
					if !strings.Contains(said, want) {
						t.Errorf("in %v it does not say %q:\n%s", tag, want, said)
					}
				}
				if (f.Chart != nil) != test.drawn {
					t.Errorf("it is drawn: %t", f.Chart != nil)
				}
			}
		})
	}
}

// TestLimitsOfANetworkGoThroughThoseOfItsMembers holds the limits that are drawn to those of each member:
// a mark that is outside by its figures is never drawn inside.
func TestLimitsOfANetworkGoThroughThoseOfItsMembers(t *testing.T) {
	t.Parallel()
	teller := speaks(t, language.English)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(3, 12).Draw(rt, "members")
		centre := rapid.Float64Range(0.05, 0.95).Draw(rt, "centre")
		var sizes, scores []float64
		for range n {
			sizes = append(sizes, float64(rapid.IntRange(30, 9000).Draw(rt, "size")))
			scores = append(scores, rapid.Float64Range(0, 1).Draw(rt, "score"))
		}
		p := pool(centre, sizes, scores)
		drawn, ok := teller.Network(p, documented).Chart.(chart.Funnel)
		if !ok || len(drawn.Bands) != 2 {
			rt.Fatalf("%d bands", len(drawn.Bands))
		}
		for k, band := range drawn.Bands {
			if !slices.IsSortedFunc(band.Points, func(a, b chart.BandPoint) int { return int(math.Copysign(1, a.X-b.X)) }) {
				rt.Error("the points of a band are not in order")
			}
			for _, at := range band.Points {
				if at.Low < 0 || at.High > 1 || at.Low > centre || at.High < centre {
					rt.Errorf("at %g the limits are %g and %g around %g", at.X, at.Low, at.High, centre)
				}
			}
			for _, m := range p.Members {
				limits := m.Outer
				if k == 1 {
					limits = m.Inner
				}
				i, _ := slices.BinarySearchFunc(band.Points, m.N, func(a chart.BandPoint, x float64) int {
					return int(math.Copysign(1, a.X-x))
				})
				if i == 0 || i == len(band.Points) {
					continue
				}
				// Between two points the limits of the member lie between theirs, but for the bend of the curve.
				const bend = 0.02
				left, right := band.Points[i-1], band.Points[i]
				if limits[0] < min(left.Low, right.Low)-bend || limits[0] > max(left.Low, right.Low)+bend ||
					limits[1] < min(left.High, right.High)-bend || limits[1] > max(left.High, right.High)+bend {
					rt.Errorf("at %g the limits are %g and %g; drawn from %+v to %+v", m.N, limits[0], limits[1], left, right)
				}
			}
		}
	})
}
