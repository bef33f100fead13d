package gap

import (
	"math"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

// Direction is where a gap goes.
type Direction string

// The directions. A gap that turns has changed its sign: who was behind is ahead.
const (
	Narrows Direction = "narrows"
	Widens  Direction = "widens"
	Turns   Direction = "turns"
	Stays   Direction = "stays"
)

// MonthlyGap is the gap of one group to the reference, month by month, and where it goes.
type MonthlyGap struct {
	Group string `json:"group"`
	Code  string `json:"code"`
	// Months are one a month of the report.
	Months []MonthGap `json:"months"`
	// Earlier and Later are the two stretches that are compared: the first and the last twelve months
	// where there are 24, so that the seasons are the same, else the two halves. Refused says why they
	// are not.
	Earlier *Stretch `json:"earlier,omitempty"`
	Later   *Stretch `json:"later,omitempty"`
	Refused *Refused `json:"refused,omitempty"`
	// Change is by how much the difference changed: above 0 the score of the group rose by more than
	// that of the reference. Where that is everybody it is about the rest, of whom the group is no
	// part. Of medians it has no interval.
	Change *Estimate `json:"change,omitempty"`
	// ByDifference and ByRatio are where the gap goes by either measure. Clear says that chance is no
	// likely reason: the interval of Change excludes 0.
	ByDifference Direction `json:"by_difference,omitempty"`
	ByRatio      Direction `json:"by_ratio,omitempty"`
	Clear        bool      `json:"clear"`
	// Disagree says that one of the two narrows while the other widens, as they do where the scores of
	// both move a lot: neither may be told alone.
	Disagree bool   `json:"disagree,omitempty"`
	Sentence string `json:"sentence,omitempty"`
}

// MonthGap is a gap in one month; absent figures have nothing below the line.
type MonthGap struct {
	Month      string   `json:"month"`
	Difference *float64 `json:"difference,omitempty"`
	// Interval is that of Difference, as of Gap.
	Interval *[2]float64 `json:"interval,omitempty"`
	Ratio    *float64    `json:"ratio,omitempty"`
}

// Stretch is the gap over some months together.
type Stretch struct {
	From string `json:"from"`
	To   string `json:"to"`
	// N is how many units of the group it rests on.
	N              float64  `json:"n"`
	Score          float64  `json:"score"`
	ReferenceScore float64  `json:"reference_score"`
	Difference     float64  `json:"difference"`
	Ratio          *float64 `json:"ratio,omitempty"`
}

// Estimate is a figure with its 95 % interval, where it has one.
type Estimate struct {
	Value    float64     `json:"value"`
	Interval *[2]float64 `json:"interval,omitempty"`
	// Clear says that the interval excludes 0.
	Clear bool `json:"clear"`
}

func estimate(per float64, e stat.Estimate) *Estimate {
	return &Estimate{Value: per * e.Value, Interval: &[2]float64{per * e.Lo, per * e.Hi},
		Clear: e.Clear()}
}

// gaps follows the gap of every group that has 30 units over all months.
func (t *trend) gaps(out *TrendReport) error {
	strata := t.pool.Strata[t.dimension]
	reference, rule, refused, err := t.o.referenceOf(t.before(), t.dimension)
	out.GapsRefused = refused
	if refused != nil || err != nil {
		return err
	}
	out.Reference = &Chosen{Rule: rule, Code: code(reference), Label: label(reference)}
	for _, s := range comparable(t.pool, strata) {
		if code(s) == code(reference) && rule != Overall {
			continue
		}
		one := MonthlyGap{Group: label(s), Code: code(s)}
		for m, g := range t.groups {
			one.Months = append(one.Months, t.monthGap(m, g, s, reference, rule))
		}
		t.direct(&one, s, reference, rule)
		one.Sentence = one.sentence(t.pool, label(reference))
		out.Gaps = append(out.Gaps, one)
	}
	return nil
}

// before is the rate over the months before the action, on which its test chooses the reference
// too; over all months where there is none.
func (t *trend) before() measure.Group {
	var months []int
	for i, m := range t.months {
		if !t.o.Since.IsZero() && !m.Partial && m.Period.End.Before(t.o.Since) {
			months = append(months, i)
		}
	}
	if len(months) == 0 {
		return t.pool
	}
	return t.over(months)
}

// otherOf is the reference in a month or a stretch: its stratum, or everybody.
func otherOf(
	g measure.Group, dimension string, reference measure.Stratum, rule Reference,
) measure.Cell {
	if rule == Overall {
		return g.Cell
	}
	return cellOf(g.Strata[dimension], reference)
}

func (t *trend) monthGap(
	m int, g measure.Group, s, reference measure.Stratum, rule Reference,
) MonthGap {
	out := MonthGap{Month: t.months[m].Name()}
	own, other := cellOf(g.Strata[t.dimension], s), otherOf(g, t.dimension, reference, rule)
	if own.Score == nil || other.Score == nil || own.Suppressed || other.Suppressed {
		return out
	}
	gap := Gap{Rule: rule}
	gap.measure(g, own, other)
	out.Difference, out.Interval, out.Ratio = &gap.Difference, gap.Interval, gap.Ratio
	return out
}

// stretches are the months that are compared: the first and the last twelve, or the two halves.
func (t *trend) stretches() (earlier, later []int, ok bool) {
	whole := make([]int, 0, len(t.months))
	for i, m := range t.months {
		if !m.Partial && effective(t.groups[i].Scoring, t.groups[i].Cell) > 0 {
			whole = append(whole, i)
		}
	}
	const year, fewest = 12, 3
	n := min(len(whole)/2, year)
	if n < fewest {
		return nil, nil, false
	}
	return whole[:n], whole[len(whole)-n:], true
}

// over pools some months.
func (t *trend) over(months []int) measure.Group {
	groups := make([]measure.Group, len(months))
	for i, m := range months {
		groups[i] = t.groups[m]
	}
	return pool(groups, t.dimension)
}

// direct says where a gap goes.
func (t *trend) direct(one *MonthlyGap, s, reference measure.Stratum, rule Reference) {
	early, late, ok := t.stretches()
	if !ok {
		one.Refused = refuse(NoMonths)
		return
	}
	before, after := t.over(early), t.over(late)
	one.Earlier = t.stretch(before, early, s, reference, rule)
	one.Later = t.stretch(after, late, s, reference, rule)
	if one.Earlier == nil || one.Later == nil {
		one.Earlier, one.Later, one.Refused = nil, nil, refuse(NoReferenceNow)
		return
	}
	was, is := one.Earlier, one.Later
	one.Change = &Estimate{Value: is.Difference - was.Difference}
	if found, ok := differences(t.dimension, before, after, s, reference, rule); ok {
		one.Change = estimate(scale(t.pool), found)
	}
	one.Clear = one.Change.Clear
	one.ByDifference = towards(was.Difference, is.Difference)
	if was.Ratio != nil && is.Ratio != nil && *was.Ratio > 0 && *is.Ratio > 0 {
		one.ByRatio = towards(math.Log(*was.Ratio), math.Log(*is.Ratio))
	}
	one.Disagree = one.ByDifference == Narrows && one.ByRatio == Widens ||
		one.ByDifference == Widens && one.ByRatio == Narrows
}

// steady is by how little a gap may change to be called the same: the noise of a float64.
const steady = 1e-12

// towards says where a signed distance from no gap goes.
func towards(was, is float64) Direction {
	change := math.Abs(is) - math.Abs(was)
	switch {
	case was*is < 0:
		return Turns
	case math.Abs(change) <= steady:
		return Stays
	case change < 0:
		return Narrows
	}
	return Widens
}

func (t *trend) stretch(
	g measure.Group, of []int, s, reference measure.Stratum, rule Reference,
) *Stretch {
	own, other := cellOf(g.Strata[t.dimension], s), otherOf(g, t.dimension, reference, rule)
	if own.Score == nil || other.Score == nil || own.Suppressed || other.Suppressed {
		return nil
	}
	out := &Stretch{N: effective(g.Scoring, own), Score: *own.Score, ReferenceScore: *other.Score,
		Difference: *own.Score - *other.Score}
	if out.ReferenceScore != 0 {
		ratio := out.Score / out.ReferenceScore
		out.Ratio = &ratio
	}
	out.From, out.To = t.months[of[0]].Name(), t.months[of[len(of)-1]].Name()
	return out
}
