package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	apb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/audit_event_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
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
	line, fault := r4.Marshal(s.auditEvent(in, named, err))
	if fault == nil {
		// What was tried is recorded even if the caller has gone.
		fault = s.cfg.Auditor.Audit(context.WithoutCancel(ctx), line)
	}
	if fault != nil {
		return fmt.Errorf("audit: %w", errors.Join(fault, err))
	}
	return err
}

const (
	systemDICOM       = "http://dicom.nema.org/resources/ontology/DCM"
	systemInteraction = "http://hl7.org/fhir/restful-interaction"
	systemEntityType  = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
	systemObjectRole  = "http://terminology.hl7.org/CodeSystem/object-role"
)

// auditEvent says who asked what about whom, and what came of it. It is the one thing that leaves
// here with the id of a patient beside the report itself.
func (s *Server) auditEvent(in inquiry, named int, err error) *apb.AuditEvent {
	outcome, words := cpb.AuditEventOutcomeCode_SUCCESS, ""
	if err != nil {
		p := problemOf(err)
		outcome, words = cpb.AuditEventOutcomeCode_MINOR_FAILURE, p.text
		if p.status >= http.StatusInternalServerError {
			outcome = cpb.AuditEventOutcomeCode_SERIOUS_FAILURE
		}
	}
	now := &dpb.Instant{
		ValueUs: s.cfg.Now().UnixMicro(), Timezone: "Z", Precision: dpb.Instant_MILLISECOND,
	}
	return &apb.AuditEvent{
		Type:        r4.Coding(systemDICOM, "110112", "Query"),
		Subtype:     []*dpb.Coding{r4.Coding(systemInteraction, "operation", "operation")},
		Action:      &apb.AuditEvent_ActionCode{Value: cpb.AuditEventActionCode_E},
		Recorded:    now,
		Outcome:     &apb.AuditEvent_OutcomeCode{Value: outcome},
		OutcomeDesc: r4.Text(words),
		Agent: []*apb.AuditEvent_Agent{{
			Who:       r4.Named("Device", in.asks.Client),
			AltId:     r4.Text(in.asks.Token),
			Name:      r4.Text(in.asks.Subject),
			Requestor: &dpb.Boolean{Value: true},
		}},
		Source: &apb.AuditEvent_Source{Observer: r4.Named("Device", "EquityLens "+s.cfg.BaseURL)},
		Entity: append(s.auditedQuery(in, named), auditedPeople(in.subject)...),
	}
}

// auditedQuery says what was asked: an entity a measure, the first with how much was answered.
func (s *Server) auditedQuery(in inquiry, named int) []*apb.AuditEvent_Entity {
	detail := func(kind, value string) *apb.AuditEvent_Entity_Detail {
		return &apb.AuditEvent_Entity_Detail{
			Type: r4.Text(kind),
			Value: &apb.AuditEvent_Entity_Detail_ValueX{
				Choice: &apb.AuditEvent_Entity_Detail_ValueX_StringValue{StringValue: r4.Text(value)},
			},
		}
	}
	var all []*apb.AuditEvent_Entity
	for i, d := range in.measures {
		entity := &apb.AuditEvent_Entity{
			What: r4.Named("Measure", s.reports.MeasureURL(d.ID)+"|"+d.Version),
			Type: r4.Coding(systemEntityType, "2", "System Object"),
			Role: r4.Coding(systemObjectRole, "24", "Query"),
		}
		if i == 0 {
			entity.Detail = []*apb.AuditEvent_Entity_Detail{
				detail("period", in.question.Period.String()), detail("reportType", string(in.kind)),
				detail("patients", strconv.Itoa(named)), detail("request", in.request),
			}
			if now, ok := s.cfg.Snapshots.Current(); ok {
				entity.Detail = append(entity.Detail, detail("snapshot", now.ID))
			}
		}
		all = append(all, entity)
	}
	return all
}

// auditedPeople names whom the question was about. The members of a Group that is known by its id
// are found by it.
func auditedPeople(about subject) []*apb.AuditEvent_Entity {
	person := func(what *dpb.Reference) *apb.AuditEvent_Entity {
		return &apb.AuditEvent_Entity{
			What: what,
			Type: r4.Coding(systemEntityType, "1", "Person"),
			Role: r4.Coding(systemObjectRole, "1", "Patient"),
		}
	}
	switch about.kind {
	case "Patient":
		return []*apb.AuditEvent_Entity{person(patientReference(about.id))}
	case "Group":
		return []*apb.AuditEvent_Entity{{
			What: &dpb.Reference{Reference: &dpb.Reference_GroupId{
				GroupId: &dpb.ReferenceId{Value: about.id.Reveal()},
			}},
			Type: r4.Coding(systemEntityType, "2", "System Object"),
			Role: r4.Coding(systemObjectRole, "1", "Patient"),
		}}
	case inline:
		var all []*apb.AuditEvent_Entity
		for _, id := range about.members {
			all = append(all, person(patientReference(id)))
		}
		return all
	}
	return nil
}

func patientReference(id phi.ID) *dpb.Reference {
	return &dpb.Reference{Reference: &dpb.Reference_PatientId{
		PatientId: &dpb.ReferenceId{Value: id.Reveal()},
	}}
}
