package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/equitylens/equitylens/auth/role"
)

// Person is somebody who has signed in through the hospital.
type Person struct {
	// Subject is who they are to the Issuer, which is who vouches for them.
	Subject, Issuer string
	// Name is what they are called, FHIRUser the address of their resource; both may be empty.
	Name, FHIRUser string
	// Roles is what the hospital lets them do.
	Roles []role.Role
	// SignedIn is when they last proved who they are.
	SignedIn time.Time
	// Context is the launch context that clients are told beside their tokens, by the names of
	// SMART: patient, encounter, intent, need_patient_banner. It may be nil.
	Context map[string]any
}

// People knows who is signed in.
type People interface {
	// Person returns who is signed in on the browser that sends r, and whether anybody is.
	Person(r *http.Request) (Person, bool, error)
}

// person returns who is signed in. Somebody without a name of their own would share one
// pseudonym, and all that hangs on it, with everybody else of that kind.
func (s *Server) person(r *http.Request) (Person, bool, error) {
	p, here, err := s.cfg.People.Person(r)
	if err != nil || !here {
		return Person{}, false, err
	}
	if p.Subject == "" || p.Issuer == "" || p.SignedIn.IsZero() {
		return Person{}, false, errors.New("auth: a person without subject, issuer or time")
	}
	return p, true, nil
}

// Pseudonym is the name of a person in our tokens, in the audit trail and for Server.Bar: the same
// each time, different for two persons whom two issuers call the same, and telling nobody else
// what the hospital calls them.
func Pseudonym(issuer, subject string) string {
	sum := sha256.Sum256([]byte(issuer + "\x00" + subject))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// pseudonym is the person's name in our tokens.
func (p Person) pseudonym() string { return Pseudonym(p.Issuer, p.Subject) }
