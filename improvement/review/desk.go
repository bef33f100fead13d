package review

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// Records is the part of decisions.Store that a Desk uses.
type Records interface {
	Get(ctx context.Context, kind decisions.Kind, id string) (decisions.Document, error)
	History(ctx context.Context, kind decisions.Kind, id string) ([]decisions.Document, error)
	Find(ctx context.Context, q decisions.Query) ([]decisions.Document, error)
	Write(ctx context.Context, changes ...decisions.Change) ([]decisions.Document, error)
}

// Events is what a snapshot says of harm events; a *facts.Snapshot is one.
type Events interface {
	EventHeads(ctx context.Context, f facts.EventFilter) ([]facts.EventHead, error)
	Events(ctx context.Context, f facts.EventFilter) ([]facts.Event, error)
	Alike(ctx context.Context, of facts.EventKey) ([]facts.Alike, error)
	// SiteLabels names organisations by the keys of their sites.
	SiteLabels() map[string]string
}

// Config is what a Desk works with. Records, Hold and Now are required.
type Config struct {
	Records Records
	// Hold calls use with the events of the live snapshot, which are of no use afterwards. Where there is
	// none it fails, and so does what needs events.
	Hold func(use func(Events) error) error
	// TwoPerson says which events two people review; the zero value is OneReviewer.
	TwoPerson Rule
	// Since is the first day whose events are in the worklist; the zero time is all there are.
	Since time.Time
	// DueAfter is how long after an event came to be known its review is due; 0 is never.
	DueAfter time.Duration
	Now      func() time.Time
}

// Desk is where harm events are reviewed. It is safe for concurrent use, beside other programs on the
// same store.
type Desk struct{ cfg Config }

// New makes a Desk.
func New(cfg Config) (*Desk, error) {
	if cfg.TwoPerson == "" {
		cfg.TwoPerson = OneReviewer
	}
	switch {
	case cfg.Records == nil || cfg.Hold == nil || cfg.Now == nil:
		return nil, errors.New("review: Records, Hold and Now are required")
	case cfg.TwoPerson != OneReviewer && cfg.TwoPerson != TwoIfSevere && cfg.TwoPerson != TwoForEachOne:
		return nil, fmt.Errorf("review: there is no rule %q", cfg.TwoPerson)
	}
	return &Desk{cfg: cfg}, nil
}

const dayLayout = time.DateOnly

// now is the clock as the store keeps times.
func (d *Desk) now() time.Time { return d.cfg.Now().UTC().Truncate(time.Microsecond) }

// stored reads the review of an id as the store has it.
func (d *Desk) stored(ctx context.Context, id string) (Review, error) {
	document, err := d.cfg.Records.Get(ctx, decisions.Review, id)
	if err != nil {
		return Review{}, err
	}
	return read(&document)
}

// load reads the review of an id, which nobody need have begun, with what is known of its event now.
// found says that the snapshot holds the event.
func (d *Desk) load(ctx context.Context, events Events, id string) (r Review, found bool, err error) {
	r, err = d.stored(ctx, id)
	begun := err == nil
	if err != nil && !errors.Is(err, decisions.ErrNotFound) {
		return Review{}, false, fmt.Errorf("read review %s: %w", id, err)
	}
	filter := facts.EventFilter{}
	if begun {
		filter.Keys = []facts.EventKey{facts.EventKey(r.Key)}
	}
	heads, err := events.EventHeads(ctx, filter)
	if err != nil {
		return Review{}, false, fmt.Errorf("find the event of review %s: %w", id, err)
	}
	for i := range heads {
		key := Key(heads[i].Key())
		if IDOf(key) != id {
			continue
		}
		seen := particulars(&heads[i])
		if !begun {
			r = Review{ID: id, Key: key, State: Open, Needed: d.cfg.TwoPerson.needed(seen)}
		}
		return d.seeing(r, seen), true, nil
	}
	if !begun {
		return Review{}, false, fmt.Errorf("review %s: %w", id, ErrUnknown)
	}
	return r, false, nil
}

// seeing is a review with what is known of its event now.
func (d *Desk) seeing(r Review, seen Particulars) Review {
	r.Seen = seen
	if r.State == Open {
		r.Needed = d.cfg.TwoPerson.needed(seen)
	}
	return r
}

// Review returns the review of an id as it stands, all of it: what a reviewer may see of it is what its
// method For returns. It fails with ErrUnknown.
func (d *Desk) Review(ctx context.Context, id string) (r Review, err error) {
	err = d.cfg.Hold(func(events Events) error {
		r, _, err = d.load(ctx, events, id)
		return err
	})
	return r, err
}

// Reviews returns those reviews of some ids that anybody has begun, each as Review does.
func (d *Desk) Reviews(ctx context.Context, ids ...string) (map[string]Review, error) {
	out := make(map[string]Review, len(ids))
	err := d.cfg.Hold(func(events Events) error {
		filter := facts.EventFilter{Keys: []facts.EventKey{}}
		for _, id := range ids {
			r, err := d.stored(ctx, id)
			if errors.Is(err, decisions.ErrNotFound) {
				continue
			}
			if err != nil {
				return fmt.Errorf("read review %s: %w", id, err)
			}
			out[id], filter.Keys = r, append(filter.Keys, facts.EventKey(r.Key))
		}
		heads, err := events.EventHeads(ctx, filter)
		if err != nil {
			return fmt.Errorf("find the events of reviews: %w", err)
		}
		for i := range heads {
			id := IDOf(Key(heads[i].Key()))
			if r, ok := out[id]; ok {
				out[id] = d.seeing(r, particulars(&heads[i]))
			}
		}
		return nil
	})
	return out, err
}

// History returns every version of a review as a reviewer may see it, the oldest first; none of one that
// nobody has begun.
func (d *Desk) History(ctx context.Context, id, subject string) ([]Review, error) {
	documents, err := d.cfg.Records.History(ctx, decisions.Review, id)
	if errors.Is(err, decisions.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the history of review %s: %w", id, err)
	}
	versions := make([]Review, len(documents))
	for i := range documents {
		if versions[i], err = read(&documents[i]); err != nil {
			return nil, err
		}
	}
	// What the newest version withholds, no older one shows.
	last := versions[len(versions)-1]
	if last.State != Waiting {
		return versions, nil
	}
	secret := len(last.Opinions) - len(last.round())
	for i := range versions {
		versions[i] = versions[i].hiding(secret, subject)
	}
	return versions, nil
}

// Answer adds the opinion of a reviewer to the review of an id, whose version they had read: 0 of one
// that nobody had begun. It returns the review as that reviewer may see it. It fails with an
// *InvalidError, ErrUnknown, ErrSettled, ErrTwoAnswered, ErrFull, or decisions.ErrConflict where somebody else
// was faster; then nothing is written, and what they answered can be given again.
func (d *Desk) Answer(ctx context.Context, id string, version int, o Opinion) (Review, error) {
	o, err := o.checked()
	if err != nil {
		return Review{}, err
	}
	o.At = d.now()
	return d.write(ctx, change{id, version, o.Reviewer.Subject, o.At}, func(r *Review) error {
		return r.answer(o, d.cfg.TwoPerson)
	})
}

// Settle ends a disagreement of two reviewers by what a third person says of it. The two themselves come
// to agree by changing their opinions. Of the settlement it sets How and At. It fails as Answer does, and
// with ErrNotDisagreed or ErrParty.
func (d *Desk) Settle(ctx context.Context, id string, version int, s Settlement) (Review, error) {
	s, err := s.checked()
	if err != nil {
		return Review{}, err
	}
	s.At = d.now()
	return d.write(ctx, change{id, version, s.By.Subject, s.At}, func(r *Review) error { return r.settle(s) })
}

// Reopen takes the settlement of a review back, with a reason, which is free text. It begins anew; what
// was there stays in the review and counts no more. It fails as Answer does, and with ErrNotSettled.
func (d *Desk) Reopen(
	ctx context.Context, id string, version int, by Reviewer, reason string,
) (Review, error) {
	var f faults
	f.reviewer(&by)
	f.text(FieldReason, &reason, MaxText)
	f.require(FieldReason, reason)
	if err := f.err(); err != nil {
		return Review{}, err
	}
	at := d.now()
	return d.write(ctx, change{id, version, by.Subject, at}, func(r *Review) error { return r.reopen(by, at, reason) })
}

// change is who changes which review, of which they had read a version, and when.
type change struct {
	id      string
	version int
	by      string
	at      time.Time
}

// write changes a review that is still at that version.
func (d *Desk) write(ctx context.Context, c change, apply func(*Review) error) (out Review, err error) {
	err = d.cfg.Hold(func(events Events) error {
		r, _, err := d.load(ctx, events, c.id)
		if err != nil {
			return err
		}
		if r.Version != c.version {
			return fmt.Errorf("review %s is at version %d, not %d: %w", c.id, r.Version, c.version,
				decisions.ErrConflict)
		}
		if err := apply(&r); err != nil {
			return fmt.Errorf("review %s: %w", c.id, err)
		}
		document, err := r.document()
		if err != nil {
			return err
		}
		document.At, document.By = c.at, c.by
		written, err := d.cfg.Records.Write(ctx, decisions.Change{Document: document, Expect: c.version})
		if err != nil {
			return fmt.Errorf("write review %s: %w", c.id, err)
		}
		if out, err = read(&written[0]); err != nil {
			return err
		}
		out, _ = out.For(c.by)
		return nil
	})
	return out, err
}
