package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// RunConfig says where and how a Server listens.
type RunConfig struct {
	// Listener takes the connections; Run closes it. It must be set.
	Listener net.Listener
	// CertFile and KeyFile are paths of PEM files. Without them there is no TLS: for a proxy on the
	// same machine, or a trial.
	CertFile string
	KeyFile  string
	// Notice is how long /readyz says draining before connections are refused, so that a load
	// balancer has seen it. 0 means not at all.
	Notice time.Duration
	// Grace is how long requests in flight may take from then on. 0 means 30 seconds.
	Grace time.Duration
}

// Bounds of a connection: no client holds one by being slow.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeSlack    = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10
	defaultGrace  = 30 * time.Second
)

// Run serves until ctx ends. Then it makes /readyz fail, waits for Notice, refuses new connections,
// and lets requests in flight end; what is left after Grace is cut off and is an error. No request
// sees ctx end. Jobs are given up last.
func (s *Server) Run(ctx context.Context, cfg RunConfig) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      s.cfg.EvaluateTimeout + writeSlack,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12},
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() {
		if cfg.CertFile != "" || cfg.KeyFile != "" {
			served <- server.ServeTLS(cfg.Listener, cfg.CertFile, cfg.KeyFile)
			return
		}
		served <- server.Serve(cfg.Listener)
	}()
	select {
	case err := <-served:
		_ = cfg.Listener.Close() // ServeTLS leaves it open where a file cannot be read.
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.Drain()
	defer s.Close()
	return errors.Join(s.shutdown(context.WithoutCancel(ctx), server, cfg), closed(<-served))
}

func (s *Server) shutdown(ctx context.Context, server *http.Server, cfg RunConfig) error {
	notice := time.NewTimer(cfg.Notice)
	defer notice.Stop()
	<-notice.C
	if cfg.Grace == 0 {
		cfg.Grace = defaultGrace
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Grace)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("end requests in flight: %w", err), server.Close())
	}
	return nil
}

func closed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}
