package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// mostRuns is how many runs are listed.
const mostRuns = 20

// syncMoves is what the page tells of the sync, so that no page is kept that tells of another state.
func (d *Dashboard) syncMoves(ctx context.Context) string {
	var moves struct {
		Status ingest.Status
		Newest []ingest.RunRecord
	}
	if d.cfg.Syncer != nil {
		moves.Status = d.cfg.Syncer.Current(ctx)
	}
	if d.cfg.Runs != nil {
		moves.Newest, _ = d.cfg.Runs(1) // What cannot be read is told by the page.
	}
	text, err := json.Marshal(moves)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// goingOn shows the runs of the sync, and the one that is under way. What cannot be read of them is logged,
// and said: the data are there all the same.
func (d *Dashboard) goingOn(ctx context.Context, v *visit, s *sheet, out *page.Quality) error {
	if d.cfg.Runs != nil {
		runs, err := d.cfg.Runs(mostRuns)
		if err != nil {
			d.broken(ctx, "the runs of the sync cannot be listed", err)
			out.Notices = append(out.Notices, page.Notice{Tone: "check", Text: v.words.Say("quality.run.unread")})
		}
		out.Runs = v.runs(runs)
		if id := v.More.Get(paramRun); id != "" {
			one, err := d.oneRun(v, runs, id)
			if err != nil {
				return err
			}
			out.Runs.One = one
		}
	}
	if d.cfg.Syncer == nil {
		return nil
	}
	status := d.cfg.Syncer.Current(ctx)
	s.passing = status.Running
	out.Live = v.live(status)
	if status.Running {
		out.Under = &page.Link{Text: out.Live.Says, URL: "#run"}
	}
	return nil
}

// runs lists the newest runs.
func (v *visit) runs(list []ingest.RunRecord) *page.Runs {
	out := &page.Runs{Caption: v.words.Say("quality.runs")}
	for _, r := range list {
		at := v.address
		at.More = url.Values{}
		for name, values := range v.More {
			if name != paramStart {
				at.More[name] = values
			}
		}
		at.More.Set(paramRun, r.ID)
		out.Rows = append(out.Rows, page.Run{
			Started: page.Link{
				Text: v.words.Moment(r.Started), URL: at.String(), Current: v.More.Get(paramRun) == r.ID,
			},
			Took: v.took(r), Source: words.Plain(r.Source), Outcome: v.outcome(r.Outcome),
			Well:     slices.Contains([]ingest.Outcome{ingest.Published, ingest.Unchanged, ingest.Running}, r.Outcome),
			Snapshot: r.Report.Snapshot, Failure: words.Plain(r.Failure),
		})
	}
	return out
}

func (v *visit) outcome(o ingest.Outcome) string { return v.words.Label("quality.outcome", string(o)) }

// took is how long a run took.
func (v *visit) took(r ingest.RunRecord) string {
	if r.Ended.IsZero() {
		return v.words.Say("quality.run.open")
	}
	return v.length(r.Ended.Sub(r.Started))
}

// length writes a time that passed, in the two units that matter.
func (v *visit) length(d time.Duration) string {
	const perMinute, perHour = 60, 3600
	total := int(max(d, 0).Round(time.Second).Seconds())
	switch {
	case total < perMinute:
		return v.words.Say("quality.seconds", strconv.Itoa(total))
	case total < perHour:
		return v.words.Say("quality.minutes", strconv.Itoa(total/perMinute), strconv.Itoa(total%perMinute))
	}
	return v.words.Say("quality.hours", strconv.Itoa(total/perHour), strconv.Itoa(total%perHour/perMinute))
}

// oneRun is a run in detail: what it read of each kind, and what it could not read.
func (d *Dashboard) oneRun(v *visit, runs []ingest.RunRecord, id string) (*page.OneRun, error) {
	at := slices.IndexFunc(runs, func(r ingest.RunRecord) bool { return r.ID == id })
	if at < 0 {
		return nil, fmt.Errorf("%w: run: it is none of the newest %d", errAddress, mostRuns)
	}
	r := runs[at]
	one := &page.OneRun{
		Title: v.words.Say("quality.run.title", v.words.Moment(r.Started)), Failure: words.Prose(r.Failure),
		Types: v.runTypes(r.Report),
	}
	fact := func(key, value string) {
		if value != "" {
			one.Facts = append(one.Facts, page.Term{Name: v.words.Say(key), Value: value})
		}
	}
	fact("quality.source.name", words.Plain(r.Source))
	fact("quality.run.outcome", v.outcome(r.Outcome))
	fact("quality.run.took", v.took(r))
	fact("quality.run.snapshot", r.Report.Snapshot)
	if !r.Report.DataAsOf.IsZero() {
		fact("board.asof", v.words.Moment(r.Report.DataAsOf))
	}
	if d.cfg.Quarantine == nil || r.Outcome == ingest.Running {
		return one, nil
	}
	refused, err := d.cfg.Quarantine(r.ID)
	if errors.Is(err, ingest.ErrNoQuarantine) {
		one.Says = []string{v.words.Say("quality.refused.gone")}
		return one, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what a run refused: %w", err)
	}
	v.quarantined(one, refused)
	return one, nil
}

// runTypes counts what a run read of each kind.
func (v *visit) runTypes(r ingest.Report) figure.Table {
	out := figure.Table{Caption: v.words.Say("quality.run.types"), Columns: []figure.Column{
		{Title: v.words.Say("quality.load.kind")},
	}}
	for _, key := range []string{
		"quality.load.read", "quality.load.refused", "quality.load.stored", "quality.load.deleted",
	} {
		out.Columns = append(out.Columns, figure.Column{Title: v.words.Say(key), Number: true})
	}
	for _, name := range []string{"Patient", "Encounter", "AdverseEvent"} {
		t, ok := r.Types[name]
		if !ok {
			continue
		}
		row := figure.TableRow{Cells: []figure.Cell{{Text: words.Capital(v.words.Resource(name))}}}
		for _, n := range []int64{t.Read, t.Refused, t.Stored, t.Deleted} {
			row.Cells = append(row.Cells, figure.Cell{Text: v.words.Count(float64(n))})
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// quarantined tells of the lines that a run refused: why, and where some of them stood. What they hold is
// shown to nobody.
func (v *visit) quarantined(one *page.OneRun, q ingest.Quarantined) {
	if q.Lines == 0 {
		one.Says = []string{v.words.Say("quality.refused.none")}
		return
	}
	one.Says = []string{
		v.words.Say("quality.refused.says", int(q.Lines), v.words.Count(float64(q.Lines))),
		v.words.Say("quality.refused.hidden"),
	}
	one.Reasons = figure.Table{Caption: v.words.Say("quality.refused.reasons"), Columns: []figure.Column{
		{Title: v.words.Say("quality.refused.why")}, {Title: v.words.Say("quality.element")},
		{Title: v.words.Say("quality.refused.lines"), Number: true},
	}}
	for _, r := range q.Reasons {
		one.Reasons.Rows = append(one.Reasons.Rows, figure.TableRow{Cells: []figure.Cell{
			{Text: v.words.Label("quality.reason", string(r.Reason))}, {Text: words.Plain(r.Element)},
			{Text: v.words.Count(float64(r.Count))},
		}})
	}
	number := func(key string) figure.Column { return figure.Column{Title: v.words.Say(key), Number: true} }
	one.Places = figure.Table{
		Caption: v.words.Say("quality.refused.places", len(q.First), v.words.Count(float64(len(q.First)))),
		Columns: []figure.Column{
			{Title: v.words.Say("quality.refused.file")}, number("quality.refused.line"),
			number("quality.refused.byte"), {Title: v.words.Say("quality.refused.why")},
			{Title: v.words.Say("quality.element")},
		},
	}
	for _, p := range q.First {
		one.Places.Rows = append(one.Places.Rows, figure.TableRow{Cells: []figure.Cell{
			{Text: words.Plain(p.File)}, {Text: v.words.Count(float64(p.Line))},
			{Text: v.words.Count(float64(p.Offset))}, {Text: v.words.Label("quality.reason", string(p.Reason))},
			{Text: words.Plain(p.Element)},
		}})
	}
}
