package institution

import (
	"cmp"
	"slices"

	"github.com/equitylens/equitylens/improvement/network"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// choices ask for a period, a measure, a rate of it, and a group.
func (n *networking) choices() {
	form := &page.Form{Action: page.NetworkPath}
	if lang := n.visit.Request.URL.Query().Get("lang"); lang != "" {
		form.Hidden = append(form.Hidden, page.Term{Name: "lang", Value: lang})
	}
	form.Fields = []page.Field{{
		Name: paramPeriod, Label: n.Say("choice.period"), Value: n.name, Help: n.Say("network.period"),
	}}
	n.out.Form = form
	chosen := n.chosen()
	if chosen == nil {
		return
	}
	which := page.Field{Name: paramMeasure, Label: n.Say("action.measure"), Value: chosen.Measure}
	rate := page.Field{Name: paramRate, Label: n.Say("network.rate"), Value: chosen.Rate}
	group := page.Field{Name: paramGroup, Label: n.Say("network.group"), Value: chosen.Group, Options: []page.Option{
		{Label: n.Say("network.everybody"), Chosen: chosen.Group == ""},
	}}
	add := func(f *page.Field, value, label string, chosen bool) {
		if !slices.ContainsFunc(f.Options, func(o page.Option) bool { return o.Value == value }) {
			f.Options = append(f.Options, page.Option{Value: value, Label: label, Chosen: chosen})
		}
	}
	by := n.asked.Get(paramBy)
	for i := range n.Figures {
		f := &n.Figures[i]
		d := n.definition(f.Measure)
		title := cmp.Or(d.Words(n.language()).Title, f.Title)
		add(&which, f.Measure, words.Plain(title), f.Measure == chosen.Measure)
		if f.Measure == chosen.Measure {
			add(&rate, f.Rate, n.measure(f).Words.Title, f.Rate == chosen.Rate)
		}
		if f.Measure == chosen.Measure && f.Rate == chosen.Rate && f.Dimension != "" && f.Dimension == by {
			add(&group, f.Group, n.group(f), f.Group == chosen.Group)
		}
	}
	form.Fields = append(form.Fields, which)
	if len(rate.Options) > 1 {
		form.Fields = append(form.Fields, rate)
	}
	dimension := page.Field{Name: paramBy, Label: n.Say("choice.by"), Value: by, Options: []page.Option{
		{Label: n.Say("network.everybody"), Chosen: by == ""},
	}}
	for _, one := range network.UsualDimensions() {
		add(&dimension, one, n.DimensionTitle(one), one == by)
	}
	form.Fields = append(form.Fields, dimension)
	if by != "" {
		form.Fields = append(form.Fields, group)
	}
}
