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
)

// The parameters that only this page knows. The first is what is compared, the others are its two sides:
// codes of a dimension or of sites, or periods.
const (
	paramKind = "kind"
	paramA    = "a"
	paramB    = "b"
)

// What can be compared.
const (
	kindGroups  = "groups"
	kindSites   = "sites"
	kindPeriods = "periods"
)

// compareKinds lists what can be compared, the usual first.
func compareKinds() []string { return []string{kindGroups, kindSites, kindPeriods} }

// rateSeparator stands between a measure and a rate where one choice is of both.
const rateSeparator = ":"

// compare is the page of two groups, sites or periods.
func (d *Dashboard) compare() builder {
	return builder{
		params: []string{paramMeasure, paramKind, paramA, paramB}, open: seesFigures,
		make: d.compared,
	}
}

// comparing is a comparison while it is put together.
type comparing struct {
	*visit
	kind string
	span span
	// definition and rate are of what is compared.
	definition measure.Definition
	rate       measure.GroupDefinition
	period     measure.Period
	// a and b are the two sides as the address has them, once they are settled.
	a, b string
	// offered are the groups that either side can be.
	offered []page.Option

	notices []page.Notice
	warning *page.Warning
	parts   []page.Part
	sheet   sheet
}

// compared makes the page.
func (d *Dashboard) compared(ctx context.Context, v *visit) (*sheet, error) {
	c := &comparing{visit: v}
	if err := c.settle(ctx); err != nil {
		return nil, err
	}
	err := c.look(ctx)
	switch {
	case v.Audience != release.Internal && errors.Is(err, server.ErrNotPublic):
		c.notices = append(c.notices, page.Notice{Tone: "check", Text: v.words.Say("compare.not-public")})
	case errors.Is(err, measure.ErrNotImported):
		c.notices = append(c.notices, page.Notice{Tone: "check", Text: v.words.Say("compare.not-imported")})
	case err != nil:
		return nil, err
	}
	made := page.Compare{Board: c.board(), Warning: c.warning, Parts: c.parts}
	c.sheet.page = func(w http.ResponseWriter, r *http.Request) {
		d.cfg.Pages.Compare(w, r, http.StatusOK, made)
	}
	return &c.sheet, nil
}

// settle fills in what the address leaves open, and refuses what there is not.
func (c *comparing) settle(ctx context.Context) (err error) {
	if c.kind = c.More.Get(paramKind); c.kind == "" {
		c.kind = kindGroups
	}
	if !slices.Contains(compareKinds(), c.kind) {
		return fmt.Errorf("%w: kind: want one of %s", errAddress, strings.Join(compareKinds(), ", "))
	}
	if err := c.settleMeasure(); err != nil {
		return err
	}
	switch {
	case c.kind == kindSites:
		c.By = mapping.DimensionSite
	case c.By == "":
		c.By = c.usualDimension()
	default:
		if _, err := measure.ParseStratifier(c.By); err != nil {
			return fmt.Errorf("%w: by: want one of %s, or two of them joined by *", errAddress,
				strings.Join(measure.Dimensions(), ", "))
		}
	}
	if c.Policy == mapping.PolicyNCQA && c.By == mapping.DimensionRaceEthnicity {
		c.By = mapping.DimensionRace
		c.notices = append(c.notices, page.Notice{Tone: "check", Text: c.words.Say("compare.apart")})
	}
	if c.Audience != release.Internal && len(c.Where) > 0 {
		c.Where = nil
		c.notices = append(c.notices, page.Notice{Tone: "check", Text: c.words.Say("compare.no-filter")})
	}
	c.a, c.b = c.More.Get(paramA), c.More.Get(paramB)
	if c.span, err = c.visit.span(ctx); err != nil {
		return err
	}
	c.period = c.settlePeriod(c.span)
	return nil
}

// settleMeasure finds the measure and its rate. One choice holds both, so that another measure does not
// come with the rate of this one.
func (c *comparing) settleMeasure() error {
	id, rate, both := strings.Cut(c.More.Get(paramMeasure), rateSeparator)
	if both {
		c.Rate = rate
	}
	all := c.snapshot.Definitions()
	at := slices.IndexFunc(all, func(d measure.Definition) bool { return d.ID == id })
	if id == "" {
		at = max(0, slices.IndexFunc(all, func(d measure.Definition) bool {
			return d.Improvement != measure.Context
		}))
	}
	if at < 0 || at >= len(all) {
		return fmt.Errorf("compare: %w", measure.ErrUnknownMeasure)
	}
	c.definition = all[at]
	rates := c.definition.Rates()
	var names []string
	for _, r := range rates {
		names = append(names, r.ID)
	}
	i := max(0, slices.Index(names, c.Rate))
	if c.Rate != "" && names[i] != c.Rate {
		return fmt.Errorf("%w: rate: want one of %s", errAddress, strings.Join(names, ", "))
	}
	c.rate = rates[i]
	c.Rate = c.rate.ID
	c.More.Set(paramMeasure, c.definition.ID)
	return nil
}

// usualDimension is the first that the rate is not about.
func (c *comparing) usualDimension() string {
	about := slices.Concat(c.definition.NotBy, c.rate.NotBy)
	for _, d := range []string{mapping.DimensionRaceEthnicity, mapping.DimensionLanguageGroup} {
		if !slices.Contains(about, d) {
			return d
		}
	}
	return mapping.DimensionSex
}

// look asks for the figures and tells them.
func (c *comparing) look(ctx context.Context) error {
	if c.kind == kindPeriods {
		return c.periods(ctx)
	}
	return c.pair(ctx)
}

// question is what is asked of the measure in a period.
func (c *comparing) question(p measure.Period, by ...string) measure.Question {
	return measure.Question{
		Measure: c.definition.ID, Period: p, By: by, Policy: c.Policy, Where: c.Where,
	}
}

// told is what sentences need of the rate.
func (c *comparing) told(r measure.Result) figure.Measure {
	for _, g := range r.Groups {
		if g.ID == c.Rate {
			return c.tell.MeasureOf(c.definition, g)
		}
	}
	return figure.Measure{ID: c.definition.ID, Rate: c.Rate}
}

// settled writes the two sides into the address, which from then on names what is shown.
func (c *comparing) settled() {
	for name, value := range map[string]string{paramKind: c.kind, paramA: c.a, paramB: c.b} {
		if value == "" {
			c.More.Del(name)
			continue
		}
		c.More.Set(name, value)
	}
}

// show adds a figure to the page and to its files.
func (c *comparing) show(f figure.Figure) {
	c.parts = append(c.parts, c.part(f))
	c.sheet.figures = append(c.sheet.figures, f)
}

// gapsOf are the gaps of a comparison, for the table of all figures.
func gapsOf(c gap.Comparison) []gap.Gap {
	var out []gap.Gap
	for _, one := range c.Groups {
		if one.Gap != nil {
			out = append(out, *one.Gap)
		}
	}
	return out
}
