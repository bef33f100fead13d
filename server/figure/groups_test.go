package figure_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/server/figure"
)

// counts are how many of how many a stratum has.
type counts struct {
	code, label, state string
	events, of         float64
}

func period(t testing.TB, text string) measure.Period {
	t.Helper()
	p, err := measure.ParsePeriod(text)
	if err != nil {
		t.Fatalf("ParsePeriod(%q) = %v", text, err)
	}
	return p
}

// cell scores counts as the engine does.
func cell(m figure.Measure, events, of float64) measure.Cell {
	c := measure.Cell{Populations: map[measure.Population]float64{
		measure.InitialPopulation: of, measure.Denominator: of, measure.DenominatorExclusion: 0,
		measure.Numerator: events,
	}}
	if of <= 0 {
		return c
	}
	score := m.Per * events / of
	lo, hi := stat.Wilson(events, of)
	if m.Scoring == measure.Ratio {
		lo, hi = stat.Garwood(events, of)
	}
	c.Score, c.Interval = &score, &[2]float64{m.Per * lo, m.Per * hi}
	return c
}

// resultOf is one rate by one dimension.
func resultOf(t testing.TB, m figure.Measure, dimension string, strata ...counts) measure.Result {
	t.Helper()
	var events, of float64
	for _, s := range strata {
		events, of = events+s.events, of+s.of
	}
	g := measure.Group{ID: m.Rate, Title: m.Words.Title, Scoring: m.Scoring, Improvement: m.Improvement,
		Per: m.Per, Cell: cell(m, events, of), Strata: map[string][]measure.Stratum{}}
	for _, s := range strata {
		stratum := measure.Stratum{Cell: cell(m, s.events, s.of), Coding: measure.Coding{
			Code: s.code, Label: s.label, State: s.state}}
		share := s.of / of
		stratum.Share = &share
		if s.state == "" {
			stratum.State = string(mapping.Known)
		} else {
			stratum.Label = mapping.Label(mapping.SystemState, s.state)
		}
		g.Strata[dimension] = append(g.Strata[dimension], stratum)
	}
	return measure.Result{Measure: m.ID, Version: "1.0.0", Title: m.Words.Title, Snapshot: "s-1",
		DataAsOf: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Complete: true,
		Period: period(t, "2025"), Groups: []measure.Group{g}}
}

func compare(t testing.TB, r measure.Result, dimension string, o gap.Options) gap.Comparison {
	t.Helper()
	c, err := gap.Compare(r, "", dimension, o)
	if err != nil {
		t.Fatalf("gap.Compare(%s by %s) = %v", r.Measure, dimension, err)
	}
	return c
}

// interpreter is a measure that more is better of, in a language.
func interpreter(tag language.Tag) figure.Measure {
	m := figure.Measure{ID: "interpreter-documented", Rate: "documented", Scoring: measure.Proportion,
		Improvement: measure.Increase, Per: 1, Unit: measure.EncounterUnit,
		Words: measure.Words{
			Title:   "Interpreter documented",
			Reads:   "{n} of 100 visits by patients who need an interpreter had one documented",
			Caution: "Documentation is not use.",
		}}
	if tag == language.Spanish {
		m.Words = measure.Words{
			Title:   "Intérprete documentado",
			Reads:   "{n} de cada 100 visitas de pacientes que necesitan intérprete tuvieron uno documentado",
			Caution: "Documentar no es usar.",
		}
	}
	return m
}

func TestGroupsSay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		tag  language.Tag
		want []string
	}{
		{language.English, []string{
			"In 2025, 40.3 of 100 visits by patients who need an interpreter had one documented.",
			"In the group “Spanish” it was 38.0 of 100, in the group “Chinese” 52 of 100: 14 fewer in 100 " +
				"(95% interval: 6 to 22 fewer), or 0.73 times as many (0.63 to 0.86).",
			"That gap is about 112 of its 800 visits, and at least 50 by the interval.",
			"The difference of 1 other group is not clear of chance.",
			"Taken together, the 4 groups by preferred language are further apart than chance would have " +
				"them (corrected p 0.006).",
			"Of 100 in the measure, 7.6 have no known preferred language (Not recorded: 5.2; Asked, declined " +
				"to answer: 2.4) and are compared with nobody.",
			"Documentation is not use.",
			"The groups are compared with the one with the best score of those that hold a tenth of all: " +
				"Chinese.",
			"A gap says how far apart groups are, and nothing of why.",
			"Fewer than 30, and so not compared: Somali.",
			"3 tests were made here, and p-values are corrected for that (Benjamini and Hochberg): of the " +
				"findings with a corrected p up to 0.05, one in twenty is expected to be chance.",
		}},
		{language.Spanish, []string{
			"En 2025, 40.3 de cada 100 visitas de pacientes que necesitan intérprete tuvieron uno documentado.",
			"En el grupo «Español» fue 38.0 de cada 100, en el grupo «Chino» 52 de cada 100: 14 menos por " +
				"cada 100 (intervalo del 95\u00a0%: de 6 a 22 menos), o 0.73 veces esa cifra (0.63 a 0.86).",
			"Esa brecha equivale a 112 de sus 800 visitas, y al menos a 50 según el intervalo.",
			"La diferencia de 1 grupo más no se distingue del azar.",
			"En conjunto, los 4 grupos según idioma preferido difieren más de lo que daría el azar " +
				"(p corregida 0.006).",
			"De cada 100 en la medida, en 7.6 no se conoce este dato: idioma preferido (No consta: 5.2; Se " +
				"preguntó, decidió no responder: 2.4). No se comparan con nadie.",
			"Documentar no es usar.",
			"Los grupos se comparan con el de mejor valor entre los que reúnen al menos una décima parte " +
				"del total: Chino.",
			"Una brecha dice cuánto difieren los grupos, y nada del porqué.",
			"Menos de 30, y por tanto no se comparan: Somalí.",
			"Aquí se hicieron 3 pruebas, y los valores p están corregidos por ello (Benjamini y Hochberg): " +
				"de los hallazgos con p corregida de hasta 0.05, se espera que uno de cada veinte sea azar.",
		}},
	} {
		m := interpreter(test.tag)
		c := compare(t, resultOf(t, m, "language",
			counts{"es", "Spanish", "", 304, 800}, counts{"zh", "Chinese", "", 104, 200},
			counts{"vi", "Vietnamese", "", 24, 60}, counts{"so", "Somali", "", 5, 11},
			counts{"", "", "missing", 20, 60}, counts{"", "", "asked-declined", 10, 28},
		), "language", gap.Options{})
		f := speaks(t, test.tag).Groups(c, m)
		if diff := cmp.Diff(test.want, append(f.Sentences, f.Notes...)); diff != "" {
			t.Errorf("in %v (-want +got):\n%s", test.tag, diff)
		}
	}
}

// crossedWith adds a dimension and the cross with it to a result: the counts of each stratum of the
// first dimension, in its order, by the strata of the second.
func crossedWith(
	t testing.TB, m figure.Measure, dimension, by string, strata []counts, cross map[string][]counts,
) measure.Result {
	t.Helper()
	var order []string
	totals := map[string]counts{}
	r := resultOf(t, m, dimension, strata...)
	g := &r.Groups[0]
	for _, s := range strata {
		for _, c := range cross[s.code] {
			stratum := measure.Stratum{Cell: cell(m, c.events, c.of), Components: []measure.Component{
				{Dimension: dimension, Coding: measure.Coding{Code: s.code, Label: s.label, State: "known"}},
				{Dimension: by, Coding: measure.Coding{Code: c.code, Label: c.label, State: "known"}},
			}}
			g.Strata[dimension+"*"+by] = append(g.Strata[dimension+"*"+by], stratum)
			if _, ok := totals[c.code]; !ok {
				order = append(order, c.code)
			}
			sum := totals[c.code]
			totals[c.code] = counts{c.code, c.label, "", sum.events + c.events, sum.of + c.of}
		}
	}
	var sums []counts
	for _, code := range order {
		sums = append(sums, totals[code])
	}
	g.Strata[by] = resultOf(t, m, by, sums...).Groups[0].Strata[by]
	return r
}

// reversed has the shape of the admissions to Berkeley (Bickel PJ et al., Science 1975;187:398):
// each site serves the second group better, which goes where everybody is served worse.
func reversed(t testing.TB, m figure.Measure) measure.Result {
	t.Helper()
	return crossedWith(t, m, "language", "site",
		[]counts{{"es", "Spanish", "", 1550, 2000}, {"zh", "Chinese", "", 950, 2000}},
		map[string][]counts{
			"es": {{"n", "North", "", 1500, 1800}, {"s", "South", "", 50, 200}},
			"zh": {{"n", "North", "", 190, 200}, {"s", "South", "", 760, 1800}},
		})
}

// harm is a rate that less is better of, in a language.
func harm(tag language.Tag) figure.Measure {
	m := figure.Measure{ID: "harm-per-1000-days", Rate: "main", Scoring: measure.Ratio,
		Improvement: measure.Decrease, Per: 1000, Unit: measure.StayUnit,
		Words: measure.Words{
			Title:   "Reported harm per 1,000 patient-days",
			Reads:   "harm events were reported at a rate of {n} per 1,000 patient-days",
			Caution: "Reported harm is not all harm.",
		}}
	if tag == language.Spanish {
		m.Words = measure.Words{
			Title:   "Daños notificados por cada mil días de hospitalización",
			Reads:   "la tasa de daños notificados fue de {n} por cada mil días de hospitalización",
			Caution: "El daño notificado no es todo el daño.",
		}
	}
	return m
}
