package figure_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

// pairTeller speaks a language.
func pairTeller(t testing.TB, tag language.Tag) *figure.Teller {
	t.Helper()
	w, err := words.New(tag, nil)
	if err != nil {
		t.Fatal(err)
	}
	return figure.New(w)
}

// turned is a result whose gap is turned around by pooling: at each of two sites Spanish is ahead.
func turned(t testing.TB, m figure.Measure) measure.Result {
	t.Helper()
	r := resultOf(t, m, mapping.DimensionLanguageGroup,
		counts{"english", "English", "", 328, 480}, counts{"spanish", "Spanish", "", 152, 480})
	g := &r.Groups[0]
	for _, one := range []struct {
		site, group string
		events, of  float64
	}{
		{"S1", "english", 320, 400}, {"S1", "spanish", 72, 80},
		{"S2", "english", 8, 80}, {"S2", "spanish", 80, 400},
	} {
		g.Strata["language_group*site"] = append(g.Strata["language_group*site"], measure.Stratum{
			Components: []measure.Component{
				{Dimension: mapping.DimensionLanguageGroup, Coding: measure.Coding{
					Code: one.group, Label: words.Capital(one.group), State: string(mapping.Known)}},
				{Dimension: mapping.DimensionSite, Coding: measure.Coding{
					Code: one.site, Label: "Hospital " + one.site, State: string(mapping.Known)}},
			}, Cell: cell(m, one.events, one.of),
		})
	}
	return r
}

func TestPairSays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		tag         language.Tag
		pair, parts []string
	}{
		{language.English, []string{
			"In 2025, 50.0 of 100 visits by patients who need an interpreter had one documented.",
			"In the group “Spanish” it was 32 of 100, in the group “English” 68 of 100: 37 fewer in 100 " +
				"(95% interval: 31 to 42 fewer), or 0.46 times as many (0.40 to 0.53).",
			"Within sites it is the other way round: 10 more in 100 (95% interval: 5 to 15 more). Do not read " +
				"the overall difference without that.",
			"That gap is about 176 of its 480 visits, and at least 147 by the interval.",
		}, []string{
			"Within sites it is the other way round: 10 more in 100 (95% interval: 5 to 15 more). Do not read " +
				"the overall difference without that.",
			"Split up, the difference of 37 fewer in 100 is 10 more in 100 within the same sites and 47 fewer " +
				"in 100 between sites. That is arithmetic and says nothing of why.",
		}},
		{language.Spanish, []string{
			"En 2025, 50.0 de cada 100 visitas de pacientes que necesitan intérprete tuvieron uno " +
				"documentado.",
			"En el grupo «Español» fue 32 de cada 100, en el grupo «Inglés» 68 de cada 100: 37 menos " +
				"por cada 100 (intervalo del 95\u00a0%: de 31 a 42 menos), o 0.46 veces esa cifra (0.40 a " +
				"0.53).",
			"Dentro de cada centro es al revés: 10 más por cada 100 (intervalo del 95\u00a0%: de 5 a " +
				"15 más). No lea la diferencia del conjunto sin este dato.",
			"Esa brecha equivale a 176 de sus 480 visitas, y al menos a 147 según el intervalo.",
		}, []string{
			"Dentro de cada centro es al revés: 10 más por cada 100 (intervalo del 95\u00a0%: de 5 a " +
				"15 más). No lea la diferencia del conjunto sin este dato.",
			"Desglosada, la diferencia de 37 menos por cada 100 es 10 más por cada 100 dentro de los " +
				"mismos centros y 47 menos por cada 100 entre centros. Es aritmética y no dice nada del " +
				"porqué.",
		}},
	} {
		t.Run(test.tag.String(), func(t *testing.T) {
			t.Parallel()
			m := interpreter(test.tag)
			c := compare(t, turned(t, m), mapping.DimensionLanguageGroup, gap.Options{Reference: "english"})
			teller := pairTeller(t, test.tag)
			if diff := cmp.Diff(test.pair, teller.Pair(c, "spanish", m).Sentences); diff != "" {
				t.Errorf("Pair says otherwise (-want +got):\n%s", diff)
			}
			parts, ok := teller.Parts(c, "spanish", m)
			if diff := cmp.Diff(test.parts, parts.Sentences); !ok || diff != "" {
				t.Errorf("Parts says otherwise (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPairShowsTwoAndEverybody(t *testing.T) {
	t.Parallel()
	m := interpreter(language.English)
	r := resultOf(t, m, mapping.DimensionLanguageGroup, counts{"english", "English", "", 60, 100},
		counts{"spanish", "Spanish", "", 40, 100}, counts{"chinese", "Chinese", "", 5, 10},
		counts{"", "", string(mapping.Missing), 5, 10})
	c := compare(t, r, mapping.DimensionLanguageGroup, gap.Options{Reference: "english"})
	teller := pairTeller(t, language.English)
	f := teller.Pair(c, "spanish", m)
	var names []string
	for _, row := range f.Table.Rows {
		names = append(names, row.Cells[0].Text+" "+string(row.Kind))
	}
	if diff := cmp.Diff([]string{"Everybody all", "English reference", "Spanish "}, names); diff != "" {
		t.Errorf("the rows are otherwise (-want +got):\n%s", diff)
	}
	for _, few := range []struct{ name, code, want string }{
		{"a group of few is refused in words", "chinese", "fewer than 30"},
		{"a group that is not there is not told of", "zz", "50 of 100"},
	} {
		t.Run(few.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(teller.Pair(c, few.code, m).Sentences, " "); !strings.Contains(got, few.want) {
				t.Errorf("Pair says %q, want %q in it", got, few.want)
			}
			if _, ok := teller.Parts(c, few.code, m); ok {
				t.Error("there are parts of a difference that there is not")
			}
		})
	}
}

// inPeriods are two results by language group: before and after.
func inPeriods(t testing.TB, m figure.Measure, was, is []counts) (before, after measure.Result, report gap.ChangeReport) {
	t.Helper()
	before = resultOf(t, m, mapping.DimensionLanguageGroup, was...)
	before.Period = period(t, "2024")
	after = resultOf(t, m, mapping.DimensionLanguageGroup, is...)
	report, err := gap.Change([]measure.Result{before}, []measure.Result{after}, "", mapping.DimensionLanguageGroup,
		after.Period.Start, gap.Options{Reference: "english"})
	if err != nil {
		t.Fatal(err)
	}
	return before, after, report
}

func TestPeriodsSay(t *testing.T) {
	t.Parallel()
	was := []counts{{"english", "English", "", 200, 500}, {"spanish", "Spanish", "", 150, 500}, {"chinese", "Chinese", "", 4, 10}}
	is := []counts{{"english", "English", "", 205, 500}, {"spanish", "Spanish", "", 250, 500}, {"chinese", "Chinese", "", 9, 12}}
	for _, test := range []struct {
		tag  language.Tag
		want []string
	}{
		{language.English, []string{
			"Interpreter documented: 35.0 of 100 in 2024, 45.8 of 100 in 2025: 11 more in 100 (95% interval: 7 to 15 more). " +
				"That is more than chance would make of it.",
			"Groups whose figure changed by more than chance would make of it: Spanish (20 more in 100).",
			"In 1 group chance alone can make the change.",
			"Against English, the figure moved by more than chance would make of it in: Spanish (19 more in 100).",
		}},
		{language.Spanish, []string{
			"Intérprete documentado: 35.0 de cada 100 en 2024, 45.8 de cada 100 en 2025: 11 más por cada " +
				"100 (intervalo del 95\u00a0%: de 7 a 15 más). Es más de lo que haría el azar.",
			"Grupos cuya cifra cambió más de lo que haría el azar: Español (20 más por cada 100).",
			"En 1 grupo el azar por sí solo puede producir el cambio.",
			"Frente a Inglés, la cifra se movió más de lo que haría el azar en: Español (19 más por " +
				"cada 100).",
		}},
	} {
		t.Run(test.tag.String(), func(t *testing.T) {
			t.Parallel()
			m := interpreter(test.tag)
			before, after, report := inPeriods(t, m, was, is)
			f := pairTeller(t, test.tag).Periods(report, before, after, mapping.DimensionLanguageGroup, m)
			if diff := cmp.Diff(test.want, f.Sentences); diff != "" {
				t.Errorf("Periods says otherwise (-want +got):\n%s", diff)
			}
			if text := strings.Join(f.Notes, " "); !strings.Contains(text, "Chin") {
				t.Errorf("that one group rests on few is not noted: %s", text)
			}
		})
	}
}

// TestPairsHideWhatIsSuppressed changes what is hidden, and expects the same figures, byte by byte.
func TestPairsHideWhatIsSuppressed(t *testing.T) {
	t.Parallel()
	teller := pairTeller(t, language.English)
	m := interpreter(language.English)
	rapid.Check(t, func(r *rapid.T) {
		draw := func(name string) float64 { return float64(rapid.IntRange(0, 10).Draw(r, name)) }
		texts := map[string]bool{}
		for range 2 {
			hide := func(result *measure.Result) {
				g := &result.Groups[0]
				g.Cell = cell(m, 300, 1000) // A total that is the same whatever is hidden.
				for i := range g.Strata[mapping.DimensionLanguageGroup] {
					s := &g.Strata[mapping.DimensionLanguageGroup][i]
					if s.Code == "chinese" {
						s.Cell, s.Share = measure.Cell{Suppressed: true}, nil
					} else {
						share := 0.25
						s.Share = &share
					}
				}
			}
			strata := []counts{{"english", "English", "", 200, 500}, {"spanish", "Spanish", "", 150, 500},
				{"chinese", "Chinese", "", draw("events"), 10 + draw("of")}}
			before, after, _ := inPeriods(t, m, strata, strata)
			hide(&before)
			hide(&after)
			report, err := gap.Change([]measure.Result{before}, []measure.Result{after}, "",
				mapping.DimensionLanguageGroup, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), gap.Options{})
			if err != nil {
				r.Fatal(err)
			}
			c := compare(t, after, mapping.DimensionLanguageGroup, gap.Options{})
			text := ""
			for _, f := range []figure.Figure{
				teller.Pair(c, "chinese", m), teller.Periods(report, before, after, mapping.DimensionLanguageGroup, m),
			} {
				var picture bytes.Buffer
				if err := chart.SVG(&picture, f.Chart, chart.Options{}); err != nil {
					r.Fatal(err)
				}
				f.Chart = nil
				text += fmt.Sprintf("%+v\n%s", f, picture.String())
			}
			texts[text] = true
			if !strings.Contains(text, "suppressed") {
				r.Fatal("nothing says that a figure is suppressed")
			}
		}
		if len(texts) != 1 {
			r.Fatal("what is hidden changes what is shown")
		}
	})
}
