package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
)

func factor(codings ...fhir.Coding) fhir.Extension {
	return fhir.Extension{URL: extensionFactor, Extension: []fhir.Extension{
		{URL: "item", ValueCodeableConcept: &fhir.CodeableConcept{Coding: codings}}}}
}

func TestAdverseEvent(t *testing.T) {
	t.Parallel()
	got, issues := mapper(t, Config{}).AdverseEvent(&fhir.AdverseEvent{
		ID:          "e1",
		Actuality:   "Actual",
		Category:    []fhir.CodeableConcept{coded(systemCategory, "Product-Use-Error")},
		Subject:     fhir.Reference{Reference: "Patient/1"},
		Encounter:   fhir.Reference{Reference: "Encounter/2"},
		Date:        "2018-05-06",
		Detected:    "2018-05-07",
		Seriousness: coded(systemSeriousness, "non-serious"),
		Severity:    coded(systemSeverity, "Mild"),
		Outcome:     coded(systemOutcome, "resolvedwithsequelae"),
		Extension:   []fhir.Extension{factor(fhir.Coding{System: SystemInequity, Code: "undetermined"})},
	}, nil)
	want := AdverseEvent{
		ID: phi.New("e1"), Patient: phi.New("1"), Encounter: phi.New("2"),
		Actuality: Actual,
		Date:      day(t, "2018-05-06"), DateFrom: "AdverseEvent.date", Detected: day(t, "2018-05-07"),
		Category:    Value{Known, "product-use-error", "AdverseEvent.category"},
		Severity:    Value{Known, "mild", "AdverseEvent.severity"},
		Seriousness: Value{Known, "Non-serious", "AdverseEvent.seriousness"},
		Outcome:     Value{Known, "resolvedWithSequelae", "AdverseEvent.outcome"},
		Inequity:    Value{Known, "undetermined", factorElement},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(sameID)); diff != "" {
		t.Errorf("AdverseEvent: -want +got\n%s", diff)
	}
	if len(issues) != 0 {
		t.Errorf("issues = %+v", issues)
	}
}

func TestAdverseEventTraps(t *testing.T) {
	t.Parallel()
	full := func() fhir.AdverseEvent {
		return fhir.AdverseEvent{Actuality: "actual", Date: "2018",
			Subject: fhir.Reference{Reference: "Patient/1"}}
	}
	tests := []struct {
		name   string
		change func(*fhir.AdverseEvent)
		holds  func(AdverseEvent) bool
		issues []IssueKind
	}{
		{"a subject that is a practitioner", func(e *fhir.AdverseEvent) {
			e.Subject = fhir.Reference{Reference: "Practitioner/1"}
		}, func(e AdverseEvent) bool { return e.Patient.Empty() }, []IssueKind{WrongReference}},
		{"no subject", func(e *fhir.AdverseEvent) { e.Subject = fhir.Reference{} },
			func(e AdverseEvent) bool { return e.Patient.Empty() }, []IssueKind{MissingRequired}},
		{"an encounter that is a stay elsewhere", func(e *fhir.AdverseEvent) {
			e.Encounter = fhir.Reference{Reference: "EpisodeOfCare/1"}
		}, func(e AdverseEvent) bool { return e.Encounter.Empty() }, []IssueKind{WrongReference}},
		{"no actuality counts as neither", func(e *fhir.AdverseEvent) { e.Actuality = "" },
			func(e AdverseEvent) bool { return e.Actuality == "" }, []IssueKind{MissingRequired}},
		{"an unknown actuality counts as neither", func(e *fhir.AdverseEvent) { e.Actuality = "near-miss" },
			func(e AdverseEvent) bool { return e.Actuality == "" }, []IssueKind{UnmappedCode}},
		{"detected stands in for the date", func(e *fhir.AdverseEvent) {
			e.Date, e.Detected, e.RecordedDate = "", "2018-05-07", "2018-05-08"
		}, func(e AdverseEvent) bool {
			return e.DateFrom == "AdverseEvent.detected" && e.Date == e.Detected
		}, []IssueKind{DateFallback}},
		{"recordedDate stands in for both", func(e *fhir.AdverseEvent) {
			e.Date, e.RecordedDate = "", "2018-05-08"
		}, func(e AdverseEvent) bool {
			return e.DateFrom == "AdverseEvent.recordedDate" && e.Date.Precision == fhir.Day
		}, []IssueKind{DateFallback}},
		{"a date that is none falls back", func(e *fhir.AdverseEvent) {
			e.Date, e.Detected = "0001-01-01", "2018-05-07"
		}, func(e AdverseEvent) bool { return e.DateFrom == "AdverseEvent.detected" },
			[]IssueKind{ImplausibleDate, DateFallback}},
		{"no date at all", func(e *fhir.AdverseEvent) { e.Date = "" },
			func(e AdverseEvent) bool { return e.DateFrom == "" && e.Date.Precision == fhir.NoDate }, nil},
		{"THO's own misspelling", func(e *fhir.AdverseEvent) {
			e.Category = []fhir.CodeableConcept{coded(systemCategory, "hospital-aquired-infection")}
		}, func(e AdverseEvent) bool { return e.Category.Code == "hospital-acquired-infection" }, nil},
		{"a use error and its kind", func(e *fhir.AdverseEvent) {
			e.Category = []fhir.CodeableConcept{coded(systemCategory, "wrong-dose"),
				coded(systemCategory, "product-use-error")}
		}, func(e AdverseEvent) bool { return e.Category.Code == "wrong-dose" }, nil},
		{"two categories that are not one", func(e *fhir.AdverseEvent) {
			e.Category = []fhir.CodeableConcept{coded(systemCategory, "device"),
				coded(systemCategory, "wrong-patient")}
		}, func(e AdverseEvent) bool { return e.Category.State == Conflicting },
			[]IssueKind{ContradictoryCodes}},
		{"a third category does not settle it", func(e *fhir.AdverseEvent) {
			e.Category = []fhir.CodeableConcept{coded(systemCategory, "device"),
				coded(systemCategory, "wrong-patient"), coded(systemCategory, "device")}
		}, func(e AdverseEvent) bool { return e.Category.State == Conflicting },
			[]IssueKind{ContradictoryCodes}},
		{"serious in both spellings of detail", func(e *fhir.AdverseEvent) {
			e.Seriousness = fhir.CodeableConcept{Coding: []fhir.Coding{
				{System: systemSeriousness, Code: "serious"},
				{System: systemSeriousness, Code: "seriousresultsindeath"}}}
		}, func(e AdverseEvent) bool { return e.Seriousness.Code == "SeriousResultsInDeath" }, nil},
		{"an outcome of unknown is a state", func(e *fhir.AdverseEvent) {
			e.Outcome = coded(systemOutcome, "unknown")
		}, func(e AdverseEvent) bool { return e.Outcome.State == Unknown && e.Outcome.Code == "" }, nil},
		{"a severity of another scale is unmapped", func(e *fhir.AdverseEvent) {
			e.Severity = coded("http://loinc.org", "LA20748-2")
		}, func(e AdverseEvent) bool { return e.Severity.State == Unmapped }, []IssueKind{UnmappedCode}},
	}
	m := mapper(t, Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := full()
			tt.change(&in)
			got, issues := m.AdverseEvent(&in, nil)
			if !tt.holds(got) {
				t.Errorf("AdverseEvent = %+v", got)
			}
			if diff := cmp.Diff(tt.issues, kinds(issues)); diff != "" {
				t.Errorf("issues: -want +got\n%s", diff)
			}
		})
	}
}

func TestInequity(t *testing.T) {
	t.Parallel()
	own := func(code string) fhir.Coding { return fhir.Coding{System: SystemInequity, Code: code} }
	tests := []struct {
		name   string
		in     []fhir.Extension
		want   Value
		issues []IssueKind
	}{
		{"none", nil, Value{State: Missing}, nil},
		{"yes", []fhir.Extension{factor(own("yes"))}, Value{Known, Yes, factorElement}, nil},
		{"not asked is a code", []fhir.Extension{factor(own("not-asked"))},
			Value{Known, "not-asked", factorElement}, nil},
		{"not asked beside an answer says nothing", []fhir.Extension{factor(own("not-asked")),
			factor(own("no"))}, Value{Known, No, factorElement}, nil},
		{"an answer beside not asked stands", []fhir.Extension{factor(own("no")),
			factor(own("not-asked"))}, Value{Known, No, factorElement}, nil},
		{"yes and no are conflicting", []fhir.Extension{factor(own("yes")), factor(own("no"))},
			Value{State: Conflicting, From: factorElement}, []IssueKind{ContradictoryCodes}},
		{"an unknown code of the system is unmapped", []fhir.Extension{factor(own("perhaps"))},
			Value{State: Unmapped, From: factorElement}, []IssueKind{UnmappedCode}},
		{"another factor is not this answer",
			[]fhir.Extension{factor(fhir.Coding{System: systemSNOMED, Code: "1"})}, Value{State: Missing}, nil},
		{"a factor beside the answer", []fhir.Extension{
			factor(fhir.Coding{System: systemSNOMED, Code: "1"}), factor(own("yes"))},
			Value{Known, Yes, factorElement}, nil},
	}
	m := mapper(t, Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, issues := m.inequity(tt.in, nil)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("inequity: -want +got\n%s", diff)
			}
			if diff := cmp.Diff(tt.issues, kinds(issues)); diff != "" {
				t.Errorf("issues: -want +got\n%s", diff)
			}
		})
	}
}
