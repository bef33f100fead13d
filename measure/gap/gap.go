package gap

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/measure/stat/spc"
)

// Gap is the difference between a stratum and the reference of its dimension. Its JSON form is the
// contract of `equitylens gaps --json` and part of that of `equitylens demo --json`: fields may be
// added, never changed.
type Gap struct {
	Measure string `json:"measure"`
	// Rate is the id of the measure's group.
	Rate      string `json:"rate"`
	Dimension string `json:"dimension"`
	// Group and Reference are the labels of the two strata, Code and ReferenceCode their codes;
	// those of a cross are joined. ReferenceCode is empty where the reference is everybody.
	Group         string `json:"group"`
	Code          string `json:"code"`
	Reference     string `json:"reference"`
	ReferenceCode string `json:"reference_code"`
	// Rule is how the reference was chosen: best, largest, overall, or its code.
	Rule  Reference `json:"reference_rule"`
	Score float64   `json:"score"`
	// ReferenceScore is that of the reference.
	ReferenceScore float64 `json:"reference_score"`
	// Difference is Score less ReferenceScore, Ratio their quotient; that is absent where the
	// reference is 0.
	Difference float64  `json:"difference"`
	Ratio      *float64 `json:"ratio,omitempty"`
	// Interval is the 95 % interval of Difference: Newcombe of two proportions, MOVER of two rates; of
	// two medians there is none.
	Interval *[2]float64 `json:"interval,omitempty"`
	// RatioInterval is that of Ratio: Koopman of two proportions, exact conditional of two rates. Its
	// upper end is absent, so that the whole is, where it is infinite.
	RatioInterval *[2]float64 `json:"ratio_interval,omitempty"`
	// P is the p-value of the two being alike: Method says by which test. Q is P after Benjamini and
	// Hochberg over every test of the report: of those with Q up to 0.05, one in twenty is expected to
	// be chance.
	P      *float64    `json:"p,omitempty"`
	Q      *float64    `json:"q,omitempty"`
	Method stat.Method `json:"method,omitempty"`
	// Clear says that the difference is more than chance would make of it: Interval excludes 0, or the
	// intervals of the medians do not meet. Many groups are looked at, so some clear gaps are chance.
	Clear bool `json:"clear"`
	// Disagree says that only one of Interval and RatioInterval excludes that there is no gap.
	Disagree bool `json:"disagree,omitempty"`
	// Reliability is that of Score by the presentation standards of NCHS; Why says what speaks against
	// it.
	Reliability string `json:"reliability,omitempty"`
	Why         string `json:"why,omitempty"`
	// Affected is how many more units, events or days the group would have had or been spared with the
	// score of the reference.
	Affected float64 `json:"affected"`
	// AtLeast is Affected by the end of the interval that is nearer to none; 0 if Clear is false.
	// Gaps are ranked by it, because the largest of many estimates is often the luckiest.
	AtLeast float64 `json:"at_least"`
	// Within holds what is left of the gap within each site and within each age band.
	Within   []Within `json:"within,omitempty"`
	Sentence string   `json:"sentence"`
}

// Options say how to compare. The zero value compares with the best.
type Options struct {
	Reference Reference
	// Even keeps the strata that are no worse than the reference. Compare and Trend keep all.
	Even bool
	// Standard is the population whose ages Compare takes for everybody. Empty is Own.
	Standard Standard
	// Chart is the chart of Trend; empty lets spc.Choose say which fits each series.
	Chart spc.Kind
	// Rules are what Trend looks for. Empty are Shewhart's where a chart has limits, else Anhøj's.
	Rules []spc.Rule
	// Since is the day of an action: Trend takes its limits from the months before, and tests what
	// changed. The zero time is none.
	Since time.Time
}

// Of lists the gaps of results, those that surely affect most first. Only categories of 30 units
// and more are compared. A dimension by which a measure says nothing is passed over, and so is
// one whose strata overlap, because no test between them is valid, and every cross: it serves the
// layers of Within. ErrNoReference says that the reference occurs nowhere.
func Of(results []measure.Result, o Options) ([]Gap, error) {
	var all []Gap
	for _, r := range results {
		for _, g := range r.Groups {
			for _, dimension := range slices.Sorted(maps.Keys(g.Strata)) {
				if strings.Contains(dimension, "*") || slices.Contains(g.NotBy, dimension) ||
					slices.Contains(g.Overlapping, dimension) {
					continue
				}
				all = append(all, compareAll(r, g, dimension, o)...)
			}
		}
	}
	if len(all) == 0 && !slices.Contains([]Reference{"", Best, Largest, Overall}, o.Reference) {
		return nil, fmt.Errorf("reference %q: %w", string(o.Reference), ErrNoReference)
	}
	correct(familyOf(all))
	if !o.Even {
		all = slices.DeleteFunc(all, func(gap Gap) bool { return !gap.behind(results) })
	}
	slices.SortFunc(all, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(b.AtLeast, a.AtLeast), cmp.Compare(b.Affected, a.Affected),
			cmp.Compare(a.Measure, b.Measure), cmp.Compare(a.Rate, b.Rate),
			cmp.Compare(a.Dimension, b.Dimension), cmp.Compare(a.Code, b.Code))
	})
	return all, nil
}

// behind reports whether the group does worse than the reference.
func (gap Gap) behind(results []measure.Result) bool {
	for _, r := range results {
		for _, g := range r.Groups {
			if r.Measure == gap.Measure && g.ID == gap.Rate {
				return worse(g.Improvement, gap.Score, gap.ReferenceScore)
			}
		}
	}
	return false
}

// compareAll compares the strata of one dimension with their reference.
func compareAll(r measure.Result, g measure.Group, dimension string, o Options) []Gap {
	strata := comparable(g, g.Strata[dimension])
	if len(strata) < 2 {
		return nil
	}
	reference, err := o.Reference.choose(g, strata)
	if err != nil {
		return nil // This dimension does not have that code; another may.
	}
	rule := o.Reference
	if rule == "" {
		rule = Best
	}
	var gaps []Gap
	for _, s := range strata {
		if code(s) == code(reference) && rule != Overall {
			continue
		}
		gap := Gap{
			Measure: r.Measure, Rate: g.ID, Dimension: dimension, Group: label(s), Code: code(s),
			Reference: label(reference), ReferenceCode: code(reference), Rule: rule,
		}
		gap.measure(g, s.Cell, reference.Cell)
		gap.reliability(g, s.Cell)
		if rule != Overall {
			gap.Within = layersOf(g, dimension, s, reference)
		}
		gap.Sentence = gap.sentence(r, g)
		gaps = append(gaps, gap)
	}
	return gaps
}

// tested is a p-value and where its correction goes.
type tested struct {
	p float64
	q **float64
}

// familyOf lists the tests of gaps.
func familyOf(gaps []Gap) []tested {
	var family []tested
	for i := range gaps {
		if gaps[i].P != nil {
			family = append(family, tested{*gaps[i].P, &gaps[i].Q})
		}
	}
	return family
}

// correct fills every Q: the family is whatever the report tests.
func correct(family []tested) {
	p := make([]float64, len(family))
	for i, one := range family {
		p[i] = one.p
	}
	for i, q := range stat.BenjaminiHochberg(p) {
		*family[i].q = &q
	}
}

// measure fills the figures of a gap.
func (gap *Gap) measure(g measure.Group, s, reference measure.Cell) {
	gap.Score, gap.ReferenceScore = *s.Score, *reference.Score
	gap.Difference = gap.Score - gap.ReferenceScore
	if gap.ReferenceScore != 0 {
		ratio := gap.Score / gap.ReferenceScore
		gap.Ratio = &ratio
	}
	switch {
	case g.Scoring == measure.ContinuousVariable:
		gap.ranks(g, s, reference)
	case gap.Rule == Overall:
		gap.overall(g, s)
	default:
		gap.test(g, countOf(g, s), countOf(g, reference))
	}
	sure := gap.sure(s, reference)
	gap.Clear = sure > 0
	if gap.Interval != nil && gap.RatioInterval != nil {
		gap.Disagree = gap.Clear != (gap.RatioInterval[0] > 1 || gap.RatioInterval[1] < 1)
	}
	n := effective(g.Scoring, s) / scale(g)
	gap.Affected, gap.AtLeast = math.Abs(gap.Difference)*n, sure*n
}

// scale is that of the score: 1,000 for a rate per 1,000.
func scale(g measure.Group) float64 {
	if g.Scoring == measure.Ratio && g.Per > 0 {
		return g.Per
	}
	return 1
}

func countOf(g measure.Group, c measure.Cell) stat.Count {
	return stat.Count{Events: met(c), Of: effective(g.Scoring, c)}
}

// test fills the intervals and the p-value of two groups that have nobody in common.
func (gap *Gap) test(g measure.Group, a, b stat.Count) {
	var found stat.Change
	var ok bool
	switch g.Scoring {
	case measure.Proportion:
		found, ok = stat.ProportionChange(b, a)
		gap.ratioInterval(stat.Koopman(a.Events, a.Of, b.Events, b.Of))
	case measure.Ratio:
		if !whole(a.Events) || !whole(b.Events) {
			return // Poisson's law is about counts.
		}
		found, ok = stat.RateChange(b, a)
		gap.ratioInterval(stat.RateRatio(a.Events, a.Of, b.Events, b.Of))
	case measure.ContinuousVariable, measure.Cohort:
	}
	if ok {
		per := scale(g)
		gap.Interval = &[2]float64{per * found.Difference.Lo, per * found.Difference.Hi}
		gap.P, gap.Method = &found.P, found.Method
	}
}

func (gap *Gap) ratioInterval(lo, hi float64, ok bool) {
	if ok && !math.IsInf(hi, 1) {
		gap.RatioInterval = &[2]float64{lo, hi}
	}
}

// overall compares with everybody, of whom the group is a part: the difference from all is that
// from the rest times the share of the rest, which is taken as given. The p-value is that of
// group and rest.
func (gap *Gap) overall(g measure.Group, s measure.Cell) {
	group, all := countOf(g, s), countOf(g, g.Cell)
	rest := stat.Count{Events: all.Events - group.Events, Of: all.Of - group.Of}
	if rest.Of <= 0 {
		return
	}
	gap.test(g, group, rest)
	gap.RatioInterval = nil // Of group and rest, which is another ratio.
	if gap.Interval != nil {
		share := rest.Of / all.Of
		gap.Interval[0] *= share
		gap.Interval[1] *= share
	}
}

// reliability fills what is to be said of the score of the group.
func (gap *Gap) reliability(g measure.Group, s measure.Cell) {
	gap.Reliability, gap.Why = reliabilityOf(g, s)
}

// reliabilityOf judges a score; nothing is said of a median, which shows its interval.
func reliabilityOf(g measure.Group, s measure.Cell) (is, why string) {
	switch g.Scoring {
	case measure.Proportion:
		r, because := stat.ProportionReliability(met(s), effective(g.Scoring, s))
		return string(r), string(because)
	case measure.Ratio:
		r, because := stat.CountReliability(met(s))
		return string(r), string(because)
	case measure.ContinuousVariable, measure.Cohort:
	}
	return "", ""
}

// sure is the part of the difference that its interval does not call into question; of two
// medians the distance between their intervals.
func (gap *Gap) sure(s, reference measure.Cell) float64 {
	if gap.Interval != nil {
		return max(gap.Interval[0], -gap.Interval[1], 0)
	}
	a, b := s.Interval, reference.Interval
	if a == nil || b == nil || gap.Rule == Overall {
		return 0
	}
	return max(a[0]-b[1], b[0]-a[1], 0)
}
