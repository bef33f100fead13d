package figure

import (
	"slices"
	"strconv"
	"strings"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/server/words"
)

// Findings are the largest gaps of all measures.
type Findings struct {
	// Sentence says how many there are, and the first of them.
	Sentence string
	// Notes say what is ranked, and what that does not say.
	Notes []string
	// Found are the first of them, All is how many there are.
	Found []Finding
	All   int
}

// Finding is one gap of which chance is no likely reason, ready to be told.
type Finding struct {
	// Gap holds the codes by which an address finds it.
	Gap gap.Gap
	// Title is that of the rate, Group and Reference name the two groups, Dimension what they are
	// by.
	Title, Group, Reference, Dimension string
	// Sentence says all of it; Warnings what speaks against taking it at its face.
	Sentence string
	Warnings []string
	// Affected is how many the gap is, AtLeast how many by the nearer end of the interval; "" where
	// it is not a number of people, visits or events.
	Affected, AtLeast string
	// Absolute, Interval, Relative and RelativeInterval are the gap: "14 fewer in 100", "6 to 22
	// fewer", "0.73", "0.63 to 0.86".
	Absolute, Interval, Relative, RelativeInterval string
	// Reliability is "" of a figure that may stand alone.
	Reliability string
	// Sure says how sure it is that there is a gap at all.
	Sure string
	// Next says what to do next.
	Next string
}

// Findings ranks gaps as gap.Of lists them: those first of which the interval leaves most. Told are
// gaps of which chance is no likely reason, each group of a rate once; not those of rates for which
// neither way is better, and not those whose score is not to be relied on.
func (t *Teller) Findings(gaps []gap.Gap, measures []Measure, p measure.Period, limit int) Findings {
	var out Findings
	seen := map[string]bool{}
	for _, g := range gaps {
		i := slices.IndexFunc(measures, func(m Measure) bool {
			return m.ID == g.Measure && m.Rate == g.Rate
		})
		if i < 0 || !ranked(g, measures[i]) {
			continue
		}
		group := t.named(g.Dimension, g.Code, "", g.Group)
		key := strings.Join([]string{g.Measure, g.Rate, strings.ToLower(group)}, "\x00")
		if seen[key] {
			continue
		}
		seen[key] = true
		if out.All++; out.All <= limit {
			out.Found = append(out.Found, t.finding(g, measures[i], p, group))
		}
	}
	out.Sentence = t.w.Say("figure.findings.none", t.w.Period(p))
	if out.All > 0 {
		out.Sentence = t.In(p, t.w.Say("figure.findings", out.All, strconv.Itoa(out.All)))
	}
	out.Notes = []string{
		t.w.Say("figure.findings.ranked"), t.w.Say("figure.findings.chance"),
		t.w.Say("figure.note.no-reason"),
	}
	return out
}

// ranked reports whether a gap is told among the largest.
func ranked(g gap.Gap, m Measure) bool {
	return m.Improvement != measure.Context && m.behind(g) && sure(g) &&
		g.Reliability != string(stat.Unreliable)
}

func (t *Teller) finding(g gap.Gap, m Measure, p measure.Period, group string) Finding {
	f := Finding{
		Gap: g, Title: m.Words.Title, Group: group,
		Reference:   t.named(g.Dimension, g.ReferenceCode, "", g.Reference),
		Dimension:   t.dimension(g.Dimension),
		Warnings:    t.warnings(m, g),
		Absolute:    t.DifferenceInWords(m, g.Difference, g.Interval),
		Interval:    t.Between(m, g.Difference, g.Interval),
		Reliability: t.Reliability(g.Reliability, g.Why),
		Sure:        t.w.Say("figure.findings.sure"),
		Next:        t.w.Say("figure.findings.next"),
	}
	if g.Ratio != nil {
		f.Relative = t.Ratio(*g.Ratio, g.RatioInterval)
		f.RelativeInterval = t.RatioInterval(*g.Ratio, g.RatioInterval)
	}
	if g.Q != nil {
		f.Sure = t.w.Say("figure.findings.sure.p", t.P(*g.Q))
	}
	// The scores have intervals of their own, which a gap does not hold. They are at least as sure
	// as their difference.
	f.Sentence = t.w.Say("figure.findings.sentence", m.Words.Title,
		t.In(p, t.gapClause(g.Dimension, m, g, g.Interval, g.Interval)))
	if m.Words.Reads != "" {
		f.Sentence = t.In(p, t.gapReading(m, g))
	}
	if m.counts() && g.Affected >= 1 {
		unit := m.Unit
		if m.Scoring == measure.Ratio {
			unit = measure.EventUnit
		}
		f.Affected, f.AtLeast = t.counted(unit, g.Affected), t.w.Count(g.AtLeast)
	}
	return f
}

// warnings are the doubts about a gap that change how it is to be read.
func (t *Teller) warnings(m Measure, g gap.Gap) []string {
	var out []string
	if g.Disagree {
		out = append(out, t.w.Say("figure.disagree.difference"))
	}
	for _, w := range g.Within {
		if w.Reverses || w.Fades {
			out = append(out, t.layers(m, g, w))
		}
	}
	return out
}

// gapClause is gapSentence as it follows a period.
func (t *Teller) gapClause(dimension string, m Measure, g gap.Gap, own, other *[2]float64) string {
	return t.w.Say("figure.gap",
		t.within(dimension, g.Code, t.named(dimension, g.Code, "", g.Group)),
		t.ScoreInWords(m, g.Score, own),
		t.within(dimension, g.ReferenceCode, t.named(dimension, g.ReferenceCode, "", g.Reference)),
		t.ScoreInWords(m, g.ReferenceScore, other), t.apart(m, g))
}

// gapReading is gapClause in the words of the measure.
func (t *Teller) gapReading(m Measure, g gap.Gap) string {
	return t.w.Say("figure.findings.reads",
		t.within(g.Dimension, g.Code, t.named(g.Dimension, g.Code, "", g.Group)),
		t.Reading(m, g.Score, g.Interval),
		t.within(g.Dimension, g.ReferenceCode, t.named(g.Dimension, g.ReferenceCode, "", g.Reference)),
		t.ScoreInWords(m, g.ReferenceScore, g.Interval), t.apart(m, g))
}

// gapSentence says a gap both absolutely and relatively, and how sure it is. The intervals are
// those of the two scores.
func (t *Teller) gapSentence(dimension string, m Measure, g gap.Gap, own, other *[2]float64) string {
	return words.Capital(t.gapClause(dimension, m, g, own, other))
}
