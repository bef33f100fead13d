package network

import (
	"fmt"
	"maps"
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure/disclose"
)

// tables is everything that a reader of a submission knows of some counts that hang together: which
// are printed, which of them are hidden, and how they add up. Counts that are in no report stand in it
// too, because they must be no easier to tell.
type tables struct {
	cells []cell
	at    map[cellName]int
	sums  []sum
	// keys are the strata of a number by a dimension.
	keys map[[2]string][]string
	// known are the sums that were added.
	known map[string]bool
}

// cellName is a number of a group of people. The whole is of the dimension "" and the key "".
type cellName struct{ number, dimension, key string }

// cell is one count.
type cell struct {
	// printed says that it stands in a report, known that its value does.
	printed, known bool
	value          int64
	// path is where it stands first.
	path string
}

type sum struct {
	whole int
	parts []int
}

func newTables() *tables {
	return &tables{
		at: map[cellName]int{}, keys: map[[2]string][]string{}, known: map[string]bool{},
	}
}

// cell returns the place of a count, and makes one that is printed nowhere if there is none.
func (t *tables) cell(name cellName) int {
	if name.dimension == mapping.DimensionRaceEthnicity && name.key == hispanic {
		// Hispanic people are the same by ethnicity alone and by both.
		name.dimension = mapping.DimensionEthnicity
	}
	if i, ok := t.at[name]; ok {
		return i
	}
	t.at[name] = len(t.cells)
	t.cells = append(t.cells, cell{})
	return len(t.cells) - 1
}

// print notes what a report says of a count. It is false if another report says otherwise.
func (t *tables) print(name cellName, value *int64, path string) bool {
	c := &t.cells[t.cell(name)]
	if !c.printed {
		c.path = path
	}
	c.printed = true
	if value == nil {
		return true
	}
	if c.known && c.value != *value {
		return false
	}
	c.known, c.value = true, *value
	return true
}

// stratum notes that a number has a stratum.
func (t *tables) stratum(number, dimension, key string) {
	at := [2]string{number, dimension}
	if !slices.Contains(t.keys[at], key) {
		t.keys[at] = append(t.keys[at], key)
	}
}

func (t *tables) add(whole cellName, parts ...cellName) {
	if len(parts) == 0 {
		return
	}
	s := sum{whole: t.cell(whole)}
	for _, p := range parts {
		s.parts = append(s.parts, t.cell(p))
	}
	if id := fmt.Sprint(s); !t.known[id] {
		t.known[id] = true
		t.sums = append(t.sums, s)
	}
}

// relate says how the strata of the dimensions of a block add up, of every number that has them.
func (t *tables) relate(dimensions []string, groups groupings) {
	var names []string
	for at := range t.keys {
		names = append(names, at[0])
	}
	slices.Sort(names)
	for _, number := range slices.Compact(names) {
		of := func(dimension string) []cellName {
			keys := t.keys[[2]string{number, dimension}]
			slices.Sort(keys)
			all := make([]cellName, len(keys))
			for i, key := range keys {
				all[i] = cellName{number, dimension, key}
			}
			return all
		}
		for _, dimension := range dimensions {
			t.add(cellName{number: number}, of(dimension)...)
		}
		if slices.Contains(dimensions, mapping.DimensionLanguage) {
			t.languages(number, of(mapping.DimensionLanguage), of(mapping.DimensionLanguageGroup), groups)
		}
		if slices.Contains(dimensions, mapping.DimensionRace) {
			t.races(number, of(mapping.DimensionRace), of(mapping.DimensionEthnicity),
				of(mapping.DimensionRaceEthnicity))
		}
	}
}

// languages says of which languages a group is the sum.
func (t *tables) languages(number string, single, grouped []cellName, groups groupings) {
	if len(single) == 0 || len(grouped) == 0 {
		return
	}
	parts := map[string][]cellName{}
	for _, name := range single {
		_, group := groups.language(name.key)
		parts[group] = append(parts[group], name)
	}
	for _, group := range slices.Sorted(maps.Keys(parts)) {
		t.add(cellName{number, mapping.DimensionLanguageGroup, group}, parts[group]...)
	}
}

// races says how race, ethnicity and both together hang together: by both, whoever is Hispanic, or of
// whom records contradict each other about it, counts as that; everybody else by race.
func (t *tables) races(number string, race, ethnicity, both []cellName) {
	if len(race) == 0 || len(ethnicity) == 0 || len(both) == 0 {
		return
	}
	const conflicting = stateMark + string(mapping.Conflicting)
	apart := []string{hispanic, conflicting}
	crossed := func(race, ethnicity string) cellName {
		return cellName{number, mapping.DimensionRace + joint + mapping.DimensionEthnicity, race + joint + ethnicity}
	}
	inEthnicity := func(key string) bool {
		return slices.Contains(ethnicity, cellName{number, mapping.DimensionEthnicity, key})
	}
	apart = slices.DeleteFunc(apart, func(key string) bool { return !inEthnicity(key) })
	for _, key := range apart {
		var parts []cellName
		for _, r := range race {
			parts = append(parts, crossed(r.key, key))
		}
		t.add(cellName{number, mapping.DimensionEthnicity, key}, parts...)
	}
	for _, r := range race {
		rest := cellName{number, mapping.DimensionRaceEthnicity, r.key}
		if r.key == conflicting && inEthnicity(conflicting) {
			rest = crossed(r.key, "else")
			t.add(cellName{number, mapping.DimensionRaceEthnicity, conflicting}, rest,
				cellName{number, mapping.DimensionEthnicity, conflicting})
		}
		parts := []cellName{rest}
		for _, key := range apart {
			parts = append(parts, crossed(r.key, key))
		}
		t.add(cellName{number, mapping.DimensionRace, r.key}, parts...)
	}
	t.conflicts(number, race, inEthnicity(conflicting), conflicting)
}

// conflicts covers the case that no race is in conflict but an ethnicity is.
func (t *tables) conflicts(number string, race []cellName, found bool, key string) {
	has := slices.Contains(race, cellName{number, mapping.DimensionRace, key})
	if found && !has {
		t.add(cellName{number, mapping.DimensionRaceEthnicity, key},
			cellName{number, mapping.DimensionEthnicity, key})
	}
}

// system writes the tables, completed by a value for every count, as a system of the package disclose,
// and lists the figures that are hidden.
func (t *tables) system(values []int64) (*disclose.System, []disclose.Figure) {
	s := &disclose.System{}
	var hidden []disclose.Figure
	for i, c := range t.cells {
		at := s.Count(values[i])
		if !c.printed {
			continue
		}
		if f := s.Show(disclose.Display{}, at); !c.known {
			hidden = append(hidden, f)
		}
	}
	for _, one := range t.sums {
		parts := make([]disclose.Cell, len(one.parts))
		for i, p := range one.parts {
			parts[i] = disclose.Cell(p)
		}
		s.Sum(disclose.Cell(one.whole), parts...)
	}
	return s, hidden
}
