package figure_test

import (
	"testing"

	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

func speaks(t testing.TB, tag language.Tag) *figure.Teller {
	t.Helper()
	w, err := words.New(tag, nil)
	if err != nil {
		t.Fatalf("words.New(%v) = %v", tag, err)
	}
	return figure.New(w)
}

var (
	proportion = figure.Measure{Scoring: measure.Proportion, Per: 1}
	per1000    = figure.Measure{Scoring: measure.Ratio, Per: 1000}
	median     = figure.Measure{Scoring: measure.ContinuousVariable, Per: 1}
)

func TestNumberWords(t *testing.T) {
	t.Parallel()
	type teller = *figure.Teller
	wide, close95, signs := &[2]float64{0.35, 0.47}, &[2]float64{0.409, 0.417}, &[2]float64{-0.04, 0.09}
	for _, test := range []struct {
		name   string
		say    func(teller) string
		en, es string
	}{
		{"a score has no more digits than its interval", func(s teller) string {
			return s.Score(proportion, 0.4126, wide)
		}, "41", "41"},
		{"and as many as that", func(s teller) string {
			return s.Score(proportion, 0.4126, close95)
		}, "41.3", "41.3"},
		{"in words", func(s teller) string {
			return s.ScoreInWords(proportion, 0.4126, close95)
		}, "41.3 of 100", "41.3 de cada 100"},
		{"a rate in words", func(s teller) string {
			return s.ScoreInWords(per1000, 3.21, &[2]float64{2.9, 3.6})
		}, "3.2 per 1,000", "3.2 por cada 1,000"},
		{"nothing is 0", func(s teller) string { return s.Score(proportion, 0, &[2]float64{0, 0.01}) }, "0", "0"},
		{"little is not nothing", func(s teller) string {
			return s.Score(proportion, 0.003, &[2]float64{0, 0.1})
		}, "0.3", "0.3"},
		{"whole days are whole", func(s teller) string { return s.Score(median, 3, &[2]float64{3, 4}) }, "3", "3"},
		{"half days are not", func(s teller) string { return s.Score(median, 3.5, nil) }, "3.5", "3.5"},
		{"an interval", func(s teller) string { return s.Interval(proportion, 0.4126, wide) },
			"35 to 47", "35 a 47"},
		{"an interval of days", func(s teller) string {
			return s.Interval(median, 3, &[2]float64{2.5, 4})
		}, "2.5 to 4.0", "2.5 a 4.0"},
		{"a difference", func(s teller) string { return s.Difference(proportion, -0.14, nil) }, "−14.0", "−14.0"},
		{"a difference with its interval", func(s teller) string {
			return s.DifferenceInterval(proportion, -0.14, &[2]float64{-0.19, -0.09})
		}, "−19 to −9", "−19 a −9"},
		{"a difference in words", func(s teller) string {
			return s.DifferenceInWords(proportion, -0.14, &[2]float64{-0.19, -0.09})
		}, "14 fewer in 100", "14 menos por cada 100"},
		{"a difference of rates in words", func(s teller) string {
			return s.DifferenceInWords(per1000, 1.24, &[2]float64{0.4, 2.1})
		}, "1.2 more per 1,000", "1.2 más por cada 1,000"},
		{"a difference of medians in words", func(s teller) string {
			return s.DifferenceInWords(median, 2, nil)
		}, "2 higher", "2 más"},
		{"next to no difference has no more digits", func(s teller) string {
			return s.Difference(proportion, 0.0004, &[2]float64{-0.02, 0.02})
		}, "0.0", "0.0"},
		{"no difference in words", func(s teller) string {
			return s.DifferenceInWords(proportion, 0.00001, &[2]float64{-0.1, 0.1})
		}, "about as many", "casi lo mismo"},
		{"fewer", func(s teller) string {
			return s.Between(proportion, -0.22, &[2]float64{-0.26, -0.18})
		}, "18 to 26 fewer", "de 18 a 26 menos"},
		{"more", func(s teller) string {
			return s.Between(proportion, 0.22, &[2]float64{0.18, 0.26})
		}, "18 to 26 more", "de 18 a 26 más"},
		{"fewer or more", func(s teller) string {
			return s.Between(proportion, 0.02, signs)
		}, "from 4 fewer to 9 more", "de 4 menos a 9 más"},
		{"an end near none has its side", func(s teller) string {
			return s.Between(proportion, 0.04, &[2]float64{-0.002, 0.09})
		}, "from 0.2 fewer to 9 more", "de 0.2 menos a 9 más"},
		{"lower", func(s teller) string {
			return s.Between(median, -2, &[2]float64{-3, -1})
		}, "1 to 3 lower", "de 1 a 3 menos"},
		{"a ratio", func(s teller) string { return s.Ratio(0.7312, &[2]float64{0.62, 0.86}) }, "0.73", "0.73"},
		{"a ratio of which little is known", func(s teller) string {
			return s.Ratio(2.7312, &[2]float64{1.1, 6.2})
		}, "2.7", "2.7"},
		{"a small p", func(s teller) string { return s.P(0.00002) }, "below 0.001", "menos de 0.001"},
		{"a p", func(s teller) string { return s.P(0.0312) }, "0.031", "0.031"},
		{"a share", func(s teller) string { return s.OfHundred(0.2349) }, "23.5", "23.5"},
		{"a small share", func(s teller) string { return s.OfHundred(0.0234) }, "2.3", "2.3"},
		{"a whole small share", func(s teller) string { return s.OfHundred(0.0625 * 0.8) }, "5", "5"},
		{"a share of next to nothing", func(s teller) string { return s.OfHundred(0.0002) }, "0.02", "0.02"},
		{"what is reliable needs no word", func(s teller) string { return s.Reliability("reliable", "") }, "", ""},
		{"what is not does", func(s teller) string { return s.Reliability("unreliable", "few-units") },
			"not to be relied on: it rests on fewer than 30",
			"no es fiable: se basa en menos de 30 casos"},
		{"the level", teller.Ninetyfive, "95%", "95\u00a0%"},
		{"the unit of a proportion", func(s teller) string { return s.ScoreUnit(proportion) }, "of 100", "de cada 100"},
		{"the unit of a rate", func(s teller) string { return s.ScoreUnit(per1000) }, "per 1,000", "por cada 1,000"},
		{"the unit of a value", func(s teller) string { return s.ScoreUnit(median) }, "median", "mediana"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for tag, want := range map[language.Tag]string{language.English: test.en, language.Spanish: test.es} {
				if got := test.say(speaks(t, tag)); got != want {
					t.Errorf("in %v: %q, want %q", tag, got, want)
				}
			}
		})
	}
}

func TestIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, en, es string }{
		{"2025", "In 2025, so it was", "En 2025, so it was"},
		{"2025-Q2", "In quarter 2 of 2025, so it was", "En el trimestre 2 de 2025, so it was"},
		{"2025-03", "In March 2025, so it was", "En marzo de 2025, so it was"},
		{"2025-01-02/2025-03-31", "From January 2, 2025 to March 31, 2025, so it was",
			"Del 2 de enero de 2025 al 31 de marzo de 2025, so it was"},
	} {
		p, err := measure.ParsePeriod(test.in)
		if err != nil {
			t.Fatalf("ParsePeriod(%q) = %v", test.in, err)
		}
		for tag, want := range map[language.Tag]string{language.English: test.en, language.Spanish: test.es} {
			if got := speaks(t, tag).In(p, "so it was"); got != want {
				t.Errorf("In(%s) = %q in %v, want %q", test.in, got, tag, want)
			}
		}
	}
}
