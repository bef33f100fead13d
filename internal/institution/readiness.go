package institution

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/decisions"
)

// paramDone says in an address what a form has just done.
const paramDone = "done"

// assessing is the page of an assessment while it is made.
type assessing struct {
	*words.Words
	visit  *room.Visit
	q      *readiness.Questionnaire
	period measure.Period
	// kept is the assessment as it was written, Assessment as the figures of data answer it.
	kept readiness.Assessment
	readiness.Assessment
	data readiness.Data
	out  page.Readiness
}

// readiness is the page of the self-assessment of a period.
func (p *Pages) readiness(v *room.Visit) (room.Show, error) {
	q, err := v.Query(paramPeriod, paramDone)
	if err != nil {
		return nil, err
	}
	a, err := p.assess(v, q)
	if err != nil {
		return nil, err
	}
	if done := q.Get(paramDone); slices.Contains(append(tasks(), doneNothing), done) {
		a.out.Notices = append(a.out.Notices, page.Notice{Tone: "note", Text: a.Label("readiness.did", done)})
	}
	return p.shown(a, nil, http.StatusOK), nil
}

// assess reads the assessment of the period of an address.
func (p *Pages) assess(v *room.Visit, q url.Values) (*assessing, error) {
	a := &assessing{Words: v.Words, visit: v, q: p.cfg.Register.Questionnaire()}
	var err error
	if a.period, _, err = periodOf(q.Get(paramPeriod), p.latest(v)); err != nil {
		return nil, err
	}
	if a.kept, err = p.cfg.Register.Of(v.Context(), a.period); err != nil {
		return nil, err
	}
	if a.data, err = p.cfg.Figures(v.Context(), a.period); err != nil {
		return nil, fmt.Errorf("ask what the data answer: %w", err)
	}
	a.Assessment = a.q.Lay(a.kept, readiness.FiguresOf(a.data))
	a.out.Board = v.Board(a.Say("readiness.title", a.Words.Period(a.period)), page.ReadinessPath)
	a.out.Lead = a.q.Purpose.In(a.language())
	return a, p.around(a)
}

// around is what a page shows beside the answers: other periods, the one before, the history.
func (p *Pages) around(a *assessing) error {
	ctx := a.visit.Context()
	all, err := p.cfg.Register.List(ctx)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.ID == a.ID {
			continue
		}
		if period, err := measure.ParsePeriod(other.Period); err == nil {
			a.out.Others = append(a.out.Others, page.Link{
				Text: a.Words.Period(period), URL: a.visit.To(page.ReadinessPath, url.Values{paramPeriod: {other.Period}}),
			})
		}
	}
	if a.Version > 0 {
		history, err := p.cfg.Register.History(ctx, a.ID)
		if err != nil {
			return err
		}
		a.history(history)
	}
	return p.changes(a)
}

// language is that of the reader, as the questionnaire names it.
func (a *assessing) language() string {
	base, _ := a.Tag().Base()
	return base.String()
}

// address is that of the page.
func (a *assessing) address(done string) string {
	return a.visit.To(page.ReadinessPath, url.Values{paramPeriod: {a.Assessment.Period}, paramDone: {done}})
}

// shown fills the page; with is what was sent before, if anything.
func (p *Pages) shown(a *assessing, with *sent, status int) room.Show {
	a.says()
	a.scores()
	a.open()
	for _, d := range a.q.Domains {
		a.out.Domains = append(a.out.Domains, a.domain(d, with))
	}
	a.plan()
	a.papers(with)
	if with != nil {
		faults := with.form.Faults(a.Words)
		title := a.Say("form.faults", len(faults))
		for i := range a.out.Domains {
			mark(a.out.Domains[i].Papers, with.paper(), title, faults)
		}
		mark(a.out.Papers, with.paper(), title, faults)
	}
	return func(w http.ResponseWriter, r *http.Request) { p.cfg.Room.Pages().Readiness(w, r, status, a.out) }
}

// mark writes down what is wrong with the form of an id.
func mark(papers []page.Paper, id, title string, faults []page.Fault) {
	for i := range papers {
		if papers[i].ID == id {
			papers[i].Folded = false
			papers[i].Mark(title, faults)
		}
	}
}

// says is where the assessment stands, and where its figures come from.
func (a *assessing) says() {
	key := "readiness.draft"
	snapshot, asOf := a.data.Snapshot, a.data.DataAsOf
	switch {
	case a.State == readiness.Final:
		key, snapshot, asOf = "readiness.final", a.Snapshot, a.DataAsOf
	case a.Version == 0:
		key = "readiness.new"
	}
	a.out.Says = []string{a.Say(key)}
	a.out.Form = &page.Form{
		Action: page.ReadinessPath, Fields: []page.Field{{
			Name: paramPeriod, Label: a.Say("choice.period"), Value: a.Assessment.Period,
			Help: a.Say("readiness.period.help"),
		}},
	}
	if lang := a.visit.Request.URL.Query().Get("lang"); lang != "" {
		a.out.Form.Hidden = []page.Term{{Name: "lang", Value: lang}}
	}
	add := func(key, value string) {
		if value != "" {
			a.out.Provenance = append(a.out.Provenance, page.Term{Name: a.Say(key), Value: value})
		}
	}
	if !asOf.IsZero() {
		add("board.asof", a.Moment(asOf))
	}
	add("board.snapshot", snapshot)
	add("readiness.questionnaire", words.Plain(a.Questionnaire))
	add("readiness.reopened", words.Prose(a.Reopened))
}

// level names a level; none where there is none.
func (a *assessing) level(l *readiness.Level, none string) string {
	if l == nil {
		return a.Say(none)
	}
	return a.q.Name(*l, a.language())
}

// scores are the levels by domain.
func (a *assessing) scores() {
	a.out.Scores = figure.Table{
		Caption: a.Say("readiness.scores.caption", a.Words.Period(a.period)),
		Columns: columns(a.Words, "readiness.domain", "readiness.answered", "readiness.lowest", "readiness.median"),
	}
	for i, s := range a.q.Score(a.Assessment) {
		a.out.Scores.Rows = append(a.out.Scores.Rows, figure.TableRow{Cells: []figure.Cell{
			{Text: a.q.Domains[i].Title.In(a.language()), Href: "#domain-" + s.Domain},
			{Text: a.Say("readiness.answered.of", s.Answered, s.Items)},
			{Text: a.level(s.Lowest, "readiness.no-level")}, {Text: a.level(s.Median, "readiness.no-level")},
		}})
	}
}

// columns are those of keys.
func columns(w *words.Words, keys ...string) []figure.Column {
	out := make([]figure.Column, len(keys))
	for i, key := range keys {
		out[i].Title = w.Say(key)
	}
	return out
}

// waiting are the items without a level that are for people, and those that the data cannot answer.
func (a *assessing) waiting() (people, data []readiness.Open) {
	for _, one := range a.q.Unanswered(a.Assessment) {
		if one.Missing == "" {
			people = append(people, one)
		} else {
			data = append(data, one)
		}
	}
	return people, data
}

// open says what is unanswered.
func (a *assessing) open() {
	people, data := a.waiting()
	for _, some := range []struct {
		key  string
		list []readiness.Open
	}{{"readiness.open.people", people}, {"readiness.open.data", data}} {
		if len(some.list) == 0 {
			continue
		}
		out := page.Unanswered{Says: a.Say(some.key, len(some.list))}
		for _, one := range some.list {
			item, _, _ := a.q.Item(one.Item)
			out.Items = append(out.Items, page.Link{Text: item.Asks.In(a.language()), URL: "#domain-" + one.Domain})
		}
		a.out.Open = append(a.out.Open, out)
	}
	if len(a.out.Open) == 0 {
		a.out.Open = []page.Unanswered{{Says: a.Say("readiness.open.none")}}
	}
}

// domain is one domain: what the data answer, what people answered, and the form.
func (a *assessing) domain(d readiness.Domain, with *sent) page.Domain {
	title := d.Title.In(a.language())
	out := page.Domain{ID: d.ID, Title: title, About: d.About.In(a.language())}
	keys := []string{"readiness.item", "readiness.level", "readiness.stands", "readiness.comment"}
	out.Data = figure.Table{Caption: a.Say("readiness.caption.data", title), Columns: columns(a.Words, keys...)}
	out.People = figure.Table{Caption: a.Say("readiness.caption.people", title), Columns: columns(a.Words, keys...)}
	for _, i := range d.Items {
		answer := a.Answers[i.ID]
		row := figure.TableRow{Cells: []figure.Cell{
			{Text: i.Asks.In(a.language())}, {Text: a.level(answer.Level, "readiness.unanswered")},
			{Text: words.Prose(a.q.Stands(i, answer, a.language()))}, {Text: words.Prose(answer.Comment)},
		}}
		if answer.Level == nil {
			row.Kind = figure.KindUnknown
		}
		if answer.By.Subject != "" {
			row.Cells[len(row.Cells)-1].Note = a.who(answer.By) + ", " + a.Moment(answer.At)
		}
		if i.FromData() {
			row.Cells[0].Note = i.Rule.Because.In(a.language())
			out.Data.Rows = append(out.Data.Rows, row)
		} else {
			out.People.Rows = append(out.People.Rows, row)
		}
	}
	if a.State != readiness.Final {
		out.Papers = []page.Paper{a.paper(d, with)}
	}
	return out
}

// who says somebody to their colleagues.
func (a *assessing) who(r review.Reviewer) string {
	name := words.Plain(cmp.Or(r.Name, r.Subject))
	if r.Subject == a.visit.Who().Subject {
		return a.Say("review.you", name)
	}
	return name
}

// history are the versions, the newest first.
func (a *assessing) history(all []readiness.Assessment) {
	a.out.History = figure.Table{
		Caption: a.Say("readiness.history.caption"),
		Columns: columns(a.Words, "readiness.version", "readiness.when", "readiness.who", "readiness.state"),
	}
	for _, one := range slices.Backward(all) {
		state := figure.Cell{Text: a.Label("readiness.state", string(one.State))}
		if one.State == readiness.Draft {
			state.Note = words.Prose(one.Reopened)
		}
		a.out.History.Rows = append(a.out.History.Rows, figure.TableRow{Cells: []figure.Cell{
			{Text: strconv.Itoa(one.Version)}, {Text: a.Moment(one.At)}, {Text: a.who(one.By)}, state,
		}})
	}
}

// changes holds the assessment against that of the period before.
func (p *Pages) changes(a *assessing) error {
	before, err := p.cfg.Register.Before(a.visit.Context(), a.Assessment)
	if errors.Is(err, decisions.ErrNotFound) {
		a.out.ChangesSay = []string{a.Say("readiness.changes.none")}
		return nil
	}
	if err != nil {
		return err
	}
	period, err := measure.ParsePeriod(before.Period)
	if err != nil {
		return fmt.Errorf("read the period before: %w", err)
	}
	name := a.Words.Period(period)
	if before.State == readiness.Draft {
		data, err := p.cfg.Figures(a.visit.Context(), period)
		if err != nil {
			return fmt.Errorf("ask what the data answer: %w", err)
		}
		before = a.q.Lay(before, readiness.FiguresOf(data))
	}
	all, ok := a.q.Compare(before, a.Assessment)
	if !ok {
		a.out.ChangesSay = []string{
			a.Say("readiness.changes.apart", words.Plain(before.Questionnaire), words.Plain(a.Questionnaire)),
		}
		return nil
	}
	a.compared(all, name)
	if before.State == readiness.Draft {
		a.out.ChangesSay = append(a.out.ChangesSay, a.Say("readiness.changes.draft", name))
	}
	return nil
}

// compared lists the items whose level is another one than before.
func (a *assessing) compared(all []readiness.Change, name string) {
	count := map[readiness.Kind]int{}
	a.out.Changes = figure.Table{
		Caption: a.Say("readiness.changes.caption", name),
		Columns: columns(a.Words, "readiness.item", "readiness.change.before", "readiness.change.now", "readiness.change"),
	}
	for _, c := range all {
		count[c.Kind]++
		if c.Kind == readiness.Same || c.Kind == readiness.Neither {
			continue
		}
		item, _, _ := a.q.Item(c.Item)
		a.out.Changes.Rows = append(a.out.Changes.Rows, figure.TableRow{Cells: []figure.Cell{
			{Text: item.Asks.In(a.language()), Href: "#domain-" + c.Domain},
			{Text: a.level(c.Before, "readiness.no-level")}, {Text: a.level(c.Now, "readiness.no-level")},
			{Text: a.Label("readiness.change", string(c.Kind))},
		}})
	}
	a.out.ChangesSay = []string{
		a.Say("readiness.changes.said", name, count[readiness.Rose], count[readiness.Fell], count[readiness.Same]),
	}
}
