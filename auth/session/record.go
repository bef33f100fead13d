package session

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/auth/smart"
	"github.com/equitylens/equitylens/internal/phi"
)

// record is a session as it is stored. Session itself prints neither ids nor tokens.
type record struct {
	Started time.Time    `json:"started"`
	Used    time.Time    `json:"used"`
	Person  personRecord `json:"person"`
	Chart   *chartRecord `json:"chart,omitempty"`
}

type personRecord struct {
	Tenant   string      `json:"tenant"`
	Issuer   string      `json:"issuer"`
	Subject  string      `json:"subject"`
	Name     string      `json:"name"`
	FHIRUser string      `json:"fhir_user"`
	Roles    []role.Role `json:"roles"`
	SignedIn time.Time   `json:"signed_in"`
}

type chartRecord struct {
	Tenant    string    `json:"tenant"`
	Patient   string    `json:"patient"`
	Encounter string    `json:"encounter"`
	Banner    bool      `json:"banner"`
	Intent    string    `json:"intent"`
	StyleURL  string    `json:"style_url"`
	Access    string    `json:"access"`
	Refresh   string    `json:"refresh"`
	Scopes    string    `json:"scopes"`
	Expires   time.Time `json:"expires"`
	Base      string    `json:"base"`
}

// hold writes what s holds into the record.
func (r *record) hold(s Session) {
	r.Person = personRecord(s.Person)
	r.Chart = nil
	if c := s.Chart; c != nil {
		r.Chart = &chartRecord{
			Tenant: c.Tenant, Patient: c.Patient.Reveal(), Encounter: c.Encounter.Reveal(),
			Banner: c.NeedPatientBanner, Intent: c.Intent, StyleURL: c.StyleURL,
			Access: c.Token.Access, Refresh: c.Token.Refresh, Scopes: c.Token.Scopes.String(),
			Expires: c.Token.Expires, Base: c.Token.Base,
		}
	}
}

// session reads the record.
func (r record) session(id string) (Session, error) {
	s := Session{ID: id, Person: Person(r.Person)}
	if c := r.Chart; c != nil {
		scopes, err := scope.ParseSet(c.Scopes)
		if err != nil {
			return Session{}, fmt.Errorf("session: decode: %w", err)
		}
		s.Chart = &Chart{
			Tenant: c.Tenant, Patient: phi.New(c.Patient), Encounter: phi.New(c.Encounter),
			NeedPatientBanner: c.Banner, Intent: c.Intent, StyleURL: c.StyleURL,
			Token: smart.Token{
				Access: c.Access, Refresh: c.Refresh, Scopes: scopes, Expires: c.Expires, Base: c.Base,
			},
		}
	}
	return s, nil
}

// encode writes the record.
func (r record) encode() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("session: encode: %w", err)
	}
	return text, nil
}
