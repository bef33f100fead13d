package page

import (
	"net/http"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/server/words"
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
		title:  func(w *voice) string { return w.Say("consent.title") },
		page: func(w *voice) any {
			client := words.Plain(c.ClientName)
			if client == "" {
				client = words.Plain(c.ClientID)
			}
			technical := make([]string, len(c.Scopes))
			for i, text := range c.Scopes {
				technical[i] = words.Plain(text)
			}
			return struct {
				Client, ClientID, Person, Issuer string
				Action, Handle, Allow, Deny      string
				May, Technical                   []string
			}{
				Client: client, ClientID: words.Plain(c.ClientID), Person: words.Plain(c.Person), Issuer: words.Plain(c.Issuer),
				Action: c.Action, Handle: c.Handle, Allow: Allow, Deny: Deny,
				May: w.may(c.Scopes), Technical: technical,
			}
		},
	})
}

// may says what scopes allow, each thing once.
func (w *voice) may(scopes []string) []string {
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
func (w *voice) scope(text string) []string {
	s, err := scope.Parse(text)
	if err != nil {
		return []string{w.Say("scope.other", words.Plain(text))}
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
func (w *voice) named(name string) string {
	if strings.HasPrefix(name, "launch/") {
		name = "launch"
	}
	switch name {
	case "openid", "fhirUser", "profile", "online_access", "offline_access", "launch":
		return w.Say("scope." + name)
	}
	if slices.Contains(scope.Own(), name) {
		return w.Say("scope." + name)
	}
	return w.Say("scope.other", words.Plain(name))
}

// deed says what one kind of interaction with a type allows, within the limits of the scope.
func (w *voice) deed(kind string, s scope.Scope) string {
	key := "scope." + kind + "." + s.Type
	said := ""
	if w.Has(key) && s.Type != "type" {
		said = w.Say(key)
	} else {
		said = w.Say("scope."+kind+".type", words.Plain(s.Type))
	}
	if s.Query != "" {
		said = w.Say("scope.limited", said, words.Plain(s.Query))
	}
	return said
}
