package figure

import (
	"math"
	"slices"
	"time"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/facts"
)

// of counts the scores of a fate.
func (c *changes) of(fates ...fate) []change {
	var out []change
	for _, one := range c.scores {
		if slices.Contains(fates, one.fate) {
			out = append(out, one)
		}
	}
	return out
}

func (c *changes) sentences(before Standing) []string {
	compared, out := len(c.of(stayed, moved)), c.of(moved)
	since := c.w.Say("time.changed.unknown-time")
	if !before.DataAsOf.IsZero() {
		since = c.w.Moment(before.DataAsOf)
	}
	var said []string
	switch {
	case compared == 0:
		said = append(said, c.w.Say("time.changed.nothing", since))
	case len(out) == 0:
		said = append(said, c.w.Say("time.changed.none", compared, since))
	default:
		said = append(said, c.w.Say("time.changed.some", len(out), c.w.Count(float64(compared)), since))
	}
	for _, one := range out[:min(len(out), mostChanges)] {
		said = append(said, c.w.Say("time.changed.score", one.Words.Title, one.group,
			c.ScoreInWords(one.Measure, *one.was.Score, one.was.Interval),
			c.ScoreInWords(one.Measure, *one.is.Score, one.is.Interval)))
	}
	for _, one := range c.gaps[:min(len(c.gaps), mostChanges)] {
		said = append(said, c.gapSaid(one))
	}
	if text := c.grown(); text != "" {
		said = append(said, text)
	}
	for _, kind := range []struct {
		fate fate
		key  string
	}{{appeared, "time.changed.appeared"}, {gone, "time.changed.gone"}} {
		var names []string
		for _, one := range c.of(kind.fate) {
			if !slices.Contains(names, one.group) {
				names = append(names, one.group)
			}
		}
		if len(names) > mostChanges {
			rest := c.w.Say("time.changed.others", len(names)-mostChanges)
			names = append(names[:mostChanges:mostChanges], rest)
		}
		if len(names) > 0 {
			said = append(said, c.w.Say(kind.key, c.list(names)))
		}
	}
	return said
}

// gapSaid says how a gap changed, and whether chance is a likely reason of it, then and now.
func (c *changes) gapSaid(one gapChange) string {
	key := "time.changed.gap"
	switch {
	case one.is.Clear && !one.was.Clear:
		key = "time.changed.gap.clear"
	case one.was.Clear && !one.is.Clear:
		key = "time.changed.gap.unclear"
	}
	return c.w.Say(key, one.Words.Title, one.group, one.against,
		c.DifferenceInWords(one.Measure, one.was.Difference, one.was.Interval),
		c.DifferenceInWords(one.Measure, one.is.Difference, one.is.Interval))
}

// grown says in how many rates more is counted than before, or less; "" where nothing is told.
func (c *changes) grown() string {
	more, less, same := 0, 0, 0
	for _, one := range c.scores {
		was, ok1 := one.was.Populations[measure.InitialPopulation]
		is, ok2 := one.is.Populations[measure.InitialPopulation]
		if !one.everybody || !ok1 || !ok2 {
			continue
		}
		switch {
		case is > was:
			more++
		case is < was:
			less++
		default:
			same++
		}
	}
	if more+less+same == 0 {
		return ""
	}
	return c.w.Say("time.changed.counts", c.N(float64(more)), c.N(float64(less)), c.N(float64(same)))
}

func (c *changes) notes() []string {
	notes := []string{c.w.Say("time.changed.data"), c.w.Say("time.changed.rule", c.Ninetyfive())}
	if c.open {
		notes = append(notes, c.w.Say("time.changed.open"))
	}
	if len(c.versions) > 0 {
		notes = append(notes, c.w.Say("time.changed.versions", c.list(slices.Compact(slices.Clone(c.versions)))))
	}
	if c.audience {
		notes = append(notes, c.w.Say("time.changed.audience"))
	}
	if slices.ContainsFunc(c.scores, func(o change) bool { return o.was.Suppressed || o.is.Suppressed }) {
		notes = append(notes, c.w.Say("time.hidden.note"))
	}
	return append(notes, c.w.Say("time.changed.no-chart"))
}

// changeTable has everybody of each rate, every score of which something is to be told, and the gaps.
func (t *Teller) changeTable(caption string, scores []change, gaps []gapChange) Table {
	out := Table{Caption: caption, Columns: []Column{{Title: t.w.Say("time.changed.measure")},
		{Title: t.w.Say("time.group")}, {Title: t.w.Say("time.changed.n-before"), Number: true},
		{Title: t.w.Say("time.changed.n-now"), Number: true},
		{Title: t.w.Say("time.changed.before"), Number: true},
		{Title: t.w.Say("time.changed.now"), Number: true}, {Title: t.w.Say("time.remark")}}}
	for _, one := range scores {
		if !one.everybody && (one.fate == stayed || one.fate == apart) {
			continue
		}
		row := TableRow{Cells: []Cell{{Text: one.Words.Title}, {Text: words.Capital(one.group)},
			t.countCell(one.was, one.fate == appeared), t.countCell(one.is, one.fate == gone),
			t.cellOf(one.Measure, one.was, one.fate == appeared),
			t.cellOf(one.Measure, one.is, one.fate == gone), {}}}
		switch one.fate {
		case moved:
			row.Kind, row.Cells[6].Text = KindSignal, t.w.Say("time.changed.moved")
		case appeared:
			row.Cells[6].Text = t.w.Say("time.changed.new")
		case gone:
			row.Cells[6].Text = t.w.Say("time.changed.left")
		case stayed, apart:
			row.Kind = KindAll
		}
		if one.was.Suppressed || one.is.Suppressed {
			row.Kind = KindSuppressed
		}
		out.Rows = append(out.Rows, row)
	}
	for _, one := range gaps {
		out.Rows = append(out.Rows, TableRow{Kind: KindSignal, Cells: []Cell{{Text: one.Words.Title},
			{Text: t.w.Say("time.changed.against", one.group, one.against)}, {}, {},
			{Text: t.DifferenceInWords(one.Measure, one.was.Difference, one.was.Interval)},
			{Text: t.DifferenceInWords(one.Measure, one.is.Difference, one.is.Interval)},
			{Text: t.w.Say("time.changed.moved")}}})
	}
	return out
}

// countCell is how many a cell counts; absent says that the group was not there at all.
func (t *Teller) countCell(c measure.Cell, absent bool) Cell {
	n, ok := c.Populations[measure.InitialPopulation]
	switch {
	case absent:
		return Cell{}
	case !ok && c.Suppressed:
		return Cell{Text: t.Suppressed()}
	case !ok:
		return Cell{Text: t.NoData()}
	}
	return Cell{Text: t.N(n)}
}

// cellOf is the score of a cell.
func (t *Teller) cellOf(m Measure, c measure.Cell, absent bool) Cell {
	switch {
	case absent:
		return Cell{}
	case c.Score != nil:
		return Cell{Text: t.ScoreInWords(m, *c.Score, c.Interval)}
	case c.Suppressed:
		return Cell{Text: t.Suppressed()}
	}
	return Cell{Text: t.NoData()}
}

// Fresh says how old the data of a snapshot are, and whether all of them were loaded. The names of
// sources are of the configuration. Why a load is not complete is told by the page of the runs.
func (t *Teller) Fresh(info facts.Info, now time.Time) []string {
	var said []string
	if info.DataAsOf.IsZero() {
		said = append(said, t.w.Say("time.fresh.none"))
	} else {
		days := int(math.Floor(now.Sub(info.DataAsOf).Hours() / 24))
		if days < 1 {
			said = append(said, t.w.Say("time.fresh.today", t.w.Moment(info.DataAsOf)))
		} else {
			said = append(said, t.w.Say("time.fresh.days", days, t.w.Moment(info.DataAsOf)))
		}
	}
	var lacking []string
	refused := int64(0)
	for _, l := range info.Loads {
		if !l.Complete {
			lacking = append(lacking, t.w.Say("time.fresh.load", t.w.Resource(l.Type), words.Plain(l.Source)))
		}
		refused += l.Refused
	}
	switch {
	case len(info.Loads) == 0:
		said = append(said, t.w.Say("time.fresh.no-loads"))
	case len(lacking) == 0:
		said = append(said, t.w.Say("time.fresh.complete"))
	default:
		said = append(said, t.w.Say("time.fresh.incomplete", t.list(lacking)))
	}
	if refused > 0 {
		said = append(said, t.w.Say("time.fresh.refused", refused))
	}
	if info.Orphans > 0 {
		said = append(said, t.w.Say("time.fresh.orphans", info.Orphans))
	}
	return said
}
