package report

import (
	"strings"
	"time"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
)

// subject is the report of one patient by another engine.
type subject struct {
	at       Place
	faults   *faults
	report   *mrpb.MeasureReport
	patients map[string]string

	url, version string
	period       measure.Period
	patient      phi.ID
	scoring      measure.Scoring
	improvement  measure.Improvement
	// unit is what the report says it counted; empty where it does not.
	unit         measure.Unit
	groups       []heardGroup
	resources    []heardResource
	observations []heardObservation
}

// read takes the report apart and reports whether it can be used.
func (s *subject) read(cfg ReadConfig) bool {
	before := len(s.faults.listed) + s.faults.more
	s.readHead()
	s.readPeriod()
	s.readSubject()
	s.readScoring(cfg)
	for i, g := range s.report.Group {
		s.groups = append(s.groups, s.readGroup(i, g))
	}
	if len(s.report.Group) == 0 {
		s.fault("MeasureReport.group", "there is none")
	}
	s.readResources()
	s.report = nil
	return len(s.faults.listed)+s.faults.more == before
}

func (s *subject) fault(element, cause string) { s.faults.add(s.at, element, cause) }

func (s *subject) readHead() {
	switch s.report.GetType().GetValue() {
	case cpb.MeasureReportTypeCode_INDIVIDUAL:
	default:
		s.fault("MeasureReport.type", "only individual reports say who is in which population")
	}
	if s.report.GetStatus().GetValue() != cpb.MeasureReportStatusCode_COMPLETE {
		s.fault("MeasureReport.status", "the report is not complete")
	}
	s.url, s.version, _ = strings.Cut(s.report.GetMeasure().GetValue(), "|")
	if measureID(s.url) == "" {
		s.fault("MeasureReport.measure", "there is no canonical URL")
	}
	if basis := codeOf(named(s.report.Extension, basisNames()...)); basis != "" {
		unit, ok := map[string]measure.Unit{
			"boolean": measure.PatientUnit, "Patient": measure.PatientUnit,
			"Encounter": measure.EncounterUnit, "AdverseEvent": measure.EventUnit,
		}[basis]
		if !ok {
			s.fault("MeasureReport.extension", "the population basis is none of boolean, Patient, "+
				"Encounter and AdverseEvent")
		}
		s.unit = unit
	}
}

// measureID is the id by which an imported measure is asked for: the last part of its canonical URL.
func measureID(url string) string {
	id := url[strings.LastIndexAny(url, "/:")+1:]
	return strings.Trim(strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}, id), "-.")
}

// readPeriod takes a date that is not of a day as R4 has it in a Period: from the first of its days to
// the last. A time of day is taken by the calendar of its own offset.
func (s *subject) readPeriod() {
	period := s.report.GetPeriod()
	if period.GetStart() == nil || period.GetEnd() == nil {
		s.fault("MeasureReport.period", "start and end are wanted")
		return
	}
	s.period.Start, _ = calendar(period.GetStart())
	_, s.period.End = calendar(period.GetEnd())
	if s.period.End.Before(s.period.Start) {
		s.fault("MeasureReport.period", "it ends before it starts")
	}
}

// calendar returns the first and the last day that a dateTime can mean, as midnights UTC.
func calendar(at *dpb.DateTime) (first, last time.Time) {
	moment := time.UnixMicro(at.GetValueUs()).UTC()
	if zone, err := time.Parse("-07:00", at.GetTimezone()); err == nil {
		moment = moment.In(zone.Location())
	}
	first = time.Date(moment.Year(), moment.Month(), moment.Day(), 0, 0, 0, 0, time.UTC)
	switch at.GetPrecision() {
	case dpb.DateTime_YEAR:
		return first, first.AddDate(1, 0, -1)
	case dpb.DateTime_MONTH:
		return first, first.AddDate(0, 1, -1)
	default:
		return first, first
	}
}

func (s *subject) readSubject() {
	kind, id := resolve(r4.Target(s.report.GetSubject()), s.patients)
	switch {
	case id == "":
		s.fault("MeasureReport.subject", "there is no reference to a Patient")
	case kind != "Patient" && kind != "":
		s.fault("MeasureReport.subject", "it is no Patient")
	default:
		s.patient = phi.New(id)
	}
}

// readScoring takes scoring and direction from the root, or from the groups, which must agree on the
// scoring: a measure has one.
func (s *subject) readScoring(cfg ReadConfig) {
	s.scoring = measure.Scoring(codeOf(named(s.report.Extension, scoringNames()...)))
	s.improvement = directionOf(s.report.GetImprovementNotation())
	for i, g := range s.report.Group {
		own := measure.Scoring(codeOf(named(g.Extension, scoringNames()...)))
		if own == "" {
			continue
		}
		if s.scoring != "" && s.scoring != own {
			s.fault(groupPath(i, ".extension"), "its scoring is not that of the others")
		}
		s.scoring = own
	}
	if s.scoring == "" {
		s.scoring = cfg.Scoring
	}
	switch s.scoring {
	case measure.Proportion, measure.Ratio, measure.ContinuousVariable, measure.Cohort:
	case "":
		s.fault("MeasureReport.extension", "the scoring is not said (deqm-measureScoring), nor given")
	default:
		s.fault("MeasureReport.extension", "the scoring is none of proportion, ratio, "+
			"continuous-variable and cohort")
	}
}

// directionOf is Context where a concept is there without a code, as our own reports have it.
func directionOf(concept *dpb.CodeableConcept) measure.Improvement {
	if concept == nil {
		return ""
	}
	for _, coding := range concept.GetCoding() {
		switch i := measure.Improvement(coding.GetCode().GetValue()); i {
		case measure.Increase, measure.Decrease:
			return i
		case measure.Context:
		}
	}
	return measure.Context
}

// The extensions are known by the last part of their URL: the guides have moved from one base to
// another, and engines with them.
func scoringNames() []string {
	return []string{
		"deqm-measureScoring", "extension-measureScoring", "extension-MeasureReport.scoring",
		"cqfm-scoring",
	}
}

func directionNames() []string {
	return []string{
		"deqm-groupImprovementNotation", "extension-groupImprovementNotation",
		"cqfm-improvementNotation",
	}
}

func basisNames() []string { return []string{"population-basis", "cqfm-populationBasis"} }

func criteriaNames() []string {
	return []string{
		"cqf-criteriaReference", "extension-criteriaReference", "extension-populationReference",
		"deqm-populationReference",
	}
}

// named returns the first extension of one of the names.
func named(extensions []*dpb.Extension, names ...string) *dpb.Extension {
	for _, e := range extensions {
		url := e.GetUrl().GetValue()
		last := url[strings.LastIndexByte(url, '/')+1:]
		for _, name := range names {
			if last == name {
				return e
			}
		}
	}
	return nil
}

// codeOf is the code that an extension holds, as a code or in a concept.
func codeOf(e *dpb.Extension) string {
	if code := e.GetValue().GetCode().GetValue(); code != "" {
		return code
	}
	for _, coding := range e.GetValue().GetCodeableConcept().GetCoding() {
		if code := coding.GetCode().GetValue(); code != "" {
			return code
		}
	}
	return ""
}
