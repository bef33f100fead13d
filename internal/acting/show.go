package acting

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/decisions"
)

// paramDone says in an address what a form has just done.
const paramDone = "done"

// The fields of the forms of one action, and what they ask for. Each task is the id of its section too.
const (
	fieldTask    = "task"
	fieldVersion = "version"
	fieldOutcome = "outcome"
	fieldSummary = "summary"

	taskStart  = "start"
	taskClose  = "close"
	taskReopen = "reopen"
	taskLook   = "look"
	taskSave   = "save"
)

func tasks() []string { return []string{taskStart, taskClose, taskReopen, taskLook} }

// one is the page of an action while it is made.
type one struct {
	*teller
	action.Action
	out page.Action
}

// show is the page of one action.
func (p *Pages) show(v *room.Visit) (room.Show, error) {
	q, err := v.Query(paramDone)
	if err != nil {
		return nil, err
	}
	o, err := p.look(v)
	if err != nil {
		return nil, err
	}
	if done := q.Get(paramDone); slices.Contains(append(tasks(), taskSave), done) {
		o.out.Notices = append(o.out.Notices, page.Notice{Tone: "note", Text: o.Label("action.did", done)})
	}
	o.papers(nil)
	return o.shown(p, http.StatusOK), nil
}

// look reads the action that a path names.
func (p *Pages) look(v *room.Visit) (*one, error) {
	found, err := p.cfg.Register.Get(v.Context(), v.Path(idName))
	if err != nil {
		return nil, err
	}
	history, err := p.cfg.Register.History(v.Context(), found.ID)
	if err != nil {
		return nil, err
	}
	t, err := p.teller(v)
	if err != nil {
		return nil, err
	}
	o := &one{teller: t, Action: found}
	o.out = page.Action{Board: v.Board(words.Plain(found.Title), ""), What: found.What}
	o.out.Crumbs = t.crumbs()
	if reasons := found.Reasons(v.Now); len(reasons) > 0 {
		tone, why := t.why(reasons, &found)
		o.out.Reminders = append(o.out.Reminders, page.Notice{Tone: tone, Text: why})
	}
	o.out.Facts = t.facts(&found)
	o.came()
	o.leads()
	o.history(history)
	return o, nil
}

// facts are what an action is, without what people wrote at length.
func (t *teller) facts(a *action.Action) []page.Known {
	state := page.Known{Name: t.Say("action.state"), Value: t.Label("action.state", string(a.State))}
	out := []page.Known{
		state,
		{Name: t.Say("action.measure"), Value: t.measure(a.Aim.Measure, a.Aim.Rate)},
		{Name: t.DimensionTitle(a.Aim.Dimension), Value: t.groups(a.Aim)},
		{Name: t.Say("choice.reference"), Value: t.reference(a.Aim)},
	}
	if len(a.Aim.Sites) > 0 {
		sites := ""
		for i, code := range a.Aim.Sites {
			if i > 0 {
				sites += "; "
			}
			sites += t.group("site", code)
		}
		out = append(out, page.Known{Name: t.Say("action.sites"), Value: sites})
	}
	if a.Aim.Target != nil {
		out = append(out, page.Known{
			Name: t.Say("action.target"), Value: t.score(a.Aim.Measure, a.Aim.Rate, *a.Aim.Target),
		})
	}
	return append(out,
		page.Known{Name: t.Say("action.cause"), Value: t.cause(a.Cause)},
		page.Known{Name: t.Say("action.owner"), Value: words.Plain(a.Owner)},
		page.Known{Name: t.Say("action.start"), Value: t.day(a.Start)},
		page.Known{Name: t.Say("action.due"), Value: t.day(a.Due)},
		page.Known{Name: t.Say("action.finding"), Value: t.finding(a.Finding)},
	)
}

// finding says what an action answers.
func (t *teller) finding(f action.Finding) string {
	if f.Kind == action.Cluster {
		return t.Say("action.finding.cluster", len(f.Reviews))
	}
	if f.Period == "" {
		return t.Label("action.finding", string(f.Kind))
	}
	return t.Say("action.finding.in", t.Label("action.finding", string(f.Kind)), words.Plain(f.Period))
}

// came says what came of an action that is over.
func (o *one) came() {
	r := o.Result
	if r == nil {
		return
	}
	o.out.Came = &page.Came{
		Says: []string{
			o.Label("action.outcome", string(r.Outcome)),
			o.Say("action.closed", o.who(r.By), o.Moment(r.At)), o.Say("action.outcome.note"),
		},
		Evidence: r.Summary,
	}
}

// leads go to what is known of the action besides.
func (o *one) leads() {
	to := func(key, path string, q url.Values) {
		o.out.Leads = append(o.out.Leads, page.Link{Text: o.Say(key), URL: o.visit.To(path, q)})
	}
	to("action.effect", ListPath+"/"+o.ID+"/effect", nil)
	if o.visit.May(figures) {
		to("action.figure", page.DefinitionsPath+"/"+o.Aim.Measure, url.Values{
			"by": {o.Aim.Dimension}, "group": {o.Aim.Groups[0]}, "rate": {o.Aim.Rate},
			"reference": {o.Aim.Reference}, "period": {o.Finding.Period},
		})
	}
	if !o.Closed() {
		to("action.edit", ListPath+"/"+o.ID+"/edit", nil)
	}
	if o.visit.May(scope.Review) {
		for i, id := range o.Finding.Reviews {
			o.out.Leads = append(o.out.Leads, page.Link{
				Text: o.Say("review.cluster.one", strconv.Itoa(i+1)), URL: o.visit.To(page.ReviewsPath+"/"+id, nil),
			})
		}
	}
}

// figures is what somebody needs who sees figures.
const figures = "user/MeasureReport.rs"

// history are the versions, the newest first.
func (o *one) history(all []action.Version) {
	o.out.History = figure.Table{Caption: o.Say("action.history.caption")}
	for _, key := range []string{"action.version", "action.when", "action.by", "action.state"} {
		o.out.History.Columns = append(o.out.History.Columns, figure.Column{Title: o.Say(key)})
	}
	for _, v := range slices.Backward(all) {
		state := figure.Cell{Text: o.Label("action.state", string(v.State))}
		if v.Result != nil {
			state.Note = o.Label("action.outcome", string(v.Result.Outcome))
		}
		o.out.History.Rows = append(o.out.History.Rows, figure.TableRow{Cells: []figure.Cell{
			{Text: strconv.Itoa(v.Version)}, {Text: o.Moment(v.At)},
			{Text: o.who(review.Reviewer{Subject: v.By})}, state,
		}})
	}
}

// shown writes the page.
func (o *one) shown(p *Pages, status int) room.Show {
	return func(w http.ResponseWriter, r *http.Request) { p.cfg.Room.Pages().Action(w, r, status, o.out) }
}

// sent is what a reader sent by a form of the page of an action.
type sent struct {
	task    string
	version int
	outcome string
	summary string
}

// papers are the forms that fit the state; with is what was sent before, if anything.
func (o *one) papers(with *sent) {
	paper := func(task string) page.Paper {
		return page.Paper{
			ID: task, Title: o.Label("action.paper", task), Says: []string{o.Label("action.paper.says", task)},
			Action: o.visit.To(ListPath+"/"+o.ID, nil), Submit: o.Label("action.submit", task),
			Hidden: []page.Term{
				{Name: fieldTask, Value: task}, {Name: fieldVersion, Value: strconv.Itoa(o.Version)},
			},
		}
	}
	if o.Closed() {
		reopen := paper(taskReopen)
		reopen.Folded = true
		o.out.Papers = []page.Paper{reopen}
		return
	}
	if o.State == action.Planned {
		o.out.Papers = append(o.out.Papers, paper(taskStart))
	}
	if slices.Contains(o.Reasons(o.visit.Now), action.Unseen) {
		o.out.Papers = append(o.out.Papers, paper(taskLook))
	}
	end := paper(taskClose)
	end.Folded = with == nil || with.task != taskClose
	if with == nil {
		with = &sent{}
	}
	outcome := page.Ask{
		Kind: page.AskOne, Name: fieldOutcome, Label: o.Say("action.outcome"), Needed: true,
		Help: o.Say("action.outcome.help"),
	}
	for _, one := range outcomes(o.State) {
		outcome.Options = append(outcome.Options, page.Offer{
			Value: one, Label: o.Label("action.outcome", one), Chosen: one == with.outcome,
		})
	}
	end.Asks = []page.Ask{outcome, {
		Kind: page.AskArea, Name: fieldSummary, Label: o.Say("action.summary"), Value: with.summary, Needed: true,
		Help: o.Say("action.summary.help"),
	}}
	o.out.Papers = append(o.out.Papers, end)
}

// outcomes are those that an action in a state can have: one that never started was not done.
func outcomes(s action.State) []string {
	var out []string
	for _, one := range action.Outcomes() {
		if s != action.Planned || one == action.NotDone {
			out = append(out, string(one))
		}
	}
	return out
}

// move does what a form of the page of an action asks for. What cannot be done comes back on the page as
// it was sent.
func (p *Pages) move(v *room.Visit) (room.Show, error) {
	if _, err := v.Query(paramDone); err != nil {
		return nil, err
	}
	form, err := v.Form(fieldTask, fieldVersion, fieldOutcome, fieldSummary)
	if err != nil {
		return nil, err
	}
	var s sent
	if s.version, err = form.Version(fieldVersion); err != nil {
		return nil, err
	}
	if s.task = form.Choice(fieldTask, tasks(), true); s.task == "" {
		return nil, &room.InputError{Field: fieldTask, Why: fmt.Sprintf("want one of %v", tasks())}
	}
	closing := s.task == taskClose
	var among []string
	for _, one := range action.Outcomes() {
		among = append(among, string(one))
	}
	s.outcome = form.Choice(fieldOutcome, among, closing)
	s.summary = form.Text(fieldSummary, action.MostText, closing)
	deed := room.Deed{
		Code: "action-" + s.task, Display: "action: " + s.task, Resource: "Task/" + v.Path(idName),
	}
	v.Did(deed)
	if !form.Faulty() {
		done, err := p.step(v, &s)
		if err == nil {
			deed.Version = done.Version
			v.Did(deed)
			return room.See(v.To(ListPath+"/"+done.ID, url.Values{paramDone: {s.task}}) + "#content"), nil
		}
		switch {
		case closing && errors.Is(err, action.ErrState):
			form.Fault(fieldOutcome, "action.fault.not-allowed") // It was never started, so that it was not done.
			err = nil
		case overtaken(err):
			return p.late(v, &s)
		}
		err = invalid(form, err, map[string]string{"result.summary": fieldSummary, "result.outcome": fieldOutcome})
		if err != nil {
			return nil, err
		}
	}
	o, err := p.look(v)
	if err != nil {
		return nil, err
	}
	v.Refused("the form is not complete")
	o.papers(&s)
	mark(o.out.Papers, form, o.teller)
	return o.shown(p, http.StatusUnprocessableEntity), nil
}

// step asks the register for what a form asks for.
func (p *Pages) step(v *room.Visit, s *sent) (action.Action, error) {
	ctx, id, who := v.Context(), v.Path(idName), v.Who()
	switch s.task {
	case taskStart:
		return p.cfg.Register.Start(ctx, id, s.version, who)
	case taskReopen:
		return p.cfg.Register.Reopen(ctx, id, s.version, who)
	case taskLook:
		return p.cfg.Register.Look(ctx, id, s.version, who)
	}
	result := action.Result{Outcome: action.Outcome(s.outcome), Summary: s.summary, By: who}
	err := p.cfg.Hold(func(live Snapshot) error {
		result.Snapshot = live.Facts().Info.ID
		return nil
	})
	if err := unlessEmpty(err); err != nil {
		return action.Action{}, err
	}
	return p.cfg.Register.Close(ctx, id, s.version, result)
}

// overtaken reports whether an action has changed since the page was read on which a form stood.
func overtaken(err error) bool {
	return errors.Is(err, decisions.ErrConflict) || errors.Is(err, action.ErrClosed) ||
		errors.Is(err, action.ErrState)
}

// late is the page as it is now, with what the reader sent beside it.
func (p *Pages) late(v *room.Visit, s *sent) (room.Show, error) {
	o, err := p.look(v)
	if err != nil {
		return nil, err
	}
	v.Refused("somebody else was faster")
	o.papers(s)
	o.out.Notices = append(o.out.Notices, page.Notice{Tone: "act", Text: o.Say("action.overtaken")})
	if o.Closed() && s.summary != "" {
		o.out.Kept = []page.Term{{Name: o.Say("action.summary"), Value: s.summary}}
	}
	return o.shown(p, http.StatusConflict), nil
}

// invalid adds to a form what the register says is wrong with it, by the fields of the form; another
// error is returned, and so is a fault of what no field holds.
func invalid(form *room.Form, err error, fields map[string]string) error {
	var wrong *action.InvalidError
	if !errors.As(err, &wrong) {
		return err
	}
	for _, f := range wrong.Faults {
		field, ok := fields[f.Field]
		if !ok {
			return &room.InputError{Why: f.String()}
		}
		form.Fault(field, "action.fault."+string(f.Wrong))
	}
	return nil
}

// mark writes down what is wrong with the form that was sent.
func mark(papers []page.Paper, form *room.Form, t *teller) {
	faults := form.Faults(t.Words)
	for i := range papers {
		papers[i].Mark(t.Say("form.faults", len(faults)), faults)
	}
}
