package grant

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/ory/fosite"
)

var _ fosite.Session = (*Session)(nil)

// errForeignSession means that a handler was given the session of another package.
var errForeignSession = errors.New("grant: not a *grant.Session")

// Session is what a grant is about: the person, and what the client is told beside the tokens.
// Nothing of a token is in it: the claims of a token are made afresh from it each time. It is
// kept as it was when the code was made; what a later request changes in it is not kept.
type Session struct {
	// Subject names the person within Issuer; empty when a client acts for itself.
	Subject string `json:"sub,omitempty"`
	// Issuer is who vouches for the person.
	Issuer string `json:"iss,omitempty"`
	// Name is the person's own.
	Name string `json:"name,omitempty"`
	// FHIRUser is the URL of the person's resource.
	FHIRUser string `json:"fhir_user,omitempty"`
	// Roles are the names of the person's roles at the time of the grant.
	Roles []string `json:"roles,omitempty"`
	// AuthTime is when the person signed in.
	AuthTime time.Time `json:"auth_time,omitzero"`
	// Nonce is the client's own, for the id_token.
	Nonce string `json:"nonce,omitempty"`
	// Context is told with the access token, by the names of SMART: patient, encounter, intent,
	// need_patient_banner. Its values are what JSON can say.
	Context map[string]any `json:"context,omitempty"`
	// Resource is the API that the grant is for.
	Resource string `json:"resource,omitempty"`
	// FamilyLife is how long after its beginning the grant ends whatever is refreshed; 0, or
	// more than Config.FamilyLife, means Config.FamilyLife.
	FamilyLife time.Duration `json:"family_life,omitempty"`
	// Expires holds the ends of the tokens of one request. It is not kept.
	Expires map[fosite.TokenType]time.Time `json:"-"`
}

// SetExpiresAt implements fosite.Session.
func (s *Session) SetExpiresAt(key fosite.TokenType, at time.Time) {
	if s.Expires == nil {
		s.Expires = make(map[fosite.TokenType]time.Time)
	}
	s.Expires[key] = at
}

// GetExpiresAt implements fosite.Session; the zero time means that nobody said.
func (s *Session) GetExpiresAt(key fosite.TokenType) time.Time {
	if s == nil {
		return time.Time{}
	}
	return s.Expires[key]
}

// GetUsername implements fosite.Session. There are no user names: people sign in elsewhere.
func (*Session) GetUsername() string { return "" }

// GetSubject implements fosite.Session.
func (s *Session) GetSubject() string {
	if s == nil {
		return ""
	}
	return s.Subject
}

// Clone implements fosite.Session: nothing is shared with the copy.
func (s *Session) Clone() fosite.Session {
	if s == nil {
		return nil
	}
	return s.copied()
}

// copied is Clone by its own type.
func (s *Session) copied() *Session {
	c := *s
	c.Roles = slices.Clone(s.Roles)
	c.Expires = maps.Clone(s.Expires)
	if s.Context != nil {
		c.Context = make(map[string]any, len(s.Context))
		for k, v := range s.Context {
			c.Context[k] = cloned(v)
		}
	}
	return &c
}

// cloned copies a value of JSON with all that it holds. Other kinds of lists and objects come
// back as JSON would bring them back, which is what happens to them in the store anyway.
func cloned(v any) any {
	switch v := v.(type) {
	case nil, bool, string, float64, int, json.Number:
		return v
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = cloned(v[i])
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for k := range v {
			object[k] = cloned(v[k])
		}
		return object
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var back any
	if json.Unmarshal(text, &back) != nil {
		return nil
	}
	return back
}

// sessionOf is the session of a requester in our own type; none gives an empty one.
func sessionOf(s fosite.Session) (*Session, error) {
	own, ok := s.(*Session)
	if s != nil && !ok {
		return nil, errForeignSession
	}
	if own == nil {
		own = &Session{}
	}
	return own, nil
}

// fill makes dst what s is. The ends that a handler has set for the tokens it is about to
// make stay.
func (s *Session) fill(dst *Session) {
	expires := dst.Expires
	*dst = *s.copied()
	dst.Expires = expires
}
