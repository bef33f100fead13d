package cds

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

// Outcome is how a call to the service ended.
type Outcome string

// The outcomes.
const (
	// Advised: a card.
	Advised Outcome = "card"
	// Silent: no card, because none is called for.
	Silent Outcome = "no-card"
	// NoEncounter: no card, because no encounter is open. Nothing was read.
	NoEncounter Outcome = "no-encounter"
	// Late: no card, because the EHR was slow, silent or broken.
	Late Outcome = "late"
	// Unread: 412, because the call brought neither the resources nor a way to read them.
	Unread Outcome = "unread"
	// Refused: 401 or 403, because of who called or which server it named.
	Refused Outcome = "refused"
	// Failed: 503, because keys or used JWTs could not be looked up.
	Failed Outcome = "failed"
	// Malformed: any other 4xx.
	Malformed Outcome = "malformed"
)

// Event is the reading of a patient for a call, or the attempt at it.
type Event struct {
	At     time.Time
	Tenant string
	// User is context.userId, such as "Practitioner/1".
	User      phi.ID
	Patient   phi.ID
	Encounter phi.ID
	// Prefetched says that the resources came with the call; else the EHR was asked.
	Prefetched bool
	Outcome    Outcome
}

// Bounds of the bodies of calls.
const (
	maxCall     = 4 << 20
	maxFeedback = 256 << 10
)

// Path is where discovery is; the service and its feedback are below.
const Path = "/cds-services"

// url is the address of the service as EHRs know it.
func (s *Service) url() string { return s.cfg.BaseURL + Path + "/" + ServiceID }

// Service answers calls of the hook at Path/ServiceID.
func (s *Service) Service() http.Handler {
	return s.open(http.MethodPost, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, Path+"/"+ServiceID) {
			s.refuse(w, &problem{http.StatusNotFound, "there is no such service"})
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Patience)
		defer cancel()
		name, cards, outcome, err := s.answer(ctx, w, r)
		s.cfg.Count(name, outcome)
		if err != nil {
			s.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "a cds call has no full answer",
				slog.String("tenant", name), slog.String("outcome", string(outcome)),
				slog.String("error", err.Error()))
		}
		var no *problem
		if errors.As(err, &no) {
			s.refuse(w, no)
			return
		}
		if cards == nil {
			cards = []card{}
		}
		write(w, http.StatusOK, map[string][]card{"cards": cards})
	})
}

// answer is the work on one call. An error that is a *problem is the answer; another is for the
// log.
func (s *Service) answer(ctx context.Context, w http.ResponseWriter, r *http.Request) (
	name string, cards []card, outcome Outcome, err error,
) {
	t, err := s.trust(ctx, r, s.url())
	if err != nil {
		return "", nil, outcomeOf(err), err
	}
	body, err := readBody(w, r, maxCall)
	if err != nil {
		return t.Name, nil, Malformed, err
	}
	c, err := parseCall(body)
	switch {
	case err != nil:
		return t.Name, nil, Malformed, err
	case !c.sameServer(t):
		return t.Name, nil, Refused,
			&problem{http.StatusForbidden, "fhirServer is not the registered one"}
	case c.Context.Encounter == "":
		return t.Name, nil, NoEncounter, nil
	}
	need, prefetched, err := s.read(ctx, t, c)
	outcome = Silent
	switch {
	case errors.Is(err, bedside.ErrUnavailable), err != nil && ctx.Err() != nil:
		outcome = Late
	case err != nil:
		outcome = Unread
		err = errors.Join(err, &problem{http.StatusPreconditionFailed,
			"the patient and the encounter could be read neither from the prefetch nor from the EHR"})
	case calledFor(need):
		outcome = Advised
		var made card
		if made, err = s.card(need, tongueOf(r.Header)); err != nil {
			outcome = Late
		} else {
			cards = []card{made}
		}
	}
	fault := s.cfg.Audit(context.WithoutCancel(ctx), Event{
		At: s.cfg.Now(), Tenant: t.Name, User: phi.New(c.Context.User),
		Patient: phi.New(c.Context.Patient), Encounter: phi.New(c.Context.Encounter),
		Prefetched: prefetched, Outcome: outcome,
	})
	if fault != nil {
		return t.Name, nil, Failed, errors.Join(fault, &problem{http.StatusServiceUnavailable,
			"the call could not be written down"})
	}
	return t.Name, cards, outcome, err
}

// read takes the two resources from the call, else asks the EHR for them. What comes with the call
// and is not valid, or about somebody else, is not used.
func (s *Service) read(ctx context.Context, t *tenant, c call) (
	need bedside.Need, prefetched bool, err error,
) {
	access := c.access(t)
	if patient, encounter, there := c.documents(); there {
		if need, err = s.cfg.Reader.NeedOf(access, patient, encounter); err == nil || c.Access == nil {
			return need, true, err
		}
	}
	if c.Access == nil {
		return bedside.Need{}, true, errNothing
	}
	need, err = s.cfg.Reader.Need(ctx, access)
	return need, false, err
}

// errNothing means that a call brought neither the resources nor a token.
var errNothing = errors.New("neither prefetch nor token")

// calledFor reports whether a card is to be shown: the patient needs an interpreter, and the
// encounter shows none. Of an encounter that does not take place nothing can be documented.
func calledFor(n bedside.Need) bool {
	switch n.Status {
	case "cancelled", "entered-in-error":
		return false
	}
	return n.State == mapping.Known && n.Code == mapping.Yes && n.Use == mapping.NoneDocumented
}

// trust is caller with its errors put into answers. What differs between strangers is not told.
func (s *Service) trust(
	ctx context.Context, r *http.Request, audiences ...string,
) (*tenant, error) {
	t, err := s.caller(ctx, r, audiences...)
	switch {
	case err == nil:
		return t, nil
	case errors.Is(err, errCaller):
		return nil, errors.Join(err, &problem{http.StatusUnauthorized, errCaller.Error()})
	}
	return nil, errors.Join(err, &problem{http.StatusServiceUnavailable, "try again later"})
}

func outcomeOf(err error) Outcome {
	if errors.Is(err, errCaller) {
		return Refused
	}
	return Failed
}

// readBody reads a JSON body of at most limit bytes.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && kind != "application/fhir+json" {
		return nil, &problem{http.StatusUnsupportedMediaType, "the body is not application/json"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &problem{http.StatusRequestEntityTooLarge, "the body is too large"}
	case err != nil:
		return nil, &problem{http.StatusBadRequest, "the body breaks off"}
	}
	return body, nil
}

// refuse answers with a problem.
func (s *Service) refuse(w http.ResponseWriter, p *problem) {
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if p.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	write(w, p.status, map[string]string{"message": p.say})
}

// write answers with JSON that nobody keeps, unless the header already says otherwise.
func write(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "no answer", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
