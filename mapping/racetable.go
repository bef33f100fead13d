package mapping

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

//go:embed cdcrec.tsv
var cdcrec string

// RaceTable says of each CDCREC code which 1997 category it rolls up to and whether it lies under
// Middle Eastern or North African. It is never changed once parsed.
type RaceTable struct{ codes map[string]raceCode }

// raceCode is what one CDCREC code says. A code that says nothing (the roots Race and Ethnicity,
// which are never values) has neither race nor origin.
type raceCode struct {
	race    RaceSet
	origin  origin
	middle  bool
	display string
}

// origin is a set of answers to the ethnicity question.
type origin uint8

const (
	hispanic origin = 1 << iota
	notHispanic
)

// The columns of a race table.
const (
	columnCode = iota
	columnParent
	columnCategory
	columnDisplay
	columns
)

// ParseRaceTable reads a table in the form of the one that is built in: UTF-8 lines of four
// columns divided by tabs (code, parent, OMB 1997 category, display); lines that start with # and
// empty lines are skipped. A parent is empty or stands somewhere in the table. A category is one of
// the six race codes and two ethnicity codes of OMB 1997, or empty for a code that is never a
// value.
func ParseRaceTable(r io.Reader) (*RaceTable, error) {
	t := &RaceTable{codes: make(map[string]raceCode)}
	parents := make(map[string]string)
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if line == "" || line[0] == '#' {
			continue
		}
		row := strings.Split(line, "\t")
		if len(row) != columns {
			return nil, fmt.Errorf("race table: line %d: %d columns, want %d", n, len(row), columns)
		}
		code := row[columnCode]
		if _, twice := t.codes[code]; twice || code == "" {
			return nil, fmt.Errorf("race table: line %d: code %q is empty or stands twice", n, code)
		}
		race, origin, ok := omb1997(row[columnCategory])
		if !ok {
			return nil, fmt.Errorf("race table: line %d: %q is no OMB 1997 category", n, row[columnCategory])
		}
		t.codes[code] = raceCode{race: race, origin: origin, display: row[columnDisplay]}
		parents[code] = row[columnParent]
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("race table: %w", err)
	}
	return t, t.link(parents)
}

// link marks what lies under Middle Eastern or North African (2118-8) or Arab (2129-5), and checks
// that every parent exists, that no code is its own ancestor, and that each category names itself.
func (t *RaceTable) link(parents map[string]string) error {
	if len(t.codes) == 0 {
		return errors.New("race table: no codes")
	}
	for _, code := range slices.Sorted(maps.Keys(t.codes)) {
		entry, steps := t.codes[code], 0
		for at := code; at != ""; at = parents[at] {
			if _, ok := t.codes[at]; !ok {
				return fmt.Errorf("race table: parent %q of a code under %q is not in the table", at, code)
			}
			if steps++; steps > len(t.codes) {
				return fmt.Errorf("race table: code %q is its own ancestor", code)
			}
			entry.middle = entry.middle || at == codeMiddleEastern || at == codeArab
		}
		t.codes[code] = entry
	}
	for _, code := range append((OtherRace<<1 - 1).List(), codeHispanic, codeNotHispanic) {
		race, origin, _ := omb1997(code)
		if e := t.codes[code]; e.race != race || e.origin != origin {
			return fmt.Errorf("race table: category %q is absent or not its own category", code)
		}
	}
	return nil
}

func omb1997(code string) (RaceSet, origin, bool) {
	switch code {
	case "":
		return 0, 0, true
	case codeHispanic:
		return 0, hispanic, true
	case codeNotHispanic:
		return 0, notHispanic, true
	}
	for i := range raceCategories {
		if raceAt(i) == code {
			return 1 << i, 0, true
		}
	}
	return 0, 0, false
}

// Len returns the number of codes in t.
func (t *RaceTable) Len() int { return len(t.codes) }

// Display returns the words that t holds for code: for labels only, because displays drift between
// versions of CDCREC.
func (t *RaceTable) Display(code string) (string, bool) {
	e, ok := t.codes[code]
	return e.display, ok
}

// lookup returns what code says, if it can be the value of an answer.
func (t *RaceTable) lookup(code string) (raceCode, bool) {
	e, ok := t.codes[code]
	return e, ok && (e.race != 0 || e.origin != 0)
}
