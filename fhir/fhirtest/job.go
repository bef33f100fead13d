package fhirtest

import (
	"fmt"
	"net/http"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// job is one export. It holds what was asked for, and no data.
type job struct {
	id         string
	number     int
	client     string
	types      []population.Type
	since      time.Time
	request    string
	population *population.Population
	// polls is how often its status was asked for; guarded by Server.mu.
	polls int
}

// filesLive is how long the manifest says that files stay.
const filesLive = 24 * time.Hour

// jobOf returns the job of the path if the caller's token may see it. A job of somebody else does
// not exist, as far as the caller can tell.
func (s *Server) jobOf(w http.ResponseWriter, r *http.Request, g grant) (*job, bool) {
	s.mu.Lock()
	j, ok := s.jobs[r.PathValue("job")]
	s.mu.Unlock()
	if !ok || j.client != g.client {
		refuse(w, http.StatusNotFound, "not-found", "no such export")
		return nil, false
	}
	return j, true
}

func (s *Server) serveStatus(w http.ResponseWriter, r *http.Request) {
	g, ok := s.program(w, r)
	if !ok {
		return
	}
	j, ok := s.jobOf(w, r, g)
	if !ok {
		return
	}
	s.mu.Lock()
	j.polls++
	polls := j.polls
	if s.faults[Transient500] {
		polls--
	}
	s.mu.Unlock()
	switch {
	case polls == 0:
		refuse(w, http.StatusInternalServerError, "transient", "try again")
	case s.faults[Job404] && j.number == 1 && polls > 1:
		refuse(w, http.StatusNotFound, "not-found", "no such export")
	case s.config.Polls > 0 && polls <= s.config.Polls, s.faults[Job404] && j.number == 1:
		s.askPatience(w)
		w.Header().Set("X-Progress", fmt.Sprintf("%d %% done", 100*polls/(max(s.config.Polls, polls)+1)))
		w.WriteHeader(http.StatusAccepted)
	default:
		s.serveManifest(w, r, j)
	}
}

func (s *Server) serveDelete(w http.ResponseWriter, r *http.Request) {
	g, ok := s.program(w, r)
	if !ok {
		return
	}
	if s.faults[Delete405] {
		refuse(w, http.StatusMethodNotAllowed, "not-supported", "exports cannot be deleted")
		return
	}
	j, ok := s.jobOf(w, r, g)
	if !ok {
		return
	}
	s.mu.Lock()
	delete(s.jobs, j.id)
	s.mu.Unlock()
	answer(w, http.StatusAccepted, fhirJSON, issue("information", "informational",
		"the export is deleted"))
}
