package cds

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/phi"
)

// problem is an answer other than 200. What it says is for the EHR's engineers, and repeats nothing
// of the call.
type problem struct {
	status int
	say    string
}

// Error returns the text of the problem.
func (p *problem) Error() string { return p.say }

// hook is the one hook that the service is for.
const hook = "patient-view"

// The keys of the prefetch that discovery asks for.
const (
	prefetchPatient   = "patient"
	prefetchEncounter = "encounter"
)

// call is the body of a call to the service. https://cds-hooks.hl7.org/2.0/#http-request_1
type call struct {
	Hook         string `json:"hook"`
	HookInstance string `json:"hookInstance"`
	FHIRServer   string `json:"fhirServer"`
	Access       *struct {
		Token   string `json:"access_token"`
		Type    string `json:"token_type"`
		Scope   string `json:"scope"`
		Patient string `json:"patient"`
	} `json:"fhirAuthorization"`
	Context struct {
		User      string `json:"userId"`
		Patient   string `json:"patientId"`
		Encounter string `json:"encounterId"`
	} `json:"context"`
	Prefetch map[string]jsontext.Value `json:"prefetch"`
}

// parseCall reads a body. Its errors repeat nothing of it. Names that are there twice are refused:
// two readers could take two patients from one call.
func parseCall(body []byte) (call, error) {
	bad := func(say string) (call, error) {
		return call{}, &problem{http.StatusBadRequest, say}
	}
	var c call
	if json.Unmarshal(body, &c) != nil {
		return bad("the body is not the JSON of a CDS Hooks request")
	}
	_, err := uuid.Parse(c.HookInstance)
	switch {
	case c.Hook != hook:
		return bad("hook is not " + hook)
	case err != nil || len(c.HookInstance) != len(uuid.UUID{}.String()):
		return bad("hookInstance is not a UUID")
	case !idShaped(c.Context.Patient):
		return bad("context.patientId is not the id of a resource")
	case c.Context.Encounter != "" && !idShaped(c.Context.Encounter):
		return bad("context.encounterId is not the id of a resource")
	case !userShaped(c.Context.User):
		return bad("context.userId is not the type and id of a user")
	}
	if a := c.Access; a != nil {
		switch {
		case a.Token == "" || !strings.EqualFold(a.Type, "Bearer") || !printable(a.Token):
			return bad("fhirAuthorization holds no bearer token")
		case c.FHIRServer == "":
			return bad("fhirAuthorization comes without fhirServer")
		case a.Patient != "" && a.Patient != c.Context.Patient:
			return bad("fhirAuthorization is for another patient than the context")
		}
	}
	return c, nil
}

// idShaped reports whether text can be the id of a resource. R4 allows 64 characters; some EHRs
// exceed that.
func idShaped(text string) bool {
	const longest = 256
	return text != "" && len(text) <= longest && text != "." && text != ".." &&
		printable(text) && !strings.ContainsAny(text, `/\?#|%`)
}

// printable reports whether text is visible ASCII without spaces.
func printable(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// userShaped reports whether text is "Practitioner/1" or the like.
func userShaped(text string) bool {
	kind, id, _ := strings.Cut(text, "/")
	users := []string{"Practitioner", "PractitionerRole", "Patient", "RelatedPerson"}
	return slices.Contains(users, kind) && idShaped(id)
}

// documents returns the prefetched resources, if both are there. An EHR puts null, or an
// OperationOutcome, where it could not fetch one.
func (c call) documents() (patient, encounter []byte, ok bool) {
	patient, encounter = c.Prefetch[prefetchPatient], c.Prefetch[prefetchEncounter]
	return patient, encounter, resourceType(patient) == "Patient" &&
		resourceType(encounter) == "Encounter"
}

// resourceType is that of a document, "" if it is no resource.
func resourceType(document []byte) string {
	var head struct {
		ResourceType string `json:"resourceType"`
	}
	if len(document) == 0 || json.Unmarshal(document, &head) != nil {
		return ""
	}
	return head.ResourceType
}

// access is what the call allows at the EHR of t.
func (c call) access(t *tenant) bedside.Access {
	a := bedside.Access{
		Tenant: t.Name, BaseURL: t.FHIRServer,
		Patient: phi.New(c.Context.Patient), Encounter: phi.New(c.Context.Encounter),
		AllowLoopback: t.AllowLoopback, AllowPrivateNetworks: t.AllowPrivateNetworks, RootCAs: t.RootCAs,
	}
	if c.Access != nil {
		a.Token = c.Access.Token
		for field := range strings.FieldsSeq(c.Access.Scope) {
			// A scope that cannot be read grants nothing, and does not take away the others.
			if one, err := scope.Parse(field); err == nil {
				a.Scopes = append(a.Scopes, one)
			}
		}
	}
	return a
}

// sameServer reports whether the call names the registered FHIR base of t, or none.
func (c call) sameServer(t *tenant) bool {
	return c.FHIRServer == "" ||
		strings.TrimRight(c.FHIRServer, "/") == strings.TrimRight(t.FHIRServer, "/")
}
