package action

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/store/decisions"
)

var (
	// ErrClosed: the action is closed; it has to be opened again before it changes.
	ErrClosed = errors.New("the action is closed")
	// ErrState: what was asked does not follow from the state in which the action is.
	ErrState = errors.New("the action is not in a state for that")
)

// Records is where actions and conditions are kept: a decisions.Store.
type Records interface {
	Get(ctx context.Context, kind decisions.Kind, id string) (decisions.Document, error)
	History(ctx context.Context, kind decisions.Kind, id string) ([]decisions.Document, error)
	Find(ctx context.Context, q decisions.Query) ([]decisions.Document, error)
	Write(ctx context.Context, changes ...decisions.Change) ([]decisions.Document, error)
}

// Config is what a Register needs. All of it must be set.
type Config struct {
	Records Records
	// Now is the clock.
	Now func() time.Time
	// Random is where ids come from.
	Random io.Reader
	// CheckAim says what is wrong with an aim, by the measures that there are; effect.AimCheck is one.
	CheckAim func(Aim) error
}

// Register is what an institution does about its findings. It keeps nothing itself, so that several
// programs may have one over the same store.
type Register struct{ c Config }

// New returns the register of a store.
func New(c Config) *Register { return &Register{c: c} }

// Version is one version of an action, who wrote it and when.
type Version struct {
	Action
	At time.Time
	// By is the pseudonym of the audit trail.
	By string
}

// Save writes an action: a new one where its ID is empty, else the next version of that which was read
// as a.Version. It fails with *InvalidError, with decisions.ErrConflict where somebody else was
// faster, and with ErrClosed. It neither starts nor closes: a new action is planned or in progress, an
// old one stays in the state in which it is. Result, Created and Looked are those of the register.
func (r *Register) Save(ctx context.Context, a Action, who review.Reviewer) (Action, error) {
	if a.ID == "" {
		return r.add(ctx, a, who)
	}
	old, err := r.at(ctx, a.ID, a.Version)
	if err != nil {
		return Action{}, fmt.Errorf("change action: %w", err)
	}
	if old.Closed() {
		return Action{}, fmt.Errorf("change action: %w", ErrClosed)
	}
	if a.State != "" && a.State != old.State {
		return Action{}, fmt.Errorf("change action: from %s to %s: %w", old.State, a.State, ErrState)
	}
	a.State, a.Result, a.Created, a.Looked = old.State, nil, old.Created, old.Looked
	if a, err = r.write(ctx, a, who); err != nil {
		return Action{}, fmt.Errorf("change action: %w", err)
	}
	return a, nil
}

// add writes a new action.
func (r *Register) add(ctx context.Context, a Action, who review.Reviewer) (Action, error) {
	if a.Version != 0 {
		return Action{}, fmt.Errorf("add action: a version without an id: %w", decisions.ErrConflict)
	}
	if a.State == "" {
		a.State = Planned
	}
	if a.Closed() {
		return Action{}, fmt.Errorf("add action: as %s: %w", a.State, ErrState)
	}
	id, err := r.id()
	if err != nil {
		return Action{}, fmt.Errorf("add action: %w", err)
	}
	a.ID, a.Result, a.Created, a.Looked = id, nil, r.now(), nil
	if a, err = r.write(ctx, a, who); err != nil {
		return Action{}, fmt.Errorf("add action: %w", err)
	}
	return a, nil
}

// Start says that a planned action has begun.
func (r *Register) Start(
	ctx context.Context, id string, version int, who review.Reviewer,
) (Action, error) {
	return r.step(ctx, "start", id, version, who, func(a *Action) error {
		if a.State != Planned {
			return fmt.Errorf("it is %s: %w", a.State, ErrState)
		}
		a.State = InProgress
		return nil
	})
}

// Close ends an action with a result, without which nothing ends. NotDone makes it cancelled, and
// that is the only end of one that never started; every other outcome makes it completed. Result.By
// says who closes it; Result.At is that of the clock.
func (r *Register) Close(ctx context.Context, id string, version int, result Result) (Action, error) {
	return r.step(ctx, "close", id, version, result.By, func(a *Action) error {
		switch {
		case a.Closed():
			return ErrClosed
		case a.State == Planned && result.Outcome != NotDone:
			return fmt.Errorf("it was never started: %w", ErrState)
		}
		a.State = Completed
		if result.Outcome == NotDone {
			a.State = Cancelled
		}
		result.At = r.now()
		a.Result = &result
		return nil
	})
}

// Reopen takes the result away from a closed action, which stays in its history: a completed one is in
// progress again, a cancelled one planned.
func (r *Register) Reopen(
	ctx context.Context, id string, version int, who review.Reviewer,
) (Action, error) {
	return r.step(ctx, "reopen", id, version, who, func(a *Action) error {
		switch a.State {
		case Completed:
			a.State = InProgress
		case Cancelled:
			a.State = Planned
		case Planned, InProgress:
			return fmt.Errorf("it is %s: %w", a.State, ErrState)
		}
		a.Result = nil
		return nil
	})
}

// Look notes that somebody has looked at the figures of an action, which ends the reminder to do so.
func (r *Register) Look(
	ctx context.Context, id string, version int, who review.Reviewer,
) (Action, error) {
	return r.step(ctx, "note a look at", id, version, who, func(a *Action) error {
		if a.Closed() {
			return ErrClosed
		}
		now := r.now()
		a.Looked = &now
		return nil
	})
}

// Get returns an action as it stands, or decisions.ErrNotFound.
func (r *Register) Get(ctx context.Context, id string) (Action, error) {
	doc, err := r.c.Records.Get(ctx, decisions.Action, id)
	if err != nil {
		return Action{}, fmt.Errorf("read action: %w", err)
	}
	return readAction(doc)
}

// History returns every version of an action, the oldest first.
func (r *Register) History(ctx context.Context, id string) ([]Version, error) {
	docs, err := r.c.Records.History(ctx, decisions.Action, id)
	if err != nil {
		return nil, fmt.Errorf("read history of action: %w", err)
	}
	out := make([]Version, len(docs))
	for i, doc := range docs {
		a, err := readAction(doc)
		if err != nil {
			return nil, err
		}
		out[i] = Version{Action: a, At: doc.At, By: doc.By}
	}
	return out, nil
}

// at reads an action that is still at a version.
func (r *Register) at(ctx context.Context, id string, version int) (Action, error) {
	a, err := r.Get(ctx, id)
	if err != nil {
		return Action{}, err
	}
	if a.Version != version {
		return Action{}, decisions.ErrConflict
	}
	return a, nil
}

// step makes the next version of an action by a change of its state.
func (r *Register) step(
	ctx context.Context, deed, id string, version int, who review.Reviewer, change func(*Action) error,
) (Action, error) {
	a, err := r.at(ctx, id, version)
	if err == nil {
		err = change(&a)
	}
	if err == nil {
		a, err = r.write(ctx, a, who)
	}
	if err != nil {
		return Action{}, fmt.Errorf("%s action: %w", deed, err)
	}
	return a, nil
}

// write checks an action and writes it as the version after a.Version.
func (r *Register) write(ctx context.Context, a Action, who review.Reviewer) (Action, error) {
	if err := r.check(&a, who); err != nil {
		return Action{}, err
	}
	body, err := bodyOf(&a)
	if err != nil {
		return Action{}, err
	}
	return readWritten(r.c.Records.Write(ctx, decisions.Change{
		Document: decisions.Document{
			Kind: decisions.Action, ID: a.ID, At: r.now(), By: who.Subject, Terms: a.terms(), Body: body,
		},
		Expect: a.Version,
	}))
}

// readWritten reads the one document that was written.
func readWritten(docs []decisions.Document, err error) (Action, error) {
	if err != nil {
		return Action{}, err
	}
	if len(docs) != 1 {
		return Action{}, fmt.Errorf("the store wrote %d documents for one", len(docs))
	}
	return readAction(docs[0])
}

// now is the clock as the store keeps it.
func (r *Register) now() time.Time { return r.c.Now().UTC().Truncate(time.Microsecond) }

// idBytes is how many random bytes an id has: none is met twice.
const idBytes = 12

// id makes an id that says nothing.
func (r *Register) id() (string, error) {
	random := make([]byte, idBytes)
	if _, err := io.ReadFull(r.c.Random, random); err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return hex.EncodeToString(random), nil
}
