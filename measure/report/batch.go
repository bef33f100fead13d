package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
)

// batchKey is what one Import is of.
type batchKey struct {
	url, version string
	period       measure.Period
}

// batch is the reports of one measure over one period.
type batch struct {
	batchKey
	subjects []*subject
	rates    []measure.GroupDefinition
	unit     measure.Unit
	seen     map[unitKey]Place
	observed bool
	// units is the count of the whole reading.
	units *int
}

// unitKey is what may be reported once.
type unitKey struct{ patient, unit phi.ID }

func (r *reading) keep(s *subject) {
	key := batchKey{s.url, s.version, s.period}
	if r.batches == nil {
		r.batches = map[batchKey]*batch{}
	}
	b := r.batches[key]
	if b == nil {
		b = &batch{batchKey: key, seen: map[unitKey]Place{}, units: &r.units}
		r.batches[key] = b
	}
	b.subjects = append(b.subjects, s)
}

// imports makes one Import of each batch. What could not be made is among the faults.
func (r *reading) imports() []measure.Import {
	var keys []batchKey
	for key := range r.batches {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b batchKey) int {
		return cmp.Or(cmp.Compare(a.url, b.url), cmp.Compare(a.version, b.version),
			a.period.Start.Compare(b.period.Start), a.period.End.Compare(b.period.End))
	})
	ids := map[string]batchKey{}
	var all []measure.Import
	for _, key := range keys {
		b := r.batches[key]
		id := measureID(key.url)
		if other, ok := ids[id]; ok && (other.url != key.url ||
			other.period == key.period && other.version != key.version) {
			r.faults.add(b.subjects[0].at, "MeasureReport.measure",
				"another measure of the input has the same last part of its URL")
		}
		ids[id] = key
		all = append(all, r.make(id, b))
	}
	return all
}

func (r *reading) make(id string, b *batch) measure.Import {
	first := b.subjects[0]
	made := measure.Import{
		Measure: id, Version: cmp.Or(b.version, unversioned), Title: id, URL: b.url,
		Scoring:     first.scoring,
		Improvement: cmp.Or(first.improvement, r.cfg.Improvement, measure.Context),
		Period:      b.period,
	}
	b.unit = r.unitOf(b)
	made.Unit = b.unit
	for _, s := range b.subjects {
		if s.scoring != made.Scoring || s.improvement != first.improvement {
			s.faults.add(s.at, "MeasureReport",
				"its scoring or direction is not that of the first report of the measure")
			continue
		}
		b.name(s)
		made.Members = append(made.Members, b.members(s)...)
	}
	made.Rates = b.rates
	if made.Scoring == measure.ContinuousVariable && !b.observed &&
		slices.ContainsFunc(made.Members, func(m measure.ImportedMember) bool {
			return slices.Contains(m.In, measure.MeasurePopulation)
		}) {
		r.faults.add(first.at, "MeasureReport.contained",
			"no report of the measure says what was observed, of which a continuous-variable is made")
	}
	return made
}

// unitOf is what was counted: what was given, or what the reports say, or else what fits the counts.
func (r *reading) unitOf(b *batch) measure.Unit {
	if r.cfg.Unit != "" {
		return r.cfg.Unit
	}
	unit := measure.PatientUnit
	for _, s := range b.subjects {
		if s.unit != "" {
			return s.unit
		}
		for _, g := range s.groups {
			for _, size := range g.sizes {
				if size > 1 {
					unit = measure.EncounterUnit
				}
			}
		}
	}
	return unit
}

// name gives each group of a report the id of a rate: its own, or that of the rate in its place.
func (b *batch) name(s *subject) {
	for i := range s.groups {
		g := &s.groups[i]
		switch {
		case g.id != "":
		case i < len(b.rates):
			g.id = b.rates[i].ID
		case len(s.groups) == 1:
			g.id = "main"
		default:
			g.id = fmt.Sprintf("group-%d", i+1)
		}
		if slices.ContainsFunc(s.groups[:i], func(o heardGroup) bool { return o.id == g.id }) {
			s.fault(groupPath(i, ""), "another group of the report has its id")
		}
		if !slices.ContainsFunc(b.rates, func(o measure.GroupDefinition) bool { return o.ID == g.id }) {
			b.rates = append(b.rates, measure.GroupDefinition{
				ID: g.id, Title: g.title, Improvement: g.improvement,
			})
		}
	}
}

// members are the units of one report: those that it names, if it does so for every count, or as
// many without names.
func (b *batch) members(s *subject) []measure.ImportedMember {
	members, ok := b.unitsNamed(s)
	if !ok {
		members = b.unitsCounted(s)
	}
	b.observe(s, members)
	keys := map[unitKey]bool{{patient: s.patient}: len(members) == 0}
	for _, m := range members {
		keys[unitKey{s.patient, m.Unit}] = true
	}
	for key, used := range keys {
		if !used {
			continue
		}
		if other, ok := b.seen[key]; ok {
			where := "before"
			if name := other.String(); name != "" {
				where = "in " + name
			}
			s.fault("MeasureReport.subject", "the same subject and unit were reported "+where)
		}
		b.seen[key] = s.at
	}
	return members
}

// unitsNamed reads the units from the evaluated resources that say for which populations they were.
// An engine may list there whatever it looked at, so that the units are taken only if they are as
// many as each population counts, and each of them is in what one unit can be in.
func (b *batch) unitsNamed(s *subject) ([]measure.ImportedMember, bool) {
	kind := kindOf(b.unit)
	if kind == "" {
		return nil, false
	}
	counted := make([]map[measure.Population]int, len(s.groups))
	var members []measure.ImportedMember
	found := false
	for i, g := range s.groups {
		counted[i] = map[measure.Population]int{}
		for _, resource := range s.resources {
			if resource.kind != kind {
				continue
			}
			var in []measure.Population
			for _, p := range populations() {
				if slices.ContainsFunc(resource.links, func(link string) bool {
					of, ok := g.links[link]
					return ok && of == p
				}) {
					in = append(in, p)
					counted[i][p]++
				}
			}
			if !proper(s.scoring, in) {
				return nil, false
			}
			if len(in) > 0 {
				found = true
				members = append(members, measure.ImportedMember{
					Patient: s.patient, Unit: phi.New(resource.id), Rate: g.id, In: in,
				})
			}
		}
		for p, size := range g.sizes {
			if counted[i][p] != size {
				return nil, false
			}
		}
	}
	return members, found
}

// kindOf is the resource type of a unit that has an id besides the patient's.
func kindOf(unit measure.Unit) string {
	switch unit {
	case measure.EncounterUnit, measure.StayUnit:
		return "Encounter"
	case measure.EventUnit:
		return "AdverseEvent"
	case measure.PatientUnit:
	}
	return ""
}

// unitsCounted makes units of counts. The one unit of a report is the one resource of its type that
// was evaluated, if there is just one.
func (b *batch) unitsCounted(s *subject) []measure.ImportedMember {
	var members []measure.ImportedMember
	most := 0
	for i, g := range s.groups {
		if *b.units > maxMembers {
			s.fault(groupPath(i, ""), fmt.Sprintf("the input counts more than %d units", maxMembers))
			break
		}
		units, err := expand(s.scoring, g.sizes, b.unit == measure.PatientUnit)
		if err != nil {
			s.fault(groupPath(i, ""), err.Error())
			continue
		}
		if len(units) > 1 && b.unit == measure.PatientUnit {
			s.fault(groupPath(i, ""), "it counts more than one where the unit is the patient")
			continue
		}
		most = max(most, len(units))
		*b.units += len(units)
		for _, in := range units {
			if len(in) > 0 {
				members = append(members, measure.ImportedMember{Patient: s.patient, Rate: g.id, In: in})
			}
		}
	}
	var only []string
	for _, resource := range s.resources {
		if resource.kind == kindOf(b.unit) && !slices.Contains(only, resource.id) {
			only = append(only, resource.id)
		}
	}
	if most == 1 && len(only) == 1 {
		for i := range members {
			members[i].Unit = phi.New(only[0])
		}
	}
	return members
}
