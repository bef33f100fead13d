package inequality

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestLogitSolvesItsEquations checks the one thing that makes coefficients those of the largest
// likelihood: that the weighted residuals, and these times rank, sum to 0. Where every group has
// both events and non-events the fit exists.
func TestLogitSolvesItsEquations(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(3, 40).Draw(t, "groups")
		c := counts{n: make([]float64, k), events: make([]float64, k)}
		weights := make([]float64, k)
		squared := rapid.Bool().Draw(t, "squared")
		for i := range k {
			n := rapid.IntRange(2, 100_000).Draw(t, "people")
			c.n[i] = float64(n)
			c.events[i] = float64(rapid.IntRange(1, n-1).Draw(t, "events"))
			weights[i] = 1
			if squared {
				weights[i] = c.n[i]
			}
		}
		c.x = ridits(c.n)
		b0, b1, ok := logit(c, weights)
		if !ok {
			t.Fatalf("no fit of %+v", c)
		}
		var s0, s1, size float64
		for i, x := range c.x {
			r := weights[i] * (c.events[i] - c.n[i]*expit(b0+b1*x))
			s0 += r
			s1 += r * x
			size += weights[i] * c.n[i]
		}
		if math.Abs(s0) > 1e-10*size || math.Abs(s1) > 1e-10*size {
			t.Fatalf("expit(%v + %v·x) leaves the scores %v and %v of %v", b0, b1, s0, s1, size)
		}
	})
}

func TestLogitWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		events []float64
	}{
		{"no event at all", []float64{0, 0, 0, 0}},
		{"nothing but events", []float64{50, 50, 50, 50}},
		{"a rank that separates", []float64{0, 0, 50, 50}},
		{"a rank that separates but for one group", []float64{0, 0, 20, 50}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := counts{n: []float64{50, 50, 50, 50}, events: tt.events}
			c.x = ridits(c.n)
			if b0, b1, ok := logit(c, []float64{1, 1, 1, 1}); ok {
				t.Errorf("logit(%v) = %v, %v", tt.events, b0, b1)
			}
		})
	}
}
