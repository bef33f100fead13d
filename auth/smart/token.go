package smart

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/internal/phi"
)

// Token is what lets us read from an EHR as the person who opened us. It prints as a fixed word.
type Token struct {
	// Access is sent as a bearer token, to Base and nowhere else.
	Access string
	// Refresh gets the next one; "" where the server gave none.
	Refresh string
	// Scopes are the granted ones; what could not be read as a scope is left out.
	Scopes  scope.Set
	Expires time.Time
	// Base is the FHIR base without a trailing slash; "" at a provider that is no EHR.
	Base string
}

// Format writes a fixed word for every verb.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[token]") }

// LogValue makes slog print a fixed word.
func (Token) LogValue() slog.Value { return slog.StringValue("[token]") }

// Context is what the EHR says about where it opened us.
type Context struct {
	// Patient and Encounter are logical ids; empty where the EHR names none.
	Patient, Encounter phi.ID
	// NeedPatientBanner says that the page has to show who the patient is. An EHR that does not say
	// is taken to need it: a page about an unnamed patient is read for the wrong one.
	NeedPatientBanner bool
	Intent            string
	// StyleURL is an https URL that is kept as text and fetched by nobody.
	StyleURL string
	// Tenant is the EHR's own name of the organisation.
	Tenant string
	// FHIR is fhirContext: other resources that are open.
	FHIR []Reference
}

// Reference is one entry of fhirContext.
type Reference struct {
	Type string
	// Reference is relative, as Type/id.
	Reference phi.ID
	Canonical string
	// Role is a URI; "" means launch.
	Role string
}

// Identity is who the person is, by a validated id_token.
type Identity struct {
	// Issuer and Subject together name one person for good.
	Issuer, Subject string
	// Name is for display; it may be empty.
	Name string
	// FHIRUser is the person's own resource as Type/id at the tenant's FHIR server; it may be
	// empty.
	FHIRUser string
	// Claims are all claims of the id_token, for rules that give roles.
	Claims map[string]any
}

// Format writes a fixed word for every verb.
func (Identity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[identity]") }

// LogValue makes slog print a fixed word.
func (Identity) LogValue() slog.Value { return slog.StringValue("[identity]") }

// Kind says what a flow was for.
type Kind string

// The kinds of flows.
const (
	// KindLaunch is an EHR launch: the page in the chart.
	KindLaunch Kind = "launch"
	// KindSignIn is a person who signs in.
	KindSignIn Kind = "sign-in"
)

// Visit is a flow that has come to its end.
type Visit struct {
	// Tenant is the name of the tenant.
	Tenant string
	Kind   Kind
	// Next is the path of ours that a sign-in was begun for; "" after a launch.
	Next  string
	Token Token
	// Identity is nil where a launch did not ask for one, or the server says that it grants none. A
	// sign-in always has it.
	Identity *Identity
	// Context is that of a launch. It may name no patient: what that means is for the caller to
	// say.
	Context Context
}
