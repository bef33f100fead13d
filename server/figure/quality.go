package figure

import (
	"math"
	"strings"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/words"
)

// Data says of which data a figure about the data themselves is. Where says in words of which source and
// site; empty is all of them.
type Data struct {
	Where    string
	Snapshot string
	AsOf     time.Time
}

// OnRecord counts the people of a part of the data by what is known of one field. Everybody is in one
// state.
type OnRecord struct {
	Label  string
	Counts map[mapping.State]int64
	// All says that the row is all of the others together.
	All bool
}

func (o OnRecord) record() record {
	out := newRecord(words.Plain(o.Label))
	for state, n := range o.Counts {
		out.counts[state] += float64(n)
		out.total += float64(n)
	}
	return out
}

// OnRecord is how much is on record in several parts of the data, or of several fields: head names what
// the rows are. Whoever reads it is inside: nothing is suppressed.
func (t *Teller) OnRecord(id, title, head string, rows []OnRecord, of Data) Figure {
	f := Figure{ID: id, Title: title}
	records := make([]record, len(rows))
	worst, parts := -1, 0
	for i, row := range rows {
		records[i] = row.record()
		if row.All {
			continue
		}
		parts++
		if one := records[i]; one.total > 0 &&
			(worst < 0 || one.onRecord()/one.total < records[worst].onRecord()/records[worst].total) {
			worst = i
		}
	}
	f.Table = t.recordTable(title, records, head)
	for i, row := range rows {
		if row.All {
			f.Table.Rows[i].Kind = KindAll
		}
	}
	if worst < 0 {
		f.Sentences = []string{t.w.Say("quality.record.nobody")}
		return f
	}
	if one := records[worst]; parts > 1 {
		f.Sentences = append(f.Sentences, t.w.Say("quality.record.least", one.label,
			t.OfHundred(one.onRecord()/one.total), t.counted(measure.PatientUnit, one.total)))
	}
	f.Sentences = append(f.Sentences, t.recordSentence(records[worst], Measure{Unit: measure.PatientUnit}))
	f.Notes = []string{t.w.Say("time.complete.declined"), t.w.Say("time.complete.unusable"),
		t.w.Say("quality.record.add")}
	f.Chart = t.onRecordChart(f, records, of)
	return f
}

func (t *Teller) onRecordChart(f Figure, records []record, of Data) chart.Chart {
	where := of.Where
	if where == "" {
		where = t.w.Say("quality.everywhere")
	}
	c := chart.Completeness{
		Meta: chart.Meta{
			Title: f.Title, Subtitle: words.Plain(where), Description: strings.Join(f.Sentences, " "),
			Lang:   t.language(),
			Source: t.w.Say("quality.source", t.w.DayOf(of.AsOf), words.Plain(of.Snapshot)),
			Empty:  t.w.Say("figure.empty"),
		},
		Suppressed: t.Suppressed(), NoData: t.NoData(),
		Format: func(v float64) string { return t.w.Percent(v, 1) },
	}
	for _, p := range partsOfABar() {
		c.Parts = append(c.Parts, t.w.Say(p.key))
	}
	for _, one := range records {
		row := chart.BarRow{Label: one.label, Text: t.recordSentence(one, Measure{Unit: measure.PatientUnit})}
		if one.total == 0 {
			row.State = chart.NoData
		} else {
			row.Note = t.w.Say("figure.n", t.N(one.total))
			for _, p := range partsOfABar() {
				row.Shares = append(row.Shares, one.of(p.states...)/one.total)
			}
		}
		c.Rows = append(c.Rows, row)
	}
	return c
}

// Whole says in a sentence or two how good the data are as a whole: of how many people which answers are
// on record, and how many codes nobody has translated yet. The rows are fields, of the same people.
func (t *Teller) Whole(fields []OnRecord, codes int) []string {
	var parts []string
	people := 0.0
	for _, field := range fields {
		one := field.record()
		if one.total == 0 {
			continue
		}
		people = math.Max(people, one.total)
		parts = append(parts, t.w.Say("quality.whole.field", t.OfHundred(one.onRecord()/one.total), one.label))
	}
	if people == 0 {
		return []string{t.w.Say("quality.record.nobody")}
	}
	said := []string{t.w.Say("quality.whole", t.counted(measure.PatientUnit, people), t.list(parts))}
	if codes == 0 {
		return append(said, t.w.Say("quality.whole.mapped"))
	}
	return append(said, t.w.Say("quality.whole.codes", codes, t.w.Count(float64(codes))))
}

// Calls is what each state of a field calls for: a table of every state with what it means and what is
// done about it. Declined is an answer and no fault.
func (t *Teller) Calls() Table {
	out := Table{Caption: t.w.Say("quality.calls"), Columns: []Column{
		{Title: t.w.Say("quality.state")}, {Title: t.w.Say("quality.means")}, {Title: t.w.Say("quality.do")},
	}}
	for _, s := range mapping.States() {
		out.Rows = append(out.Rows, TableRow{Cells: []Cell{
			{Text: words.Capital(t.state(s))}, {Text: t.w.Label("quality.state", string(s))},
			{Text: t.w.Label("quality.do", string(s))},
		}})
	}
	return out
}
