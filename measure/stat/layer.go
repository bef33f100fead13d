package stat

import "math"

// Count is a number of events and what they are counted in: the units of which the events are a
// part (a proportion), or an exposure such as days (a rate).
type Count struct {
	Events, Of float64
}

// Value is the proportion or rate, 0 where there is nothing to count in.
func (c Count) Value() float64 {
	if c.Of <= 0 {
		return 0
	}
	return c.Events / c.Of
}

// Layer is one site, age band or other part of the people, in which a group stands beside its
// reference.
type Layer struct {
	Group, Reference Count
}

// compared is true where both are there; a layer of one alone says nothing about their difference.
func (l Layer) compared() bool { return l.Group.Of > 0 && l.Reference.Of > 0 }

// Estimate is a figure with its interval.
type Estimate struct {
	Value, Lo, Hi float64
}

// Clear reports whether the interval leaves out 0.
func (e Estimate) Clear() bool { return e.Lo > 0 || e.Hi < 0 }

// pooled adds up the layers.
func pooled(layers []Layer) Layer {
	var all Layer
	for _, l := range layers {
		all.Group.Events += l.Group.Events
		all.Group.Of += l.Group.Of
		all.Reference.Events += l.Reference.Events
		all.Reference.Of += l.Reference.Of
	}
	return all
}

// MantelHaenszel returns the ratio of proportions within layers, pooled as Σ(x1·n2/n) / Σ(x2·n1/n),
// n = n1 + n2, and its interval on the log scale by the variance of Greenland S, Robins JM,
// Biometrics 1985;41:55, which holds for a few large layers and for many small ones:
//
//	Σ((x1+x2)·n1·n2 − x1·x2·n)/n² / (Σ(x1·n2/n) · Σ(x2·n1/n)).
//
// One ratio is taken to hold in all layers; where they differ it is their weighted mean. Layers in
// which one of the two is absent are passed over. It does not exist where a sum is 0, nor where the
// variance is (all units have the event).
func MantelHaenszel(layers []Layer) (e Estimate, ok bool) {
	return pooledRatio(layers, func(l Layer) float64 {
		n := l.Group.Of + l.Reference.Of
		x1, x2 := l.Group.Events, l.Reference.Events
		return ((x1+x2)*l.Group.Of*l.Reference.Of - x1*x2*n) / (n * n)
	})
}

// MantelHaenszelRate is MantelHaenszel of rates: Σ(x1·t2/t) / Σ(x2·t1/t), t = t1 + t2, with the
// variance Σ((x1+x2)·t1·t2/t²) over the product of the sums. Greenland S, Robins JM, as above.
func MantelHaenszelRate(layers []Layer) (e Estimate, ok bool) {
	return pooledRatio(layers, func(l Layer) float64 {
		t := l.Group.Of + l.Reference.Of
		return (l.Group.Events + l.Reference.Events) * l.Group.Of * l.Reference.Of / (t * t)
	})
}

func pooledRatio(layers []Layer, part func(Layer) float64) (e Estimate, ok bool) {
	over, under, variance := 0., 0., 0.
	for _, l := range layers {
		if !l.compared() {
			continue
		}
		whole := l.Group.Of + l.Reference.Of
		over += l.Group.Events * l.Reference.Of / whole
		under += l.Reference.Events * l.Group.Of / whole
		variance += part(l)
	}
	variance /= over * under
	if over <= 0 || under <= 0 || variance <= 0 {
		return Estimate{}, false
	}
	e.Value = over / under
	e.Lo, e.Hi = aroundLog(e.Value, math.Sqrt(variance))
	return e, true
}

// MantelHaenszelDifference returns the difference of proportions within layers, pooled with the
// weights w = n1·n2/n, and its interval by the variance of Sato T, Biometrics 1989;45:1323, which
// holds for few large layers and for many small ones: (d·ΣP + ΣQ) / (Σw)² with
//
//	P = (n1²·x2 − n2²·x1 + n1·n2·(n2−n1)/2) / n², Q = (x1·(n2−x2) + x2·(n1−x1)) / 2n.
//
// Layers in which one of the two is absent are passed over. It does not exist where no layer has
// both, nor where the variance is not above 0 (no event, or no unit without one).
func MantelHaenszelDifference(layers []Layer) (e Estimate, ok bool) {
	weight, p, q := 0., 0., 0.
	for _, l := range layers {
		if !l.compared() {
			continue
		}
		x1, n1, x2, n2 := l.Group.Events, l.Group.Of, l.Reference.Events, l.Reference.Of
		n := n1 + n2
		weight += n1 * n2 / n
		e.Value += (x1*n2 - x2*n1) / n
		p += (n1*n1*x2 - n2*n2*x1 + n1*n2*(n2-n1)/2) / (n * n)
		q += (x1*(n2-x2) + x2*(n1-x1)) / (2 * n)
	}
	if weight <= 0 {
		return Estimate{}, false
	}
	e.Value /= weight
	return around(e.Value, (e.Value*p+q)/(weight*weight))
}

// MantelHaenszelRateDifference is the difference of rates within layers, pooled with the weights
// w = t1·t2/t, with the variance Σw²(x1/t1² + x2/t2²) / (Σw)². Greenland S, Robins JM, as above. It
// does not exist where no layer has both or nobody has an event.
func MantelHaenszelRateDifference(layers []Layer) (e Estimate, ok bool) {
	weight, variance := 0., 0.
	for _, l := range layers {
		if !l.compared() {
			continue
		}
		t1, t2 := l.Group.Of, l.Reference.Of
		w := t1 * t2 / (t1 + t2)
		weight += w
		e.Value += w * (l.Group.Value() - l.Reference.Value())
		variance += w * w * (l.Group.Events/(t1*t1) + l.Reference.Events/(t2*t2))
	}
	if weight <= 0 {
		return Estimate{}, false
	}
	return around(e.Value/weight, variance/(weight*weight))
}

func around(value, variance float64) (e Estimate, ok bool) {
	if variance <= 0 {
		return Estimate{}, false
	}
	half := Z * math.Sqrt(variance)
	return Estimate{Value: value, Lo: value - half, Hi: value + half}, true
}
