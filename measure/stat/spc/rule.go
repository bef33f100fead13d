package spc

// Rule names a pattern that chance seldom makes.
type Rule string

// The rules, by set.
const (
	BeyondLimits  Rule = "shewhart-beyond-limits"
	EightOneSide  Rule = "shewhart-8-one-side"
	SixTrend      Rule = "shewhart-6-trend"
	TwoOfThree    Rule = "shewhart-2-of-3-beyond-2-sigma"
	FifteenWithin Rule = "shewhart-15-within-1-sigma"
	Shift         Rule = "ihi-shift"
	Trend         Rule = "ihi-trend"
	TooFewRuns    Rule = "ihi-too-few-runs"
	TooManyRuns   Rule = "ihi-too-many-runs"
	LongRun       Rule = "anhoej-long-run"
	FewCrossings  Rule = "anhoej-few-crossings"
)

// What the rules count to.
const (
	eightOneSide    = 8
	sixTrend        = 6
	fifteenWithin   = 15
	twoOfThree      = 2
	twoOfThreeSigma = 2.0
	withinSigma     = 1.0
	shiftLength     = 6
	trendLength     = 5
	fewestForRuns   = 10    // Points off the centre line; with fewer hardly any number is rare.
	runsTail        = 0.025 // Of the number of runs, at each end.
	crossingsTail   = 0.05
	longRunAllowed  = 3 // Above log₂ n.
)

// Shewhart is the set for charts with limits.
func Shewhart() []Rule {
	return []Rule{BeyondLimits, EightOneSide, SixTrend, TwoOfThree, FifteenWithin}
}

// IHI is the set for run charts.
func IHI() []Rule {
	return []Rule{Shift, Trend, TooFewRuns, TooManyRuns}
}

// Anhoej is the set that adapts to the length of the series. On a chart with limits BeyondLimits
// completes it.
func Anhoej() []Rule {
	return []Rule{LongRun, FewCrossings}
}

// Applies reports whether the rule means anything on the chart. Rules about limits need some, and
// those about zones of one and two sigma a figure that is spread alike on both sides, which the
// gaps of a G chart are not.
func (r Rule) Applies(kind Kind) bool {
	switch r {
	case BeyondLimits:
		return kind.Limited()
	case TwoOfThree, FifteenWithin:
		return kind.Limited() && kind != G
	default:
		return true
	}
}

// Says explains the rule in a sentence, for the page that shows a signal of it.
func (r Rule) Says() string {
	switch r {
	case BeyondLimits:
		return "A point lies beyond the control limits, three sigma from the mean."
	case EightOneSide:
		return "Eight or more points in a row lie on one side of the centre line."
	case SixTrend:
		return "Six or more points in a row rise, or fall."
	case TwoOfThree:
		return "Of three points in a row two lie more than two sigma from the centre line, on one side."
	case FifteenWithin:
		return "Fifteen or more points in a row lie within one sigma: the figure varies less than chance."
	case Shift:
		return "Six or more points in a row lie on one side of the median."
	case Trend:
		return "Five or more points in a row rise, or fall."
	case TooFewRuns:
		return "The series keeps to one side of the median for longer than chance would."
	case TooManyRuns:
		return "The series changes sides of the median more often than chance would."
	case LongRun:
		return "A run on one side of the centre line is longer than a series of this length would have."
	case FewCrossings:
		return "The centre line is crossed less often than a series of this length would cross it."
	}
	return string(r)
}
