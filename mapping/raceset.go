package mapping

import (
	"math/bits"
	"strings"
)

// RaceSet is a set of the 1997 OMB race categories, Other Race included. The bits are stored, so
// their order does not change.
type RaceSet uint8

// The 1997 categories: codes 1002-5, 2028-9, 2054-5, 2076-8, 2106-3 and 2131-1 of CDCREC.
const (
	AmericanIndian RaceSet = 1 << iota
	Asian
	Black
	PacificIslander
	White
	OtherRace
)

// SPD15Set is a set of the seven minimum categories of the 2024 revision of OMB Statistical Policy
// Directive 15 (89 FR 22182). The bits are stored, so their order does not change.
type SPD15Set uint8

// The 2024 categories, by the CDCREC codes 1002-5, 2028-9, 2054-5, 2076-8, 2106-3, 2118-8, 2135-2.
const (
	SPD15AmericanIndian SPD15Set = 1 << iota
	SPD15Asian
	SPD15Black
	SPD15PacificIslander
	SPD15White
	SPD15MiddleEastern
	SPD15Hispanic
)

// Codes of CDCREC that rules name.
const (
	codeAmericanIndian  = "1002-5"
	codeAsian           = "2028-9"
	codeBlack           = "2054-5"
	codePacificIslander = "2076-8"
	codeWhite           = "2106-3"
	codeMiddleEastern   = "2118-8"
	codeArab            = "2129-5"
	codeOtherRace       = "2131-1"
	codeHispanic        = "2135-2"
	codeNotHispanic     = "2186-5"
)

const (
	raceCategories  = 6
	spd15Categories = 7
)

func raceAt(i int) string {
	return [raceCategories]string{codeAmericanIndian, codeAsian, codeBlack, codePacificIslander,
		codeWhite, codeOtherRace}[i]
}

func spd15At(i int) string {
	return [spd15Categories]string{codeAmericanIndian, codeAsian, codeBlack, codePacificIslander,
		codeWhite, codeMiddleEastern, codeHispanic}[i]
}

// Len returns the number of categories in s.
func (s RaceSet) Len() int { return bits.OnesCount8(uint8(s)) }

// Has reports whether s holds the category with that CDCREC code.
func (s RaceSet) Has(code string) bool {
	for i := range raceCategories {
		if raceAt(i) == code {
			return s&(1<<i) != 0
		}
	}
	return false
}

// List returns the CDCREC codes of s in the order of the codes.
func (s RaceSet) List() []string { return list(uint8(s), raceCategories, raceAt) }

// String returns the codes joined by a comma, "" for the empty set.
func (s RaceSet) String() string { return strings.Join(s.List(), ",") }

// Len returns the number of categories in s.
func (s SPD15Set) Len() int { return bits.OnesCount8(uint8(s)) }

// Has reports whether s holds the category with that CDCREC code.
func (s SPD15Set) Has(code string) bool {
	for i := range spd15Categories {
		if spd15At(i) == code {
			return s&(1<<i) != 0
		}
	}
	return false
}

// List returns the CDCREC codes of s in the order of the codes.
func (s SPD15Set) List() []string { return list(uint8(s), spd15Categories, spd15At) }

// String returns the codes joined by a comma, "" for the empty set.
func (s SPD15Set) String() string { return strings.Join(s.List(), ",") }

func list(set uint8, n int, at func(int) string) []string {
	var codes []string
	for i := range n {
		if set&(1<<i) != 0 {
			codes = append(codes, at(i))
		}
	}
	return codes
}

// first returns the code of the lowest category of s, which is not empty.
func (s RaceSet) first() string { return raceAt(bits.TrailingZeros8(uint8(s))) }
