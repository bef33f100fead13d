package page

import (
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/words"
)

// visit is a row of the recent visits.
type visit struct {
	Start, End, Kind, Site string
	Telehealth, Current    bool
	Need, Use              string
	// Mark is the kind of Use, for its looks: the words say the same.
	Mark string
}

func (w *voice) visit(v *bedside.Visit) visit {
	missing := w.Say("state.missing")
	out := visit{
		Start: w.Date(v.Start), Kind: w.value("class", v.Class, false), Site: words.Plain(v.Site),
		Current: v.Current, Telehealth: v.Telehealth && v.Class.Code != classVirtual,
		Need: w.value(mapping.DimensionInterpreter, v.Need, false),
	}
	if v.End.Days != v.Start.Days || v.End.Precision != v.Start.Precision {
		if end := w.Date(v.End); end != "" && end != out.Start {
			out.End = w.Say("visits.until", end)
		}
	}
	if out.Start == "" {
		out.Start = missing
	}
	if out.Site == "" {
		out.Site = missing
	}
	use := v.Use
	if use == "" {
		use = mapping.NoneDocumented
	}
	out.Use, out.Mark = w.Label("use", string(use)), mark(use, v.Need)
	return out
}

// mark makes that nothing is documented stand out only where an interpreter was needed.
func mark(use mapping.InterpreterUse, need mapping.Value) string {
	switch use {
	case mapping.Documented, mapping.Arranged, mapping.AdHoc:
		return string(use)
	case mapping.NoneDocumented:
		if need.State == mapping.Known && need.Code == mapping.Yes {
			return string(use)
		}
	}
	return "plain"
}

// classVirtual is the class that says of itself that a visit was telehealth.
const classVirtual = "VR"

// event is a row of the harm events.
type event struct{ Date, Category, Actuality, Severity, Outcome, Inequity string }

func (w *voice) event(e *bedside.Event) event {
	missing := w.Say("state.missing")
	out := event{
		Date: w.Date(e.Date), Category: w.value("category", e.Category, false),
		Actuality: missing, Severity: w.value("severity", e.Severity, false),
		Outcome: w.value("outcome", e.Outcome, false), Inequity: w.value("inequity", e.Inequity, false),
	}
	if out.Date == "" {
		out.Date = missing
	}
	if e.Actuality != "" {
		out.Actuality = w.Label("actuality", e.Actuality)
	}
	if e.Inequity.State == "" || e.Inequity.State == mapping.Missing {
		out.Inequity = w.Say("inequity.not-asked")
	}
	return out
}
