package chart

import (
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
)

// Axis is how numbers become places.
type Axis struct {
	// Label says what the numbers are, and in which unit.
	Label string
	// Min and Max bound the axis; where one is absent it follows from the figures. What lies beyond is
	// drawn at the edge, with an arrow.
	Min, Max *float64
	// Format writes a number of the axis in the language of the reader.
	Format func(float64) string
	// Log makes equal ratios equally far apart. Figures that are not above 0 are then no data.
	Log bool
}

// say writes a number. What is longer than a number can be is cut.
func (a Axis) say(v float64) string {
	if a.Format == nil {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	const longest = 24
	text := []rune(clean(a.Format(v)))
	if len(text) > longest {
		return shortened(text[:longest])
	}
	return string(text)
}

// scale is an axis that knows where it stands: low at from, high at to.
type scale struct {
	axis      Axis
	low, high float64
	from, to  float64
}

// extent gathers figures, and how far intervals reach.
type extent struct {
	low, high   float64
	outLow, out float64
	any         bool
	// slack is how far an axis follows what reaches out, in spans of the figures; 0 is 1.2.
	slack float64
}

// include takes in a figure that has to be seen.
func (e *extent) include(v float64) {
	if !e.any {
		e.low, e.high, e.outLow, e.out, e.any = v, v, v, v, true
		return
	}
	e.low, e.high = math.Min(e.low, v), math.Max(e.high, v)
	e.reach(v)
}

// reach takes in the end of an interval, which is shown as far as it is sensible.
func (e *extent) reach(v float64) {
	e.outLow, e.out = math.Min(e.outLow, v), math.Max(e.out, v)
}

// usable reports whether an axis can show a number.
func (a Axis) usable(v float64) bool {
	return !math.IsNaN(v) && !math.IsInf(v, 0) && math.Abs(v) <= largest && (!a.Log || v > leastLog)
}

// leastLog is the smallest number on a logarithmic axis.
const leastLog = 1e-9

// bounds are the ends of an axis that shows an extent. Unless the figures lie close together and far
// from it, an axis of amounts begins at 0, so that lengths are true.
func (a Axis) bounds(e extent) (low, high float64) {
	if a.Log {
		return a.logBounds(e)
	}
	if !e.any {
		e.low, e.high, e.outLow, e.out = 0, 1, 0, 1
	}
	span := e.high - e.low
	if e.low >= 0 {
		span = e.high
	}
	if span == 0 {
		span = math.Max(math.Abs(e.high), 1)
	}
	slack := e.slack
	if slack == 0 {
		slack = 1.2
	}
	low, high = math.Max(e.outLow, e.low-slack*span), math.Min(e.out, e.high+slack*span)
	const near = 0.75
	if e.low >= 0 && (e.high == 0 || low/e.high < near) {
		low = math.Min(low, 0)
	}
	if low != 0 {
		low -= 0.06 * (high - low)
	}
	high += 0.06 * (high - low)
	low, high = a.given(low, high)
	if least := 1e-6 * math.Max(math.Abs(low), math.Abs(high)); high-low <= math.Max(least, 1e-9) {
		middle := (low + high) / 2
		pad := math.Max(math.Abs(middle)*0.1, 0.5)
		low, high = middle-pad, middle+pad
	}
	return low, high
}

// given puts in the bounds that the caller has set.
func (a Axis) given(low, high float64) (float64, float64) {
	if v, ok := number(a.Min); ok && a.usable(v) {
		low = v
	}
	if v, ok := number(a.Max); ok && a.usable(v) {
		high = v
	}
	return low, high
}

func (a Axis) logBounds(e extent) (low, high float64) {
	if !e.any {
		e.low, e.high, e.outLow, e.out = 0.5, 2, 0.5, 2
	}
	span := math.Max(e.high/e.low, 2)
	low = math.Max(math.Max(e.outLow, leastLog), e.low/span) / 1.12
	high = math.Min(e.out, e.high*span) * 1.12
	low, high = a.given(low, high)
	if high < low*1.2 {
		low, high = math.Min(low, high)/1.5, math.Max(low, high)*1.5
	}
	return low, high
}

// at is the place of a number; one beyond the ends is at the end.
func (s scale) at(v float64) float64 {
	v = math.Min(math.Max(v, s.low), s.high)
	var normal plot.Normalizer = plot.LinearScale{}
	if s.axis.Log {
		normal = plot.LogScale{}
	}
	return s.from + normal.Normalize(s.low, s.high, v)*(s.to-s.from)
}

// within reports whether a number lies between the ends.
func (s scale) within(v float64) bool { return v >= s.low && v <= s.high }

// ticks are round numbers between the ends: as many as fit, but no more than nine.
func (s scale) ticks(fit func([]float64) bool) []float64 {
	choices := s.linearTicks()
	if s.axis.Log {
		choices = s.logTicks()
	}
	const most = 9
	for _, one := range choices {
		if len(one) > 0 && len(one) <= most && fit(one) {
			return one
		}
	}
	// Not even two fit: one number is better than none.
	for _, one := range slices.Backward(choices) {
		if len(one) > 0 {
			return one[:1]
		}
	}
	return nil
}

// linearTicks are choices of round numbers, the densest first: multiples of 1, 2, 2.5 and 5 times a
// power of ten.
func (s scale) linearTicks() [][]float64 {
	const densest, steps = 8, 9
	span := s.high - s.low
	var choices [][]float64
	for power := math.Floor(math.Log10(span / densest)); len(choices) < steps; power++ {
		for _, step := range []float64{1, 2, 2.5, 5} {
			if step *= math.Pow(10, power); span/step > densest {
				continue
			}
			var out []float64
			for k := math.Ceil(s.low / step); k*step <= s.high; k++ {
				// What 3 times 0.1 is in binary is no number to read.
				out = append(out, math.Round(k*step*1e12)/1e12)
			}
			choices = append(choices, slices.DeleteFunc(out, func(v float64) bool { return !s.within(v) }))
		}
	}
	return choices
}

// logTicks are choices of round numbers on a logarithmic axis, the densest first.
func (s scale) logTicks() [][]float64 {
	var choices [][]float64
	for _, ladder := range [][]float64{
		{1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 8},
		{1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 7},
		{1, 1.5, 2, 3, 5, 7},
		{1, 2, 5}, {1, 3}, {1},
	} {
		var out []float64
		for power := math.Floor(math.Log10(s.low)); power <= math.Ceil(math.Log10(s.high)); power++ {
			for _, step := range ladder {
				v := step * math.Pow(10, power)
				if power < 0 {
					v = step / math.Pow(10, -power)
				}
				if s.within(v) {
					out = append(out, v)
				}
			}
		}
		choices = append(choices, out)
	}
	// Over many powers of ten.
	for few := choices[len(choices)-1]; len(few) > 3; {
		few = everyOther(few)
		choices = append(choices, few)
	}
	return choices
}

func everyOther(all []float64) []float64 {
	var out []float64
	for i := 0; i < len(all); i += 2 {
		out = append(out, all[i])
	}
	return out
}
