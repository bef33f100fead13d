package dashboard

import (
	"maps"
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// board is what stands around the comparison. It comes last, for by then everything is settled.
func (c *comparing) board() page.Board {
	c.settled()
	b := c.visit.board(ComparePath)
	b.Title = c.words.Say("compare.title")
	b.Lead = c.words.Say("compare.lead")
	b.Crumbs = []page.Link{
		{Text: c.words.Say("board.definitions"), URL: c.to(DefinitionsPath).String()},
		{Text: words.Plain(c.rate.Words(c.language()).Title), URL: c.measurePage().String()},
	}
	b.Notices = append(b.Notices, c.notices...)
	b.Form = c.form()
	if len(c.sheet.results) > 0 {
		b.Files = c.tables()
	}
	b.Provenance = append(c.provenance(), b.Provenance...)
	c.released(&b, c.sheet.results)
	return b
}

// language is that of the words, as definitions name it.
func (c *comparing) language() string {
	base, _ := c.words.Tag().Base()
	return base.String()
}

// measurePage is where the measure is shown in depth.
func (c *comparing) measurePage() address {
	a := c.to(MeasurePath + c.definition.ID)
	a.Rate, a.By = c.Rate, c.By
	if c.kind == kindGroups {
		a.Group = c.a
	}
	return a
}

// provenance says what was compared.
func (c *comparing) provenance() []page.Term {
	terms := []page.Term{
		{Name: c.words.Say("compare.measure"), Value: words.Plain(c.definition.ID + " " + c.definition.Version)},
	}
	for _, r := range c.sheet.results {
		terms = append(terms, page.Term{
			Name: c.words.Say("choice.period"), Value: c.words.Period(r.Period),
		})
	}
	for _, key := range slices.Sorted(maps.Keys(c.Where)) {
		for _, value := range c.Where[key] {
			terms = append(terms, page.Term{
				Name: c.words.Say("compare.only", c.words.Dimension(key)), Value: c.words.Group(key, coding(value)),
			})
		}
	}
	return terms
}

// coding is the value of a filter: a code, or "~" and a state.
func coding(value string) measure.Coding {
	if len(value) > 1 && value[0] == '~' {
		return measure.Coding{State: value[1:]}
	}
	return measure.Coding{Code: value, State: string(mapping.Known)}
}

// form is what can be chosen.
func (c *comparing) form() *page.Form {
	f := &page.Form{
		Action: ComparePath, Hidden: c.hidden(c.kept()...), Clear: c.to(ComparePath).String(),
		Fields: []page.Field{c.kindField(), c.measureField()},
	}
	side := func(name, label, chosen string, options []page.Option) {
		if len(options) == 0 {
			return
		}
		options = slices.Clone(options)
		for i := range options {
			options[i].Chosen = options[i].Value == chosen
		}
		f.Fields = append(f.Fields, page.Field{Name: name, Label: c.words.Say(label), Options: options})
	}
	if c.kind != kindSites {
		dimensions := measure.Dimensions()
		if !slices.Contains(dimensions, c.By) {
			dimensions = append(dimensions, c.By)
		}
		f.Fields = append(f.Fields, c.dimensionField(c.words.Say("choice.by"), c.By, dimensions))
	}
	if c.kind != kindPeriods {
		f.Fields = append(f.Fields, c.periodField(c.span, c.period, c.lengths()...))
	}
	side(paramA, "compare.a."+c.kind, c.a, c.offered)
	side(paramB, "compare.b."+c.kind, c.b, c.offered)
	if c.Audience == release.Internal && c.kind != kindSites {
		f.More = append(f.More, c.policyField())
	}
	f.More = append(f.More, c.audienceFields()...)
	return f
}

// kept are the filters, which the form carries along.
func (c *comparing) kept() []page.Term {
	var out []page.Term
	for _, key := range slices.Sorted(maps.Keys(c.Where)) {
		for _, value := range c.Where[key] {
			out = append(out, page.Term{Name: paramWhere + key, Value: value})
		}
	}
	return out
}

// lengths are those of the periods that are offered. Only years are public.
func (c *comparing) lengths() []int {
	if c.Audience != release.Internal {
		return []int{monthsInYear}
	}
	return []int{monthsInYear, monthsInQuarter}
}

func (c *comparing) kindField() page.Field {
	f := page.Field{Name: paramKind, Label: c.words.Say("compare.kind")}
	for _, kind := range compareKinds() {
		f.Options = append(f.Options, page.Option{
			Value: kind, Label: c.words.Say("compare.kind." + kind), Chosen: kind == c.kind,
		})
	}
	return f
}

// measureField offers every rate of every measure.
func (c *comparing) measureField() page.Field {
	f := page.Field{Name: paramMeasure, Label: c.words.Say("compare.measure")}
	for _, d := range c.snapshot.Definitions() {
		rates := d.Rates()
		for _, r := range rates {
			option := page.Option{Value: d.ID, Label: words.Plain(r.Words(c.language()).Title),
				Chosen: d.ID == c.definition.ID && r.ID == c.Rate}
			if len(rates) > 1 {
				option.Value += rateSeparator + r.ID
			}
			f.Options = append(f.Options, option)
		}
	}
	return f
}
