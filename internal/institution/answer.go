package institution

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/decisions"
)

// The fields of the forms, and what those ask for. The fields of an item end in its id.
const (
	fieldTask    = "task"
	fieldVersion = "version"
	fieldDomain  = "domain"
	fieldWhy     = "why"
	fieldLevel   = "level-"
	fieldComment = "comment-"

	taskAnswer = "answer"
	taskFinish = "finish"
	taskReopen = "reopen"
	// doneNothing says that a form held nothing new.
	doneNothing = "same"
)

func tasks() []string { return []string{taskAnswer, taskFinish, taskReopen} }

// mostText bounds a comment and a reason, in bytes, as the register does.
const mostText = 8 << 10

// said is what a form says to one item.
type said struct {
	// level is the code of one, "" for none.
	level, comment string
}

// sent is what a reader sent.
type sent struct {
	form    *room.Form
	task    string
	version int
	// domain is that of a form of answers.
	domain readiness.Domain
	said   map[string]said
	why    string
}

// paper is the id of the form that was sent.
func (s *sent) paper() string {
	if s.task == taskAnswer {
		return taskAnswer + "-" + s.domain.ID
	}
	return s.task
}

// paper is the form of a domain.
func (a *assessing) paper(d readiness.Domain, with *sent) page.Paper {
	lang := a.language()
	out := page.Paper{
		ID: taskAnswer + "-" + d.ID, Title: a.Say("readiness.answer", d.Title.In(lang)),
		Says:   []string{a.Say("readiness.answer.says")},
		Action: a.address(""), Submit: a.Say("readiness.submit.answer"), Folded: true,
		Hidden: []page.Term{
			{Name: fieldTask, Value: taskAnswer}, {Name: fieldVersion, Value: strconv.Itoa(a.Version)},
			{Name: fieldDomain, Value: d.ID},
		},
	}
	mine := with != nil && with.task == taskAnswer && with.domain.ID == d.ID
	if mine {
		out.Folded = false
	}
	for _, i := range d.Items {
		now := saidOf(a.kept.Answers[i.ID])
		if mine {
			now = with.said[i.ID]
		}
		comment := page.Ask{
			Kind: page.AskArea, Name: fieldComment + i.ID, Value: now.comment,
			Label: a.Say("readiness.comment.on", i.Asks.In(lang)), Help: a.Say("readiness.comment.data"),
		}
		if !i.FromData() {
			comment.Help = a.Say("readiness.comment.people", i.Evidence.In(lang))
			out.Asks = append(out.Asks, a.ask(i, now.level))
		}
		out.Asks = append(out.Asks, comment)
	}
	return out
}

// ask is the question of an item, with what each level means.
func (a *assessing) ask(i readiness.Item, chosen string) page.Ask {
	lang := a.language()
	out := page.Ask{
		Kind: page.AskOne, Name: fieldLevel + i.ID, Label: i.Asks.In(lang), Depends: true,
		Options: []page.Offer{{Label: a.Say("readiness.unanswered"), Chosen: chosen == ""}},
	}
	for _, l := range readiness.Levels() {
		out.Options = append(out.Options, page.Offer{
			Value: l.Code(), Label: a.q.Name(l, lang), Says: a.q.Means(i, l, lang), Chosen: l.Code() == chosen,
		})
	}
	return out
}

// saidOf is an answer as a form holds it. What the data answer is no level of people's.
func saidOf(answer readiness.Answer) said {
	s := said{comment: answer.Comment}
	if answer.Level != nil && answer.Figure == nil {
		s.level = answer.Level.Code()
	}
	return s
}

// papers make it final, or open it again.
func (a *assessing) papers(with *sent) {
	paper := func(task string) page.Paper {
		return page.Paper{
			ID: task, Title: a.Say("readiness." + task), Says: []string{a.Say("readiness." + task + ".says")},
			Action: a.address(""), Submit: a.Label("readiness.submit", task), Folded: true,
			Hidden: []page.Term{
				{Name: fieldTask, Value: task}, {Name: fieldVersion, Value: strconv.Itoa(a.Version)},
			},
		}
	}
	people, _ := a.waiting()
	switch {
	case a.State == readiness.Final:
		out := paper(taskReopen)
		why := ""
		if with != nil {
			why = with.why
		}
		out.Asks = []page.Ask{{
			Kind: page.AskArea, Name: fieldWhy, Label: a.Say("readiness.reopen.why"), Needed: true, Value: why,
			Help: a.Say("readiness.reopen.why.help"),
		}}
		a.out.Papers = []page.Paper{out}
	case len(people) > 0:
		a.out.Waits = a.Say("readiness.finish.waits")
	default:
		a.out.Papers = []page.Paper{paper(taskFinish)}
	}
}

// write does what a form asks for. What cannot be done comes back on the page as it was sent.
func (p *Pages) write(v *room.Visit) (room.Show, error) {
	q, err := v.Query(paramPeriod, paramDone)
	if err != nil {
		return nil, err
	}
	known := []string{fieldTask, fieldVersion, fieldDomain, fieldWhy}
	for _, i := range p.cfg.Register.Questionnaire().Items() {
		known = append(known, fieldComment+i.ID)
		if !i.FromData() {
			known = append(known, fieldLevel+i.ID)
		}
	}
	form, err := v.Form(known...)
	if err != nil {
		return nil, err
	}
	s := &sent{form: form}
	if s.version, err = form.Version(fieldVersion); err != nil {
		return nil, err
	}
	if s.task = form.Choice(fieldTask, tasks(), true); s.task == "" {
		return nil, &room.InputError{Field: fieldTask, Why: fmt.Sprintf("want one of %v", tasks())}
	}
	a, err := p.assess(v, q)
	if err != nil {
		return nil, err
	}
	deed := room.Deed{
		Code: "readiness-" + s.task, Display: "readiness: " + s.task, Resource: "QuestionnaireResponse/" + a.ID,
	}
	v.Did(deed)
	if err := s.read(a); err != nil {
		return nil, err
	}
	if form.Faulty() {
		v.Refused("the form is not complete")
		return p.shown(a, s, http.StatusUnprocessableEntity), nil
	}
	done, err := p.step(a, s)
	switch {
	case err == nil && done.Version == s.version:
		return room.See(a.address(doneNothing) + "#content"), nil
	case err == nil:
		deed.Version = done.Version
		v.Did(deed)
		return room.See(a.address(s.task) + "#content"), nil
	case errors.Is(err, readiness.ErrUnanswered):
		v.Refused("items are unanswered")
		a.out.Notices = append(a.out.Notices, page.Notice{Tone: "act", Text: a.Say("readiness.waiting")})
		return p.shown(a, s, http.StatusUnprocessableEntity), nil
	case errors.Is(err, decisions.ErrConflict), errors.Is(err, readiness.ErrFinal),
		errors.Is(err, readiness.ErrNotFinal):
		return p.late(v, s)
	}
	return nil, err
}

// read takes over what a form says.
func (s *sent) read(a *assessing) error {
	switch s.task {
	case taskReopen:
		s.why = s.form.Text(fieldWhy, mostText, true)
	case taskAnswer:
		var ids []string
		for _, d := range a.q.Domains {
			ids = append(ids, d.ID)
		}
		i := slices.Index(ids, s.form.Choice(fieldDomain, ids, true))
		if i < 0 {
			return &room.InputError{Field: fieldDomain, Why: fmt.Sprintf("want one of %v", ids)}
		}
		s.domain, s.said = a.q.Domains[i], map[string]said{}
		var levels []string
		for _, l := range readiness.Levels() {
			levels = append(levels, l.Code())
		}
		for _, i := range s.domain.Items {
			one := said{comment: s.form.Text(fieldComment+i.ID, mostText, false)}
			if !i.FromData() {
				one.level = s.form.Choice(fieldLevel+i.ID, levels, false)
			}
			s.said[i.ID] = one
		}
	}
	return nil
}

// step asks the register for what a form asks for. Answers that stand already are not written again, so
// that they stay those of whoever gave them.
func (p *Pages) step(a *assessing, s *sent) (readiness.Assessment, error) {
	ctx, who := a.visit.Context(), a.visit.Who()
	switch s.task {
	case taskFinish:
		return p.cfg.Register.Finish(ctx, a.period, s.version, who, a.data)
	case taskReopen:
		return p.cfg.Register.Reopen(ctx, a.period, s.version, who, s.why)
	}
	if a.Version != s.version {
		return readiness.Assessment{}, decisions.ErrConflict
	}
	var replies []readiness.Reply
	for _, i := range s.domain.Items {
		one := s.said[i.ID]
		if one == saidOf(a.kept.Answers[i.ID]) {
			continue
		}
		reply := readiness.Reply{Item: i.ID, Comment: one.comment}
		if one.level != "" {
			level, err := readiness.ParseLevel(one.level)
			if err != nil {
				return readiness.Assessment{}, err
			}
			reply.Level = &level
		}
		replies = append(replies, reply)
	}
	if len(replies) == 0 && a.State != readiness.Final {
		return a.kept, nil
	}
	return p.cfg.Register.Reply(ctx, a.period, s.version, who, replies...)
}

// late is the page as it is now, with what the reader sent in the form: what they did not touch is taken
// from what is there now, so that sending it again writes over nobody unawares.
func (p *Pages) late(v *room.Visit, s *sent) (room.Show, error) {
	q, err := v.Query(paramPeriod, paramDone)
	if err != nil {
		return nil, err
	}
	a, err := p.assess(v, q)
	if err != nil {
		return nil, err
	}
	v.Refused("somebody else was faster")
	notice := a.Say("readiness.overtaken")
	if s.task == taskAnswer {
		if err := p.rebase(a, s); err != nil {
			return nil, err
		}
		if a.State == readiness.Final {
			notice += " " + a.Say("readiness.overtaken.final")
			a.keep(s)
		} else {
			notice += " " + a.Say("readiness.overtaken.form")
		}
	} else if s.why != "" && a.State != readiness.Final {
		a.out.Kept = []page.Term{{Name: a.Say("readiness.reopen.why"), Value: s.why}}
	}
	a.out.Notices = append(a.out.Notices, page.Notice{Tone: "act", Text: notice})
	return p.shown(a, s, http.StatusConflict), nil
}

// rebase takes what the reader left as they had read it from what is there now.
func (p *Pages) rebase(a *assessing, s *sent) error {
	before := map[string]readiness.Answer{}
	if a.Version > 0 {
		all, err := p.cfg.Register.History(a.visit.Context(), a.ID)
		if err != nil {
			return err
		}
		for _, one := range all {
			if one.Version == s.version {
				before = one.Answers
			}
		}
	}
	for id, one := range s.said {
		if one == saidOf(before[id]) {
			s.said[id] = saidOf(a.kept.Answers[id])
		}
	}
	return nil
}

// keep shows what was written where there is no form for it any more.
func (a *assessing) keep(s *sent) {
	for _, i := range s.domain.Items {
		if one := s.said[i.ID]; one.comment != "" && one != saidOf(a.kept.Answers[i.ID]) {
			a.out.Kept = append(a.out.Kept, page.Term{
				Name: a.Say("readiness.comment.on", i.Asks.In(a.language())), Value: one.comment,
			})
		}
	}
}
