package network

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/measure"
)

// populations lists the populations that a rate is counted by, in the order in which they are written.
func populations(rate measure.GroupDefinition) []measure.Population {
	all := []measure.Population{
		measure.InitialPopulation, measure.Denominator, measure.DenominatorExclusion,
		measure.DenominatorException, measure.Numerator, measure.NumeratorExclusion,
	}
	return slices.DeleteFunc(all, func(p measure.Population) bool {
		return strings.TrimSpace(rate.Populations[p]) == ""
	})
}

// pools reports whether figures of a measure can be taken together: counts above counts. A median
// cannot, and what another engine counted is not known to be the same everywhere.
func pools(d *measure.Definition) bool {
	return !d.Imported && (d.Scoring == measure.Proportion || d.Scoring == measure.Ratio)
}

// fraction returns what a score divides and by what. It is not ok where a size is hidden or the
// sizes contradict each other.
func (f Figure) fraction() (met, eligible int64, ok bool) {
	for _, size := range f.Sizes {
		if size == nil {
			return 0, 0, false
		}
	}
	of := func(p measure.Population) int64 {
		if size := f.Sizes[p]; size != nil {
			return *size
		}
		return 0
	}
	eligible = of(measure.Denominator) - of(measure.DenominatorExclusion) -
		of(measure.DenominatorException)
	met = of(measure.Numerator) - of(measure.NumeratorExclusion)
	return met, eligible, len(f.Sizes) > 0 && met >= 0 && eligible >= 0
}

// score is met by eligible in the scale of the measure; absent where nobody is eligible.
func (f Figure) score(per float64) *float64 {
	met, eligible, ok := f.fraction()
	if !ok || eligible == 0 {
		return nil
	}
	if per == 0 {
		per = 1
	}
	score := float64(met) / float64(eligible) * per
	return &score
}

// hidden reports whether any size is.
func (f Figure) hidden() bool {
	for _, size := range f.Sizes {
		if size == nil {
			return true
		}
	}
	return false
}

// table finds the rate's table of a dimension.
func (r *Rate) table(dimension string) (Table, bool) {
	i := slices.IndexFunc(r.Tables, func(t Table) bool { return t.By == dimension })
	if i < 0 {
		return Table{}, false
	}
	return r.Tables[i], true
}

// row finds a stratum.
func (t *Table) row(key string) (Row, bool) {
	i := slices.IndexFunc(t.Rows, func(r Row) bool { return r.Key == key })
	if i < 0 {
		return Row{}, false
	}
	return t.Rows[i], true
}

// rate finds a rate of a measure; an empty id is the first one.
func (s *Submission) rate(id, rate string) (*Report, *Rate) {
	for i := range s.Reports {
		if s.Reports[i].Measure != id {
			continue
		}
		for j := range s.Reports[i].Rates {
			if r := &s.Reports[i].Rates[j]; rate == "" || r.ID == rate {
				return &s.Reports[i], r
			}
		}
	}
	return nil, nil
}
