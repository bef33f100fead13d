package inequality

import (
	"math"

	"github.com/equitylens/equitylens/measure/stat"
)

// Interval is a two-sided 95 % interval and the standard error behind it.
type Interval struct {
	// SE is the standard error of the estimate, or of its logarithm where Log says so.
	SE           float64
	Log          bool
	Lower, Upper float64
}

// Value is one answer.
type Value struct {
	Measure  Measure
	Variant  Variant
	Estimate float64
	// Interval is nil where no closed formula gives one or a standard error is not known.
	Interval *Interval
	// Truncated says that PAR or PAF had the wrong sign, the reference doing worse than the mean, and
	// was set to 0. Its interval is that of healthequal and says nothing about the difference.
	Truncated bool
}

// Result is every measure of one input, answered or refused.
type Result struct {
	// Groups is the number of groups that entered; people of Unknown entered in none.
	Groups  int
	Unknown float64
	// Mean is weighted by population over the known groups. Nil where populations are not known or
	// groups overlap.
	Mean     *float64
	Values   []Value
	Refusals []Refusal
}

// Value finds one variant of a measure. ok is false where it was refused.
func (r *Result) Value(m Measure, v Variant) (value Value, ok bool) {
	for _, value := range r.Values {
		if value.Measure == m && value.Variant == v {
			return value, true
		}
	}
	return Value{}, false
}

// Refusal finds why a variant of a measure, or all of it, was refused. ok is false where it was
// not.
func (r *Result) Refusal(m Measure, v Variant) (reason Reason, ok bool) {
	for _, refusal := range r.Refusals {
		if refusal.Measure == m && (refusal.Variant == "" || refusal.Variant == v) {
			return refusal.Reason, true
		}
	}
	return "", false
}

// Summarise computes every measure that suits the input. An error means that the input contradicts
// itself; it wraps ErrInput.
func Summarise(in Input) (*Result, error) {
	s, err := newSample(in)
	if err != nil {
		return nil, err
	}
	a := &answers{sample: s, result: &Result{
		Groups: len(s.y), Values: make([]Value, 0, 34), Refusals: make([]Refusal, 0, len(Measures())),
	}}
	for _, g := range in.Groups {
		if g.Unknown {
			a.result.Unknown += g.Population
		}
	}
	if s.hasWeights && len(s.y) > 0 {
		a.result.Mean = &s.mean
	}
	for _, m := range Measures() {
		if reason, ok := a.suits(m); !ok {
			a.refuse(m, "", reason)
			continue
		}
		a.answer(m)
	}
	return a.result, nil
}

// answers gathers the result over one sample. The two regressions serve SII and RII alike and are
// made once.
type answers struct {
	sample

	result *Result
	slopes []slope
}

// suits reports whether the measure may be computed at all, and if not, why.
func (a *answers) suits(m Measure) (Reason, bool) {
	enough, missing := 3, a.sparse
	if m == D || m == R {
		enough, missing = 2, a.open // They speak of two groups, which must be there.
	}
	switch {
	case m.ordered() && !a.ordered:
		return NeedsOrder, false
	case !m.ordered() && !m.either() && a.ordered:
		return NeedsNoOrder, false
	case missing:
		return MissingEstimates, false
	case len(a.y) < enough:
		return TooFewGroups, false
	case m.weighted() && m != IDISU && a.overlap:
		return Overlapping, false
	case m.weighted() && m != IDISU && !a.hasWeights:
		return NeedsPopulation, false
	case (m == MDRU || m == MDRW) && a.reference < 0:
		return NeedsReference, false
	}
	return "", true
}

// answer computes the measure in all its variants.
func (a *answers) answer(m Measure) {
	switch m {
	case D, R:
		a.simple(m)
	case ACI, RCI:
		a.concentration(m)
	case SII, RII:
		a.slope(m)
	case BGV, BGSD, COV:
		a.variance(m)
	case MDMU, MDMW, MDBU, MDBW, MDRU, MDRW:
		a.meanDifference(m)
	case IDISU, IDISW:
		a.disparity(m)
	case TI, MLD:
		a.entropy(m)
	case PAR, PAF:
		a.attributable(m)
	}
}

// refuse records why a variant, or with an empty one the whole measure, is not answered.
func (a *answers) refuse(m Measure, v Variant, reason Reason) {
	a.result.Refusals = append(a.result.Refusals, Refusal{Measure: m, Variant: v, Reason: reason})
}

// add takes an answer in. An interval that is not finite does not exist.
func (a *answers) add(m Measure, v Variant, estimate float64, interval *Interval) {
	if interval != nil && !finite(interval.SE, interval.Lower, interval.Upper) {
		interval = nil
	}
	a.result.Values = append(a.result.Values, Value{
		Measure: m, Variant: v, Estimate: estimate, Interval: interval,
	})
}

// finite reports whether all are numbers.
func finite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// around is the symmetric interval of an estimate.
func around(estimate, se float64) *Interval {
	return &Interval{SE: se, Lower: estimate - stat.Z*se, Upper: estimate + stat.Z*se}
}

// aroundLog is the interval of a ratio, symmetric in its logarithm.
func aroundLog(ratio, se float64) *Interval {
	factor := math.Exp(stat.Z * se)
	return &Interval{SE: se, Log: true, Lower: ratio / factor, Upper: ratio * factor}
}
