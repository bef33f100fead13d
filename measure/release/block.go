package release

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// block is a part of a release whose strata hang together. Given the figures of everybody, which are
// public, one block says nothing of another: for any two tables with the same totals there are people
// who fill both.
type block struct {
	// families are the strata that are released, in the names of content; the last ones, from atoms on,
	// are not shown, and hold what the others are sums of.
	families []family
	links    []link
}

// family is a dimension or a cross under a policy.
type family struct {
	by     string
	policy mapping.Policy
	shown  bool
}

// link says which atoms a stratum is the sum of: those with which it occurs together in a cross.
type link struct {
	target family
	// cross names the target first and then dimensions of the atoms.
	cross string
	atoms string
}

// The dimensions that hang together.
const (
	race, ethnicity, both = mapping.DimensionRace, mapping.DimensionEthnicity,
		mapping.DimensionRaceEthnicity
	language, languageGroup = mapping.DimensionLanguage, mapping.DimensionLanguageGroup
	set, spd15              = measure.DimensionRaceSet, measure.DimensionSPD15Set
)

// blocks divides what is released.
func (d *Desk) blocks() []block {
	together := [][]string{{race, ethnicity, both}, {language, languageGroup}}
	for _, dimension := range measure.Dimensions() {
		if !slices.Contains(slices.Concat(together...), dimension) {
			together = append(together, []string{dimension})
		}
	}
	if cross := d.crosses(); len(cross) > 0 {
		together = merged(together, strings.Split(cross[0], "*"))
	}
	blocks := make([]block, len(together))
	for i, dimensions := range together {
		blocks[i] = d.block(dimensions)
	}
	return blocks
}

// merged makes one of the groups that hold any of some dimensions.
func merged(groups [][]string, dimensions []string) [][]string {
	var one []string
	var others [][]string
	for _, g := range groups {
		touched := slices.ContainsFunc(dimensions, func(d string) bool { return slices.Contains(g, d) })
		if touched {
			one = append(one, g...)
		} else {
			others = append(others, g)
		}
	}
	return append(others, one)
}

func (d *Desk) block(dimensions []string) block {
	var b block
	for _, dimension := range dimensions {
		b.families = append(b.families, family{by: dimension, shown: true})
	}
	for _, cross := range d.crosses() {
		if slices.Contains(dimensions, strings.Split(cross, "*")[0]) {
			b.families = append(b.families, family{by: cross, shown: true})
		}
	}
	if slices.Contains(dimensions, language) {
		b.links = append(b.links, link{
			target: family{by: languageGroup}, cross: languageGroup + "*" + language, atoms: language,
		})
	}
	if !slices.Contains(dimensions, race) {
		return b
	}
	if len(d.cfg.Policies) == 0 {
		atoms := race + "*" + ethnicity
		b.families = append(b.families, family{by: atoms})
		b.links = append(b.links, link{family{by: both}, both + "*" + atoms, atoms})
		return b
	}
	// A policy counts the sets of which a race is one.
	atoms := set + "*" + ethnicity + "*" + spd15
	b.families = append(b.families, family{by: atoms})
	b.links = append(b.links, link{family{by: race}, race + "*" + set, atoms},
		link{family{by: both}, both + "*" + set + "*" + ethnicity, atoms})
	for _, p := range d.cfg.Policies {
		of := set + "*" + ethnicity
		if p == mapping.PolicySPD15 {
			of = spd15
		}
		for _, by := range []string{race, both} {
			target := family{by: by, policy: p, shown: true}
			b.families = append(b.families, target)
			b.links = append(b.links, link{target, by + "*" + of, atoms})
		}
	}
	return b
}

// asks lists what has to be evaluated for a block under a policy.
func (b *block) asks(p mapping.Policy) []string {
	var all []string
	for _, f := range b.families {
		if f.policy == p {
			all = append(all, f.by)
		}
	}
	for _, l := range b.links {
		if l.target.policy == p {
			all = append(all, l.cross)
		}
	}
	return all
}
