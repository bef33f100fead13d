package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// overview is the first page: the largest gaps of all measures, where else to look, and how far the data
// can be trusted.
func (d *Dashboard) overview() builder {
	return builder{open: seesFigures, make: func(ctx context.Context, v *visit) (*sheet, error) {
		o, err := v.survey(ctx)
		if err != nil {
			return nil, err
		}
		out := page.Overview{Board: o.head(), About: o.about(), Limits: o.limits()}
		s := &sheet{page: func(w http.ResponseWriter, r *http.Request) {
			d.cfg.Pages.Overview(w, r, http.StatusOK, out)
		}}
		if o.empty() {
			out.Nothing, out.Form = o.nothing(), o.form()
			return s, nil
		}
		if err := o.findings(ctx, &out); err != nil {
			return nil, err
		}
		out.Form = o.form() // The findings settle by which dimension the map is.
		if err := o.heat(s, &out); err != nil {
			return nil, err
		}
		o.records(s, &out)
		if v.Audience != release.Public {
			out.Fresh = o.fresh(d.cfg.Now())
			if out.Changed, err = o.changed(ctx, d.cfg.Logger); err != nil {
				return nil, err
			}
			s.figures = append(s.figures, *out.Changed)
		}
		s.results, s.gaps, out.Files = o.results, o.gaps, v.tables()
		return s, nil
	}}
}

// survey is what is known of all measures in one period.
type survey struct {
	*visit
	span   span
	period measure.Period
	// results hold every measure by every dimension.
	results []measure.Result
	// rates are what sentences need of every rate. Of those of one title each says what it counts; named
	// holds what it is called without that, by measure and rate.
	rates []figure.Measure
	named map[string]string
	// gaps are those of all dimensions in which the group is behind, the largest first.
	gaps []gap.Gap
	// withheld names the measures that are not public.
	withheld []string
}

// survey asks for everything that the page shows of this snapshot.
func (v *visit) survey(ctx context.Context) (*survey, error) {
	if err := v.checkOverview(); err != nil {
		return nil, err
	}
	span, err := v.span(ctx)
	if err != nil {
		return nil, err
	}
	o := &survey{visit: v, span: span}
	candidates := o.candidates()
	for i := 0; i <= len(candidates) && len(o.results) == 0; i++ {
		o.period = candidates[i%len(candidates)] // Where there is nothing, that is said of the first.
		v.Period = periodName(o.period)
		if i == len(candidates) {
			break
		}
		if err := o.ask(ctx); err != nil {
			return nil, err
		}
	}
	o.tellApart()
	o.gaps, err = gap.Of(o.results, gap.Options{Reference: v.Reference})
	if errors.Is(err, gap.ErrNoReference) && len(o.results) > 0 {
		return nil, fmt.Errorf("%w: reference: want best, largest, overall, or the code of a group", errAddress)
	}
	return o, nil
}

// checkOverview refuses what an address of another page may ask for.
func (v *visit) checkOverview() error {
	if v.Policy == mapping.PolicyNCQA && v.By == mapping.DimensionRaceEthnicity {
		v.By = mapping.DimensionRace // The policy keeps the two apart.
	}
	if v.By != "" && !slices.Contains(v.dimensions(), v.By) {
		return fmt.Errorf("%w: by: want one of %s", errAddress, strings.Join(v.dimensions(), ", "))
	}
	if len(v.Where) > 0 {
		return fmt.Errorf("%w: the overview is of everybody; the page of a measure can be filtered", errAddress)
	}
	return nil
}

// dimensions are those by which a policy makes groups.
func (v *visit) dimensions() []string {
	return slices.DeleteFunc(measure.Dimensions(), func(d string) bool {
		return v.Policy == mapping.PolicyNCQA && d == mapping.DimensionRaceEthnicity
	})
}

// ranked are the dimensions of which the largest gaps are listed: those of who people are. Of two that say
// nearly the same of the same people it is the one that says more. What differs by age or site is counted
// beside them, and is on the map.
func (v *visit) ranked() []string {
	rest := []string{mapping.DimensionLanguage, mapping.DimensionInterpreter, mapping.DimensionSex}
	if v.Policy == mapping.PolicyNCQA {
		return append([]string{mapping.DimensionRace, mapping.DimensionEthnicity}, rest...)
	}
	return append([]string{mapping.DimensionRaceEthnicity}, rest...)
}

// candidates are the periods to be tried in turn. Of what is public, somebody who names no period is shown
// the longest one that there is.
func (o *survey) candidates() []measure.Period {
	open := o.Period == ""
	list := []measure.Period{o.settlePeriod(o.span)}
	if o.Audience != release.Public || !open {
		return list
	}
	for _, length := range []int{monthsInQuarter, 1} {
		for _, p := range o.span.periods(length) {
			if o.span.over(p) {
				list = append(list, p)
				break
			}
		}
	}
	return list
}

// ask evaluates every measure. One that is not public, or that nobody imported for the period, is left
// out.
func (o *survey) ask(ctx context.Context) error {
	by := o.dimensions()
	if o.Audience == release.Public && o.overlapping() {
		by = []string{mapping.DimensionRace, mapping.DimensionRaceEthnicity}
	}
	o.withheld = nil
	list := o.snapshot.Definitions()
	for i := range list {
		result, err := o.snapshot.Answer(ctx, measure.Question{
			Measure: list[i].ID, Period: o.period, By: by, Policy: o.Policy,
		}, o.Audience)
		switch {
		case errors.Is(err, server.ErrNotPublic):
			o.withheld = append(o.withheld, words.Plain(o.said(&list[i]).Title))
			continue
		case errors.Is(err, measure.ErrNotImported):
			continue
		case err != nil:
			return err
		}
		o.results = append(o.results, result)
		for _, g := range result.Groups {
			o.rates = append(o.rates, o.tell.MeasureOf(list[i], g))
		}
	}
	return nil
}

// tellApart adds what is counted to the titles that several rates have.
func (o *survey) tellApart() {
	o.named = map[string]string{}
	count := map[string]int{}
	for _, m := range o.rates {
		o.named[m.ID+"*"+m.Rate] = m.Words.Title
		count[m.Words.Title]++
	}
	for i := range o.rates {
		m := &o.rates[i]
		if count[m.Words.Title] > 1 && m.Unit != "" {
			m.Words.Title = o.words.Say("overview.of", m.Words.Title,
				o.words.Label("definition.unit", string(m.Unit)))
		}
	}
}

// overlapping reports whether the policy makes groups of which people are in several.
func (v *visit) overlapping() bool {
	return v.Policy == mapping.PolicyAlone || v.Policy == mapping.PolicySPD15
}

// head is what the page has in common with others, with what it is of.
func (o *survey) head() page.Board {
	b := o.board(OverviewPath)
	b.Title = o.words.Say("board.overview")
	b.Provenance = append(b.Provenance,
		page.Term{Name: o.words.Say("overview.period"), Value: o.words.Period(o.period)},
		page.Term{Name: o.words.Say("choice.reference"), Value: o.referenceName()})
	if o.Policy != "" {
		b.Provenance = append(b.Provenance, page.Term{
			Name: o.words.Say("overview.policy"), Value: o.words.Say("choice.policy." + string(o.Policy)),
		})
	}
	if len(o.results) > 0 && o.Audience == release.Public { // A release is of the snapshot that it was made of.
		b.Provenance[0].Value = o.words.Moment(o.results[0].DataAsOf)
		b.Provenance[1].Value = words.Plain(o.results[0].Snapshot)
	}
	if names := o.lacking(); len(names) > 0 {
		b.Notices = append(b.Notices, page.Notice{
			Tone: "check", Text: o.words.Say("overview.incomplete", strings.Join(names, "; ")),
		})
	}
	return b
}

// limits say what the page leaves out of what there is.
func (o *survey) limits() []string {
	if o.Audience != release.Public || len(o.results) == 0 {
		return nil
	}
	out := []string{o.words.Say("overview.public.less")}
	if len(o.withheld) > 0 {
		out = append(out, o.words.Say("overview.public.without", strings.Join(o.withheld, "; ")))
	}
	return out
}

// lacking names the measures that lack data.
func (o *survey) lacking() []string {
	var names []string
	for _, r := range o.results {
		if !r.Complete {
			names = append(names, o.titleOf(r))
		}
	}
	return names
}

// titleOf is the title of the measure of a result.
func (o *survey) titleOf(r measure.Result) string {
	list := o.snapshot.Definitions()
	for i := range list {
		if list[i].ID == r.Measure {
			return words.Plain(o.said(&list[i]).Title)
		}
	}
	return words.Plain(r.Title)
}

// about says of what the page is, in one line.
func (o *survey) about() string {
	return o.words.Say("overview.about", words.Capital(o.periodLabel()), o.referenceName())
}

func (o *survey) referenceName() string {
	switch o.Reference {
	case "":
		return o.words.Say("choice.reference." + string(gap.Best))
	case gap.Best, gap.Largest, gap.Overall:
		return o.words.Say("choice.reference." + string(o.Reference))
	}
	return words.Plain(short(string(o.Reference)))
}

func (o *survey) periodLabel() string {
	if o.span.over(o.period) {
		return o.words.Period(o.period)
	}
	return o.words.Say("choice.sofar", o.words.Period(o.period))
}

// empty reports whether nobody at all is counted, as in a period before the data begin.
func (o *survey) empty() bool {
	for _, r := range o.results {
		for _, g := range r.Groups {
			if g.Suppressed || g.Populations[measure.InitialPopulation] > 0 {
				return false
			}
		}
	}
	return true
}

// nothing says why there are no figures.
func (o *survey) nothing() string {
	if o.Audience == release.Public {
		return o.words.Say("overview.public.none", o.words.Period(o.period))
	}
	return o.words.Say("overview.none", o.words.Period(o.period))
}

// form is what can be chosen.
func (o *survey) form() *page.Form {
	lengths := []int{monthsInYear, monthsInQuarter}
	return &page.Form{
		Action: OverviewPath, Hidden: o.hidden(),
		Fields: []page.Field{
			o.periodField(o.span, o.period, lengths...),
			o.dimensionField(o.words.Say("choice.by"), o.By, o.dimensions()),
			o.referenceField(o.Reference),
		},
		More:  append([]page.Field{o.policyField()}, o.audienceFields()...),
		Clear: address{Path: OverviewPath, Language: o.Language}.String(),
	}
}
