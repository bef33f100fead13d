package acting

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// The parameters of the list.
const (
	paramState   = "state"
	paramMeasure = "measure"
	paramOwner   = "owner"
)

// list is the page of all actions, with what asks for attention first.
func (p *Pages) list(v *room.Visit) (room.Show, error) {
	q, err := v.Query(paramState, paramMeasure, paramOwner)
	if err != nil {
		return nil, err
	}
	state := action.State(q.Get(paramState))
	if state != "" && !slices.Contains(action.States(), state) {
		return nil, &room.InputError{Field: paramState, Why: fmt.Sprintf("want one of %v", action.States())}
	}
	t, err := p.teller(v)
	if err != nil {
		return nil, err
	}
	all, err := p.cfg.Register.List(v.Context(), action.Filter{
		Measure: q.Get(paramMeasure), Owner: q.Get(paramOwner),
	})
	if err != nil {
		return nil, fmt.Errorf("list actions: %w", err)
	}
	out := page.Actions{
		Board: v.Board(t.Say("board.actions"), ListPath), States: t.states(q, all),
		Begin: page.Link{Text: t.Say("action.begin"), URL: v.To(NewPath, nil)},
		Also:  []page.Link{{Text: t.Say("condition.title"), URL: v.To(ConditionsPath, nil)}},
	}
	out.Lead = t.Say("action.lead")
	out.Says = t.rate(all)
	for i := range all {
		a := &all[i]
		if reasons := a.Reasons(v.Now); len(reasons) > 0 {
			tone, why := t.why(reasons, a)
			out.Reminders = append(out.Reminders, page.Reminder{
				Tone: tone, Link: page.Link{Text: words.Plain(a.Title), URL: t.one(a.ID)}, Why: why,
			})
		}
	}
	shown := slices.DeleteFunc(all, func(a action.Action) bool { return state != "" && a.State != state })
	if len(shown) == 0 {
		out.Nothing = t.Say("action.none")
	}
	out.Table = t.table(shown)
	return func(w http.ResponseWriter, r *http.Request) { p.cfg.Room.Pages().Actions(w, r, out) }, nil
}

// rate says how many are over, and with which result.
func (t *teller) rate(all []action.Action) []string {
	closed, reduced := 0, 0
	for i := range all {
		if all[i].Result != nil && all[i].Closed() {
			closed++
			if all[i].Result.Outcome == action.Reduced {
				reduced++
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return []string{t.Say("action.rate", len(all), closed, reduced)}
}

// states lead to the actions of each state.
func (t *teller) states(q url.Values, all []action.Action) []page.Count {
	link := func(state, text string, n int) page.Count {
		rest := url.Values{paramMeasure: q[paramMeasure], paramOwner: q[paramOwner], paramState: {state}}
		return page.Count{Number: t.Count(float64(n)), Link: page.Link{
			Text: text, URL: t.visit.To(ListPath, rest), Current: q.Get(paramState) == state,
		}}
	}
	out := []page.Count{link("", t.Say("action.all"), len(all))}
	for _, s := range action.States() {
		n := 0
		for i := range all {
			if all[i].State == s {
				n++
			}
		}
		out = append(out, link(string(s), t.Label("action.state", string(s)), n))
	}
	return out
}

// table are the rows of the list.
func (t *teller) table(all []action.Action) figure.Table {
	table := figure.Table{Caption: t.Say("action.caption")}
	for _, key := range []string{
		"action.title", "action.aim", "action.cause", "action.owner", "action.due", "action.state",
	} {
		table.Columns = append(table.Columns, figure.Column{Title: t.Say(key)})
	}
	for i := range all {
		a := &all[i]
		state := figure.Cell{Text: t.Label("action.state", string(a.State))}
		if a.Result != nil {
			state.Note = t.Label("action.outcome", string(a.Result.Outcome))
		}
		table.Rows = append(table.Rows, figure.TableRow{Cells: []figure.Cell{
			{Text: words.Plain(a.Title), Href: t.one(a.ID)},
			{Text: t.measure(a.Aim.Measure, a.Aim.Rate), Note: t.groups(a.Aim)},
			{Text: t.cause(a.Cause)}, {Text: words.Plain(a.Owner)}, {Text: t.day(a.Due)}, state,
		}})
	}
	return table
}

// factorCodes are the root causes, in the order of their table.
func factorCodes() []string {
	var out []string
	for _, c := range review.Factors() {
		out = append(out, c.Code)
	}
	return out
}
