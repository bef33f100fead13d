package stat_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/equitylens/equitylens/measure/stat"
)

func ascending(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(i + 1)
	}
	return values
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	// The wants are those of R: quantile(x, p, type = 7).
	tests := []struct {
		name   string
		sorted []float64
		p      float64
		want   float64
		wantOK bool
	}{
		{"nothing has no median", nil, 0.5, 0, false},
		{"one value is every quantile", []float64{7}, 0.9, 7, true},
		{"the median of two is between them", []float64{1, 4}, 0.5, 2.5, true},
		{"the ninth decile of ten is interpolated", ascending(10), 0.9, 9.1, true},
		{"the last quantile is the largest", ascending(10), 1, 10, true},
		{"the first quantile is the smallest", ascending(10), 0, 1, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := stat.Quantile(tt.sorted, tt.p)
			if math.Abs(got-tt.want) > 1e-12 || ok != tt.wantOK {
				t.Errorf("Quantile(%v, %v) = %v, %v; want %v, %v", tt.sorted, tt.p, got, ok, tt.want, tt.wantOK)
			}
		})
	}
}

// TestMedianInterval compares the ranks with the binomial distribution summed in exact integers.
func TestMedianInterval(t *testing.T) {
	t.Parallel()
	for n := range 400 {
		wantLo := exactRank(n)
		lo, hi, ok := stat.MedianInterval(ascending(n))
		if ok != (wantLo > 0) {
			t.Fatalf("MedianInterval of %d values exists: %v", n, ok)
		}
		if ok && (lo != float64(wantLo) || hi != float64(n+1-wantLo)) {
			t.Errorf("MedianInterval of %d values is ranks %v to %v, want %d to %d",
				n, lo, hi, wantLo, n+1-wantLo)
		}
	}
}

// exactRank is the largest d with 40·ΣC(n, i < d) <= 2ⁿ.
func exactRank(n int) int {
	whole := new(big.Int).Lsh(big.NewInt(1), uint(n)) // #nosec G115 -- n is below 400
	below := new(big.Int)
	for d := 1; ; d++ {
		below.Add(below, new(big.Int).Binomial(int64(n), int64(d-1)))
		if new(big.Int).Mul(below, big.NewInt(40)).Cmp(whole) > 0 {
			return d - 1
		}
	}
}

func TestMedianIntervalOfTenMillion(t *testing.T) {
	t.Parallel()
	// Half the values are 3 and half are 5; the ranks n/2 ∓ 1.96·√n/2 straddle the border.
	lo, hi, ok := stat.MedianIntervalCounts([]float64{3, 5}, []int64{5_000_000, 5_000_000})
	if !ok || lo != 3 || hi != 5 {
		t.Errorf("MedianIntervalCounts = %v, %v, %v; want 3, 5, true", lo, hi, ok)
	}
}
