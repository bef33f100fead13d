package measure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure/stat"
)

// Gap is the difference between a stratum and the reference of its dimension. Its JSON form is part of
// the contract of `equitylens demo --json`.
type Gap struct {
	Measure string `json:"measure"`
	// Rate is the id of the measure's group.
	Rate      string `json:"rate"`
	Dimension string `json:"dimension"`
	// Group and Reference are the labels of the two strata, Code and ReferenceCode their codes.
	Group         string  `json:"group"`
	Code          string  `json:"code"`
	Reference     string  `json:"reference"`
	ReferenceCode string  `json:"reference_code"`
	Score         float64 `json:"score"`
	// ReferenceScore is that of the best large stratum, or of the largest where neither way is better.
	ReferenceScore float64 `json:"reference_score"`
	// Difference is Score less ReferenceScore, Ratio their quotient; that is absent where the reference
	// is 0.
	Difference float64  `json:"difference"`
	Ratio      *float64 `json:"ratio,omitempty"`
	// Interval is the 95 % interval of Difference: Newcombe of two proportions, Wald of two rates; of two
	// medians there is none.
	Interval *[2]float64 `json:"interval,omitempty"`
	// Clear says that the difference is more than chance would make of it: Interval excludes 0, or the
	// intervals of the medians do not meet. Many groups are looked at, so some clear gaps are chance.
	Clear bool `json:"clear"`
	// Affected is how many more units, events or days the group would have had or been spared with the
	// score of the reference.
	Affected float64 `json:"affected"`
	// AtLeast is Affected by the end of the interval that is nearer to none; 0 if Clear is false. Gaps are
	// ranked by it, because the largest of many estimates is often the luckiest.
	AtLeast  float64 `json:"at_least"`
	Sentence string  `json:"sentence"`
}

// smallestGroup is the effective denominator below which a stratum is not compared: CMS needs 25 and
// NCHS 30 before a proportion is shown.
const smallestGroup = 30

// Gaps lists the gaps of results, those that surely affect most first. Only categories are compared; unknown
// and its kin are shares to mend, not groups of people. Where a direction is better, the reference is
// the best of the strata that hold a tenth of the units; else the largest. A group that does better
// than that reference is no gap.
func Gaps(results []Result) []Gap {
	var gaps []Gap
	for _, r := range results {
		for _, g := range r.Groups {
			for dimension, strata := range g.Strata {
				if strings.Contains(dimension, "*") || slices.Contains(g.NotBy, dimension) {
					continue
				}
				gaps = append(gaps, gapsOf(r, g, dimension, strata)...)
			}
		}
	}
	slices.SortFunc(gaps, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(b.AtLeast, a.AtLeast), cmp.Compare(b.Affected, a.Affected), cmp.Compare(a.Measure, b.Measure),
			cmp.Compare(a.Rate, b.Rate), cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Code, b.Code))
	})
	return gaps
}

func gapsOf(r Result, g Group, dimension string, strata []Stratum) []Gap {
	compared := slices.DeleteFunc(slices.Clone(strata), func(s Stratum) bool {
		return s.State != string(mapping.Known) || s.Score == nil || s.effective(g.Scoring) < smallestGroup
	})
	if len(compared) < 2 {
		return nil
	}
	reference := slices.MaxFunc(compared, func(a, b Stratum) int {
		if d := cmp.Compare(reliable(g, a), reliable(g, b)); d != 0 {
			return d
		}
		switch g.Improvement {
		case Increase:
			return cmp.Compare(*a.Score, *b.Score)
		case Decrease:
			return cmp.Compare(*b.Score, *a.Score)
		case Context:
		}
		return cmp.Compare(a.effective(g.Scoring), b.effective(g.Scoring))
	})
	var gaps []Gap
	for _, s := range compared {
		if s.Coding != reference.Coding && worse(g.Improvement, *s.Score, *reference.Score) {
			gaps = append(gaps, newGap(r, g, dimension, s, reference))
		}
	}
	return gaps
}

// worse reports whether a score is behind that of the reference; where neither way is better, whether
// it differs.
func worse(i Improvement, score, reference float64) bool {
	switch i {
	case Increase:
		return score < reference
	case Decrease:
		return score > reference
	case Context:
	}
	return score != reference
}

// referenceShare is the share of the units that a stratum must hold to be a reference: the best of many
// small groups is often best by chance.
const referenceShare = 0.1

// reliable is 1 for a stratum that is large enough to be a reference, else 0.
func reliable(g Group, s Stratum) int {
	if s.effective(g.Scoring) >= referenceShare*g.effective(g.Scoring) {
		return 1
	}
	return 0
}

// effective is the denominator after exclusions.
func (c Cell) effective(s Scoring) float64 {
	if s == ContinuousVariable {
		return c.Populations[MeasurePopulation] - c.Populations[MeasureExclusion]
	}
	return c.Populations[Denominator] - c.Populations[DenominatorExclusion]
}

func newGap(r Result, g Group, dimension string, s, reference Stratum) Gap {
	gap := Gap{
		Measure: r.Measure, Rate: g.ID, Dimension: dimension, Group: s.Label, Code: s.Code,
		Reference: reference.Label, ReferenceCode: reference.Code,
		Score: *s.Score, ReferenceScore: *reference.Score, Difference: *s.Score - *reference.Score,
	}
	if gap.ReferenceScore != 0 {
		ratio := gap.Score / gap.ReferenceScore
		gap.Ratio = &ratio
	}
	n, m := s.effective(g.Scoring), reference.effective(g.Scoring)
	x, y := s.Populations[Numerator], reference.Populations[Numerator]
	switch g.Scoring {
	case Proportion:
		lo, hi := stat.Newcombe(x, n, y, m)
		gap.Interval = &[2]float64{lo, hi}
	case Ratio:
		lo, hi := stat.RateDifference(x, n, y, m)
		gap.Interval = &[2]float64{lo * g.Per, hi * g.Per}
	case ContinuousVariable:
	}
	sure := gap.sure(s, reference)
	gap.Clear = sure > 0
	if g.Scoring == Ratio {
		n /= g.Per
	}
	gap.Affected, gap.AtLeast = math.Abs(gap.Difference)*n, sure*n
	gap.Sentence = gap.sentence(r, g)
	return gap
}

// sure is the part of the difference that its interval does not call into question; of two medians the
// distance between their intervals.
func (gap Gap) sure(s, reference Stratum) float64 {
	if gap.Interval != nil {
		return max(gap.Interval[0], -gap.Interval[1], 0)
	}
	a, b := s.Interval, reference.Interval
	if a == nil || b == nil {
		return 0
	}
	return max(a[0]-b[1], b[0]-a[1], 0)
}

// sentence says a gap in plain words: both ways of measuring it, how sure it is, and nothing of why.
func (gap Gap) sentence(r Result, g Group) string {
	var text strings.Builder
	by := strings.ReplaceAll(gap.Dimension, "_", " ")
	fmt.Fprintf(&text, "%s, %s: ", g.Title, periodWords(r.Period))
	switch g.Scoring {
	case Proportion:
		fmt.Fprintf(&text, "%.1f of 100 for %s, %.1f of 100 for %s (by %s); a difference of %.1f in 100",
			100*gap.Score, gap.Group, 100*gap.ReferenceScore, gap.Reference, by, 100*math.Abs(gap.Difference))
		fmt.Fprintf(&text, " (95 %% interval %s)", span(gap.Interval, 100))
	case Ratio:
		fmt.Fprintf(&text, "%.1f per %g for %s, %.1f for %s (by %s); a difference of %.1f",
			gap.Score, g.Per, gap.Group, gap.ReferenceScore, gap.Reference, by, math.Abs(gap.Difference))
		fmt.Fprintf(&text, " (95 %% interval %s)", span(gap.Interval, 1))
	case ContinuousVariable:
		fmt.Fprintf(&text, "a median of %g for %s, %g for %s (by %s); a difference of %g",
			gap.Score, gap.Group, gap.ReferenceScore, gap.Reference, by, math.Abs(gap.Difference))
	}
	if gap.Ratio != nil {
		fmt.Fprintf(&text, ", or %.2f times", *gap.Ratio)
	}
	text.WriteString(".")
	if !gap.Clear {
		text.WriteString(" Chance alone can make such a difference.")
	}
	return text.String()
}

// span prints the interval of a difference without its sign, the smaller end first; one that holds 0
// keeps its signs.
func span(interval *[2]float64, scale float64) string {
	lo, hi := scale*interval[0], scale*interval[1]
	if hi < 0 {
		lo, hi = -hi, -lo
	}
	return fmt.Sprintf("%.1f to %.1f", lo, hi)
}

// periodWords says a whole year as a year.
func periodWords(p Period) string {
	if p.Start.YearDay() == 1 && p.End.Month() == 12 && p.End.Day() == 31 && p.Start.Year() == p.End.Year() {
		return p.Start.Format("2006")
	}
	return p.Start.Format(dayLayout) + " to " + p.End.Format(dayLayout)
}
