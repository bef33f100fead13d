package readiness

import (
	"slices"
	"strconv"
	"strings"
)

// Unit is what a figure is measured in.
type Unit string

// The units.
const (
	// Share is a part of all, 0 to 1.
	Share Unit = "share"
	// Count is a number of things.
	Count Unit = "count"
	// Hours are those that have passed.
	Hours Unit = "hours"
)

func units() []Unit { return []Unit{Share, Count, Hours} }

// Rule makes a level of a figure. The thresholds are a judgement: Because says whose, and why.
type Rule struct {
	Figure FigureID `yaml:"figure"`
	Unit   Unit     `yaml:"unit"`
	// At are the figures from which the levels 1, 2 and 3 are reached.
	At []float64 `yaml:"at"`
	// Falling says that less is better: a level is reached at its threshold and below.
	Falling bool `yaml:"falling"`
	// Says names the figure.
	Says    Text `yaml:"says"`
	Because Text `yaml:"because"`
}

// Level is that of a figure.
func (r Rule) Level(value float64) Level {
	level := NotBegun
	for n, at := range r.At {
		if r.Falling && value <= at || !r.Falling && value >= at {
			level = Level(n + 1)
		}
	}
	return level
}

func (c *checker) rule(item string, r Rule) {
	c.fault(!slices.Contains(FigureIDs(), r.Figure), "%s.rule.figure: %q is no figure", item, r.Figure)
	c.fault(!slices.Contains(units(), r.Unit), "%s.rule.unit: %q is no unit", item, r.Unit)
	c.fault(len(r.At) != len(Levels())-1, "%s.rule.at: there are %d thresholds, not %d", item, len(r.At),
		len(Levels())-1)
	for n := 1; n < len(r.At); n++ {
		c.fault((r.At[n] > r.At[n-1]) == r.Falling || r.At[n] == r.At[n-1],
			"%s.rule.at: the thresholds are not in the order of the levels", item)
	}
	c.text(item+".rule.says", r.Says)
	c.text(item+".rule.because", r.Because)
}

// says is the range of a level in words. A rule that falls has its ranges the other way round: its
// lowest level is from the first threshold upwards.
func (r Ranges) says(rule Rule, l Level, language string) string {
	if len(rule.At) != len(Levels())-1 {
		return ""
	}
	bound := func(n int) string { return rule.write(rule.At[n], language) }
	text, low, high := r.Between, "", ""
	switch {
	case l == NotBegun && rule.Falling:
		text, low = r.From, bound(0)
	case l == NotBegun:
		text, high = r.Below, bound(0)
	case l == Routine && rule.Falling:
		text, high = r.Below, bound(int(Routine)-1)
	case l == Routine:
		text, low = r.From, bound(int(Routine)-1)
	case rule.Falling:
		low, high = bound(int(l)), bound(int(l)-1)
	default:
		low, high = bound(int(l)-1), bound(int(l))
	}
	return strings.NewReplacer("{low}", low, "{high}", high).Replace(text.In(language))
}

// write writes a figure for people: a share in percent, hours of several days in days.
func (r Rule) write(value float64, language string) string {
	const percent, hoursOfDay, manyHours = 100, 24, 72
	switch {
	case r.Unit == Share && language == "es":
		return number(value*percent) + " %"
	case r.Unit == Share:
		return number(value*percent) + "%"
	case r.Unit == Hours && value >= manyHours && language == "es":
		return number(value/hoursOfDay) + " días"
	case r.Unit == Hours && value >= manyHours:
		return number(value/hoursOfDay) + " days"
	case r.Unit == Hours && language == "es":
		return number(value) + " horas"
	case r.Unit == Hours:
		return number(value) + " hours"
	}
	return number(value)
}

// number writes a number with one decimal at most.
func number(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// Write writes a figure of the rule for people.
func (r Rule) Write(f Figure, language string) string { return r.write(f.Value, language) }
