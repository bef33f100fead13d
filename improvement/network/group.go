package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/mapping"
)

// Codes of CDCREC that figures are grouped by.
const (
	hispanic    = "2135-2"
	notHispanic = "2186-5"
)

// groupings knows which keys a dimension can have.
type groupings struct{ mapper *mapping.Mapper }

func newGroupings() (groupings, error) {
	m, err := mapping.New(mapping.Config{})
	if err != nil {
		return groupings{}, fmt.Errorf("make checker of submissions: %w", err)
	}
	return groupings{m}, nil
}

// valid reports whether a key is one that a dimension can have: a code of our tables, or ~ and the
// state of a value that is not known. Anything else could be words of somebody.
func (g groupings) valid(dimension, key string) bool {
	if state, ok := strings.CutPrefix(key, stateMark); ok {
		return state != string(mapping.Known) && slices.Contains(mapping.States(), mapping.State(state))
	}
	races := append(mapping.RaceSet(^uint8(0)).List(), mapping.TwoOrMore)
	switch dimension {
	case mapping.DimensionRace:
		return slices.Contains(races, key)
	case mapping.DimensionEthnicity:
		return key == hispanic || key == notHispanic
	case mapping.DimensionRaceEthnicity:
		return key == hispanic || slices.Contains(races, key)
	case mapping.DimensionLanguage:
		code, _ := g.language(key)
		return code == key
	case mapping.DimensionLanguageGroup:
		return slices.Contains([]string{
			mapping.English, mapping.Spanish, mapping.Chinese, mapping.Sign, mapping.Other,
		}, key)
	case mapping.DimensionInterpreter:
		return key == mapping.Yes || key == mapping.No
	case mapping.DimensionSex:
		return key == "male" || key == "female" || key == "other"
	case mapping.DimensionAgeBand:
		return slices.Contains(mapping.AgeBands(), key)
	}
	return false
}

// language reads a language as the mapping does, and says to which group it belongs; empty for what is
// no language.
func (g groupings) language(key string) (code, group string) {
	if strings.HasPrefix(key, stateMark) {
		return key, key
	}
	preferred := true
	p, _ := g.mapper.Patient(&fhir.Patient{Communication: []fhir.Communication{{
		Language: fhir.CodeableConcept{
			Coding: []fhir.Coding{{System: mapping.SystemBCP47, Code: key}},
		},
		Preferred: &preferred,
	}}}, nil)
	if p.Language.State != mapping.Known {
		return "", ""
	}
	return p.Language.Code, p.LanguageGroup.Code
}
