package network

import (
	"github.com/equitylens/equitylens/measure"
)

// Question names a figure of the network.
type Question struct {
	Period  measure.Period
	Measure string
	// Rate is the rate of the measure; empty means its first one.
	Rate string
	// Dimension and Group are a stratum, by its key; both empty mean everybody.
	Dimension string
	Group     string
	// Reference is the key of the group that Group is held against; empty means the group that is the
	// largest over all members that show both.
	Reference string
}

// Pooled is one figure of all members: each against what all of them come to.
type Pooled struct {
	Measure     string              `json:"measure"`
	Version     string              `json:"version"`
	Rate        string              `json:"rate"`
	Title       string              `json:"title"`
	Scoring     measure.Scoring     `json:"scoring"`
	Improvement measure.Improvement `json:"improvement"`
	Per         float64             `json:"per"`
	Dimension   string              `json:"dimension,omitempty"`
	Group       string              `json:"group,omitempty"`
	Label       string              `json:"label,omitempty"`
	// Showing is how many members show the figure, Hidden how many have it hidden, Absent how many do
	// not report it or have nobody to count.
	Showing int `json:"showing"`
	Hidden  int `json:"hidden"`
	Absent  int `json:"absent"`
	// Enough is false where fewer than Least members show it: then nothing is pooled.
	Enough bool `json:"enough"`
	// Score is that of all members that show it, taken together.
	Score       *float64    `json:"score,omitempty"`
	Interval    *[2]float64 `json:"interval,omitempty"`
	Numerator   int64       `json:"numerator,omitempty"`
	Denominator int64       `json:"denominator,omitempty"`
	// Overdispersion is how much more the members vary than chance alone would have them; above 1 the
	// limits are widened by its root.
	Overdispersion float64    `json:"overdispersion,omitempty"`
	Standings      []Standing `json:"members"`
	Gap            *PooledGap `json:"gap,omitempty"`
}

// Standing is one member's figure beside the pooled one.
type Standing struct {
	// Name is that of the member where the viewer may know it; else there is a Number, from 1.
	Name   string `json:"name,omitempty"`
	Number int    `json:"number,omitempty"`
	// Own says that it is the viewer.
	Own         bool       `json:"own,omitempty"`
	Score       float64    `json:"score"`
	Interval    [2]float64 `json:"interval"`
	Numerator   int64      `json:"numerator"`
	Denominator int64      `json:"denominator"`
	// Limits95 and Limits998 are the funnel around the pooled score at this size; absent where nothing
	// is pooled. Outside says where the score lies of them.
	Limits95  *[2]float64 `json:"limits95,omitempty"`
	Limits998 *[2]float64 `json:"limits998,omitempty"`
	Outside   Outside     `json:"outside,omitempty"`
	// Gap is the member's own difference between group and reference.
	Gap *Difference `json:"gap,omitempty"`

	rank int
}

// Outside says where a score lies of its limits.
type Outside string

// Where it lies. Inside is empty.
const (
	Inside   Outside = ""
	Below95  Outside = "below-95"
	Above95  Outside = "above-95"
	Below998 Outside = "below-99.8"
	Above998 Outside = "above-99.8"
)

// Difference is a score less that of a reference, with its 95 % interval.
type Difference struct {
	Value    float64     `json:"value"`
	Interval *[2]float64 `json:"interval,omitempty"`
}

// PooledGap is the difference over the members that show both group and reference.
type PooledGap struct {
	Reference string `json:"reference"`
	Label     string `json:"label"`
	// Showing is how many members show both.
	Showing int `json:"showing"`
	// Difference is absent where fewer than Least members do.
	Difference *Difference `json:"difference,omitempty"`
}

// Least is the least number of members of which anything is pooled: with two, each could take itself
// away and be left with the other.
const Least = 3
