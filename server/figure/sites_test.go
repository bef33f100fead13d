package figure_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
)

// shown holds a figure in both languages against its golden files: its text and its picture.
func shown(t *testing.T, name string, of func(*figure.Teller, language.Tag) figure.Figure) {
	t.Helper()
	for _, tag := range []language.Tag{language.English, language.Spanish} {
		f := of(speaks(t, tag), tag)
		golden(t, filepath.Join("place", name+"."+tag.String()+".txt"), text(f))
		if tag == language.English && f.Chart != nil {
			var svg strings.Builder
			if err := chart.SVG(&svg, f.Chart, chart.Options{}); err != nil {
				t.Fatalf("chart.SVG of %s = %v", name, err)
			}
			if !strings.Contains(svg.String(), "<title") {
				t.Errorf("the picture of %s has no title", name)
			}
		}
	}
}

// TestSitesWarnOfReversal is about a gap that points the other way at each site.
func TestSitesWarnOfReversal(t *testing.T) {
	t.Parallel()
	shown(t, "sites", func(s *figure.Teller, tag language.Tag) figure.Figure {
		m := interpreter(tag)
		r := reversed(t, m)
		return s.Sites(r, compare(t, r, "language", gap.Options{}), "", m)
	})
	m := interpreter(language.English)
	r := reversed(t, m)
	f := speaks(t, language.English).Sites(r, compare(t, r, "language", gap.Options{}), "zh", m)
	if !strings.Contains(strings.Join(f.Sentences, "\n"), "Within sites it is the other way round") {
		t.Errorf("no warning in %q", f.Sentences)
	}
	forest, ok := f.Chart.(chart.Forest)
	if !ok || len(forest.Rows) != 3 || forest.Pooled == nil {
		t.Fatalf("the picture is %#v, want a forest of three rows and the pooled one", f.Chart)
	}
	if crude, pooled := *forest.Rows[0].Value, *forest.Pooled.Value; crude >= 0 || pooled <= 0 {
		t.Errorf("crude %g and pooled %g, want them on either side of 0", crude, pooled)
	}
	north, south := *forest.Rows[1].Value, *forest.Rows[2].Value
	if math.Abs(north-(190./200-1500./1800)) > 1e-12 || math.Abs(south-(760./1800-50./200)) > 1e-12 {
		t.Errorf("north %g and south %g", north, south)
	}
}

func TestSitesThatAreNotCompared(t *testing.T) {
	t.Parallel()
	shown(t, "sites-few", func(s *figure.Teller, tag language.Tag) figure.Figure {
		m := interpreter(tag)
		r := crossedWith(t, m, "language", "site",
			[]counts{{"es", "Spanish", "", 600, 2010}, {"zh", "Chinese", "", 950, 2000}},
			map[string][]counts{
				"es": {{"n", "North", "", 595, 2000}, {"s", "South", "", 5, 10}, {"w", "West", "", 3, 40}},
				"zh": {{"n", "North", "", 850, 1800}, {"s", "South", "", 100, 200}},
			})
		hidden := r.Groups[0].Strata["language*site"]
		for i := range hidden {
			if hidden[i].Components[1].Code == "w" {
				hidden[i].Cell = measure.Cell{Suppressed: true}
			}
		}
		return s.Sites(r, compare(t, r, "language", gap.Options{}), "es", m)
	})
	t.Run("without a cross there is nothing by site", func(t *testing.T) {
		t.Parallel()
		m := interpreter(language.English)
		r := resultOf(t, m, "language", counts{"es", "Spanish", "", 304, 800}, counts{"zh", "Chinese", "", 104, 200})
		f := speaks(t, language.English).Sites(r, compare(t, r, "language", gap.Options{}), "", m)
		if f.Chart != nil || len(f.Notes) != 1 {
			t.Errorf("Sites = %+v, want a note alone", f)
		}
	})
	t.Run("what is not compared is not compared by site", func(t *testing.T) {
		t.Parallel()
		m := interpreter(language.English)
		r := resultOf(t, m, "language", counts{"es", "Spanish", "", 304, 800})
		f := speaks(t, language.English).Sites(r, compare(t, r, "language", gap.Options{}), "", m)
		if f.Chart != nil || len(f.Notes) != 1 {
			t.Errorf("Sites = %+v, want a note alone", f)
		}
	})
}

// manySites are sites of a measure whose events are those that of says.
func manySites(t *testing.T, m figure.Measure, n int, of func(i int) (events, of float64)) gap.Comparison {
	t.Helper()
	strata := make([]counts, n)
	for i := range strata {
		events, units := of(i)
		strata[i] = counts{fmt.Sprintf("s%d", i), fmt.Sprintf("Site %d", i), "", events, units}
	}
	return compare(t, resultOf(t, m, mapping.DimensionSite, strata...), mapping.DimensionSite, gap.Options{})
}

func TestFunnel(t *testing.T) {
	t.Parallel()
	outlier := func(i int) (float64, float64) {
		units := float64(100 + 150*i)
		if i == 3 {
			return math.Round(0.2 * units), units
		}
		return math.Round(0.5 * units), units
	}
	shown(t, "funnel", func(s *figure.Teller, tag language.Tag) figure.Figure {
		m := interpreter(tag)
		return s.Funnel(manySites(t, m, 6, outlier), m)
	})
	shown(t, "funnel-rate", func(s *figure.Teller, tag language.Tag) figure.Figure {
		m := harm(tag)
		return s.Funnel(manySites(t, m, 4, func(i int) (float64, float64) {
			return []float64{12, 30, 4, 55}[i], []float64{4000, 9000, 1200, 9000}[i]
		}), m)
	})
	t.Run("limits are those of stat", func(t *testing.T) {
		t.Parallel()
		m := interpreter(language.English)
		c := manySites(t, m, 6, outlier)
		drawn, ok := speaks(t, language.English).Funnel(c, m).Chart.(chart.Funnel)
		if !ok || len(drawn.Bands) != 2 || len(drawn.Points) != 6 {
			t.Fatalf("the picture is %#v, want two bands and six points", drawn)
		}
		limits := stat.Funnel{Centre: *c.All.Score}
		for i, level := range []stat.Level{stat.Level998, stat.Level95} {
			for _, p := range drawn.Bands[i].Points {
				if lo, hi := limits.Proportion(p.X, level); lo != p.Low || hi != p.High {
					t.Errorf("%v limits at %g are %g and %g, want %g and %g", level, p.X, p.Low, p.High, lo, hi)
				}
			}
		}
		for _, p := range drawn.Points {
			lo, hi := limits.Proportion(p.X, stat.Level95)
			if p.Outside != (p.Y < lo || p.Y > hi) {
				t.Errorf("%s is outside %v between %g and %g", p.Label, p.Outside, lo, hi)
			}
		}
	})
	t.Run("sites that vary more than chance widen the limits", func(t *testing.T) {
		t.Parallel()
		m := interpreter(language.English)
		c := manySites(t, m, 12, func(i int) (float64, float64) { return 300 + 40*float64(i), 1000 })
		f := speaks(t, language.English).Funnel(c, m)
		if !strings.Contains(strings.Join(f.Notes, "\n"), "times as much as chance") {
			t.Errorf("nothing is said of it: %q", f.Notes)
		}
		lo, hi := stat.Funnel{Centre: *c.All.Score}.Proportion(1000, stat.Level95)
		if points := f.Chart.(chart.Funnel).Bands[1].Points; points[len(points)-1].High-points[len(points)-1].Low <= hi-lo {
			t.Error("the limits are not widened")
		}
	})
	t.Run("a few sites do not, or one that is far out would hide itself", func(t *testing.T) {
		t.Parallel()
		m := interpreter(language.English)
		c := manySites(t, m, 9, func(i int) (float64, float64) { return 300 + 40*float64(i), 1000 })
		f := speaks(t, language.English).Funnel(c, m)
		if strings.Contains(strings.Join(f.Notes, "\n"), "times as much as chance") {
			t.Errorf("the limits are widened: %q", f.Notes)
		}
	})
	for _, test := range []struct {
		name string
		of   func(m *figure.Measure, c *gap.Comparison)
		want string
	}{
		{"a median has no limits", func(m *figure.Measure, _ *gap.Comparison) {
			m.Scoring = measure.ContinuousVariable
		}, "There are no limits for this"},
		{"nothing is drawn around what is suppressed", func(_ *figure.Measure, c *gap.Comparison) {
			c.All.Suppressed = true
		}, "is suppressed"},
		{"nothing is drawn of nothing", func(_ *figure.Measure, c *gap.Comparison) {
			c.All = gap.Compared{}
		}, "There are no data"},
		{"one site is beside nothing", func(_ *figure.Measure, c *gap.Comparison) {
			c.Groups = c.Groups[:1]
		}, "Fewer than two sites"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := interpreter(language.English)
			c := manySites(t, m, 6, outlier)
			test.of(&m, &c)
			f := speaks(t, language.English).Funnel(c, m)
			if f.Chart != nil || !strings.Contains(strings.Join(f.Notes, "\n"), test.want) {
				t.Errorf("Funnel draws %v and says %q, want %q", f.Chart != nil, f.Notes, test.want)
			}
			if len(f.Table.Rows) != len(c.Groups)+1 {
				t.Errorf("the table has %d rows, want each site and everybody", len(f.Table.Rows))
			}
		})
	}
}
