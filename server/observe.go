package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/equitylens/equitylens/internal/phi"
)

// event is what one line of the log says of a request. Handlers fill it in; it is written once.
type event struct {
	id    string
	route string
	// address is where the request comes from; for the audit trail.
	address string
	client  string
	status  int
	bytes   int64
	err     error
	// panicked is the type of what was thrown and where; its value may hold anything and is left
	// out.
	panicked string
	stack    string

	// Recorded says that the audit trail holds the request, patients are whom it names: they are for
	// the trail, and no line of the log holds them.
	recorded bool
	patients []phi.ID
}

type eventKey struct{}

// eventOf returns the event of r; of a request that did not come through Server, one that nobody
// will read.
func eventOf(r *http.Request) *event {
	if e, ok := r.Context().Value(eventKey{}).(*event); ok {
		return e
	}
	return &event{}
}

// Address is the IP address from which a request to a Page comes, behind a proxy too, as the audit trail
// wants it. It is empty where nobody knows, and of a request that did not come through a Server.
func Address(r *http.Request) string { return eventOf(r).address }

// named says to the event which row of the table is answering.
func named(route string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		eventOf(r).route = route
		next.ServeHTTP(w, r)
	})
}

// noRoute is the template of every path that is not served.
const noRoute = "none"

// observed gives a request its id and its event, catches a panic, and writes log and metrics.
func (s *Server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.cfg.Now()
		e := &event{id: s.cfg.RequestID(), route: noRoute, address: s.remote(r)}
		w.Header().Set("X-Request-Id", e.id)
		counted := &countingWriter{ResponseWriter: w, event: e}
		r = r.WithContext(context.WithValue(r.Context(), eventKey{}, e))
		defer func() { //nolint:contextcheck // r carries the context.
			took := s.cfg.Now().Sub(start)
			s.metrics.observe(r.Method, e, took)
			s.write(r.Context(), r.Method, e, took)
		}()
		s.caught(counted, r, next)
	})
}

// caught turns a panic into a 500, or into a broken connection where an answer has begun.
func (s *Server) caught(w *countingWriter, r *http.Request, next http.Handler) {
	defer func() {
		thrown := recover()
		if thrown == nil {
			return
		}
		e := eventOf(r)
		e.panicked, e.stack = fmt.Sprintf("%T", thrown), string(debug.Stack())
		if w.begun {
			e.status = http.StatusInternalServerError
			panic(http.ErrAbortHandler)
		}
		s.fail(w, r, errPanic)
	}()
	next.ServeHTTP(w, r)
}

func (s *Server) write(ctx context.Context, method string, e *event, took time.Duration) {
	attributes := []slog.Attr{
		slog.String("request_id", e.id),
		slog.String("method", knownMethod(method)),
		slog.String("route", e.route),
		slog.Int("status", e.status),
		slog.Int64("bytes", e.bytes),
		slog.Int64("duration_us", took.Microseconds()),
	}
	level := slog.LevelInfo
	if e.client != "" {
		attributes = append(attributes, slog.String("client", e.client))
	}
	if e.err != nil {
		level = slog.LevelError
		attributes = append(attributes, slog.Any("error", e.err))
	}
	if e.panicked != "" {
		level = slog.LevelError
		attributes = append(attributes, slog.String("panic", e.panicked), slog.String("stack", e.stack))
	}
	s.cfg.Logger.LogAttrs(ctx, level, "request", attributes...)
}

// knownMethod keeps what a caller may invent out of log and metrics.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// countingWriter notes the status and the bytes that went out.
type countingWriter struct {
	http.ResponseWriter
	event *event
	begun bool
}

// WriteHeader notes the status of the answer itself, not of an interim one.
func (w *countingWriter) WriteHeader(status int) {
	if status >= http.StatusOK && !w.begun {
		w.begun, w.event.status = true, status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts what was taken.
func (w *countingWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.begun, w.event.status = true, http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.event.bytes += int64(n)
	return n, err //nolint:wrapcheck // A Writer hands on what the connection said.
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// headed sets what holds of every answer; a handler may say otherwise. Nothing is kept by a cache,
// because figures of small groups are for whoever asked, and nothing is ever framed or sniffed.
func (s *Server) headed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.TLS != nil || s.cfg.BehindProxy && strings.HasPrefix(s.cfg.BaseURL, "https:") {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
