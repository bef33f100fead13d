package dashboard

import (
	"context"
	"slices"

	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// The addresses of the sync, below that of the page.
const (
	eventsPath = QualityPath + "/events"
	startPath  = QualityPath + "/sync"
)

// startRunning says in an address that a sync could not be started because one was under way.
const startRunning = "running"

// Syncer is the sync, as far as people see it.
type Syncer interface {
	// Start begins a sync and returns. The error wraps server.ErrRunning where one is under way.
	Start(ctx context.Context) error
	// Current is how far a sync is, or how the last one ended.
	Current(ctx context.Context) ingest.Status
	// Watch tells the same now and at each change, until ctx or the program ends.
	Watch(ctx context.Context) <-chan ingest.Status
}

// moment is what a page shows of a sync, and what its script hears. All texts are in the language of the
// reader.
type moment struct {
	// Key changes with the phase.
	Key     string `json:"key"`
	Says    string `json:"says"`
	Detail  string `json:"detail"`
	Value   int    `json:"value"`
	Max     int    `json:"max"`
	Running bool   `json:"running"`
}

// momentOf puts a status into words. What a source calls itself is the operator's; nothing that a server
// wrote is in it.
func momentOf(w *words.Words, s ingest.Status) moment {
	switch {
	case s.Running && s.Progress != nil:
		return under(w, s)
	case s.Running:
		return moment{Key: "begun", Says: w.Say("quality.live.begun", w.Moment(s.Started)), Running: true}
	case s.Started.IsZero():
		return moment{Key: "never", Says: w.Say("quality.live.never")}
	case s.Failure != "":
		return moment{Key: "failed", Says: w.Say("quality.live.failed", w.Moment(s.Ended))}
	}
	m := moment{Key: "ended", Says: w.Say("quality.live.ended", w.Moment(s.Ended))}
	for i, share := range s.Sources {
		if i > 0 {
			m.Detail += " · "
		}
		m.Detail += w.Say("quality.live.share", words.Plain(share.Source),
			w.Label("quality.outcome", string(share.Outcome)))
	}
	return m
}

// partsOfPhase is into how many parts the bar divides a phase.
const partsOfPhase = 100

// under is a sync that is under way.
func under(w *words.Words, s ingest.Status) moment {
	p := s.Progress
	phases := ingest.Phases()
	step := w.Label("quality.phase", p.Phase)
	if p.Step != "" && slices.Contains(ingest.Steps(), p.Step) {
		step = w.Say("quality.step", step, w.Say("quality.step."+p.Step))
	}
	at := slices.Index(phases, p.Phase)
	m := moment{
		Key: s.Source + "/" + p.Phase + "/" + p.Step, Running: true,
		Value: max(at, 0) * partsOfPhase, Max: len(phases) * partsOfPhase,
		Says: w.Say("quality.live.under", w.Count(float64(at+1)),
			w.Count(float64(len(phases))), step, words.Plain(s.Source)),
	}
	if p.Total > 0 {
		m.Value += partsOfPhase * min(p.Files, p.Total) / p.Total
		m.Detail = w.Say("quality.live.files", w.Count(float64(p.Files)), w.Count(float64(p.Total)))
	}
	if p.Lines > 0 {
		if m.Detail != "" {
			m.Detail += " · "
		}
		m.Detail += w.Say("quality.live.lines", w.Count(float64(p.Lines)))
	}
	return m
}

// live shows a status, with a button for those who may start a sync.
func (v *visit) live(s ingest.Status) *page.Live {
	now := momentOf(v.words, s)
	at := func(path string) string { return address{Path: path, Language: v.Language}.String() }
	l := &page.Live{
		Says: now.Says, Detail: now.Detail, Value: now.Value, Max: now.Max, Running: now.Running,
		Events: at(eventsPath), Refresh: address{Path: QualityPath, Audience: v.Audience, Language: v.Language}.String(),
	}
	if v.rights.Sync {
		l.Start = at(startPath)
	}
	if v.More.Get(paramStart) == startRunning {
		l.Notices = append(l.Notices, page.Notice{Tone: "note", Text: v.words.Say("quality.start.running")})
	}
	if s.Failure != "" {
		l.Failures = append(l.Failures, page.Term{
			Name: v.words.Say("quality.live.why"), Value: words.Prose(s.Failure),
		})
	}
	for _, share := range s.Sources {
		if share.Failure != "" {
			l.Failures = append(l.Failures, page.Term{Name: words.Plain(share.Source), Value: words.Prose(share.Failure)})
		}
	}
	return l
}
