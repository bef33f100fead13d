package bedside

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/cache"
)

// gathered is what an answer of the EHR comes to. It holds no id and no name, so that it may be
// kept.
type gathered struct {
	Format     int
	ReadAt     time.Time
	Patient    person
	Contacts   []contact
	More       bool
	Events     []Event
	MoreEvents bool
	Notices    []Notice
}

// keptFormat changes with the fields of gathered, so that an answer that an older program kept is a
// miss.
const keptFormat = 1

// key names an answer. All that the answer depends on is part of it, the session first of all: what
// one person was allowed to read is not handed to another.
func key(a Access) string {
	return cache.Key("bedside", a.Tenant, a.Binding, a.Patient.Reveal(), a.Encounter.Reveal(),
		strings.TrimRight(a.BaseURL, "/"), a.Scopes.String())
}

// recall returns an answer that was kept for this session. Whatever is wrong with it makes it a
// miss: the EHR can be asked again.
func (r *Reader) recall(ctx context.Context, a Access) (gathered, bool) {
	if r.cfg.Store == nil || a.Binding == "" {
		return gathered{}, false
	}
	entry, err := r.cfg.Store.Get(ctx, key(a))
	if err != nil {
		if !errors.Is(err, cache.ErrNotFound) {
			r.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "a chart could not be recalled",
				slog.String("tenant", a.Tenant), slog.String("error", err.Error()))
		}
		return gathered{}, false
	}
	var out gathered
	d := json.NewDecoder(bytes.NewReader(entry.Value))
	d.DisallowUnknownFields()
	age := time.Duration(-1)
	if d.Decode(&out) == nil && !d.More() {
		age = r.cfg.Now().Sub(out.ReadAt)
	}
	return out, out.Format == keptFormat && age >= 0 && age < r.cfg.Keep
}

// keep keeps a whole answer. One that lacks something for the moment is not worth keeping, and one
// that cannot be kept is no fault of the page.
func (r *Reader) keep(ctx context.Context, a Access, read gathered) {
	if r.cfg.Store == nil || a.Binding == "" {
		return
	}
	for _, n := range read.Notices {
		if n.Kind == Unreachable {
			return
		}
	}
	text, err := json.Marshal(read)
	if err == nil {
		err = r.cfg.Store.Set(ctx, key(a), text, r.cfg.Keep)
	}
	if err != nil {
		r.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "a chart could not be kept",
			slog.String("tenant", a.Tenant), slog.String("error", err.Error()))
	}
}

// view puts an answer into the form of the page.
func (g gathered) view(banner *Banner) View {
	out := View{
		Banner: banner, ReadAt: g.ReadAt, More: g.More, MoreEvents: g.MoreEvents,
		Events: g.Events, Notices: g.Notices,
		Language: Fact{Value: g.Patient.Language, Sources: g.Patient.Languages},
	}
	own := needOfPatient(g.Patient.Need, g.Contacts)
	out.Interpreter = Fact{Value: own, Sources: g.Patient.Needs}
	for _, c := range g.Contacts {
		need := mapping.ResolveNeed(c.Need, g.Patient.Need)
		if c.Current {
			out.Interpreter.Value = need
		}
		out.Interpreter.Sources = append(out.Interpreter.Sources, c.Needs...)
		out.Visits = append(out.Visits, Visit{
			Start: c.Start, End: c.End, Class: c.Class, Site: c.Site, Telehealth: c.Telehealth,
			Current: c.Current, Need: need, Use: c.Use, UseFrom: c.UseFrom,
		})
	}
	out.Fields = []Field{
		{Name: "race", Value: g.Patient.Race},
		{Name: "ethnicity", Value: g.Patient.Ethnicity},
		{Name: "language", Value: g.Patient.Language},
		{Name: "interpreter_need", Value: own},
	}
	return out
}

// needOfPatient is the need as the measures count it for a patient: what the Patient says; where
// that is nothing or an answer that is none, what the encounters say beside it. A yes and a no
// contradict each other, either counts before every state, and of states the one that says most is
// taken.
func needOfPatient(own mapping.Value, contacts []contact) mapping.Value {
	switch own.State {
	case mapping.Unknown, mapping.AskedNoAnswer, mapping.AskedDeclined, mapping.Missing, "":
	default:
		return own
	}
	best := own
	if best.State == "" {
		best.State = mapping.Missing
	}
	for _, c := range contacts {
		switch {
		case best.State == mapping.Known && c.Need.State == mapping.Known && best.Code != c.Need.Code:
			best = mapping.Value{State: mapping.Conflicting, From: c.Need.From}
		case weight(c.Need.State) > weight(best.State):
			best = c.Need
		}
	}
	return best
}

// weight orders statements of several encounters, as store/facts does.
func weight(s mapping.State) int {
	order := [...]mapping.State{
		mapping.Missing, mapping.TextOnly, mapping.Unknown, mapping.AskedNoAnswer,
		mapping.AskedDeclined, mapping.Unmapped, mapping.Known, mapping.Conflicting,
	}
	for i, state := range order {
		if state == s {
			return i
		}
	}
	return 0
}
