package acting

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/export"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/facts"
)

// Evidence is what the figures show of an action, and what they were made of.
type Evidence struct {
	Action action.Action
	Effect effect.Effect
	// Definition is that of the measure; Before and After are its results over the whole months that were
	// compared, by the dimension of the action. They are absent where there is nothing to compare.
	Definition    measure.Definition
	Before, After *measure.Result
	Snapshot      facts.Info
}

// paramView asks for the page as it is printed.
const (
	paramView = "view"
	viewPrint = "print"
)

// proving is the page of evidence while it is made.
type proving struct {
	*teller
	Evidence
	measure figure.Measure
	figures []figure.Figure
	// refused says why there are no figures.
	refused string
}

// evidence is the page of what the figures show of an action.
func (p *Pages) evidence(v *room.Visit) (room.Show, error) {
	q, err := v.Query(paramView)
	if err != nil {
		return nil, err
	}
	printed := q.Get(paramView) == viewPrint
	if q.Get(paramView) != "" && !printed {
		return nil, &room.InputError{Field: paramView, Why: "want " + viewPrint}
	}
	e, err := p.prove(v)
	if err != nil {
		return nil, err
	}
	out := e.page(printed)
	if p.cfg.Bundle != nil && e.refused == "" {
		out.Files = append(out.Files, page.Link{Text: "FHIR", URL: v.To(e.path()+"/files/"+bundleFile, nil)})
	}
	return func(w http.ResponseWriter, r *http.Request) { p.cfg.Room.Pages().Evidence(w, r, out) }, nil
}

// prove asks the figures of the action that a path names.
func (p *Pages) prove(v *room.Visit) (*proving, error) {
	found, err := p.cfg.Register.Get(v.Context(), v.Path(idName))
	if err != nil {
		return nil, err
	}
	others, err := p.cfg.Register.List(v.Context(), action.Filter{Measure: found.Aim.Measure})
	if err != nil {
		return nil, err
	}
	conditions, err := p.cfg.Register.Conditions(v.Context())
	if err != nil {
		return nil, err
	}
	e := &proving{teller: newTeller(v), Evidence: Evidence{Action: found}}
	return e, p.cfg.Hold(func(s Snapshot) error {
		e.know(s)
		return e.ask(v.Context(), s, effect.Options{Others: others, Conditions: conditions})
	})
}

// ask evaluates the effect.
func (e *proving) ask(ctx context.Context, s Snapshot, o effect.Options) error {
	var ok bool
	e.Snapshot = s.Facts().Info
	if e.Definition, ok = e.definition(e.Action.Aim.Measure); !ok {
		e.refused = e.Say("action.refused.measure")
		return nil
	}
	q, err := effect.Question(e.Action, 0, e.Snapshot.DataAsOf)
	if err != nil {
		e.refused = e.Say("action.refused.months")
		return nil
	}
	months, err := s.Months(ctx, q)
	if err == nil {
		e.Effect, err = effect.Evaluate(months, e.Action, o)
	}
	switch {
	case errors.Is(err, gap.ErrNoMonths), errors.Is(err, effect.ErrQuestion):
		e.refused = e.Say("action.refused.months")
		return nil
	case err != nil:
		return fmt.Errorf("ask for the effect of an action: %w", err)
	}
	for _, g := range months[len(months)-1].Groups {
		if g.ID == e.Effect.Rate {
			e.measure = e.tell.MeasureOf(e.Definition, g)
		}
	}
	e.figures = e.tell.Effect(e.Effect, e.measure)
	return e.sides(ctx, s, q)
}

// sides asks for the results before and after, as they go into the Bundle.
func (e *proving) sides(ctx context.Context, s Snapshot, q measure.Question) error {
	for _, side := range []struct {
		span effect.Span
		to   **measure.Result
	}{{e.Effect.Before, &e.Before}, {e.Effect.After, &e.After}} {
		if side.span.Months == 0 {
			continue
		}
		first, err := measure.ParsePeriod(side.span.From)
		if err != nil {
			return fmt.Errorf("read the months of an effect: %w", err)
		}
		last, err := measure.ParsePeriod(side.span.To)
		if err != nil {
			return fmt.Errorf("read the months of an effect: %w", err)
		}
		asked := q
		asked.Period = measure.Period{Start: first.Start, End: last.End}
		result, err := s.Answer(ctx, asked, release.Internal)
		if err != nil {
			return fmt.Errorf("ask for one side of an effect: %w", err)
		}
		*side.to = &result
	}
	return nil
}

// path is that of the page.
func (e *proving) path() string { return ListPath + "/" + e.Action.ID + "/effect" }

// page is what is shown. The first figure says what changed; its sentences are the verdict, and its notes
// what speaks against telling it.
func (e *proving) page(printed bool) page.Evidence {
	out := page.Evidence{
		Board: e.visit.Board(e.Say("action.effect.of", words.Plain(e.Action.Title)), ""), Printed: printed,
		Tone: e.tone(), Facts: e.facts(&e.Action),
		Print: e.visit.To(e.path(), url.Values{paramView: {viewPrint}}), Back: e.visit.To(e.path(), nil),
		Leads: []page.Link{{Text: e.Say("action.one"), URL: e.one(e.Action.ID)}},
	}
	out.Crumbs = e.crumbs(page.Link{Text: words.Plain(e.Action.Title), URL: e.one(e.Action.ID)})
	out.Provenance = e.provenance()
	if e.refused != "" {
		out.Says = []string{e.refused}
		return out
	}
	first := e.figures[0]
	out.Says, out.Cautions = first.Sentences, first.Notes
	out.Lead = words.Plain(e.measure.Words.Title)
	shown := e.figures
	if printed {
		const onOnePage = 2 // What changed, and the chart of the groups.
		shown = shown[:min(onOnePage, len(shown))]
	}
	for i, f := range shown {
		switch {
		case i == 0:
			f.Sentences, f.Notes = nil, nil
		case printed: // The signals one by one are on the whole page.
			f.Sentences, f.Notes = f.Sentences[:min(1, len(f.Sentences))], nil
		}
		part := page.Part{Figure: f}
		if !printed {
			part.Files = e.files(f)
		}
		out.Sections = append(out.Sections, part)
	}
	return out
}

// tone is how the verdict is set off: that a gap shrank is no alarm, that it grew is one.
func (e *proving) tone() string {
	switch e.Effect.Verdict {
	case effect.Smaller:
		return "ok"
	case effect.Larger:
		return "act"
	case effect.Mixed, effect.EverybodyMoved:
		return "check"
	case effect.TooEarly, effect.NoChangeShown:
	}
	return "note"
}

// provenance says where the figures come from.
func (e *proving) provenance() []page.Term {
	terms := []page.Term{{
		Name: e.Say("measure.measure"), Value: words.Plain(e.Action.Aim.Measure + " " + e.Effect.Version),
	}}
	if !e.Snapshot.DataAsOf.IsZero() {
		terms = append(terms, page.Term{Name: e.Say("board.asof"), Value: e.Moment(e.Snapshot.DataAsOf)})
	}
	return append(terms, page.Term{Name: e.Say("board.snapshot"), Value: e.Snapshot.ID})
}

// The files of a page of evidence: a figure by its id and an ending, and all of it as a Bundle.
const (
	bundleFile = "evidence.json"
	endingSVG  = "svg"
	endingCSV  = "csv"
)

func (e *proving) files(f figure.Figure) []page.Link {
	var out []page.Link
	add := func(ending string, there bool) {
		if there {
			out = append(out, page.Link{
				Text: strings.ToUpper(ending), URL: e.visit.To(e.path()+"/files/"+f.ID+"."+ending, nil),
			})
		}
	}
	add(endingSVG, f.Chart != nil)
	add(endingCSV, len(f.Table.Rows) > 0)
	return out
}

// file is a file of a page of evidence.
func (p *Pages) file(v *room.Visit) (room.Show, error) {
	if _, err := v.Query(); err != nil {
		return nil, err
	}
	e, err := p.prove(v)
	if err != nil {
		return nil, err
	}
	name := v.Path(fileName)
	var body bytes.Buffer
	if err := p.fill(v.Context(), &body, e, name); err != nil {
		return nil, err
	}
	kind := map[string]string{
		"." + endingSVG: "image/svg+xml", "." + endingCSV: "text/csv; charset=utf-8",
		".json": "application/fhir+json; charset=utf-8",
	}[path.Ext(name)]
	return func(w http.ResponseWriter, _ *http.Request) {
		for header, value := range map[string]string{
			"Content-Type": kind, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Disposition": mime.FormatMediaType("attachment",
				map[string]string{"filename": "action-" + e.Action.ID + "-" + name}),
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
		} {
			w.Header().Set(header, value)
		}
		_, _ = w.Write(body.Bytes()) // Who has gone is told nothing.
	}, nil
}

// fill writes the file of a name.
func (p *Pages) fill(ctx context.Context, out *bytes.Buffer, e *proving, name string) error {
	if name == bundleFile && p.cfg.Bundle != nil && e.refused == "" {
		text, err := p.cfg.Bundle(ctx, e.Evidence)
		if err != nil {
			return fmt.Errorf("write the evidence of an action: %w", err)
		}
		_, _ = out.Write(text)
		return nil
	}
	id, ending, _ := strings.Cut(name, ".")
	for _, f := range e.figures {
		switch {
		case f.ID != id:
		case ending == endingSVG && f.Chart != nil:
			return chart.SVG(out, f.Chart, chart.Options{Width: chart.Wide})
		case ending == endingCSV && len(f.Table.Rows) > 0:
			return f.Table.Plain(e.from(p.cfg.Software)).WriteCSV(out)
		}
	}
	return room.ErrNotFound
}

// from says where each row of a file comes from.
func (e *proving) from(software string) []export.Named {
	return []export.Named{
		{Name: "measure", Value: e.Effect.Measure}, {Name: "measure_version", Value: e.Effect.Version},
		{Name: "snapshot", Value: e.Snapshot.ID},
		{Name: "data_as_of", Value: e.Snapshot.DataAsOf.Format(time.RFC3339)},
		{Name: "action", Value: e.Action.ID}, {Name: "start", Value: e.Action.Start},
		{Name: "software", Value: software},
	}
}
