package page

import (
	"net/http"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/auth/scope"
)

// Consent is the question whether a program may act for a person.
type Consent struct {
	ClientID, ClientName string
	// Scopes are what would be granted, as OAuth writes them.
	Scopes []string
	// Person is the name of who is asked, Issuer that of the sign-in that knows them.
	Person, Issuer string
	// Action is where the answer is sent, by POST: Handle in the field "handle", and in the field "answer"
	// either Allow or Deny.
	Action, Handle string
	// ReturnOrigin is the origin to which the answer sends the browser on. Browsers hold the policy of
	// this page against it.
	ReturnOrigin string
}

// The two answers to a Consent.
const (
	Allow = "allow"
	Deny  = "deny"
)

// Consent writes the question.
func (p *Pages) Consent(w http.ResponseWriter, r *http.Request, status int, c Consent) {
	p.send(w, r, status, sheet{
		name:   "consent",
		policy: policy{redirect: c.ReturnOrigin},
		title:  func(w *words) string { return w.say("consent.title") },
		page: func(w *words) any {
			client := plain(c.ClientName)
			if client == "" {
				client = plain(c.ClientID)
			}
			technical := make([]string, len(c.Scopes))
			for i, text := range c.Scopes {
				technical[i] = plain(text)
			}
			return struct {
				Client, ClientID, Person, Issuer string
				Action, Handle, Allow, Deny      string
				May, Technical                   []string
			}{
				Client: client, ClientID: plain(c.ClientID), Person: plain(c.Person), Issuer: plain(c.Issuer),
				Action: c.Action, Handle: c.Handle, Allow: Allow, Deny: Deny,
				May: w.may(c.Scopes), Technical: technical,
			}
		},
	})
}

// may says what scopes allow, each thing once.
func (w *words) may(scopes []string) []string {
	var out []string
	for _, text := range scopes {
		for _, one := range w.scope(text) {
			if !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out
}

// scope says what one scope allows. One that is not known is named, never left out.
func (w *words) scope(text string) []string {
	s, err := scope.Parse(text)
	if err != nil {
		return []string{w.say("scope.other", plain(text))}
	}
	if s.Context == scope.None {
		return []string{w.named(s.Name)}
	}
	var out []string
	if s.Actions&(scope.Read|scope.Search) != 0 {
		out = append(out, w.deed("read", s))
	}
	if s.Actions&(scope.Create|scope.Update|scope.Delete) != 0 {
		out = append(out, w.deed("write", s))
	}
	return out
}

// named says what a scope allows that is not clinical.
func (w *words) named(name string) string {
	if strings.HasPrefix(name, "launch/") {
		name = "launch"
	}
	switch name {
	case "openid", "fhirUser", "profile", "online_access", "offline_access", "launch":
		return w.say("scope." + name)
	}
	if slices.Contains(scope.Own(), name) {
		return w.say("scope." + name)
	}
	return w.say("scope.other", plain(name))
}

// deed says what one kind of interaction with a type allows, within the limits of the scope.
func (w *words) deed(kind string, s scope.Scope) string {
	key := "scope." + kind + "." + s.Type
	said := ""
	if w.keys[key] && s.Type != "type" {
		said = w.say(key)
	} else {
		said = w.say("scope."+kind+".type", plain(s.Type))
	}
	if s.Query != "" {
		said = w.say("scope.limited", said, plain(s.Query))
	}
	return said
}
