package incident

import (
	"context"
	"errors"
	"fmt"

	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// Records is where events are kept; a decisions.Store is one.
type Records interface {
	Finder
	Get(ctx context.Context, kind decisions.Kind, id string) (decisions.Document, error)
	Write(ctx context.Context, changes ...decisions.Change) ([]decisions.Document, error)
}

// Intake takes events in. Records and By are required.
type Intake struct {
	Records Records
	// Unknown looks for patients and encounters in the live snapshot, as facts.Snapshot.Unknown does. Nil
	// where there is none.
	Unknown func(ctx context.Context, of []facts.Whom) (patients, encounters []bool, err error)
	// By is who brings events in: the id of a program, or the pseudonym of a person.
	By string
}

// Plan is what an import does, or would do. Its JSON form is part of the contract of
// `equitylens import-events --json`: fields may be added, never changed. Rows are lines of the file, the
// header being the first.
type Plan struct {
	Source string `json:"source"`
	Rows   int    `json:"rows"`
	// New, Changed and Withdrawn count events of which a version is written, Unchanged those that are
	// there already as the table has them.
	New       int `json:"new"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Withdrawn int `json:"withdrawn"`
	// Refused are the rows that are not taken.
	Refused []Refusal `json:"refused"`
	// RefusedRows is how many rows that is: a row may be refused for several reasons.
	RefusedRows int `json:"refused_rows"`
	// UnknownPatients and UnknownEncounters are rows whose patient or encounter is not in the live
	// snapshot. They are taken, and stay out of figures until it is.
	UnknownPatients   []int `json:"unknown_patients"`
	UnknownEncounters []int `json:"unknown_encounters"`
	// Compared says that there is a snapshot to look for them in.
	Compared bool `json:"compared"`
	// Stored says that it was done.
	Stored bool `json:"stored"`

	changes []decisions.Change
}

// Plan says what importing a table would do. It writes nothing.
func (i *Intake) Plan(ctx context.Context, sheet Sheet) (Plan, error) {
	out := Plan{
		Source: sheet.Source, Rows: sheet.Rows, Refused: append([]Refusal{}, sheet.Refused...),
		UnknownPatients: []int{}, UnknownEncounters: []int{},
	}
	rows := map[int]bool{}
	for _, r := range sheet.Refused {
		rows[r.Row] = true
	}
	out.RefusedRows = len(rows)
	type held struct {
		version int
		stored
	}
	before := map[string]held{}
	err := each(ctx, i.Records, sheet.Source, func(d decisions.Document, s stored) error {
		before[d.ID] = held{d.Version, s}
		return nil
	})
	if err != nil {
		return Plan{}, err
	}
	for at := range sheet.Good {
		e := &sheet.Good[at].Event
		id := IDOf(e.Source, e.Number)
		old := before[id]
		next, err := e.next(old.stored)
		if err != nil {
			return Plan{}, err
		}
		if old.version > 0 && next.equal(old.stored) {
			out.Unchanged++
			continue
		}
		if err := out.write(id, old.version, next, i.By); err != nil {
			return Plan{}, err
		}
	}
	return out, i.compare(ctx, sheet, &out)
}

// next is what is stored of an event after what was stored before. A report that was taken back keeps
// what it said.
func (e *Event) next(before stored) (stored, error) {
	if e.Withdrawn {
		return stored{V: storedForm, Source: e.Source, Withdrawn: true, Resource: before.Resource}, nil
	}
	resource, err := e.Resource()
	return stored{V: storedForm, Source: e.Source, Resource: resource}, err
}

// write adds a version of an event and counts it.
func (p *Plan) write(id string, version int, s stored, by string) error {
	d, err := s.document(id)
	if err != nil {
		return err
	}
	d.By = by
	p.changes = append(p.changes, decisions.Change{Document: d, Expect: version})
	switch {
	case s.Withdrawn:
		p.Withdrawn++
	case version == 0:
		p.New++
	default:
		p.Changed++
	}
	return nil
}

// compare looks for whom the rows name in the live snapshot.
func (i *Intake) compare(ctx context.Context, sheet Sheet, p *Plan) error {
	if i.Unknown == nil {
		return nil
	}
	var whom []facts.Whom
	var lines []int
	for _, row := range sheet.Good {
		if !row.Event.Withdrawn {
			whom = append(whom, facts.Whom{Patient: row.Event.Patient, Encounter: row.Event.Encounter})
			lines = append(lines, row.Line)
		}
	}
	patients, encounters, err := i.Unknown(ctx, whom)
	if err != nil {
		return err
	}
	p.Compared = true
	for at, line := range lines {
		if patients[at] {
			p.UnknownPatients = append(p.UnknownPatients, line)
		}
		if encounters[at] {
			p.UnknownEncounters = append(p.UnknownEncounters, line)
		}
	}
	return nil
}

var (
	// ErrRefused: rows of the table were refused, so that nothing was taken.
	ErrRefused = errors.New("rows were refused, so that nothing was brought in")
	// ErrOvertaken: somebody else brought in the same events in between.
	ErrOvertaken = errors.New("somebody else has brought in the same events in the meantime; repeat it")
)

// Apply does what a plan says, wholly or not at all. Where rows were refused it fails with ErrRefused,
// unless the good ones are to be taken by themselves.
func (i *Intake) Apply(ctx context.Context, p *Plan, acceptGood bool) error {
	if p.RefusedRows > 0 && !acceptGood {
		return ErrRefused
	}
	if len(p.changes) > 0 {
		if _, err := i.Records.Write(ctx, p.changes...); errors.Is(err, decisions.ErrConflict) {
			return ErrOvertaken
		} else if err != nil {
			return fmt.Errorf("store incidents: %w", err)
		}
	}
	p.Stored = true
	return nil
}
