package figure_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
)

// toldOf are comparisons of three measures by language: one with a gap, one with a hidden group,
// one that is about languages.
func toldOf(t *testing.T, tag language.Tag) []figure.Told {
	t.Helper()
	m, h, about := interpreter(tag), harm(tag), interpreter(tag)
	about.ID, about.Words.Title = "language-recorded", "Language recorded"
	if tag == language.Spanish {
		about.Words.Title = "Idioma registrado"
	}
	first := resultOf(t, m, "language", counts{"es", "Spanish", "", 304, 800},
		counts{"zh", "Chinese", "", 104, 200}, counts{"so", "Somali", "", 5, 11}, counts{"", "", "missing", 20, 60})
	second := resultOf(t, h, "language", counts{"en", "English", "", 200, 60000},
		counts{"es", "Spanish", "", 60, 9000}, counts{"zh", "Chinese", "", 10, 3000})
	hidden := counts{"so", "Somali", "", 0, 0}
	stratum := resultOf(t, h, "language", hidden).Groups[0].Strata["language"][0]
	stratum.Cell, stratum.Share = measure.Cell{Suppressed: true}, nil
	second.Groups[0].Strata["language"] = append(second.Groups[0].Strata["language"], stratum)
	third := resultOf(t, about, "language", counts{"en", "English", "", 900, 900},
		counts{"es", "Spanish", "", 800, 800})
	third.Groups[0].NotBy = []string{"language"}
	return []figure.Told{
		{Comparison: compare(t, first, "language", gap.Options{}), Measure: m},
		{Comparison: compare(t, second, "language", gap.Options{}), Measure: h},
		{Comparison: compare(t, third, "language", gap.Options{}), Measure: about},
	}
}

func TestHeat(t *testing.T) {
	t.Parallel()
	shown(t, "heat", func(s *figure.Teller, tag language.Tag) figure.Figure {
		return s.Heat("language", toldOf(t, tag))
	})
	drawn, ok := speaks(t, language.English).Heat("language", toldOf(t, language.English)).Chart.(chart.HeatMap)
	if !ok {
		t.Fatal("there is no heat map")
	}
	if diff := cmp.Diff([]string{"English", "Spanish", "Chinese", "Somali"}, drawn.Columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	kind := func(c chart.HeatCell) string {
		switch {
		case c.State == chart.Suppressed:
			return "suppressed"
		case c.State == chart.NoData:
			return c.Title
		case c.Reference:
			return "reference"
		case c.Level < 0:
			return "worse"
		case c.Level > 0:
			return "better"
		}
		return "same"
	}
	var got [][]string
	for _, row := range drawn.Rows {
		var kinds []string
		for _, c := range row.Cells {
			kinds = append(kinds, kind(c))
			if c.Clear != (c.Level != 0) {
				t.Errorf("%s: a cell is clear %v and has the level %g", row.Label, c.Clear, c.Level)
			}
		}
		got = append(got, kinds)
	}
	want := [][]string{
		{"no data", "worse", "reference", "fewer than 30"},
		{"reference", "worse", "same", "suppressed"},
		{"not compared", "not compared", "no data", "no data"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
}

func TestHeatOfNothing(t *testing.T) {
	t.Parallel()
	if f := speaks(t, language.English).Heat("race", toldOf(t, language.English)); f.Chart != nil || len(f.Notes) != 1 {
		t.Errorf("Heat = %+v, want a note alone", f)
	}
}

func TestFindings(t *testing.T) {
	t.Parallel()
	m, h := interpreter(language.English), harm(language.English)
	context := interpreter(language.English)
	context.ID, context.Improvement = "context", measure.Context
	strata := []counts{{"es", "Spanish", "", 304, 800}, {"zh", "Chinese", "", 104, 200}}
	first := resultOf(t, m, "language", strata...)
	first.Groups[0].Strata["language_group"] = resultOf(t, m, "language_group",
		counts{"spanish", "Spanish", "", 304, 800}, counts{"chinese", "Chinese", "", 104, 200},
	).Groups[0].Strata["language_group"]
	gaps, err := gap.Of([]measure.Result{
		first, resultOf(t, context, "language", strata...),
		resultOf(t, h, "language", counts{"en", "English", "", 200, 60000}, counts{"es", "Spanish", "", 60, 9000},
			counts{"zh", "Chinese", "", 10, 3000}),
		resultOf(t, h, "sex", counts{"female", "Female", "", 15, 600}, counts{"male", "Male", "", 200, 60000}),
	}, gap.Options{})
	if err != nil {
		t.Fatalf("gap.Of = %v", err)
	}
	s := speaks(t, language.English)
	all := s.Findings(gaps, []figure.Measure{m, h, context}, period(t, "2025"), 5)
	var got []string
	for _, f := range all.Found {
		got = append(got, f.Sentence)
	}
	want := []string{
		"In 2025, in the group “Spanish”, 38 of 100 visits by patients who need an interpreter had one " +
			"documented; in the group “Chinese” it was 52 of 100: 14 fewer in 100 (95% interval: 6 to 22 fewer), " +
			"or 0.73 times as many (0.63 to 0.86).",
		"In 2025, in the group “Spanish”, harm events were reported at a rate of 6.7 per 1,000 patient-days; in " +
			"the group “English” it was 3.3 per 1,000: 3.3 more per 1,000 (95% interval: 1.7 to 5.3 more), or 2.0 " +
			"times as many (1.5 to 2.7).",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if want := "In 2025, there are 2 gaps of which chance is no likely reason."; all.Sentence != want || all.All != 2 {
		t.Errorf("%d: %q, want %q", all.All, all.Sentence, want)
	}
	f := all.Found[0]
	parts := []string{f.Title, f.Group, f.Reference, f.Affected, f.AtLeast, f.Absolute, f.Interval, f.Relative,
		f.RelativeInterval, f.Reliability}
	wantParts := []string{"Interpreter documented", "Spanish", "Chinese", "112 visits", "50", "14 fewer in 100",
		"6 to 22 fewer", "0.73", "0.63 to 0.86", ""}
	if diff := cmp.Diff(wantParts, parts); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	t.Run("a limit leaves some out and counts them", func(t *testing.T) {
		t.Parallel()
		one := s.Findings(gaps, []figure.Measure{m, h, context}, period(t, "2025"), 1)
		if len(one.Found) != 1 || one.All != 2 || one.Found[0].Sentence != want[0] {
			t.Errorf("Findings = %+v, want the first of two", one)
		}
	})
	t.Run("nothing found is no proof", func(t *testing.T) {
		t.Parallel()
		none := s.Findings(nil, nil, period(t, "2025"), 5)
		if len(none.Found) != 0 || !strings.Contains(none.Sentence, "no proof") {
			t.Errorf("Findings = %+v", none)
		}
	})
	t.Run("a reversal is warned of", func(t *testing.T) {
		t.Parallel()
		turned, err := gap.Of([]measure.Result{reversed(t, m)}, gap.Options{})
		if err != nil {
			t.Fatalf("gap.Of = %v", err)
		}
		found := s.Findings(turned, []figure.Measure{m}, period(t, "2025"), 5).Found
		if !slices.ContainsFunc(found, func(f figure.Finding) bool {
			return f.Group == "Chinese" && len(f.Warnings) == 1 && strings.Contains(f.Warnings[0], "the other way round")
		}) {
			t.Errorf("no warning among %+v", found)
		}
	})
}
