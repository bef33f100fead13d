package disclose_test

import (
	"math/rand/v2"
	"testing"

	"github.com/equitylens/equitylens/measure/disclose"
)

// Widths of the single dimensions of a measure, and of the cross of the first three.
var widths = []int{10, 8, 6, 15, 15, 15, 15, 15, 15}

// measureSystem is the release of one measure over so many people: total, strata of nine dimensions
// and their crosses by three, each with denominator, numerator and exclusions shown and the
// non-events latent. Strata are unequal, as they are in life.
func measureSystem(people int, seed uint64, crossed bool) *world {
	dice := rand.New(rand.NewPCG(seed, 1))
	type counts [3]int64
	single := make([][]counts, len(widths))
	for d, width := range widths {
		single[d] = make([]counts, width)
	}
	cross := make([]counts, widths[0]*widths[1]*widths[2])
	var total counts
	draw := func(n int) int { // Geometric, so that the last strata are rare.
		at := 0
		for at < n-1 && dice.Float64() < 0.55 {
			at++
		}
		return at
	}
	for range people {
		outcome := 2
		switch x := dice.Float64(); {
		case x < 0.12:
			outcome = 0
		case x < 0.17:
			outcome = 1
		}
		at := 0
		for d, width := range widths {
			k := draw(width)
			single[d][k][outcome]++
			if d < 3 {
				at = at*width + k
			}
		}
		cross[at][outcome]++
		total[outcome]++
	}
	w := &world{}
	given := func(c counts, rank int) stratum {
		n, e, rest := w.count(c[0]), w.count(c[1]), w.count(c[2])
		s := stratum{w.total(n, e, rest), n, e, rest}
		w.print(rank, s)
		return s
	}
	sum := func(whole stratum, parts []stratum) {
		for class, c := range whole {
			var of []disclose.Cell
			for _, p := range parts {
				of = append(of, p[class])
			}
			w.sum(c, of...)
		}
	}
	all := given(total, 2)
	margins := make([][]stratum, 3)
	for d := range widths {
		var strata []stratum
		for _, c := range single[d] {
			strata = append(strata, given(c, 1))
		}
		sum(all, strata)
		if d < 3 {
			margins[d] = strata
		}
	}
	if !crossed {
		return w
	}
	slices := [3][][]stratum{}
	for d := range slices {
		slices[d] = make([][]stratum, widths[d])
	}
	for at, c := range cross {
		atom := given(c, 0)
		for d, k := range []int{at / (widths[1] * widths[2]), at / widths[2] % widths[1], at % widths[2]} {
			slices[d][k] = append(slices[d][k], atom)
		}
	}
	for d := range slices {
		for k, atoms := range slices[d] {
			sum(margins[d][k], atoms)
		}
	}
	return w
}

// TestMeasureRelease attacks the release of a whole measure over all its single dimensions, and
// says what share of it is hidden.
func TestMeasureRelease(t *testing.T) {
	t.Parallel()
	for _, people := range []int{400, 50_000} {
		w := measureSystem(people, 3, false)
		p, err := disclose.Protect(&w.System, disclose.Config{})
		if err != nil {
			t.Fatalf("%d people: %v", people, err)
		}
		var sum tally
		got := w.attack(w.known(p.Shown), true)
		sum.add(w, p.Shown, got)
		if len(got.derived) > 0 {
			t.Errorf("%d people: %d cells were derived", people, len(got.derived))
		}
		if 2*sum.primary < sum.hidden {
			t.Errorf("%d people: %d figures are hidden for the sake of %d", people, sum.hidden, sum.primary)
		}
		t.Logf("%d people:", people)
		sum.log(t)
	}
}

func BenchmarkProtect(b *testing.B) {
	for _, bb := range []struct {
		name    string
		people  int
		crossed bool
	}{
		{"single dimensions, 20,000 people", 20_000, false},
		{"three-way cross, 2,000 people", 2_000, true},
		{"three-way cross, 20,000 people", 20_000, true},
		{"three-way cross, 500,000 people", 500_000, true},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := &measureSystem(bb.people, 7, bb.crossed).System
			for b.Loop() {
				if _, err := disclose.Protect(s, disclose.Config{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
