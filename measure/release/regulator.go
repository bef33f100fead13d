package release

import (
	"maps"
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// forRegulator adds the strata that nobody is in, so that no required code is missing. It hides nothing:
// a format that demands a code demands its figure.
func forRegulator(r measure.Result) measure.Result {
	r.Audience = string(Regulator)
	r.Groups = slices.Clone(r.Groups)
	for i := range r.Groups {
		g := &r.Groups[i]
		g.Strata = maps.Clone(g.Strata)
		for dimension, strata := range g.Strata {
			if len(g.Populations) > 0 {
				g.Strata[dimension] = completed(*g, dimension, strata, r.Policy)
			}
		}
	}
	return r
}

// required lists the codes of a dimension that a report must hold; none where the set is open.
func required(dimension string, policy mapping.Policy) []string {
	switch dimension {
	case mapping.DimensionRace:
		if policy == mapping.PolicySPD15 {
			return allSPD15.List()
		}
		return append(allRaces.List(), mapping.TwoOrMore)
	case mapping.DimensionRaceEthnicity:
		switch policy {
		case mapping.PolicySPD15:
			return allSPD15.List()
		case mapping.PolicyAlone:
			return append(allRaces.List(), hispanic)
		case mapping.PolicyOMB1997, mapping.PolicyNCQA, "":
		}
		return append(allRaces.List(), mapping.TwoOrMore, hispanic)
	case mapping.DimensionEthnicity:
		return []string{hispanic, notHispanic}
	case mapping.DimensionInterpreter:
		return []string{mapping.Yes, mapping.No}
	case mapping.DimensionSex:
		return []string{"female", "male", "other"}
	case mapping.DimensionAgeBand:
		return mapping.AgeBands()
	}
	return nil
}

// Codes of CDC Race and Ethnicity.
const (
	hispanic    = "2135-2"
	notHispanic = "2186-5"
)

const (
	allRaces = mapping.AmericanIndian | mapping.Asian | mapping.Black | mapping.PacificIslander |
		mapping.White | mapping.OtherRace
	allSPD15 = mapping.SPD15AmericanIndian | mapping.SPD15Asian | mapping.SPD15Black |
		mapping.SPD15PacificIslander | mapping.SPD15White | mapping.SPD15MiddleEastern |
		mapping.SPD15Hispanic
)

// completed appends what is missing, known codes before the states that stand last.
func completed(
	g measure.Group, dimension string, strata []measure.Stratum, policy mapping.Policy,
) []measure.Stratum {
	var missing []measure.Stratum
	for _, code := range required(dimension, policy) {
		has := slices.ContainsFunc(strata, func(s measure.Stratum) bool { return s.Code == code })
		if has {
			continue
		}
		system := mapping.SystemOf(dimension, code)
		empty := measure.Stratum{
			Coding: measure.Coding{
				Code: code, System: system, Label: mapping.Label(system, code),
				State: string(mapping.Known),
			},
			Cell: measure.Cell{Populations: map[measure.Population]float64{}}, Share: new(float64),
		}
		for population := range g.Populations {
			empty.Populations[population] = 0
		}
		missing = append(missing, empty)
	}
	at := slices.IndexFunc(strata, func(s measure.Stratum) bool {
		return s.State != string(mapping.Known)
	})
	if at < 0 {
		at = len(strata)
	}
	return slices.Insert(slices.Clone(strata), at, missing...)
}
