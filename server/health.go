package server

import (
	"encoding/json"
	"net/http"
	"time"
)

// readiness is the body of /readyz.
type readiness struct {
	// Status is ready, stale, no-data or draining.
	Status   string     `json:"status"`
	Snapshot string     `json:"snapshot,omitempty"`
	DataAsOf *time.Time `json:"data_as_of,omitempty"`
	// AgeSeconds is the time since DataAsOf.
	AgeSeconds *int64 `json:"age_seconds,omitempty"`
}

// health says that the process answers. It looks at nothing else: a restart mends nothing else.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	s.sendJSON(w, r, http.StatusOK, map[string]string{"status": "ok"})
}

// ready says whether requests should come here: not without data, and not while draining. Stale
// data are served, because yesterday's figure with its date is better than none, and are called
// stale.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	answer, status := s.readiness()
	s.sendJSON(w, r, status, answer)
}

func (s *Server) readiness() (readiness, int) {
	if s.draining.Load() {
		return readiness{Status: "draining"}, http.StatusServiceUnavailable
	}
	current, ok := s.cfg.Snapshots.Current()
	if !ok {
		return readiness{Status: "no-data"}, http.StatusServiceUnavailable
	}
	answer := readiness{Status: "ready", Snapshot: current.ID}
	if !current.DataAsOf.IsZero() {
		age := s.cfg.Now().Sub(current.DataAsOf)
		seconds := int64(age.Seconds())
		answer.DataAsOf, answer.AgeSeconds = &current.DataAsOf, &seconds
		if age > s.cfg.StaleAfter {
			answer.Status = "stale"
		}
	}
	return answer, http.StatusOK
}

func (s *Server) sendJSON(w http.ResponseWriter, r *http.Request, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(append(text, '\n')); err != nil {
		eventOf(r).status = statusClientClosed
	}
}
