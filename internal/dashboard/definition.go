package dashboard

import (
	"context"
	_ "embed" // For the example.
	"net/http"
	"strings"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// exampleDefinition is a file as a site would write it.
//
//go:embed example.yaml
var exampleDefinition string

// fhirMeasures is where programs read the definitions.
const fhirMeasures = "/fhir/Measure/"

// definitions is the catalogue.
func (d *Dashboard) definitions() builder {
	return builder{open: seesFigures, make: func(_ context.Context, v *visit) (*sheet, error) {
		out := page.Definitions{Board: v.board(DefinitionsPath), Example: exampleDefinition}
		out.Title = v.words.Say("definition.title")
		list := v.snapshot.Definitions()
		out.Lead = v.words.Say("definition.lead", len(list), v.words.Count(float64(len(list))))
		for i := range list {
			out.Measures = append(out.Measures, v.entry(&list[i]))
		}
		return &sheet{page: func(w http.ResponseWriter, r *http.Request) {
			d.cfg.Pages.Definitions(w, r, http.StatusOK, out)
		}}, nil
	}}
}

// said are the words of something in the language of the reader.
func (v *visit) said(of interface{ Words(string) measure.Words }) measure.Words {
	base, _ := v.words.Tag().Base()
	return of.Words(base.String())
}

// entry is what the catalogue says of a measure.
func (v *visit) entry(m *measure.Definition) page.Entry {
	said := v.said(m)
	e := page.Entry{
		ID: m.ID, Title: words.Plain(said.Title), Says: words.Prose(said.Says),
		Caution: words.Prose(said.Caution), Source: words.Prose(m.Source),
		URL: v.to(MeasurePath + m.ID).String(), FHIR: fhirMeasures + m.ID, Facts: v.facts(m),
	}
	if m.Imported {
		e.Imported = v.words.Say("definition.imported")
	}
	rates := m.Rates()
	for _, rate := range rates {
		e.Rates = append(e.Rates, v.rate(m, rate, len(rates) > 1))
	}
	return e
}

// facts are what a measure counts, and how.
func (v *visit) facts(m *measure.Definition) []page.Term {
	var facts []page.Term
	add := func(key, value string) {
		if value != "" {
			facts = append(facts, page.Term{Name: v.words.Say("definition." + key), Value: value})
		}
	}
	scoring := v.words.Label("definition.scoring", string(m.Scoring))
	if m.Scoring == measure.ContinuousVariable {
		aggregate := m.Aggregate
		if aggregate == "" {
			aggregate = measure.Median
		}
		scoring = v.words.Label("figure.aggregate", string(aggregate))
	}
	add("counts", v.words.Label("definition.unit", string(m.Unit)))
	add("scoring", scoring)
	if m.Scoring == measure.Ratio && m.Per > 1 {
		add("per", v.words.Count(m.Per))
	}
	if m.Above != nil {
		add("above", v.words.Number(*m.Above, decimalsOf(*m.Above)))
	}
	if len(m.Rates()) == 1 {
		add("better", v.better(m.Improvement))
		add("not-by", v.dimensionNames(m.NotBy))
	}
	if m.DatedBy != "" {
		add("dated", v.words.Label("definition.dated", m.DatedBy))
	}
	var needs []string
	for _, name := range m.Needs {
		needs = append(needs, v.words.Resource(name))
	}
	add("needs", strings.Join(needs, ", "))
	add("version", words.Plain(m.Version))
	if day, err := measure.ParsePeriod(m.Date + "/" + m.Date); m.Date != "" && err == nil {
		add("since", v.words.Day(day.Start.Date()))
	}
	add("id", m.ID)
	add("origin", words.Plain(m.URL))
	return facts
}

// decimalsOf is how many digits after the point a threshold has been given, as far as they are shown.
func decimalsOf(x float64) int {
	const shown = 2
	for n := range shown {
		if x == float64(int64(x)) {
			return n
		}
		x *= 10
	}
	return shown
}

func (v *visit) better(way measure.Improvement) string {
	return v.words.Label("definition.better", string(way))
}

func (v *visit) dimensionNames(list []string) string {
	names := make([]string, len(list))
	for i, name := range list {
		names[i] = v.words.Dimension(name)
	}
	return strings.Join(names, ", ")
}

// rate is one figure of a measure, and how it is counted. Of one of several the words are its own.
func (v *visit) rate(m *measure.Definition, g measure.GroupDefinition, several bool) page.Rate {
	var out page.Rate
	if several {
		said, whole := v.said(g), v.said(m)
		out.Title = words.Plain(said.Title)
		if said.Says != whole.Says {
			out.Says = words.Prose(said.Says)
		}
		if said.Caution != whole.Caution {
			out.Caution = words.Prose(said.Caution)
		}
		out.Facts = []page.Term{{Name: v.words.Say("definition.better"), Value: v.better(g.Improvement)}}
		if names := v.dimensionNames(g.NotBy); names != "" {
			out.Facts = append(out.Facts, page.Term{Name: v.words.Say("definition.not-by"), Value: names})
		}
	}
	for _, p := range populations() {
		if sql, ok := g.Populations[p]; ok {
			c := page.Condition{Name: words.Capital(v.words.Population(p)), SQL: strings.TrimSpace(sql)}
			if strings.EqualFold(c.SQL, "true") {
				c.Says = v.words.Say("definition.true")
			}
			out.Conditions = append(out.Conditions, c)
		}
		if sql, ok := m.Observe[p]; ok {
			out.Conditions = append(out.Conditions, page.Condition{
				Name: v.words.Label("definition.observe", string(p)), SQL: strings.TrimSpace(sql),
			})
		}
	}
	return out
}

// populations are those that a definition can name, in the order of their evaluation.
func populations() []measure.Population {
	return []measure.Population{
		measure.InitialPopulation, measure.Denominator, measure.DenominatorExclusion,
		measure.NumeratorInitial, measure.Numerator, measure.DenominatorException,
		measure.NumeratorExclusion, measure.MeasurePopulation, measure.MeasureExclusion,
	}
}
