package words

import (
	"cmp"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// The signs that join the parts of what is made of several: dimensions and codes of a cross as
// measure.Stratifier and measure/gap write them, the categories of a recorded set, and either in
// words.
const (
	codesOfCross  = "*"
	labelsOfCross = " × "
	codesOfSet    = "+"
	labelsOfSet   = " + "
)

// someOtherRace is what measure calls 2131-1 under the policy of NCQA, which counts it as a
// category.
const someOtherRace = "Some Other Race"

// Group names a group of people by its value of a dimension, as a name that stands alone: the words
// of a category, those of the state where there is none, the name that the data give a site. A
// dimension of several, such as race*sex, takes the code and the label that measure/gap gives a
// crossed stratum. A coding with neither code nor state is everybody.
func (w *Words) Group(dimension string, c measure.Coding) string {
	unknown := c.State != "" && c.State != string(mapping.Known)
	switch crossed := strings.Split(dimension, codesOfCross); {
	case c.Code == "" && !unknown:
		return w.Say("group.all")
	case len(crossed) > 1:
		return w.cross(crossed, c)
	case unknown:
		return w.Label("state", c.State)
	}
	switch dimension {
	case mapping.DimensionRace, mapping.DimensionEthnicity, mapping.DimensionRaceEthnicity:
		return w.category(c)
	case measure.DimensionRaceSet, measure.DimensionSPD15Set:
		return w.set(c.Code)
	case mapping.DimensionLanguage:
		return Capital(w.Language(c.Code))
	case mapping.DimensionInterpreter:
		return w.Label("need", c.Code)
	case mapping.DimensionLanguageGroup, mapping.DimensionSex, mapping.DimensionAgeBand:
		return w.Label(dimension, c.Code)
	}
	return Plain(cmp.Or(c.Label, c.Code))
}

// Stratum names a stratum of a result, crossed or not.
func (w *Words) Stratum(dimension string, s measure.Stratum) string {
	if len(s.Components) == 0 {
		return w.Group(dimension, s.Coding)
	}
	names := make([]string, len(s.Components))
	for i, c := range s.Components {
		names[i] = w.Group(c.Dimension, c.Coding)
	}
	return strings.Join(names, labelsOfCross)
}

// category names a category of race or ethnicity. A nation or village of the Indigenous peoples of
// the Americas keeps the name that the table gives it, which is a proper name.
func (w *Words) category(c measure.Coding) string {
	if c.Label == someOtherRace {
		return w.Say("group.some-other-race")
	}
	for _, family := range []string{"race", "ethnicity", "cdcrec"} {
		if key := family + "." + c.Code; w.keys[key] {
			return w.Say(key)
		}
	}
	if name := mapping.Label(mapping.SystemCDCREC, c.Code); name != c.Code {
		return Plain(name)
	}
	return Plain(cmp.Or(c.Label, c.Code))
}

// set names the categories of a recorded set, such as 2028-9+2106-3.
func (w *Words) set(code string) string {
	codes := strings.Split(code, codesOfSet)
	names := make([]string, len(codes))
	for i, c := range codes {
		names[i] = w.category(measure.Coding{Code: c})
	}
	if len(names) == 1 {
		return w.Say("group.alone", names[0])
	}
	return strings.Join(names, labelsOfSet)
}

// cross names a crossed stratum by its joined codes. A part without a code is in a state; which one
// is only in the label, as the state of a cross is the first of them.
func (w *Words) cross(dimensions []string, c measure.Coding) string {
	codes, labels := strings.Split(c.Code, codesOfCross), strings.Split(c.Label, labelsOfCross)
	if len(codes) != len(dimensions) {
		return Plain(cmp.Or(c.Label, c.Code, c.State))
	}
	names := make([]string, len(dimensions))
	for i, dimension := range dimensions {
		part := measure.Coding{Code: codes[i]}
		if len(labels) == len(dimensions) {
			part.Label = labels[i]
		}
		if part.Code == "" {
			part.State = stateNamed(part.Label, c.State)
		}
		names[i] = w.Group(dimension, part)
	}
	return strings.Join(names, labelsOfCross)
}

// stateNamed finds the state that a label names, or else is the other one.
func stateNamed(label, other string) string {
	for _, s := range mapping.States() {
		if mapping.Label(mapping.SystemState, string(s)) == label {
			return string(s)
		}
	}
	return other
}

// Dimension names a dimension, or several that are crossed, as within a sentence.
func (w *Words) Dimension(name string) string {
	parts := strings.Split(name, codesOfCross)
	for i, part := range parts {
		parts[i] = w.Label("dimension", part)
	}
	return strings.Join(parts, labelsOfCross)
}

// DimensionTitle is Dimension where it stands alone.
func (w *Words) DimensionTitle(name string) string { return Capital(w.Dimension(name)) }

// Population names a population of a measure, as within a sentence.
func (w *Words) Population(p measure.Population) string { return w.Label("population", string(p)) }

// Resource names what a FHIR resource type holds, in the plural and as within a sentence.
func (w *Words) Resource(name string) string { return w.Label("resource", name) }
