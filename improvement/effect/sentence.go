package effect

import (
	"fmt"
	"math"
	"strings"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// notWhy ends every sentence about an action.
const notWhy = "This does not show that the action is why."

// sentence says the verdict in English, with its figures, and never why.
func (e *Effect) sentence() string {
	if e.Verdict == TooEarly {
		return e.early()
	}
	var text strings.Builder
	fmt.Fprintf(&text, "After the action began on %s the score was %s for %s and %s for %s (before: %s and %s). ",
		e.Start, e.words(e.Target.After.Score), e.Target.Label, e.words(e.Gap.Other.After.Score),
		e.Gap.Other.Label, e.words(e.Target.Before.Score), e.words(e.Gap.Other.Before.Score))
	change := e.changeWords(e.Gap.Change)
	switch e.Verdict {
	case Smaller:
		fmt.Fprintf(&text, "The gap between them is smaller, by %s, more than chance would make of it", change)
		if c := e.Comparison; c != nil && c.Other.Code != e.Gap.Other.Code {
			fmt.Fprintf(&text, "; and %s moved by %s against %s, whom it was not meant for",
				e.Target.Label, e.changeWords(c.Change), c.Other.Label)
		}
		text.WriteString(".")
	case Larger:
		fmt.Fprintf(&text, "The gap between them is larger, by %s, more than chance would make of it.", change)
	case EverybodyMoved:
		e.together(&text, change)
	case Mixed:
		e.mixed(&text, change)
	case NoChangeShown:
		fmt.Fprintf(&text, "The gap between them changed by %s, which chance alone can make. "+
			"That is no proof that nothing changed.", change)
	case TooEarly:
	}
	text.WriteString(" " + notWhy)
	return text.String()
}

// together says that those whom the action was not meant for moved too.
func (e *Effect) together(text *strings.Builder, change string) {
	others := e.Comparison
	if e.Gap.Change.Clear {
		fmt.Fprintf(text, "The gap between them is smaller, by %s; but against %s, whom it was not meant "+
			"for, %s moved by %s, which chance alone can make.", change, others.Other.Label, e.Target.Label,
			e.changeWords(others.Change))
		return
	}
	fmt.Fprintf(text, "%s got better, and so did %s, whom it was not meant for (before %s, after %s): "+
		"everybody moved, and the gap changed by %s, which chance alone can make.", e.Target.Label,
		others.Other.Label, e.words(others.Other.Before.Score), e.words(others.Other.After.Score), change)
}

// mixed says why neither a smaller nor a larger gap may be told.
func (e *Effect) mixed(text *strings.Builder, change string) {
	if e.Gap.disagree() {
		way := map[gap.Direction]string{gap.Narrows: "narrower", gap.Widens: "wider"}
		fmt.Fprintf(text, "The gap between them is %s by its difference, which changed by %s, and %s by its "+
			"ratio: neither may be told alone.", way[e.Gap.ByDifference], change, way[e.Gap.ByRatio])
		return
	}
	fmt.Fprintf(text, "The gap between them turned round and is wider than it was, by %s: who was behind "+
		"is further ahead.", change)
}

// early says what there is too little of.
func (e *Effect) early() string {
	lead := fmt.Sprintf("It is too early to say what changed after the action began on %s: ", e.Start)
	switch {
	case min(e.Before.Months, e.After.Months) < fewestMonths:
		return lead + fmt.Sprintf("there are %d whole months before and %d after, and %d are needed on "+
			"each side.", e.Before.Months, e.After.Months, fewestMonths)
	case e.Gap == nil:
		return lead + "there is no group to hold it against."
	}
	return lead + fmt.Sprintf("there are fewer than %d units on one side.", fewestUnits)
}

// words is a score as people say it.
func (e *Effect) words(score *float64) string {
	switch {
	case score == nil:
		return "no score"
	case e.Scoring == measure.Proportion:
		return fmt.Sprintf("%.1f of 100", 100**score)
	case e.Scoring == measure.Ratio:
		return fmt.Sprintf("%.1f per %g", *score, e.Per)
	}
	return fmt.Sprintf("a median of %.4g", *score)
}

// changeWords is how far a difference moved, without its sign, and its interval; an interval that holds
// 0 keeps its signs, in the direction of the change.
func (e *Effect) changeWords(change gap.Estimate) string {
	scale, unit := 1.0, ""
	switch e.Scoring {
	case measure.Proportion:
		scale, unit = 100, " in 100"
	case measure.Ratio:
		unit = fmt.Sprintf(" per %g", e.Per)
	case measure.ContinuousVariable, measure.Cohort:
	}
	text := fmt.Sprintf("%.1f%s", scale*math.Abs(change.Value), unit)
	if change.Interval == nil {
		return text
	}
	lo, hi := scale*change.Interval[0], scale*change.Interval[1]
	if change.Value < 0 {
		lo, hi = -hi, -lo
	}
	return text + fmt.Sprintf(" (95 %% interval %.1f to %.1f)", lo, hi)
}

// notWhyInside ends what is said of conditions.
const notWhyInside = "This says whether figures differ inside and outside, not why: who came, the season " +
	"and whatever else was different then are in it."

// speak says where inside and outside differ.
func (c *Comparison) speak() {
	e := Effect{Scoring: c.Scoring, Per: c.Per}
	for _, b := range append([]Beside{c.All}, c.Groups...) {
		if b.Difference == nil || b.Q == nil {
			continue
		}
		finding := "chance alone can make such a difference"
		if *b.Q <= likely {
			finding = "more than chance would make of it"
		}
		text := fmt.Sprintf("%s: %s inside, %s outside; %s.", b.Label, e.words(b.Inside.Score),
			e.words(b.Outside.Score), finding)
		if b.GapChange != nil && c.Reference != nil && b.GapInside != nil {
			finding = "which chance alone can make"
			if b.GapChange.Clear {
				finding = "more than chance would make of it"
			}
			way := "larger"
			if math.Abs(b.GapInside.Difference) < math.Abs(b.GapOutside.Difference) {
				way = "smaller"
			}
			text += fmt.Sprintf(" Its gap to %s is %s inside: the difference of the two is %s, %s.",
				c.Reference.Label, way, e.changeWords(*b.GapChange), finding)
		}
		c.Sentences = append(c.Sentences, text)
	}
	if len(c.Sentences) > 0 {
		c.Sentences = append(c.Sentences, notWhyInside)
	}
}
