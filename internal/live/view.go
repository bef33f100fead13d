package live

import (
	"context"
	"errors"
	"fmt"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/facts"
)

// View answers from one snapshot, whatever becomes live in the meantime, so that the figures of one page
// belong together.
type View struct {
	engine *Engine
	held   *held
}

// Hold calls use with what answers from the snapshot that is live now; the View is of no use afterwards.
// It fails with measure.ErrNoSnapshot where there is none, else as use does.
func (e *Engine) Hold(use func(*View) error) error {
	h, ok := e.take()
	if !ok {
		return measure.ErrNoSnapshot
	}
	defer h.users.Done()
	return use(&View{engine: e, held: h})
}

// ID names the snapshot and what was imported beside it.
func (v *View) ID() string { return v.held.id }

// Facts is the snapshot itself.
func (v *View) Facts() *facts.Snapshot { return v.held.engine.Snapshot() }

// Definitions lists the measures, imported ones included.
func (v *View) Definitions() []measure.Definition { return v.held.engine.Definitions() }

// Answer is for an audience; the internal one gets what is counted, and answers are kept.
func (v *View) Answer(
	ctx context.Context, asked measure.Question, audience release.Audience,
) (measure.Result, error) {
	if audience == release.Internal {
		return v.held.kept.ask(ctx, asked)
	}
	if v.engine.cfg.Desk == nil {
		return measure.Result{}, server.ErrNotPublic
	}
	result, err := v.engine.cfg.Desk.Answer(ctx, v.held, asked, audience)
	if errors.Is(err, release.ErrNotPublic) {
		return result, fmt.Errorf("%w: %w", server.ErrNotPublic, err)
	}
	return result, err
}

// Months is measure.Engine.Months, for an internal audience.
func (v *View) Months(ctx context.Context, asked measure.Question) ([]measure.Result, error) {
	return v.held.engine.Months(ctx, asked)
}

// Sequences is measure.Engine.Sequences, for an internal audience.
func (v *View) Sequences(
	ctx context.Context, asked measure.Question, rate string,
) ([]measure.Sequence, error) {
	return v.held.engine.Sequences(ctx, asked, rate)
}

// Earlier calls use with an engine on the snapshot before this one, if one is kept. What was imported is
// not beside it.
func (v *View) Earlier(ctx context.Context, use func(*measure.Engine) error) (err error) {
	ids, err := v.engine.cfg.Dir.IDs()
	if err != nil {
		return err
	}
	before := ""
	for _, id := range ids {
		if id == v.Facts().Info.ID {
			break
		}
		before = id
	}
	if before == "" {
		return measure.ErrNoSnapshot
	}
	snapshot, err := v.engine.cfg.Dir.Snapshot(ctx, before)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	return use(measure.NewEngine(snapshot, v.engine.cfg.Definitions))
}
