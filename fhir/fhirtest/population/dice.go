package population

import (
	"math"
	"math/rand/v2"
)

// The streams of one person. The mess of real data has a stream of its own, so that a clean
// population holds the same people and the same visits as a messy one.
const (
	lifeStream uint64 = 1
	messStream uint64 = 2
	harmStream uint64 = 3
)

// dice draws from one person's stream. It is reseeded for each person, which costs no allocation.
type dice struct {
	source rand.PCG
	rand   *rand.Rand
}

func newDice() *dice {
	d := &dice{}
	d.rand = rand.New(&d.source) // #nosec G404 -- a population must repeat from its seed
	return d
}

func (d *dice) reseed(seed, stream, index uint64) {
	d.source.Seed(scramble(seed^scramble(stream)), scramble(index))
}

// scramble spreads neighbouring numbers over all 64 bits: the finaliser of SplitMix64 (Steele, Lea
// and Flood, "Fast splittable pseudorandom number generators", 2014).
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (d *dice) chance(p float64) bool { return d.rand.Float64() < p }

// between draws a whole number from low to high, both included.
func (d *dice) between(low, high int) int {
	if high <= low {
		return low
	}
	return low + d.rand.IntN(high-low+1)
}

// weighed draws an index with the weight it has in weights, which need not add up to 1.
func (d *dice) weighed(weights []float64) int {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	left := d.rand.Float64() * sum
	for i, w := range weights {
		if left -= w; left < 0 {
			return i
		}
	}
	return len(weights) - 1
}

func (d *dice) exponential(mean float64) float64 { return d.rand.ExpFloat64() * mean }

// logNormal draws around a median.
func (d *dice) logNormal(median, sigma float64) float64 {
	return median * math.Exp(sigma*d.rand.NormFloat64())
}

// poisson draws by Knuth's multiplication, which suits the small means used here.
func (d *dice) poisson(mean float64) int {
	limit, product, n := math.Exp(-mean), d.rand.Float64(), 0
	for product > limit {
		product *= d.rand.Float64()
		n++
	}
	return n
}
