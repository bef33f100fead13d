package stat

import "math"

// Reliability says whether a figure may be shown for what it is.
type Reliability string

const (
	// Reliable figures may stand alone.
	Reliable Reliability = "reliable"
	// Review asks a person to look before the figure is used.
	Review Reliability = "review"
	// Unreliable figures are not to be published, nor ranked.
	Unreliable Reliability = "unreliable"
)

// Reason says what a Reliability rests on.
type Reason string

const (
	// NoReason goes with Reliable.
	NoReason Reason = ""
	// FewUnits is a denominator below 30.
	FewUnits Reason = "few-units"
	// WideInterval is an exact interval 0.30 wide or more.
	WideInterval Reason = "wide-interval"
	// RelativelyWideInterval is one wider than 0.05 and than 130 % of the proportion.
	RelativelyWideInterval Reason = "relatively-wide-interval"
	// ComplementRelativelyWide is one wider than 0.05 and than 130 % of 1 less the proportion: the
	// figure may be shown, "the others" may not.
	ComplementRelativelyWide Reason = "complement-relatively-wide"
	// NoneOrAll is a proportion of 0 or 1.
	NoneOrAll Reason = "none-or-all"
	// FewEvents is a count below 20, whose relative standard error is above 22 %.
	FewEvents Reason = "few-events"
)

// The thresholds of the standards named at ProportionReliability and CountReliability.
const (
	fewestUnits       = 30
	fewestEvents      = 20
	narrowWidth       = 0.05
	widestWidth       = 0.30
	widestForItsValue = 1.30
)

// ProportionReliability judges the proportion x/n by the presentation standards of the US National
// Center for Health Statistics, Vital Health Stat 2 (175), 2017, for a simple random sample:
// unreliable below 30 units, or where the Clopper–Pearson interval is 0.30 wide or more, or is
// wider than 0.05 and than 130 % of the proportion; for review where the latter holds of the
// complement, or the proportion is 0 or 1. The standards' rule on degrees of freedom is about
// survey designs and has no place here.
func ProportionReliability(x, n float64) (Reliability, Reason) {
	if n < fewestUnits {
		return Unreliable, FewUnits
	}
	lo, hi := ClopperPearson(x, n)
	width := hi - lo
	switch {
	case width >= widestWidth:
		return Unreliable, WideInterval
	case width > narrowWidth && width > widestForItsValue*x/n:
		return Unreliable, RelativelyWideInterval
	case x <= 0 || x >= n:
		return Review, NoneOrAll
	case width > narrowWidth && width > widestForItsValue*(n-x)/n:
		return Review, ComplementRelativelyWide
	}
	return Reliable, NoReason
}

// CountReliability judges a count of events and every rate with it as numerator: unreliable below
// 20 events, as US vital statistics have it.
func CountReliability(events float64) (Reliability, Reason) {
	if events < fewestEvents {
		return Unreliable, FewEvents
	}
	return Reliable, NoReason
}

// RelativeStandardError is that of a Poisson count, 1/√events, as a share of it; it does not exist
// without an event.
func RelativeStandardError(events float64) (rse float64, ok bool) {
	if events <= 0 {
		return 0, false
	}
	return 1 / math.Sqrt(events), true
}
