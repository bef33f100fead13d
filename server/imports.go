package server

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	ppb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/parameters_go_proto"
	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report"
)

// imports takes in individual MeasureReports of another engine, as $import of ours. All are taken
// or none: a measure of which some patients are left out is another measure.
func (s *Server) imports(w http.ResponseWriter, r *http.Request) {
	taken, err := s.taken(r)
	var faults *report.ReadError
	switch {
	case errors.As(err, &faults):
		eventOf(r).status = http.StatusUnprocessableEntity
		s.send(w, r, http.StatusUnprocessableEntity, refused(faults))
	case err != nil:
		s.fail(w, r, err)
	default:
		s.send(w, r, http.StatusOK, imported(taken))
	}
}

// taken reads, keeps and audits what a request brings.
func (s *Server) taken(r *http.Request) ([]measure.Import, error) {
	if s.cfg.Importer == nil {
		return nil, notConfigured("reports of other engines are not taken in here")
	}
	settings, err := importSettings(r)
	if err != nil {
		return nil, err
	}
	settings.MaxBytes = s.cfg.MaxImport
	all, err := report.Read(r.Body, settings)
	if err == nil {
		err = s.cfg.Importer.Import(r.Context(), all)
		s.kept.forget() // A measure may have other members now, and no snapshot says so.
	}
	if s.cfg.Auditor != nil {
		err = s.auditedImport(r, all, err)
	}
	if err != nil {
		return nil, fmt.Errorf("import reports: %w", err)
	}
	return all, nil
}

// importSettings reads the media type, and what the reports may leave out.
func importSettings(r *http.Request) (report.ReadConfig, error) {
	var out report.ReadConfig
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains([]string{
		"application/fhir+json", "application/json", "application/fhir+ndjson", "application/ndjson",
		"application/x-ndjson",
	}, kind) {
		return out, errMedia
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return out, malformedQuery()
	}
	asked := parameters(query)
	for name := range asked {
		if !slices.Contains([]string{"scoring", "improvement", "unit", "_format", "_pretty"}, name) {
			return out, unknownParameter(name)
		}
	}
	scorings := []measure.Scoring{
		measure.Proportion, measure.Ratio, measure.ContinuousVariable, measure.Cohort,
	}
	if out.Scoring, err = choice(asked, "scoring", scorings); err != nil {
		return out, err
	}
	directions := []measure.Improvement{measure.Increase, measure.Decrease, measure.Context}
	if out.Improvement, err = choice(asked, "improvement", directions); err != nil {
		return out, err
	}
	units := []measure.Unit{
		measure.PatientUnit, measure.EncounterUnit, measure.StayUnit, measure.EventUnit,
	}
	out.Unit, err = choice(asked, "unit", units)
	return out, err
}

// choice reads a parameter that is one of several words, or is not given.
func choice[T ~string](asked parameters, name string, from []T) (T, error) {
	text, err := asked.one(name)
	if err != nil || !asked.given(name) {
		return "", err
	}
	if !slices.Contains(from, T(text)) {
		return "", malformedValue(name)
	}
	return T(text), nil
}

// auditedImport keeps a record of an import: its measures, and how many patients they name.
func (s *Server) auditedImport(r *http.Request, all []measure.Import, err error) error {
	in := inquiry{
		kind: "import", asks: principalOf(r.Context()), request: eventOf(r).id, asked: asked(r),
	}
	people := map[phi.ID]bool{}
	for _, one := range all {
		in.question.Period = one.Period
		in.measures = append(in.measures, measure.Definition{ID: one.Measure, Version: one.Version})
		for _, m := range one.Members {
			people[m.Patient] = true
		}
	}
	return s.audited(r.Context(), in, len(people), err)
}

// refused says every fault by its place and its cause, neither of which holds a person.
func refused(faults *report.ReadError) proto.Message {
	var issues []r4.Issue
	for _, fault := range faults.Faults {
		issues = append(issues, r4.Issue{
			Code: cpb.IssueTypeCode_INVALID, Text: fault.String(), Expression: fault.Element,
		})
	}
	if faults.More > 0 {
		issues = append(issues, r4.Issue{
			Code: cpb.IssueTypeCode_INVALID, Text: fmt.Sprintf("and %d more", faults.More),
		})
	}
	return r4.Outcome(issues...)
}

// imported says what was taken: for each measure and period its id here and its size.
func imported(all []measure.Import) proto.Message {
	out := &ppb.Parameters{}
	for _, one := range all {
		patients := map[phi.ID]bool{}
		for _, m := range one.Members {
			patients[m.Patient] = true
		}
		out.Parameter = append(out.Parameter, &ppb.Parameters_Parameter{
			Name: r4.Text("imported"),
			Part: []*ppb.Parameters_Parameter{
				part("id", &ppb.Parameters_Parameter_ValueX{
					Choice: &ppb.Parameters_Parameter_ValueX_StringValue{StringValue: r4.Text(one.Measure)},
				}),
				part("measure", &ppb.Parameters_Parameter_ValueX{
					Choice: &ppb.Parameters_Parameter_ValueX_Uri{Uri: r4.URI(one.URL)},
				}),
				part("period", &ppb.Parameters_Parameter_ValueX{
					Choice: &ppb.Parameters_Parameter_ValueX_Period{
						Period: r4.Days(one.Period.Start, one.Period.End),
					},
				}),
				part("patients", count(len(patients))), part("members", count(len(one.Members))),
			},
		})
	}
	return out
}

func part(name string, value *ppb.Parameters_Parameter_ValueX) *ppb.Parameters_Parameter {
	return &ppb.Parameters_Parameter{Name: r4.Text(name), Value: value}
}

func count(n int) *ppb.Parameters_Parameter_ValueX {
	return &ppb.Parameters_Parameter_ValueX{Choice: &ppb.Parameters_Parameter_ValueX_Integer{
		Integer: &dpb.Integer{Value: int32(n)}, // #nosec G115 -- bounded by the length of a body
	}}
}
