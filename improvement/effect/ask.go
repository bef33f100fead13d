package effect

import (
	"context"
	"errors"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// Months answers a question month by month; measure.Engine is one.
type Months interface {
	Months(ctx context.Context, asked measure.Question) ([]measure.Result, error)
}

// Of asks for the figures of an action up to the moment that data are of, from a number of whole months
// before it (0 is 24), and evaluates them.
func Of(
	ctx context.Context, figures Months, a action.Action, monthsBefore int, dataAsOf time.Time, o Options,
) (Effect, error) {
	asked, err := Question(a, monthsBefore, dataAsOf)
	if err != nil {
		return Effect{}, err
	}
	months, err := figures.Months(ctx, asked)
	if err != nil {
		return Effect{}, err
	}
	return Evaluate(months, a, o)
}

// NoFigures reports whether an error of Of says that there are no figures of the action: not yet, or not
// any more, because the measure, its dimension or the data changed. Of many actions such a one is passed
// over; it is no fault of whoever asks.
func NoFigures(err error) bool {
	for _, cause := range []error{
		ErrQuestion, gap.ErrNoMonths, measure.ErrUnknownMeasure, measure.ErrUnknownDimension,
		measure.ErrNotImported,
	} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}
