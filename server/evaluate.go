package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/measure"
)

// Bounds of one question. What a question costs grows with the product of the dimensions it
// crosses.
const (
	maxStratifiers = 20
	maxCrossed     = 2
)

// evaluate is $evaluate-measure of R4
// (http://hl7.org/fhir/R4/measure-operation-evaluate-measure.html) on the type and on an instance,
// for a population. We add the parameter stratifier, repeated: the name of a dimension, or two
// joined by *. Without one, every dimension is answered.
func (s *Server) evaluate(r *http.Request) (proto.Message, error) {
	asked, err := readParameters(r)
	if err != nil {
		return nil, err
	}
	if err := populationOnly(asked); err != nil {
		return nil, err
	}
	period, err := askedPeriod(asked)
	if err != nil {
		return nil, err
	}
	id, err := s.askedMeasure(mux.Vars(r)["id"], asked)
	if err != nil {
		return nil, err
	}
	dimensions, err := askedDimensions(asked["stratifier"])
	if err != nil {
		return nil, err
	}
	if len(dimensions) == 0 {
		dimensions = measure.Dimensions() // Those that the Measure defines.
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.EvaluateTimeout)
	defer cancel()
	result, err := s.cfg.Measures.Evaluate(ctx, measure.Question{
		Measure: id, Period: period, By: dimensions,
	})
	if err != nil {
		// A database that was interrupted has words of its own for it; the context knows why.
		return nil, fmt.Errorf("evaluate measure %s: %w", id, errors.Join(err, ctx.Err()))
	}
	return s.reports.MeasureReport(result), nil
}

// populationOnly refuses what would name single patients. R4 takes a report to be of a subject
// where one is given and nothing else is said.
func populationOnly(asked parameters) error {
	kind, err := asked.one("reportType")
	if err != nil {
		return err
	}
	subject, err := asked.one("subject")
	if err != nil {
		return err
	}
	switch kind {
	case "subject", "individual":
		if subject == "" {
			return subjectMissing()
		}
		return individualsNotSupported()
	case "subject-list":
		return individualsNotSupported()
	case "", "population", "summary":
		if subject != "" {
			return individualsNotSupported()
		}
	default:
		return unknownReportType()
	}
	for _, name := range []string{"practitioner", "lastReceivedOn"} {
		if len(asked[name]) > 0 {
			return parameterNotSupported(name)
		}
	}
	return nil
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

// askedMeasure finds the id that the address or the parameter measure names: an id, Measure/id, or
// a canonical with or without a version.
func (s *Server) askedMeasure(inPath string, asked parameters) (string, error) {
	named, err := asked.one("measure")
	if err != nil {
		return "", err
	}
	if inPath == "" && named == "" {
		return "", missing("measure")
	}
	for _, d := range s.cfg.Measures.Definitions() {
		isNamed := s.names(named, d)
		switch {
		case inPath == "" && isNamed, inPath == d.ID && named == "", inPath == d.ID && isNamed:
			return d.ID, nil
		case inPath == d.ID:
			return "", otherMeasure()
		}
	}
	return "", measure.ErrUnknownMeasure
}

func (s *Server) names(reference string, d measure.Definition) bool {
	name, version, versioned := strings.Cut(reference, "|")
	if versioned && version != d.Version {
		return false
	}
	return slices.Contains([]string{
		d.ID, "Measure/" + d.ID, s.cfg.BaseURL + "/Measure/" + d.ID, s.reports.MeasureURL(d.ID),
	}, name)
}

var dimensionForm = regexp.MustCompile(`^[a-z][a-z_]{0,39}(\*[a-z][a-z_]{0,39})*$`)

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
