package gap

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

// Standard names the population whose ages are taken for everybody.
type Standard string

// The standards.
const (
	// Own is the measure's own population of the period: figures are near the crude ones and
	// comparable with each other, and with nothing else.
	Own Standard = "own"
	// US2000 is the population of the United States of 2000, in our bands: what published figures use.
	US2000 Standard = "us2000"
)

// ErrUnknownStandard says that a population is none of those.
var ErrUnknownStandard = errors.New("the standard is neither own nor us2000")

// AgeStandard is a standard population as it was used.
type AgeStandard struct {
	Name Standard `json:"name"`
	// Bands hold the share of each age band; they add up to 1.
	Bands []AgeShare `json:"bands"`
	// LeftOut are bands of the standard in which the measure has nobody at all, such as children in a
	// measure of adults; the others share their part.
	LeftOut []string `json:"left_out,omitempty"`
}

// AgeShare is the share of an age band.
type AgeShare struct {
	Code  string  `json:"code"`
	Share float64 `json:"share"`
}

// Direct is a directly age-standardised score.
type Direct struct {
	Score float64 `json:"score"`
	// Interval is that of Fay and Feuer. It takes events for rare ones, so of a proportion that is not
	// small it is too wide; its upper end is held to 1 there.
	Interval [2]float64 `json:"interval"`
	// Reliability is that of the events it rests on: below 20 it is unreliable.
	Reliability string `json:"reliability"`
	Why         string `json:"why,omitempty"`
	// Covered is the share of the stratum's units whose age is known; the others are left out.
	Covered float64 `json:"covered"`
}

// Indirect is an indirectly standardised ratio: observed over expected. Two of them are
// comparable with 1 and not with each other, unless the groups are of the same ages.
type Indirect struct {
	Observed float64 `json:"observed"`
	// Expected is how many events it would have with the scores of everybody of the same ages.
	Expected float64 `json:"expected"`
	Ratio    float64 `json:"ratio"`
	// Interval is the exact one of a Poisson count (Garwood) over Expected.
	Interval    [2]float64 `json:"interval"`
	Reliability string     `json:"reliability"`
	Why         string     `json:"why,omitempty"`
}

// ages divides people by age band: everybody, and those of each stratum.
type ages struct {
	all   []stat.Count
	of    map[string][]stat.Count
	units map[string]float64 // Of a stratum, those of unknown age included.
	// hidden says that a figure of the cross is.
	hidden bool
}

// agesOf reads the cross of a dimension with age, whichever way round it is.
func agesOf(g measure.Group, dimension string) (ages, bool) {
	parts := strings.Split(dimension, "*")
	want := append(slices.Clone(parts), mapping.DimensionAgeBand)
	slices.Sort(want)
	for key, strata := range g.Strata {
		have := strings.Split(key, "*")
		slices.Sort(have)
		if slices.Equal(have, want) {
			return readAges(g, parts, strata), true
		}
	}
	return ages{}, false
}

func readAges(g measure.Group, parts []string, strata []measure.Stratum) ages {
	bands := mapping.AgeBands()
	out := ages{all: make([]stat.Count, len(bands)), of: map[string][]stat.Count{},
		units: map[string]float64{}}
	for _, s := range strata {
		out.hidden = out.hidden || s.Suppressed
		codings := make([]measure.Coding, len(parts))
		band := -1
		for _, c := range s.Components {
			if c.Dimension == mapping.DimensionAgeBand {
				band = slices.Index(bands, c.Code)
			} else if i := slices.Index(parts, c.Dimension); i >= 0 {
				codings[i] = c.Coding
			}
		}
		key, n := keyOf(codings), countOf(g, s.Cell)
		out.units[key] += n.Of
		if band < 0 {
			continue
		}
		if out.of[key] == nil {
			out.of[key] = make([]stat.Count, len(bands))
		}
		for _, to := range []*stat.Count{&out.all[band], &out.of[key][band]} {
			to.Events, to.Of = to.Events+n.Events, to.Of+n.Of
		}
	}
	return out
}

// keyOf tells strata apart, states included.
func keyOf(codings []measure.Coding) string {
	keys := make([]string, len(codings))
	for i, c := range codings {
		keys[i] = c.Code + "~" + c.State
	}
	return strings.Join(keys, "*")
}

func codingsOf(s measure.Stratum) []measure.Coding {
	if len(s.Components) == 0 {
		return []measure.Coding{s.Coding}
	}
	var codings []measure.Coding
	for _, c := range s.Components {
		codings = append(codings, c.Coding)
	}
	return codings
}

// standardise fills the age-standardised scores, or says why there are none.
func (out *Comparison) standardise(g measure.Group, strata []measure.Stratum, name Standard) error {
	if name == "" {
		name = Own
	}
	if name != Own && name != US2000 {
		return fmt.Errorf("standard %q: %w", string(name), ErrUnknownStandard)
	}
	by, crossed := agesOf(g, out.Dimension)
	switch {
	case slices.Contains(strings.Split(out.Dimension, "*"), mapping.DimensionAgeBand):
		out.StandardRefused = refuse(IsAge)
	case g.Scoring != measure.Proportion && g.Scoring != measure.Ratio:
		out.StandardRefused = refuse(NotACount)
	case out.Overlapping:
		out.StandardRefused = refuse(Overlaps)
	case !crossed:
		out.StandardRefused = refuse(NoCross)
	case by.hidden || anyHidden(strata):
		out.StandardRefused = refuse(Hidden)
	}
	if out.StandardRefused != nil {
		return nil
	}
	standard, weights := standardOf(name, by.all)
	out.Standard = &standard
	for i, s := range strata {
		if !known(s) || s.Score == nil {
			continue
		}
		key := keyOf(codingsOf(s))
		out.Groups[i].direct(g, by.of[key], weights, by.units[key])
		out.Groups[i].indirect(by.of[key], by.all)
	}
	return nil
}

// anyHidden reports whether a figure of some stratum is hidden.
func anyHidden(strata []measure.Stratum) bool {
	return slices.ContainsFunc(strata, func(s measure.Stratum) bool { return s.Suppressed })
}

// standardOf weighs the bands in which the measure has anybody.
func standardOf(name Standard, all []stat.Count) (AgeStandard, []float64) {
	standard := AgeStandard{Name: name}
	weights := make([]float64, len(all))
	sum := 0.0
	people := stat.USStandard2000Broad()
	for i := range all {
		weights[i] = all[i].Of
		if name == US2000 {
			weights[i] = people[i].People
			if all[i].Of <= 0 {
				standard.LeftOut = append(standard.LeftOut, mapping.AgeBands()[i])
				weights[i] = 0
			}
		}
		sum += weights[i]
	}
	for i, code := range mapping.AgeBands() {
		if weights[i] > 0 {
			standard.Bands = append(standard.Bands, AgeShare{Code: code, Share: weights[i] / sum})
		}
	}
	return standard, weights
}

func (c *Compared) direct(g measure.Group, of []stat.Count, weights []float64, units float64) {
	events, exposure := columns(of)
	found, ok := stat.DirectlyStandardised(events, exposure, weights)
	if !ok {
		c.DirectRefused = refuse(EmptyBand)
		return
	}
	known := 0.0
	for _, n := range exposure {
		known += n
	}
	lo, hi := found.FayFeuer()
	if g.Scoring == measure.Proportion {
		hi = min(hi, 1)
	}
	per := scale(g)
	is, why := stat.CountReliability(found.Events)
	c.Direct = &Direct{Score: per * found.Rate, Interval: [2]float64{per * lo, per * hi},
		Reliability: string(is), Why: string(why), Covered: known / units}
}

func (c *Compared) indirect(of, all []stat.Count) {
	events, exposure := columns(of)
	allEvents, allExposure := columns(all)
	expected, ok := stat.Expected(exposure, allEvents, allExposure)
	observed := 0.0
	for _, x := range events {
		observed += x
	}
	if !whole(observed) {
		c.IndirectRefused = refuse(NotACount)
		return
	}
	ratio, lo, hi, exists := stat.ObservedToExpected(observed, expected)
	if !ok || !exists {
		c.IndirectRefused = refuse(NoExpected)
		return
	}
	is, why := stat.CountReliability(observed)
	c.Indirect = &Indirect{Observed: observed, Expected: expected, Ratio: ratio,
		Interval: [2]float64{lo, hi}, Reliability: string(is), Why: string(why)}
}

func columns(of []stat.Count) (events, exposure []float64) {
	for _, n := range of {
		events, exposure = append(events, n.Events), append(exposure, n.Of)
	}
	return events, exposure
}
