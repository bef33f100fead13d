package server

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// Bounds of one question. What a question costs grows with the product of the dimensions it
// crosses.
const (
	maxStratifiers = 20
	maxCrossed     = 3
	maxFilters     = 100
	// maxYears bounds a period: there are strata by month, and no EHR is older.
	maxYears = 50
)

// reportKind is which sort of report is asked for; its text is that of DEQM.
type reportKind string

const (
	summary     reportKind = "summary"
	individual  reportKind = "individual"
	subjectList reportKind = "subject-list"
)

// inquiry is a request to evaluate, read and checked as far as the request alone allows.
type inquiry struct {
	kind     reportKind
	measures []measure.Definition
	subject  subject
	audience string
	// reference is what the strata are compared with; empty for no comparison.
	reference gap.Reference
	// question is that of every measure, without its id and its people.
	question measure.Question
	asks     Principal
	// asked is the question as text, for the audit trail.
	asked string
	// request is the id of the request, by which log and audit trail find each other.
	request string
}

// inquire reads what both operations have in common. Which measures are meant and whom the question
// is about is left to the operation.
func (s *Server) inquire(r *http.Request, asked parameters) (inquiry, error) {
	in := inquiry{
		asks: principalOf(r.Context()), request: eventOf(r).id, asked: askedText(r, asked),
	}
	var err error
	if in.question.Period, err = askedPeriod(asked); err != nil {
		return in, err
	}
	if in.question.By, err = askedDimensions(asked["stratifier"]); err != nil {
		return in, err
	}
	if in.question.Policy, err = askedPolicy(asked); err != nil {
		return in, err
	}
	if len(in.question.By) == 0 {
		in.question.By = defaultDimensions(in.question.Policy)
	}
	if in.question.Where, err = s.askedFilter(asked); err != nil {
		return in, err
	}
	if in.question.Bounds, err = askedBool(asked, "bounds"); err != nil {
		return in, err
	}
	if in.reference, err = askedReference(asked); err != nil {
		return in, err
	}
	in.audience, err = askedAudience(asked, in.asks)
	return in, err
}

// named says which measure is meant, by its whole definition: one that was changed without another
// version is another question.
func (in inquiry) named(d measure.Definition) (string, error) {
	text, err := json.Marshal(d)
	return string(text), err
}

// askedPeriod widens partial dates: a start to the first day that it covers, an end to the last.
func askedPeriod(asked parameters) (measure.Period, error) {
	start, err := askedDate(asked, "periodStart")
	if err != nil {
		return measure.Period{}, err
	}
	end, err := askedDate(asked, "periodEnd")
	if err != nil {
		return measure.Period{}, err
	}
	period := measure.Period{Start: midnight(start.Days), End: midnight(end.LastDay())}
	if period.End.Before(period.Start) {
		return measure.Period{}, reversedPeriod()
	}
	if period.Start.AddDate(maxYears, 0, 0).Before(period.End) {
		return measure.Period{}, tooLong()
	}
	return period, nil
}

func askedDate(asked parameters, name string) (fhir.DateTime, error) {
	text, err := asked.one(name)
	if err != nil {
		return fhir.DateTime{}, err
	}
	if text == "" {
		return fhir.DateTime{}, missing(name)
	}
	date, err := fhir.ParseDateTime(text)
	if err != nil || date.Precision == fhir.Minute {
		return fhir.DateTime{}, malformedDate(name)
	}
	return date, nil
}

func midnight(days int32) time.Time { return time.Unix(int64(days)*86400, 0).UTC() }

var dimensionForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}(\*[a-z][a-z0-9_]{0,39})*$`)

func askedDimensions(texts []string) ([]string, error) {
	var dimensions []string
	for _, text := range texts {
		if !dimensionForm.MatchString(text) {
			return nil, malformedStratifier()
		}
		if strings.Count(text, "*")+1 > maxCrossed {
			return nil, tooManyCrossed()
		}
		if !slices.Contains(dimensions, text) {
			dimensions = append(dimensions, text)
		}
	}
	if len(dimensions) > maxStratifiers {
		return nil, tooManyStratifiers()
	}
	return dimensions, nil
}

// defaultDimensions are those that the Measure defines. NCQA asks race and ethnicity apart, so that
// under its policy there is no such thing as both in one.
func defaultDimensions(policy mapping.Policy) []string {
	all := measure.Dimensions()
	if policy == mapping.PolicyNCQA {
		all = slices.DeleteFunc(all, func(d string) bool { return d == mapping.DimensionRaceEthnicity })
	}
	return all
}

func askedPolicy(asked parameters) (mapping.Policy, error) {
	text, err := asked.one("racePolicy")
	if err != nil {
		return "", err
	}
	policy := mapping.Policy(text)
	if asked.given("racePolicy") && !slices.Contains(mapping.Policies(), policy) {
		return "", unknownPolicy()
	}
	return policy, nil
}

func askedBool(asked parameters, name string) (bool, error) {
	text, err := asked.one(name)
	if err != nil {
		return false, err
	}
	switch {
	case text == "true":
		return true, nil
	case text == "false", !asked.given(name):
		return false, nil
	}
	return false, malformedValue(name)
}

// filterForm is the name of what is filtered by, a colon, and a code or ~ and a state.
var filterForm = regexp.MustCompile(`^([a-z][a-z0-9_]{0,39}):(~?[A-Za-z0-9][A-Za-z0-9.+\-]{0,99})$`)

// askedFilter reads the parameters filter and practitioner. Values of one name are alternatives;
// all names must hold.
func (s *Server) askedFilter(asked parameters) (measure.Filter, error) {
	where := measure.Filter{}
	texts := asked["filter"]
	if len(texts) > maxFilters {
		return nil, tooManyFilters()
	}
	for _, text := range texts {
		// A + that nobody escaped has become a space, and no code holds one.
		m := filterForm.FindStringSubmatch(strings.ReplaceAll(text, " ", "+"))
		switch {
		case m == nil:
			return nil, malformedFilter()
		case m[1] == "payer":
			return nil, noPayer()
		}
		if !slices.Contains(where[m[1]], m[2]) {
			where[m[1]] = append(where[m[1]], m[2])
		}
	}
	practitioner, err := asked.one("practitioner")
	if err != nil {
		return nil, err
	}
	if asked.given("practitioner") {
		id, ok := s.local(practitioner, "Practitioner")
		if !ok {
			return nil, malformedReference("practitioner", "Practitioner/id")
		}
		where["practitioner"] = append(where["practitioner"], id)
	}
	for _, values := range where {
		slices.Sort(values)
	}
	if len(where) == 0 {
		return nil, nil
	}
	return where, nil
}

var referenceForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+\-*]{0,99}$`)

func askedReference(asked parameters) (gap.Reference, error) {
	text, err := asked.one("reference")
	if err != nil {
		return "", err
	}
	text = strings.ReplaceAll(text, " ", "+")
	if asked.given("reference") && !referenceForm.MatchString(text) {
		return "", malformedValue("reference")
	}
	return gap.Reference(text), nil
}

// definition finds the measure that a reference names: an id, Measure/id, its address here, or its
// canonical with or without a version.
func (s *Server) definition(reference string) (measure.Definition, bool) {
	for _, d := range s.cfg.Measures.Definitions() {
		if s.names(reference, d) {
			return d, true
		}
	}
	return measure.Definition{}, false
}

func (s *Server) names(reference string, d measure.Definition) bool {
	name, version, versioned := strings.Cut(reference, "|")
	if versioned && version != d.Version || !strings.HasSuffix(name, d.ID) {
		return false
	}
	return slices.Contains([]string{
		d.ID, "Measure/" + d.ID, s.cfg.BaseURL + "/Measure/" + d.ID, s.reports.MeasureURL(d.ID),
	}, name)
}
