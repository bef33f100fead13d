package release

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/disclose"
)

// builder writes the system of a block: a cell for every number of every stratum, and how they add up.
type builder struct {
	block  block
	system *disclose.System
	cells  map[cellName]entry
	// figures are what is shown as one, by the cells that it tells.
	figures map[string]disclose.Figure
	// families are the keys of the strata, by number and family.
	families map[[2]string][]string
	// known are the relations that were added.
	known map[string]bool
}

type entry struct {
	cell  disclose.Cell
	value int64
}

// cellName is a number in a stratum. The family is the dimension or cross, with the policy where that
// makes other strata; key names the stratum in it. The whole group is the family "".
type cellName struct {
	number, family, key string
}

func newBuilder(of block) *builder {
	return &builder{
		block: of, system: &disclose.System{}, cells: map[cellName]entry{},
		figures: map[string]disclose.Figure{}, families: map[[2]string][]string{},
		known: map[string]bool{},
	}
}

// stratumName is the family of a stratum and its key. The parts of a cross are in one order, whatever
// the order in which they were asked for. A dimension of which a policy makes overlapping strata is
// another one than without it; what the policy does not change is known to be the same.
func stratumName(by string, p mapping.Policy, s measure.Stratum) cellName {
	dimensions := strings.Split(by, "*")
	codings := []measure.Coding{s.Coding}
	if len(s.Components) > 0 {
		codings = codings[:0]
		for _, c := range s.Components {
			codings = append(codings, c.Coding)
		}
	}
	type part struct{ dimension, key string }
	parts := make([]part, len(codings))
	for i, c := range codings {
		parts[i] = part{marked(dimensions[i], p), c.Code}
		if c.State != string(mapping.Known) {
			parts[i].key = "~" + c.State
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return strings.Compare(a.dimension, b.dimension) })
	names, keys := make([]string, len(parts)), make([]string, len(parts))
	for i, part := range parts {
		names[i], keys[i] = part.dimension, part.key
	}
	return cellName{family: strings.Join(names, "*"), key: strings.Join(keys, separator)}
}

// overlaps marks a dimension whose strata overlap.
const overlaps = "@"

func marked(dimension string, p mapping.Policy) string {
	if p != "" && (dimension == mapping.DimensionRace || dimension == mapping.DimensionRaceEthnicity) {
		return dimension + overlaps + string(p)
	}
	return dimension
}

// add adds the numbers of every rate of a measure, of everybody and of the strata of the block.
func (b *builder) add(m *made) error {
	for i, of := range m.rates {
		everybody := stratum{cell: m.results[0].Groups[i].Cell}
		if err := b.addStratum(of, everybody, disclose.Display{State: disclose.Fixed}); err != nil {
			return err
		}
		names := []string{""}
		for _, f := range b.block.families {
			strata := m.strata(f, i)
			for _, s := range strata {
				display := disclose.Display{Rank: rankSingle - strings.Count(f.by, "*")}
				if !f.shown {
					display.State = latent
				}
				if err := b.addStratum(of, s, display); err != nil {
					return fmt.Errorf("by %s: %w", f.by, err)
				}
			}
			if len(strata) > 0 {
				names = append(names, strata[0].at.family)
			}
			if err := b.group(of, strata, m.languageGroups(i)); err != nil {
				return fmt.Errorf("by %s: %w", f.by, err)
			}
		}
		for _, number := range of.numbers() {
			b.relate(number, names)
			for _, l := range b.block.links {
				b.link(number, l, m.strata(family{by: l.cross, policy: l.target.policy}, i))
			}
		}
	}
	return nil
}

// latent marks strata that are never shown.
const latent = disclose.State(255)

// rankSingle is the rank of the strata of one dimension; a cross comes below, and is given up first.
const rankSingle = 2

// stratum is a cell and where it stands.
type stratum struct {
	at   cellName
	cell measure.Cell
}

// strata lists those of a family in a rate.
func (m *made) strata(f family, rate int) []stratum {
	i := slices.IndexFunc(m.results, func(r measure.Result) bool { return r.Policy == f.policy })
	var all []stratum
	for _, s := range m.results[i].Groups[rate].Strata[f.by] {
		all = append(all, stratum{stratumName(f.by, f.policy, s), s.Cell})
	}
	return all
}

// addStratum adds the numbers of one stratum, and how they add up within it.
func (b *builder) addStratum(of counts, s stratum, display disclose.Display) error {
	values := of.values(s.cell)
	for _, number := range slices.Sorted(maps.Keys(values)) {
		if err := b.put(s.at.of(number), values[number]); err != nil {
			return err
		}
	}
	sums := of.sums()
	for _, whole := range slices.Sorted(maps.Keys(sums)) {
		names := make([]cellName, len(sums[whole]))
		for i, part := range sums[whole] {
			names[i] = s.at.of(part)
		}
		b.sum(s.at.of(whole), names...)
	}
	for _, pair := range of.rests {
		b.rest(s.at.of(pair[0]), s.at.of(pair[1]))
	}
	if display.State == latent {
		return nil
	}
	for _, p := range slices.Sorted(maps.Keys(of.shown)) {
		if !of.quiet {
			b.show(display, s.at.of(of.shown[p]))
		}
	}
	b.show(display, of.score(s.at)...)
	return nil
}

// of is the same stratum of another number.
func (n cellName) of(number string) cellName { n.number = number; return n }

// largest is beyond any count of people, and small enough for exact sums.
const largest = 1 << 52

// put adds a cell, or finds that it is there with the same value.
func (b *builder) put(name cellName, value float64) error {
	if value != math.Trunc(value) || value < 0 || value > largest {
		return errNotWhole
	}
	if have, ok := b.cells[name]; ok {
		if have.value != int64(value) {
			return errContradiction
		}
		return nil
	}
	b.cells[name] = entry{b.system.Count(int64(value)), int64(value)}
	family := [2]string{name.number, name.family}
	b.families[family] = append(b.families[family], name.key)
	return nil
}

// sum says once that a number is the sum of others.
func (b *builder) sum(whole cellName, parts ...cellName) {
	id := fmt.Sprint(whole, parts)
	if b.known[id] {
		return
	}
	b.known[id] = true
	cells := make([]disclose.Cell, len(parts))
	for i, part := range parts {
		cells[i] = b.cells[part].cell
	}
	b.system.Sum(b.cells[whole].cell, cells...)
}

// rest says once that a number is a part of another.
func (b *builder) rest(whole, part cellName) {
	id := fmt.Sprint("rest", whole, part)
	if !b.known[id] {
		b.known[id] = true
		b.system.Rest(b.cells[whole].cell, b.cells[part].cell)
	}
}

// show makes a figure of numbers that are told as one.
func (b *builder) show(display disclose.Display, names ...cellName) {
	if len(names) == 0 {
		return
	}
	id := fmt.Sprint(names)
	if _, ok := b.figures[id]; ok {
		return
	}
	cells := make([]disclose.Cell, len(names))
	for i, name := range names {
		cells[i] = b.cells[name].cell
	}
	b.figures[id] = b.system.Show(display, cells...)
}

// shown reports whether a figure may be shown.
func (b *builder) shown(pattern disclose.Pattern, names ...cellName) bool {
	figure, ok := b.figures[fmt.Sprint(names)]
	return ok && pattern.Shown(figure)
}

// relate says how the strata of one family are sums of those of a finer one.
func (b *builder) relate(number string, families []string) {
	for _, fine := range families {
		for _, coarse := range families {
			if b.next(coarse, fine, families) {
				b.project(number, coarse, fine)
			}
		}
	}
}

// next reports whether a family is summed from a finer one, with no other between them. The parts that
// overlap stay: without them those who are in several strata would count more than once.
func (b *builder) next(coarse, fine string, families []string) bool {
	if !below(coarse, fine) {
		return false
	}
	return !slices.ContainsFunc(families, func(between string) bool {
		return below(coarse, between) && below(between, fine)
	})
}

func below(coarse, fine string) bool {
	if coarse == fine || fine == "" {
		return false
	}
	has := partsOf(coarse)
	for _, part := range partsOf(fine) {
		if strings.Contains(part, overlaps) && !slices.Contains(has, part) {
			return false
		}
	}
	for _, part := range has {
		if !slices.Contains(partsOf(fine), part) {
			return false
		}
	}
	return true
}

func partsOf(family string) []string {
	if family == "" {
		return nil
	}
	return strings.Split(family, "*")
}

// project adds the sums.
func (b *builder) project(number, coarse, fine string) {
	sums := map[string][]cellName{}
	for _, key := range b.families[[2]string{number, fine}] {
		to := projected(key, fine, coarse)
		sums[to] = append(sums[to], cellName{number, fine, key})
	}
	for _, key := range slices.Sorted(maps.Keys(sums)) {
		b.sum(cellName{number, coarse, key}, sums[key]...)
	}
}

func projected(key, fine, coarse string) string {
	keys := strings.Split(key, separator)
	var kept []string
	for i, part := range partsOf(fine) {
		if slices.Contains(partsOf(coarse), part) {
			kept = append(kept, keys[i])
		}
	}
	return strings.Join(kept, separator)
}

// link says of which atoms the strata of a family are the sums.
func (b *builder) link(number string, l link, crossed []stratum) {
	if len(crossed) == 0 {
		return
	}
	target := marked(l.target.by, l.target.policy)
	cross := crossed[0].at.family
	var rest []string
	for _, part := range partsOf(cross) {
		if part != target {
			rest = append(rest, part)
		}
	}
	with := strings.Join(rest, "*")
	atoms := partsOf(l.atoms)
	slices.Sort(atoms)
	from := strings.Join(atoms, "*")
	// What of an atom the cross holds, and the atoms that have it.
	having := map[string][]cellName{}
	for _, key := range b.families[[2]string{number, from}] {
		part := projected(key, from, with)
		having[part] = append(having[part], cellName{number, from, key})
	}
	sums := map[string][]cellName{}
	for _, s := range crossed {
		key := projected(s.at.key, cross, target)
		sums[key] = append(sums[key], having[projected(s.at.key, cross, with)]...)
	}
	for _, key := range slices.Sorted(maps.Keys(sums)) {
		b.sum(cellName{number, target, key}, sums[key]...)
	}
}

// languageGroups maps the key of a language to that of its group: every language belongs to one.
func (m *made) languageGroups(rate int) map[string]string {
	const cross = languageGroup + "*" + language
	groups := map[string]string{}
	for _, s := range m.strata(family{by: cross}, rate) {
		groups[projected(s.at.key, s.at.family, language)] =
			projected(s.at.key, s.at.family, languageGroup)
	}
	return groups
}

// group adds the strata that anybody can sum from a cross by language, by the group of the language.
func (b *builder) group(of counts, strata []stratum, groups map[string]string) error {
	for _, number := range of.numbers() {
		sums, order := map[cellName][]cellName{}, []cellName{}
		for _, s := range strata {
			parts := partsOf(s.at.family)
			i := slices.Index(parts, language)
			if i < 0 || len(parts) < 2 || slices.Contains(parts, languageGroup) {
				return nil
			}
			keys := strings.Split(s.at.key, separator)
			parts[i], keys[i] = languageGroup, groups[keys[i]]
			whole := cellName{number, strings.Join(parts, "*"), strings.Join(keys, separator)}
			if sums[whole] == nil {
				order = append(order, whole)
			}
			sums[whole] = append(sums[whole], s.at.of(number))
		}
		for _, whole := range order {
			total, parts := int64(0), sums[whole]
			for _, part := range parts {
				total += b.cells[part].value
			}
			if err := b.put(whole, float64(total)); err != nil {
				return err
			}
			b.sum(whole, parts...)
		}
	}
	return nil
}

// keep puts the strata of the block into what is released of a measure, with their hidden figures gone.
func (b *builder) keep(pattern disclose.Pattern, m *made) {
	for i := range m.released {
		r := &m.released[i]
		for j, of := range m.rates {
			for _, f := range b.block.families {
				strata, found := m.results[i].Groups[j].Strata[f.by]
				if f.policy != r.Policy || !f.shown || !found {
					continue
				}
				kept := make([]measure.Stratum, len(strata))
				for k, s := range strata {
					at := stratumName(f.by, f.policy, s)
					b.hide(pattern, of, at, &s.Cell)
					if !pattern.Known(b.cells[at.of(of.shown[measure.InitialPopulation])].cell) {
						s.Share = nil
					}
					kept[k] = s
				}
				g := &r.Groups[j]
				g.Strata[f.by] = kept
				if slices.Contains(m.results[i].Groups[j].Overlapping, f.by) {
					g.Overlapping = append(g.Overlapping, f.by)
				}
			}
		}
	}
}

// harmless keeps the statistics from which no count follows: a share above a threshold, times those that
// it is of, is one, and so may be a mean.
func harmless(statistics map[string]float64) map[string]float64 {
	const kept = "p90"
	if value, ok := statistics[kept]; ok {
		return map[string]float64{kept: value}
	}
	return nil
}

// hide keeps the populations that may be known, and the score where it tells no more than may be.
func (b *builder) hide(pattern disclose.Pattern, of counts, at cellName, c *measure.Cell) {
	populations := map[measure.Population]float64{}
	for population, size := range c.Populations {
		cell, ok := b.cells[at.of(of.shown[population])]
		if ok && pattern.Known(cell.cell) {
			populations[population] = size
		} else {
			c.Suppressed = true
		}
	}
	c.Populations, c.Statistics = populations, harmless(c.Statistics)
	if names := of.score(at); len(names) > 0 && !b.shown(pattern, names...) {
		c.Score, c.Interval, c.Statistics, c.Values, c.Suppressed = nil, nil, nil, nil, true
	}
}
