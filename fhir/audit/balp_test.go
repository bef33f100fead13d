package audit_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// This file is the patterns of IHE (Basic Audit Log Patterns 1.1.4) and the invariants of R4,
// written out a second time as rules over JSON.

const (
	dicom         = "http://dicom.nema.org/resources/ontology/DCM"
	eventType     = "http://terminology.hl7.org/CodeSystem/audit-event-type"
	interaction   = "http://hl7.org/fhir/restful-interaction"
	entityType    = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
	objectRole    = "http://terminology.hl7.org/CodeSystem/object-role"
	participation = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
)

func pattern(name string) string {
	return "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit." + name
}

var instant = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

// rules collects what is broken.
type rules struct {
	e      made
	broken []string
}

func (r *rules) must(holds bool, text string, args ...any) {
	if !holds {
		r.broken = append(r.broken, fmt.Sprintf(text, args...))
	}
}

// agents are those of a type.
func (r *rules) agents(system, code string) []agent {
	var all []agent
	for _, a := range r.e.Agent {
		if slices.Contains(a.Type.Coding, coding{system, code}) {
			all = append(all, a)
		}
	}
	return all
}

func (r *rules) entities(kind coding) []entity {
	var all []entity
	for _, one := range r.e.Entity {
		if one.Type == kind {
			all = append(all, one)
		}
	}
	return all
}

// faults lists the rules of R4, of this house and of the claimed patterns that an event breaks.
func faults(e made) []string {
	r := &rules{e: e}
	r.must(e.ResourceType == "AuditEvent" && e.ID != "", "it has no id")
	r.must(e.Type.System != "" && e.Type.Code != "" && len(e.Subtype) == 1, "it has no type or subtype")
	r.must(strings.Contains("CRUDE", e.Action) && len(e.Action) == 1, "the action is %q", e.Action)
	r.must(instant.MatchString(e.Recorded), "it was recorded at %q", e.Recorded)
	r.must(e.Source.Observer.Display != "" && len(e.Source.Type) == 1, "it says not who observed")
	r.must(len(e.Agent) > 0, "nobody acted")
	requestors := 0
	for _, a := range e.Agent {
		r.must(a.Requestor != nil && a.Who != nil && a.Who.Identifier.Value != "",
			"an agent is nobody")
		if a.Requestor != nil && *a.Requestor {
			requestors++
		}
	}
	r.must(requestors == 1, "%d agents are the requestor", requestors)
	for _, one := range e.Entity {
		r.must(one.What != nil || one.Query != nil || len(one.Detail) > 0, "an entity is nothing")
		r.must(one.Type.Code != "1" || one.Role.Code == "1" || one.Role.Code == "11",
			"a person has the role %s", one.Role.Code)
	}
	for _, profile := range e.Meta.Profile {
		r.must(e.Outcome == "0", "outcome %s claims %s", e.Outcome, profile)
		r.pattern(strings.TrimPrefix(profile, pattern("")))
	}
	return r.broken
}

func (r *rules) pattern(name string) {
	switch bare, about := strings.CutPrefix(name, "Patient"); bare {
	case "OAUTHaccessTokenUse.Comprehensive":
		r.tokenUse()
		return
	case "Read":
		r.request("R", []string{"read", "vread"}, "110152", "110153", "IRCP")
		r.data()
		r.patients(about)
	case "Create":
		r.request("C", []string{"create"}, "110153", "110152", "AUT")
		r.data()
		r.patients(about)
	case "Update":
		r.request("U", []string{"update", "patch"}, "110153", "110152", "AUT")
		r.data()
		r.patients(about)
	case "Delete":
		r.request("D", []string{"delete"}, "110153", "110152", "CST")
		r.data()
		r.patients(about)
	case "Query":
		r.request("E", nil, "110153", "110152", "IRCP")
		asked := r.entities(coding{entityType, "2"})
		r.must(len(asked) == 1 && asked[0].What == nil && len(asked[0].Query) > 0 &&
			asked[0].Role == coding{objectRole, "24"} && len(asked[0].Detail) == 0,
			"the question is %+v", asked)
		if about {
			r.patients(true)
		}
	default:
		r.must(false, "there is no pattern %s", name)
	}
}

// request are the rules that all patterns of requests share.
func (r *rules) request(action string, subtypes []string, client, server, user string) {
	e := r.e
	r.must(e.Type == coding{eventType, "rest"}, "the type is %v", e.Type)
	r.must(e.Action == action, "the action is %s", e.Action)
	r.must(e.Subtype[0].System == interaction, "the subtype is %v", e.Subtype)
	r.must(subtypes == nil || slices.Contains(subtypes, e.Subtype[0].Code), "the subtype is %v", e.Subtype)
	for _, code := range []string{client, server} {
		found := r.agents(dicom, code)
		r.must(len(found) == 1, "%d agents are of the type %s", len(found), code)
		for _, a := range found {
			r.must(a.Network != nil && a.Network.Address != "" && a.Network.Type != "",
				"an agent of the type %s is nowhere", code)
			r.must(a.AltID == "" && a.Name == "" && len(a.Role) == 0, "a program has what a person has")
		}
	}
	for _, a := range r.e.Agent {
		if a.Network == nil {
			r.must(slices.Contains(a.Type.Coding, coding{participation, user}), "no person is %s", user)
			r.must(a.Requestor != nil && *a.Requestor && a.AltID == "", "a person asks for nothing")
		}
	}
	transactions := 0
	for _, one := range e.Entity {
		if one.Type.Code == "XrequestId" {
			transactions++
			r.must(one.What.Identifier.Value != "" && one.Query == nil && len(one.Detail) == 0,
				"the transaction is %+v", one)
		}
	}
	r.must(transactions <= 1, "there are %d transactions", transactions)
}

// data is the resource that was read or written.
func (r *rules) data() {
	found := r.entities(coding{entityType, "2"})
	r.must(len(found) == 1 && found[0].What != nil && found[0].Query == nil &&
		len(found[0].Detail) == 0 && found[0].Role.System == objectRole &&
		slices.Contains([]string{"3", "4", "20"}, found[0].Role.Code), "the data are %+v", found)
}

// patients: one where the pattern is about one, and none where it is not.
func (r *rules) patients(about bool) {
	found := r.entities(coding{entityType, "1"})
	r.must(len(found) == 1 == about, "%d patients", len(found))
	for _, one := range found {
		r.must(one.Role == coding{objectRole, "1"} && strings.HasPrefix(one.What.Reference, "Patient/") &&
			one.Query == nil && len(one.Detail) == 0, "the patient is %+v", one)
	}
}

// tokenUse are the agents of a request with a token.
func (r *rules) tokenUse() {
	clients := r.agents(dicom, "110150")
	r.must(len(clients) == 1 && clients[0].Who.Identifier.Value != "", "%d applications", len(clients))
	users := r.agents(participation, "IRCP")
	r.must(len(users) <= 1, "%d users", len(users))
	for _, u := range users {
		r.must(len(u.Policy) == 1 && u.Who.Identifier.Value != "" && u.Name != "" && u.Network == nil &&
			u.Requestor != nil && *u.Requestor, "the user is %+v", u)
	}
}
