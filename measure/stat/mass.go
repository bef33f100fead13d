package stat

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// sameChance is how much more probable a result may be than the observed one and still count as no
// more probable: two results of equal probability differ by a rounding. It is that of R's
// fisher.test and binom.test.
const sameChance = 1 + 1e-7

// binomialMass is P(Bin(n, p) = x) for 0 <= x <= n and 0 < p < 1 by the saddle-point form of Loader
// C, Fast and Accurate Computation of Binomial Probabilities, 2000: where counts go into the
// millions the difference of three logarithms of factorials has lost eight digits, this form one or
// two.
func binomialMass(x, n, p float64) float64 {
	switch x {
	case 0:
		return math.Exp(n * math.Log1p(-p))
	case n:
		return math.Exp(n * math.Log(p))
	}
	exponent := stirlingError(n) - stirlingError(x) - stirlingError(n-x) -
		deviance(x, n*p) - deviance(n-x, n*(1-p))
	return math.Exp(exponent) * math.Sqrt(n/(2*math.Pi*x*(n-x)))
}

// hypergeometricMass is the probability of x marked ones among drawn out of whole, of which marked
// are marked. x is between max(0, drawn+marked−whole) and min(drawn, marked), which differ.
func hypergeometricMass(x, drawn, marked, whole float64) float64 {
	p := drawn / whole
	return binomialMass(x, marked, p) * binomialMass(drawn-x, whole-marked, p) /
		binomialMass(drawn, whole, p)
}

// stirlingError is ln n! less Stirling's n ln n − n + ½ ln 2πn, for n above 0.
func stirlingError(n float64) float64 {
	if n < 16 {
		whole, _ := math.Lgamma(n + 1)
		return whole - (n*math.Log(n) - n + math.Log(2*math.Pi*n)/2)
	}
	s := n * n
	return (1./12 - (1./360-(1./1260-(1./1680-1./1188/s)/s)/s)/s) / n
}

// deviance is x ln(x/m) + m − x for x and m above 0, without the loss of digits where they are
// close: with e = m/x − 1 it is x(e − ln(1+e)), and ln(1+e) is the series 2(v + v³/3 + v⁵/5 + …) of
// v = e/(2+e).
func deviance(x, m float64) float64 {
	e := (m - x) / x
	if math.Abs(e) > 0.2 {
		return x*math.Log(x/m) + m - x
	}
	v := e / (2 + e)
	power, rest := v*v*v, 0.
	for k := 3.; ; k += 2 {
		next := rest + power/k
		if next == rest {
			return x * (e*v - 2*rest)
		}
		rest, power = next, power*v*v
	}
}

// atMost and atLeast are P(Bin(n, p) <= x) and P(Bin(n, p) >= x) for 0 < p < 1. Both are taken
// directly, because 1 less the other has no digits left where it matters.
func atMost(x, n, p float64) float64 {
	switch {
	case x < 0:
		return 0
	case x >= n:
		return 1
	}
	return mathext.RegIncBeta(n-x, x+1, 1-p)
}

func atLeast(x, n, p float64) float64 {
	switch {
	case x <= 0:
		return 1
	case x > n:
		return 0
	}
	return mathext.RegIncBeta(x, n-x+1, p)
}

// binomialTest is the exact two-sided p-value of x of n against the proportion p: the probability
// of all results that are no more probable than x ("minlike", as R's binom.test). x and n are
// whole, n is above 0, and p is within 0..1, the ends excluded.
func binomialTest(x, n, p float64) float64 {
	mean := n * p
	if x == mean {
		return 1
	}
	limit := binomialMass(x, n, p) * sameChance
	if x < mean {
		// The mass falls from the mode on: the other tail starts at the first result that is as rare.
		start := firstTrue(math.Ceil(mean), n+1, func(k float64) bool {
			return k > n || binomialMass(k, n, p) <= limit
		})
		return math.Min(1, atMost(x, n, p)+atLeast(start, n, p))
	}
	end := firstTrue(math.Ceil(n-mean), n+1, func(k float64) bool {
		return k > n || binomialMass(n-k, n, p) <= limit
	})
	return math.Min(1, atLeast(x, n, p)+atMost(n-end, n, p))
}

// firstTrue returns the smallest whole number from lo to hi, both whole, for which a predicate
// holds that once true stays true; it holds at hi.
func firstTrue(lo, hi float64, holds func(float64) bool) float64 {
	for lo < hi {
		middle := math.Floor(lo + (hi-lo)/2)
		if holds(middle) {
			hi = middle
		} else {
			lo = middle + 1
		}
	}
	return hi
}
