package server

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
)

// ErrUnknownGroup says that there is no Group of an id.
var ErrUnknownGroup = errors.New("unknown group")

var errUnknownPatient = errors.New("unknown patient")

// subject is whom a question is about. The zero subject is everyone.
type subject struct {
	// kind is Patient, Group, inline for a Group that came with the request, or empty.
	kind string
	id   phi.ID
	// members are those of an inline Group.
	members []phi.ID
}

const inline = "inline"

var idForm = regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`)

// local reads a reference to a resource of one of the types here: Type/id, relative or below our
// base. A bare id is one of the first type.
func (s *Server) local(text string, types ...string) (id string, ok bool) {
	text = strings.TrimPrefix(text, s.cfg.BaseURL+"/")
	kind, id, typed := strings.Cut(text, "/")
	if !typed {
		kind, id = types[0], text
	}
	for _, t := range types {
		if t == kind && idForm.MatchString(id) {
			return id, true
		}
	}
	return "", false
}

// askedSubject reads subject and subjectGroup.
func (s *Server) askedSubject(asked parameters) (subject, error) {
	text, err := asked.one("subject")
	if err != nil {
		return subject{}, err
	}
	group, err := asked.one("subjectGroup")
	if err != nil {
		return subject{}, err
	}
	ways := 0
	for _, name := range []string{"subject", "subjectGroup", inlineMember} {
		if asked.given(name) {
			ways++
		}
	}
	switch {
	case ways > 1:
		return subject{}, twoSubjects()
	case asked.given(inlineMember):
		out := subject{kind: inline}
		for _, member := range asked[inlineMember] {
			id, _ := s.local(member, "Patient")
			out.members = append(out.members, phi.New(id))
		}
		return out, nil
	case asked.given("subjectGroup"):
		id, ok := s.local(group, "Group")
		if !ok {
			return subject{}, malformedReference("subjectGroup", "Group/id")
		}
		return subject{kind: "Group", id: phi.New(id)}, nil
	case !asked.given("subject"):
		return subject{}, nil
	}
	if id, ok := s.local(text, "Patient"); ok {
		return subject{kind: "Patient", id: phi.New(id)}, nil
	}
	if id, ok := s.local(text, "Group"); ok {
		return subject{kind: "Group", id: phi.New(id)}, nil
	}
	return subject{}, malformedReference("subject", "Patient/id or Group/id")
}

// askedKind reads reportType in the words of R4 and of DEQM. R4 takes a report to be of a subject
// where one is given and nothing else is said.
func askedKind(asked parameters, about subject) (reportKind, error) {
	text, err := asked.one("reportType")
	if err != nil {
		return "", err
	}
	switch text {
	case "subject", "individual":
		if about.kind == "" {
			return "", subjectMissing()
		}
		return individual, nil
	case "subject-list":
		return subjectList, nil
	case "population", "summary":
		return summary, nil
	case "":
		if asked.given("reportType") {
			return "", unknownReportType()
		}
		if about.kind != "" {
			return individual, nil
		}
		return summary, nil
	}
	return "", unknownReportType()
}

// askedLastReceived checks lastReceivedOn. R4 gives it to reports of single patients alone, and
// lets a server use it to leave out resources that the caller has; we keep no time of receipt for
// each, so that all are named, which R4 allows too.
func askedLastReceived(asked parameters, kind reportKind) error {
	text, err := asked.one("lastReceivedOn")
	if err != nil || !asked.given("lastReceivedOn") {
		return err
	}
	if _, err := fhir.ParseDateTime(text); err != nil {
		return malformedDateTime("lastReceivedOn")
	}
	if kind == summary {
		return onlyOfPatients("lastReceivedOn")
	}
	return nil
}

// namesPeople reports whether an inquiry is about single patients: its report names them, or it is
// limited to them, so that its counts tell of them.
func (in inquiry) namesPeople() bool { return in.kind != summary || in.subject.kind != "" }

// allowed refuses an inquiry about single patients that the token does not cover, or that nobody
// would keep a record of.
func (s *Server) allowed(in inquiry) error {
	if !in.namesPeople() {
		return nil
	}
	if err := demand(in.asks, scope.Patients); err != nil {
		return err
	}
	switch {
	case s.cfg.Auditor == nil:
		return notConfigured("no audit trail is kept here, so single patients are not reported on")
	case in.kind != summary && s.cfg.Members == nil:
		return notConfigured("reports of single patients are not made here")
	case in.subject.kind == "Patient" && s.cfg.Patients == nil:
		return notConfigured("single patients cannot be asked about here")
	case in.subject.kind == "Group" && s.cfg.Groups == nil:
		return notConfigured("there are no groups of patients here")
	}
	return nil
}

// people returns whom a question is limited to; nil is no limit.
func (s *Server) people(ctx context.Context, about subject) ([]phi.ID, error) {
	switch about.kind {
	case "Patient":
		known, err := s.cfg.Patients.Patient(ctx, about.id)
		if err != nil {
			return nil, fmt.Errorf("look up a patient: %w", err)
		}
		if !known {
			return nil, errUnknownPatient
		}
		return []phi.ID{about.id}, nil
	case "Group":
		members, err := s.cfg.Groups.Group(ctx, about.id.Reveal())
		if err != nil {
			return nil, fmt.Errorf("look up a group: %w", err)
		}
		if members == nil {
			members = []phi.ID{} // Nobody is not everybody.
		}
		return members, nil
	case inline:
		return about.members, nil
	}
	return nil, nil
}
