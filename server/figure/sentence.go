package figure

import (
	"slices"
	"strconv"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/server/words"
)

// likely is the corrected p-value up to which a finding is called more than chance, as in
// measure/gap.
const likely = 0.05

// behind reports whether a group does worse than what it is compared with; where neither way is
// better, whether it differs.
func (m Measure) behind(g gap.Gap) bool {
	switch m.Improvement {
	case measure.Increase:
		return g.Difference < 0
	case measure.Decrease:
		return g.Difference > 0
	case measure.Context:
	}
	return g.Difference != 0
}

// sure reports whether chance is no likely reason for a gap, all tests of the report considered.
func sure(g gap.Gap) bool { return g.Clear && (g.Q == nil || *g.Q <= likely) }

// leadGap is the gap that the sentences begin with: of the groups that are behind, the one of which
// the interval leaves most; if none is behind, of the others. A score that is not to be relied on
// comes after all that are.
func leadGap(c gap.Comparison, m Measure) *gap.Gap {
	var lead *gap.Gap
	for _, one := range c.Groups {
		if g := one.Gap; g != nil && !one.Suppressed && (lead == nil || before(*g, *lead, m)) {
			lead = g
		}
	}
	return lead
}

// before reports whether a is told before b.
func before(a, b gap.Gap, m Measure) bool {
	unreliable := func(g gap.Gap) bool { return g.Reliability == string(stat.Unreliable) }
	switch {
	case m.behind(a) != m.behind(b):
		return m.behind(a)
	case unreliable(a) != unreliable(b):
		return unreliable(b)
	case a.AtLeast > b.AtLeast:
		return true
	case a.AtLeast < b.AtLeast:
		return false
	}
	return a.Affected > b.Affected
}

// groupSentences say the most of a comparison: everybody, the gap that matters most and what speaks
// against taking it at its face, the other gaps, and whose group is not known.
func (t *Teller) groupSentences(c gap.Comparison, m Measure) []string {
	out := []string{t.overall(c.Period, m, c.All)}
	if lead := leadGap(c, m); lead != nil {
		own, other := intervals(c, *lead)
		out = append(out, t.gapSentence(c.Dimension, m, *lead, own, other))
		out = with(out, t.meeting(m, *lead, own, other))
		out = append(out, t.doubts(m, *lead)...)
		out = with(out, t.affected(c, m, *lead))
		out = with(out, t.others(c, m, *lead))
		out = with(out, t.sameAges(c, m, *lead))
	} else if c.GapsRefused != nil {
		out = append(out, t.refused(c.GapsRefused))
	}
	out = with(out, t.test(c))
	return with(out, t.unknown(c))
}

// with appends a sentence, if there is one.
func with(to []string, sentence string) []string {
	if sentence == "" {
		return to
	}
	return append(to, sentence)
}

// overall says the score of everybody in a period.
func (t *Teller) overall(p measure.Period, m Measure, all gap.Compared) string {
	switch {
	case all.Suppressed:
		return t.w.Say("figure.overall.suppressed", m.Words.Title, t.w.Period(p))
	case m.Scoring == measure.Cohort:
		return t.w.Say("figure.overall.cohort", m.Words.Title, t.w.Period(p))
	case all.Score == nil:
		return t.w.Say("figure.overall.no-data", m.Words.Title, t.w.Period(p))
	}
	return t.w.Say("figure.sentence", t.In(p, t.Reading(m, *all.Score, all.Interval)))
}

// intervals are those of the scores of a gap.
func intervals(c gap.Comparison, g gap.Gap) (own, other *[2]float64) {
	for _, one := range c.Groups {
		if known(one) && one.Code == g.Code {
			own = one.Interval
		}
	}
	if one, ok := referenceRow(c); ok {
		other = one.Interval
	}
	return own, other
}

// meeting says whether the intervals of two scores meet, where their difference has none.
func (t *Teller) meeting(m Measure, g gap.Gap, own, other *[2]float64) string {
	if g.Interval != nil || own == nil || other == nil {
		return ""
	}
	key := "figure.meet"
	if own[0] > other[1] || own[1] < other[0] {
		key = "figure.meet.not"
	}
	return t.w.Say(key, t.Ninetyfive(), t.Interval(m, g.Score, own),
		t.Interval(m, g.ReferenceScore, other))
}

// apart says how far two scores are apart: "14 fewer in 100 (95 % interval: 9 to 19 fewer), or 0.73
// times as many (0.62 to 0.86)".
func (t *Teller) apart(m Measure, g gap.Gap) string {
	text := t.DifferenceInWords(m, g.Difference, g.Interval)
	if g.Interval != nil {
		text = t.w.Say("figure.apart", text, t.Ninetyfive(), t.Between(m, g.Difference, g.Interval))
	}
	if g.Ratio == nil {
		return text
	}
	kind := "many"
	if !m.counts() {
		kind = "high"
	}
	if g.RatioInterval == nil {
		return t.w.Say("figure.apart.ratio."+kind, text, t.Ratio(*g.Ratio, nil))
	}
	return t.w.Say("figure.apart.ratio.interval."+kind, text, t.Ratio(*g.Ratio, g.RatioInterval),
		t.RatioInterval(*g.Ratio, g.RatioInterval))
}

// doubts say what speaks against taking a gap at its face, or for it.
func (t *Teller) doubts(m Measure, g gap.Gap) []string {
	var out []string
	switch {
	case g.Disagree && g.Clear:
		out = append(out, t.w.Say("figure.disagree.difference"))
	case g.Disagree:
		out = append(out, t.w.Say("figure.disagree.ratio"))
	case !g.Clear:
		out = append(out, t.w.Say("figure.chance"))
	case g.Q != nil && *g.Q > likely:
		out = append(out, t.w.Say("figure.chance.corrected", t.P(*g.Q)))
	}
	if text := t.Reliability(g.Reliability, g.Why); text != "" {
		out = append(out, t.w.Say("figure.score.doubt", text))
	}
	for _, w := range g.Within {
		out = append(out, t.layers(m, g, w))
	}
	return out
}

// layers says what is left of a gap within sites or ages.
func (t *Teller) layers(m Measure, g gap.Gap, w gap.Within) string {
	kind := "holds"
	switch {
	case w.Reverses:
		kind = "reverses"
	case w.Fades:
		kind = "fades"
	case !g.Clear && (w.Interval[0] > 0 || w.Interval[1] < 0):
		kind = "emerges"
	case !g.Clear:
		kind = "plain"
	}
	text := t.w.Say("figure.apart", t.DifferenceInWords(m, w.Difference, &w.Interval), t.Ninetyfive(),
		t.Between(m, w.Difference, &w.Interval))
	sentence := t.w.Say("figure.layers."+kind, t.w.Label("figure.layer", w.By), text)
	const mostly = 0.9
	if w.Covered < mostly {
		sentence += " " + t.w.Say("figure.layers.covered", t.OfHundred(w.Covered))
	}
	return words.Capital(sentence)
}

// affected says how many a gap is, by the estimate and by the nearer end of its interval.
func (t *Teller) affected(c gap.Comparison, m Measure, g gap.Gap) string {
	i := slices.IndexFunc(c.Groups, func(one gap.Compared) bool {
		return known(one) && one.Code == g.Code
	})
	if g.AtLeast < 1 || i < 0 {
		return ""
	}
	switch m.Scoring {
	case measure.Proportion:
		return t.w.Say("figure.affected", t.w.Count(g.Affected), t.counted(m.Unit, c.Groups[i].N),
			t.w.Count(g.AtLeast))
	case measure.Ratio:
		return t.w.Say("figure.affected.events", t.counted(measure.EventUnit, g.Affected),
			t.w.Count(g.AtLeast))
	case measure.ContinuousVariable, measure.Cohort:
	}
	return ""
}

// others says which other gaps are clear of chance, and how many are not.
func (t *Teller) others(c gap.Comparison, m Measure, lead gap.Gap) string {
	var worse, better []string
	unclear := 0
	for _, one := range c.Groups {
		g := one.Gap
		if g == nil || g.Code == lead.Code {
			continue
		}
		name := t.w.Say("figure.other", t.group(c.Dimension, one),
			t.DifferenceInWords(m, g.Difference, g.Interval))
		switch {
		case !sure(*g):
			unclear++
		case m.behind(*g):
			worse = append(worse, name)
		default:
			better = append(better, name)
		}
	}
	kind := "behind"
	if m.Improvement == measure.Context {
		kind = "differ"
	}
	var out []string
	if len(worse) > 0 {
		out = append(out, t.w.Say("figure.others."+kind, strings.Join(worse, "; ")))
	}
	if len(better) > 0 {
		out = append(out, t.w.Say("figure.others.ahead", strings.Join(better, "; ")))
	}
	if unclear > 0 {
		out = append(out, t.w.Say("figure.others.unclear", unclear, strconv.Itoa(unclear)))
	}
	return strings.Join(out, " ")
}

// sameAges says how far apart the group and the reference are at the same ages.
func (t *Teller) sameAges(c gap.Comparison, m Measure, lead gap.Gap) string {
	var own, other *gap.Direct
	for _, one := range c.Groups {
		switch {
		case known(one) && one.Code == lead.Code:
			own = one.Direct
		case isReference(c, one):
			other = one.Direct
		}
	}
	if own == nil || other == nil || c.Standard == nil {
		return ""
	}
	then := t.DifferenceInWords(m, own.Score-other.Score, lead.Interval)
	now := t.DifferenceInWords(m, lead.Difference, lead.Interval)
	if then == now {
		return t.w.Say("figure.same-ages.alike."+string(c.Standard.Name), now)
	}
	return t.w.Say("figure.same-ages."+string(c.Standard.Name), then, now)
}

// test says whether the groups, taken together, are further apart than chance would have them.
func (t *Teller) test(c gap.Comparison) string {
	const pair = 2 // Their gap says the same.
	if c.Test == nil || c.Test.Q == nil || c.Test.Groups <= pair {
		return ""
	}
	finding := "figure.test.alike"
	if *c.Test.Q <= likely {
		finding = "figure.test.apart"
	}
	text := t.w.Say(finding, strconv.Itoa(c.Test.Groups), t.dimension(c.Dimension), t.P(*c.Test.Q))
	if c.Test.Rough {
		text += " " + t.w.Say("figure.test.rough")
	}
	if c.Trend != nil && c.Trend.Q != nil && *c.Trend.Q <= likely && c.Trend.Statistic != nil {
		way := "figure.trend.rises"
		if *c.Trend.Statistic < 0 {
			way = "figure.trend.falls"
		}
		text += " " + t.w.Say(way, t.P(*c.Trend.Q))
	}
	return text
}

// unknown says how many are of no known group, by state. Where a part of them is hidden, the whole
// is not said: it is only of the parts that are shown.
func (t *Teller) unknown(c gap.Comparison) string {
	share, hidden := 0.0, false
	var order []string
	of := map[string]float64{}
	for _, one := range c.Groups {
		hidden = hidden || one.Suppressed && !known(one)
		if known(one) || one.Suppressed || one.Share == nil {
			continue
		}
		if _, ok := of[one.State]; !ok {
			order = append(order, one.State)
		}
		of[one.State] += *one.Share
		share += *one.Share
	}
	if share <= 0 {
		return ""
	}
	var parts []string
	for _, state := range order {
		if of[state] > 0 {
			parts = append(parts, t.w.Say("figure.unknown.part",
				t.named("", "", absent(state), ""), t.OfHundred(of[state])))
		}
	}
	key := "figure.unknown"
	if hidden {
		key = "figure.unknown.shown"
	}
	return t.w.Say(key, t.OfHundred(share), t.dimension(c.Dimension), strings.Join(parts, "; "))
}

// absent is a state that is not known: what has none is not recorded.
func absent(state string) string {
	if state == "" {
		return string(mapping.Missing)
	}
	return state
}
