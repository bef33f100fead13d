package figure_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
)

// left is a measure of what should not happen.
func left(tag language.Tag) figure.Measure {
	m := figure.Measure{ID: "left", Rate: "left", Scoring: measure.Proportion, Improvement: measure.Decrease,
		Per: 1, Unit: measure.EncounterUnit, Words: measure.Words{Title: "Left without being seen",
			Reads: "{n} of 100 visits ended before the patient was seen", Caution: "Some leave unnoticed."}}
	if tag == language.Spanish {
		m.Words = measure.Words{Title: "Se fue sin atención",
			Reads:   "{n} de cada 100 visitas terminaron antes de la atención",
			Caution: "Hay quien se va sin que se note."}
	}
	return m
}

// daily is a sequence of the Spanish of three visits a day from January 2024 on, with an event at the end
// of a day after so many days without.
func daily(between ...int) measure.Sequence {
	s := measure.Sequence{Coding: measure.Coding{Code: "spanish", Label: "Spanish", State: "known"}}
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, n := range between {
		for j := range n {
			one := measure.DayCount{Day: day, Units: 3}
			if j == n-1 && i < len(between)-1 {
				one.Events = 1
			}
			s.Days = append(s.Days, one)
			day = day.AddDate(0, 0, 1)
		}
	}
	return s
}

// rarely are months of English, who have many, and of Spanish, who have one every other month.
func rarely(t *testing.T, m figure.Measure) gap.TrendReport {
	t.Helper()
	return trend(t, monthsOf(t, m, 24, func(i int) []counts {
		events := float64(i % 2)
		if m.Improvement == measure.Increase {
			events = 90 - events
		}
		return []counts{{"english", "English", "", 60 + wave(i), 200}, {"spanish", "Spanish", "", events, 90}}
	}), gap.Options{})
}

func rare(t *testing.T, r gap.TrendReport, sequences ...measure.Sequence) []gap.RareSeries {
	t.Helper()
	found, err := gap.Rare(r, sequences)
	if err != nil {
		t.Fatalf("gap.Rare = %v", err)
	}
	return found
}

// calm are the days between events of which none stands out.
func calm() []int {
	return []int{9, 20, 31, 12, 25, 40, 18, 22, 30, 11, 28, 24, 19, 33, 21, 7}
}

func TestRareCasesSay(t *testing.T) {
	t.Parallel()
	far := append(calm()[:14:14], 140, 16)
	slower := []int{3, 4, 5, 2, 6, 3, 5, 4, 2, 30, 41, 38, 52, 47, 61, 33, 40, 220}
	sooner := slices.Clone(slower[:17])
	slices.Reverse(sooner)
	together := []int{9}
	for i := range 12 {
		together = append(together, 1, i%2*20+1)
	}
	crowd := daily(append(together, 3)...)
	for i := range crowd.Days {
		if crowd.Days[i].Events > 0 {
			crowd.Days[i].Units = 1
		}
	}
	for _, test := range []struct {
		name     string
		of       func(language.Tag) figure.Measure
		sequence measure.Sequence
	}{
		{"rare-steady", left, daily(calm()...)},
		{"rare-signal", left, daily(far...)},
		{"rare-rarer", left, daily(slower...)},
		{"rare-oftener", left, daily(sooner...)},
		{"rare-together", left, crowd},
		{"rare-few", left, daily(40, 51, 60)},
		{"rare-none", left, daily(300)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := rarely(t, test.of(language.English))
			inBoth(t, test.name, func(s *figure.Teller, tag language.Tag) figure.Figure {
				return s.Course(r, rare(t, r, test.sequence), 2, test.of(tag))
			})
		})
	}
}

func TestRareFailuresSay(t *testing.T) {
	t.Parallel()
	q := daily(calm()...)
	for i := range q.Days {
		q.Days[i].Events = q.Days[i].Units - q.Days[i].Events
	}
	r := rarely(t, interpreter(language.English))
	inBoth(t, "rare-failures", func(s *figure.Teller, tag language.Tag) figure.Figure {
		return s.Course(r, rare(t, r, q), 2, interpreter(tag))
	})
}

func TestThePictureOfRareCases(t *testing.T) {
	t.Parallel()
	r := rarely(t, left(language.English))
	f := speaks(t, language.English).Course(r, rare(t, r, daily(append(calm()[:14:14], 140, 16)...)), 2,
		left(language.English))
	golden(t, filepath.Join("time", "rare.svg"), pictures(t, f, chart.Wide))
	c, ok := f.Chart.(chart.Control)
	if !ok || len(c.Points) != 14 || len(f.Table.Rows) != 14 {
		t.Fatalf("a chart %T of %d rows, want a control chart of 14", f.Chart, len(f.Table.Rows))
	}
	for i, row := range f.Table.Rows {
		if (row.Kind == figure.KindSignal) != c.Points[i].Signal || len(row.Cells) != len(f.Table.Columns) ||
			!strings.Contains(c.Points[i].Text, row.Cells[2].Text) {
			t.Errorf("row %d is %+v, its point %+v", i, row, c.Points[i])
		}
	}
	if !c.Points[13].Signal || c.Points[13].Label != "15 · Apr 2025" {
		t.Errorf("the last point is %+v, want a signal", c.Points[13])
	}
}

// The description of a picture is all that is said of it.
func TestTooFewCasesAreDescribed(t *testing.T) {
	t.Parallel()
	r := rarely(t, left(language.English))
	f := speaks(t, language.English).Course(r, rare(t, r, daily(40, 51, 60)), 2, left(language.English))
	if c, ok := f.Chart.(chart.Control); !ok || c.Description != strings.Join(f.Sentences, " ") ||
		!strings.Contains(f.Sentences[0], "too few for a chart from case to case") {
		t.Errorf("the picture is described as %+v, want %q", f.Chart, f.Sentences)
	}
}

// What is not rare is told by the month, whatever else is known of it.
func TestOthersAreSeries(t *testing.T) {
	t.Parallel()
	r := rarely(t, left(language.English))
	s, m := speaks(t, language.English), left(language.English)
	found := rare(t, r, daily(calm()...))
	for i := range 2 {
		if a, b := text(s.Series(r, i, m)), text(s.Course(r, found, i, m)); a != b {
			t.Errorf("series %d is told in two ways:\n%s\n%s", i, a, b)
		}
	}
	if a, b := text(s.Series(r, 2, m)), text(s.Course(r, nil, 2, m)); a != b {
		t.Errorf("without sequences the course is\n%s\nwant\n%s", b, a)
	}
}
