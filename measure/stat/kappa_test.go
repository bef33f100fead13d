package stat_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/stat"
)

// TestKappa has its wants from fractions, worked out by hand; the standard errors are those of the delta
// method on numerical derivatives, by another program.
func TestKappa(t *testing.T) {
	t.Parallel()
	const sixth = 1e-6
	tests := []struct {
		name string
		in   [][]float64
		want stat.Agreement
		se   float64
		ok   bool
	}{
		{
			"two categories", [][]float64{{20, 5}, {10, 15}},
			stat.Agreement{
				N: 50, Observed: 0.7, Expected: 0.5, Kappa: stat.Estimate{Value: 0.4},
				Prevalence: []float64{0.55, 0.45}, Bias: []float64{-0.1, 0.1},
			}, 0.126996063, true,
		},
		{
			"three categories, of which one is frequent", [][]float64{{75, 1, 4}, {5, 4, 1}, {0, 0, 10}},
			stat.Agreement{
				N: 100, Observed: 0.89, Expected: 0.66, Kappa: stat.Estimate{Value: 23. / 34},
				Prevalence: []float64{0.8, 0.075, 0.125}, Bias: []float64{0, 0.05, -0.05},
			}, 0.087702953, true,
		},
		{
			"three categories alike", [][]float64{{8, 2, 1}, {3, 9, 2}, {1, 4, 10}},
			stat.Agreement{
				N: 40, Observed: 27. / 40, Expected: 537. / 1600, Kappa: stat.Estimate{Value: 543. / 1063},
				Prevalence: []float64{23. / 80, 29. / 80, 28. / 80}, Bias: []float64{-1. / 40, -1. / 40, 2. / 40},
			}, 0.111654928, true,
		},
		{
			"a rare category makes it low although nearly all agree", [][]float64{{118, 5}, {2, 0}},
			stat.Agreement{
				N: 125, Observed: 0.944, Expected: 2954. / 3125, Kappa: stat.Estimate{Value: -4. / 171},
				Prevalence: []float64{0.972, 0.028}, Bias: []float64{0.024, -0.024},
			}, 0.012286757, true,
		},
		{
			"all agree", [][]float64{{10, 0}, {0, 10}},
			stat.Agreement{
				N: 20, Observed: 1, Expected: 0.5, Kappa: stat.Estimate{Value: 1},
				Prevalence: []float64{0.5, 0.5}, Bias: []float64{0, 0},
			}, 0, true,
		},
		{
			"none agrees", [][]float64{{0, 5}, {5, 0}},
			stat.Agreement{
				N: 10, Expected: 0.5, Kappa: stat.Estimate{Value: -1},
				Prevalence: []float64{0.5, 0.5}, Bias: []float64{0, 0},
			}, 0, true,
		},
		{
			"both chose one category throughout", [][]float64{{0, 0}, {0, 7}},
			stat.Agreement{N: 7, Observed: 1, Expected: 1, Prevalence: []float64{0, 1}, Bias: []float64{0, 0}},
			0, false,
		},
		{
			"nobody was rated", [][]float64{{0, 0}, {0, 0}},
			stat.Agreement{Prevalence: []float64{0, 0}, Bias: []float64{0, 0}}, 0, false,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.ok {
				k := &tt.want.Kappa
				k.Lo, k.Hi = math.Max(-1, k.Value-stat.Z*tt.se), math.Min(1, k.Value+stat.Z*tt.se)
			}
			got, ok := stat.Kappa(tt.in)
			if d := cmp.Diff(tt.want, got, cmpopts.EquateApprox(0, sixth)); d != "" || ok != tt.ok {
				t.Errorf("Kappa(%v) exists: %v, want %v (-want +got):\n%s", tt.in, ok, tt.ok, d)
			}
		})
	}
}

// pairsOf draws what two raters made of some subjects.
func pairsOf(t *rapid.T, categories int) [][2]int {
	category := rapid.IntRange(0, categories-1)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]int {
		return [2]int{category.Draw(t, "first"), category.Draw(t, "second")}
	}), 1, 60).Draw(t, "pairs")
}

func ratings(pairs [][2]int, categories int) [][]float64 {
	table := make([][]float64, categories)
	for i := range table {
		table[i] = make([]float64, categories)
	}
	for _, p := range pairs {
		table[p[0]][p[1]]++
	}
	return table
}

// plainKappa goes over all pairs of a rating of the first with one of the second: how often two that
// are put together by lot agree is what agreement is held against.
func plainKappa(pairs [][2]int) (kappa float64, ok bool) {
	agree, byLot := 0, 0
	for _, p := range pairs {
		if p[0] == p[1] {
			agree++
		}
		for _, q := range pairs {
			if p[0] == q[1] {
				byLot++
			}
		}
	}
	n := float64(len(pairs))
	observed, expected := float64(agree)/n, float64(byLot)/(n*n)
	return (observed - expected) / (1 - expected), byLot < len(pairs)*len(pairs)
}

// deltaError is the standard error of κ by the delta method, with derivatives taken by small steps in the
// cells of the table.
func deltaError(table [][]float64) float64 {
	n, square := 0.0, 0.0
	for _, row := range table {
		for _, cell := range row {
			n += cell
		}
	}
	of := func(i, j int, step float64) float64 {
		moved := make([][]float64, len(table))
		for r := range table {
			moved[r] = append([]float64(nil), table[r]...)
		}
		moved[i][j] += step
		a, _ := stat.Kappa(moved)
		return a.Kappa.Value
	}
	step := n * 1e-5
	for i, row := range table {
		for j, cell := range row {
			if cell > 0 {
				// κ does not change with the size of the table, so that the mean of its derivatives is 0.
				slope := (of(i, j, step) - of(i, j, -step)) / (2 * step) * n
				square += cell / n * slope * slope
			}
		}
	}
	return math.Sqrt(square / n)
}

func TestKappaIsThatOfTheRawRatings(t *testing.T) {
	t.Parallel()
	for _, categories := range []int{2, 3, 5} {
		t.Run(fmt.Sprint(categories, " categories"), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				pairs := pairsOf(t, categories)
				table := ratings(pairs, categories)
				a, ok := stat.Kappa(table)
				want, exists := plainKappa(pairs)
				if ok != exists {
					t.Fatalf("Kappa(%v) exists: %v, want %v", table, ok, exists)
				}
				if !ok {
					return
				}
				if math.Abs(a.Kappa.Value-want) > slack {
					t.Fatalf("Kappa(%v) = %v, want %v", table, a.Kappa.Value, want)
				}
				half := stat.Z * deltaError(table)
				lo, hi := math.Max(-1, want-half), math.Min(1, want+half)
				if math.Abs(a.Kappa.Lo-lo) > 1e-4 || math.Abs(a.Kappa.Hi-hi) > 1e-4 {
					t.Fatalf("the interval of Kappa(%v) is %v, want %v to %v", table, a.Kappa, lo, hi)
				}
			})
		})
	}
}

func TestKappaKeepsItsBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const categories = 3
		pairs := pairsOf(t, categories)
		a, ok := stat.Kappa(ratings(pairs, categories))
		if ok {
			holds(t, "Kappa", a.Kappa.Lo, a.Kappa.Value, a.Kappa.Hi)
			if a.Kappa.Lo < -1 || a.Kappa.Hi > 1 || a.Kappa.Value > 1 || a.Kappa.Value < -1 {
				t.Fatalf("%v leaves −1..1", a.Kappa)
			}
			if (a.Observed == 1) != (a.Kappa.Value == 1) {
				t.Fatalf("all agree: %v, and κ is %v", a.Observed == 1, a.Kappa.Value)
			}
		}
		order := rapid.Permutation([]int{0, 1, 2}).Draw(t, "order")
		var renamed, turned, agreed [][2]int
		for _, p := range pairs {
			renamed = append(renamed, [2]int{order[p[0]], order[p[1]]})
			turned = append(turned, [2]int{p[1], p[0]})
			agreed = append(agreed, [2]int{p[0], p[0]})
		}
		for name, other := range map[string][][2]int{"renamed": renamed, "turned": turned} {
			b, exists := stat.Kappa(ratings(other, categories))
			if exists != ok || math.Abs(a.Kappa.Value-b.Kappa.Value) > slack ||
				math.Abs(a.Kappa.Lo-b.Kappa.Lo) > slack || math.Abs(a.Observed-b.Observed) > slack {
				t.Fatalf("%v is %v, and %s %v", pairs, a, name, b)
			}
		}
		if b, exists := stat.Kappa(ratings(agreed, categories)); exists && math.Abs(b.Kappa.Value-1) > slack {
			t.Fatalf("of who agrees with themselves it is %v", b)
		}
	})
}
