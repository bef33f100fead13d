package reviewing

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/facts"
)

// paramDone says in an address what a form has just done.
const paramDone = "done"

// show is the page of one review.
func (p *Pages) show(v *room.Visit) (room.Show, error) {
	q, err := v.Query(paramDone)
	if err != nil {
		return nil, err
	}
	c, err := p.look(v)
	if err != nil {
		return nil, err
	}
	if done := q.Get(paramDone); slices.Contains(deeds(), done) {
		c.out.Notices = append(c.out.Notices, page.Notice{Tone: "note", Text: c.Label("review.done", done)})
	}
	c.papers(nil)
	return c.shown(p, http.StatusOK), nil
}

// look reads the case that a path names, for its reader. The trail names the patient.
func (p *Pages) look(v *room.Visit) (*caseView, error) {
	id := v.Path(idName)
	found, err := p.cfg.Desk.Case(v.Context(), id, v.Who().Subject)
	if errors.Is(err, review.ErrUnknown) {
		return nil, fmt.Errorf("%w: %w", room.ErrNotFound, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read a review: %w", err)
	}
	v.About(found.Event.Patient)
	history, err := p.cfg.Desk.History(v.Context(), id, v.Who().Subject)
	if err != nil {
		return nil, fmt.Errorf("read the versions of a review: %w", err)
	}
	c := &caseView{
		teller: tellerOf(v, found.Sites), visit: v, Case: found, id: id, reader: v.Who().Subject,
		narrative: v.May(scope.Narrative),
	}
	c.out = page.Review{Board: v.Board(c.Say("review.one"), "")}
	c.head()
	c.event()
	c.patient()
	c.interpreter()
	c.similar()
	c.opinions()
	c.came()
	c.out.History = c.history(history)
	return c, nil
}

// caseView is a case while its page is made.
type caseView struct {
	*teller
	review.Case
	visit  *room.Visit
	id     string
	reader string
	// narrative says that the reader may see free text.
	narrative bool
	out       page.Review
}

// shown writes the page.
func (c *caseView) shown(p *Pages, status int) room.Show {
	return func(w http.ResponseWriter, r *http.Request) { p.cfg.Room.Pages().Review(w, r, status, c.out) }
}

// address is that of the page.
func (c *caseView) address() string { return ListPath + "/" + c.id }

// seen is what is known of the event now, or was when the review was last written.
func (c *caseView) seen() review.Particulars { return c.Review.Seen }

func (c *caseView) head() {
	seen := c.seen()
	c.out.Crumbs = c.crumbs(c.visit)
	said := []string{c.value("category", seen.Category), c.date(seen.Date), c.group(mapping.DimensionSite, seen.Site)}
	c.out.Lead = strings.Join(said, " · ") + " — " + c.state(c.Review.State)
	notice := func(tone, text string) {
		c.out.Notices = append(c.out.Notices, page.Notice{Tone: tone, Text: text})
	}
	if seen.Actuality == mapping.Potential {
		notice("note", c.Say("review.near"))
	}
	if c.Withdrawn {
		notice("check", c.Say("review.withdrawn.why"))
	}
	if c.Overdue {
		notice("check", c.Say("review.overdue.one", c.midnight(c.Due)))
	}
	if c.Review.Needed > 1 && c.Review.State != review.Settled {
		notice("note", c.Say("review.two"))
	}
}

// event are the facts of the event. Of one that is withdrawn, it is what was known.
func (c *caseView) event() {
	seen, e := c.seen(), &c.Event
	add := func(key, family, value, from string) {
		c.out.Event = append(c.out.Event, page.Known{
			Name: c.Say(key), Value: c.value(family, value), From: from, Absent: !known(value),
		})
	}
	c.out.Event = append(c.out.Event, page.Known{
		Name: c.Say("review.col.date"), Value: c.date(seen.Date), From: e.DateFrom, Absent: seen.Date == "",
	})
	if seen.Known != "" && seen.Known != seen.Date {
		c.out.Event = append(c.out.Event, page.Known{Name: c.Say("review.noticed"), Value: c.date(seen.Known)})
	}
	add("review.col.category", "category", seen.Category, "")
	add("events.actuality", "actuality", seen.Actuality, "")
	add("review.col.severity", "severity", seen.Severity, "")
	if e.Seriousness != "" {
		add("quality.element.AdverseEvent.seriousness", "review.seriousness", e.Seriousness, "")
	}
	add("events.outcome", "outcome", seen.Outcome, "")
	c.out.Event = append(c.out.Event, page.Known{
		Name: c.Say("review.col.site"), Value: c.group(mapping.DimensionSite, seen.Site), Absent: !known(seen.Site),
	})
	if c.Withdrawn {
		return
	}
	c.out.Event = append(c.out.Event, c.visitOf(), page.Known{
		Name: c.Say("review.recorded"), Value: c.value("inequity", e.Recorded), Absent: !known(e.Recorded),
		Note: c.Say("review.recorded.note"),
	})
}

// visitOf is the encounter that the event belongs to.
func (c *caseView) visitOf() page.Known {
	e := &c.Event
	out := page.Known{Name: c.Say("review.visit")}
	if !e.Linked {
		out.Value, out.Absent = c.Say("review.visit.none"), true
		return out
	}
	said := []string{c.value("class", e.Class)}
	if e.Telehealth {
		said = append(said, c.Say("visits.telehealth"))
	}
	if day := c.midnight(e.Start); day != "" {
		said = append(said, day)
	}
	if day := c.midnight(e.End); day != "" && !e.End.Equal(e.Start) {
		said = append(said, c.Say("visits.until", day))
	}
	out.Value = strings.Join(said, ", ")
	return out
}

// patient are the mapped fields of who the patient is: what the equity of care turns on.
func (c *caseView) patient() {
	switch {
	case c.Withdrawn:
		c.out.Stranger = c.Say("review.patient.withdrawn")
	case !c.Event.Known:
		c.out.Stranger = c.Say("review.patient.stranger")
	}
	for _, f := range c.Fields {
		switch f.Dimension { // They follow from others, or stand with the event.
		case mapping.DimensionRaceEthnicity, mapping.DimensionLanguageGroup, mapping.DimensionSite:
			continue
		}
		c.out.Patient = append(c.out.Patient, page.Known{
			Name: c.DimensionTitle(f.Dimension), Value: c.group(f.Dimension, f.Key), From: f.From,
			Absent: !known(f.Key),
		})
	}
}

// interpreter is need against use at the encounter.
func (c *caseView) interpreter() {
	if c.Withdrawn {
		return
	}
	i := c.Interpreter
	out := &page.Interpreter{
		Tone: toneOf(i.Met), Says: c.Label("review.met", string(i.Met)),
		Terms: []page.Known{{
			Name: c.Say("visits.need"), Value: c.value("interpreter_need", i.Need), From: i.From,
			Absent: !known(i.Need),
		}},
	}
	if i.Use == mapping.NoneDocumented {
		out.Note = c.Say("visits.note")
	}
	if i.Use != "" {
		out.Terms = append(out.Terms, page.Known{Name: c.Say("visits.use"), Value: c.Label("use", string(i.Use))})
	}
	c.out.Interpreter = out
}

// toneOf is the tone in which it is said how a need was met.
func toneOf(m review.Met) string {
	switch m {
	case review.MetAdHoc, review.NotMet:
		return "act"
	case review.NeedUnknown, review.NoEncounter:
		return "check"
	case review.MetByInterpreter, review.MetArranged, review.NoNeed:
	}
	return "note"
}

// fewEvents is below how many events a count says little: a row says so.
const fewEvents = 10

// similar counts the events like this one by group, the groups of its patient marked.
func (c *caseView) similar() {
	if c.Withdrawn || len(c.Similar) == 0 {
		c.out.NotAlike = c.Say("review.alike.none")
		return
	}
	c.out.Cautions = []string{c.Say("review.alike.what"), c.Say("review.harm"), c.Say("review.alike.small")}
	table := figure.Table{Caption: c.Say("review.alike.caption"), Columns: []figure.Column{
		{Title: c.Say("review.col.group")}, {Title: c.Say("review.col.events"), Number: true},
		{Title: c.Say("review.col.asked"), Number: true}, {Title: c.Say("review.col.yes"), Number: true},
	}}
	for _, a := range c.Similar {
		switch a.Dimension {
		case mapping.DimensionRace, mapping.DimensionEthnicity, mapping.DimensionLanguage:
			continue // Race and ethnicity in one, and languages in groups, are counts that say more.
		}
		table.Rows = append(table.Rows, c.alike(a))
	}
	c.out.Alike = table
}

func (c *caseView) alike(a facts.Alike) figure.TableRow {
	own := c.Event.Groups[a.Dimension] == a.Key
	head := figure.Cell{Text: c.DimensionTitle(a.Dimension) + ": " + c.group(a.Dimension, a.Key)}
	row := figure.TableRow{}
	if own {
		head.Note, row.Kind = c.Say("review.alike.own"), figure.KindReference
	} else if !known(a.Key) {
		row.Kind = figure.KindUnknown
	}
	events := figure.Cell{Text: c.Count(float64(a.Events))}
	if a.Events < fewEvents {
		events.Note = c.Say("review.alike.few")
	}
	row.Cells = []figure.Cell{
		head, events, {Text: c.Count(float64(a.Answered))}, {Text: c.Count(float64(a.Yes))},
	}
	return row
}
