package dashboard_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
	"github.com/equitylens/equitylens/store/facts/factstest"
)

// hostile are names that somebody might have typed: for sites, and for an imported measure. A spreadsheet
// would run the first, a browser the second, and the third turns around what stands beside it.
var hostile = [3]string{
	`=HYPERLINK("http://evil.example","x")<script>alert(1)</script>`,
	`"><iframe src="https://evil.example/"></iframe>`,
	"+abc \u202egnp.exe\u2066 \x00{{.}} %!s",
}

// planted is a world in which a gap is turned around by pooling: at each of two sites those who speak
// Spanish wait less often than those who speak English, but most of them are seen at the site where
// everybody waits. Seven speak Chinese, of whom three wait. The sites have hostile names, and so has an
// imported measure of the same people.
var planted = sync.OnceValues(func() (*world, error) {
	asOf := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	batch := factstest.Batch{}
	var members []measure.ImportedMember
	add := func(site, language, group string, long, all int) {
		for i := range all {
			id := fmt.Sprintf("%s-%s-%d", site, language, i)
			at := mapping.Site{Value: factstest.Known(site), Label: hostile[site[1]-'1']}
			batch.Patients = append(batch.Patients, factstest.Patient(id, func(p *mapping.Patient) {
				p.Language, p.LanguageGroup, p.Site = factstest.Known(language), factstest.Known(group), at
			}))
			end := "2025-03-01T10:00:00Z"
			if i < long {
				end = "2025-03-01T18:30:00Z"
			}
			batch.Encounters = append(batch.Encounters, factstest.Encounter("e-"+id, id, "EMER",
				"2025-03-01T08:00:00Z", end, func(e *mapping.Encounter) { e.Site = at }))
			member := measure.ImportedMember{Patient: batch.Patients[len(batch.Patients)-1].ID, Rate: "1",
				In: []measure.Population{measure.InitialPopulation, measure.Denominator}}
			if i < long {
				member.In = append(member.In, measure.Numerator)
			}
			members = append(members, member)
		}
	}
	add("S1", "es", "spanish", 8, 80)
	add("S1", "en", "english", 80, 400)
	add("S1", "zh", "chinese", 3, 7)
	add("S2", "es", "spanish", 320, 400)
	add("S2", "en", "english", 72, 80)
	batch.Merge.Loads = factstest.Full(factstest.Source)
	for i := range batch.Merge.Loads {
		batch.Merge.Loads[i].TransactionTime = asOf
	}
	w, err := newWorld(asOf, func(ctx context.Context, dir *facts.Dir, _ []measure.Definition) error {
		_, err := factstest.TryLoad(ctx, dir, batch)
		return err
	})
	if err != nil {
		return nil, err
	}
	year, err := measure.ParsePeriod("2025")
	if err != nil {
		return nil, err
	}
	return w, w.live.Import(context.Background(), []measure.Import{{
		Measure: "vendor", Version: "1", Title: hostile[2], URL: "http://vendor.example/Measure/vendor",
		Scoring: measure.Proportion, Improvement: measure.Decrease, Unit: measure.PatientUnit, Period: year,
		Rates: []measure.GroupDefinition{{ID: "1", Title: hostile[1]}}, Members: members,
	}})
})
