package page

import (
	"net/http"

	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/words"
)

// Chart is the page in the chart.
type Chart struct {
	View bedside.View
	// FrameAncestors are the origins of the EHRs that may show the page in a frame of theirs.
	FrameAncestors []string
	// Again is the address that reads everything anew, OwnTab that of the page outside the frame. Each
	// may be relative; "" leaves the link out.
	Again, OwnTab string
}

// Chart writes the page in the chart: the one sentence that matters first, and then what it rests on.
func (p *Pages) Chart(w http.ResponseWriter, r *http.Request, status int, c Chart) {
	p.send(w, r, status, sheet{
		name:   "chart",
		policy: policy{ancestors: c.FrameAncestors},
		title:  func(w *voice) string { return w.Say("chart.title") },
		page:   func(w *voice) any { return w.chart(c) },
	})
}

// chartView is what the template shows.
type chartView struct {
	Lead   lead
	Banner *banner

	Facts  []fact
	Fields []field
	// Recorded says how many of the fields are.
	Recorded string

	Visits           []visit
	Events           []event
	More, MoreEvents bool

	// Notes stand beside what they are about; the first are about the patient, or about nothing that has
	// a place of its own.
	Notes, VisitNotes, EventNotes []string

	ReadAt, ReadAtMachine string
	Again, OwnTab         string
}

func (w *voice) chart(c Chart) chartView {
	v := &c.View
	out := chartView{
		Lead: w.lead(v), Banner: w.banner(v.Banner),
		Facts: w.facts(v), Fields: w.fields(v), Recorded: w.recorded(v),
		More: v.More, MoreEvents: v.MoreEvents, Again: c.Again, OwnTab: c.OwnTab,
	}
	for i := range v.Visits {
		out.Visits = append(out.Visits, w.visit(&v.Visits[i]))
	}
	for i := range v.Events {
		out.Events = append(out.Events, w.event(&v.Events[i]))
	}
	for _, n := range v.Notices {
		note := w.notice(n)
		switch n.Resource {
		case resourceEncounter:
			out.VisitNotes = append(out.VisitNotes, note)
		case resourceEvent:
			out.EventNotes = append(out.EventNotes, note)
		default:
			out.Notes = append(out.Notes, note)
		}
	}
	if !v.ReadAt.IsZero() {
		out.ReadAt, out.ReadAtMachine = w.Moment(v.ReadAt), words.Machine(v.ReadAt)
	}
	return out
}

// banner is who the patient is.
type banner struct{ Name, Birth, Sex string }

func (w *voice) banner(b *bedside.Banner) *banner {
	if b == nil {
		return nil
	}
	out := &banner{Name: words.Plain(b.Name), Birth: w.Date(b.Birth)}
	if b.Sex != "" {
		out.Sex = w.Label("sex", b.Sex)
	}
	missing := w.Say("state.missing")
	for _, text := range []*string{&out.Name, &out.Birth, &out.Sex} {
		if *text == "" {
			*text = missing
		}
	}
	return out
}

// fact is one of the two things to know before speaking to the patient, with where it is recorded.
type fact struct {
	Title, Value string
	// Sources are the first few places, Rest the others, Others how many these are, in words.
	Sources, Rest []source
	Others        string
}

// source is one place where something is recorded: what, under which flag, where, and when that was
// last changed.
type source struct{ Value, Flag, Where, Updated string }

// sourcesShown is how many places that agree are shown at once; of more, what matters is that there are
// more. A place that says something else is always shown.
const sourcesShown = 3

func (w *voice) facts(v *bedside.View) []fact {
	patient := unread(v, resourcePatient)
	language := w.fact(v.Language, func(one mapping.Value) string {
		return w.value(mapping.DimensionLanguage, one, patient)
	})
	language.Title = w.Say("facts.language")
	need := w.fact(v.Interpreter, func(one mapping.Value) string {
		if one.State == mapping.Known {
			return w.Label("need", one.Code)
		}
		return w.value(mapping.DimensionInterpreter, one, needUnread(v))
	})
	need.Title = w.Say("facts.interpreter")
	return []fact{language, need}
}

func (w *voice) fact(f bedside.Fact, value func(mapping.Value) string) fact {
	out := fact{Value: value(f.Value)}
	for _, s := range f.Sources {
		one := source{Value: value(s.Value), Where: w.Say("source.patient")}
		if s.Resource == resourceEncounter {
			one.Where = w.Say("source.undated")
			if day := w.Date(s.Encounter); day != "" {
				one.Where = w.Say("source.visit", day)
			}
		}
		if s.Preferred != nil {
			one.Flag = w.Say("source.preferred")
			if !*s.Preferred {
				one.Flag = w.Say("source.not-preferred")
			}
		}
		if !s.Updated.IsZero() {
			one.Updated = w.Say("source.updated", w.DayOf(s.Updated))
		}
		if one.Value == out.Value && len(out.Sources) >= sourcesShown {
			out.Rest = append(out.Rest, one)
		} else {
			out.Sources = append(out.Sources, one)
		}
	}
	if len(out.Rest) == 1 { // As long as saying that there is one.
		out.Sources, out.Rest = append(out.Sources, out.Rest...), nil
	}
	out.Others = w.Say("facts.more", len(out.Rest))
	return out
}

// field is one of the four, with what to do where it is not recorded.
type field struct {
	Title, Value, Todo string
	// Absent says that it is not recorded.
	Absent bool
}

func (w *voice) fields(v *bedside.View) []field {
	out := make([]field, len(v.Fields))
	for i, f := range v.Fields {
		hidden := fieldUnread(v, f)
		out[i] = field{Title: w.Label("field", f.Name), Value: w.value(f.Name, f.Value, hidden)}
		if state := stateOf(f.Value, hidden); state != string(mapping.Known) {
			out[i].Absent, out[i].Todo = true, w.Say("todo."+state)
		}
	}
	return out
}

// fieldUnread reports whether a field may be recorded where the view did not look. The need for an
// interpreter may also be recorded of a visit.
func fieldUnread(v *bedside.View, f bedside.Field) bool {
	return unread(v, resourcePatient) ||
		f.Name == mapping.DimensionInterpreter && unread(v, resourceEncounter)
}

// recorded counts the fields that are, unless one of the others was not read.
func (w *voice) recorded(v *bedside.View) string {
	known := 0
	for _, f := range v.Fields {
		switch stateOf(f.Value, fieldUnread(v, f)) {
		case string(mapping.Known):
			known++
		case notRead:
			return w.Say("fields.not-read")
		}
	}
	if known == len(v.Fields) {
		return w.Say("fields.all")
	}
	return w.Say("fields.some", known)
}
