package disclose_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/disclose"
)

func TestRate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		n, d int64
		want bool
	}{
		{"nobody at all", 0, 0, true},
		{"all parts large", 25, 200, true},
		{"a small numerator", 10, 200, false},
		{"few without the event", 190, 200, false},
		{"a small denominator", 0, 10, false},
		{"the smallest that may be shown", 11, 22, true},
		{"a numerator above its denominator", 23, 11, false},
		{"a negative numerator", -1, 30, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := disclose.Rate(tt.n, tt.d); got != tt.want {
				t.Errorf("Rate(%d, %d) = %v, want %v", tt.n, tt.d, got, tt.want)
			}
		})
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		percent  float64
		decimals int
		d        int64
		want     bool
	}{
		{"three of 64", 4.7, 1, 64, false},
		{"all but three of 64", 95.3, 1, 64, false},
		{"none of 64", 0, 1, 64, true},
		{"all of 64", 100, 1, 64, true},
		{"a third of 64", 33, 0, 64, true},
		{"of nine", 0, 0, 9, false},
		{"less than half a per cent of 5,000 may be 24", 0, 0, 5000, true},
		{"less than half a per cent of 1,000 may be 1 to 4", 0, 0, 1000, false},
		{"a percentage no numerator gives", 50, 1, 3, false},
		{"beyond a hundred", 101, 0, 100, false},
		{"no number", math.NaN(), 0, 100, false},
		{"too fine to count", 12, 9, 100, false},
		{"no denominator", 12, 0, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := disclose.Percent(tt.percent, tt.decimals, tt.d); got != tt.want {
				t.Errorf("Percent(%v, %d, %d) = %v, want %v", tt.percent, tt.decimals, tt.d, got, tt.want)
			}
		})
	}
}

// TestNumeratorsAgainstRounding tries out every numerator.
func TestNumeratorsAgainstRounding(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.Int64Range(1, 3000).Draw(t, "denominator")
		n := rapid.Int64Range(0, d).Draw(t, "numerator")
		decimals := rapid.IntRange(0, 3).Draw(t, "decimals")
		unit := int64(math.Pow10(decimals))
		// Half up, in whole numbers; exact says that no half was met.
		round := func(n int64) (units int64, exact bool) {
			return (200*unit*n + d) / (2 * d), (200*unit*n+d)%(2*d) != 0
		}
		units, _ := round(n)
		lo, hi, ok := disclose.Numerators(float64(units)/float64(unit), decimals, d)
		if !ok {
			t.Fatalf("%d/%d is not among what its percentage stands for", n, d)
		}
		for k := range d + 1 {
			got, exact := round(k)
			if within := k >= lo && k <= hi; exact && within != (got == units) {
				t.Fatalf("%d/%d rounds to %d units, shown are %d, numerators %d to %d", k, d, got, units, lo, hi)
			}
		}
		small := n >= 1 && n <= 10 || d-n >= 1 && d-n <= 10
		if small && disclose.Percent(float64(units)/float64(unit), decimals, d) && lo == hi {
			t.Fatalf("%d/%d may be shown and gives itself away", n, d)
		}
	})
}

func TestDifference(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		a, b, both int64
		want       bool
	}{
		{"the same people", 57, 57, 57, true},
		{"nobody in common", 57, 61, 0, true},
		{"two more", 57, 55, 55, false},
		{"ten fewer", 57, 67, 57, false},
		{"eleven more", 68, 57, 57, true},
		{"few of one side only", 57, 100, 52, false},
		{"as many, five of them others", 57, 57, 52, false},
		{"many of each side", 57, 100, 30, true},
		{"more in common than there are", 5, 9, 6, false},
		{"a negative intersection", 50, 90, -1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := disclose.Difference(tt.a, tt.b, tt.both); got != tt.want {
				t.Errorf("Difference(%d, %d, %d) = %v, want %v", tt.a, tt.b, tt.both, got, tt.want)
			}
			if got := disclose.Difference(tt.b, tt.a, tt.both); got != tt.want {
				t.Errorf("Difference(%d, %d, %d) = %v, want %v", tt.b, tt.a, tt.both, got, tt.want)
			}
		})
	}
}
