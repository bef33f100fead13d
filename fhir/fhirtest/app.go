package fhirtest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// The ways in which an app says who it is: those of RFC 7591, section 2, and SMART App Launch
// 2.2.0.
const (
	// Public apps have no credential; PKCE alone binds the code to them.
	Public = "none"
	// SecretBasic apps send a shared secret by HTTP Basic.
	SecretBasic = "client_secret_basic" // #nosec G101 -- a name
	// PrivateKey apps sign an assertion.
	PrivateKey = "private_key_jwt"
)

// App is a registered SMART app.
type App struct {
	ClientID string
	// Name is how the sign-in page names it; "" means ClientID.
	Name string
	// RedirectURIs are compared as they stand.
	RedirectURIs []string
	// Auth is Public, SecretBasic or PrivateKey; "" means Public.
	Auth   string
	Secret string
	// Keys are its public keys; if nil they are fetched from KeysURL for every token.
	Keys    *jose.JSONWebKeySet
	KeysURL string
	// Scopes are what it may be granted; empty means whatever a user may have.
	Scopes []string
}

// User is somebody who works at the made-up hospital.
type User struct {
	// ID is the sub of the id_token, the id of the Practitioner, and the login_hint.
	ID   string
	Name string
	Job  string
	// Groups is the claim groups.
	Groups []string
}

// Staff are the users of a server whose Config names none: one for each thing that people do with
// EquityLens, and as many who review harm events as it takes to settle what two differ about. They are as
// invented as the patients.
func Staff() []User {
	return []User{
		{ID: "rosa-delmar", Name: "Rosa Delmar, MD", Job: "Physician", Groups: []string{"clinicians"}},
		{ID: "theo-marsh", Name: "Theo Marsh, RN", Job: "Nurse", Groups: []string{"clinicians"}},
		{ID: "wen-adeyemi", Name: "Wen Adeyemi", Job: "Quality analyst", Groups: []string{"quality"}},
		{ID: "ines-kallio", Name: "Ines Kallio, RN", Job: "Patient safety officer",
			Groups: []string{"clinicians", "patient-safety"}},
		{ID: "noor-haddad", Name: "Noor Haddad, MD", Job: "Patient safety physician",
			Groups: []string{"clinicians", "patient-safety"}},
		{ID: "jonas-weller", Name: "Jonas Weller, PharmD", Job: "Medication safety officer",
			Groups: []string{"patient-safety"}},
		{ID: "mika-tan", Name: "Mika Tan", Job: "Integration engineer", Groups: []string{"integration"}},
		{ID: "sam-ortega", Name: "Sam Ortega", Job: "Administrator", Groups: []string{"administrators"}},
	}
}

// validate completes an app.
func (a *App) validate() error {
	orElse(&a.Auth, Public)
	orElse(&a.Name, a.ClientID)
	switch {
	case a.ClientID == "" || len(a.RedirectURIs) == 0:
		return fmt.Errorf("app %q lacks an id or a redirect URI", a.ClientID)
	case !slices.Contains([]string{Public, SecretBasic, PrivateKey}, a.Auth):
		return fmt.Errorf("app %q: authentication %q is unknown", a.ClientID, a.Auth)
	case (a.Auth == SecretBasic) != (a.Secret != ""):
		return fmt.Errorf("app %q: a secret goes with %s and with nothing else", a.ClientID, SecretBasic)
	case a.Auth == PrivateKey && a.Keys == nil && a.KeysURL == "":
		return fmt.Errorf("app %q lacks keys", a.ClientID)
	}
	for _, text := range a.RedirectURIs {
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.Fragment != "" {
			return fmt.Errorf("app %q: %q is no redirect URI", a.ClientID, text)
		}
	}
	return nil
}

// register takes the apps and users of the configuration.
func (s *Server) register(c Config) error {
	var faults []error
	for _, a := range c.Apps {
		faults = append(faults, a.validate())
		if _, twice := s.apps[a.ClientID]; twice {
			faults = append(faults, fmt.Errorf("app %q is there twice", a.ClientID))
		}
		s.apps[a.ClientID] = a
	}
	s.users = c.Users
	if s.users == nil {
		s.users = Staff()
	}
	for i, u := range s.users {
		if u.ID == "" || slices.ContainsFunc(s.users[:i], func(o User) bool { return o.ID == u.ID }) {
			faults = append(faults, fmt.Errorf("user %q lacks an id or is there twice", u.ID))
		}
	}
	if c.SignInAs != "" {
		faults = append(faults, s.SignInAs(c.SignInAs))
	}
	if c.BrowserURL != "" && c.PublicURL == "" {
		faults = append(faults, errors.New("BrowserURL needs PublicURL"))
	}
	for _, text := range []string{c.AppLaunchURL, c.PublicURL, c.BrowserURL, c.HookURL} {
		if u, err := url.Parse(text); text != "" && (err != nil || u.Host == "") {
			faults = append(faults, fmt.Errorf("%q is no URL", text))
		}
	}
	return errors.Join(faults...)
}

// user finds somebody by id.
func (s *Server) user(id string) (User, bool) {
	i := slices.IndexFunc(s.users, func(u User) bool { return u.ID == id })
	if i < 0 {
		return User{}, false
	}
	return s.users[i], true
}

// SignInAs lets everybody who signs in outside a chart be the user of that id from now on, without
// asking; "" makes the page ask again. A login_hint that names a user goes before it.
func (s *Server) SignInAs(id string) error {
	if _, ok := s.user(id); !ok && id != "" {
		return fmt.Errorf("user %q is unknown", id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signInAs = id
	return nil
}
