package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"
	"google.golang.org/protobuf/proto"

	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
)

// evaluate is $evaluate-measure of R4
// (http://hl7.org/fhir/R4/measure-operation-evaluate-measure.html) on the type and on an instance.
// We add parameters of our own, which docs/api.md describes.
func (s *Server) evaluate(r *http.Request) (task, error) {
	asked, err := readParameters(r, commonParameters())
	if err != nil {
		return task{}, err
	}
	about, kind, err := s.askedReport(asked)
	if err != nil {
		return task{}, err
	}
	if about.kind == "Group" && kind == individual {
		if asked.given("reportType") {
			return task{}, groupIsNoSubject()
		}
		kind = summary // R4's default is one report, and a report of one subject is not of a Group.
	}
	in, err := s.inquire(r, asked)
	if err != nil {
		return task{}, err
	}
	in.kind, in.subject = kind, about
	d, err := s.askedMeasure(mux.Vars(r)["id"], asked)
	if err != nil {
		return task{}, err
	}
	in.measures = []measure.Definition{d}
	return s.task(r.Context(), in, asked, s.report)
}

// askedReport reads what kind of report is asked for, and about whom.
func (s *Server) askedReport(asked parameters) (subject, reportKind, error) {
	about, err := s.askedSubject(asked)
	if err != nil {
		return about, "", err
	}
	kind, err := askedKind(asked, about)
	if err != nil {
		return about, "", err
	}
	return about, kind, askedLastReceived(asked, kind)
}

// askedMeasure finds the measure that the address or the parameter measure names.
func (s *Server) askedMeasure(inPath string, asked parameters) (measure.Definition, error) {
	named, err := asked.one("measure")
	if err != nil {
		return measure.Definition{}, err
	}
	if inPath == "" && named == "" {
		return measure.Definition{}, missing("measure")
	}
	if inPath == "" {
		inPath = named
	}
	d, ok := s.definition(inPath)
	switch {
	case !ok:
		return d, measure.ErrUnknownMeasure
	case named != "" && !s.names(named, d):
		return d, otherMeasure()
	}
	return d, nil
}

// maker makes the resource that answers an inquiry about some people, and says how many of them are
// named or counted one by one.
type maker func(
	ctx context.Context, in inquiry, people []phi.ID, note func(done, of int),
) (resource proto.Message, named int, err error)

// task checks what needs more than the request itself, and makes a task of it. An inquiry about
// single patients is audited whatever comes of it.
func (s *Server) task(
	ctx context.Context, in inquiry, asked parameters, make maker,
) (task, error) {
	if in.kind != summary {
		if in.audience != audienceInternal && asked.given("audience") {
			return task{}, patientsAreInternal()
		}
		in.audience = audienceInternal
	}
	out := task{scopes: []string{scopeReport}}
	if in.audience != audiencePublic && in.kind == summary {
		out.scopes = append(out.scopes, scope.Unsuppressed)
	}
	if !in.namesPeople() {
		var err error
		if out.key, err = in.key(); err != nil {
			return task{}, fmt.Errorf("read the question: %w", err)
		}
		out.do = func(ctx context.Context, note func(int, int)) (proto.Message, error) {
			resource, _, err := make(ctx, in, nil, note)
			return resource, err
		}
		return out, nil
	}
	out.scopes = append(out.scopes, scope.Patients)
	people, err := s.whom(ctx, in)
	if err != nil {
		return task{}, s.audited(ctx, in, 0, err)
	}
	out.do = func(ctx context.Context, note func(int, int)) (proto.Message, error) {
		resource, named, err := make(ctx, in, people, note)
		if err := s.audited(ctx, in, named, err); err != nil {
			return nil, err
		}
		return resource, nil
	}
	return out, nil
}

// whom checks that the token may ask about single patients, and finds out which.
func (s *Server) whom(ctx context.Context, in inquiry) ([]phi.ID, error) {
	if err := s.allowed(in); err != nil {
		return nil, err
	}
	return s.people(ctx, in.subject)
}

// key tells an inquiry from every other one about the same data.
func (in inquiry) key() (string, error) {
	q := in.question
	parts := []string{
		string(in.kind), in.audience, q.Period.String(), strings.Join(q.By, " "), string(q.Policy),
		fmt.Sprint(map[string][]string(q.Where)), fmt.Sprint(q.Bounds), string(in.reference),
	}
	for _, d := range in.measures {
		text, err := in.named(d)
		if err != nil {
			return "", err
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "\n"), nil
}

// report answers $evaluate-measure with one MeasureReport.
func (s *Server) report(
	ctx context.Context, in inquiry, people []phi.ID, _ func(int, int),
) (proto.Message, int, error) {
	d := in.measures[0]
	switch in.kind {
	case individual:
		reports, err := s.individuals(ctx, in, d, people)
		if err != nil {
			return nil, 0, err
		}
		return reports[people[0]], len(reports), nil
	case subjectList:
		return s.subjects(ctx, in, d, people)
	case summary:
	}
	made, err := s.summary(ctx, in, d, people)
	if err != nil {
		return nil, 0, err
	}
	return made, len(people), nil
}

// summary makes the report of a population. People that is not nil limits it.
func (s *Server) summary(
	ctx context.Context, in inquiry, d measure.Definition, people []phi.ID,
) (*mrpb.MeasureReport, error) {
	q := in.question
	q.Measure, q.People = d.ID, people
	if people == nil && in.subject.kind != "" {
		return nil, failed(d.ID, errors.New("a question about some patients names none"))
	}
	result, err := s.result(ctx, q, in.audience)
	if err != nil {
		return nil, failed(d.ID, err)
	}
	made := s.reports.MeasureReport(result)
	if in.reference != "" {
		if err := compare(made, result, in.reference); err != nil {
			return nil, failed(d.ID, err)
		}
	}
	return made, nil
}

// unique drops repeats and keeps the order.
func unique[T comparable](all []T) []T {
	var out []T
	for _, one := range all {
		if !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}
