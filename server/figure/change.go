package figure

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// Standing is what a snapshot says: the results of some measures, and the gaps in them.
type Standing struct {
	Snapshot string
	DataAsOf time.Time
	Results  []measure.Result
	Gaps     []gap.Gap
}

// mostChanges is how many changes of a kind are said one by one. The table has all of them.
const mostChanges = 5

// fate is what became of a score.
type fate int

const (
	// stayed is within the interval that the score had, moved out of it.
	stayed fate = iota
	moved
	appeared
	gone
	// apart says that the two cannot be compared: a figure is suppressed or absent.
	apart
)

// change is a score in two snapshots.
type change struct {
	Measure
	fate fate
	// group is the name of the stratum, everybody where the change is of all of them.
	group     string
	everybody bool
	was, is   measure.Cell
	// size is by how many half intervals the score moved.
	size float64
}

// gapChange is a gap in two snapshots.
type gapChange struct {
	Measure
	was, is        gap.Gap
	group, against string
}

// changes is all that changed between two standings.
type changes struct {
	*Teller
	measures []Measure
	scores   []change
	gaps     []gapChange
	// versions names the measures of which the definition is another one, apart those for another audience.
	versions []string
	audience bool
	// open says that a period was not over when the data were taken.
	open bool
}

// Changed is what changed in figures of the same periods since another snapshot: scores that moved out of
// the interval that they had, gaps that did, groups that came or went, and counts. It is the data that
// changed: late entries, corrections and merged records. Results that only one of the two has are passed
// over.
func (t *Teller) Changed(before, after Standing, measures []Measure) Figure {
	f := Figure{ID: "change", Title: t.w.Say("time.changed.title")}
	if before.Snapshot == "" || len(before.Results) == 0 {
		f.Sentences = []string{t.w.Say("time.changed.first")}
		f.Table = t.changeTable(f.Title, nil, nil)
		f.Notes = []string{t.w.Say("time.changed.no-chart")}
		return f
	}
	c := changes{Teller: t, measures: measures}
	for _, is := range after.Results {
		i := slices.IndexFunc(before.Results, func(was measure.Result) bool { return sameQuestion(was, is) })
		if i >= 0 {
			c.results(before.Results[i], is)
		}
	}
	for _, is := range after.Gaps {
		i := slices.IndexFunc(before.Gaps, func(was gap.Gap) bool { return sameGap(was, is) })
		if i >= 0 {
			c.gap(before.Gaps[i], is)
		}
	}
	slices.SortStableFunc(c.scores, func(a, b change) int { return cmp.Compare(b.size, a.size) })
	f.Sentences = c.sentences(before)
	f.Notes = c.notes()
	f.Table = t.changeTable(f.Title, c.scores, c.gaps)
	return f
}

// sameQuestion reports whether two results answer one question.
func sameQuestion(was, is measure.Result) bool {
	return was.Measure == is.Measure && was.Period == is.Period && was.Policy == is.Policy &&
		maps.EqualFunc(was.Filter, is.Filter, slices.Equal)
}

// sameGap reports whether two gaps are of the same groups.
func sameGap(was, is gap.Gap) bool {
	return was.Measure == is.Measure && was.Rate == is.Rate && was.Dimension == is.Dimension &&
		was.Code == is.Code && was.ReferenceCode == is.ReferenceCode
}

// measureOf finds the words of a rate; of one that has none the title is that of its result.
func (c *changes) measureOf(id string, g measure.Group) Measure {
	i := slices.IndexFunc(c.measures, func(m Measure) bool { return m.ID == id && m.Rate == g.ID })
	if i >= 0 {
		return c.measures[i]
	}
	return c.MeasureOf(measure.Definition{ID: id}, g)
}

// results compares two answers to one question.
func (c *changes) results(was, is measure.Result) {
	if was.Audience != is.Audience {
		c.audience = true
		return
	}
	if !is.DataAsOf.IsZero() && is.DataAsOf.Before(is.Period.End.AddDate(0, 0, 1)) {
		c.open = true
	}
	for _, g := range is.Groups {
		m := c.measureOf(is.Measure, g)
		if was.Version != is.Version {
			c.versions = append(c.versions, m.Words.Title)
			continue
		}
		old, ok := groupOf(was, g.ID)
		if !ok {
			continue
		}
		all := compareCells(m, old.Cell, g.Cell)
		all.group, all.everybody = c.w.Say("time.everybody"), true
		c.scores = append(c.scores, all)
		for _, dimension := range slices.Sorted(maps.Keys(g.Strata)) {
			if before, ok := old.Strata[dimension]; ok && !strings.Contains(dimension, "*") {
				c.strata(m, dimension, before, g.Strata[dimension])
			}
		}
	}
}

// strata compares the groups of a dimension, and finds those that came or went.
func (c *changes) strata(m Measure, dimension string, was, is []measure.Stratum) {
	find := func(strata []measure.Stratum, s measure.Stratum) int {
		return slices.IndexFunc(strata, func(o measure.Stratum) bool {
			return o.Code == s.Code && o.State == s.State
		})
	}
	for _, s := range is {
		one := change{Measure: m, fate: appeared, is: s.Cell}
		if i := find(was, s); i >= 0 {
			one = compareCells(m, was[i].Cell, s.Cell)
		}
		one.group = c.w.Stratum(dimension, s)
		c.scores = append(c.scores, one)
	}
	for _, s := range was {
		if find(is, s) < 0 {
			c.scores = append(c.scores, change{Measure: m, fate: gone, was: s.Cell,
				group: c.w.Stratum(dimension, s)})
		}
	}
}

// compareCells holds a score against the interval that it had.
func compareCells(m Measure, was, is measure.Cell) change {
	out := change{Measure: m, was: was, is: is}
	if was.Suppressed || is.Suppressed || was.Score == nil || is.Score == nil {
		out.fate = apart
		return out
	}
	difference := math.Abs(*is.Score - *was.Score)
	if was.Interval == nil {
		// Without an interval there is nothing to be out of.
		return out
	}
	if *is.Score < was.Interval[0] || *is.Score > was.Interval[1] {
		out.fate = moved
		out.size = math.Inf(1)
		if half := (was.Interval[1] - was.Interval[0]) / 2; half > 0 {
			out.size = difference / half
		}
	}
	return out
}

// gap compares two gaps, and keeps them where something is to be told of it.
func (c *changes) gap(was, is gap.Gap) {
	out := was.Interval != nil && (is.Difference < was.Interval[0] || is.Difference > was.Interval[1])
	if was.Clear == is.Clear && !out {
		return
	}
	i := slices.IndexFunc(c.measures, func(m Measure) bool { return m.ID == is.Measure && m.Rate == is.Rate })
	if i < 0 {
		return // Its scale is not known, so that the gap cannot be written.
	}
	c.gaps = append(c.gaps, gapChange{Measure: c.measures[i], was: was, is: is,
		group:   c.named(is.Dimension, is.Code, "", is.Group),
		against: c.named(is.Dimension, is.ReferenceCode, "", is.Reference)})
}
