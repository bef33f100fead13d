package inequality

// Reason is why a measure is not answered.
type Reason string

// The reasons, in the order in which they are looked for.
const (
	NeedsOrder       Reason = "needs-order"
	NeedsNoOrder     Reason = "needs-no-order"
	TooFewGroups     Reason = "too-few-groups"
	MissingEstimates Reason = "missing-estimates"
	Overlapping      Reason = "overlapping"
	NeedsPopulation  Reason = "needs-population"
	NeedsReference   Reason = "needs-reference"
	ZeroMean         Reason = "zero-mean"
	ZeroComparator   Reason = "zero-comparator"
	OutOfScale       Reason = "out-of-scale"
	NoFit            Reason = "no-fit"
)

// Says is the reason as a sentence for the person who asked for the measure.
func (r Reason) Says() string {
	switch r {
	case NeedsOrder:
		return "The measure needs groups in an order of advantage, which this dimension does not have."
	case NeedsNoOrder:
		return "The measure ignores order; for ordered groups use ACI, RCI, SII or RII."
	case TooFewGroups:
		return "There are too few groups: a difference or ratio needs two, every other measure three."
	case MissingEstimates:
		return "Groups that the figure speaks of have no estimate."
	case Overlapping:
		return "The groups overlap, so a mean over them would count some people more than once."
	case NeedsPopulation:
		return "The measure weights by population, which is not known for every group."
	case NeedsReference:
		return "The measure compares with a reference group, and none was named."
	case ZeroMean:
		return "The mean is zero, so nothing can be said relative to it."
	case ZeroComparator:
		return "The group compared with is at zero, so there is no ratio to it."
	case OutOfScale:
		return "An estimate exceeds the scale, so it is no proportion that a logistic curve could fit."
	case NoFit:
		return "The regression has no finite answer for these groups."
	}
	return string(r)
}

// Refusal is a measure that is not answered. Variant is empty where no variant of it is.
type Refusal struct {
	Measure Measure
	Variant Variant
	Reason  Reason
}
