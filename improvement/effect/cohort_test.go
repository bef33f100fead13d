package effect_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/store/facts"
	"github.com/equitylens/equitylens/store/facts/factstest"
)

// cohort is a random one of the first four months of 2026, at three sites.
func cohort(d *rand.Rand) factstest.Batch {
	var b factstest.Batch
	sites := []string{"H1", "H2", "H3"}
	languages := []string{"en", "es", "zh"}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	moment := func(at time.Time) string { return at.Format("2006-01-02T15:04:05Z") }
	for i := range 150 {
		id := fmt.Sprintf("p%d", i)
		code := languages[d.IntN(len(languages))]
		b.Patients = append(b.Patients, factstest.Patient(id, func(p *mapping.Patient) {
			p.Language = factstest.Known(code)
			if d.IntN(8) == 0 {
				p.Language = factstest.State(mapping.Missing)
			}
			p.Site = factstest.Site(sites[d.IntN(3)])
		}))
		for j := range 1 + d.IntN(4) {
			name := fmt.Sprintf("e%d-%d", i, j)
			class := []string{"AMB", "VR", "EMER", "IMP"}[d.IntN(4)]
			start := from.Add(time.Duration(d.IntN(120*24*60)) * time.Minute)
			end := start.Add(time.Duration(30+d.IntN(14*60)) * time.Minute)
			if class == "IMP" {
				end = start.Add(time.Duration(24+d.IntN(200)) * time.Hour)
			}
			b.Encounters = append(b.Encounters, factstest.Encounter(name, id, class, moment(start), moment(end),
				func(e *mapping.Encounter) {
					e.Site = factstest.Site(sites[d.IntN(3)])
					e.Telehealth = class == "VR"
				}))
			if d.IntN(4) == 0 {
				b.Events = append(b.Events, factstest.Event("a"+name, id, moment(start.Add(time.Hour)),
					func(a *mapping.AdverseEvent) {
						a.Encounter = phi.New(name)
						if d.IntN(3) == 0 {
							a.Actuality = mapping.Potential
						}
					}))
			}
		}
	}
	return b
}

// engine evaluates a batch, with the measures that ship.
func engine(t testing.TB, b factstest.Batch) *measure.Engine {
	t.Helper()
	loads := factstest.Full(factstest.Source)
	for i := range loads {
		loads[i].TransactionTime = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	b.Merge = facts.Merge{Loads: loads}
	dir := factstest.Open(t)
	factstest.Load(t, dir, b)
	return measure.NewEngine(factstest.Current(t, dir), shipped(t))
}

func shipped(t testing.TB) []measure.Definition {
	t.Helper()
	all, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	return all
}
