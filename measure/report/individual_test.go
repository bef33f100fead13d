package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"
	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report"
	"github.com/equitylens/equitylens/measure/report/reporttest"
)

// stays is an evaluation of a ratio with observations, and the members of two patients.
func stays() (report.Evaluation, []measure.Member) {
	d := definitions()[2]
	result := reporttest.Results()[1]
	member := func(patient, unit string, days, events float64, in ...measure.Population) measure.Member {
		return measure.Member{
			Patient: phi.New(patient), Unit: phi.New(unit), UnitType: "Encounter",
			Day: time.Date(2018, 3, 4, 0, 0, 0, 0, time.UTC),
			Rates: []measure.MemberRate{{ID: "main", In: in, Observed: map[measure.Population]float64{
				measure.Denominator: days, measure.Numerator: events,
			}}},
		}
	}
	all := []measure.Population{measure.InitialPopulation, measure.Denominator, measure.Numerator}
	excluded := []measure.Population{
		measure.InitialPopulation, measure.Denominator, measure.DenominatorExclusion,
	}
	long := member("ana", "e2", 130, 0, excluded...)
	delete(long.Rates[0].Observed, measure.Numerator)
	return report.Evaluation{Definition: d, Result: result}, []measure.Member{
		member("ana", "e1", 2.5, 1, all...), long, member("ben", "e3", 4, 0, all...),
	}
}

func TestIndividualReports(t *testing.T) {
	t.Parallel()
	about, members := stays()
	var reports []*mrpb.MeasureReport
	individuals := builder(t).Individuals(about, func(r *mrpb.MeasureReport) error {
		reports = append(reports, r)
		return nil
	})
	for _, m := range members {
		if err := individuals.Add(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := individuals.Close(); err != nil || len(reports) != 2 {
		t.Fatalf("%d reports of 2 patients, %v", len(reports), err)
	}
	for i, r := range reports {
		if err := reporttest.Check(r); err != nil {
			t.Error(err)
		}
		golden(t, fmt.Sprintf("individual-%d", i+1), r)
	}
	if got := reports[0].Group[0].GetMeasureScore().GetValue().GetValue(); got != "400" {
		t.Errorf("1 event in 2.5 days scores %s per 1,000, want 400", got)
	}
	if reports[0].Identifier[0].GetValue().GetValue() == reports[1].Identifier[0].GetValue().GetValue() {
		t.Error("the reports of two patients have one identifier")
	}
}

// TestIndividualReportOfAProportion is of one who is in no population, and of one who is in all.
func TestIndividualReportOfAProportion(t *testing.T) {
	t.Parallel()
	about := report.Evaluation{Definition: definitions()[5], Result: reporttest.Results()[0]}
	patient := phi.New("ana")
	tests := []struct {
		name  string
		in    []measure.Population
		score string
	}{
		{"in no population", nil, ""},
		{"in the numerator", []measure.Population{
			measure.InitialPopulation, measure.Denominator, measure.Numerator,
		}, "1"},
		{"in the denominator alone", []measure.Population{
			measure.InitialPopulation, measure.Denominator,
		}, "0"},
		{"an exception", []measure.Population{
			measure.InitialPopulation, measure.Denominator, measure.DenominatorException,
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var members []measure.Member
			if tt.in != nil {
				members = []measure.Member{{Patient: patient, UnitType: "Patient",
					Rates: []measure.MemberRate{{ID: "main", In: tt.in}}}}
			}
			got, err := builder(t).Individual(about, patient, members)
			if err != nil {
				t.Fatal(err)
			}
			if err := reporttest.Check(got); err != nil {
				t.Error(err)
			}
			if score := got.Group[0].GetMeasureScore().GetValue().GetValue(); score != tt.score {
				t.Errorf("the score is %q, want %q", score, tt.score)
			}
			sum := 0
			for _, p := range got.Group[0].Population {
				sum += int(p.GetCount().GetValue())
			}
			if sum != len(tt.in) || len(got.Group[0].Population) != 5 {
				t.Errorf("%d of %d populations count the patient, want %d of 5", sum,
					len(got.Group[0].Population), len(tt.in))
			}
		})
	}
}

func TestIndividualRefuses(t *testing.T) {
	t.Parallel()
	about, members := stays()
	if _, err := builder(t).Individual(about, phi.ID{}, nil); err == nil {
		t.Error("a report of nobody is made")
	}
	_, err := builder(t).Individual(about, phi.New("ana"), members)
	if err == nil || strings.Contains(err.Error(), "ben") || strings.Contains(err.Error(), "ana") {
		t.Errorf("members of two patients in one report: %v", err)
	}
}

func TestSubjectList(t *testing.T) {
	t.Parallel()
	about, members := stays()
	list, err := builder(t).SubjectList(about.Result)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if err := list.Add(m); err != nil {
			t.Fatal(err)
		}
	}
	got := list.Report()
	if err := reporttest.Check(got); err != nil {
		t.Error(err)
	}
	golden(t, "subject-list", got)
	text, err := r4.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	// Ana is once in each of three lists, Ben in three of four: nobody of his is excluded.
	for patient, want := range map[string]int{"ana": 3, "ben": 3} {
		if n := strings.Count(string(text), `"Patient/`+patient+`"`); n != want {
			t.Errorf("%s is in %d lists, want %d", patient, n, want)
		}
	}
	if _, err := builder(t).SubjectList(reporttest.Hidden()); err == nil {
		t.Error("a list of whom hidden figures count is made")
	}
}

// TestRulesOfReportsOfPeople breaks the cardinality of the two profiles that name people.
func TestRulesOfReportsOfPeople(t *testing.T) {
	t.Parallel()
	about, members := stays()
	individual, err := builder(t).Individual(about, phi.New("ben"), members[2:])
	if err != nil {
		t.Fatal(err)
	}
	list, err := builder(t).SubjectList(about.Result)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		in    *mrpb.MeasureReport
		spoil func(*mrpb.MeasureReport)
	}{
		{"an individual report without a subject", individual,
			func(r *mrpb.MeasureReport) { r.Subject = nil }},
		{"an individual report with a list", individual,
			func(r *mrpb.MeasureReport) { r.Group[0].Population[0].SubjectResults = r4.Fragment("a") }},
		{"an individual report without a reporter", individual,
			func(r *mrpb.MeasureReport) { r.Reporter = nil }},
		{"an individual report of a resource that is not there", individual,
			func(r *mrpb.MeasureReport) { r.Contained = nil }},
		{"a subject list without a list", list.Report(),
			func(r *mrpb.MeasureReport) { r.Group[0].Population[0].SubjectResults = nil }},
		{"a subject list without groups", list.Report(),
			func(r *mrpb.MeasureReport) { r.Group = nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			broken := proto.CloneOf(tt.in)
			if err := reporttest.Check(broken); err != nil {
				t.Fatal(err)
			}
			tt.spoil(broken)
			if err := reporttest.Check(broken); err == nil {
				t.Errorf("the rules do not see %s", tt.name)
			}
		})
	}
}
