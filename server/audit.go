package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/phi"
)

// audited keeps a record of an inquiry about single patients and of what came of it, and returns
// err. An answer that cannot be recorded is not given: then it is an error of ours that is
// returned.
func (s *Server) audited(ctx context.Context, in inquiry, named int, err error) error {
	if s.cfg.Auditor == nil {
		if err == nil {
			return errors.New("audit: there is no audit trail")
		}
		return err
	}
	line, fault := s.auditEvent(in, named, err)
	if fault == nil {
		fault = s.keep(ctx, line, true)
	}
	if e, ok := ctx.Value(eventKey{}).(*event); ok {
		e.recorded = true
	}
	if fault != nil {
		return fmt.Errorf("audit: %w", errors.Join(fault, err))
	}
	return err
}

// auditEvent says who asked what about whom, and what came of it. It is the one thing that leaves
// here with the id of a patient beside the report itself. The members of a Group that is known by
// its id are found by it.
func (s *Server) auditEvent(in inquiry, named int, err error) ([]byte, error) {
	a := audit.Access{
		Agent: s.agent(in.asks), Interaction: audit.Operation, Query: in.asked, Request: in.request,
		Details: []audit.Detail{
			{Name: "period", Value: in.question.Period.String()},
			{Name: "reportType", Value: string(in.kind)},
			{Name: "patients", Value: strconv.Itoa(named)},
		},
	}
	if err != nil {
		p := problemOf(err)
		a.Outcome = audit.Outcome{Grade: audit.Refused, Words: p.text}
		if p.status >= http.StatusInternalServerError {
			a.Outcome.Grade = audit.Failed
		}
	}
	if now, ok := s.cfg.Snapshots.Current(); ok {
		a.Details = append(a.Details, audit.Detail{Name: "snapshot", Value: now.ID})
	}
	for _, d := range in.measures {
		a.Subjects = append(a.Subjects, s.reports.MeasureURL(d.ID)+"|"+d.Version)
	}
	switch in.subject.kind {
	case "Patient":
		a.Patients = []phi.ID{in.subject.id}
	case "Group":
		a.Groups = []phi.ID{in.subject.id}
	case inline:
		a.Patients = in.subject.members
	}
	return s.audit.Access(a)
}

// askedText is a question as it was understood: the address, and every parameter of query and body.
func askedText(r *http.Request, all parameters) string {
	path, _, _ := strings.Cut(asked(r), "?")
	if len(all) == 0 {
		return path
	}
	return path + "?" + url.Values(all).Encode()
}
