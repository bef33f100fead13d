package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir/audit"
)

// ErrRunning says that a sync is under way already.
var ErrRunning = errors.New("a sync is running")

// ErrNobody says that a name can be that of nobody.
var ErrNobody = errors.New("nobody can have this name")

// Syncer pulls from the EHR.
type Syncer interface {
	// Start begins a sync and returns. The error wraps ErrRunning where one is under way.
	Start(ctx context.Context) error
	// Status says in JSON how the last one went, or how far the present one is. It names no person.
	Status() any
}

// Ender ends what was given to a person or a program.
type Ender interface {
	// End makes void every session and token that the one of this name has; name is the id of a
	// client or the subject of a person. The error wraps ErrNobody where it can be that of nobody.
	End(ctx context.Context, name string) error
}

// adminRoutes run the server, rather than read from it.
func (s *Server) adminRoutes() []Route {
	return []Route{
		scoped(http.MethodGet, "/sync", scope.Sync, "", http.HandlerFunc(s.syncStatus)),
		scoped(http.MethodPost, "/sync", scope.Sync, "", http.HandlerFunc(s.startSync)),
		scoped(http.MethodPost, "/admin/end", scope.Admin, "", http.HandlerFunc(s.end)),
	}
}

func (s *Server) startSync(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Syncer == nil {
		s.fail(w, r, noSyncer())
		return
	}
	// The sync outlives the request that asked for it.
	err := s.cfg.Syncer.Start(context.WithoutCancel(r.Context()))
	err = s.deed(r, audit.Deed{Code: "sync", Display: "sync started"}, err)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Location", "/sync")
	s.sendJSON(w, r, http.StatusAccepted, s.cfg.Syncer.Status())
}

func (s *Server) syncStatus(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Syncer == nil {
		s.fail(w, r, noSyncer())
		return
	}
	s.sendJSON(w, r, http.StatusOK, s.cfg.Syncer.Status())
}

// end ends the sessions and tokens of the subject or the client of a form.
func (s *Server) end(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Ender == nil {
		s.fail(w, r, notConfigured("no sessions are kept here that could be ended"))
		return
	}
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, errors.Join(malformedForm(), err))
		return
	}
	names := append(r.PostForm["subject"], r.PostForm["client"]...)
	const longest = 512
	if len(names) != 1 || names[0] == "" || len(names[0]) > longest {
		s.fail(w, r, malformedForm())
		return
	}
	err := s.cfg.Ender.End(r.Context(), names[0])
	err = s.deed(r, audit.Deed{
		Code: "end", Display: "sessions and tokens ended", Whom: names[0],
	}, err)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
