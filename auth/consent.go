package auth

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"

	"github.com/equitylens/equitylens/auth/scope"
)

// The fields of the form by which a person answers. It is posted, as an ordinary form, to
// Consent.Action.
const (
	// ConsentHandle is the hidden field that holds Consent.Handle.
	ConsentHandle = "handle"
	// ConsentAnswer is what the person chose: ConsentAllow, or anything else, which is no.
	ConsentAnswer = "answer"
	ConsentAllow  = "allow"
	ConsentDeny   = "deny"
)

// Consent is what a person is asked: may this program have that.
type Consent struct {
	// ClientID and ClientName say which program.
	ClientID, ClientName string
	// Scopes is what it would be given.
	Scopes []string
	// Person is who is asked.
	Person Person
	// Action is where the form is posted to.
	Action string
	// Handle is the value of the field ConsentHandle.
	Handle string
	// ReturnOrigin is the origin of the address to which the browser is sent after the answer.
	// Some browsers hold the form-action of a Content-Security-Policy against it too.
	ReturnOrigin string
}

// consultation is a question that was put to a person. Its handle is a secret between the page and
// that person; together with their session it is what tells an answer from a forgery.
type consultation struct {
	// Request is the handle of the pending request.
	Request string `json:"request"`
	// Person is the pseudonym of who was asked.
	Person string `json:"person"`
	// Scopes is what they were shown.
	Scopes string `json:"scopes"`
}

// consult puts the question.
func (s *Server) consult(
	w http.ResponseWriter, r *http.Request, request string, q *question, person Person,
	granted scope.Set,
) {
	handle, err := s.put(r.Context(), "consent", consultation{
		Request: request, Person: person.pseudonym(), Scopes: granted.String(),
	})
	if err != nil {
		s.reject(w, r, q, err)
		return
	}
	s.cfg.Consent(w, r, Consent{
		ClientID: q.client.ID, ClientName: q.client.Name, Scopes: granted.Strings(),
		Person: person, Action: authorizePath, Handle: handle,
		ReturnOrigin: originOf(q.redirect),
	})
}

// originOf is scheme, host and port of an address.
func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

// answered takes the answer. It counts once, from our own page, and only from the person who was
// asked; what they may have is looked at again, and is never more than they were shown.
func (s *Server) answered(w http.ResponseWriter, r *http.Request, form url.Values) {
	ctx := r.Context()
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		no := refuse(accessDenied, "the answer does not come from our own page", err)
		no.status = http.StatusForbidden
		s.reject(w, r, &question{}, no)
		return
	}
	var c consultation
	var p pending
	if err := s.look(ctx, "consent", form.Get(ConsentHandle), &c); err != nil {
		s.reject(w, r, &question{}, gone(err))
		return
	}
	if err := s.look(ctx, "authorize", c.Request, &p); err != nil {
		s.reject(w, r, &question{}, gone(err))
		return
	}
	person, here, err := s.person(r)
	if err != nil || !here ||
		subtle.ConstantTimeCompare([]byte(person.pseudonym()), []byte(c.Person)) != 1 {
		no := refuse(accessDenied, "another person was asked, or nobody is signed in any more", err)
		no.status = http.StatusForbidden
		s.reject(w, r, &question{}, no)
		return
	}
	q, err := s.ask(ctx, p.Form)
	if err != nil {
		s.reject(w, r, q, err)
		return
	}
	if err := s.spendHandle(ctx, "consent", form.Get(ConsentHandle)); err != nil {
		s.reject(w, r, &question{}, gone(err))
		return
	}
	if form.Get(ConsentAnswer) != ConsentAllow {
		s.close(w, r, c.Request, q, refuse(accessDenied, "the person said no", nil))
		return
	}
	shown, err := scope.ParseSet(c.Scopes)
	if err != nil {
		s.reject(w, r, q, errors.New("auth: what was shown cannot be read again"))
		return
	}
	granted := scope.Narrow(shown, permitted(q, person))
	if len(granted) == 0 {
		s.close(w, r, c.Request, q, refuse(accessDenied, "the person may not have this any more", nil))
		return
	}
	s.give(w, r, c.Request, q, person, granted)
}
