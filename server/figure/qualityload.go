package figure

import (
	"cmp"
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/facts"
)

// Site names a site by its key, as facts counts it: an id that is looked up, or the state in which it is.
func (t *Teller) Site(key string, names map[string]string) string {
	v := facts.ValueOf(key)
	if v.State != mapping.Known {
		return t.named(mapping.DimensionSite, "", string(v.State), "")
	}
	return words.Plain(cmp.Or(names[v.Code], v.Code))
}

// looseEnds are the loose ends in the order in which they are told.
func looseEnds() []facts.LooseEnd {
	return []facts.LooseEnd{facts.Orphan, facts.Undated, facts.Unlinked, facts.MergedAway}
}

// Loose lists what is seen otherwise than one might think, by source and site, with what that means.
func (t *Teller) Loose(ends []facts.Loose, sites map[string]string) Figure {
	f := Figure{ID: "loose", Title: t.w.Say("quality.loose")}
	f.Table = Table{Caption: t.w.Say("quality.loose.caption"), Columns: []Column{
		{Title: t.w.Say("quality.what")}, {Title: t.w.Say("quality.source.name")}, {Title: t.w.Say("quality.site")},
		{Title: t.w.Say("quality.count"), Number: true},
	}}
	ends = slices.Clone(ends)
	order := looseEnds()
	slices.SortStableFunc(ends, func(a, b facts.Loose) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.What), slices.Index(order, b.What)),
			cmp.Compare(a.Type, b.Type), cmp.Compare(b.Count, a.Count))
	})
	totals := map[string]int64{}
	var kinds []string
	for _, e := range ends {
		kind := string(e.What) + "." + e.Type
		if totals[kind] == 0 {
			kinds = append(kinds, kind)
		}
		totals[kind] += e.Count
		f.Table.Rows = append(f.Table.Rows, TableRow{Cells: []Cell{
			{Text: t.w.Label("quality.end", kind)}, {Text: words.Plain(e.Source)},
			{Text: t.Site(e.Site, sites)}, {Text: t.w.Count(float64(e.Count))},
		}})
	}
	for _, kind := range kinds {
		n := totals[kind]
		key := "quality.end.says." + kind
		if t.w.Has(key) {
			f.Sentences = append(f.Sentences, t.w.Say(key, int(n), t.w.Count(float64(n))))
		}
	}
	if len(ends) == 0 {
		f.Sentences = []string{t.w.Say("quality.loose.none")}
	}
	return f
}

// Loads lists what was loaded of each kind from each source.
func (t *Teller) Loads(loads []facts.Load) Figure {
	f := Figure{ID: "loads", Title: t.w.Say("quality.loads")}
	number := func(key string) Column { return Column{Title: t.w.Say(key), Number: true} }
	f.Table = Table{Caption: t.w.Say("quality.loads.caption"), Columns: []Column{
		{Title: t.w.Say("quality.source.name")}, {Title: t.w.Say("quality.load.kind")},
		{Title: t.w.Say("quality.load.complete")}, {Title: t.w.Say("quality.load.asof")},
		{Title: t.w.Say("quality.load.mode")}, number("quality.load.read"), number("quality.load.refused"),
		number("quality.load.stored"), number("quality.load.deleted"),
	}}
	lacking := 0
	for _, l := range loads {
		mode, complete := "quality.load.increment", Cell{Text: t.w.Say("quality.load.yes")}
		if l.Full {
			mode = "quality.load.full"
		}
		row := TableRow{}
		if !l.Complete {
			complete = Cell{Text: t.w.Say("quality.load.no"), Note: words.Prose(l.Reason)}
			row.Kind = KindSignal
			lacking++
		}
		asOf := Cell{Text: t.w.Moment(l.TransactionTime)}
		if l.TransactionTime.IsZero() {
			asOf.Text = t.NoData()
		}
		row.Cells = []Cell{{Text: words.Plain(l.Source)}, {Text: words.Capital(t.w.Resource(l.Type))}, complete,
			asOf, {Text: t.w.Say(mode)}}
		for _, n := range []int64{l.Read, l.Refused, l.Stored, l.Deleted} {
			row.Cells = append(row.Cells, Cell{Text: t.w.Count(float64(n))})
		}
		f.Table.Rows = append(f.Table.Rows, row)
	}
	switch {
	case len(loads) == 0:
		f.Sentences = []string{t.w.Say("quality.loads.none")}
	case lacking == 0:
		f.Sentences = []string{t.w.Say("quality.loads.complete")}
	default:
		f.Sentences = []string{t.w.Say("quality.loads.lacking", lacking, t.w.Count(float64(lacking)))}
	}
	f.Notes = []string{t.w.Say("quality.loads.note")}
	return f
}

// Published is what of completeness is made public: of each field the share of people with an answer on
// record, from the result of a measure that counts it by rates. A share that is suppressed is said to be.
func (t *Teller) Published(r measure.Result, rates []Measure) Figure {
	f := Figure{ID: "published", Title: t.w.Say("quality.record")}
	f.Table = Table{Caption: f.Title, Columns: []Column{
		{Title: t.w.Say("time.complete.field")}, {Title: t.w.Say("time.complete.answer"), Number: true},
	}}
	for i, g := range r.Groups {
		if i >= len(rates) {
			break
		}
		row := TableRow{Cells: []Cell{{Text: rates[i].Words.Title}, {Text: t.NoData()}}}
		switch {
		case g.Suppressed:
			row.Cells[1].Text, row.Kind = t.Suppressed(), KindSuppressed
		case g.Score != nil:
			row.Cells[1].Text = t.OfHundred(*g.Score)
			f.Sentences = append(f.Sentences, t.In(r.Period, t.Reading(rates[i], *g.Score, nil)+"."))
		}
		f.Table.Rows = append(f.Table.Rows, row)
	}
	f.Notes = append([]string{t.w.Say("time.complete.declined")}, t.incomplete(r.Incomplete)...)
	return f
}
