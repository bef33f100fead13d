package audit

import (
	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	apb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/audit_event_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
)

// Entry is somebody who comes in or leaves. Of a person who could not be identified the Agent has
// no Subject.
type Entry struct {
	Agent   Agent
	Outcome Outcome
	// Tenant is the EHR or provider through which they come.
	Tenant  string
	Request string
}

// SignIn makes the event of a person who signed in, or tried to.
func (b Builder) SignIn(e Entry) ([]byte, error) { return b.entry(e, "110122", "Login") }

// SignOut makes the event of a person who signed out.
func (b Builder) SignOut(e Entry) ([]byte, error) { return b.entry(e, "110123", "Logout") }

func (b Builder) entry(e Entry, code, display string) ([]byte, error) {
	event := b.event(cpb.AuditEventActionCode_E, e.Outcome)
	event.Type = r4.Coding(systemDICOM, "110114", "User Authentication")
	event.Subtype = []*dpb.Coding{r4.Coding(systemDICOM, code, display)}
	add(event, e.Agent.client(application()), b.server(destination), e.Agent.user())
	event.Entity = facts(e.Request, []Detail{{"tenant", e.Tenant}})
	return marshal(event)
}

// Chart is a chart of one patient: opened from the EHR, read for the page, or looked at by the
// hook.
type Chart struct {
	Agent   Agent
	Outcome Outcome
	// Tenant is the EHR whose patient this is.
	Tenant  string
	Patient phi.ID
	// Encounter is that in whose context it was opened, if any.
	Encounter phi.ID
	// Types are the resource types that were read.
	Types   []string
	Request string
}

// Launch makes the event of a page that an EHR opened for a patient. A launch that failed may have
// no patient.
func (b Builder) Launch(c Chart) ([]byte, error) {
	return b.chart(c, source, cpb.AuditEventActionCode_E,
		r4.Coding(systemDICOM, "110100", "Application Activity"),
		r4.Coding(systemEvent, "launch", "SMART launch"))
}

// ChartRead makes the event of a look into the chart of a patient: the pattern PatientRead, in
// which we are the client of the EHR for the person.
func (b Builder) ChartRead(c Chart) ([]byte, error) {
	return b.chart(c, destination, cpb.AuditEventActionCode_R,
		r4.Coding(systemEventType, "rest", "Restful Operation"),
		r4.Coding(systemInteraction, string(Read), string(Read)))
}

// Hook makes the event of a call of a CDS service about a patient.
func (b Builder) Hook(c Chart) ([]byte, error) {
	return b.chart(c, source, cpb.AuditEventActionCode_E,
		r4.Coding(systemEventType, "rest", "Restful Operation"),
		r4.Coding(systemEvent, "cds-hook", "CDS Hooks service call"))
}

func (b Builder) chart(
	c Chart, at side, action cpb.AuditEventActionCode_Value, kind, subtype *dpb.Coding,
) ([]byte, error) {
	event := b.event(action, c.Outcome)
	event.Type, event.Subtype = kind, []*dpb.Coding{subtype}
	other := destination
	if at == destination {
		other = source
	}
	add(event, c.Agent.client(at.coding(), application()), b.server(other), c.Agent.user())
	details := []Detail{{"tenant", c.Tenant}}
	for _, name := range c.Types {
		details = append(details, Detail{"type", name})
	}
	if !c.Encounter.Empty() {
		details = append(details, Detail{"encounter", c.Encounter.Reveal()})
	}
	if !c.Patient.Empty() {
		event.Entity = append(event.Entity, patient(c.Patient))
		if subtype.Code.Value == string(Read) {
			event.Entity = append([]*apb.AuditEvent_Entity{{
				What: r4.Refer("Patient", c.Patient.Reveal()), Type: systemObject(),
				Role: r4.Coding(systemObjectRole, "4", "Domain Resource"),
			}}, event.Entity...)
			if c.Agent.Address != "" {
				claim(event, "IHE.BasicAudit.PatientRead")
			}
		}
	}
	event.Entity = append(event.Entity, facts(c.Request, details)...)
	return marshal(event)
}

// Token is a token that was given out, or refused.
type Token struct {
	Agent   Agent
	Outcome Outcome
	// Grant is the grant_type that was asked for, Scope what was granted.
	Grant, Scope string
	Request      string
}

// Token makes the event of a token request: the pattern of IHE's Get Access Token as far as it goes
// without the request itself, which would hold an assertion or a code.
func (b Builder) Token(t Token) ([]byte, error) {
	event := b.event(cpb.AuditEventActionCode_E, t.Outcome)
	event.Type = r4.Coding(systemDICOM, "110114", "User Authentication")
	event.Subtype = []*dpb.Coding{r4.Coding(systemIHEEvent, "ITI-71", "Get Access Token")}
	add(event, t.Agent.client(application()), b.server(destination), t.Agent.user())
	event.Entity = append(event.Entity, question("grant_type="+t.Grant))
	if t.Outcome.Grade == Success && t.Agent.Token != "" {
		event.Entity = append(event.Entity, &apb.AuditEvent_Entity{
			What: identified("", t.Agent.Token, ""), Type: systemObject(),
			Role:   r4.Coding(systemObjectRole, "13", "Security Resource"),
			Detail: detailed([]Detail{{"scope", t.Scope}, {"grant_type", t.Grant}}),
		})
	}
	event.Entity = append(event.Entity, facts(t.Request, nil)...)
	return marshal(event)
}

// Deed is an act of administration: sessions and tokens that were ended, a sync that was started.
type Deed struct {
	Agent   Agent
	Outcome Outcome
	// Code says what was done, in one word with hyphens; Display in a few.
	Code, Display string
	// Whom is the person or the program that it was done to, if any.
	Whom    string
	Request string
	Details []Detail
}

// Admin makes the event of an act of administration.
func (b Builder) Admin(d Deed) ([]byte, error) {
	event := b.event(cpb.AuditEventActionCode_E, d.Outcome)
	event.Type = r4.Coding(systemDICOM, "110113", "Security Alert")
	if d.Whom == "" {
		event.Type = r4.Coding(systemDICOM, "110100", "Application Activity")
	}
	event.Subtype = []*dpb.Coding{r4.Coding(systemEvent, d.Code, d.Display)}
	add(event, d.Agent.client(source.coding(), application()), b.server(destination), d.Agent.user())
	if d.Whom != "" {
		event.Entity = append(event.Entity, &apb.AuditEvent_Entity{
			What: identified("", d.Whom, ""), Type: r4.Coding(systemEntityType, "1", "Person"),
			Role: r4.Coding(systemObjectRole, "11", "Security User Entity"),
		})
	}
	event.Entity = append(event.Entity, facts(d.Request, d.Details)...)
	return marshal(event)
}

// Command is a look at people on the command line, which no token stands for.
type Command struct {
	// User is the account of the operating system.
	User     string
	Patients []phi.ID
	Subjects []string
	Details  []Detail
	Outcome  Outcome
}

// Command makes the event of a look on the command line.
func (b Builder) Command(c Command) ([]byte, error) {
	event := b.event(cpb.AuditEventActionCode_R, c.Outcome)
	event.Type = r4.Coding(systemDICOM, "110112", "Query")
	event.Subtype = []*dpb.Coding{r4.Coding(systemEvent, "command-line", "command line")}
	user := c.User
	if user == "" {
		user = "unknown"
	}
	event.Agent = []*apb.AuditEvent_Agent{{
		Type: &dpb.CodeableConcept{Coding: []*dpb.Coding{
			r4.Coding(systemParticipation, "IRCP", "information recipient"),
		}},
		Who: identified("", user, ""), AltId: r4.Text(user),
		Name: r4.Text("user of the command line"), Requestor: &dpb.Boolean{Value: true},
	}}
	access := Access{Patients: c.Patients, Subjects: c.Subjects, Details: c.Details}
	event.Entity = access.entities(shape{asks: true})[1:] // There is no question as text.
	return marshal(event)
}
