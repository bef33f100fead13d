package acting

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// The parameters by which a finding comes to where an action begins.
const (
	paramRate      = "rate"
	paramBy        = "by"
	paramGroup     = "group"
	paramReference = "reference"
	paramPeriod    = "period"
	paramReview    = "review"
	paramCause     = "cause"
)

// The fields of the form of an action, beside fieldVersion.
const (
	fieldTitle     = "title"
	fieldWhat      = "what"
	fieldCause     = "cause"
	fieldOwner     = "owner"
	fieldGroups    = "groups"
	fieldReference = "reference"
	fieldSites     = "sites"
	fieldTarget    = "target"
	fieldStart     = "start"
	fieldDue       = "due"
	fieldMeasure   = "measure"
	fieldRate      = "rate"
	fieldBy        = "by"
	fieldPeriod    = "period"
	fieldSnapshot  = "snapshot"
	fieldReviews   = "review"
)

// fieldsOf maps what the register names to the fields of the form.
func fieldsOf() map[string]string {
	return map[string]string{
		"title": fieldTitle, "what": fieldWhat, "cause": fieldCause, "owner": fieldOwner, "start": fieldStart,
		"due": fieldDue, "aim.groups": fieldGroups, "aim.reference": fieldReference, "aim.sites": fieldSites,
		"aim.target": fieldTarget,
	}
}

// drafting is the page on which an action is written down, while it is made.
type drafting struct {
	*teller
	action.Action
	// choices are the groups that there are, by their codes; nil until a measure is chosen.
	choices []measure.Stratum
	// target is the target as it was typed.
	target string
	out    page.Draft
}

// draft is the page on which an action begins, from a finding or from nothing.
func (p *Pages) draft(v *room.Visit) (room.Show, error) {
	q, err := v.Query(paramMeasure, paramRate, paramBy, paramGroup, paramReference, paramPeriod, paramReview+"*", paramCause)
	if err != nil {
		return nil, err
	}
	d := &drafting{Action: action.Action{
		Cause: review.Factor(q.Get(paramCause)), Start: v.Now.Format(time.DateOnly),
		Aim: action.Aim{
			Measure: q.Get(paramMeasure), Rate: q.Get(paramRate), Dimension: q.Get(paramBy),
			Reference: q.Get(paramReference),
		},
		Finding: action.Finding{Kind: action.Stratum, Period: q.Get(paramPeriod), Reviews: q[paramReview]},
	}}
	if group := q.Get(paramGroup); group != "" {
		d.Aim.Groups, d.Finding.Kind = []string{group}, action.Gap
	}
	if len(d.Finding.Reviews) > 0 {
		d.Finding.Kind = action.Cluster
	}
	if err := p.prepare(v, d); err != nil {
		return nil, err
	}
	if d.choices == nil {
		d.out.Form = d.what(q)
	} else {
		d.paper(NewPath, "action.write")
	}
	return d.shown(p, http.StatusOK), nil
}

// prepare learns what there is of the measure that an action is about.
func (p *Pages) prepare(v *room.Visit, d *drafting) error {
	d.teller = newTeller(v)
	err := p.cfg.Hold(func(s Snapshot) (err error) {
		d.know(s)
		d.Finding.Snapshot = s.Facts().Info.ID
		if d.Aim.Measure == "" || d.Aim.Dimension == "" {
			return nil
		}
		d.choices, err = d.groupsOf(v.Context(), s)
		return err
	})
	if err != nil {
		return err
	}
	d.out.Board = v.Board(d.Say("action.begin"), "")
	d.out.Crumbs = d.crumbs()
	if n := len(d.Finding.Reviews); n > 0 {
		d.out.Says = []string{d.Say("action.from.reviews", n)}
	}
	return nil
}

// groupsOf are the known groups of the dimension in the period of the finding, or in the newest year.
func (d *drafting) groupsOf(ctx context.Context, s Snapshot) ([]measure.Stratum, error) {
	if _, ok := d.definition(d.Aim.Measure); !ok {
		return nil, &room.InputError{Field: paramMeasure, Why: "there is no such measure"}
	}
	if !slices.Contains(dimensions(), d.Aim.Dimension) {
		return nil, &room.InputError{Field: paramBy, Why: "want one of " + strings.Join(dimensions(), ", ")}
	}
	period, err := measure.ParsePeriod(d.Finding.Period)
	if d.Finding.Period == "" {
		end := s.Facts().Info.DataAsOf
		period, err = measure.Period{Start: end.AddDate(-1, 0, 1), End: end}, nil
		period.Start, period.End = midnight(period.Start), midnight(period.End)
	}
	if err != nil {
		return nil, &room.InputError{Field: paramPeriod, Why: "want a year, a quarter, a month or two days"}
	}
	result, err := s.Answer(ctx, measure.Question{
		Measure: d.Aim.Measure, Period: period, By: []string{d.Aim.Dimension},
	}, release.Internal)
	if err != nil {
		return nil, fmt.Errorf("ask for the groups of a measure: %w", err)
	}
	rates := result.Groups
	i := 0
	if d.Aim.Rate != "" {
		i = slices.IndexFunc(rates, func(g measure.Group) bool { return g.ID == d.Aim.Rate })
	}
	if i < 0 || len(rates) == 0 {
		return nil, &room.InputError{Field: paramRate, Why: "the measure has no such rate"}
	}
	known := []measure.Stratum{}
	for _, one := range rates[i].Strata[d.Aim.Dimension] {
		if one.State == string(mapping.Known) || one.State == "" {
			known = append(known, one)
		}
	}
	return known, nil
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// what asks which figure an action is about.
func (d *drafting) what(q url.Values) *page.Form {
	form := &page.Form{Action: NewPath}
	for _, name := range []string{paramReview, paramCause, "lang"} {
		for _, value := range d.visit.Request.URL.Query()[name] {
			form.Hidden = append(form.Hidden, page.Term{Name: name, Value: value})
		}
	}
	form.Fields = d.figureFields(q)
	d.out.Says = append(d.out.Says, d.Say("action.which"))
	return form
}

// paper is the form of an action that is about a figure.
func (d *drafting) paper(path, title string) {
	a := &d.Action
	d.out.Found = []page.Known{
		{Name: d.Say("action.measure"), Value: d.measure(a.Aim.Measure, a.Aim.Rate)},
		{Name: d.Say("choice.by"), Value: d.DimensionTitle(a.Aim.Dimension)},
		{Name: d.Say("action.finding"), Value: d.finding(a.Finding)},
	}
	paper := page.Paper{
		ID: "write", Title: d.Say(title), Says: []string{d.Say("action.free")}, Submit: d.Say("action.submit.save"),
		Action: d.visit.To(path, nil),
	}
	hide := func(name string, values ...string) {
		for _, value := range values {
			paper.Hidden = append(paper.Hidden, page.Term{Name: name, Value: value})
		}
	}
	hide(fieldVersion, strconv.Itoa(a.Version))
	hide(fieldMeasure, a.Aim.Measure)
	hide(fieldRate, a.Aim.Rate)
	hide(fieldBy, a.Aim.Dimension)
	hide(fieldPeriod, a.Finding.Period)
	hide(fieldSnapshot, a.Finding.Snapshot)
	hide(fieldReviews, a.Finding.Reviews...)
	text := func(kind page.AskKind, name, value string, needed bool) page.Ask {
		return page.Ask{
			Kind: kind, Name: name, Label: d.Label("action", name), Help: d.Label("action.help", name), Value: value,
			Needed: needed,
		}
	}
	groups := text(page.AskMany, fieldGroups, "", true)
	groups.Options = d.offers(func(code string) bool { return slices.Contains(a.Aim.Groups, code) })
	reference := text(page.AskPick, fieldReference, "", false)
	for _, rule := range []gap.Reference{gap.Best, gap.Largest, gap.Overall} {
		reference.Options = append(reference.Options, page.Offer{
			Value: string(rule), Label: d.Label("choice.reference", string(rule)), Chosen: string(rule) == a.Aim.Reference,
		})
	}
	reference.Options = append(reference.Options, d.offers(func(code string) bool { return code == a.Aim.Reference })...)
	cause := text(page.AskPick, fieldCause, "", true)
	cause.Options = []page.Offer{{Label: d.Say("action.choose"), Chosen: a.Cause == ""}}
	for _, code := range factorCodes() {
		cause.Options = append(cause.Options, page.Offer{
			Value: code, Label: d.cause(review.Factor(code)), Chosen: code == string(a.Cause),
		})
	}
	sites := text(page.AskMany, fieldSites, "", false)
	for code := range d.sites {
		sites.Options = append(sites.Options, page.Offer{
			Value: code, Label: d.group(mapping.DimensionSite, code), Chosen: slices.Contains(a.Aim.Sites, code),
		})
	}
	slices.SortFunc(sites.Options, func(a, b page.Offer) int { return strings.Compare(a.Label, b.Label) })
	paper.Asks = []page.Ask{
		text(page.AskText, fieldTitle, a.Title, true), text(page.AskArea, fieldWhat, a.What, false), cause,
		text(page.AskText, fieldOwner, a.Owner, true), groups, reference,
	}
	if len(sites.Options) > 1 && a.Aim.Dimension != mapping.DimensionSite {
		paper.Asks = append(paper.Asks, sites)
	}
	paper.Asks = append(paper.Asks, text(page.AskText, fieldTarget, d.target, false),
		text(page.AskDay, fieldStart, a.Start, true), text(page.AskDay, fieldDue, a.Due, true))
	d.out.Papers = []page.Paper{paper}
}

// offers are the groups that there are.
func (d *drafting) offers(chosen func(code string) bool) []page.Offer {
	var out []page.Offer
	for _, s := range d.choices {
		out = append(out, page.Offer{
			Value: s.Code, Label: d.group(d.Aim.Dimension, s.Code), Chosen: chosen(s.Code),
		})
	}
	return out
}

func (d *drafting) shown(p *Pages, status int) room.Show {
	return func(w http.ResponseWriter, r *http.Request) { p.cfg.Room.Pages().Draft(w, r, status, d.out) }
}

// edit is the page on which an action is changed.
func (p *Pages) edit(v *room.Visit) (room.Show, error) {
	if _, err := v.Query(); err != nil {
		return nil, err
	}
	d, err := p.editing(v)
	if err != nil {
		return nil, err
	}
	d.paper(ListPath+"/"+d.ID+"/edit", "action.edit")
	return d.shown(p, http.StatusOK), nil
}

// editing is the draft of an action that there is.
func (p *Pages) editing(v *room.Visit) (*drafting, error) {
	found, err := p.cfg.Register.Get(v.Context(), v.Path(idName))
	if err != nil {
		return nil, err
	}
	if found.Closed() {
		return nil, action.ErrClosed
	}
	snapshot := found.Finding.Snapshot
	d := &drafting{Action: found}
	if err := p.prepare(v, d); err != nil {
		return nil, err
	}
	d.Finding.Snapshot = snapshot
	d.target = d.typed()
	d.out.Title = d.Say("action.edit")
	d.out.Crumbs = d.crumbs(page.Link{Text: words.Plain(found.Title), URL: d.one(found.ID)})
	return d, nil
}
