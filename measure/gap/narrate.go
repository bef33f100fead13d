package gap

import (
	"fmt"
	"strings"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat/spc"
)

// sentence says where a gap goes by both measures, and which of them speaks against the other.
func (one *MonthlyGap) sentence(g measure.Group, reference string) string {
	if one.Change == nil {
		return ""
	}
	was, is := one.Earlier, one.Later
	var text strings.Builder
	fmt.Fprintf(&text, "%s against %s: %s apart in %s, %s apart in %s", one.Group, reference,
		differenceWords(g, was.Difference), stretchWords(was), differenceWords(g, is.Difference),
		stretchWords(is))
	if was.Ratio != nil && is.Ratio != nil {
		fmt.Fprintf(&text, ", or %.2f and %.2f times", *was.Ratio, *is.Ratio)
	}
	text.WriteString(".")
	switch {
	case one.Disagree:
		fmt.Fprintf(&text, " By the difference the gap %s, by the ratio it %s: tell both or neither.",
			one.ByDifference, one.ByRatio)
	case one.ByDifference == Turns:
		text.WriteString(" The gap has turned round.")
	default:
		fmt.Fprintf(&text, " The gap %s.", one.ByDifference)
	}
	if !one.Clear && one.Change.Interval != nil {
		text.WriteString(" Chance alone can make such a change.")
	}
	return text.String()
}

func stretchWords(s *Stretch) string {
	if s.From == s.To {
		return s.From
	}
	return s.From + " to " + s.To
}

// speak gathers the sentences of a trend: signals, then gaps, then the action.
func (out *TrendReport) speak() {
	for _, s := range out.Series {
		for _, signal := range s.Signals {
			out.Sentences = append(out.Sentences, signal.sentence(s))
		}
	}
	for _, one := range out.Gaps {
		if one.Sentence != "" {
			out.Sentences = append(out.Sentences, one.Sentence)
		}
	}
	if out.GapsRefused != nil {
		out.Sentences = append(out.Sentences, out.GapsRefused.Says)
	}
	if out.Changes != nil {
		out.Sentences = append(out.Sentences, out.Changes.Sentences...)
	}
}

// sentence says a signal of a series.
func (s Signal) sentence(of Series) string {
	when := ""
	if n := len(s.Months); n == 1 {
		when = " in " + s.Months[0]
	} else if n > 1 {
		when = fmt.Sprintf(" from %s to %s", s.Months[0], s.Months[n-1])
	}
	side := ""
	switch s.Side {
	case spc.Above, spc.Below:
		side = ", " + string(s.Side) + " the centre line"
	case spc.Rising, spc.Falling:
		side = ", " + string(s.Side)
	}
	if s.Better != nil {
		word := "the worse"
		if *s.Better {
			word = "the better"
		}
		side += " (" + word + " way)"
	}
	return fmt.Sprintf("%s%s%s: %s", of.Label, when, side, s.Says)
}
