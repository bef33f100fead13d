package effect_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// months answers one thing and keeps what it was asked.
type months struct {
	asked []measure.Question
	err   error
}

func (m *months) Months(_ context.Context, asked measure.Question) ([]measure.Result, error) {
	m.asked = append(m.asked, asked)
	return nil, m.err
}

func TestFiguresThatAreNotThere(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	for _, tt := range []struct {
		name string
		in   error
		want bool
	}{
		{"there are no months", nil, true},
		{"the measure is gone", measure.ErrUnknownMeasure, true},
		{"the dimension is gone", fmt.Errorf("by site: %w", measure.ErrUnknownDimension), true},
		{"no report was imported", measure.ErrNotImported, true},
		{"the chart has no months", gap.ErrNoMonths, true},
		{"anything else", broken, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			figures := &months{err: tt.in}
			a := action.Action{ID: "a-1", Start: "2025-03-01", Aim: action.Aim{
				Measure: "interpreter-documented", Dimension: "language_group", Groups: []string{"spanish"},
			}}
			_, err := effect.Of(t.Context(), figures, a, 6, time.Date(2025, 8, 3, 0, 0, 0, 0, time.UTC), effect.Options{})
			if tt.in != nil && !errors.Is(err, tt.in) {
				t.Errorf("Of() = %v, want %v", err, tt.in)
			}
			if got := effect.NoFigures(err); got != tt.want {
				t.Errorf("NoFigures(%v) = %v, want %v", err, got, tt.want)
			}
			if got := figures.asked[0].Period.String(); len(figures.asked) != 1 || got != "2024-09-01/2025-08-31" {
				t.Errorf("asked %d times, of %s", len(figures.asked), got)
			}
		})
	}
	if effect.NoFigures(nil) {
		t.Error("NoFigures(nil) = true")
	}
}

func TestADayThatIsNoneIsNoQuestion(t *testing.T) {
	t.Parallel()
	figures := &months{}
	_, err := effect.Of(t.Context(), figures, action.Action{Start: "soon"}, 0, time.Time{}, effect.Options{})
	if err == nil || len(figures.asked) > 0 || effect.NoFigures(err) {
		t.Errorf("Of() = %v after %d questions", err, len(figures.asked))
	}
}
