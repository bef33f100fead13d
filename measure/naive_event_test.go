package measure_test

import (
	"math"
	"slices"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

func covers(v visit, d fhir.DateTime) bool {
	if d.Zoned && v.Start.Zoned && v.End.Zoned {
		return d.Micros >= v.Start.Micros && d.Micros <= v.End.Micros
	}
	return hasDay(d) && hasDay(v.Start) && hasDay(v.End) && d.Days >= v.Start.Days &&
		d.Days <= v.End.Days
}

// linked finds the encounter of an event, or nil.
func (w *world) linked(a *mapping.AdverseEvent, all []visit) *visit {
	if w.links == nil {
		w.links = map[*mapping.AdverseEvent]*visit{}
	}
	link, known := w.links[a]
	if !known {
		link = w.link(a, all)
		w.links[a] = link
	}
	return link
}

func (w *world) link(a *mapping.AdverseEvent, all []visit) *visit {
	who := w.owner(a.Patient.Reveal())
	if !a.Encounter.Empty() {
		for i, v := range all {
			if v.ID == a.Encounter && v.who == who && counted(v.Status) {
				return &all[i]
			}
		}
		return nil
	}
	for _, classes := range [][]string{{"IMP", "ACUTE", "NONAC"}, {"OBSENC"}, {"EMER"}, {"AMB"}} {
		var found []int
		for i, v := range all {
			if v.who == who && v.is(classes...) && counted(v.Status) && covers(v, a.Date) {
				found = append(found, i)
			}
		}
		if len(found) == 1 {
			return &all[found[0]]
		}
		if len(found) > 1 {
			return nil
		}
	}
	return nil
}

// harm counts the events of a stay.
func (w *world) harm(stay visit, all []visit) float64 {
	n := 0.0
	for i := range w.events {
		a := &w.events[i]
		link := w.linked(a, all)
		if a.Actuality == mapping.Actual && link != nil && link.ID == stay.ID && covers(stay, a.Date) {
			n++
		}
	}
	return n
}

func (w *world) eventRates(id string) map[string][]row {
	out := map[string][]row{}
	all := w.visits()
	for i := range w.events {
		a := &w.events[i]
		who := w.owner(a.Patient.Reveal())
		if who == nil {
			continue
		}
		need, site, practitioner := who.InterpreterNeed, mapping.Value{State: mapping.Missing}, phi.ID{}
		if link := w.linked(a, all); link != nil {
			need, site, practitioner = link.need(), link.Site.Value, link.Practitioner
		}
		r := row{who: who, unit: a.ID.Reveal(), practitioner: practitioner,
			groups: groups(who, need, ageAt(who, a.Date), site), dated: hasDay(a.Date), day: a.Date.Days}
		if id == "reporting-ratio" {
			out["main"] = append(out["main"], r.proportion(true, true, false,
				a.Actuality == mapping.Potential))
			continue
		}
		actual := a.Actuality == mapping.Actual
		asked := slices.Contains([]string{"yes", "no", "undetermined"}, a.Inequity.Code)
		out["main"] = append(out["main"], r.proportion(actual, true, false, asked))
		out["yes"] = append(out["yes"], r.proportion(actual, true, false, a.Inequity.Code == "yes"))
	}
	return out
}

// wilson is the score interval in its textbook form.
func wilson(x, n float64) [2]float64 {
	const z = 1.959963984540054
	p := x / n
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return [2]float64{middle - half, middle + half}
}
