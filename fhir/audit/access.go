package audit

import (
	"strings"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	apb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/audit_event_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
)

// Interaction is what a request does, by its code in FHIR's restful-interaction.
type Interaction string

// The interactions that the API has. Operation is any $operation, Batch the Bundle of requests
// itself: each request in it has an event of its own.
const (
	Read      Interaction = "read"
	Search    Interaction = "search-type"
	Create    Interaction = "create"
	Update    Interaction = "update"
	Delete    Interaction = "delete"
	Operation Interaction = "operation"
	Batch     Interaction = "batch"
	// History is of one resource. The patterns know no such reading, so that it is a question.
	History Interaction = "history-instance"
)

// Access is a request to the FHIR API.
type Access struct {
	Agent       Agent
	Outcome     Outcome
	Interaction Interaction
	// Resource is what was read, written or deleted, as Type/id.
	Resource string
	// Query is what was asked, as it came: the part of the address below the base with its query, and
	// what the body adds. It is for every interaction but Read, Create, Update and Delete.
	Query string
	// Request is the id of the request, by which log and trail find each other.
	Request string
	// Patients are those whom the request names. Groups are ids of Groups that it names instead:
	// their members are found by them.
	Patients []phi.ID
	Groups   []phi.ID
	// Subjects are further things that it is about, by their canonicals: measures.
	Subjects []string
	// Details are about the answer.
	Details []Detail
}

// maxQuery bounds what is kept of a question.
const maxQuery = 64 << 10

// Access makes the event of a request.
func (b Builder) Access(a Access) ([]byte, error) {
	shape := shapeOf(a.Interaction)
	event := b.event(shape.action, a.Outcome)
	event.Type = r4.Coding(systemEventType, "rest", "Restful Operation")
	event.Subtype = []*dpb.Coding{
		r4.Coding(systemInteraction, string(a.Interaction), string(a.Interaction)),
	}
	other := source
	if shape.client == source {
		other = destination
	}
	add(event, a.Agent.client(shape.client.coding(), application()), b.server(other),
		a.Agent.user(shape.user...))
	event.Entity = a.entities(shape)
	pattern := "IHE.BasicAudit." + shape.pattern
	if len(a.Patients) == 1 {
		pattern = "IHE.BasicAudit.Patient" + shape.pattern
	}
	var patterns []string
	if a.Agent.Address != "" { // Which the patterns of requests want to know.
		patterns = append(patterns, pattern)
	}
	if a.Agent.Token != "" {
		patterns = append(patterns, tokenUse)
	}
	claim(event, patterns...)
	return marshal(event)
}

// shape is what the pattern of an interaction lays down.
type shape struct {
	pattern string
	action  cpb.AuditEventActionCode_Value
	// client is the side of who asks.
	client side
	// user are further types of the person: who writes is an author.
	user []*dpb.Coding
	// asks says that the entity is a question, not a resource.
	asks bool
}

func shapeOf(i Interaction) shape {
	switch i {
	case Read:
		return shape{pattern: "Read", action: cpb.AuditEventActionCode_R, client: destination}
	case Create:
		return shape{pattern: "Create", action: cpb.AuditEventActionCode_C, client: source,
			user: []*dpb.Coding{r4.Coding(systemParticipation, "AUT", "author (originator)")}}
	case Update:
		return shape{pattern: "Update", action: cpb.AuditEventActionCode_U, client: source,
			user: []*dpb.Coding{r4.Coding(systemParticipation, "AUT", "author (originator)")}}
	case Delete:
		return shape{pattern: "Delete", action: cpb.AuditEventActionCode_D, client: source,
			user: []*dpb.Coding{r4.Coding(systemParticipation, "CST", "custodian")}}
	case Search, Operation, Batch, History:
	}
	return shape{pattern: "Query", action: cpb.AuditEventActionCode_E, client: source, asks: true}
}

// entities are what the request was about. What the patterns know comes first; a measure, which
// they do not know, has the type Other so that it is not taken for the question.
func (a Access) entities(of shape) []*apb.AuditEvent_Entity {
	var all []*apb.AuditEvent_Entity
	if of.asks {
		all = append(all, question(a.Query))
	} else {
		all = append(all, &apb.AuditEvent_Entity{
			What: reference(a.Resource), Type: systemObject(),
			Role: r4.Coding(systemObjectRole, "4", "Domain Resource"),
		})
	}
	for _, id := range a.Patients {
		all = append(all, patient(id))
	}
	for _, id := range a.Groups {
		all = append(all, &apb.AuditEvent_Entity{
			What: r4.Refer("Group", id.Reveal()), Type: otherObject(),
			Role: r4.Coding(systemObjectRole, "1", "Patient"),
		})
	}
	for _, url := range a.Subjects {
		all = append(all, &apb.AuditEvent_Entity{
			What: r4.Named("Measure", url), Type: otherObject(),
			Role: r4.Coding(systemObjectRole, "3", "Report"),
		})
	}
	return append(all, facts(a.Request, a.Details)...)
}

// facts are the id of the request, and what else is to be said.
func facts(request string, details []Detail) []*apb.AuditEvent_Entity {
	var all []*apb.AuditEvent_Entity
	if request != "" {
		all = append(all, &apb.AuditEvent_Entity{
			What: identified("", request, ""), Type: r4.Coding(systemBasicEntity, "XrequestId", ""),
		})
	}
	if said := detailed(details); len(said) > 0 {
		all = append(all, &apb.AuditEvent_Entity{Type: otherObject(), Detail: said})
	}
	return all
}

// question is what was asked. What is longer than any honest question is cut off.
func question(text string) *apb.AuditEvent_Entity {
	if text == "" {
		text = "/"
	}
	return &apb.AuditEvent_Entity{
		Type: systemObject(), Role: r4.Coding(systemObjectRole, "24", "Query"),
		Query: &dpb.Base64Binary{Value: []byte(text[:min(len(text), maxQuery)])},
	}
}

func systemObject() *dpb.Coding { return r4.Coding(systemEntityType, "2", "System Object") }
func otherObject() *dpb.Coding  { return r4.Coding(systemEntityType, "4", "Other") }

func patient(id phi.ID) *apb.AuditEvent_Entity {
	return &apb.AuditEvent_Entity{
		What: &dpb.Reference{Reference: &dpb.Reference_PatientId{
			PatientId: &dpb.ReferenceId{Value: id.Reveal()},
		}},
		Type: r4.Coding(systemEntityType, "1", "Person"),
		Role: r4.Coding(systemObjectRole, "1", "Patient"),
	}
}

// reference reads Type/id; what is none is named by its words.
func reference(text string) *dpb.Reference {
	if kind, id, ok := strings.Cut(text, "/"); ok && id != "" && !strings.Contains(id, "/") {
		return r4.Refer(kind, id)
	}
	return &dpb.Reference{Display: r4.Text(text)}
}

// detailed writes details; one without a value is left out, for FHIR has no empty strings.
func detailed(all []Detail) []*apb.AuditEvent_Entity_Detail {
	var out []*apb.AuditEvent_Entity_Detail
	for _, d := range all {
		if d.Value == "" {
			continue
		}
		out = append(out, &apb.AuditEvent_Entity_Detail{
			Type: r4.Text(d.Name),
			Value: &apb.AuditEvent_Entity_Detail_ValueX{
				Choice: &apb.AuditEvent_Entity_Detail_ValueX_StringValue{StringValue: r4.Text(d.Value)},
			},
		})
	}
	return out
}
