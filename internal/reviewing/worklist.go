package reviewing

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/facts"
)

// worklist is the page of the harm events that are to be reviewed.
func (p *Pages) worklist(v *room.Visit) (room.Show, error) {
	q, err := v.Query(append(filterParams(), paramState, paramAfter)...)
	if err != nil {
		return nil, err
	}
	f, err := readFilter(q)
	if err != nil {
		return nil, err
	}
	f.Limit = p.cfg.PerPage
	ctx := v.Context()
	found, err := p.cfg.Desk.Survey(ctx, f)
	moved := errors.Is(err, review.ErrCursor)
	if moved {
		f.After = ""
		found, err = p.cfg.Desk.Survey(ctx, f)
	}
	if err != nil {
		return nil, fmt.Errorf("list reviews: %w", err)
	}
	list, tally := found.List, found.Tally
	people, sites, err := p.people(v, list.Entries)
	if err != nil {
		return nil, err
	}
	t := tellerOf(v, sites)
	out := page.Worklist{
		Board: v.Board(t.Say("review.title"), ListPath), Says: t.rate(list, tally),
		States: t.states(v, q, list), Table: t.entries(v, list.Entries, people),
		Detection: t.ways(tally), Also: []page.Link{
			{Text: t.Say("review.clusters"), URL: v.To(ClustersPath, nil)},
			{Text: t.Say("review.codes"), URL: v.To(CodesPath, nil)},
		},
	}
	out.Lead, out.Form = t.Say("review.lead"), t.choices(v, q, ListPath, paramState)
	if moved {
		out.Notices = append(out.Notices, page.Notice{Tone: "note", Text: t.Say("review.moved")})
	}
	if len(list.Entries) == 0 {
		out.Nothing = t.Say("review.none")
	}
	if f.After != "" {
		out.First = page.Link{Text: t.Say("review.first"), URL: v.To(ListPath, without(q, paramAfter))}
	}
	if list.Next != "" {
		next := without(q, paramAfter)
		next.Set(paramAfter, list.Next)
		out.Next = page.Link{Text: t.Say("review.next"), URL: v.To(ListPath, next)}
	}
	if len(out.Detection.Rows) > 0 {
		out.Cautions = []string{t.Say("review.detection.apart"), t.Say("review.harm")}
	}
	out.Agreement = p.agreement(t, found.Agreement)
	return func(w http.ResponseWriter, r *http.Request) { p.cfg.Room.Pages().Worklist(w, r, out) }, nil
}

// people are the events of a page with who they happened to, by the ids of their reviews, and the names
// of all sites. Whoever sees a group of a patient is in the audit trail with that patient.
func (p *Pages) people(
	v *room.Visit, entries []review.Entry,
) (people map[string]facts.Event, sites map[string]string, err error) {
	people = map[string]facts.Event{}
	filter := facts.EventFilter{Keys: []facts.EventKey{}}
	for i := range entries {
		filter.Keys = append(filter.Keys, facts.EventKey(entries[i].Key))
	}
	err = p.cfg.Hold(func(events review.Events) error {
		sites = events.SiteLabels()
		found, err := events.Events(v.Context(), filter)
		if err != nil {
			return fmt.Errorf("read the events of a page: %w", err)
		}
		for i := range found {
			people[review.IDOf(review.Key(found[i].Key()))] = found[i]
			v.About(found[i].Patient)
		}
		return nil
	})
	return people, sites, err
}

// rate says of how many events somebody has asked, before anything else is said of the answers.
func (t *teller) rate(list review.List, tally review.Tally) []string {
	if tally.Events == 0 {
		return nil
	}
	share := t.Percent(float64(tally.Settled)/float64(tally.Events), 0)
	said := []string{t.Say("review.rate", tally.Events, t.Count(float64(tally.Events)),
		t.Count(float64(tally.Settled)), share)}
	if tally.Recorded > 0 {
		said = append(said, t.Say("review.recorded.some", tally.Recorded))
	}
	if list.Overdue > 0 {
		said = append(said, t.Say("review.overdue", list.Overdue))
	}
	if tally.Withdrawn > 0 {
		said = append(said, t.Say("review.withdrawn.some", tally.Withdrawn))
	}
	return said
}

// states lead to the reviews of each state.
func (t *teller) states(v *room.Visit, q url.Values, list review.List) []page.Count {
	rest, all := without(q, paramAfter, paramState), 0
	out := []page.Count{{}}
	for _, s := range review.States() {
		one := without(rest)
		one.Set(paramState, string(s))
		out = append(out, page.Count{
			Link: page.Link{
				Text: t.state(s), URL: v.To(ListPath, one), Current: q.Get(paramState) == string(s),
			},
			Number: t.Count(float64(list.States[s])),
		})
		all += list.States[s]
	}
	out[0] = page.Count{
		Link:   page.Link{Text: t.Say("review.all"), URL: v.To(ListPath, rest), Current: q.Get(paramState) == ""},
		Number: t.Count(float64(all)),
	}
	return out
}

// entries are the rows of the list.
func (t *teller) entries(v *room.Visit, all []review.Entry, people map[string]facts.Event) figure.Table {
	table := figure.Table{Caption: t.Say("review.caption")}
	for _, key := range []string{
		"review.col.date", "review.col.category", "review.col.severity", "review.col.site", "review.col.groups",
		"review.col.interpreter", "review.col.state", "review.col.due",
	} {
		table.Columns = append(table.Columns, figure.Column{Title: t.Say(key)})
	}
	for i := range all {
		table.Rows = append(table.Rows, t.entry(v, &all[i], people))
	}
	return table
}

func (t *teller) entry(v *room.Visit, e *review.Entry, people map[string]facts.Event) figure.TableRow {
	date := figure.Cell{Text: t.date(e.Event.Date), Href: v.To(ListPath+"/"+e.ID, nil)}
	if e.Event.Actuality == mapping.Potential {
		date.Note = t.Say("actuality.potential")
	}
	category := figure.Cell{Text: t.value("category", e.Event.Category)}
	if e.Withdrawn {
		category.Note = t.Say("review.withdrawn")
	}
	state := figure.Cell{Text: t.state(e.State)}
	if e.State == review.Settled {
		state.Note = t.answer(e.Answer)
	}
	due := figure.Cell{Text: "–"}
	if !e.Due.IsZero() {
		due.Text = t.midnight(e.Due)
	}
	if e.Overdue {
		due.Note = t.Say("review.late")
	}
	groups, interpreter := figure.Cell{Text: t.Say("review.stranger")}, figure.Cell{Text: "–"}
	if event, found := people[e.ID]; found && event.Known {
		groups.Text = t.short(event.Groups)
		interpreter.Text = t.value("need", event.Need)
		if event.Linked && event.Need == mapping.Yes {
			interpreter.Note = t.Label("use", string(event.Use))
		}
	}
	return figure.TableRow{Cells: []figure.Cell{
		date, category, {Text: t.value("severity", e.Event.Severity)},
		{Text: t.group(mapping.DimensionSite, e.Event.Site)}, groups, interpreter, state, due,
	}}
}

// short says the groups of a patient in few words.
func (t *teller) short(groups map[string]string) string {
	var said []string
	for _, dimension := range []string{
		mapping.DimensionRaceEthnicity, mapping.DimensionLanguage, mapping.DimensionAgeBand,
	} {
		if key := groups[dimension]; known(key) {
			said = append(said, t.group(dimension, key))
		} else {
			said = append(said, t.DimensionTitle(dimension)+": "+strings.ToLower(t.group(dimension, key)))
		}
	}
	return strings.Join(said, " · ")
}

// ways stand the ways of detection side by side. There is no row of all of them.
func (t *teller) ways(tally review.Tally) figure.Table {
	if tally.Settled == 0 {
		return figure.Table{}
	}
	table := figure.Table{
		Caption: t.Say("review.detection.caption"),
		Columns: []figure.Column{
			{Title: t.Say("review.detection")}, {Title: t.Say("review.col.settled"), Number: true},
		},
	}
	for _, c := range review.Answers() {
		table.Columns = append(table.Columns, figure.Column{Title: t.in(c.Display), Number: true})
	}
	table.Columns = append(table.Columns, figure.Column{Title: t.Say("review.col.factors")})
	for _, way := range tally.Ways {
		row := figure.TableRow{Cells: []figure.Cell{
			{Text: t.detection(way.Detection)}, {Text: t.Count(float64(way.Events))},
		}}
		for _, c := range review.Answers() {
			row.Cells = append(row.Cells, figure.Cell{Text: t.Count(float64(way.Answers[review.Answer(c.Code)]))})
		}
		var said []string
		for _, c := range review.Factors() {
			if n := way.Factors[review.Factor(c.Code)]; n > 0 {
				said = append(said, t.in(c.Display)+" "+t.Count(float64(n)))
			}
		}
		if len(said) == 0 {
			said = []string{"–"}
		}
		row.Cells = append(row.Cells, figure.Cell{Text: strings.Join(said, ", ")})
		table.Rows = append(table.Rows, row)
	}
	return table
}
