package server

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/equitylens/equitylens/measure/report"
)

// Server is the http.Handler of the whole program.
type Server struct {
	cfg      Config
	reports  *report.Builder
	metrics  *metrics
	handler  http.Handler
	started  time.Time
	draining atomic.Bool
}

// New checks cfg and builds the routes. Every fault of cfg is in the error.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	reports, err := report.New(report.Config{
		Canonical: cfg.Canonical, Organization: cfg.Organization, Version: cfg.Version, Now: cfg.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	s := &Server{cfg: cfg, reports: reports, started: cfg.Now()}
	s.metrics, err = newMetrics(cfg)
	if err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	router, err := s.router(s.Routes())
	if err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	s.handler = s.observed(s.headed(plainPath(s.notFound(), router)))
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Drain makes /readyz fail, so that a load balancer sends nothing more. Requests are still
// answered.
func (s *Server) Drain() { s.draining.Store(true) }
