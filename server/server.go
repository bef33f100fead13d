package server

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/equitylens/equitylens/measure/report"
)

// Server is the http.Handler of the whole program.
type Server struct {
	cfg     Config
	reports *report.Builder
	metrics *metrics
	handler http.Handler
	// inner is handler without the log and the headers, for the requests of a batch.
	inner    http.Handler
	kept     *keeper
	started  time.Time
	draining atomic.Bool

	// life ends when the server does, and with it the jobs; stop ends it. Working counts them,
	// accepted and turns bound those that wait or are worked on and those that are worked on.
	life     context.Context
	stop     context.CancelFunc
	working  sync.WaitGroup
	accepted chan struct{}
	turns    chan struct{}
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
	s := &Server{
		cfg: cfg, reports: reports, started: cfg.Now(), kept: newKeeper(cfg.MaxKept),
		accepted: make(chan struct{}, cfg.MaxJobs), turns: make(chan struct{}, jobsAtOnce),
	}
	s.life, s.stop = context.WithCancel(context.Background())
	s.metrics, err = newMetrics(cfg)
	if err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	router, err := s.router(s.Routes())
	if err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	s.inner = plainPath(s.notFound(), router)
	s.handler = s.observed(s.headed(s.inner))
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Drain makes /readyz fail, so that a load balancer sends nothing more. Requests are still
// answered.
func (s *Server) Drain() { s.draining.Store(true) }
