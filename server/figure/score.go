package figure

import (
	"math"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

const (
	// hundred is of how many a proportion is told: "41 of 100" is read rightly by more people than
	// 41 %.
	hundred = 100
	// errors95 is how many standard errors a 95 % interval is wide.
	errors95 = 2 * 1.96
	// mostDecimals is how many digits after the point any figure has.
	mostDecimals = 2
	// level is that of every interval that is told.
	level = 0.95
)

// times is by what scores are multiplied to be told.
func (m Measure) times() float64 {
	if m.Scoring == measure.Proportion {
		return hundred
	}
	return 1
}

// counts reports whether the score is a count over another, with a unit to be told with it.
func (m Measure) counts() bool {
	return m.Scoring == measure.Proportion || m.Scoring == measure.Ratio
}

// decimals is how many digits after the point a figure has, by its standard error: none where that
// is 2 or more, so that the last digit would be noise, one down to 0.1, and two below. The interval
// is as it is told. It is a property of the figure and not of the place where it stands, so that it
// is written the same everywhere.
func decimals(interval *[2]float64) int {
	if interval == nil {
		return 1
	}
	const coarse, fine = 2, 0.1
	switch half := (interval[1] - interval[0]) / errors95; {
	case half >= coarse && !math.IsInf(half, 1):
		return 0
	case half > 0 && half < fine:
		return mostDecimals
	}
	return 1
}

// decimalsOf is that of one score of a measure. A score that is not 0 is not written as 0 if two
// digits can help it. What is observed is mostly whole days or hours, and has no digit that is 0.
func (t *Teller) decimalsOf(m Measure, v float64, interval *[2]float64) int {
	v *= m.times()
	if v == 0 {
		return 0
	}
	d := m.observed(v, decimals(scaled(interval, m.times())))
	for m.counts() && d < mostDecimals && t.w.Number(v, d) == t.w.Number(0, d) {
		d++
	}
	return d
}

// differenceDecimals is that of a difference: one that is less than its last digit is none.
func (m Measure) differenceDecimals(v float64, interval *[2]float64) int {
	return m.observed(m.times()*v, decimals(scaled(interval, m.times())))
}

// observed is how many of the digits after the point stand for what was observed.
func (m Measure) observed(v float64, decimals int) int {
	const tenth = 0.05
	switch {
	case m.counts():
		return decimals
	case math.Abs(v-math.Round(v)) < tenth:
		return 0
	}
	return 1
}

func scaled(interval *[2]float64, times float64) *[2]float64 {
	if interval == nil {
		return nil
	}
	return &[2]float64{times * interval[0], times * interval[1]}
}

// Score writes a score as it stands in a column whose title is ScoreUnit: of a proportion how many
// of 100. The interval is that of the score, and may be nil.
func (t *Teller) Score(m Measure, v float64, interval *[2]float64) string {
	return t.w.Number(m.times()*v, t.decimalsOf(m, v, interval))
}

// ScoreUnit says what Score writes: "of 100", "per 1,000", "median".
func (t *Teller) ScoreUnit(m Measure) string {
	switch m.Scoring {
	case measure.Proportion:
		return t.w.Say("figure.unit.hundred")
	case measure.Ratio:
		return t.w.Say("figure.unit.per", t.w.Count(m.Per))
	case measure.ContinuousVariable:
		aggregate := m.Aggregate
		if aggregate == "" {
			aggregate = measure.Median
		}
		return t.w.Label("figure.aggregate", string(aggregate))
	case measure.Cohort:
	}
	return t.w.Say("figure.unit.score")
}

// ScoreInWords writes a score as it stands in a sentence: "41 of 100", "3.2 per 1,000".
func (t *Teller) ScoreInWords(m Measure, v float64, interval *[2]float64) string {
	text := t.Score(m, v, interval)
	switch m.Scoring {
	case measure.Proportion:
		return t.w.Say("figure.score.hundred", text)
	case measure.Ratio:
		return t.w.Say("figure.score.per", text, t.w.Count(m.Per))
	case measure.ContinuousVariable, measure.Cohort:
	}
	return text
}

// Interval writes the interval of a score: "38 to 44", with as many digits as the score.
func (t *Teller) Interval(m Measure, v float64, interval *[2]float64) string {
	if interval == nil {
		return ""
	}
	d := t.decimalsOf(m, v, interval)
	if !m.counts() {
		d = max(t.decimalsOf(m, interval[0], interval), t.decimalsOf(m, interval[1], interval))
	}
	return t.w.Say("figure.span", t.w.Number(m.times()*interval[0], d),
		t.w.Number(m.times()*interval[1], d))
}

// Difference writes a difference of scores with its sign, as it stands in a column whose title is
// DifferenceUnit. The interval is that of the difference, and may be nil.
func (t *Teller) Difference(m Measure, v float64, interval *[2]float64) string {
	return t.w.Signed(m.times()*v, m.differenceDecimals(v, interval))
}

// DifferenceUnit says what Difference writes: "in 100", "per 1,000".
func (t *Teller) DifferenceUnit(m Measure) string {
	switch m.Scoring {
	case measure.Proportion:
		return t.w.Say("figure.unit.points")
	case measure.Ratio:
		return t.w.Say("figure.unit.per", t.w.Count(m.Per))
	case measure.ContinuousVariable, measure.Cohort:
	}
	return t.ScoreUnit(m)
}

// DifferenceInterval writes the interval of a difference with its signs: "−19 to −9".
func (t *Teller) DifferenceInterval(m Measure, v float64, interval *[2]float64) string {
	if interval == nil {
		return ""
	}
	write := func(end float64) string {
		return t.w.Signed(m.times()*end, t.endDecimals(m, v, end, interval))
	}
	return t.w.Say("figure.span", write(interval[0]), write(interval[1]))
}

// endDecimals is that of an end of the interval of a difference: as that has, and one more where it
// would be written as 0 and is not, since its side matters.
func (t *Teller) endDecimals(m Measure, v, end float64, interval *[2]float64) int {
	d := m.differenceDecimals(v, interval)
	if !m.counts() {
		return max(d, m.differenceDecimals(end, interval))
	}
	if end != 0 && t.w.Number(m.times()*math.Abs(end), d) == t.w.Number(0, d) {
		d++
	}
	return d
}

// DifferenceInWords says how far a score is from another: "14 fewer in 100", "1.2 more per 1,000",
// "2 lower".
func (t *Teller) DifferenceInWords(m Measure, v float64, interval *[2]float64) string {
	d := m.differenceDecimals(v, interval)
	size := t.w.Number(m.times()*math.Abs(v), d)
	if size == t.w.Number(0, d) {
		return t.w.Say("figure.difference.none")
	}
	key := "figure.difference.value."
	switch m.Scoring {
	case measure.Proportion:
		key = "figure.difference.hundred."
	case measure.Ratio:
		return t.w.Say("figure.difference.per."+sign(v), size, t.w.Count(m.Per))
	case measure.ContinuousVariable, measure.Cohort:
	}
	return t.w.Say(key+sign(v), size)
}

// sign names the side of no difference on which v is.
func sign(v float64) string {
	if v < 0 {
		return "fewer"
	}
	return "more"
}

// Between says the interval of a difference in words, the end that is nearer to none first: "9 to
// 19 fewer", "from 4 fewer to 9 more".
func (t *Teller) Between(m Measure, v float64, interval *[2]float64) string {
	if interval == nil {
		return ""
	}
	lo, hi := interval[0], interval[1]
	write := func(end float64) string {
		return t.w.Number(m.times()*math.Abs(end), t.endDecimals(m, v, end, interval))
	}
	kind := "."
	if !m.counts() {
		kind = ".value."
	}
	switch {
	case lo >= 0:
		return t.w.Say("figure.between"+kind+"more", write(lo), write(hi))
	case hi <= 0:
		return t.w.Say("figure.between"+kind+"fewer", write(hi), write(lo))
	}
	return t.w.Say("figure.between"+kind+"both", write(lo), write(hi))
}

// Ratio writes how many times a score is another; the interval is that of the ratio, and may be
// nil.
func (t *Teller) Ratio(v float64, interval *[2]float64) string {
	return t.w.Number(v, ratioDecimals(v, interval))
}

// RatioInterval writes the interval of a ratio.
func (t *Teller) RatioInterval(v float64, interval *[2]float64) string {
	if interval == nil {
		return ""
	}
	d := ratioDecimals(v, interval)
	return t.w.Say("figure.span", t.w.Number(interval[0], d), t.w.Number(interval[1], d))
}

// ratioDecimals is at least 1: a ratio of 1 is no gap, and most are near it. An end of the interval
// that is not 1 is not written as 1.
func ratioDecimals(v float64, interval *[2]float64) int {
	if interval == nil {
		if v < 1 {
			return mostDecimals
		}
		return 1
	}
	const tenth = 0.05
	for _, end := range interval {
		if end != 1 && math.Abs(end-1) <= tenth {
			return mostDecimals
		}
	}
	return max(1, decimals(interval))
}

// Ninetyfive is the level of the intervals, as the locale writes it.
func (t *Teller) Ninetyfive() string { return t.w.Percent(level, 0) }

// P writes a p-value; of a very small one the last digit is not known.
func (t *Teller) P(p float64) string {
	const least, digits = 0.001, 3
	if p < least {
		return t.w.Say("figure.p.below", t.w.Number(least, digits))
	}
	return t.w.Number(p, digits)
}

// N writes how many units a figure rests on.
func (t *Teller) N(n float64) string { return t.w.Count(n) }

// OfHundred writes a share as how many of 100, with one digit after the point unless it is whole.
// What is not nothing is not written as 0 if two digits can help it.
func (t *Teller) OfHundred(share float64) string {
	const noise = 1e-9
	v := hundred * share
	if math.Abs(v-math.Round(v)) < noise {
		return t.w.Number(v, 0)
	}
	if text := t.w.Number(v, 1); text != t.w.Number(0, 1) {
		return text
	}
	return t.w.Number(v, mostDecimals)
}

// Reliability says whether a figure may be shown for what it is, "" of one that may stand alone.
func (t *Teller) Reliability(reliability, why string) string {
	switch stat.Reliability(reliability) {
	case stat.Unreliable, stat.Review:
		text := t.w.Label("figure.reliability", reliability)
		if why == "" {
			return text
		}
		return t.w.Say("figure.reliability.why", text, t.w.Label("figure.why", why))
	case stat.Reliable:
	}
	return ""
}

// Suppressed is the word for a figure that is hidden.
func (t *Teller) Suppressed() string { return t.w.Say("figure.suppressed") }

// NoData is the word where there is no figure.
func (t *Teller) NoData() string { return t.w.Say("figure.no-data") }

// axis writes the numbers of an axis of scores, and of differences where they are signed.
func (t *Teller) axis(m Measure, signed bool) func(float64) string {
	write := t.w.Number
	if signed {
		write = t.w.Signed
	}
	return func(v float64) string {
		v *= m.times()
		for d := range mostDecimals {
			scale := math.Pow10(d)
			if math.Abs(math.Round(v*scale)-v*scale) < 1e-6*math.Max(1, math.Abs(v*scale)) {
				return write(v, d)
			}
		}
		return write(v, mostDecimals)
	}
}
