package report

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/measure"
)

// observe gives each observation of a report to the member that it is of: the unit in its focus, or
// else the next one in the population that has none yet.
func (b *batch) observe(s *subject, members []measure.ImportedMember) {
	for _, o := range s.observations {
		rate, p := s.observes(o.link)
		if rate == "" {
			continue
		}
		if p == "" {
			s.fault("MeasureReport.contained", "an observation does not say of which population it is")
			continue
		}
		i := slices.IndexFunc(members, func(m measure.ImportedMember) bool {
			_, has := m.Observed[p]
			if m.Rate != rate || has || !slices.Contains(m.In, p) {
				return false
			}
			return m.Unit.Empty() || o.focus == "" || m.Unit.Reveal() == o.focus
		})
		if i < 0 {
			s.fault("MeasureReport.contained", "an observation is of no unit in its population")
			continue
		}
		if members[i].Observed == nil {
			members[i].Observed = map[measure.Population]float64{}
		}
		members[i].Observed[p] = o.value
		b.observed = true
	}
}

// observes finds the rate and the population that an observation is of; no rate where it is of
// something else, such as supplemental data. That of a continuous variable needs no link that
// resolves, for there is one population to be observed.
func (s *subject) observes(link string) (rate string, p measure.Population) {
	for _, g := range s.groups {
		if of, ok := g.observes[link]; ok {
			if of == "" && s.scoring == measure.ContinuousVariable {
				of = measure.MeasurePopulation
			}
			return g.id, of
		}
	}
	if s.scoring == measure.ContinuousVariable && len(s.groups) == 1 &&
		strings.Contains(strings.ToLower(link), "observation") {
		return s.groups[0].id, measure.MeasurePopulation
	}
	return "", ""
}
