package population_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

const dayLayout = "2006-01-02"

// dateOf is the calendar date that a dateTime carries.
func dateOf(text string) (time.Time, bool) {
	if len(text) < len(dayLayout) {
		return time.Time{}, false
	}
	at, err := time.Parse(dayLayout, text[:len(dayLayout)])
	return at, err == nil
}

// momentOf is the instant of a dateTime with a time of day.
func momentOf(text string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

func daysBetween(from, to time.Time) int { return int(to.Sub(from).Hours() / 24) }

// sums adds up numerator, denominator and values under measure/group/dimension/code.
type sums struct {
	numerator, denominator map[string]float64
	values                 map[string][]float64
}

type recount struct {
	*export
	sums
	first, last, asOf time.Time
	eventsOf          map[*resource][]*resource
}

// add counts a unit under each of its strata.
func (r *recount) add(measure string, strata map[string]string, numerator, denominator float64) {
	for dimension, code := range strata {
		key := measure + "/" + dimension + "/" + code
		r.numerator[key] += numerator
		r.denominator[key] += denominator
	}
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (r *recount) within(text string) bool {
	at, ok := dateOf(text)
	return ok && !at.Before(r.first) && !at.After(r.last)
}

func (r *recount) strata(p resource, e *resource) map[string]string {
	s := map[string]string{"race": r.race(p), "ethnicity": r.ethnicity(p),
		"language_group": languageGroup(p),
		"site":           e.ServiceProvider.id(), "interpreter_need": r.need(p, e)}
	if start, ok := dateOf(e.Period.Start); ok && p.BirthDate != "" {
		first, last := births(p)
		if a, b := band(years(first, start)), band(years(last, start)); a == b {
			s["age_band"] = a
		}
	}
	return s
}

// births are the first and the last day that the birth date can mean.
func births(p resource) (first, last time.Time) {
	switch len(p.BirthDate) {
	case len("2006"):
		first, _ = time.Parse("2006", p.BirthDate)
		return first, first.AddDate(1, 0, -1)
	case len("2006-01"):
		first, _ = time.Parse("2006-01", p.BirthDate)
		return first, first.AddDate(0, 1, -1)
	}
	first, _ = dateOf(p.BirthDate)
	return first, first
}

func years(birth, on time.Time) int {
	years := on.Year() - birth.Year()
	if on.Month() < birth.Month() || on.Month() == birth.Month() && on.Day() < birth.Day() {
		years--
	}
	return years
}

// adult takes a partial birth date at its first day; no admission here depends on which.
func adult(p resource, on time.Time) bool {
	first, _ := births(p)
	return years(first, on) >= 18
}

func band(age int) string {
	switch {
	case age >= 75 && age <= 84:
		return "75-84"
	case age >= 18 && age <= 44:
		return "18-44"
	}
	return "another"
}

func (r *recount) run() {
	r.eventsOf = map[*resource][]*resource{}
	for i := range r.events {
		v := &r.events[i]
		if e := r.linked(v); e != nil {
			r.eventsOf[e] = append(r.eventsOf[e], v)
		}
	}
	for id, p := range r.patients {
		if r.survivor(id) != id {
			continue
		}
		r.person(p, r.byPatient[id])
	}
	for i := range r.events {
		r.event(&r.events[i])
	}
}

func (r *recount) person(p resource, encounters []*resource) {
	var seen *resource
	stated := false
	for _, e := range encounters {
		if e.Status != "finished" || !r.within(e.Period.End) {
			continue
		}
		seen = e
		stated = stated || len(needs(e.Extension)) == 1
		s := r.strata(p, e)
		r.visit(p, e, s)
		r.emergency(e, encounters, s)
		r.stay(p, e, encounters, s)
	}
	if seen == nil {
		return
	}
	s := map[string]string{"race": r.race(p), "language_group": languageGroup(p),
		"site": p.ManagingOrganization.id()}
	own := needs(p.Extension)
	r.add("real-completeness/race", s, one(r.race(p) != ""), 1)
	r.add("real-completeness/ethnicity", s, one(r.ethnicity(p) != ""), 1)
	r.add("real-completeness/language", s, one(languageGroup(p) != ""), 1)
	r.add("real-completeness/interpreter-need", s, one(len(own) == 1 || len(own) == 0 && stated), 1)
}

func (r *recount) visit(p resource, e *resource, s map[string]string) {
	class, how := r.class(e), r.disposition(e)
	if s["interpreter_need"] == "yes" && how != "21541000119102" && how != "aadvice" &&
		languageGroup(p) != "english" {
		used := false
		for _, who := range e.Participant {
			professional := who.Individual.Reference[:2] != "Re"
			used = used || who.Type[0].Coding[0].Code == "translator" && professional
		}
		r.add("interpreter-documented/main", s, one(used), 1)
	}
	if slices.Contains([]string{"IMP", "ACUTE", "NONAC", "OBSENC", "EMER", "AMB", "VR"}, class) {
		r.add("language-recorded/main", s, one(languageGroup(p) != ""), 1)
	}
	if class == "AMB" || class == "VR" {
		r.add("telehealth-share/main", s, one(class == "VR"), 1)
	}
}

func (r *recount) emergency(e *resource, all []*resource, s map[string]string) {
	if r.class(e) != "EMER" {
		return
	}
	r.add("ed-left-without-being-seen/main", s, one(r.disposition(e) == "21541000119102"), 1)
	start, timed := momentOf(e.Period.Start)
	end, _ := momentOf(e.Period.End)
	if !timed {
		return
	}
	contains, observed := false, false
	var admitted time.Time
	for _, o := range all {
		from, ok := momentOf(o.Period.Start)
		to, closed := momentOf(o.Period.End)
		soon := ok && !from.Before(start) && from.Sub(start) <= 24*time.Hour
		switch class := r.class(o); {
		case o.Status != "finished":
		case class == "OBSENC":
			observed = observed || soon
			contains = contains || soon && closed && !to.After(end)
		case (class == "IMP" || class == "ACUTE") && soon:
			admitted = from
		}
	}
	if !contains {
		r.add("ed-stay-over-8h/main", s, one(end.Sub(start) >= 481*time.Minute), 1)
	}
	if !admitted.IsZero() && !observed {
		r.add("ed-boarding-over-4h/main", s, one(end.Sub(admitted) >= 241*time.Minute), 1)
	}
}

func (r *recount) stay(p resource, e *resource, all []*resource, s map[string]string) {
	class := r.class(e)
	inpatient := class == "IMP" || class == "ACUTE" || class == "NONAC"
	if !inpatient && class != "OBSENC" {
		return
	}
	from, _ := dateOf(e.Period.Start)
	to, _ := dateOf(e.Period.End)
	if los := daysBetween(from, to); inpatient && los < 365 {
		for dimension, code := range s {
			key := "length-of-stay/main/" + dimension + "/" + code
			r.values[key] = append(r.values[key], float64(los))
		}
	}
	start, _ := momentOf(e.Period.Start)
	end, _ := momentOf(e.Period.End)
	if days := max(1, int(end.Sub(start).Hours()/24)); days <= 120 {
		r.add("harm-per-1000-days/main", s, r.harm(e), float64(days))
	}
	if (class == "IMP" || class == "ACUTE") && adult(p, from) {
		r.readmission(p, e, all, s)
	}
}

// harm counts the actual events of a stay.
func (r *recount) harm(stay *resource) float64 {
	n := 0.0
	for _, v := range r.eventsOf[stay] {
		if v.Actuality == "actual" && covers(stay, occurred(v)) {
			n++
		}
	}
	return n
}

func occurred(v *resource) string {
	for _, text := range []string{v.Date, v.Detected, v.RecordedDate} {
		if text != "" {
			return text
		}
	}
	return ""
}

func covers(e *resource, at string) bool {
	moment, timed := momentOf(at)
	start, ok := momentOf(e.Period.Start)
	end, closed := momentOf(e.Period.End)
	if timed && ok && closed {
		return !moment.Before(start) && !moment.After(end)
	}
	day, _ := dateOf(at)
	from, ok := dateOf(e.Period.Start)
	to, closed := dateOf(e.Period.End)
	return ok && closed && !day.Before(from) && !day.After(to)
}

// linked is the encounter that an event names, else the one that covers its date.
func (r *recount) linked(v *resource) *resource {
	if id := v.Encounter.id(); id != "" {
		return r.byID[id]
	}
	rank := map[string]int{"IMP": 4, "ACUTE": 4, "NONAC": 4, "OBSENC": 3, "EMER": 2, "AMB": 1}
	var best *resource
	for _, e := range r.byPatient[r.survivor(v.Subject.id())] {
		if e.Status == "finished" && covers(e, occurred(v)) && (best == nil ||
			rank[r.class(e)] > rank[r.class(best)]) {
			best = e
		}
	}
	return best
}

func (r *recount) readmission(p resource, e *resource, all []*resource, s map[string]string) {
	out, _ := dateOf(e.Period.End)
	how := r.disposition(e)
	died, ok := dateOf(p.DeceasedDateTime)
	if how == "exp" || how == "aadvice" || ok && !died.After(out) || out.AddDate(0, 0,
		30).After(r.asOf) {
		return
	}
	var next *resource
	soonest, transferred := 1000000, false
	for _, o := range all {
		class := r.class(o)
		in, ok := dateOf(o.Period.Start)
		if o == e || !ok || class != "IMP" && class != "ACUTE" || o.Status != "finished" &&
			o.Status != "in-progress" {
			continue
		}
		gap := daysBetween(out, in)
		if o.Period.Start < e.Period.Start {
			continue
		}
		transferred = transferred || gap <= 1 && o.ServiceProvider.id() != e.ServiceProvider.id()
		if gap >= 1 && gap < soonest {
			next, soonest = o, gap
		}
	}
	if transferred {
		return
	}
	planned := next != nil && len(next.Priority.Coding) > 0
	r.add("readmission-30-day/main", s, one(soonest <= 30 && !planned), 1)
}

func (r *recount) event(v *resource) {
	p, ok := r.patients[r.survivor(v.Subject.id())]
	if !ok || !r.within(occurred(v)) {
		return
	}
	s := map[string]string{"race": r.race(p), "language_group": languageGroup(p)}
	if e := r.linked(v); e != nil {
		s["site"] = e.ServiceProvider.id()
	}
	r.add("reporting-ratio/main", s, one(v.Actuality == "potential"), 1)
	if v.Actuality != "actual" {
		return
	}
	answer := ""
	for _, e := range v.Extension {
		for _, item := range e.Extension {
			answer = item.ValueCodeableConcept.Coding[0].Code
		}
	}
	r.add("inequity-factor-captured/main", s, one(answer != "" && answer != "not-asked"), 1)
	r.add("inequity-factor-captured/yes", s, one(answer == "yes"), 1)
}

// score is the recount's answer for one stratum.
func (r *recount) score(q population.Planted, code string) float64 {
	key := q.Measure + "/" + q.Group + "/" + q.Dimension + "/" + code
	if values := r.values[key]; len(values) > 0 {
		slices.Sort(values)
		return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	}
	score := r.numerator[key] / r.denominator[key]
	if q.Measure == "harm-per-1000-days" {
		score *= 1000
	}
	return score
}

func TestPlantedIsWhatAnOutsiderCounts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		config     population.Config
		next       string
		start, end string
	}{
		{"the usual year", population.Config{Patients: 1500, Seed: 1}, "", "2025-01-01", "2025-12-31"},
		{"another seed", population.Config{Patients: 1500, Seed: 2}, "", "2025-01-01", "2025-12-31"},
		{"a quarter", population.Config{Patients: 1500, Seed: 3}, "", "2024-07-01", "2024-09-30"},
		{"without mess", population.Config{Patients: 1500, Seed: 4, Clean: true}, "", "2025-01-01",
			"2025-12-31"},
		{"some months later", population.Config{Patients: 1500, Seed: 5}, "2026-08-01", "2025-07-01",
			"2026-06-30"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := population.New(tt.config)
			if next, ok := dateOf(tt.next); ok {
				p = p.Next(next)
			}
			first, _ := dateOf(tt.start)
			last, _ := dateOf(tt.end)
			asOf, _ := dateOf(p.AsOf().Format(dayLayout))
			r := &recount{export: readExport(t, p), first: first, last: last, asOf: asOf,
				sums: sums{numerator: map[string]float64{}, denominator: map[string]float64{},
					values: map[string][]float64{}}}
			r.run()
			for _, q := range p.Planted(first, last) {
				got, reference := r.score(q, q.Code), r.score(q, q.Reference)
				if math.Abs(got-q.Score) > 1e-9 || math.Abs(reference-q.ReferenceScore) > 1e-9 ||
					math.IsNaN(got) {
					t.Errorf("%s: planted %.6f against %.6f, counted %.6f against %.6f", name(q), q.Score,
						q.ReferenceScore, got, reference)
				}
				if q.Expected != q.Score-q.ReferenceScore {
					t.Errorf("%s: Expected is %v", name(q), q.Expected)
				}
			}
		})
	}
}

func name(q population.Planted) string {
	return fmt.Sprintf("%s/%s by %s, %s", q.Measure, q.Group, q.Dimension, q.Code)
}
