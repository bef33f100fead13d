package acting

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/page"
)

// write writes a new action down.
func (p *Pages) write(v *room.Visit) (room.Show, error) {
	return p.save(v, action.Action{}, NewPath, "action.write")
}

// rewrite changes an action.
func (p *Pages) rewrite(v *room.Visit) (room.Show, error) {
	found, err := p.cfg.Register.Get(v.Context(), v.Path(idName))
	if err != nil {
		return nil, err
	}
	return p.save(v, found, ListPath+"/"+found.ID+"/edit", "action.edit")
}

// save writes down what a form says of an action. What cannot be written comes back as it was sent.
func (p *Pages) save(v *room.Visit, old action.Action, path, title string) (room.Show, error) {
	if _, err := v.Query(); err != nil {
		return nil, err
	}
	form, err := v.Form(fieldVersion, fieldMeasure, fieldRate, fieldBy, fieldPeriod, fieldSnapshot, fieldReviews, fieldTitle,
		fieldWhat, fieldCause, fieldOwner, fieldGroups, fieldReference, fieldSites, fieldTarget, fieldStart, fieldDue)
	if err != nil {
		return nil, err
	}
	d := &drafting{Action: old}
	if d.Version, err = form.Version(fieldVersion); err != nil {
		return nil, err
	}
	if old.ID == "" && d.Version != 0 {
		return nil, &room.InputError{Field: fieldVersion, Why: "what is new has no version"}
	}
	d.read(v, form, old)
	snapshot := d.Finding.Snapshot
	if err := p.prepare(v, d); err != nil {
		return nil, err
	}
	if d.choices == nil {
		return nil, &room.InputError{Field: fieldMeasure, Why: "want a measure and a dimension"}
	}
	d.Finding.Snapshot = snapshot
	d.aim(form)
	deed := room.Deed{Code: "action-save", Display: "action: save"}
	v.Did(deed)
	if !form.Faulty() {
		saved, err := p.cfg.Register.Save(v.Context(), d.Action, v.Who())
		if err == nil {
			deed.Resource, deed.Version = "Task/"+saved.ID, saved.Version
			v.Did(deed)
			return room.See(v.To(ListPath+"/"+saved.ID, url.Values{paramDone: {taskSave}}) + "#content"), nil
		}
		if overtaken(err) {
			return p.lateDraft(v, d, path, title)
		}
		if err := invalid(form, err, fieldsOf()); err != nil {
			return nil, err
		}
	}
	v.Refused("the form is not complete")
	d.paper(path, title)
	mark(d.out.Papers, form, d.teller)
	return d.shown(p, http.StatusUnprocessableEntity), nil
}

// lateDraft is the form as it was sent, on top of what somebody else has written meanwhile: sending it
// again writes over that, knowingly.
func (p *Pages) lateDraft(v *room.Visit, d *drafting, path, title string) (room.Show, error) {
	now, err := p.cfg.Register.Get(v.Context(), d.ID)
	if err != nil {
		return nil, err
	}
	v.Refused("somebody else was faster")
	d.out.Notices = append(d.out.Notices, page.Notice{Tone: "act", Text: d.Say("action.overtaken")})
	if !now.Closed() {
		d.Version = now.Version
		d.out.Says = append(d.out.Says, d.Say("action.overtaken.form"))
	}
	d.out.Says = append(d.out.Says, d.Say("action.overtaken.now"))
	d.paper(path, title)
	d.out.Found = append(d.out.Found, d.facts(&now)...)
	return d.shown(p, http.StatusConflict), nil
}

// read takes over what a form says, but for what depends on the groups that there are.
func (d *drafting) read(v *room.Visit, form *room.Form, old action.Action) {
	const code = 64
	d.Title = form.Text(fieldTitle, 4*action.MostTitle, true)
	d.What = form.Text(fieldWhat, 4*action.MostText, false)
	d.Owner = form.Text(fieldOwner, 4*action.MostOwner, true)
	d.Cause = review.Factor(form.Choice(fieldCause, factorCodes(), true))
	d.Start, d.Due = form.Day(fieldStart, true), form.Day(fieldDue, true)
	d.target = form.Text(fieldTarget, code, false)
	d.Aim = action.Aim{
		Measure: form.Text(fieldMeasure, code, false), Rate: form.Text(fieldRate, code, false),
		Dimension: form.Text(fieldBy, code, false),
	}
	if old.ID != "" {
		return
	}
	d.Finding = action.Finding{
		Kind: action.Gap, Period: form.Text(fieldPeriod, code, false), Snapshot: form.Text(fieldSnapshot, code, false),
		Reviews: v.Request.PostForm[fieldReviews], //nolint:forbidigo // A field, not http.PostForm.
	}
	if len(d.Finding.Reviews) > 0 {
		d.Finding.Kind = action.Cluster
	}
}

// aim takes over which groups are to be moved, against which, and where to.
func (d *drafting) aim(form *room.Form) {
	var codes, sites []string
	for _, s := range d.choices {
		codes = append(codes, s.Code)
	}
	for code := range d.sites {
		sites = append(sites, code)
	}
	d.Aim.Groups = form.Choices(fieldGroups, codes)
	if len(d.Aim.Groups) == 0 {
		form.Fault(fieldGroups, "form.choose")
	}
	rules := []string{string(gap.Best), string(gap.Largest), string(gap.Overall)}
	d.Aim.Reference = form.Choice(fieldReference, append(rules, codes...), false)
	slices.Sort(sites)
	d.Aim.Sites = form.Choices(fieldSites, sites)
	if d.target == "" {
		return
	}
	target, err := d.scale(d.target)
	if err != nil {
		form.Fault(fieldTarget, "action.fault.target")
		return
	}
	d.Aim.Target = &target
}

// hundred is the whole in percent.
const hundred = 100

var errNoNumber = errors.New("no number")

// scale reads a target as people write it: a share in percent, all else as it is.
func (d *drafting) scale(text string) (float64, error) {
	plain, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(plain), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, errNoNumber
	}
	if d.proportion() {
		v /= hundred
		if v < 0 || v > 1 {
			return 0, errNoNumber
		}
	} else if percent {
		return 0, errNoNumber
	}
	return v, nil
}

// proportion reports whether the score of the measure is a share.
func (d *drafting) proportion() bool {
	definition, ok := d.definition(d.Aim.Measure)
	return ok && definition.Scoring == measure.Proportion
}

// typed is the target as people write it: as scale reads it, without what binary fractions add to it.
func (d *drafting) typed() string {
	if d.Aim.Target == nil {
		return ""
	}
	v := *d.Aim.Target
	if d.proportion() {
		v *= hundred
	}
	const fraction = 1e6
	return strconv.FormatFloat(math.Round(v*fraction)/fraction, 'f', -1, 64)
}
