package decisions

import (
	"context"
	"errors"
	"time"
)

var (
	// ErrNotFound: there is no such document, or no such version of it.
	ErrNotFound = errors.New("there is no such decision")
	// ErrConflict: somebody else has changed the document since it was read.
	ErrConflict = errors.New("somebody else has changed it in the meantime")
	// ErrSchema: the store is of a newer or an older program than this one.
	ErrSchema = errors.New("the store of decisions is of another version of the program")
)

// Kind is what a document is.
type Kind string

// The kinds.
const (
	// Incident is a harm event that was brought in from outside the EHR.
	Incident Kind = "incident"
	// Review is the equity review of one harm event.
	Review Kind = "review"
	// Action is what is done about a finding.
	Action Kind = "action"
	// Condition is a declared interval, such as of crisis standards of care.
	Condition Kind = "condition"
	// Assessment is an institution's own answer to the readiness questionnaire for a period.
	Assessment Kind = "assessment"
	// Submission is what a member of a network sent to its coordinator.
	Submission Kind = "submission"
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{Incident, Review, Action, Condition, Assessment, Submission} }

// Document is one version of one decision.
type Document struct {
	Kind Kind
	// ID is a FHIR id: 1 to 64 letters, digits, dashes and dots. It names no person.
	ID string
	// Version counts from 1 and has no holes.
	Version int
	// At is when this version was written, to the microsecond and in UTC, and By who wrote it: the
	// pseudonym by which the audit trail knows them, or the id of a program.
	At time.Time
	By string
	// Terms are what the document is found by. They hold no free text and nobody's name.
	Terms map[string]string
	// Body is the document itself, as JSON.
	Body []byte
}

// Change is a document to be written. It becomes version Expect+1; Expect 0 means that there is none
// yet. Its own Version is not looked at. An At that is zero becomes the time of writing; By is needed.
type Change struct {
	Document
	Expect int
}

// Query asks for the newest versions of documents of one kind, in the order of their ids.
type Query struct {
	Kind Kind
	// Terms must all be there as given; of several values of a name one is enough.
	Terms map[string][]string
	// After is the last id of the page before; Limit 0 is without bound.
	After string
	Limit int
}

// Store keeps documents. It is safe for concurrent use, by several programs too.
type Store interface {
	// Get returns the newest version, or ErrNotFound.
	Get(ctx context.Context, kind Kind, id string) (Document, error)
	// History returns every version, the oldest first, or ErrNotFound.
	History(ctx context.Context, kind Kind, id string) ([]Document, error)
	// Find returns the newest version of each document that matches.
	Find(ctx context.Context, q Query) ([]Document, error)
	// Write writes all changes or none, and returns them as they stand. When it returns, they outlive
	// the machine. It fails with ErrConflict if any document is not at its expected version.
	Write(ctx context.Context, changes ...Change) ([]Document, error)
	Close() error
}
