package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/measure/report"
)

// Server is the http.Handler of the whole program.
type Server struct {
	cfg     Config
	reports *report.Builder
	metrics *metrics
	handler http.Handler
	// inner is handler without the log and the headers, for the requests of a batch.
	inner  http.Handler
	kept   *keeper
	forms  forms
	limits limits
	audit  audit.Builder
	// issuer is who gives our tokens: the public address without its path.
	issuer    string
	crossSite *http.CrossOriginProtection
	started   time.Time
	draining  atomic.Bool

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
	if err := s.outside(); err != nil {
		return nil, fmt.Errorf("make server: %w", err)
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
	s.handler = s.observed(s.headed(s.crossOrigin(s.inner)))
	return s, nil
}

// outside sets what depends on how we are called from outside.
func (s *Server) outside() error {
	base, err := url.Parse(s.cfg.BaseURL)
	if err != nil {
		return fmt.Errorf("read BaseURL: %w", err)
	}
	s.issuer = base.Scheme + "://" + base.Host
	s.limits = newLimits(s.cfg.Limits, s.cfg.Now)
	s.audit = audit.Builder{Observer: base.Host, Address: s.cfg.BaseURL, Now: s.cfg.Now}
	// A proxy may tell us another host than the browser sees.
	s.crossSite = http.NewCrossOriginProtection()
	if err := s.crossSite.AddTrustedOrigin(s.issuer); err != nil {
		return fmt.Errorf("trust our own origin: %w", err)
	}
	return nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Drain makes /readyz fail, so that a load balancer sends nothing more. Requests are still
// answered.
func (s *Server) Drain() { s.draining.Store(true) }
