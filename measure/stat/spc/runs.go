package spc

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Runs counts how a phase lies about its centre line. Points on the line are on no side and are
// stepped over, and so are missing and excluded ones.
type Runs struct {
	// Above and Below count the points on either side; together they are the useful ones.
	Above, Below int
	// Longest is the number of points in the longest run on one side.
	Longest int
	// Crossings is the number of times the series changes sides, one less than its runs.
	Crossings int
}

// Useful is the number of points off the centre line.
func (r Runs) Useful() int {
	return r.Above + r.Below
}

// LongestMax is the longest run a random series of this length would have: round(log₂ n) + 3.
func (r Runs) LongestMax() int {
	if r.Useful() == 0 {
		return 0
	}
	return int(math.Round(math.Log2(float64(r.Useful())))) + longRunAllowed
}

// CrossingsMin is the fewest crossings a random series of this length would have: the 5 % quantile
// of Bin(n−1, ½).
func (r Runs) CrossingsMin() int {
	trials := r.Useful() - 1
	if trials < 1 {
		return 0
	}
	law := distuv.Binomial{N: float64(trials), P: 0.5}
	k := 0
	for law.CDF(float64(k)) < crossingsTail {
		k++
	}
	return k
}

// Signal reports whether either rule of Anhøj finds more than chance.
func (r Runs) Signal() bool {
	return r.Longest > r.LongestMax() || r.Crossings < r.CrossingsMin()
}

// RunsRange returns the fewest and the most runs that are still ordinary for so many points above
// and below: fewer, or more, have a probability of at most 2.5 % when every order of the points is
// equally likely. The distribution is exact (Swed and Eisenhart). Both counts are above 0.
func RunsRange(above, below int) (fewest, most int) {
	a, b := float64(above), float64(below)
	total := a + b
	longest := 2*min(above, below) + 1
	if above == below {
		longest--
	}
	probability := func(runs int) float64 {
		k := float64(runs / 2)
		if runs%2 == 0 {
			return 2 * math.Exp(choose(a-1, k-1)+choose(b-1, k-1)-choose(total, a))
		}
		return math.Exp(choose(a-1, k)+choose(b-1, k-1)-choose(total, a)) +
			math.Exp(choose(a-1, k-1)+choose(b-1, k)-choose(total, a))
	}
	fewest, most = 2, longest
	for tail := 0.0; fewest < longest; fewest++ {
		if tail += probability(fewest); tail > runsTail {
			break
		}
	}
	for tail := 0.0; most > 2; most-- {
		if tail += probability(most); tail > runsTail {
			break
		}
	}
	return fewest, most
}

// choose is the logarithm of the binomial coefficient; that of 0 where there is none.
func choose(n, k float64) float64 {
	if k < 0 || k > n {
		return math.Inf(-1)
	}
	a, _ := math.Lgamma(n + 1)
	b, _ := math.Lgamma(k + 1)
	c, _ := math.Lgamma(n - k + 1)
	return a - b - c
}

// same reports whether two figures differ by no more than rounding.
func same(a, b float64) bool {
	return math.Abs(a-b) <= 1e-12*math.Max(math.Abs(a), math.Abs(b))
}

// side is +1 above the reference, −1 below it and 0 on it.
func side(value, reference float64) int {
	switch {
	case same(value, reference):
		return 0
	case value > reference:
		return 1
	default:
		return -1
	}
}

// oneSided cuts the points into runs on one side of the centre line.
func oneSided(points []Point) [][]Point {
	var runs [][]Point
	last := 0
	for _, p := range points {
		s := side(p.Value, p.Centre)
		if s == 0 {
			continue
		}
		if s != last {
			runs = append(runs, nil)
		}
		runs[len(runs)-1] = append(runs[len(runs)-1], p)
		last = s
	}
	return runs
}

// count summarises runs on one side.
func count(runs [][]Point) Runs {
	r := Runs{Crossings: max(0, len(runs)-1)}
	for _, run := range runs {
		r.Longest = max(r.Longest, len(run))
		if run[0].Value > run[0].Centre {
			r.Above += len(run)
		} else {
			r.Below += len(run)
		}
	}
	return r
}
