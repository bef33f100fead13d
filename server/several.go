package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"google.golang.org/protobuf/proto"

	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report"
)

// maxMeasures bounds the measures of one request.
const maxMeasures = 50

// evaluateSeveral is $evaluate of DEQM (http://hl7.org/fhir/us/davinci-deqm) on the type: several
// measures at once. The answer is a Parameters with a Bundle for each subject of individual
// reports, and with one Bundle otherwise.
func (s *Server) evaluateSeveral(r *http.Request) (task, error) {
	known := append(commonParameters(), "measureUrl", "measureId", "subjectGroup", "provider")
	asked, err := readParameters(r, known)
	if err != nil {
		return task{}, err
	}
	if asked.given("provider") && asked.given("practitioner") {
		return task{}, repeated("provider")
	}
	asked["practitioner"] = append(asked["practitioner"], asked["provider"]...)
	about, kind, err := s.askedReport(asked)
	if err != nil {
		return task{}, err
	}
	if about.kind != "" && !asked.given("subject") && !asked.given("reportType") {
		kind = summary // The default is individual reports where subject is given, and only there.
	}
	in, err := s.inquire(r, asked)
	if err != nil {
		return task{}, err
	}
	in.kind, in.subject = kind, about
	if in.measures, err = s.askedMeasures(asked); err != nil {
		return task{}, err
	}
	return s.task(r.Context(), in, asked, s.reportSeveral)
}

// askedMeasures finds the measures that measureUrl, measure and measureId name, each once.
func (s *Server) askedMeasures(asked parameters) ([]measure.Definition, error) {
	texts := unique(slices.Concat(asked["measureUrl"], asked["measure"], asked["measureId"]))
	switch {
	case len(texts) == 0:
		return nil, missing("measureUrl")
	case len(texts) > maxMeasures:
		return nil, tooManyMeasures()
	}
	var all []measure.Definition
	for _, text := range texts {
		d, ok := s.definition(text)
		if !ok {
			return nil, measure.ErrUnknownMeasure
		}
		if !slices.ContainsFunc(all, func(have measure.Definition) bool { return have.ID == d.ID }) {
			all = append(all, d)
		}
	}
	return all, nil
}

// reportSeveral answers $evaluate.
func (s *Server) reportSeveral(
	ctx context.Context, in inquiry, people []phi.ID, note func(done, of int),
) (proto.Message, int, error) {
	if in.kind == individual {
		return s.reportEach(ctx, in, people, note)
	}
	var reports []*mrpb.MeasureReport
	named := len(people)
	for i, d := range in.measures {
		note(i, len(in.measures))
		if in.kind == summary {
			made, err := s.summary(ctx, in, d, people)
			if err != nil {
				return nil, 0, err
			}
			reports = append(reports, made)
			continue
		}
		made, subjects, err := s.subjects(ctx, in, d, people)
		if err != nil {
			return nil, 0, err
		}
		named = max(named, subjects)
		reports = append(reports, made)
	}
	return s.returned(named, s.reports.Collection(reports...))
}

// reportEach makes a Bundle for each of people, with a report of each measure.
func (s *Server) reportEach(
	ctx context.Context, in inquiry, people []phi.ID, note func(done, of int),
) (proto.Message, int, error) {
	people = unique(people)
	of := make([][]*mrpb.MeasureReport, len(people))
	for i, d := range in.measures {
		note(i, len(in.measures))
		reports, err := s.individuals(ctx, in, d, people)
		if err != nil {
			return nil, 0, err
		}
		for j, id := range people {
			of[j] = append(of[j], reports[id])
		}
	}
	bundles := make([]*rpb.Bundle, len(people))
	for i := range people {
		bundles[i] = s.reports.Collection(of[i]...)
	}
	return s.returned(len(people), bundles...)
}

// returned wraps Bundles as DEQM has the answer.
func (s *Server) returned(named int, bundles ...*rpb.Bundle) (proto.Message, int, error) {
	made, err := report.Parameters(bundles...)
	if err != nil {
		return nil, 0, fmt.Errorf("answer with several reports: %w", err)
	}
	return made, named, nil
}
