package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/store/cache"
)

// authorizePath is the path of the authorization endpoint.
const authorizePath = "/oauth/authorize"

// pendingLife is how long a person may take to sign in and to answer.
const pendingLife = 10 * time.Minute

// pending is an authorization request that waits for a person. Its handle is random and all that
// a browser is given of it.
type pending struct {
	Form  url.Values `json:"form"`
	Since time.Time  `json:"since"`
}

// Authorize serves the authorization endpoint: a request of a client by GET, or by POST as EHRs
// send it; the same request continued after signing in; and the answer of the person who was
// asked. An error goes back to the client once it is known where its people may be sent, and is a
// page until then.
func (s *Server) Authorize() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guardBrowser(w.Header())
		if !s.interactive() {
			http.Error(w, "nobody signs in to this server", http.StatusNotFound)
			return
		}
		var form url.Values
		var err error
		switch r.Method {
		case http.MethodGet:
			form, err = readQuery(r)
		case http.MethodPost:
			form, err = readForm(w, r)
		default:
			w.Header().Set("Allow", "GET, POST")
			s.reject(w, r, &question{}, &refusal{
				status: http.StatusMethodNotAllowed, code: invalidRequest, say: "ask by GET or POST",
			})
			return
		}
		switch {
		case err != nil:
			s.reject(w, r, &question{}, err)
		case r.Method == http.MethodPost && form.Has(ConsentHandle):
			s.answered(w, r, form)
		case r.Method == http.MethodGet && form.Has("continue"):
			s.resume(w, r, form.Get("continue"))
		default:
			s.begin(w, r, form)
		}
	})
}

// interactive reports whether people sign in here at all.
func (s *Server) interactive() bool { return s.cfg.People != nil }

// guardBrowser keeps what stands in an address from caches and from the next page.
func guardBrowser(h http.Header) {
	noStore(h)
	h.Set("Referrer-Policy", "no-referrer")
}

// begin checks a new request and puts it aside under a handle. A POST is continued by GET, because
// the browser sends the cookie of the person with a GET alone when another site has started it.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, form url.Values) {
	ctx := r.Context()
	form, err := s.pushedForm(ctx, form)
	if err != nil {
		s.reject(w, r, &question{}, err)
		return
	}
	q, err := s.ask(ctx, form)
	if err != nil {
		s.reject(w, r, q, err)
		return
	}
	p := pending{Form: known(form), Since: s.cfg.Now()}
	handle, err := s.put(ctx, "authorize", p)
	if err != nil {
		s.reject(w, r, q, err)
		return
	}
	if r.Method == http.MethodPost {
		see(w, continueAt(handle))
		return
	}
	s.proceed(w, r, handle, p, q)
}

// known keeps the parameters that mean something.
func known(form url.Values) url.Values {
	kept := url.Values{}
	for _, name := range authorizeParams() {
		if form.Has(name) {
			kept.Set(name, form.Get(name))
		}
	}
	return kept
}

// continueAt is where a request goes on.
func continueAt(handle string) string {
	return authorizePath + "?" + url.Values{"continue": {handle}}.Encode()
}

// resume goes on with a request after its person has signed in.
func (s *Server) resume(w http.ResponseWriter, r *http.Request, handle string) {
	var p pending
	if err := s.look(r.Context(), "authorize", handle, &p); err != nil {
		s.reject(w, r, &question{}, gone(err))
		return
	}
	q, err := s.ask(r.Context(), p.Form)
	if err != nil {
		s.reject(w, r, q, err)
		return
	}
	s.proceed(w, r, handle, p, q)
}

// gone says of a handle that holds nothing that it is over; another failure stays what it is.
func gone(err error) error {
	if errors.Is(err, cache.ErrNotFound) {
		return refuse(invalidRequest, "the request was answered already, or took too long", nil)
	}
	return err
}

// proceed has a person sign in, asks them, or answers at once.
func (s *Server) proceed(
	w http.ResponseWriter, r *http.Request, handle string, p pending, q *question,
) {
	person, here, err := s.person(r)
	if err != nil {
		s.reject(w, r, q, refuse(serverError, "who is signed in could not be found out", err))
		return
	}
	silent := slices.Contains(q.prompt, "none")
	if !here || !q.fresh(person, p.Since, s.cfg.Now()) {
		if silent {
			s.close(w, r, handle, q, refuse(loginRequired, "nobody is signed in", nil))
			return
		}
		see(w, s.cfg.SignIn(continueAt(handle)))
		return
	}
	granted := permitted(q, person)
	switch {
	case len(granted) == 0:
		s.close(w, r, handle, q, refuse(accessDenied,
			"the person may not have any of what is asked for", nil))
	case q.client.Trusted && !slices.Contains(q.prompt, "consent"):
		s.give(w, r, handle, q, person, granted)
	case silent:
		s.close(w, r, handle, q, refuse(consentRequired, "the person has to be asked", nil))
	default:
		s.consult(w, r, handle, q, person, granted)
	}
}

// permitted is what a request may have by this person: what is asked, of what the client may have,
// of what the roles of the person give.
func permitted(q *question, p Person) scope.Set {
	return scope.Narrow(q.asked, role.Scopes(p.Roles...))
}

// give ends the request with a code. Of any number of answers the first alone counts.
func (s *Server) give(
	w http.ResponseWriter, r *http.Request, handle string, q *question, person Person,
	granted scope.Set,
) {
	ctx := r.Context()
	if err := s.spendHandle(ctx, "authorize", handle); err != nil {
		s.reject(w, r, &question{}, gone(err))
		return
	}
	for _, text := range granted.Strings() {
		q.ar.GrantScope(text)
	}
	q.ar.GrantAudience(s.cfg.Audience)
	response, err := s.provider.NewAuthorizeResponse(ctx, q.ar, s.session(q, person))
	if err != nil {
		s.reject(w, r, q, err)
		return
	}
	s.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "authorization given",
		slog.String("client", q.client.ID), slog.String("scope", granted.String()))
	s.sendBack(w, q, url.Values{"code": {response.GetCode()}})
}

// close ends the request with an error.
func (s *Server) close(
	w http.ResponseWriter, r *http.Request, handle string, q *question, no *refusal,
) {
	if err := s.spendHandle(r.Context(), "authorize", handle); err != nil {
		s.reject(w, r, &question{}, gone(err))
		return
	}
	s.reject(w, r, q, no)
}

// reject answers with an error: to the client if its address is known, else as a page.
func (s *Server) reject(w http.ResponseWriter, r *http.Request, q *question, err error) {
	no := asRefusal(err)
	if q.client != nil {
		no.client = q.client.ID
	}
	no.log(r.Context(), s.cfg.Logger, "authorization")
	if q.redirect == nil {
		s.cfg.Problem(w, r, no.status, no.code, no.say)
		return
	}
	s.sendBack(w, q, url.Values{"error": {no.code}, "error_description": {no.say}})
}

// sendBack sends the browser to the client, with the state and, so that a client of several
// servers knows whose answer it is, the issuer (RFC 9207).
func (s *Server) sendBack(w http.ResponseWriter, q *question, values url.Values) {
	if q.state != "" {
		values.Set("state", q.state)
	}
	values.Set("iss", s.cfg.Issuer)
	to := *q.redirect
	if to.RawQuery != "" {
		to.RawQuery += "&"
	}
	to.RawQuery += values.Encode()
	see(w, to.String())
}

// see sends a browser on by GET (RFC 9700 section 2.1: 307 would repeat the body).
func see(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// put keeps a value under a new random handle.
func (s *Server) put(ctx context.Context, kind string, value any) (string, error) {
	random := make([]byte, 32)
	if _, err := io.ReadFull(s.cfg.Rand, random); err != nil {
		return "", fmt.Errorf("auth: draw a handle: %w", err)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("auth: keep a request: %w", err)
	}
	handle := base64.RawURLEncoding.EncodeToString(random)
	if err := s.cfg.Store.Set(ctx, cache.Key(kind, handle), text, pendingLife); err != nil {
		return "", fmt.Errorf("auth: keep a request: %w", err)
	}
	return handle, nil
}

// look reads the value of a handle and leaves it there.
func (s *Server) look(ctx context.Context, kind, handle string, value any) error {
	entry, err := s.cfg.Store.Get(ctx, cache.Key(kind, handle))
	if err != nil {
		return fmt.Errorf("auth: find a request: %w", err)
	}
	if err := json.Unmarshal(entry.Value, value); err != nil {
		return fmt.Errorf("auth: find a request: %w", err)
	}
	return nil
}

// spendHandle ends a handle; of many that try one succeeds.
func (s *Server) spendHandle(ctx context.Context, kind, handle string) error {
	if _, err := s.cfg.Store.Take(ctx, cache.Key(kind, handle)); err != nil {
		return fmt.Errorf("auth: end a request: %w", err)
	}
	return nil
}

// pushedForm returns the parameters that count: those that were pushed, and then no other (B8), or
// those that are there.
func (s *Server) pushedForm(ctx context.Context, form url.Values) (url.Values, error) {
	uri := form.Get("request_uri")
	if !strings.HasPrefix(uri, pushedPrefix) {
		return form, nil
	}
	stored, err := s.grants.GetPARSession(ctx, uri)
	if errors.Is(err, fosite.ErrNotFound) {
		return nil, refuse(invalidRequestURI, "request_uri was used already, or is too old", nil)
	}
	if err != nil {
		return nil, err
	}
	if stored.GetClient().GetID() != form.Get("client_id") {
		return nil, refuse(invalidRequestURI, "request_uri was pushed by another program", nil)
	}
	return stored.GetRequestForm(), nil
}
