package dashboard

import (
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/page"
)

// The fields that the forms of several pages have. Each option is a value that the address can have.

// quartersOffered and monthsOffered bound a list that would be long.
const (
	quartersOffered = 8
	monthsOffered   = 13
)

// periodField offers the calendar periods of some lengths, and the one that is shown.
func (v *visit) periodField(s span, shown measure.Period, lengths ...int) page.Field {
	f := page.Field{Name: paramPeriod, Label: v.words.Say("choice.period"), Value: periodName(shown)}
	add := func(p measure.Period) {
		label := v.words.Period(p)
		if !s.over(p) {
			label = v.words.Say("choice.sofar", label)
		}
		f.Options = append(f.Options, page.Option{
			Value: periodName(p), Label: label, Chosen: periodName(p) == f.Value,
		})
	}
	for _, length := range lengths {
		list := s.periods(length)
		switch length {
		case monthsInQuarter:
			list = list[:min(len(list), quartersOffered)]
		case 1:
			list = list[:min(len(list), monthsOffered)]
		}
		for _, p := range list {
			add(p)
		}
	}
	if !slices.ContainsFunc(f.Options, func(o page.Option) bool { return o.Chosen }) {
		add(shown)
	}
	return f
}

// dimensionField offers some dimensions, or crosses of them.
func (v *visit) dimensionField(label, shown string, dimensions []string) page.Field {
	f := page.Field{Name: paramBy, Label: label, Value: shown}
	for _, d := range dimensions {
		f.Options = append(f.Options, page.Option{
			Value: d, Label: v.words.DimensionTitle(d), Chosen: d == shown,
		})
	}
	return f
}

// referenceField offers the rules by which a reference is chosen, and the groups that can be one.
func (v *visit) referenceField(shown gap.Reference, groups ...page.Option) page.Field {
	if shown == "" {
		shown = gap.Best
	}
	f := page.Field{
		Name: paramReference, Label: v.words.Say("choice.reference"), Value: string(shown),
	}
	for _, rule := range []gap.Reference{gap.Best, gap.Largest, gap.Overall} {
		f.Options = append(f.Options, page.Option{
			Value: string(rule), Label: v.words.Say("choice.reference." + string(rule)), Chosen: rule == shown,
		})
	}
	for _, g := range groups {
		g.Chosen = g.Value == string(shown)
		f.Options = append(f.Options, g)
	}
	if !slices.ContainsFunc(f.Options, func(o page.Option) bool { return o.Chosen }) {
		f.Options = append(f.Options, page.Option{Value: string(shown), Label: short(string(shown)), Chosen: true})
	}
	return f
}

// policyField offers how recorded races become groups.
func (v *visit) policyField() page.Field {
	shown := v.Policy
	if shown == "" {
		shown = mapping.PolicyOMB1997
	}
	f := page.Field{Name: paramPolicy, Label: v.words.Say("choice.policy"), Value: string(v.Policy)}
	for _, p := range mapping.Policies() {
		f.Options = append(f.Options, page.Option{
			Value: string(p), Label: v.words.Say("choice.policy." + string(p)), Chosen: p == shown,
		})
	}
	return f
}

// audienceFields offer to look at the page as the public does; nothing, to those who can do nothing else.
func (v *visit) audienceFields() []page.Field {
	if !v.rights.Small {
		return nil
	}
	f := page.Field{Name: paramAudience, Label: v.words.Say("choice.audience")}
	if v.Audience != release.Internal {
		f.Value = string(v.Audience)
	}
	for _, a := range []release.Audience{release.Internal, release.Public} {
		f.Options = append(f.Options, page.Option{
			Value: string(a), Label: v.words.Label("audience", string(a)), Chosen: a == v.Audience,
		})
	}
	return []page.Field{f}
}

// hidden are the parameters that every form keeps as they are, and others that one keeps.
func (v *visit) hidden(others ...page.Term) []page.Term {
	if v.Language != "" {
		others = append(others, page.Term{Name: paramLanguage, Value: v.Language})
	}
	return others
}
