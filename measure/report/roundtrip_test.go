package report_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"
	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report"
	"github.com/equitylens/equitylens/measure/report/reporttest"
)

// TestOwnReportsAreReadBack draws memberships, writes them as individual reports and reads them: they
// are the same, as a Bundle, in Parameters and as NDJSON. Read holds each against jsonformat.
func TestOwnReportsAreReadBack(t *testing.T) {
	t.Parallel()
	b := builder(t)
	rapid.Check(t, func(t *rapid.T) {
		about, members := drawEvaluation(t)
		var reports []*mrpb.MeasureReport
		individuals := b.Individuals(about, func(r *mrpb.MeasureReport) error {
			reports = append(reports, r)
			return reporttest.Check(r)
		})
		for _, m := range members {
			if err := individuals.Add(m); err != nil {
				t.Fatal(err)
			}
		}
		if err := individuals.Close(); err != nil {
			t.Fatal(err)
		}
		text := written(t, b, reports, rapid.IntRange(0, 2).Draw(t, "form"))
		imports, err := report.Read(bytes.NewReader(text), report.ReadConfig{})
		if err != nil {
			t.Fatalf("Read: %v\n%s", err, text)
		}
		if len(imports) != 1 {
			t.Fatalf("%d imports of one measure and period", len(imports))
		}
		got, d := imports[0], about.Definition
		if got.Measure != d.ID || got.Version != d.Version || got.Scoring != d.Scoring ||
			got.Period != about.Result.Period || got.URL != b.MeasureURL(d.ID) {
			t.Errorf("the import is of %s %s %s %v", got.Measure, got.Version, got.Scoring, got.Period)
		}
		if diff := gocmp.Diff(flattened(members), flat(got.Members)); diff != "" {
			t.Fatalf("memberships (-written +read):\n%s\n%s", diff, text)
		}
		for i, rate := range d.Rates() {
			if r := got.Rates[i]; r.ID != rate.ID || cmp.Or(r.Improvement, got.Improvement) != rate.Improvement {
				t.Errorf("rate %s %s is read as %s %s", rate.ID, rate.Improvement, r.ID, r.Improvement)
			}
		}
	})
}

func written(
	t *rapid.T, b *report.Builder, reports []*mrpb.MeasureReport, form int,
) []byte {
	var lines [][]byte
	marshal := func(m proto.Message) {
		text, err := r4.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, text)
	}
	switch form {
	case 0:
		marshal(b.Collection(reports...))
	case 1:
		parameters, err := report.Parameters(b.Collection(reports...))
		if err != nil {
			t.Fatal(err)
		}
		marshal(parameters)
	default:
		for _, r := range reports {
			marshal(r)
		}
	}
	return bytes.Join(lines, []byte("\n"))
}

// flat writes memberships as lines, in order.
func flat(members []measure.ImportedMember) []string {
	var lines []string
	for _, m := range members {
		lines = append(lines, fmt.Sprint(m.Patient.Reveal(), " ", m.Unit.Reveal(), " ", m.Rate, " ", m.In,
			" ", m.Observed))
	}
	slices.Sort(lines)
	return lines
}

func flattened(members []measure.Member) []string {
	var all []measure.ImportedMember
	for _, m := range members {
		for _, rate := range m.Rates {
			if len(rate.In) > 0 {
				all = append(all, measure.ImportedMember{
					Patient: m.Patient, Unit: m.Unit, Rate: rate.ID, In: rate.In, Observed: rate.Observed,
				})
			}
		}
	}
	return flat(all)
}

// drawEvaluation draws a measure of any scoring and unit, and members that keep to the subsets of its
// populations.
func drawEvaluation(t *rapid.T) (report.Evaluation, []measure.Member) {
	d := measure.Definition{
		ID: "drawn", Version: "1.2.3", Title: "Drawn", Says: "s",
		Unit: rapid.SampledFrom([]measure.Unit{
			measure.PatientUnit, measure.EncounterUnit, measure.StayUnit, measure.EventUnit,
		}).Draw(t, "unit"),
		Scoring: rapid.SampledFrom([]measure.Scoring{
			measure.Proportion, measure.Ratio, measure.ContinuousVariable, measure.Cohort,
		}).Draw(t, "scoring"),
		Improvement: rapid.SampledFrom([]measure.Improvement{
			measure.Increase, measure.Decrease, measure.Context,
		}).Draw(t, "improvement"),
		Populations: map[measure.Population]string{measure.InitialPopulation: "true"},
	}
	possible := chains(d.Scoring, rapid.Bool().Draw(t, "own numerator"))
	for _, chain := range possible {
		for _, p := range chain {
			d.Populations[p] = "true"
		}
	}
	d.Observe = map[measure.Population]string{}
	if d.Scoring == measure.ContinuousVariable {
		d.Observe[measure.MeasurePopulation] = "days"
	} else if d.Scoring == measure.Ratio && rapid.Bool().Draw(t, "observing") {
		d.Observe[measure.Denominator], d.Observe[measure.Numerator] = "days", "events"
	}
	if rapid.Bool().Draw(t, "two rates") {
		d.Groups = []measure.GroupDefinition{
			{ID: "main"}, {ID: "yes", Improvement: measure.Context},
		}
	}
	result := reporttest.Results()[0]
	result.Measure, result.Version = d.ID, d.Version
	result.Period.Start = time.Date(2018, 2, 3, 0, 0, 0, 0, time.UTC)
	return report.Evaluation{Definition: d, Result: result}, drawMembers(t, d, possible)
}

func drawMembers(
	t *rapid.T, d measure.Definition, possible [][]measure.Population,
) []measure.Member {
	var members []measure.Member
	for patient := range rapid.IntRange(1, 2).Draw(t, "patients") {
		units := 1
		if d.Unit != measure.PatientUnit {
			units = rapid.IntRange(1, 2).Draw(t, "units")
		}
		for unit := range units {
			m := measure.Member{Patient: phi.New(fmt.Sprintf("p%d", patient)), UnitType: "Patient"}
			if d.Unit != measure.PatientUnit {
				m.UnitType, m.Unit = "Encounter", phi.New(fmt.Sprintf("p%d-%d", patient, unit))
			}
			if d.Unit == measure.EventUnit {
				m.UnitType = "AdverseEvent"
			}
			for _, rate := range d.Rates() {
				in := rapid.SampledFrom(possible).Draw(t, "in")
				r := measure.MemberRate{ID: rate.ID, In: in}
				for _, p := range in {
					// Nothing observed of a continuous variable at all is a fault.
					if d.Observe[p] != "" &&
						(d.Scoring != measure.Ratio || rapid.Bool().Draw(t, "observing this")) {
						if r.Observed == nil {
							r.Observed = map[measure.Population]float64{}
						}
						r.Observed[p] = rapid.Float64Range(0, 1e6).Draw(t, "observed")
					}
				}
				m.Rates = append(m.Rates, r)
			}
			members = append(members, m)
		}
	}
	return members
}

// chains are what a unit can be to a rate.
func chains(scoring measure.Scoring, own bool) [][]measure.Population {
	const (
		ip, den, denex = measure.InitialPopulation, measure.Denominator, measure.DenominatorExclusion
		num, excep     = measure.Numerator, measure.DenominatorException
		numex          = measure.NumeratorExclusion
	)
	switch {
	case scoring == measure.Cohort:
		return [][]measure.Population{{ip}}
	case scoring == measure.ContinuousVariable:
		return [][]measure.Population{
			{ip}, {ip, measure.MeasurePopulation},
			{ip, measure.MeasurePopulation, measure.MeasureExclusion},
		}
	case scoring == measure.Proportion:
		return [][]measure.Population{
			{ip}, {ip, den}, {ip, den, denex}, {ip, den, num}, {ip, den, excep}, {ip, den, num, numex},
		}
	case own:
		return [][]measure.Population{
			{ip}, {ip, den}, {ip, den, denex}, {ip, den, measure.NumeratorInitial, num},
			{measure.NumeratorInitial}, {measure.NumeratorInitial, num, numex},
		}
	}
	return [][]measure.Population{{ip, den}, {ip, den, num}, {ip, den, denex}, {ip, den, num, numex}}
}
