package review

import (
	"context"
	"fmt"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

// Case is all that a reviewer sees of an event.
type Case struct {
	// Review is as that reviewer may see it; Withheld says that there is an opinion which they may not see
	// before they have given their own.
	Review   Review
	Withheld bool
	// Withdrawn says that the source does not have the event any more: Event, Fields, Interpreter and
	// Similar are then empty, and Review.Seen says what was known.
	Withdrawn bool
	Event     facts.Event
	// Fields is who the patient is, as mapped, in the order of facts.EventDimensions; none if nobody knows
	// the patient.
	Fields      []Field
	Interpreter Interpreter
	// Similar are the events like this one, by group.
	Similar []facts.Alike
	// Sites names sites by their keys.
	Sites map[string]string
	// Due is as in an Entry.
	Due     time.Time
	Overdue bool
}

// Field is one thing that is known of a patient.
type Field struct {
	Dimension string
	// Key is the code, or "~" and a state; From is the element that settled it, where that is kept.
	Key  string
	From string
}

// Interpreter holds the need for an interpreter against what was documented.
type Interpreter struct {
	// Need is a key, From the element that settled it, or Encounter.
	Need string
	From string
	Use  mapping.InterpreterUse
	Met  Met
}

// Met says how a need for an interpreter was met.
type Met string

// The ways.
const (
	// MetByInterpreter: somebody needed an interpreter, and one is documented.
	MetByInterpreter Met = "interpreter"
	// MetArranged: one was arranged, and nothing documents that they came.
	MetArranged Met = "arranged"
	// MetAdHoc: somebody else interpreted.
	MetAdHoc Met = "ad-hoc"
	// NotMet: nothing is documented.
	NotMet Met = "not-documented"
	// NoNeed: it is recorded that none was needed.
	NoNeed Met = "no-need"
	// NeedUnknown: nobody knows whether one was needed.
	NeedUnknown Met = "need-unknown"
	// NoEncounter: the event belongs to no encounter, so nothing is known of what was used.
	NoEncounter Met = "no-encounter"
)

// interpreter compares.
func interpreter(e *facts.Event) Interpreter {
	i := Interpreter{Need: e.Need, From: e.NeedFrom, Use: e.Use}
	switch {
	case !e.Linked:
		i.Met = NoEncounter
	case e.Need == mapping.No:
		i.Met = NoNeed
	case e.Need != mapping.Yes:
		i.Met = NeedUnknown
	default:
		switch e.Use {
		case mapping.Documented:
			i.Met = MetByInterpreter
		case mapping.Arranged:
			i.Met = MetArranged
		case mapping.AdHoc:
			i.Met = MetAdHoc
		case mapping.NoneDocumented:
			i.Met = NotMet
		}
	}
	return i
}

// Case returns what a reviewer, known by their subject, sees of an event by the id of its review. It
// fails with ErrUnknown.
func (d *Desk) Case(ctx context.Context, id, subject string) (c Case, err error) {
	err = d.cfg.Hold(func(events Events) error {
		r, found, err := d.load(ctx, events, id)
		if err != nil {
			return err
		}
		c.Review, c.Withheld = r.For(subject)
		c.Withdrawn, c.Sites = !found, events.SiteLabels()
		if r.State != Settled {
			c.Due, c.Overdue = d.due(r.Seen)
		}
		if !found {
			return nil
		}
		key := facts.EventKey(r.Key)
		all, err := events.Events(ctx, facts.EventFilter{Keys: []facts.EventKey{key}})
		if err != nil || len(all) != 1 {
			return fmt.Errorf("read the event of review %s: %d found: %w", id, len(all), orUnknown(err))
		}
		c.Event, c.Interpreter = all[0], interpreter(&all[0])
		for _, dimension := range facts.EventDimensions() {
			if key, known := c.Event.Groups[dimension]; known {
				c.Fields = append(c.Fields, Field{Dimension: dimension, Key: key, From: c.Event.From[dimension]})
			}
		}
		if c.Similar, err = events.Alike(ctx, key); err != nil {
			return fmt.Errorf("review %s: %w", id, err)
		}
		return nil
	})
	return c, err
}

// orUnknown stands for an event that is not there although nothing failed.
func orUnknown(err error) error {
	if err == nil {
		return ErrUnknown
	}
	return err
}
