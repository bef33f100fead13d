package bulk

import (
	"strings"
	"sync"
	"time"
	"unicode"
)

// Phase says what a run is doing.
type Phase string

// The phases, in order.
const (
	KickingOff  Phase = "kick-off"
	Waiting     Phase = "waiting"
	Downloading Phase = "downloading"
	Done        Phase = "done"
)

// Progress is how far a run is.
type Progress struct {
	Phase Phase
	// Server is what the server says of its own progress: at most 100 characters of free text.
	Server string
	// Wait is how long the run waits before it asks again.
	Wait time.Duration
	// FilesDone counts files that are whole on disk, those of an earlier run included.
	FilesDone  int
	FilesTotal int
	// Bytes counts what was received, tries that failed included.
	Bytes int64
}

// progressStep is after how many bytes within a file progress is told.
const progressStep = 8 << 20

// progress keeps the current state and tells it, one call at a time.
type progress struct {
	mu     sync.Mutex
	hear   func(Progress)
	now    Progress
	untold int64
}

// tell changes the state and passes it on.
func (p *progress) tell(change func(*Progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.now)
	p.untold = 0
	if p.hear != nil {
		p.hear(p.now)
	}
}

// phase enters a phase.
func (p *progress) phase(phase Phase) {
	p.tell(func(now *Progress) { now.Phase, now.Server, now.Wait = phase, "", 0 })
}

// waiting says that the run waits.
func (p *progress) waiting(phase Phase, server string, wait time.Duration) {
	p.tell(func(now *Progress) { now.Phase, now.Server, now.Wait = phase, serverText(server), wait })
}

// received counts bytes and passes them on from time to time.
func (p *progress) received(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Bytes += int64(n)
	p.untold += int64(n)
	if p.untold >= progressStep && p.hear != nil {
		p.untold = 0
		p.hear(p.now)
	}
}

// maxServerText is how long X-Progress may be: http://hl7.org/fhir/uv/bulkdata, status request.
const maxServerText = 100

// serverText cuts X-Progress to its length and drops what could move a terminal's cursor or turn
// the direction of text.
func serverText(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n == maxServerText {
			break
		}
		if r != unicode.ReplacementChar && unicode.IsPrint(r) {
			b.WriteRune(r)
			n++
		}
	}
	return b.String()
}
