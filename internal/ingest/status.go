package ingest

import (
	"slices"
	"time"
)

// Status says how far a sync of every source is, or how the last one went. It names no person. Its JSON
// form is that of GET /sync: fields may be added, never changed.
type Status struct {
	Running bool      `json:"running"`
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	// Sources are those that are done with.
	Sources []Share `json:"sources,omitempty"`
	// Failure is why no source was asked at all.
	Failure string `json:"failure,omitempty"`
	// Source is the one that is being asked, and Progress how far that is; both absent between sources.
	Source   string    `json:"source,omitempty"`
	Progress *Progress `json:"progress,omitempty"`
}

// Share is what came of one source.
type Share struct {
	Source   string  `json:"source"`
	Snapshot string  `json:"snapshot,omitempty"`
	Complete bool    `json:"complete"`
	Outcome  Outcome `json:"outcome,omitempty"`
	Failure  string  `json:"failure,omitempty"`
}

// Clone shares nothing that changes.
func (s Status) Clone() Status {
	s.Sources = slices.Clone(s.Sources)
	if s.Progress != nil {
		p := *s.Progress
		s.Progress = &p
	}
	return s
}
