package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/phi"
)

// Noter is what an Auditor may be beside. Where it is, events that name no patient go this way.
type Noter interface {
	// Note keeps an event like Audit, and may return before it outlives the machine.
	Note(ctx context.Context, event []byte) error
}

// recorded keeps a record of every request that a token opened the door for, before it is answered:
// who asked for what, and the status. What cannot be recorded is not answered. A handler that knows
// more, such as whom an answer names, records for itself and says so in the event of the request.
func (s *Server) recorded(route Route, next http.Handler) http.Handler {
	if s.cfg.Auditor == nil || route.does == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &recordingWriter{ResponseWriter: w, record: func(status int) error {
			return s.record(r, route, status)
		}, refuse: func(err error) { s.fail(w, r, err) }}
		defer func() {
			if !out.begun { // It panicked, and somebody else says so.
				_ = s.record(r, route, http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(out, r)
		switch {
		case out.begun:
		case eventOf(r).status == statusClientClosed: // Nobody is there to be answered.
			out.begun = true
			if err := s.record(r, route, statusClientClosed); err != nil {
				eventOf(r).err = err
			}
		default:
			out.WriteHeader(http.StatusOK)
		}
	})
}

// record makes and keeps the event of a request, unless its handler has.
func (s *Server) record(r *http.Request, route Route, status int) error {
	e := eventOf(r)
	if e.recorded {
		return nil
	}
	e.recorded = true
	a := s.access(r, route)
	a.Patients = e.patients
	a.Outcome = outcomeOf(status)
	text, err := s.forms.event(s.audit, a)
	if err == nil {
		err = s.keep(r.Context(), text, len(a.Patients) > 0)
	}
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// keep hands an event to the trail. One that names a patient is on disk afterwards. What was tried
// is recorded even if the caller has gone.
func (s *Server) keep(ctx context.Context, event []byte, named bool) error {
	ctx = context.WithoutCancel(ctx)
	if noter, ok := s.cfg.Auditor.(Noter); ok && !named {
		return noter.Note(ctx, event)
	}
	return s.cfg.Auditor.Audit(ctx, event)
}

// access is what the request alone says.
func (s *Server) access(r *http.Request, route Route) audit.Access {
	p := principalOf(r.Context())
	a := audit.Access{
		Agent: s.agent(p), Interaction: route.does, Request: eventOf(r).id,
		Query: asked(r), Details: []audit.Detail{{Name: "route", Value: route.Method + " " + route.Path}},
	}
	path, _, _ := strings.Cut(a.Query, "?")
	switch route.does {
	case audit.Read, audit.Create, audit.Update, audit.Delete:
		a.Resource = path
	case audit.Search, audit.Operation, audit.Batch, audit.History: // Of no single resource as it stands.
	}
	return a
}

// asked is the address of a request below the base, as it came. A token that somebody put there is
// left out: it opens nothing here, and might elsewhere.
func asked(r *http.Request) string {
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, fhirBase), "/")
	if r.URL.RawQuery == "" {
		return path
	}
	var kept []string
	for one := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if !strings.HasPrefix(strings.ToLower(one), "access_token") {
			kept = append(kept, one)
		}
	}
	return path + "?" + strings.Join(kept, "&")
}

// agent is a principal in the words of the trail. A person is known by who gave the token.
func (s *Server) agent(p Principal) audit.Agent {
	a := audit.Agent{Client: p.Client, Address: p.address, Token: p.Token}
	if p.Person {
		a.Subject, a.Issuer, a.Roles = p.Subject, s.issuer, p.Roles
	}
	return a
}

// outcomeOf is what a status says of a request.
func outcomeOf(status int) audit.Outcome {
	switch {
	case status < http.StatusBadRequest:
		return audit.Outcome{}
	case status < http.StatusInternalServerError:
		return audit.Outcome{Grade: audit.Refused, Words: words(status)}
	}
	return audit.Outcome{Grade: audit.Failed, Words: words(status)}
}

func words(status int) string {
	return cmp.Or(http.StatusText(status), "status "+strconv.Itoa(status))
}

// recordingWriter records before the first byte goes out.
type recordingWriter struct {
	http.ResponseWriter
	record func(status int) error
	refuse func(error)
	// Begun says that the answer has a status, dead that it is another one than the handler's, whose
	// words are dropped.
	begun, dead bool
}

// WriteHeader records, and sends the status or that it could not be recorded.
func (w *recordingWriter) WriteHeader(status int) {
	if status < http.StatusOK || w.begun {
		if !w.dead {
			w.ResponseWriter.WriteHeader(status)
		}
		return
	}
	w.begun = true
	if err := w.record(status); err != nil {
		w.dead = true
		for _, name := range []string{"Content-Encoding", "Content-Length", "ETag", "Content-Location"} {
			w.Header().Del(name)
		}
		w.Header().Set("Cache-Control", "no-store")
		w.refuse(err)
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends what the handler says, if it may say it.
func (w *recordingWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	if w.dead {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p) //nolint:wrapcheck // A Writer hands on what the connection said.
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recordingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// forms keeps the forms of events that come again and again, so that a question that is answered
// from memory is not slowed down by its record. It is safe for concurrent use.
type forms struct {
	mu  sync.Mutex
	all map[string]audit.Form
}

// maxForms bounds the forms that are kept; each is some 2 KiB.
const maxForms = 2048

// event makes an event, by a form where that is possible.
func (f *forms) event(b audit.Builder, a audit.Access) ([]byte, error) {
	if len(a.Patients) > 0 || len(a.Groups) > 0 || len(a.Query) > 1024 {
		return b.Access(a)
	}
	key := strings.Join([]string{
		a.Agent.Client, a.Agent.Address, a.Agent.Subject, a.Agent.Token, string(a.Interaction),
		a.Resource, a.Query, a.Outcome.Words, strconv.Itoa(int(a.Outcome.Grade)), a.Details[0].Value,
	}, "\x00")
	f.mu.Lock()
	form, ok := f.all[key]
	f.mu.Unlock()
	if !ok {
		var err error
		if form, err = b.Form(a); err != nil {
			return nil, err
		}
		f.mu.Lock()
		if len(f.all) >= maxForms || f.all == nil {
			f.all = map[string]audit.Form{}
		}
		f.all[key] = form
		f.mu.Unlock()
	}
	if text, ok := form.Fill(a.Request); ok {
		return text, nil
	}
	return b.Access(a)
}

// deed records an act that is none of the FHIR API, whatever came of it, and returns err; or that
// it could not be recorded.
func (s *Server) deed(r *http.Request, d audit.Deed, err error) error {
	if s.cfg.Auditor == nil {
		return err
	}
	d.Agent, d.Request = s.agent(principalOf(r.Context())), eventOf(r).id
	if err != nil {
		d.Outcome = outcomeOf(problemOf(err).status)
		d.Outcome.Words = problemOf(err).text
	}
	text, fault := s.audit.Admin(d)
	if fault == nil {
		fault = s.keep(r.Context(), text, true)
	}
	if fault != nil {
		return fmt.Errorf("audit: %w", errors.Join(fault, err))
	}
	return err
}

// refusedAccess records that a token was good and covered too little. The answer is a refusal
// either way; that it could not be recorded is in the log.
func (s *Server) refusedAccess(r *http.Request, route Route, p Principal) {
	if s.cfg.Auditor == nil || p.Client == "" {
		return
	}
	if route.does == "" {
		route.does = audit.Operation
	}
	r = r.WithContext(context.WithValue(r.Context(), principalKey{}, p))
	if err := s.record(r, route, http.StatusForbidden); err != nil {
		eventOf(r).err = err
	}
}

// about says whom a request names, for its record.
func about(r *http.Request, patients ...phi.ID) { eventOf(r).patients = patients }
