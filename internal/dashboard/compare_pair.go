package dashboard

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
)

// pair compares two groups of the dimension, or two sites.
func (c *comparing) pair(ctx context.Context) error {
	by := []string{c.By}
	if c.Audience == release.Internal {
		by = append(by, gap.CrossesFor(by)...)
	}
	asked := c.question(c.period, by...)
	r, err := c.snapshot.Answer(ctx, asked, c.Audience)
	if errors.Is(err, measure.ErrOverlapping) {
		// Groups that overlap are not crossed: they are shown side by side.
		asked.By = asked.By[:1]
		r, err = c.snapshot.Answer(ctx, asked, c.Audience)
	}
	if err != nil {
		return fmt.Errorf("compare %s: %w", c.definition.ID, err)
	}
	c.sheet.results = []measure.Result{r}
	found, err := c.sides(r)
	if err != nil {
		return err
	}
	c.sheet.gaps = gapsOf(found)
	m := c.told(r)
	c.show(c.tell.Pair(found, c.a, m))
	parts, ok := c.tell.Parts(found, c.a, m)
	if ok {
		c.show(parts)
	}
	var sites figure.Figure
	if _, crossed := groupOf(r, c.Rate).Strata[c.By+"*"+mapping.DimensionSite]; crossed && c.a != "" {
		sites = c.tell.Sites(r, found, c.a, m)
		c.show(sites)
	}
	c.warn(found, sites, parts)
	return nil
}

// groupOf is a rate of a result.
func groupOf(r measure.Result, rate string) measure.Group {
	i := slices.IndexFunc(r.Groups, func(g measure.Group) bool { return g.ID == rate })
	if i < 0 {
		return measure.Group{}
	}
	return r.Groups[i]
}

// sides settles which two are compared, and compares all with the second. Of an address that names none,
// or one that is not there, the second is the reference and the first the group of the largest gap.
func (c *comparing) sides(r measure.Result) (gap.Comparison, error) {
	first, err := gap.Compare(r, c.Rate, c.By, gap.Options{Reference: gap.Overall})
	if err != nil {
		return first, fmt.Errorf("compare %s: %w", c.definition.ID, err)
	}
	for _, one := range first.Groups {
		if one.State == string(mapping.Known) {
			c.offered = append(c.offered, page.Option{Value: one.Code, Label: c.words.Group(c.By,
				measure.Coding{Code: one.Code, State: one.State, Label: one.Label})})
		}
	}
	offers := func(code string) bool {
		return slices.ContainsFunc(c.offered, func(o page.Option) bool { return o.Value == code })
	}
	for _, side := range []*string{&c.a, &c.b} {
		if *side != "" && !offers(*side) {
			c.notices = append(c.notices, page.Notice{Tone: "check",
				Text: c.words.Say("compare.no-group", short(*side), c.words.Dimension(c.By))})
			*side = ""
		}
	}
	if c.a != "" && c.a == c.b {
		c.notices = append(c.notices, page.Notice{Tone: "check", Text: c.words.Say("compare.same")})
		c.b = ""
	}
	rule := gap.Reference(c.b)
	if c.b == "" {
		rule = c.rule(r)
	}
	found, err := gap.Compare(r, c.Rate, c.By, gap.Options{Reference: rule})
	if errors.Is(err, gap.ErrNoReference) {
		c.notices = append(c.notices, page.Notice{Tone: "check",
			Text: c.words.Say("compare.few", c.nameOf(string(rule)))})
		found, err = gap.Compare(r, c.Rate, c.By, gap.Options{})
	}
	if err != nil {
		return found, fmt.Errorf("compare %s: %w", c.definition.ID, err)
	}
	c.b = ""
	if found.Reference != nil {
		c.b = found.Reference.Code
	}
	c.first(found)
	c.settled()
	return found, nil
}

// rule is by what the second is chosen where the address does not name it: as the address has it, but
// neither everybody, who is no group, nor the first.
func (c *comparing) rule(r measure.Result) gap.Reference {
	rule := c.Reference
	if rule == gap.Overall {
		rule = ""
	}
	found, err := gap.Compare(r, c.Rate, c.By, gap.Options{Reference: rule})
	if err != nil || found.Reference == nil || found.Reference.Code != c.a {
		return rule
	}
	// The first is the reference itself: it is compared with the largest of the others.
	var other gap.Compared
	for _, one := range found.Groups {
		if one.Gap != nil && one.N > other.N {
			other = one
		}
	}
	return gap.Reference(other.Code)
}

// first settles the first group where the address names none: that of the gap that surely affects most.
func (c *comparing) first(found gap.Comparison) {
	if c.a != "" && c.a != c.b {
		return
	}
	c.a = ""
	var lead *gap.Gap
	for _, one := range found.Groups {
		g := one.Gap
		if g != nil && (lead == nil || g.AtLeast > lead.AtLeast ||
			g.AtLeast >= lead.AtLeast && g.Affected > lead.Affected) {
			lead = g
		}
	}
	if lead != nil {
		c.a = lead.Code
		return
	}
	for _, o := range c.offered {
		if o.Value != c.b {
			c.a = o.Value
			return
		}
	}
}

// nameOf is a group that is offered, as a name that stands alone.
func (c *comparing) nameOf(code string) string {
	for _, o := range c.offered {
		if o.Value == code {
			return o.Label
		}
	}
	return short(code)
}

// warn says above everything else that a gap is the other way round within the sites, or at the same ages:
// whoever reads only one thing has to read that. That nothing is left of it there is a notice.
func (c *comparing) warn(found gap.Comparison, sites, parts figure.Figure) {
	shown := map[string]figure.Figure{mapping.DimensionSite: sites, mapping.DimensionAgeBand: parts}
	key := map[string]string{
		mapping.DimensionSite: "compare.warning.sites", mapping.DimensionAgeBand: "compare.warning.parts",
	}
	for _, one := range found.Groups {
		if one.Gap == nil || one.Code != c.a {
			continue
		}
		for _, w := range one.Gap.Within {
			switch {
			case w.Reverses && c.warning == nil:
				c.warning = &page.Warning{
					Title: c.words.Say("compare.warning"), Table: shown[w.By].Table,
					Text: c.words.Say("compare.reverses."+w.By, c.nameOf(c.a), c.nameOf(c.b)),
					More: page.Link{Text: c.words.Say(key[w.By]), URL: "#" + shown[w.By].ID},
				}
			case w.Reverses:
				c.notices = append(c.notices, page.Notice{Tone: "act",
					Text: c.words.Say("compare.reverses."+w.By, c.nameOf(c.a), c.nameOf(c.b))})
			case w.Fades:
				c.notices = append(c.notices, page.Notice{Tone: "check",
					Text: c.words.Say("compare.fades."+w.By, c.nameOf(c.a), c.nameOf(c.b))})
			}
		}
	}
}
