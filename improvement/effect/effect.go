package effect

import (
	"errors"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
)

// ErrQuestion says that the months are not those of the figure that the action should move.
var ErrQuestion = errors.New("the figures are not those that the action should move")

// Verdict is what the figures show. Its values are part of what a network counts, and never change.
type Verdict string

// The verdicts.
const (
	// TooEarly: there are too few whole months or units on one side to say anything.
	TooEarly Verdict = "too-early"
	// NoChangeShown: chance alone can make the change of the gap. That is no proof that there was none.
	NoChangeShown Verdict = "no-change-shown"
	// Smaller: the gap shrank by more than chance, and by more than the comparison moved.
	Smaller Verdict = "smaller"
	// Larger: the gap grew by more than chance.
	Larger Verdict = "larger"
	// EverybodyMoved: the figure of the groups got better by more than chance, and so did that of those
	// whom the action was not meant for, as far as chance lets one tell.
	EverybodyMoved Verdict = "shrank-but-comparison-too"
	// Mixed: the difference and the ratio disagree, or who was behind is now further ahead.
	Mixed Verdict = "mixed"
)

// Verdicts lists the verdicts.
func Verdicts() []Verdict {
	return []Verdict{TooEarly, NoChangeShown, Smaller, Larger, EverybodyMoved, Mixed}
}

// Caution is something that a reader must know beside the verdict.
type Caution string

// The cautions.
const (
	// Regression: the groups were looked at because they were at their worst in months that are in the
	// comparison, and such a group tends to come back by itself.
	Regression Caution = "regression-to-the-mean"
	// Season: before and after do not hold the same months of the year.
	Season Caution = "season"
	// Overlap: other actions on the same figure ran at the time.
	Overlap Caution = "other-actions"
	// Conditions: declared conditions held at the time.
	Conditions Caution = "conditions"
	// NotBetter: the gap is smaller although the score of the groups did not get better.
	NotBetter Caution = "groups-not-better"
	// NoComparison: there is nobody else in the dimension to compare with.
	NoComparison Caution = "no-comparison"
	// Drift: the groups had a signal on their chart before the action began.
	Drift Caution = "moved-before"
	// Uneven: months vary by more than chance, and the intervals are widened for it.
	Uneven Caution = "uneven-months"
	// FewEvents: of the groups there are fewer than 20 events, or fewer than 20 units without one.
	FewEvents Caution = "few-events"
	// NotTested: what is counted is no count of events, so that there is no interval.
	NotTested Caution = "not-tested"
	// Incomplete: data that the figure needs are absent or partly loaded.
	Incomplete Caution = "incomplete"
)

// Cautions lists the cautions.
func Cautions() []Caution {
	return []Caution{Regression, Season, Overlap, Conditions, NotBetter, NoComparison, Drift, Uneven,
		FewEvents, NotTested, Incomplete}
}

// Requirement is something without which nothing counts as demonstrated.
type Requirement string

// The requirements.
const (
	// NeedsVerdict: the verdict is Smaller.
	NeedsVerdict Requirement = "gap-smaller"
	// NeedsMonths: there are six whole months on each side.
	NeedsMonths Requirement = "six-months"
	// NeedsUnits: the groups, the reference and the comparison have 30 units on each side.
	NeedsUnits Requirement = "thirty-units"
	// NeedsEvents: the groups have 20 events and 20 units without one, both sides together.
	NeedsEvents Requirement = "twenty-events"
	// NeedsDirection: the measure says which way is better.
	NeedsDirection Requirement = "direction"
	// NeedsBehind: the groups were behind the reference before.
	NeedsBehind Requirement = "behind-before"
	// NeedsBetter: the score of the groups itself got better by more than chance.
	NeedsBetter Requirement = "groups-better"
	// NeedsComparison: there is a comparison, and the groups gained on it by more than chance.
	NeedsComparison Requirement = "more-than-comparison"
	// NeedsOtherMonths: the gap is smaller by more than chance without the months in which it was found,
	// by which the groups were picked, and six whole months before are left without them.
	NeedsOtherMonths Requirement = "without-finding"
	// NeedsData: the data that the figure needs are complete.
	NeedsData Requirement = "complete-data"
)

// Requirements lists the requirements.
func Requirements() []Requirement {
	return []Requirement{NeedsVerdict, NeedsMonths, NeedsUnits, NeedsEvents, NeedsDirection, NeedsBehind,
		NeedsBetter, NeedsComparison, NeedsOtherMonths, NeedsData}
}

// Options say what else is known at the time.
type Options struct {
	// Others are other actions of the institution; those on the same figure at the time are named.
	Others []action.Action
	// Conditions are those that were declared; those in the time of the comparison are named.
	Conditions []action.Condition
}

// Side is a figure over the whole months before or after.
type Side struct {
	Score    *float64    `json:"score,omitempty"`
	Interval *[2]float64 `json:"interval,omitempty"`
	// N is how many units it rests on, Events how many of them had the event; absent of a median.
	N      float64  `json:"n"`
	Events *float64 `json:"events,omitempty"`
}

// Moved is a figure before and after.
type Moved struct {
	// Label and Code are those of the group; of several together the labels are joined and there is no
	// code.
	Label  string `json:"label"`
	Code   string `json:"code,omitempty"`
	Before Side   `json:"before"`
	After  Side   `json:"after"`
	// Change is after less before, with the interval of Newcombe, of rates MOVER, and of medians
	// square-and-add; it is widened where months vary by more than chance. P is the p-value of no change
	// by the test of gap.Change, which Method names, and Q is P corrected for all groups here.
	Change *gap.Estimate `json:"change,omitempty"`
	P      *float64      `json:"p,omitempty"`
	Q      *float64      `json:"q,omitempty"`
	Method stat.Method   `json:"method,omitempty"`
	// Better says that the score went the better way; absent where neither way is.
	Better *bool `json:"better,omitempty"`
}

// Span is some months together.
type Span struct {
	// From and To are months such as 2026-03; Months is how many whole ones there are.
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Months int    `json:"months"`
}

// Distance is the gap of the groups to another over some months.
type Distance struct {
	Difference float64     `json:"difference"`
	Interval   *[2]float64 `json:"interval,omitempty"`
	Ratio      *float64    `json:"ratio,omitempty"`
}

// Against holds the groups against others: the gap before and after, and how it changed.
type Against struct {
	// Other is whom they are held against.
	Other  Moved    `json:"other"`
	Before Distance `json:"before"`
	After  Distance `json:"after"`
	// Change is the change of the difference: the change of the groups less that of the other
	// (difference in differences), with its interval, which is widened where months vary by more than
	// chance.
	Change gap.Estimate `json:"change"`
	// RatioChange is the ratio after over that before, with its interval; absent where a count is 0, and
	// of medians.
	RatioChange *gap.Estimate `json:"ratio_change,omitempty"`
	// ByDifference and ByRatio say where the gap went; ByRatio is empty where there is no ratio.
	ByDifference gap.Direction `json:"by_difference"`
	ByRatio      gap.Direction `json:"by_ratio,omitempty"`
}

// Named is another decision that bears upon the figures.
type Named struct {
	ID string `json:"id"`
	// Name is the title of an action, the name of a condition. It is free text.
	Name  string `json:"name"`
	Start string `json:"start"`
	End   string `json:"end,omitempty"`
}

// Effect is what the figures show of one action. Its JSON form is the contract of
// `equitylens actions effect --json`: fields may be added, never changed.
type Effect struct {
	Action string     `json:"action"`
	Aim    action.Aim `json:"aim"`
	// Start is the day of the action; the month that holds it is on neither side, unless it is its
	// first.
	Start    string    `json:"start"`
	Measure  string    `json:"measure"`
	Version  string    `json:"measure_version"`
	Title    string    `json:"title"`
	Rate     string    `json:"rate"`
	Snapshot string    `json:"snapshot"`
	DataAsOf time.Time `json:"data_as_of"`
	// Scoring, Improvement and Per say how scores read.
	Scoring     measure.Scoring     `json:"scoring"`
	Improvement measure.Improvement `json:"improvement"`
	Per         float64             `json:"per"`
	Verdict     Verdict             `json:"verdict"`
	// Demonstrated is the strict answer that a network counts; Missing says what it lacks, by the codes
	// of Requirement.
	Demonstrated bool          `json:"demonstrated"`
	Missing      []Requirement `json:"missing"`
	Incomplete   []string      `json:"incomplete,omitempty"`
	Before       Span          `json:"before"`
	After        Span          `json:"after"`
	// Target are the groups that should move, together; Groups are they one by one.
	Target Moved   `json:"target"`
	Groups []Moved `json:"groups"`
	// Gap holds them against the reference, Comparison against everybody else of a known group, whom
	// the action was not meant to move. Absent where there is none.
	Gap        *Against `json:"gap,omitempty"`
	Comparison *Against `json:"comparison,omitempty"`
	// Rule is how the reference was chosen, on the months before.
	Rule gap.Reference `json:"reference_rule,omitempty"`
	// WithoutFinding is the change of the gap without the months in which the gap was found.
	WithoutFinding *gap.Estimate `json:"without_finding,omitempty"`
	// Widened is the factor by which intervals are widened because months vary by more than chance.
	Widened float64 `json:"widened"`
	// Reached says whether the score after is at the target, or better. Absent without a target, and
	// where neither way is better.
	Reached *bool `json:"target_reached,omitempty"`
	// Cautions are what must be known beside the verdict.
	Cautions   []Caution `json:"cautions"`
	Overlaps   []Named   `json:"other_actions"`
	Conditions []Named   `json:"conditions"`
	// Trend is the months themselves, of three strata: the groups together, the reference and the
	// comparison; with control charts whose limits come from before the action.
	Trend gap.TrendReport `json:"trend"`
	// Sentence says the verdict in English.
	Sentence string `json:"sentence"`
}
