package network

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// Composition is what a submission is made of. Of its assessment only levels are taken, of its actions
// neither words nor owner.
type Composition struct {
	Member   string
	Period   measure.Period
	Reason   Reason
	Software string
	// Created is when it is put together.
	Created time.Time
	// Snapshot is that of the figures.
	Snapshot string
	// Results are figures at public audience, by Dimensions.
	Results []measure.Result
	// Assessment is absent where there is none.
	Assessment *readiness.Assessment
	Actions    []Tracked
}

// Tracked is an action and what the figures show of it.
type Tracked struct {
	action.Action
	// Demonstrated is effect.Effect.Demonstrated.
	Demonstrated bool
}

// Withheld is something that a submission leaves out, and why.
type Withheld struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// Compose makes a submission, and says what it had to leave out.
func (c *Checker) Compose(of Composition) (Submission, []Withheld) {
	s := Submission{
		Member: of.Member, Period: of.Period, Created: of.Created.UTC().Truncate(time.Second),
		Reason: of.Reason, Software: of.Software, Snapshot: DigestOf(of.Snapshot),
	}
	var out []Withheld
	for _, result := range of.Results {
		report, why := c.compose(result)
		if why != "" {
			out = append(out, Withheld{result.Measure, why})
			continue
		}
		s.Reports = append(s.Reports, report)
	}
	slices.SortFunc(s.Reports, func(a, b Report) int { return compareText(a.Measure, b.Measure) })
	out = append(out, c.protect(&s)...)
	if a := of.Assessment; a != nil {
		s.Adoption = &Adoption{
			Questionnaire: a.Questionnaire, Final: a.State == readiness.Final, Levels: map[string]int{},
		}
		for item, answer := range a.Answers {
			if answer.Level != nil {
				s.Adoption.Levels[item] = int(*answer.Level)
			}
		}
	}
	for _, one := range of.Actions {
		told, why := c.tell(one, of.Period)
		if why != "" {
			out = append(out, Withheld{"action " + one.ID, why})
			continue
		}
		s.Actions = append(s.Actions, told)
	}
	return s, out
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// entryForm finds the number of the entry in the path of a fault.
var entryForm = regexp.MustCompile(`^Bundle\.entry\[(\d+)\]`)

// protect leaves out report after report until nothing small can be told of those that are left.
func (c *Checker) protect(s *Submission) []Withheld {
	var out []Withheld
	for {
		var f faults
		c.disclosure(&f, s.Reports)
		if len(f) == 0 {
			return out
		}
		m := entryForm.FindStringSubmatch(f[0].Path)
		at := len(s.Reports) - 1
		if m != nil {
			if n, err := strconv.Atoi(m[1]); err == nil && n >= 1 && n <= len(s.Reports) {
				at = n - 1
			}
		}
		out = append(out, Withheld{s.Reports[at].Measure, f[0].Cause})
		s.Reports = slices.Delete(s.Reports, at, at+1)
	}
}

// compose makes the report of a result, or says why there is none.
func (c *Checker) compose(result measure.Result) (Report, string) {
	d, ok := c.definition(result.Measure)
	switch {
	case !ok || d.Version != result.Version:
		return Report{}, "it is not a measure of this version"
	case !pools(d):
		return Report{}, "its figures cannot be taken together with those of others"
	case result.Audience != audiencePublic:
		return Report{}, "its figures are not released"
	case !result.Complete:
		return Report{}, "its data are incomplete"
	}
	out := Report{Measure: d.ID, Version: d.Version}
	for i, rate := range d.Rates() {
		g := result.Groups[i]
		whole, ok := figureOf(rate, g.Cell)
		if !ok || whole.hidden() {
			return Report{}, "its counts of everybody are not released"
		}
		r := Rate{ID: rate.ID, Whole: whole}
		for _, by := range Dimensions() {
			strata, ok := g.Strata[by]
			if !ok || len(strata) == 0 {
				continue
			}
			t := Table{By: by}
			for _, s := range strata {
				figure, ok := figureOf(rate, s.Cell)
				if !ok || !c.groups.valid(by, keyOf(s.Coding)) {
					return Report{}, "a figure of it has no place in a submission"
				}
				t.Rows = append(t.Rows, Row{Key: keyOf(s.Coding), Figure: figure})
			}
			slices.SortFunc(t.Rows, func(a, b Row) int { return compareKeys(a.Key, b.Key) })
			r.Tables = append(r.Tables, t)
		}
		out.Rates = append(out.Rates, r)
	}
	return out, ""
}

const audiencePublic = "public"

func keyOf(c measure.Coding) string {
	if c.State != "" && c.State != string(mapping.Known) {
		return stateMark + c.State
	}
	return c.Code
}

// figureOf takes the sizes of the populations of a rate. It is not ok where one is no whole number.
func figureOf(rate measure.GroupDefinition, of measure.Cell) (Figure, bool) {
	f := Figure{Sizes: map[measure.Population]*int64{}}
	for _, p := range populations(rate) {
		size, shown := of.Populations[p]
		if !shown {
			f.Sizes[p] = nil
			continue
		}
		if size != math.Trunc(size) || size < 0 || size > math.MaxInt32 {
			return f, false
		}
		whole := int64(size)
		f.Sizes[p] = &whole
	}
	return f, true
}

// tell takes of an action what others may know, or says why it is not told.
func (c *Checker) tell(of Tracked, period measure.Period) (Action, string) {
	a := Action{
		Cause: of.Cause, Measure: of.Aim.Measure, Rate: of.Aim.Rate, Dimension: of.Aim.Dimension,
		Groups: slices.Sorted(maps.Keys(set(of.Aim.Groups))), Start: of.Start, Demonstrated: of.Demonstrated,
	}
	switch of.State {
	case action.Planned:
		return a, "it has not begun"
	case action.InProgress:
		a.State = Running
	case action.Completed:
		a.State = Completed
	case action.Cancelled:
		a.State, a.Demonstrated = GivenUp, false
	}
	if of.Result != nil {
		a.Outcome = string(of.Result.Outcome)
	}
	if d, ok := c.definition(a.Measure); ok && a.Rate == "" {
		a.Rate = d.Rates()[0].ID
	}
	var f faults
	c.action(&f, "", &a, period)
	if len(f) > 0 {
		return a, f[0].Cause
	}
	return a, ""
}

func set(all []string) map[string]bool {
	out := map[string]bool{}
	for _, one := range all {
		out[one] = true
	}
	return out
}
