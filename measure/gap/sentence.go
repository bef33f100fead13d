package gap

import (
	"fmt"
	"math"
	"strings"

	"github.com/equitylens/equitylens/measure"
)

// sentence says a gap in plain words: both ways of measuring it, how sure it is, whether it holds
// within sites and ages, and nothing of why.
func (gap *Gap) sentence(r measure.Result, g measure.Group) string {
	var text strings.Builder
	by := strings.ReplaceAll(gap.Dimension, "_", " ")
	fmt.Fprintf(&text, "%s, %s: ", g.Title, periodWords(r.Period))
	switch g.Scoring {
	case measure.Proportion:
		fmt.Fprintf(&text, "%.1f of 100 for %s, %.1f of 100 for %s (by %s); a difference of %.1f in 100",
			100*gap.Score, gap.Group, 100*gap.ReferenceScore, gap.Reference, by,
			100*math.Abs(gap.Difference))
		gap.interval(&text, 100)
	case measure.Ratio:
		fmt.Fprintf(&text, "%.1f per %g for %s, %.1f for %s (by %s); a difference of %.1f",
			gap.Score, g.Per, gap.Group, gap.ReferenceScore, gap.Reference, by, math.Abs(gap.Difference))
		gap.interval(&text, 1)
	case measure.ContinuousVariable:
		fmt.Fprintf(&text, "a %s of %g for %s, %g for %s (by %s); a difference of %g", aggregateWord(g),
			gap.Score, gap.Group, gap.ReferenceScore, gap.Reference, by, math.Abs(gap.Difference))
	case measure.Cohort:
	}
	if gap.Ratio != nil {
		fmt.Fprintf(&text, ", or %.2f times", *gap.Ratio)
	}
	text.WriteString(".")
	gap.caution(&text)
	return text.String()
}

func (gap *Gap) interval(text *strings.Builder, scale float64) {
	if gap.Interval != nil {
		fmt.Fprintf(text, " (95 %% interval %s)", span(*gap.Interval, scale))
	}
}

// caution adds what speaks against taking the gap at its face.
func (gap *Gap) caution(text *strings.Builder) {
	switch {
	case gap.Disagree && gap.Clear:
		text.WriteString(" The difference is clear of chance, the ratio is not: take neither alone.")
	case gap.Disagree:
		text.WriteString(" The ratio is clear of chance, the difference is not: take neither alone.")
	case !gap.Clear:
		text.WriteString(" Chance alone can make such a difference.")
	}
	for _, w := range gap.Within {
		layer := strings.ReplaceAll(w.By, "_", " ")
		switch {
		case w.Reverses:
			fmt.Fprintf(text, " Within each %s it is the other way round: do not read it without that.",
				layer)
		case w.Fades:
			fmt.Fprintf(text, " Within each %s no clear difference is left.", layer)
		}
	}
}

// span prints the interval of a difference without its sign, the smaller end first; one that
// holds 0 keeps its signs.
func span(interval [2]float64, scale float64) string {
	lo, hi := scale*interval[0], scale*interval[1]
	if hi < 0 {
		lo, hi = -hi, -lo
	}
	return fmt.Sprintf("%.1f to %.1f", lo, hi)
}

// periodWords says a whole year as a year.
func periodWords(p measure.Period) string {
	if p.Start.YearDay() == 1 && p.End.Month() == 12 && p.End.Day() == 31 &&
		p.Start.Year() == p.End.Year() {
		return p.Start.Format("2006")
	}
	return strings.Replace(p.String(), "/", " to ", 1)
}

// aggregateWord names what the score of a continuous variable is of its values.
func aggregateWord(g measure.Group) string {
	switch g.Aggregate {
	case measure.Percentile90:
		return "90th percentile"
	case "":
		return string(measure.Median)
	case measure.Median, measure.Mean, measure.Sum, measure.Count:
	}
	return string(g.Aggregate)
}
