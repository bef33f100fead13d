package script

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/measure"
)

// written is the row as got writes it where nothing differs.
func (r *row) written() string {
	counts := ""
	if r.numerator != nil {
		counts = r.numerator.text + "/"
	}
	counts += r.denominator.text
	if r.excluded != nil {
		counts += "-" + r.excluded.text
	}
	words := []string{r.name, counts, r.score.String()}
	if r.interval != nil {
		words = append(words, r.interval.String())
	}
	for _, o := range r.others {
		words = append(words, o.name+"="+o.String())
	}
	return strings.Join(words, " ")
}

// got writes what came as the row is written, to its precision. A figure that no row may pass over
// is there even if the row does not have it.
func (r *row) got(scoring measure.Scoring, s measure.Stratum, share *float64) string {
	words := []string{r.name, r.gotCounts(scoring, s.Cell), r.score.show(pointed(s.Score))}
	if r.interval != nil {
		words = append(words, r.interval.show(bounded(s.Interval)))
	}
	for _, o := range r.others {
		words = append(words, o.name+"="+o.show(named(o.name, s, share)))
	}
	for _, p := range []measure.Population{measure.DenominatorException, measure.NumeratorExclusion} {
		written := slices.ContainsFunc(r.others, func(o other) bool { return o.name == string(p) })
		if n := s.Populations[p]; n != 0 && !written {
			words = append(words, string(p)+"="+plain(n))
		}
	}
	return strings.Join(words, " ")
}

// gotCounts writes the counts: n/d of a share, the count of a continuous variable or a cohort.
func (r *row) gotCounts(scoring measure.Scoring, c measure.Cell) string {
	top, all, out := measure.Numerator, measure.Denominator, measure.DenominatorExclusion
	switch scoring {
	case measure.ContinuousVariable:
		top, all, out = "", measure.MeasurePopulation, measure.MeasureExclusion
	case measure.Cohort:
		top, all, out = "", measure.InitialPopulation, ""
	case measure.Proportion, measure.Ratio:
	}
	text := ""
	if top != "" {
		text = r.numerator.show(c.Populations[top]) + "/"
	}
	text += r.denominator.show(c.Populations[all])
	if excluded := c.Populations[out]; excluded != 0 || r.excluded != nil {
		text += "-" + r.excluded.show(excluded)
	}
	return text
}

// named returns the figure of a name: a population, a statistic, or what stands beside a stratum.
func named(name string, s measure.Stratum, share *float64) []float64 {
	switch name {
	case "share":
		return pointed(share)
	case "bounds":
		return bounded(s.Bounds)
	case "if-unknown":
		return pointed(s.IfUnknown)
	}
	if v, ok := s.Populations[measure.Population(name)]; ok {
		return []float64{v}
	}
	if v, ok := s.Statistics[name]; ok {
		return []float64{v}
	}
	return nil
}

func pointed(v *float64) []float64 {
	if v == nil {
		return nil
	}
	return []float64{*v}
}

func bounded(v *[2]float64) []float64 {
	if v == nil {
		return nil
	}
	return v[:]
}
