package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Direct is a directly standardised rate: what the rate of a group would be if the group were
// composed like a standard population. The unit is events per unit of exposure.
type Direct struct {
	// Rate is Σwx and Variance its Poisson variance Σw²x, with w = (share of the standard) / exposure.
	Rate, Variance float64
	// Crude is the rate before standardisation, and Events the count both rest on.
	Crude, Events float64

	largest, mean, meanSquare float64 // Of the weights w.
}

// DirectlyStandardised standardises the events and exposures of bands, given in one order, to a
// standard population, of which only the proportions matter. It does not exist where a band that
// the standard holds has no exposure (its rate is not known: join it with a neighbour), where the
// standard is empty, or where the slices differ in length. Bands outside the standard weigh
// nothing.
func DirectlyStandardised(events, exposure, standard []float64) (d Direct, ok bool) {
	if len(events) != len(standard) || len(exposure) != len(standard) {
		return Direct{}, false
	}
	whole, time := 0., 0.
	for i, s := range standard {
		if s > 0 && exposure[i] <= 0 {
			return Direct{}, false
		}
		whole += s
		time += exposure[i]
		d.Events += events[i]
	}
	if whole <= 0 {
		return Direct{}, false
	}
	d.Crude = d.Events / time
	for i, s := range standard {
		if s <= 0 {
			continue
		}
		w := s / whole / exposure[i]
		d.Rate += w * events[i]
		d.Variance += w * w * events[i]
		d.largest = math.Max(d.largest, w)
		d.mean += w / float64(len(standard))
		d.meanSquare += w * w / float64(len(standard))
	}
	return d, true
}

// FayFeuer returns the interval of the standardised rate by the gamma distribution, which keeps its
// level however few the events are and is conservative where weights differ much. With no event the
// lower limit is 0. Fay MP, Feuer EJ, Stat Med 1997;16:791.
func (d Direct) FayFeuer() (lo, hi float64) {
	return d.gammaLower(), d.gammaUpper(d.largest, d.largest*d.largest)
}

// Tiwari is the FayFeuer interval with the mean weight in the place of the largest in its upper
// limit, which is less conservative. Tiwari RC, Clegg LX, Zou Z, Stat Methods Med Res 2006;15:547.
func (d Direct) Tiwari() (lo, hi float64) {
	return d.gammaLower(), d.gammaUpper(d.mean, d.meanSquare)
}

func (d Direct) gammaLower() float64 {
	if d.Variance <= 0 {
		return 0
	}
	scale := d.Variance / (2 * d.Rate)
	return scale * distuv.ChiSquared{K: d.Rate / scale}.Quantile(lowerTail)
}

func (d Direct) gammaUpper(more, moreSquare float64) float64 {
	rate := d.Rate + more
	scale := (d.Variance + moreSquare) / (2 * rate)
	return scale * distuv.ChiSquared{K: rate / scale}.Quantile(upperTail)
}

// DobsonByar returns the interval Rate + √(Variance/Events)·(limit − Events) from Byar's limits of
// the count, as the health statistics of England do, who show none below 10 events. It does not
// exist without an event. Dobson AJ et al., Stat Med 1991;10:457.
func (d Direct) DobsonByar() (lo, hi float64, ok bool) { return d.dobson(Byar) }

// DobsonExact is DobsonByar from Garwood's limits.
func (d Direct) DobsonExact() (lo, hi float64, ok bool) { return d.dobson(Garwood) }

func (d Direct) dobson(
	limits func(x, exposure float64) (lo, hi float64),
) (lo, hi float64, ok bool) {
	if d.Events <= 0 {
		return 0, 0, false
	}
	scale := math.Sqrt(d.Variance / d.Events)
	lo, hi = limits(d.Events, 1)
	return d.Rate + scale*(lo-d.Events), d.Rate + scale*(hi-d.Events), true
}

// Expected returns how many events a group would have with the rates of a reference: the sum over
// bands of exposure × referenceEvents / referenceExposure. Divided into the observed count it is
// the indirectly standardised ratio. It does not exist where a band with exposure has none in the
// reference, or where the slices differ in length.
func Expected(exposure, referenceEvents, referenceExposure []float64) (expected float64, ok bool) {
	if len(exposure) != len(referenceEvents) || len(exposure) != len(referenceExposure) {
		return 0, false
	}
	for i, e := range exposure {
		if e <= 0 {
			continue
		}
		if referenceExposure[i] <= 0 {
			return 0, false
		}
		expected += e * referenceEvents[i] / referenceExposure[i]
	}
	return expected, true
}

// ObservedToExpected returns the indirectly standardised ratio and its exact interval, Garwood's
// limits of the observed count over the expected one; Byar(observed, expected) gives the
// approximate one. The expected count is taken as known: where the reference is small the interval
// is too narrow. Ratios of two groups are not comparable with each other unless the groups are
// composed alike. It does not exist where nothing is expected.
func ObservedToExpected(observed, expected float64) (ratio, lo, hi float64, ok bool) {
	if expected <= 0 {
		return 0, 0, 0, false
	}
	lo, hi = Garwood(observed, expected)
	return observed / expected, lo, hi, true
}
