package measure

import (
	"time"

	"github.com/equitylens/equitylens/mapping"
)

// Result is one measure evaluated over one period on one snapshot. Its JSON form is the contract of
// `equitylens evaluate --format json`: fields may be added, never changed.
type Result struct {
	Measure  string `json:"measure"`
	Version  string `json:"version"`
	Title    string `json:"title"`
	Snapshot string `json:"snapshot"`
	// DataAsOf is the moment of the data: the server's transactionTime.
	DataAsOf time.Time `json:"data_as_of"`
	// Complete is false where a needed resource type is absent or partly loaded; Incomplete then says
	// which and why, and no score is given for a type that is absent.
	Complete   bool     `json:"complete"`
	Incomplete []string `json:"incomplete,omitempty"`
	Period     Period   `json:"period"`
	// Policy names the race policy that was asked for.
	Policy mapping.Policy `json:"race_policy,omitempty"`
	// Filter holds what was asked to be kept.
	Filter Filter `json:"filter,omitempty"`
	// Audience is for whom the figures are: internal, regulator or public. Empty is internal.
	Audience string  `json:"audience,omitempty"`
	Groups   []Group `json:"groups"`
}

// Group is one rate of a measure.
type Group struct {
	ID          string      `json:"id"`
	Title       string      `json:"title,omitempty"`
	Scoring     Scoring     `json:"scoring"`
	Improvement Improvement `json:"improvement"`
	// Aggregate says how the observations of a continuous variable become its score; else it is empty.
	Aggregate Aggregate `json:"aggregate,omitempty"`
	// Per is the scale of the score: 1 for a proportion, 1000 for a rate per 1,000.
	Per float64 `json:"per,omitempty"`
	// Undated counts units that no period holds because their date is absent or too coarse.
	Undated int64 `json:"undated"`
	Cell
	// Strata maps a dimension, or up to three joined by *, to its strata. The strata of one dimension
	// are exclusive and add up to the group, unless Overlapping names it.
	Strata map[string][]Stratum `json:"strata"`
	// Overlapping lists the keys of Strata whose strata overlap, so that they add up to more than the
	// group, and tests between them and measures that weight them by size are not valid.
	Overlapping []string `json:"overlapping,omitempty"`
	// NotBy lists the dimensions by which a gap says nothing: the rate is about them.
	NotBy []string `json:"not_by,omitempty"`
}

// Cell is the counts and the score of a group or of a stratum of it.
type Cell struct {
	Populations map[Population]float64 `json:"populations"`
	// Score is absent, not 0, where the effective denominator is 0.
	Score *float64 `json:"score,omitempty"`
	// Interval is the 95 % interval of Score: Wilson, exact Poisson, or order statistics of a median.
	Interval *[2]float64 `json:"interval,omitempty"`
	// Statistics holds what else a continuous variable reports: mean, geometric-mean, p90, share-above.
	Statistics map[string]float64 `json:"statistics,omitempty"`
	// Suppressed says that figures of this cell are hidden, for small numbers or so that those of
	// another cannot be derived; which of the two is told to nobody. What is hidden is absent above.
	Suppressed bool `json:"suppressed,omitempty"`
	// Values are what was observed of a continuous variable, ascending, each once with how many units
	// observed it: a test of ranks needs them. They are in no document, because a value that few
	// observed tells of them.
	Values []ValueCount `json:"-"`
}

// ValueCount is a value and how many units observed it.
type ValueCount struct {
	Value float64
	Count int64
}

// Stratum is the part of a group whose members share one value of a dimension.
type Stratum struct {
	Coding
	// Components are the values of each dimension, for a cross; Coding is then empty.
	Components []Component `json:"components,omitempty"`
	Cell
	// Share is the part of the group's initial population that is in this stratum.
	Share *float64 `json:"share,omitempty"`
	// Bounds are the least and the greatest score that the stratum would have if any of those whose
	// group is not known belonged to it, IfUnknown the score if all of them did. Only on request, and
	// only for strata that are known.
	Bounds    *[2]float64 `json:"bounds,omitempty"`
	IfUnknown *float64    `json:"if_unknown,omitempty"`
}

// Coding is the value of a dimension. Code and System are empty unless State is known.
type Coding struct {
	Code   string `json:"code,omitempty"`
	System string `json:"system,omitempty"`
	Label  string `json:"label,omitempty"`
	State  string `json:"state,omitempty"`
}

// Component is one dimension's part of a crossed stratum.
type Component struct {
	Dimension string `json:"dimension"`
	Coding
}
