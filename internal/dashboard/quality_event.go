package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
)

const (
	// watchFor bounds the life of a stream. A browser opens another one while a sync is under way.
	watchFor = 5 * time.Minute
	// heartbeat is how often a stream shows that it lives, so that no proxy ends it, and how often it is
	// looked whether its session still has the right to it.
	heartbeat = 15 * time.Second
	// writeFor is how long one who does not read is waited for.
	writeFor = 10 * time.Second
	// mostOfSession and mostStreams bound the streams that are open at once.
	mostOfSession = 4
	mostStreams   = 256
)

// streams counts those that are open, by session.
type streams struct {
	mu   sync.Mutex
	open map[string]int
	all  int
}

// take counts a stream in, if there is room for it; status says what is full.
func (s *streams) take(id string) (status int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.open[id] >= mostOfSession:
		return http.StatusTooManyRequests, false
	case s.all >= mostStreams:
		return http.StatusServiceUnavailable, false
	case s.open == nil:
		s.open = map[string]int{}
	}
	s.open[id]++
	s.all++
	return 0, true
}

func (s *streams) give(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.open[id]--; s.open[id] == 0 {
		delete(s.open, id)
	}
}

// watches reports whether a session may see the sync.
func watches(s session.Session) bool {
	may := rightsOf(s.Person.Roles)
	return may.Sync || may.Small
}

// events tells a script how far the sync is, as server-sent events (https://html.spec.whatwg.org/, 9.2):
// "status" now and at each change, and "end" where nothing goes on any more that is worth a stream. It
// names nobody.
func (d *Dashboard) events(w http.ResponseWriter, r *http.Request) {
	d.cfg.Gate.Signed(w, r, func(s session.Session) {
		var fault error
		status, ok := 0, true
		switch {
		case d.cfg.Syncer == nil:
			fault = errNotFound
		case !watches(s):
			fault = errForbidden
		default:
			if status, ok = d.streams.take(s.ID); ok {
				defer d.streams.give(s.ID)
			} else {
				fault = errBusy
			}
		}
		if noted := d.note(w, r, s.Person, fault); noted != nil {
			fault, ok = noted, true
		}
		switch {
		case !ok:
			w.Header().Set("Retry-After", "60")
			d.problem(w, r, status, page.Problem{Kind: page.Busy, Again: QualityPath})
			return
		case fault != nil:
			d.fail(w, r, fault)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // A proxy that collects an answer would hold it back.
		w.WriteHeader(http.StatusOK)
		if r.Method != http.MethodHead {
			d.stream(w, r)
		}
	})
}

// stream writes events until the sync is told to its end, the session has no right to it any more, the
// life of a stream is over, or the program ends.
func (d *Dashboard) stream(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), d.cfg.WatchFor)
	defer cancel()
	out := eventWriter{w: w, to: http.NewResponseController(w)}
	if out.say(ctx, "retry: 5000\n\n") != nil {
		return
	}
	told := d.cfg.Syncer.Watch(ctx)
	said := d.cfg.Pages.Words(r)
	beat := time.NewTicker(d.cfg.Heartbeat)
	defer beat.Stop()
	running := false
	for {
		select {
		case status, open := <-told:
			if !open {
				if ctx.Err() != nil && r.Context().Err() == nil && !running {
					_ = out.event(context.WithoutCancel(ctx), "end", struct{}{})
				}
				return
			}
			running = status.Running
			if out.event(ctx, "status", momentOf(said, status)) != nil {
				return
			}
		case <-beat.C:
			if !d.stillWatches(r) || out.say(ctx, ": \n\n") != nil {
				return
			}
		}
	}
}

// stillWatches looks whether the session of a stream is there, and may still see it.
func (d *Dashboard) stillWatches(r *http.Request) (still bool) {
	d.cfg.Gate.Signed(&buffer{}, r, func(s session.Session) { still = watches(s) })
	return still
}

// eventWriter writes events as they come.
type eventWriter struct {
	w  http.ResponseWriter
	to *http.ResponseController
}

// event writes one event. JSON has no line breaks of its own.
func (e eventWriter) event(ctx context.Context, name string, what any) error {
	text, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	return e.say(ctx, "event: "+name+"\ndata: "+string(text)+"\n\n")
}

// say writes and sends. The deadlines of the server are for answers that end soon: that of writing begins
// anew, and that of reading, by which a server sees that somebody has gone, does not count.
func (e eventWriter) say(ctx context.Context, text string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeFor)
	defer cancel()
	until, _ := ctx.Deadline()
	for _, err := range []error{e.to.SetWriteDeadline(until), e.to.SetReadDeadline(time.Time{})} {
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			return fmt.Errorf("put off a deadline: %w", err)
		}
	}
	if _, err := e.w.Write([]byte(text)); err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	if err := e.to.Flush(); err != nil {
		return fmt.Errorf("send an event: %w", err)
	}
	return nil
}

// start begins a sync for those who may, and leads back to the page. It is in the audit trail as the same
// act of a program is.
func (d *Dashboard) start(w http.ResponseWriter, r *http.Request) {
	back := address{Path: QualityPath, Language: r.URL.Query().Get(paramLanguage)}
	signed := r.Clone(r.Context()) // Whoever signs in comes back to the page, and presses again.
	signed.URL = &url.URL{Path: back.Path, RawQuery: back.query().Encode()}
	ctx := r.Context()
	d.cfg.Gate.Signed(w, signed, func(s session.Session) {
		var err error
		switch {
		case !rightsOf(s.Person.Roles).Sync:
			err = errForbidden
		case d.cfg.Syncer == nil:
			err = errNotFound
		default:
			err = d.cfg.Syncer.Start(context.WithoutCancel(ctx)) // It outlives the request.
		}
		if noted := d.noteStart(w, r, s.Person, err); noted != nil {
			d.fail(w, r, noted)
			return
		}
		switch {
		case errors.Is(err, errForbidden), errors.Is(err, errNotFound):
			d.fail(w, r, err)
			return
		case errors.Is(err, server.ErrRunning):
			back.More = map[string][]string{paramStart: {startRunning}}
		case err != nil:
			d.broken(ctx, "a sync did not begin", err)
			d.problem(w, r, http.StatusServiceUnavailable, page.Problem{
				Kind: page.Internal, Reference: w.Header().Get(requestID), Again: QualityPath,
				Detail: "the sync did not begin; the log says why",
			})
			return
		}
		http.Redirect(w, r, back.String()+"#run", http.StatusSeeOther)
	})
}

// noteStart writes into the trail who started a sync, and what came of it.
func (d *Dashboard) noteStart(
	w http.ResponseWriter, r *http.Request, who session.Person, fault error,
) error {
	deed := audit.Deed{
		Agent: d.cfg.Gate.Agent(r, who), Code: "sync", Display: "sync started",
		Request: w.Header().Get(requestID),
	}
	switch {
	case errors.Is(fault, server.ErrRunning), errors.Is(fault, errForbidden), errors.Is(fault, errNotFound):
		deed.Outcome = audit.Outcome{Grade: audit.Refused, Words: fault.Error()}
	case fault != nil:
		deed.Outcome = audit.Outcome{Grade: audit.Failed, Words: http.StatusText(http.StatusServiceUnavailable)}
	}
	event, err := d.cfg.Audit.Admin(deed)
	if err == nil {
		err = d.cfg.Auditor.Audit(context.WithoutCancel(r.Context()), event)
	}
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}
