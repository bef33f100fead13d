package audit

import (
	"strconv"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	apb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/audit_event_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
)

// Decision is something that a person wrote down on a page, such as the answer of a review, or tried to.
// What was written is not in the trail: its words may name people, and every version of it is kept where
// it stands.
type Decision struct {
	Agent   Agent
	Outcome Outcome
	// Code says what was done, in one word with hyphens; Display in a few.
	Code, Display string
	// Resource is what it was done to, as Type/id of the API; empty where nothing came of it. Version is
	// the one that came of it, 0 where none did; the first is a creation, any other an update.
	Resource string
	Version  int
	// Patients are those whom it is about.
	Patients []phi.ID
	Request  string
	Details  []Detail
}

// Decide makes the event of a decision. About a patient it is one of the patient's record, in the words
// of DICOM, else an activity of the application.
func (b Builder) Decide(d Decision) ([]byte, error) {
	action := cpb.AuditEventActionCode_U
	if d.Version == 1 {
		action = cpb.AuditEventActionCode_C
	}
	event := b.event(action, d.Outcome)
	event.Type = r4.Coding(systemDICOM, "110100", "Application Activity")
	if len(d.Patients) > 0 {
		event.Type = r4.Coding(systemDICOM, "110110", "Patient Record")
	}
	event.Subtype = []*dpb.Coding{r4.Coding(systemEvent, d.Code, d.Display)}
	add(event, d.Agent.client(source.coding(), application()), b.server(destination),
		d.Agent.user(r4.Coding(systemParticipation, "AUT", "author (originator)")))
	if d.Resource != "" {
		event.Entity = append(event.Entity, &apb.AuditEvent_Entity{
			What: reference(d.Resource), Type: systemObject(),
			Role: r4.Coding(systemObjectRole, "4", "Domain Resource"),
		})
	}
	for _, id := range d.Patients {
		event.Entity = append(event.Entity, patient(id))
	}
	details := d.Details
	if d.Version > 0 {
		details = append(details[:len(details):len(details)], Detail{"version", strconv.Itoa(d.Version)})
	}
	event.Entity = append(event.Entity, facts(d.Request, details)...)
	return marshal(event)
}
