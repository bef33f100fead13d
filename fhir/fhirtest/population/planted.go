package population

import (
	"slices"
	"time"
)

// Planted is one inequity with the exact size that it has in this population over one period.
type Planted struct {
	// Measure and Group name the rate, such as real-completeness and race.
	Measure string
	Group   string
	// Dimension, Code and Label name the stratum, Reference and ReferenceLabel the one that it is
	// compared with.
	Dimension      string
	Code           string
	Label          string
	Reference      string
	ReferenceLabel string
	// Score and ReferenceScore are the two scores: proportions in 0..1, days for length-of-stay (the
	// median), events per 1,000 patient-days for harm-per-1000-days.
	Score          float64
	ReferenceScore float64
	// Expected is Score less ReferenceScore.
	Expected float64
	// Counted and ReferenceCounted are the effective denominators: units after exclusions, or
	// patient-days.
	Counted          float64
	ReferenceCounted float64
}

// rate names a measure's group, for counting.
type rate int8

const (
	raceKnown rate = iota
	ethnicityKnown
	languageKnown
	needKnown
	languageRecorded
	interpreterDocumented
	telehealthShare
	leftWithoutBeingSeen
	stayOver8h
	boardingOver4h
	readmission30
	lengthOfStay
	harmPer1000
	reportingRatio
	factorCaptured
	factorIsYes
	rates
)

// dimension names what a plant compares by.
type dimension int8

const (
	byRace dimension = iota
	byEthnicity
	byGroup
	byNeed
	byAge
	bySite
	dimensions
)

var dimensionNames = [...]string{"race", "ethnicity", "language_group", "interpreter_need",
	"age_band", "site"}

// plant is one comparison to report.
type plant struct {
	rate           rate
	measure, group string
	dimension      dimension
	code, label    string
	ref, refLabel  string
}

func plants() []plant {
	const main = "main"
	w, b, a := races[white], races[black], races[asian]
	en, es, other := groups[english], groups[spanish], groups[otherLanguage]
	m, r, h := sites[mainCampus], sites[riverside], sites[hillcrest]
	return []plant{
		{raceKnown, "real-completeness", "race", bySite, h.id, h.name, m.id, m.name},
		{ethnicityKnown, "real-completeness", "ethnicity", bySite, r.id, r.name, m.id, m.name},
		{languageKnown, "real-completeness", "language", byRace, a.code, a.label, w.code, w.label},
		{needKnown, "real-completeness", "interpreter-need", byGroup, other.code, other.label, en.code,
			en.label},
		{languageRecorded, "language-recorded", main, byRace, a.code, a.label, w.code, w.label},
		{interpreterDocumented, "interpreter-documented", main, byGroup, other.code, other.label,
			es.code, es.label},
		{telehealthShare, "telehealth-share", main, byGroup, es.code, es.label, en.code, en.label},
		{telehealthShare, "telehealth-share", main, byAge, "75-84", "75-84", "18-44", "18-44"},
		{leftWithoutBeingSeen, "ed-left-without-being-seen", main, byRace, b.code, b.label, w.code,
			w.label},
		{stayOver8h, "ed-stay-over-8h", main, byEthnicity, codeHispanic, "Hispanic or Latino",
			codeNotHispanic, "Not Hispanic or Latino"},
		{boardingOver4h, "ed-boarding-over-4h", main, byNeed, codeYes, "Yes", codeNo, "No"},
		{readmission30, "readmission-30-day", main, byRace, b.code, b.label, w.code, w.label},
		{lengthOfStay, "length-of-stay", main, byGroup, es.code, es.label, en.code, en.label},
		{harmPer1000, "harm-per-1000-days", main, byGroup, es.code, es.label, en.code, en.label},
		{reportingRatio, "reporting-ratio", main, byGroup, es.code, es.label, en.code, en.label},
		{factorCaptured, "inequity-factor-captured", main, bySite, h.id, h.name, m.id, m.name},
		{factorIsYes, "inequity-factor-captured", "yes", byRace, b.code, b.label, w.code, w.label},
	}
}

// strata are the values of one unit, "" where one is not known.
type strata [dimensions]string

// cell adds up one side of a comparison.
type cell struct {
	numerator, denominator float64
	values                 []float64
}

// tally counts the units of every planted comparison as they are generated.
type tally struct {
	plants []plant
	// of lists the plants of each rate by index.
	of    [rates][]int
	cells [][2]cell
}

func newTally() *tally {
	t := &tally{plants: plants()}
	t.cells = make([][2]cell, len(t.plants))
	for i, p := range t.plants {
		t.of[p.rate] = append(t.of[p.rate], i)
	}
	return t
}

// unit counts one unit of weight denominator, of which numerator is in the numerator.
func (t *tally) unit(r rate, s *strata, numerator, denominator float64) {
	for _, i := range t.of[r] {
		if c := t.side(i, s); c != nil {
			c.numerator += numerator
			c.denominator += denominator
		}
	}
}

// value observes one value of a continuous variable.
func (t *tally) value(r rate, s *strata, v float64) {
	for _, i := range t.of[r] {
		if c := t.side(i, s); c != nil {
			c.values = append(c.values, v)
		}
	}
}

func (t *tally) side(i int, s *strata) *cell {
	switch p := &t.plants[i]; s[p.dimension] {
	case p.code:
		return &t.cells[i][0]
	case p.ref:
		return &t.cells[i][1]
	}
	return nil
}

// score is the median of values, or numerator by denominator; of nothing it is 0.
func (c *cell) score(r rate) (score, counted float64) {
	if r == lengthOfStay {
		n := len(c.values)
		if n == 0 {
			return 0, 0
		}
		slices.Sort(c.values)
		return (c.values[(n-1)/2] + c.values[n/2]) / 2, float64(n)
	}
	if c.denominator == 0 {
		return 0, 0
	}
	score = c.numerator / c.denominator
	if r == harmPer1000 {
		score *= 1000
	}
	return score, c.denominator
}

// Planted counts, in the generator's own state, how large each planted inequity came out between
// the calendar days start and end, both included. It assumes that a reader applies ConceptMap, and
// the whole population as of AsOf.
func (p *Population) Planted(start, end time.Time) []Planted {
	t := newTally()
	g := newGenerator(p.settings)
	first, last := dayOf(start), dayOf(end)
	for i := range p.settings.patients {
		g.make(i)
		g.count(t, first, last)
	}
	out := make([]Planted, len(t.plants))
	for i, q := range t.plants {
		o := Planted{Measure: q.measure, Group: q.group, Dimension: dimensionNames[q.dimension],
			Code: q.code, Label: q.label, Reference: q.ref, ReferenceLabel: q.refLabel}
		o.Score, o.Counted = t.cells[i][0].score(q.rate)
		o.ReferenceScore, o.ReferenceCounted = t.cells[i][1].score(q.rate)
		o.Expected = o.Score - o.ReferenceScore
		out[i] = o
	}
	return out
}
