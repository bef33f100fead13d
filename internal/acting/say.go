package acting

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// teller says what actions hold, in the language of the reader.
type teller struct {
	*words.Words
	visit *room.Visit
	tell  *figure.Teller
	// definitions are the measures that there are, sites the names of sites by their codes. Both are empty
	// where no snapshot is live.
	definitions []measure.Definition
	sites       map[string]string
}

// teller gathers what is needed to say what actions are about. An institution that has no snapshot yet
// has its actions all the same.
func (p *Pages) teller(v *room.Visit) (*teller, error) {
	t := newTeller(v)
	err := p.cfg.Hold(func(s Snapshot) error {
		t.know(s)
		return nil
	})
	return t, unlessEmpty(err)
}

func newTeller(v *room.Visit) *teller {
	return &teller{Words: v.Words, visit: v, tell: figure.New(v.Words)}
}

func (t *teller) know(s Snapshot) { t.definitions, t.sites = s.Definitions(), s.Facts().Sites }

// definition finds a measure by its id.
func (t *teller) definition(id string) (measure.Definition, bool) {
	i := slices.IndexFunc(t.definitions, func(d measure.Definition) bool { return d.ID == id })
	if i < 0 {
		return measure.Definition{}, false
	}
	return t.definitions[i], true
}

// measure says what a rate is called; the id of a measure stands for one that is not there any more.
func (t *teller) measure(id, rate string) string {
	d, ok := t.definition(id)
	if !ok {
		return words.Plain(id)
	}
	rates := d.Rates()
	i := slices.IndexFunc(rates, func(g measure.GroupDefinition) bool { return g.ID == rate })
	return words.Plain(rates[max(i, 0)].Words(t.language()).Title)
}

func (t *teller) language() string {
	base, _ := t.Tag().Base()
	return base.String()
}

// group names a group of a dimension by its code.
func (t *teller) group(dimension, code string) string {
	c := measure.Coding{Code: code, State: string(mapping.Known)}
	if state, absent := strings.CutPrefix(code, "~"); absent {
		c = measure.Coding{State: state}
	}
	if dimension == mapping.DimensionSite {
		c.Label = t.sites[code]
	}
	return t.Group(dimension, c)
}

func (t *teller) groups(a action.Aim) string {
	var names []string
	for _, code := range a.Groups {
		names = append(names, t.group(a.Dimension, code))
	}
	return strings.Join(names, "; ")
}

// reference names that of an aim: a rule, or a group.
func (t *teller) reference(a action.Aim) string {
	rule := cmp.Or(gap.Reference(a.Reference), gap.Best)
	if slices.Contains([]gap.Reference{gap.Best, gap.Largest, gap.Overall}, rule) {
		return t.Label("choice.reference", string(rule))
	}
	return t.group(a.Dimension, a.Reference)
}

// day says a date such as 2026-03-01; one that is none says itself.
func (t *teller) day(text string) string {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return words.Plain(text)
	}
	return t.Day(d.Date())
}

func (t *teller) cause(f review.Factor) string {
	for _, c := range review.Factors() {
		if c.Code == string(f) {
			return c.Display.In(t.Tag().String())
		}
	}
	return words.Plain(string(f))
}

// who says somebody to their colleagues.
func (t *teller) who(r review.Reviewer) string {
	name := words.Plain(cmp.Or(r.Name, r.Subject))
	if r.Subject == t.visit.Who().Subject {
		return t.Say("review.you", name)
	}
	return name
}

// why says for what reasons an action asks for attention, the most pressing first, and in which tone.
func (t *teller) why(reasons []action.Reason, a *action.Action) (tone, text string) {
	var said []string
	tone = "note"
	for _, r := range reasons {
		said = append(said, t.Say("action.reason."+string(r), t.day(a.Due), t.day(a.Start)))
		switch {
		case r == action.Late:
			tone = "act"
		case tone == "note" && r != action.Soon:
			tone = "check"
		}
	}
	return tone, strings.Join(said, " ")
}

// score says a number in the unit of a measure: a share in percent, all else as it is.
func (t *teller) score(id, rate string, v float64) string {
	const decimals = 1
	if d, ok := t.definition(id); ok && d.Scoring == measure.Proportion {
		return t.Percent(v, decimals)
	}
	return t.Number(v, decimals)
}

// crumbs lead back to the list.
func (t *teller) crumbs(more ...page.Link) []page.Link {
	return append([]page.Link{{Text: t.Say("board.actions"), URL: t.visit.To(ListPath, nil)}}, more...)
}

// one is the address of an action.
func (t *teller) one(id string) string { return t.visit.To(ListPath+"/"+id, nil) }

// dimensions are those by which an action may aim.
func dimensions() []string { return measure.Dimensions() }

// unlessEmpty is no error where there merely is no snapshot yet.
func unlessEmpty(err error) error {
	if err == nil || errors.Is(err, measure.ErrNoSnapshot) {
		return nil
	}
	return fmt.Errorf("read the live snapshot: %w", err)
}

// figureFields ask of which measure and by which dimension something is, as an address has it.
func (t *teller) figureFields(q url.Values) []page.Field {
	which := page.Field{Name: paramMeasure, Label: t.Say("action.measure"), Value: q.Get(paramMeasure)}
	for i := range t.definitions {
		id := t.definitions[i].ID
		which.Options = append(which.Options, page.Option{
			Value: id, Label: words.Plain(t.definitions[i].Words(t.language()).Title), Chosen: id == which.Value,
		})
	}
	by := page.Field{Name: paramBy, Label: t.Say("choice.by"), Value: q.Get(paramBy)}
	for _, name := range dimensions() {
		by.Options = append(by.Options, page.Option{
			Value: name, Label: t.DimensionTitle(name), Chosen: name == by.Value,
		})
	}
	return []page.Field{which, by}
}
