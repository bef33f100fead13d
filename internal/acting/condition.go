package acting

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/decisions"
)

// The fields of the forms of conditions, and what those ask for.
const (
	fieldName = "name"
	fieldSite = "site"
	fieldEnd  = "end"

	taskDeclare  = "declare"
	taskEnd      = "end"
	taskWithdraw = "withdraw"
)

// declared is the page of conditions while it is made.
type declared struct {
	*teller
	all []action.Condition
	out page.Conditions
}

// conditions is the page of declared conditions.
func (p *Pages) conditions(v *room.Visit) (room.Show, error) {
	q, err := v.Query(paramDone, paramMeasure, paramRate, paramBy, paramPeriod)
	if err != nil {
		return nil, err
	}
	d, err := p.declared(v)
	if err != nil {
		return nil, err
	}
	if done := q.Get(paramDone); slices.Contains([]string{taskDeclare, taskEnd, taskWithdraw}, done) {
		d.out.Notices = append(d.out.Notices, page.Notice{Tone: "note", Text: d.Label("condition.did", done)})
	}
	if err := p.insideOutside(v, d, q); err != nil {
		return nil, err
	}
	d.papers(action.Condition{Start: v.Now.Format(time.DateOnly)})
	return d.shown(p, http.StatusOK), nil
}

// declared reads the conditions that there are.
func (p *Pages) declared(v *room.Visit) (*declared, error) {
	t, err := p.teller(v)
	if err != nil {
		return nil, err
	}
	all, err := p.cfg.Register.Conditions(v.Context())
	if err != nil {
		return nil, err
	}
	d := &declared{teller: t, all: all}
	d.out.Board = v.Board(t.Say("condition.title"), "")
	d.out.Lead, d.out.Crumbs = t.Say("condition.lead"), t.crumbs()
	d.table()
	return d, nil
}

// table lists the conditions.
func (d *declared) table() {
	if len(d.all) == 0 {
		d.out.Nothing = d.Say("condition.none")
		return
	}
	d.out.Table = figure.Table{Caption: d.Say("condition.declared")}
	for _, key := range []string{"condition.name", "condition.site", "condition.start", "condition.end"} {
		d.out.Table.Columns = append(d.out.Table.Columns, figure.Column{Title: d.Say(key)})
	}
	for _, c := range d.all {
		end := d.Say("condition.goes")
		if c.End != "" {
			end = d.day(c.End)
		}
		d.out.Table.Rows = append(d.out.Table.Rows, figure.TableRow{Cells: []figure.Cell{
			{Text: words.Plain(c.Name)}, {Text: d.place(c)}, {Text: d.day(c.Start)}, {Text: end},
		}})
	}
}

// place is where a condition holds.
func (d *declared) place(c action.Condition) string {
	if c.Site == "" {
		return d.Say("condition.everywhere")
	}
	return d.group(mapping.DimensionSite, c.Site)
}

// papers are the forms: one declares a condition, and one for each that goes on ends it.
func (d *declared) papers(with action.Condition) {
	site := page.Ask{Kind: page.AskPick, Name: fieldSite, Label: d.Say("condition.site")}
	site.Options = []page.Offer{{Label: d.Say("condition.everywhere"), Chosen: with.Site == ""}}
	for code := range d.sites {
		site.Options = append(site.Options, page.Offer{
			Value: code, Label: d.group(mapping.DimensionSite, code), Chosen: code == with.Site,
		})
	}
	slices.SortFunc(site.Options[1:], func(a, b page.Offer) int { return strings.Compare(a.Label, b.Label) })
	d.out.Papers = []page.Paper{{
		ID: taskDeclare, Title: d.Label("condition.paper", taskDeclare), Says: []string{d.Say("condition.says")},
		Action: d.visit.To(ConditionsPath, nil), Submit: d.Label("condition.submit", taskDeclare),
		Folded: len(d.all) > 0,
		Asks: []page.Ask{
			{Kind: page.AskText, Name: fieldName, Label: d.Say("condition.name"), Help: d.Say("condition.name.help"),
				Value: with.Name, Needed: true},
			site,
			{Kind: page.AskDay, Name: fieldStart, Label: d.Say("condition.start"), Value: with.Start, Needed: true},
			{Kind: page.AskDay, Name: fieldEnd, Label: d.Say("condition.end"), Help: d.Say("condition.end.help"), Value: with.End},
		},
	}}
	for _, c := range d.all {
		paper := page.Paper{
			ID: "c" + c.ID, Title: d.Say("condition.change", words.Plain(c.Name), d.day(c.Start)),
			Action: d.visit.To(ConditionsPath+"/"+c.ID, nil), Submit: d.Say("condition.submit.change"), Folded: true,
			Hidden: []page.Term{{Name: fieldVersion, Value: strconv.Itoa(c.Version)}},
			Asks: []page.Ask{
				{Kind: page.AskOne, Name: fieldTask, Label: d.Say("condition.task"), Needed: true, Options: []page.Offer{
					{Value: taskEnd, Label: d.Label("condition.task", taskEnd), Chosen: true},
					{Value: taskWithdraw, Label: d.Label("condition.task", taskWithdraw)},
				}},
				{Kind: page.AskDay, Name: fieldEnd, Label: d.Say("condition.end"), Value: c.End},
			},
		}
		d.out.Papers = append(d.out.Papers, paper)
	}
}

func (d *declared) shown(p *Pages, status int) room.Show {
	return func(w http.ResponseWriter, r *http.Request) { p.cfg.Room.Pages().Conditions(w, r, status, d.out) }
}

// declare writes a condition down.
func (p *Pages) declare(v *room.Visit) (room.Show, error) {
	if _, err := v.Query(paramDone); err != nil {
		return nil, err
	}
	form, err := v.Form(fieldName, fieldSite, fieldStart, fieldEnd)
	if err != nil {
		return nil, err
	}
	d, err := p.declared(v)
	if err != nil {
		return nil, err
	}
	var sites []string
	for code := range d.sites {
		sites = append(sites, code)
	}
	const most = 200
	c := action.Condition{
		Name: form.Text(fieldName, most, true), Site: form.Choice(fieldSite, sites, false),
		Start: form.Day(fieldStart, true), End: form.Day(fieldEnd, false),
	}
	deed := room.Deed{Code: "condition-declare", Display: "condition: declare"}
	v.Did(deed)
	if !form.Faulty() {
		saved, err := p.cfg.Register.SaveCondition(v.Context(), c, v.Who())
		if err == nil {
			deed.Resource, deed.Version = "Flag/"+saved.ID, saved.Version
			v.Did(deed)
			return room.See(v.To(ConditionsPath, url.Values{paramDone: {taskDeclare}}) + "#content"), nil
		}
		err = invalid(form, err, map[string]string{
			"name": fieldName, "site": fieldSite, "start": fieldStart, "end": fieldEnd,
		})
		if err != nil {
			return nil, err
		}
	}
	v.Refused("the form is not complete")
	d.papers(c)
	d.out.Papers[0].Folded = false
	mark(d.out.Papers[:1], form, d.teller)
	return d.shown(p, http.StatusUnprocessableEntity), nil
}

// changed leads back to the list those who come to the address of a change, where there is no page: who
// had to sign in first, or looks at a conflict again.
func (p *Pages) changed(v *room.Visit) (room.Show, error) {
	if _, err := v.Query(); err != nil {
		return nil, err
	}
	return room.See(v.To(ConditionsPath, nil)), nil
}

// end ends a condition, or takes it back.
func (p *Pages) end(v *room.Visit) (room.Show, error) {
	if _, err := v.Query(); err != nil {
		return nil, err
	}
	id := v.Path(idName)
	form, err := v.Form(fieldTask, fieldVersion, fieldEnd)
	if err != nil {
		return nil, err
	}
	version, err := form.Version(fieldVersion)
	if err != nil {
		return nil, err
	}
	task := form.Choice(fieldTask, []string{taskEnd, taskWithdraw}, true)
	if task == "" {
		return nil, &room.InputError{Field: fieldTask, Why: "want " + taskEnd + " or " + taskWithdraw}
	}
	last := form.Day(fieldEnd, task == taskEnd)
	deed := room.Deed{Code: "condition-" + task, Display: "condition: " + task, Resource: "Flag/" + id}
	v.Did(deed)
	status, refused, notice := http.StatusUnprocessableEntity, "the form is not complete", ""
	if !form.Faulty() {
		var saved action.Condition
		if task == taskWithdraw {
			saved, err = p.cfg.Register.WithdrawCondition(v.Context(), id, version, v.Who())
		} else {
			saved, err = p.cfg.Register.EndCondition(v.Context(), id, version, last, v.Who())
		}
		if err == nil {
			deed.Version = saved.Version
			v.Did(deed)
			return room.See(v.To(ConditionsPath, url.Values{paramDone: {task}}) + "#content"), nil
		}
		if errors.Is(err, decisions.ErrConflict) {
			status, refused, notice = http.StatusConflict, "somebody else was faster", "condition.overtaken"
		} else if err := invalid(form, err, map[string]string{"end": fieldEnd}); err != nil {
			return nil, fmt.Errorf("change a condition: %w", err)
		}
	}
	d, err := p.declared(v)
	if err != nil {
		return nil, err
	}
	v.Refused(refused)
	if notice != "" {
		d.out.Notices = append(d.out.Notices, page.Notice{Tone: "act", Text: d.Say(notice)})
	}
	d.papers(action.Condition{})
	d.sent(id, task, last, form)
	return d.shown(p, status), nil
}

// sent puts what a reader sent into the form of a condition, with what is wrong with it. The version in it
// is that of now.
func (d *declared) sent(id, task, last string, form *room.Form) {
	for i := range d.out.Papers {
		paper := &d.out.Papers[i]
		if paper.ID != "c"+id {
			continue
		}
		paper.Folded = false
		for k := range paper.Asks {
			ask := &paper.Asks[k]
			if ask.Name == fieldEnd {
				ask.Value = last
			}
			for o := range ask.Options {
				ask.Options[o].Chosen = ask.Options[o].Value == task
			}
		}
		mark(d.out.Papers[i:i+1], form, d.teller)
	}
}
