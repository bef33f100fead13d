package audit

import (
	"cmp"
	"fmt"
	"time"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	apb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/audit_event_go_proto"
	"github.com/google/uuid"

	"github.com/equitylens/equitylens/fhir/r4"
)

// Builder makes events. What it returns is one AuditEvent in JSON on one line, without its end. It
// is safe for concurrent use.
type Builder struct {
	// Observer is who records: the name of the installation.
	Observer string
	// Address is the public address of what records; empty for the command line.
	Address string
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// NewID makes the id of an event. Nil means a random UUID.
	NewID func() string
}

// Agent is who acts: a program, and the person on whose behalf it does, if any.
type Agent struct {
	// Client is the id of the program; Address is where its connection comes from.
	Client  string
	Address string
	// Subject is the person as their issuer knows them: a stable name that says nothing by itself.
	// Empty means that the program acts for itself.
	Subject, Issuer string
	// Name is what people call the person, where it is known.
	Name  string
	Roles []string
	// Token is the id of the token, never the token itself.
	Token string
}

// Grade is how bad an outcome is.
type Grade int

// The grades: it was done; it was refused or could not be done as it was asked; something of ours
// went wrong.
const (
	Success Grade = iota
	Refused
	Failed
)

// Outcome is what came of an act. Words say why; they name nobody.
type Outcome struct {
	Grade Grade
	Words string
}

// Detail is a fact about an event that no element holds.
type Detail struct{ Name, Value string }

const (
	systemEventType     = "http://terminology.hl7.org/CodeSystem/audit-event-type"
	systemDICOM         = "http://dicom.nema.org/resources/ontology/DCM"
	systemInteraction   = "http://hl7.org/fhir/restful-interaction"
	systemEntityType    = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
	systemObjectRole    = "http://terminology.hl7.org/CodeSystem/object-role"
	systemParticipation = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
	systemSourceType    = "http://terminology.hl7.org/CodeSystem/security-source-type"
	systemBasicEntity   = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
	systemIHEEvent      = "urn:ihe:event-type-code"
	// systemEvent and systemRole are ours, for what nobody else has a code.
	systemEvent = "https://equitylens.org/fhir/CodeSystem/audit-event"
	systemRole  = "https://equitylens.org/fhir/CodeSystem/role"
	// profiles is where the patterns of IHE are defined.
	profiles = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/"
	// tokenUse is the pattern of a request that carried a token.
	tokenUse = "IHE.BasicAudit.OAUTHaccessTokenUse.Comprehensive" // #nosec G101 -- a name
)

// event makes what all events have in common.
func (b Builder) event(action cpb.AuditEventActionCode_Value, what Outcome) *apb.AuditEvent {
	now, id := time.Now, uuid.NewString
	if b.Now != nil {
		now = b.Now
	}
	if b.NewID != nil {
		id = b.NewID
	}
	outcome := map[Grade]cpb.AuditEventOutcomeCode_Value{
		Success: cpb.AuditEventOutcomeCode_SUCCESS, Refused: cpb.AuditEventOutcomeCode_MINOR_FAILURE,
		Failed: cpb.AuditEventOutcomeCode_SERIOUS_FAILURE,
	}[what.Grade]
	return &apb.AuditEvent{
		Id:     &dpb.Id{Value: id()},
		Action: &apb.AuditEvent_ActionCode{Value: action},
		Recorded: &dpb.Instant{
			ValueUs: now().UnixMicro(), Timezone: "Z", Precision: dpb.Instant_MILLISECOND,
		},
		Outcome:     &apb.AuditEvent_OutcomeCode{Value: outcome},
		OutcomeDesc: r4.Text(what.Words),
		Source: &apb.AuditEvent_Source{
			Observer: r4.Named("Device", cmp.Or(b.Observer, "EquityLens")),
			Type:     []*dpb.Coding{r4.Coding(systemSourceType, "4", "Application Server")},
		},
	}
}

// claim says which patterns an event has, which are for what succeeded alone.
func claim(event *apb.AuditEvent, patterns ...string) {
	if event.Outcome.Value != cpb.AuditEventOutcomeCode_SUCCESS || len(patterns) == 0 {
		return
	}
	event.Meta = &dpb.Meta{}
	for _, pattern := range patterns {
		event.Meta.Profile = append(event.Meta.Profile, &dpb.Canonical{Value: profiles + pattern})
	}
}

// side is the end of a connection at which an agent stands, in the words of DICOM: where what is
// sent comes from, and where it goes. In a read that is the answer, in a query the question.
type side int

const (
	source side = iota
	destination
)

func (s side) coding() *dpb.Coding {
	if s == source {
		return r4.Coding(systemDICOM, "110153", "Source Role ID")
	}
	return r4.Coding(systemDICOM, "110152", "Destination Role ID")
}

func application() *dpb.Coding { return r4.Coding(systemDICOM, "110150", "Application") }

// client is the program that asks. Where nobody stands behind it, it is who wants this.
func (a Agent) client(types ...*dpb.Coding) *apb.AuditEvent_Agent {
	out := &apb.AuditEvent_Agent{
		Type:      &dpb.CodeableConcept{Coding: types},
		Who:       identified("", cmp.Or(a.Client, "unknown"), ""),
		Requestor: &dpb.Boolean{Value: a.Subject == ""},
	}
	if a.Address != "" {
		out.Network = network(a.Address, 2)
	}
	if a.Subject == "" && a.Token != "" {
		out.Policy = []*dpb.Uri{r4.URI(a.Token)}
	}
	return out
}

// user is the person; nil where there is none.
func (a Agent) user(types ...*dpb.Coding) *apb.AuditEvent_Agent {
	if a.Subject == "" {
		return nil
	}
	types = append(types, r4.Coding(systemParticipation, "IRCP", "information recipient"))
	out := &apb.AuditEvent_Agent{
		Type: &dpb.CodeableConcept{Coding: types},
		Who:  identified(a.Issuer, a.Subject, a.Name), Name: r4.Text(cmp.Or(a.Name, a.Subject)),
		Requestor: &dpb.Boolean{Value: true},
	}
	for _, role := range a.Roles {
		out.Role = append(out.Role, r4.Concept(systemRole, role, ""))
	}
	if a.Token != "" {
		out.Policy = []*dpb.Uri{r4.URI(a.Token)}
	}
	return out
}

// server is this program itself.
func (b Builder) server(at side) *apb.AuditEvent_Agent {
	const uri = 5
	return &apb.AuditEvent_Agent{
		Type:      &dpb.CodeableConcept{Coding: []*dpb.Coding{at.coding()}},
		Who:       identified("", cmp.Or(b.Observer, "EquityLens"), ""),
		Requestor: &dpb.Boolean{},
		Network:   network(cmp.Or(b.Address, "unknown"), uri),
	}
}

// network is where an agent is: kind 2 is an IP address, 5 a URI.
func network(address string, kind int) *apb.AuditEvent_Agent_Network {
	code := cpb.AuditEventAgentNetworkTypeCode_IP_ADDRESS
	if kind != 2 {
		code = cpb.AuditEventAgentNetworkTypeCode_URI
	}
	return &apb.AuditEvent_Agent_Network{
		Address: r4.Text(address), Type: &apb.AuditEvent_Agent_Network_TypeCode{Value: code},
	}
}

// identified names somebody by an identifier.
func identified(system, value, display string) *dpb.Reference {
	return &dpb.Reference{
		Identifier: &dpb.Identifier{System: r4.URI(system), Value: r4.Text(value)},
		Display:    r4.Text(display),
	}
}

// add appends the agents that there are.
func add(event *apb.AuditEvent, agents ...*apb.AuditEvent_Agent) {
	for _, agent := range agents {
		if agent != nil {
			event.Agent = append(event.Agent, agent)
		}
	}
}

func marshal(event *apb.AuditEvent) ([]byte, error) {
	text, err := r4.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("make audit event: %w", err)
	}
	return text, nil
}
