package gap

import (
	"fmt"
	"slices"
	"time"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

// ChangeReport is a stated test of an action with a date: what was before it against what was
// after. It says whether a figure is another one than before, and never why: whatever else
// changed on that date is in it, and a group that was chosen because it was at its worst tends to
// come back by itself.
type ChangeReport struct {
	// Date is the day of the action. The month that holds it is on neither side, unless it is its
	// first.
	Date string `json:"date"`
	// Before and After are the spans that are compared; absent where one of them is empty.
	Before *measure.Period `json:"before,omitempty"`
	After  *measure.Period `json:"after,omitempty"`
	// Refused says why nothing is compared.
	Refused *Refused `json:"refused,omitempty"`
	// All is everybody, Groups each group that is known.
	All    *GroupChange  `json:"all,omitempty"`
	Groups []GroupChange `json:"groups"`
	// Reference is the group whose change is taken from those of the others; GapsRefused says why
	// there is none.
	Reference   *Chosen  `json:"reference,omitempty"`
	GapsRefused *Refused `json:"gaps_refused,omitempty"`
	Sentences   []string `json:"sentences"`
}

// GroupChange is the change of one group.
type GroupChange struct {
	Label string `json:"label"`
	Code  string `json:"code,omitempty"`
	// Before and After are the scores; N and so on the units they rest on.
	Before  *float64 `json:"before,omitempty"`
	After   *float64 `json:"after,omitempty"`
	NBefore float64  `json:"n_before"`
	NAfter  float64  `json:"n_after"`
	// Change is after less before, with the interval of Newcombe, or of rates MOVER; of a median it
	// has none.
	Change *Estimate `json:"change,omitempty"`
	// P is the p-value of no change: Method says by which test. Q is P corrected for all tests here.
	P      *float64    `json:"p,omitempty"`
	Q      *float64    `json:"q,omitempty"`
	Method stat.Method `json:"method,omitempty"`
	// Compared is the change less that of the reference (difference in differences): how far the gap
	// between them moved. It is the effect of the action only if both would have gone on in parallel
	// without it. Where the reference is everybody it is about the rest.
	Compared *Estimate `json:"compared,omitempty"`
	// Refused says why there is no test.
	Refused *Refused `json:"refused,omitempty"`
}

// Change tests the months before an action against those after it, for everybody and for every
// group of a dimension, and each group's change against that of the reference. The reference is
// chosen on the months before, which the action cannot have touched.
func Change(
	before, after []measure.Result, rate, dimension string, date time.Time, o Options,
) (ChangeReport, error) {
	out := ChangeReport{Date: date.Format(time.DateOnly), Groups: []GroupChange{},
		Sentences: []string{}}
	if len(before) == 0 || len(after) == 0 {
		out.Refused = refuse(NoMonths)
		return out, nil
	}
	was, err := poolResults(before, rate, dimension)
	if err != nil {
		return out, err
	}
	is, err := poolResults(after, rate, dimension)
	if err != nil {
		return out, err
	}
	out.Before, out.After = spanOf(before), spanOf(after)
	everybody := measure.Stratum{Coding: measure.Coding{Label: overallLabel}}
	all := groupChange(everybody, was, was.Cell, is.Cell)
	out.All = &all
	reference, rule, refused, err := o.referenceOf(was, dimension)
	if err != nil {
		return out, err
	}
	if out.GapsRefused = refused; refused == nil {
		out.Reference = &Chosen{Rule: rule, Code: code(reference), Label: label(reference)}
	}
	for _, s := range was.Strata[dimension] {
		if !known(s) {
			continue
		}
		one := groupChange(s, was, s.Cell, cellOf(is.Strata[dimension], s))
		if refused == nil && (rule == Overall || one.Code != code(reference)) && one.Refused == nil {
			if found, ok := differences(dimension, was, is, s, reference, rule); ok {
				one.Compared = estimate(scale(was), found)
			}
		}
		out.Groups = append(out.Groups, one)
	}
	out.correct()
	out.speak(was)
	return out, nil
}

// poolResults adds up a rate over months.
func poolResults(months []measure.Result, rate, dimension string) (measure.Group, error) {
	groups := make([]measure.Group, 0, len(months))
	for _, r := range months {
		g, err := rateOf(r, rate)
		if err != nil {
			return g, err
		}
		groups = append(groups, g)
	}
	return pool(groups, dimension), nil
}

func spanOf(months []measure.Result) *measure.Period {
	return &measure.Period{Start: months[0].Period.Start, End: months[len(months)-1].Period.End}
}

// groupChange tests one group against itself before.
func groupChange(s measure.Stratum, g measure.Group, was, is measure.Cell) GroupChange {
	out := GroupChange{Label: label(s), Code: code(s)}
	if was.Suppressed || is.Suppressed {
		out.Refused = refuse(Hidden)
		return out
	}
	out.Before, out.After = was.Score, is.Score
	out.NBefore, out.NAfter = effective(g.Scoring, was), effective(g.Scoring, is)
	if was.Score == nil || is.Score == nil {
		out.Refused = refuse(NoScore)
		return out
	}
	var found stat.Change
	var ok bool
	b, a := countOf(g, was), countOf(g, is)
	switch {
	case g.Scoring == measure.Proportion:
		found, ok = stat.ProportionChange(b, a)
	case g.Scoring == measure.Ratio && whole(b.Events) && whole(a.Events):
		found, ok = stat.RateChange(b, a)
	case g.Scoring == measure.ContinuousVariable:
		out.Change = &Estimate{Value: *is.Score - *was.Score}
		k, tested := kruskal([][]measure.ValueCount{was.Values, is.Values})
		if !tested {
			out.Refused = refuse(NoVariation)
			return out
		}
		out.P, out.Method = &k.P, RankTest
		return out
	}
	if !ok {
		out.Refused = refuse(NotACount)
		return out
	}
	out.Change = estimate(scale(g), found.Difference)
	out.P, out.Method = &found.P, found.Method
	return out
}

// differences is the change of a group less that of its reference, in units of events.
func differences(
	dimension string, was, is measure.Group, s, reference measure.Stratum, rule Reference,
) (stat.Estimate, bool) {
	layer := func(g measure.Group) stat.Layer {
		l := stat.Layer{Group: countOf(g, cellOf(g.Strata[dimension], s)),
			Reference: countOf(g, otherOf(g, dimension, reference, rule))}
		if rule == Overall {
			l.Reference.Events -= l.Group.Events
			l.Reference.Of -= l.Group.Of
		}
		return l
	}
	before, after := layer(was), layer(is)
	counts := []stat.Count{before.Group, before.Reference, after.Group, after.Reference}
	if slices.ContainsFunc(counts, func(c stat.Count) bool { return c.Of <= 0 || !whole(c.Events) }) {
		return stat.Estimate{}, false
	}
	switch was.Scoring {
	case measure.Proportion:
		return stat.DifferenceInDifferences(before, after)
	case measure.Ratio:
		return stat.DifferenceInRateDifferences(before, after)
	case measure.ContinuousVariable, measure.Cohort:
	}
	return stat.Estimate{}, false
}

// correct adjusts every p-value for all the others.
func (out *ChangeReport) correct() {
	var family []tested
	add := func(c *GroupChange) {
		if c.P != nil {
			family = append(family, tested{*c.P, &c.Q})
		}
	}
	add(out.All)
	for i := range out.Groups {
		add(&out.Groups[i])
	}
	correct(family)
}

// speak says the changes, and what they are not.
func (out *ChangeReport) speak(g measure.Group) {
	for _, c := range append([]GroupChange{*out.All}, out.Groups...) {
		if c.Change == nil || c.Q == nil {
			continue
		}
		finding := "chance alone can make such a change"
		if *c.Q <= likely {
			finding = "more than chance would make of it"
		}
		text := fmt.Sprintf("%s: %s before %s, %s after; %s (p %s, corrected %s).", c.Label,
			scoreWords(g, *c.Before), out.Date, scoreWords(g, *c.After), finding, pWords(*c.P), pWords(*c.Q))
		if e := c.Compared; e != nil {
			text += " " + comparedWords(g, e, out.Reference)
		}
		out.Sentences = append(out.Sentences, text)
	}
	if len(out.Sentences) > 0 {
		out.Sentences = append(out.Sentences, notWhy)
	}
}

// notWhy is what a test of before and after does not say.
const notWhy = "This says whether the figures changed, not why: the season and whatever else " +
	"changed then are in it, a group looked at because it was at its worst tends to come back by " +
	"itself, and a comparison with another group supposes that both would have gone on in parallel."

// comparedWords says a difference in differences.
func comparedWords(g measure.Group, e *Estimate, reference *Chosen) string {
	other := reference.Label
	if reference.Rule == Overall {
		other = "the rest"
	}
	direction := "higher"
	if e.Value < 0 {
		direction = "lower"
	}
	text := fmt.Sprintf("Its change was %s %s than that of %s", differenceWords(g, e.Value),
		direction, other)
	if e.Clear {
		return text + "."
	}
	return text + ", which chance alone can make."
}
