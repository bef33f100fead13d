package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/gorilla/mux"
)

var (
	errNoJob   = errors.New("no such job")
	errJobLost = errors.New("the server that worked on the job has gone")
	errStopped = errors.New("the server was stopped")
)

// progress says how far a job is.
type progress struct {
	mu   sync.Mutex
	said string
}

func newProgress() *progress { return &progress{said: "waiting"} }

func (p *progress) set(done, of int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = strconv.Itoa(done) + " of " + strconv.Itoa(of) + " done"
}

func (p *progress) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said
}

// own loads the job of the address, if it belongs to who asks. To anyone else it does not exist.
func (s *Server) own(r *http.Request) (id string, j job, err error) {
	if s.cfg.Jobs == nil {
		return "", job{}, notConfigured("requests are answered at once here")
	}
	id = mux.Vars(r)["id"]
	text, found, err := s.cfg.Jobs.Load(r.Context(), jobKey(id))
	if err != nil {
		return "", job{}, fmt.Errorf("load a job: %w", err)
	}
	if !found {
		return "", job{}, errNoJob
	}
	if err := json.Unmarshal(text, &j); err != nil {
		return "", job{}, fmt.Errorf("load a job: %w", err)
	}
	if j.Owner != principalOf(r.Context()).owner() {
		return "", job{}, errNoJob
	}
	_, cancelled, err := s.cfg.Jobs.Load(r.Context(), cancelledKey(id))
	switch {
	case err != nil:
		return "", job{}, fmt.Errorf("load a job: %w", err)
	case cancelled:
		return "", job{}, errNoJob
	}
	return id, j, nil
}

// jobStatus answers 202 while a job is worked on, 200 with the answer when it is done, and with
// what went wrong where it failed.
func (s *Server) jobStatus(w http.ResponseWriter, r *http.Request) {
	id, j, err := s.own(r)
	for _, need := range j.Scopes {
		if err == nil {
			err = demand(principalOf(r.Context()), need)
		}
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Expires", j.Expires.UTC().Format(http.TimeFormat))
	switch {
	case j.State == jobDone:
		s.jobResult(w, r, id)
	case j.State == jobFailed:
		h.Set("Content-Type", fhirJSON)
		w.WriteHeader(j.Status)
		s.put(w, r, append(j.Outcome, '\n'))
	case s.cfg.Now().Sub(j.Beat) > lostAfter:
		s.fail(w, r, errJobLost)
	default:
		h.Set("X-Progress", j.Progress)
		h.Set("Retry-After", strconv.Itoa(pollAfter))
		w.WriteHeader(http.StatusAccepted)
	}
}

func (s *Server) jobResult(w http.ResponseWriter, r *http.Request, id string) {
	text, found, err := s.cfg.Jobs.Load(r.Context(), resultKey(id))
	if err == nil && !found {
		err = errNoJob
	}
	if err != nil {
		s.fail(w, r, fmt.Errorf("load the answer of a job: %w", err))
		return
	}
	w.Header().Set("Content-Type", fhirJSON)
	w.WriteHeader(http.StatusOK)
	s.put(w, r, text)
}

// put writes a text; a caller that has gone is noted.
func (s *Server) put(w http.ResponseWriter, r *http.Request, text []byte) {
	if _, err := w.Write(text); err != nil { // #nosec G705 -- FHIR JSON, and typed as such
		eventOf(r).status = statusClientClosed
	}
}

// cancelJob forgets a job and its answer. Whichever server works on it gives it up at its next
// beat.
func (s *Server) cancelJob(w http.ResponseWriter, r *http.Request) {
	id, j, err := s.own(r)
	if err == nil {
		err = s.drop(r.Context(), id, j)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (s *Server) drop(ctx context.Context, id string, j job) error {
	if err := s.cfg.Jobs.Set(ctx, cancelledKey(id), []byte("1"), s.left(j)); err != nil {
		return fmt.Errorf("cancel a job: %w", err)
	}
	for _, key := range []string{jobKey(id), resultKey(id), j.Slot} {
		if err := s.cfg.Jobs.Delete(ctx, key); err != nil {
			return fmt.Errorf("cancel a job: %w", err)
		}
	}
	return nil
}

// Close gives up the jobs that are worked on and waits for them. Who asks about one is told that
// the server was stopped.
func (s *Server) Close() {
	s.stop()
	s.working.Wait()
}
