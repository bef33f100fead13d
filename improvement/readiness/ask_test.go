package readiness_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/measure"
)

func TestAskTakesWhatAnswers(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	for _, tt := range []struct {
		name    string
		answers map[string]error
		want    []string
		err     error
	}{
		{"every measure answers", nil, []string{"a", "b", "c"}, nil},
		{"one was not imported", map[string]error{"b": measure.ErrNotImported}, []string{"a", "c"}, nil},
		{"one fails", map[string]error{"b": broken}, []string{"a"}, broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			period, err := measure.ParsePeriod("2025")
			if err != nil {
				t.Fatal(err)
			}
			var data readiness.Data
			err = data.Ask(t.Context(), []measure.Definition{{ID: "a"}, {ID: "b"}, {ID: "c"}}, period,
				func(_ context.Context, asked measure.Question) (measure.Result, error) {
					if diff := cmp.Diff(readiness.Dimensions(), asked.By); diff != "" || asked.Period != period {
						t.Errorf("asked of %v by (-want +got):\n%s", asked.Period, diff)
					}
					return measure.Result{Measure: asked.Measure}, tt.answers[asked.Measure]
				})
			if !errors.Is(err, tt.err) {
				t.Errorf("Ask() = %v, want %v", err, tt.err)
			}
			var got []string
			for _, r := range data.Results {
				got = append(got, r.Measure)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("results (-want +got):\n%s", diff)
			}
		})
	}
}
