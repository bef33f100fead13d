package measure_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts/factstest"
)

// draw makes random records. Equal seeds make equal records. The dice are loaded towards the edges
// that the measures have: the 24 hours, the 480 minutes, the 30 days.
type draw struct{ *rand.Rand }

func newDraw(seed uint64) draw {
	return draw{rand.New(rand.NewPCG(seed, 7))} // #nosec G404 -- a test's dice
}

func pick[T any](d draw, from ...T) T { return from[d.IntN(len(from))] }

func (d draw) oneIn(n int) bool { return d.IntN(n) == 0 }

// value is one of the codes, or now and then a state.
func (d draw) value(codes ...string) mapping.Value {
	if d.oneIn(4) {
		return mapping.Value{State: pick(d, mapping.States()[1:]...)}
	}
	return factstest.Known(pick(d, codes...))
}

func (d draw) site() mapping.Site {
	switch d.IntN(8) {
	case 0:
		return mapping.Site{Value: factstest.State(mapping.Missing)}
	case 1:
		return mapping.Site{Value: factstest.State(mapping.TextOnly)}
	}
	return factstest.Site(pick(d, "H1", "H2", "H3"))
}

func (d draw) need() mapping.Value { return d.value(mapping.Yes, mapping.Yes, mapping.No) }

func (d draw) birth() fhir.DateTime {
	day := time.Date(1930+d.IntN(96), time.Month(1+d.IntN(12)), 1+d.IntN(29), 0, 0, 0, 0, time.UTC)
	switch d.IntN(10) {
	case 0:
		return fhir.DateTime{}
	case 1, 2:
		return factstest.At(day.Format("2006"))
	case 3:
		return factstest.At(day.Format("2006-01"))
	}
	return factstest.At(day.Format(time.DateOnly))
}

func (d draw) patients(n int) []mapping.Patient {
	var out []mapping.Patient
	id := func() phi.ID { return phi.New(fmt.Sprint("p", d.IntN(n))) }
	for i := range n {
		p := mapping.Patient{
			ID: phi.New(fmt.Sprint("p", i)), GeneralPractitioner: d.practitioner(),
			Language: d.value("en", "es", "zh", "ase"), LanguageGroup: d.value("english", "spanish",
				"other"),
			InterpreterNeed: d.need(), LimitedEnglish: mapping.LimitedEnglishUnknown,
			Sex: d.value("female", "male"), Birth: d.birth(), Site: d.site(),
		}
		d.race(&p)
		switch d.IntN(12) {
		case 0:
			p.ReplacedBy = id()
		case 1:
			p.Replaces = []phi.ID{id(), id()}
		case 2:
			p.Deceased, p.DeceasedDate = true, d.moment(d.start(), true)
		case 3:
			p.Replaces = []phi.ID{phi.New(fmt.Sprint("gone", d.IntN(3)))}
		}
		out = append(out, p)
	}
	return out
}

// race draws the recorded sets, and what derives from them.
func (d draw) race(p *mapping.Patient) {
	p.Ethnicity = d.value("2135-2", "2186-5")
	for range d.IntN(4) {
		p.Races |= 1 << d.IntN(6)
	}
	switch list := p.Races.List(); len(list) {
	case 0:
		p.Race = mapping.Value{State: pick(d, mapping.States()[1:]...)}
	case 1:
		p.Race = factstest.Known(list[0])
	default:
		p.Race = factstest.Known(mapping.TwoOrMore)
	}
	p.RaceEthnicity = mapping.OMB1997Exclusive(p)
	p.SPD15 = mapping.SPD15Set(p.Races &^ mapping.OtherRace)
	if p.Races&mapping.White != 0 && d.oneIn(3) {
		p.SPD15 |= mapping.SPD15MiddleEastern
	}
	if p.Ethnicity.Code == "2135-2" {
		p.SPD15 |= mapping.SPD15Hispanic
	}
}

// practitioner is one of three, or nobody.
func (d draw) practitioner() phi.ID {
	return pick(d, phi.ID{}, phi.New("d1"), phi.New("d2"), phi.New("d3"))
}

// start is some minute from November 2025 to December 2026.
func (d draw) start() time.Time {
	return time.Date(2025, 11, 1, 0, d.IntN(420*24*60), 0, 0, time.UTC)
}

// moment writes a time in one of the ways in which servers do, most often as an instant. coarse
// allows those without a day.
func (d draw) moment(t time.Time, coarse bool) fhir.DateTime {
	n := 24
	if !coarse {
		n = 22
	}
	switch d.IntN(n) {
	case 0, 1:
		return factstest.At(t.Format(time.DateOnly))
	case 2:
		return factstest.At(t.Format("2006-01-02T15:04:05"))
	case 3, 4, 5:
		offset := time.FixedZone("", pick(d, -5, -4, 1, 10)*3600)
		return factstest.At(t.In(offset).Format(time.RFC3339Nano))
	case 22:
		return factstest.At(t.Format("2006-01"))
	case 23:
		return fhir.DateTime{}
	}
	return factstest.At(t.Format(time.RFC3339Nano))
}

// length is the time between two moments that belong together, at the edges more often than not.
func (d draw) length() time.Duration {
	edge := pick(d, 0, 240*time.Minute, 241*time.Minute, 480*time.Minute, 481*time.Minute,
		24*time.Hour,
		48*time.Hour, 30*24*time.Hour, 31*24*time.Hour, 120*24*time.Hour, 121*24*time.Hour,
		364*24*time.Hour, 365*24*time.Hour)
	switch d.IntN(3) {
	case 0:
		return edge
	case 1:
		return edge + pick[time.Duration](d, -1, 1)*pick(d, time.Microsecond, time.Minute, 24*time.Hour)
	}
	return time.Duration(d.IntN(10*24*60)) * time.Minute
}

// cohort is a world of random records.
func (d draw) cohort() *world {
	w := &world{patients: d.patients(40)}
	w.encounters = d.encounters(1200, len(w.patients))
	w.events = d.events(400, w.encounters)
	// Many die around the end of a stay of theirs.
	for i := range w.patients {
		p := &w.patients[i]
		for _, e := range w.encounters {
			if e.Patient == p.ID && e.End.Zoned && e.Class.Code == "IMP" && d.oneIn(3) {
				p.Deceased = true
				p.DeceasedDate = d.moment(at(e.End).AddDate(0, 0, pick(d, 0, 0, 1, -1)), true)
			}
		}
	}
	return w
}

func at(d fhir.DateTime) time.Time { return time.UnixMicro(d.Micros).UTC() }

// encounters come in courses: each starts near where the one before it started or ended.
func (d draw) encounters(n, patients int) []mapping.Encounter {
	var out []mapping.Encounter
	who := ""
	next := step{}
	for i := range n {
		if i == 0 || d.oneIn(6) {
			who = fmt.Sprint("p", d.IntN(patients))
			if d.oneIn(12) {
				who = pick(d, "nobody", "gone0", "gone1")
			}
			next = step{at: d.start()}
		}
		var e mapping.Encounter
		e, next = d.encounter(next)
		e.ID, e.Patient = phi.New(fmt.Sprint("e", i)), phi.New(who)
		out = append(out, e)
	}
	return out
}

// step is where and as what the next encounter of a course starts, and how long it lasts; zero
// values leave it to the dice.
type step struct {
	at    time.Time
	class string
	long  time.Duration
}

func (d draw) encounter(s step) (mapping.Encounter, step) {
	class := d.value("IMP", "IMP", "ACUTE", "NONAC", "OBSENC", "EMER", "EMER", "EMER", "AMB", "VR",
		"HH")
	if s.class != "" {
		class = factstest.Known(s.class)
	}
	long := max(0, d.length())
	if s.long != 0 {
		long = s.long
	}
	if class.Code == "EMER" && d.oneIn(2) {
		long = pick[time.Duration](d, 479, 480, 481, 240, 241)*time.Minute + pick[time.Duration](d, 0, 0,
			59*time.Second)
	}
	end := s.at.Add(long)
	e := mapping.Encounter{
		Status: pick(d, "finished", "finished", "finished", "finished", "finished", "finished",
			"finished", "in-progress", "arrived", "planned", "cancelled", "entered-in-error", "unknown"),
		Class: class, Telehealth: d.oneIn(3), Elective: d.oneIn(4),
		Disposition: pick(d, factstest.Known("home"),
			d.value("home", "exp", "aadvice", "lwbs", "other-hcf")),
		Start: d.moment(s.at, true), End: d.moment(end, true), InterpreterNeed: d.need(),
		InterpreterUse: pick(d, mapping.Documented, mapping.Arranged, mapping.AdHoc,
			mapping.NoneDocumented),
		Site: d.site(), Practitioner: d.practitioner(),
	}
	if certainlyBefore(e.End, e.Start) {
		e.End = fhir.DateTime{} // As the mapping leaves it.
	}
	if d.oneIn(15) {
		e.Status, e.End = "in-progress", fhir.DateTime{}
	}
	return e, d.after(class.Code, s.at, end)
}

// after loads the dice for what follows an encounter.
func (d draw) after(class string, start, end time.Time) step {
	const day = 24 * time.Hour
	switch class {
	case "EMER":
		if d.oneIn(3) {
			early := pick[time.Duration](d, 0, 0, -time.Microsecond, time.Minute)
			return step{start.Add(early), "OBSENC", max(1, end.Sub(start)-early+pick[time.Duration](d, 0, 0,
				time.Microsecond))}
		}
		admitted := pick(d, start, start.Add(day), start.Add(day+time.Microsecond),
			start.Add(day-time.Minute),
			end.Add(-240*time.Minute), end.Add(-241*time.Minute), start.Add(-time.Second))
		return step{at: admitted, class: pick(d, "IMP", "ACUTE", "IMP", "OBSENC", "NONAC")}
	case "IMP", "ACUTE", "OBSENC":
		days := pick(d, 0, 1, 1, 2, 29, 30, 31)
		long := pick[time.Duration](d, 0, 0, 119, 120, 121) * day
		return step{end.Add(time.Duration(days) * day), pick(d, "IMP", "ACUTE", "IMP", ""), long}
	}
	return step{at: pick(d, start, end, end).Add(max(0, d.length()))}
}

// certainlyBefore is how the mapping tells that a period ends before it starts.
func certainlyBefore(a, b fhir.DateTime) bool {
	switch {
	case a.Precision == fhir.NoDate || b.Precision == fhir.NoDate:
		return false
	case a.Zoned && b.Zoned:
		return a.Micros < b.Micros
	}
	return a.LastDay() < b.Days
}

func (d draw) events(n int, encounters []mapping.Encounter) []mapping.AdverseEvent {
	var out []mapping.AdverseEvent
	for i := range n {
		e := pick(d, encounters...)
		a := mapping.AdverseEvent{
			ID: phi.New(fmt.Sprint("v", i)), Patient: e.Patient,
			Actuality: pick(d, mapping.Actual, mapping.Actual, mapping.Potential, ""),
			DateFrom:  "date", Category: d.value("medication-mishap"), Severity: d.value("mild", "severe"),
			Seriousness: d.value("Serious"), Outcome: d.value("resolved"),
			Inequity: d.value("yes", "no", "undetermined", "not-asked"),
		}
		switch {
		case e.Start.Zoned && !d.oneIn(4):
			a.Date = d.moment(time.UnixMicro(e.Start.Micros).UTC().Add(d.length()), true)
		case !d.oneIn(6):
			a.Date = pick(d, e.Start, e.End)
		}
		switch d.IntN(6) {
		case 0, 1:
			a.Encounter = e.ID
		case 2:
			a.Encounter = pick(d, encounters...).ID
		case 3:
			a.Encounter = pick(d, phi.ID{}, phi.New("absent"))
		}
		out = append(out, a)
	}
	return out
}
