package report_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure/report/reporttest"
)

// TestRules breaks a good report in one place and expects the rule of that place to say so: a rule
// that nothing breaks proves nothing.
func TestRules(t *testing.T) {
	t.Parallel()
	type breakage struct {
		rule  string
		name  string
		spoil func(*mrpb.MeasureReport)
	}
	breakages := []breakage{
		{"mrp-1", "a data collection with groups", func(r *mrpb.MeasureReport) {
			r.Type.Value = cpb.MeasureReportTypeCode_DATA_COLLECTION
		}},
		{"mrp-2", "a stratum with value and component", func(r *mrpb.MeasureReport) {
			r.Group[0].Stratifier[1].Stratum[0].Value = &dpb.CodeableConcept{}
		}},
		{"mrp-2", "a stratum with neither", func(r *mrpb.MeasureReport) {
			r.Group[0].Stratifier[0].Stratum[0].Value = nil
		}},
		{"deqm-0", "a canonical without a version", func(r *mrpb.MeasureReport) {
			r.Measure.Value = "https://equitylens.org/fhir/Measure/x"
		}},
		{"deqm-1", "a period of a year", func(r *mrpb.MeasureReport) {
			r.Period.Start.Precision = dpb.DateTime_YEAR
		}},
		{"dom-3", "a reference to nothing", func(r *mrpb.MeasureReport) { r.Contained = nil }},
		{"dom-3", "a resource that nothing refers to", func(r *mrpb.MeasureReport) { r.Extension = nil }},
		{"deqm-2", "scoring without a direction", func(r *mrpb.MeasureReport) { r.ImprovementNotation = nil }},
		{"deqm-3", "no scoring anywhere", func(r *mrpb.MeasureReport) { r.Extension = r.Extension[1:] }},
		{"deqm-3", "scoring twice", func(r *mrpb.MeasureReport) {
			r.Group[0].Extension = append(r.Group[0].Extension, r.Extension[0])
		}},
		{"deqm-4", "scoring of a group without a direction", func(r *mrpb.MeasureReport) {
			r.Group[0].Extension = append(r.Group[0].Extension, r.Extension[0])
		}},
		{"deqm-once", "direction twice", func(r *mrpb.MeasureReport) {
			r.Group[0].Extension = append(r.Group[0].Extension, &dpb.Extension{Url: &dpb.Uri{
				Value: "http://hl7.org/fhir/uv/deqm/StructureDefinition/deqm-groupImprovementNotation",
			}})
		}},
		{"deqm-5", "a group without populations", func(r *mrpb.MeasureReport) {
			r.Group[0].Population = nil
		}},
		{"deqm-6", "a percentage", func(r *mrpb.MeasureReport) {
			r.Group[0].MeasureScore.Value.Value = "5.4"
		}},
		{"deqm-6", "a percentage in a stratum", func(r *mrpb.MeasureReport) {
			r.Group[0].Stratifier[0].Stratum[0].MeasureScore.Value.Value = "-0.1"
		}},
		{"deqm-7", "a cross with a code", func(r *mrpb.MeasureReport) {
			r.Group[0].Stratifier[1].Code = r.Group[0].Stratifier[0].Code
		}},
		{"deqm-7", "a stratifier without a code", func(r *mrpb.MeasureReport) {
			r.Group[0].Stratifier[0].Code = nil
		}},
		{"deqm-8", "a population without a size", func(r *mrpb.MeasureReport) {
			r.Group[0].Population[0].Count = nil
		}},
		{"deqm-9", "a stratum's population without a size", func(r *mrpb.MeasureReport) {
			r.Group[0].Stratifier[0].Stratum[0].Population[0].Count = nil
		}},
		{"deqm-cardinality", "no reporter", func(r *mrpb.MeasureReport) { r.Reporter = nil }},
		{"deqm-cardinality", "no date", func(r *mrpb.MeasureReport) { r.Date = nil }},
		{"deqm-cardinality", "no groups", func(r *mrpb.MeasureReport) { r.Group = nil }},
		{"deqm-cardinality", "a subject", func(r *mrpb.MeasureReport) { r.Subject = &dpb.Reference{} }},
		{"deqm-cardinality", "a list of subjects", func(r *mrpb.MeasureReport) {
			r.Group[0].Population[0].SubjectResults = &dpb.Reference{}
		}},
		{"deqm-cardinality", "a stratum's list of subjects", func(r *mrpb.MeasureReport) {
			r.Group[0].Stratifier[0].Stratum[0].Population[0].SubjectResults = &dpb.Reference{}
		}},
		{"deqm-cardinality", "a Patient as its subject", func(r *mrpb.MeasureReport) {
			r.Subject = r4.Refer("Patient", "1")
		}},
		{"deqm-cardinality", "a stratifier of two codes", func(r *mrpb.MeasureReport) {
			s := r.Group[0].Stratifier[0]
			s.Code = append(s.Code, s.Code[0])
		}},
		{"deqm-cardinality", "a population without a code", func(r *mrpb.MeasureReport) {
			r.Group[0].Population[0].Code = nil
		}},
		{"deqm-cardinality", "a stratum's population without a code", func(r *mrpb.MeasureReport) {
			r.Group[0].Stratifier[0].Stratum[0].Population[0].Code = nil
		}},
		{"deqm-cardinality", "a component without a code", func(r *mrpb.MeasureReport) {
			r.Group[0].Stratifier[1].Stratum[0].Component[0].Code = nil
		}},
		{"deqm-cardinality", "an evaluated resource", func(r *mrpb.MeasureReport) {
			r.EvaluatedResource = []*dpb.Reference{r4.Refer("Encounter", "1")}
		}},
		{"deqm-supplementalData", "a datum of no element", func(r *mrpb.MeasureReport) {
			for _, e := range r.Extension {
				if reference := e.GetValue().GetReference(); reference != nil {
					reference.Extension = nil
				}
			}
		}},
		{"deqm-supplementalData", "a datum that is no Observation", func(r *mrpb.MeasureReport) {
			for _, e := range r.Extension {
				if reference := e.GetValue().GetReference(); len(reference.GetExtension()) > 0 {
					reference.Reference = r4.Fragment("messages").Reference
				}
			}
		}},
		{"count", "a count without a value or a reason", func(r *mrpb.MeasureReport) {
			r.Group[0].Population[0].Count.Extension = r4.Absent("masked")[:1]
		}},
		{"masked", "a score of a hidden stratum", func(r *mrpb.MeasureReport) {
			stratum := r.Group[0].Stratifier[0].Stratum[0]
			stratum.Extension = append(stratum.Extension, r4.BoolExtension(r4.Own+"suppressed", true))
		}},
		{"masked", "a hidden size of a group that hides nothing", func(r *mrpb.MeasureReport) {
			r.Group[0].Population[0].Count.Extension = r4.Absent("masked")
		}},
		{"deqm-linkId", "a group without a link", func(r *mrpb.MeasureReport) {
			r.Group[0].Extension = nil
		}},
		{"deqm-linkId", "a population without a link", func(r *mrpb.MeasureReport) {
			r.Group[0].Population[0].Extension = nil
		}},
		{"deqm-linkId", "a stratifier without a link", func(r *mrpb.MeasureReport) {
			r.Group[0].Stratifier[0].Extension = nil
		}},
		{"deqm-linkId", "a component without a link", func(r *mrpb.MeasureReport) {
			r.Group[0].Stratifier[1].Stratum[0].Component[0].Extension = nil
		}},
		{"deqm-linkId", "a stratum's population without a link", func(r *mrpb.MeasureReport) {
			r.Group[0].Stratifier[0].Stratum[0].Population[0].Extension = nil
		}},
		{"stratum.value", "two strata alike", func(r *mrpb.MeasureReport) {
			r.Group[0].Stratifier[0].Stratum[1].Value = r.Group[0].Stratifier[0].Stratum[0].Value
		}},
	}
	checks := map[string]func(*mrpb.MeasureReport) error{}
	for _, rule := range reporttest.Rules() {
		checks[rule.Name] = rule.Check
	}
	good := builder(t).MeasureReport(reporttest.Results()[0])
	broken := map[string]bool{}
	for _, b := range breakages {
		broken[b.rule] = true
		t.Run(b.rule+" "+b.name, func(t *testing.T) {
			t.Parallel()
			report, ok := proto.Clone(good).(*mrpb.MeasureReport)
			if !ok {
				t.Fatal("the clone is no MeasureReport")
			}
			if err := checks[b.rule](report); err != nil {
				t.Fatalf("a good report breaks %s: %v", b.rule, err)
			}
			b.spoil(report)
			if err := checks[b.rule](report); err == nil {
				t.Errorf("%s does not see %s", b.rule, b.name)
			}
		})
	}
	for name := range checks {
		if !broken[name] {
			t.Errorf("no case breaks rule %s", name)
		}
	}
}
