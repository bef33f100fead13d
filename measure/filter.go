package measure

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

// FilterPractitioner is the key of a Filter beside the dimensions: the id of a Practitioner who
// attended an encounter, a stay or the encounter of an event, or who is a patient's own.
const FilterPractitioner = "practitioner"

const filterPayer = "payer"

// FilterKeys lists what units can be filtered by.
func FilterKeys() []string { return append(Dimensions(), FilterPractitioner) }

// listSeparator divides the values of a list that is passed as one parameter. No value holds it.
const listSeparator = "\n"

// listed is an SQL relation of the values of one parameter.
const listed = "(SELECT unnest(string_split(?, chr(10))))"

// resourceID is what a FHIR id looks like.
var resourceID = regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`)

// languageCode is a primary subtag of BCP 47.
var languageCode = regexp.MustCompile(`^[a-z]{2,8}$`)

// Check says what is wrong with a filter, all at once. Codes may depend on the race policy: those of
// a filter are those of the strata.
func (f Filter) Check(policy mapping.Policy) error {
	for _, key := range slices.Sorted(maps.Keys(f)) {
		switch {
		case key == filterPayer:
			return fmt.Errorf("%w: %s: no resource that is synced says who pays (Coverage is not)",
				ErrUnknownFilter, key)
		case !slices.Contains(FilterKeys(), key):
			return fmt.Errorf("%w: %q is none of %s", ErrUnknownFilter, key, strings.Join(FilterKeys(), ", "))
		case len(f[key]) == 0:
			return fmt.Errorf("%w: %s: no value is listed", ErrUnknownFilter, key)
		}
		if key != FilterPractitioner {
			if _, err := axisOf(key, policy); err != nil {
				return err
			}
		}
		for _, value := range f[key] {
			if err := checkValue(key, value, policy); err != nil {
				return fmt.Errorf("%w: %s: %w", ErrUnknownFilter, key, err)
			}
		}
	}
	return nil
}

// checkValue refuses a value that the key cannot have. What may name someone is not repeated.
func checkValue(key, value string, policy mapping.Policy) error {
	if state, ok := strings.CutPrefix(value, "~"); ok && key != FilterPractitioner {
		states := mapping.States()[1:]
		if slices.Contains(states, mapping.State(state)) {
			return nil
		}
		var names []string
		for _, s := range states {
			names = append(names, "~"+string(s))
		}
		return fmt.Errorf("%q is no state; there are %s", value, strings.Join(names, ", "))
	}
	form, what := map[string]*regexp.Regexp{
		FilterPractitioner: resourceID, mapping.DimensionSite: resourceID,
		mapping.DimensionLanguage: languageCode,
	}[key], "the id of a resource"
	if form != nil {
		if key == mapping.DimensionLanguage {
			what = "a language code such as es"
		}
		if !form.MatchString(value) {
			return fmt.Errorf("a value is not %s, or ~ and a state", what)
		}
		return nil
	}
	codes := codesOf(key, policy)
	if !slices.Contains(codes, value) {
		return fmt.Errorf("%q is none of %s, or ~ and a state", value, strings.Join(codes, ", "))
	}
	return nil
}

// codesOf lists the codes of a dimension that has a closed set of them, under a policy.
func codesOf(dimension string, policy mapping.Policy) []string {
	races := mapping.RaceSet(1<<6 - 1).List()
	switch dimension {
	case mapping.DimensionRace, mapping.DimensionRaceEthnicity:
		both := dimension == mapping.DimensionRaceEthnicity
		switch policy {
		case mapping.PolicySPD15:
			return mapping.SPD15Set(1<<7 - 1).List()
		case mapping.PolicyAlone:
			if both {
				return append(races, hispanic)
			}
			return races
		case mapping.PolicyOMB1997, mapping.PolicyNCQA:
		}
		if both {
			races = append(races, hispanic)
		}
		return append(races, mapping.TwoOrMore)
	case mapping.DimensionEthnicity:
		return []string{hispanic, "2186-5"}
	case mapping.DimensionLanguageGroup:
		return []string{mapping.English, mapping.Spanish, mapping.Chinese, mapping.Sign, mapping.Other}
	case mapping.DimensionInterpreter:
		return []string{mapping.Yes, mapping.No}
	case mapping.DimensionSex:
		return []string{"female", "male", "other"}
	case mapping.DimensionAgeBand:
		return mapping.AgeBands()
	}
	return nil
}

// onStrata writes a filter as conditions on the columns of unit.stratum: a unit is kept if one of its
// groups is listed.
func (f Filter) onStrata(policy mapping.Policy) (conditions []statement, err error) {
	for _, key := range slices.Sorted(maps.Keys(f)) {
		if key == FilterPractitioner {
			continue
		}
		a, err := axisOf(key, policy)
		if err != nil {
			return nil, err
		}
		list := strings.Join(f[key], listSeparator)
		c := statement{a.columns[0] + " IN " + listed, []any{list}}
		if a.overlapping() {
			// A state holds no separator, so that it is its own only part.
			c.text = fmt.Sprintf("list_has_any(string_split(%s, '%s'), string_split(?, chr(10)))",
				a.columns[0], setSeparator)
		}
		if len(a.columns) > 1 {
			// Hispanic is one more group; who has it and no race has no state besides.
			const both = `CASE WHEN ethnicity = '` + hispanic + `'
      THEN %s AND NOT starts_with(race_set, '~')
        OR list_contains(string_split(?, chr(10)), '` + hispanic + `')
      ELSE %s END`
			c = statement{fmt.Sprintf("("+both+")", c.text, c.text), []any{list, list, list}}
		}
		conditions = append(conditions, c)
	}
	return conditions, nil
}

// onUnits writes what a question asks of the units themselves as conditions on a row of the unit's
// view. wide says that the view is needed, not only the table below it.
func (q *Question) onUnits(unit Unit) (conditions []statement, wide bool) {
	if list := q.Where[FilterPractitioner]; len(list) > 0 {
		column := "practitioner"
		if unit == PatientUnit {
			column = "general_practitioner"
		}
		conditions = append(conditions,
			statement{column + " IN " + listed, []any{strings.Join(list, listSeparator)}})
		wide = true
	}
	if q.People != nil {
		conditions = append(conditions, statement{
			"patient_no IN (SELECT no FROM " + personSQL + " WHERE id IN " + listed + ")",
			[]any{joinIDs(q.People)},
		})
	}
	return conditions, wide
}

// joinIDs makes one parameter of many ids. One that could not have come from a server is left out:
// it names nobody.
func joinIDs(ids []phi.ID) string {
	var out strings.Builder
	for _, id := range ids {
		if text := id.Reveal(); !strings.Contains(text, listSeparator) {
			out.WriteString(text + listSeparator)
		}
	}
	return strings.TrimSuffix(out.String(), listSeparator)
}

// personSQL is a relation of every id of a patient, those of retired records included, and the number
// of the person: the one survivor at the end of all links, else the record itself. It is the rule by
// which the store gives units to people.
const personSQL = `(
  WITH RECURSIVE edge AS MATERIALIZED (
    SELECT e.retired, e.survivor FROM (
      SELECT id AS retired, replaced_by AS survivor FROM base.patient WHERE replaced_by IS NOT NULL
      UNION
      SELECT unnest(string_split(replaces, chr(10))), id FROM base.patient WHERE replaces IS NOT NULL) e
    SEMI JOIN base.patient p ON p.id = e.survivor
    WHERE e.retired <> e.survivor),
  walk(retired, here, steps) AS (
    SELECT retired, survivor, 1 FROM edge
    UNION
    SELECT w.retired, m.survivor, w.steps + 1 FROM walk w JOIN edge m ON m.retired = w.here
    WHERE w.steps < 64),
  merged AS (
    SELECT retired, min(here) AS survivor FROM walk ANTI JOIN edge ON edge.retired = walk.here
    GROUP BY retired HAVING count(DISTINCT here) = 1)
  SELECT b.id, b.rowid AS no FROM base.patient b SEMI JOIN unit.patient u ON u.no = b.rowid
  UNION ALL
  SELECT g.retired, b.rowid FROM merged g JOIN base.patient b ON b.id = g.survivor)`
