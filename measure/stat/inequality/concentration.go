package inequality

import "math"

// ridits are the relative ranks of the groups: the share of people below, plus half the group's
// own. The weights stand in the order of advantage.
func ridits(weights []float64) []float64 {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	ranks := make([]float64, len(weights))
	below := 0.0
	for i, w := range weights {
		ranks[i] = (below + w/2) / total
		below += w
	}
	return ranks
}

// concentration answers ACI = Σp(2X−1)y, with X the relative rank, and RCI = ACI/μ, as a fraction
// (HEAT) and times 100 (Scaled). The standard error is that of the slope of 2σ²y on X, σ² being the
// variance of X, by least squares weighted with the populations (Kakwani et al. 1997); that of RCI
// takes μ as known.
func (a *answers) concentration(m Measure) {
	if m == RCI && a.mean == 0 {
		a.refuse(m, "", ZeroMean)
		return
	}
	x := ridits(a.n)
	aci, spread := 0.0, 0.0
	for i, p := range a.share {
		aci += p * (2*x[i] - 1) * (a.y[i] - a.mean)
		spread += p * (x[i] - 0.5) * (x[i] - 0.5)
	}
	// The fitted slope of 2·spread·y is aci itself, so a residual is what is left of it.
	residual := 0.0
	for i, p := range a.share {
		e := 2*spread*(a.y[i]-a.mean) - aci*(x[i]-0.5)
		residual += p * e * e
	}
	se := math.Sqrt(residual / float64(len(a.y)-2) / spread)
	if m == ACI {
		a.add(m, HEAT, aci, around(aci, se))
		return
	}
	a.add(m, HEAT, aci/a.mean, around(aci/a.mean, se/a.mean))
	a.add(m, Scaled, 100*aci/a.mean, around(100*aci/a.mean, 100*se/a.mean))
}
