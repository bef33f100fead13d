package institution

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/improvement/network"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// The parameters of the page of the network, beside the period. A group is named by its key, and one of
// another dimension than by is none.
const (
	paramMeasure = "measure"
	paramRate    = "rate"
	paramBy      = "by"
	paramGroup   = "group"
)

// networking is the page of a network while it is made.
type networking struct {
	*words.Words
	visit  *room.Visit
	tell   *figure.Teller
	period measure.Period
	// name is the period as addresses have it.
	name string
	// asked are the parameters of the address.
	asked url.Values
	// named says that every member is named, because we coordinate them.
	named       bool
	definitions []measure.Definition
	network.Overview
	out page.Network
}

// network is the page of the network.
func (p *Pages) network(v *room.Visit) (room.Show, error) {
	q, err := v.Query(paramPeriod, paramMeasure, paramRate, paramBy, paramGroup)
	if err != nil {
		return nil, err
	}
	n := &networking{
		Words: v.Words, visit: v, tell: figure.New(v.Words), asked: q, named: p.cfg.Coordinated != nil,
		definitions: p.cfg.Definitions,
	}
	n.out.Board = v.Board(n.Say("network.title"), page.NetworkPath)
	n.out.Lead = n.Say("network.lead")
	if by := q.Get(paramBy); by != "" && !slices.Contains(network.UsualDimensions(), by) {
		return nil, &room.InputError{Field: paramBy, Why: "want one of " + strings.Join(network.UsualDimensions(), ", ")}
	}
	// What is handed in is of a year that is over.
	if n.period, n.name, err = periodOf(q.Get(paramPeriod), p.latest(v).AddDate(-1, 0, 0)); err != nil {
		return nil, err
	}
	if p.cfg.Coordinated == nil && p.cfg.Fetched == nil {
		n.out.Joining = []string{
			n.Say("network.none"), n.Say("network.join.member"), n.Say("network.join.coordinator"),
			n.Say("network.join.what"),
		}
		return n.shown(p), nil
	}
	there, err := p.overview(n)
	if err != nil {
		return nil, err
	}
	if there {
		n.fill()
	}
	n.choices()
	return n.shown(p), nil
}

func (n *networking) shown(p *Pages) room.Show {
	return func(w http.ResponseWriter, r *http.Request) { p.cfg.Room.Pages().Network(w, r, n.out) }
}

// overview reads the period: from our own store where we coordinate, else from the coordinator. It
// reports whether there is anything to show.
func (p *Pages) overview(n *networking) (there bool, err error) {
	if p.cfg.Coordinated != nil {
		if n.Overview, err = p.cfg.Coordinated(n.visit.Context(), n.period); err != nil {
			return false, fmt.Errorf("read a period of the network: %w", err)
		}
		return true, nil
	}
	kept, at, err := p.kept.get(n.visit.Context(), n.period, n.visit.Now)
	n.Overview = kept
	if err != nil {
		p.cfg.Logger.WarnContext(n.visit.Context(), "the coordinator of the network could not be asked",
			slog.Any("cause", err))
		notice := page.Notice{Tone: "check", Text: n.Say("network.unreached")}
		if !at.IsZero() {
			notice.Text = n.Say("network.unreached.kept", n.Moment(at))
		}
		n.out.Notices = append(n.out.Notices, notice)
	}
	if at.IsZero() {
		return false, nil
	}
	n.out.Provenance = append(n.out.Provenance, page.Term{Name: n.Say("network.fetched"), Value: n.Moment(at)})
	return true, nil
}

// fill says what there is of a period.
func (n *networking) fill() {
	n.out.Says = []string{
		n.Say("network.handed", n.HandedIn, n.Members, words.Capital(n.Words.Period(n.period))),
		n.Say("network.adopted", n.Adopted, n.Assessed),
		n.Say("network.demonstrated", n.Demonstrated, n.Actions, n.Acting),
	}
	n.out.Means = []string{n.Say("network.adopted.means"), n.Say("network.demonstrated.means")}
	n.members()
	chosen := n.chosen()
	if chosen == nil {
		n.out.Nothing = n.Say("network.nothing")
		return
	}
	m := n.measure(chosen)
	n.out.Parts = []page.Part{{Figure: n.tell.Network(n.pool(chosen), m)}}
	if !n.named {
		n.out.Unnamed = n.Say("network.unnamed")
	}
	n.groups(chosen, m)
	n.out.Provenance = append([]page.Term{
		{Name: n.Say("measure.measure"), Value: words.Plain(chosen.Measure + " " + chosen.Version)},
	}, n.out.Provenance...)
}

// members are those that the reader may name, and what they handed in.
func (n *networking) members() {
	n.out.MembersTitle = n.Say("network.members.own")
	if n.named {
		n.out.MembersTitle = n.Say("network.members")
	}
	n.out.Members = figure.Table{
		Caption: n.Say("network.members.caption", n.Words.Period(n.period)),
		Columns: columns(n.Words, "network.member", "network.received", "network.has-adopted", "network.actions",
			"network.shown"),
	}
	for i := range n.out.Members.Columns {
		const numbers = 3
		n.out.Members.Columns[i].Number = i >= numbers
	}
	for _, m := range n.Standings {
		row := figure.TableRow{Cells: []figure.Cell{
			{Text: words.Plain(m.Name)}, {Text: n.Say("network.not-received")}, {}, {}, {},
		}}
		if m.HandedIn && m.At != nil {
			adopted := "network.no"
			if m.Adopted {
				adopted = "network.yes"
			}
			row.Cells = []figure.Cell{
				{Text: words.Plain(m.Name)}, {Text: n.Moment(*m.At), Note: n.Say("network.version", m.Version)},
				{Text: n.Say(adopted)}, {Text: n.Count(float64(m.Actions))}, {Text: n.Count(float64(m.Demonstrated))},
			}
		} else {
			row.Kind = figure.KindUnknown
		}
		n.out.Members.Rows = append(n.out.Members.Rows, row)
	}
}

// chosen is the figure that the address asks for, or the first one. What a form still holds of another
// measure or dimension is not asked for.
func (n *networking) chosen() *network.Pooled {
	i := slices.IndexFunc(n.Figures, func(f network.Pooled) bool { return f.Measure == n.asked.Get(paramMeasure) })
	if i < 0 {
		i = 0
	}
	if len(n.Figures) == 0 {
		return nil
	}
	first := &n.Figures[i]
	rate := first.Rate
	found := first
	for k := range n.Figures {
		f := &n.Figures[k]
		if f.Measure == first.Measure && f.Dimension == "" && f.Rate == n.asked.Get(paramRate) {
			found, rate = f, f.Rate
		}
	}
	for k := range n.Figures {
		f := &n.Figures[k]
		if f.Measure == first.Measure && f.Rate == rate && f.Dimension != "" &&
			f.Dimension == n.asked.Get(paramBy) && f.Group == n.asked.Get(paramGroup) {
			return f
		}
	}
	return found
}

// definition finds a measure by its id.
func (n *networking) definition(id string) measure.Definition {
	for _, d := range n.definitions {
		if d.ID == id {
			return d
		}
	}
	return measure.Definition{}
}

// measure is what sentences need of a figure.
func (n *networking) measure(f *network.Pooled) figure.Measure {
	return n.tell.MeasureOf(n.definition(f.Measure), measure.Group{
		ID: f.Rate, Scoring: f.Scoring, Improvement: f.Improvement, Per: f.Per, Title: f.Title,
	})
}

// pool is a figure of all members as figures tell it.
func (n *networking) pool(f *network.Pooled) figure.Pool {
	p := figure.Pool{
		Measure: f.Measure, Version: f.Version, Period: n.period, Dimension: f.Dimension, Code: f.Group,
		Label: f.Label, Interval: f.Interval, N: float64(f.Denominator), Showing: f.Showing, Hidden: f.Hidden,
		Absent: f.Absent, Least: network.Least, Spread: f.Overdispersion,
	}
	if f.Enough {
		p.Score = f.Score
	}
	for _, s := range f.Standings {
		one := figure.PoolMember{
			Name: s.Name, Number: s.Number, Own: s.Own, Score: s.Score, Interval: s.Interval,
			N: float64(s.Denominator), Inner: s.Limits95, Outer: s.Limits998,
		}
		switch s.Outside {
		case network.Below95:
			one.Below = true
		case network.Above95:
			one.Above = true
		case network.Below998:
			one.Below, one.Far = true, true
		case network.Above998:
			one.Above, one.Far = true, true
		case network.Inside:
		}
		p.Members = append(p.Members, one)
	}
	return p
}

// groups are those of the chosen dimension, with what all members together come to.
func (n *networking) groups(chosen *network.Pooled, m figure.Measure) {
	by := n.asked.Get(paramBy)
	if by == "" {
		return
	}
	n.out.Groups = figure.Table{
		Caption: n.Say("network.groups.caption", m.Words.Title, n.Dimension(by), n.Words.Period(n.period)),
		Columns: []figure.Column{
			{Title: n.Say("network.group")}, {Title: n.Say("network.showing"), Number: true},
			{Title: words.Capital(n.Say("figure.column.score", n.tell.ScoreUnit(m))), Number: true},
			{Title: n.Say("network.gap.plain"), Number: true},
		},
	}
	for i := range n.Figures {
		f := &n.Figures[i]
		if f.Measure != chosen.Measure || f.Rate != chosen.Rate || f.Dimension != by {
			continue
		}
		row := figure.TableRow{Cells: []figure.Cell{
			{Text: n.group(f), Href: n.visit.To(page.NetworkPath, url.Values{
				paramPeriod: {n.name}, paramMeasure: {f.Measure}, paramRate: {f.Rate}, paramBy: {by},
				paramGroup: {f.Group},
			})},
			{Text: n.Count(float64(f.Showing))}, {Text: n.Say("network.too-few")}, {},
		}}
		if f.Enough && f.Score != nil {
			row.Cells[2].Text = n.tell.Score(m, *f.Score, f.Interval)
		}
		if g := f.Gap; g != nil && g.Difference != nil {
			row.Cells[3].Text = n.tell.Difference(m, g.Difference.Value, g.Difference.Interval)
			row.Cells[3].Note = n.Say("network.gap", n.called(by, g.Reference, g.Label))
		}
		if strings.HasPrefix(f.Group, "~") {
			row.Kind = figure.KindUnknown
		}
		n.out.Groups.Rows = append(n.out.Groups.Rows, row)
	}
}

// group names the group of a figure.
func (n *networking) group(f *network.Pooled) string { return n.called(f.Dimension, f.Group, f.Label) }

// called names a group by its key.
func (n *networking) called(dimension, key, label string) string {
	c := measure.Coding{Code: key, Label: label, State: string(mapping.Known)}
	if state, absent := strings.CutPrefix(key, "~"); absent {
		c = measure.Coding{State: state, Label: label}
	}
	return n.Group(dimension, c)
}

// language is that of the reader, as definitions name it.
func (n *networking) language() string {
	base, _ := n.Tag().Base()
	return base.String()
}
