package measure

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/equitylens/equitylens/internal/phi"
)

// roster is an import in the form in which the store takes it: one line a unit, a list a column.
type roster struct {
	of *Import
	// has says which populations occur in each rate.
	has []map[Population]bool
	// observes says which populations observe a number.
	observes map[Population]bool
	// patients and units are ids, flags the populations of each rate as a bit set of slots, and
	// observed what units observe of each rate, first v and then w; "" for nothing.
	patients, units []string
	flags           [][]string
	observed        [][]string
}

// WithImports returns an engine on the same snapshot that knows measures of other engines too, instead
// of those that it knew. Of two imports of one measure and period the later one counts.
func (e *Engine) WithImports(imports []Import) *Engine {
	out := *e
	out.definitions = slices.DeleteFunc(slices.Clone(e.definitions),
		func(d Definition) bool { return d.Imported })
	out.imports = map[string][]*roster{}
	for i := range imports {
		of := imports[i]
		taken := func(d Definition) bool { return d.ID == of.Measure && !d.Imported }
		if slices.ContainsFunc(out.definitions, taken) {
			of.Measure += "-imported"
		}
		d := of.definition()
		known := slices.IndexFunc(out.definitions, func(d Definition) bool { return d.ID == of.Measure })
		if known < 0 {
			out.definitions = append(out.definitions, d)
		} else {
			out.definitions[known] = d
		}
		same := func(r *roster) bool { return r.of.Period == of.Period }
		rosters := slices.DeleteFunc(slices.Clone(out.imports[of.Measure]), same)
		out.imports[of.Measure] = append(rosters, newRoster(&of, d.Rates()))
	}
	return &out
}

// definition is what is known of an imported measure. It needs the patients alone: the rest of the
// data was the other engine's.
func (i *Import) definition() Definition {
	d := Definition{ID: i.Measure, Version: i.Version, Title: i.Title, URL: i.URL, Unit: i.Unit,
		Scoring: i.Scoring, Improvement: i.Improvement, Needs: []string{"Patient"}, Imported: true}
	if d.Improvement == "" {
		d.Improvement = Context
	}
	d.DatedBy = "end"
	switch i.Unit {
	case PatientUnit:
		d.DatedBy = "period"
	case EventUnit:
		d.DatedBy = "date"
	case EncounterUnit, StayUnit:
	}
	for _, g := range i.Rates {
		d.Groups = append(d.Groups, GroupDefinition{ID: g.ID, Title: g.Title, Improvement: g.Improvement})
	}
	return d
}

// roster finds the members of a period.
func (e *Engine) roster(id string, p Period) (*roster, error) {
	var have []string
	for _, r := range e.imports[id] {
		if r.of.Period == p {
			return r, nil
		}
		have = append(have, r.of.Period.String())
	}
	slices.Sort(have)
	return nil, fmt.Errorf("%w: %s for %s; there is %s", ErrNotImported, id, p,
		strings.Join(have, ", "))
}

// newRoster gathers what the members say of one unit in one line. Members without a unit are one unit
// each: the first of a patient in one rate goes with the first in another.
func newRoster(of *Import, rates []GroupDefinition) *roster {
	r := &roster{of: of, observes: map[Population]bool{}}
	for range rates {
		r.has = append(r.has, map[Population]bool{})
	}
	r.flags = make([][]string, len(rates))
	r.observed = make([][]string, 2*len(rates))
	type unit struct {
		patient, unit phi.ID
		nth           int
	}
	lines := map[unit]int{}
	seen := map[unit]int{}
	for i := range of.Members {
		m := &of.Members[i]
		g := slices.IndexFunc(rates, func(d GroupDefinition) bool { return d.ID == m.Rate })
		if g < 0 || strings.ContainsAny(m.Patient.Reveal()+m.Unit.Reveal(), listSeparator) {
			continue
		}
		key := unit{patient: m.Patient, unit: m.Unit}
		if m.Unit.Empty() {
			// Any number of units of a patient may be told apart by nothing but their order.
			count := unit{patient: m.Patient, unit: phi.New(m.Rate)}
			key.nth = seen[count]
			seen[count]++
		}
		line, ok := lines[key]
		if !ok {
			line = r.line(key.patient, key.unit)
			lines[key] = line
		}
		flags := 0
		for _, p := range m.In {
			if s := slotOf(p); s < slots {
				flags |= 1 << s
				r.has[g][p] = true
			}
		}
		r.flags[g][line] = strconv.Itoa(flags)
		for p, v := range m.Observed {
			r.observes[p] = true
			column := 2 * g
			if slotOf(p) == inNumerator {
				column++
			}
			r.observed[column][line] = strconv.FormatFloat(v, 'g', -1, 64)
		}
	}
	return r
}

// line adds a unit that is in nothing yet.
func (r *roster) line(patient, unit phi.ID) int {
	r.patients = append(r.patients, patient.Reveal())
	r.units = append(r.units, unit.Reveal())
	for g := range r.flags {
		r.flags[g] = append(r.flags[g], "0")
	}
	for c := range r.observed {
		r.observed[c] = append(r.observed[c], "")
	}
	return len(r.patients) - 1
}

// rosterSource is membership as another engine decided it.
type rosterSource struct {
	*roster
	d        *Definition
	question *Question
}

// lines is a relation of the roster: the lists side by side.
func (r *roster) lines() statement {
	list := func(values []string) string { return strings.Join(values, listSeparator) }
	const unnested = "unnest(string_split(?, chr(10)))"
	out := statement{"SELECT " + unnested + " AS patient, " + unnested + " AS unit",
		[]any{list(r.patients), list(r.units)}}
	for g := range r.flags {
		out.text += fmt.Sprintf(", %s::BIGINT AS f%d", unnested, g)
		out.args = append(out.args, list(r.flags[g]))
		for c, letter := range []string{"a", "b"} {
			out.text += fmt.Sprintf(", try_cast(%s AS DOUBLE) AS %s%d", unnested, letter, g)
			out.args = append(out.args, list(r.observed[2*g+c]))
		}
	}
	return out
}

// unitRows is a relation of the units that members name by their ids.
func unitRows(u Unit) (text, resource string) {
	switch u {
	case EncounterUnit, StayUnit:
		return "encounter", "encounter"
	case EventUnit:
		return "event", "adverse_event"
	case PatientUnit:
	}
	return "", ""
}

// columns holds what the other engine says to the rules of the populations, because engines differ in
// whether a numerator that is excluded is one.
func (s *rosterSource) columns() []string {
	r := rules{
		scoring: s.d.Scoring, rates: len(s.flags),
		holds: func(g int, p Population) string {
			return fmt.Sprintf("(f%d & %d) <> 0", g, 1<<slotOf(p))
		},
		observed: func(g int, p Population) string {
			switch {
			case !s.observes[p] && (s.d.Scoring != ContinuousVariable || p != MeasurePopulation):
				return ""
			case p == Numerator:
				return fmt.Sprintf("b%d", g)
			}
			return fmt.Sprintf("a%d", g)
		},
		has: func(g int, p Population) bool { return s.has[g][p] },
	}
	return r.columns()
}

func (s *rosterSource) members() statement {
	lines := s.lines()
	period := Period{Start: s.of.Period.Start, End: s.of.Period.End}
	if len(s.patients) == 0 {
		lines.text += " WHERE false" // An empty list splits into one empty word.
	}
	stratum, no, day, join := "q.stratum", "NULL::BIGINT", "NULL::DATE", ""
	practitioner := "q.general_practitioner"
	if rows, table := unitRows(s.d.Unit); rows != "" {
		stratum, no = "coalesce(u.stratum, q.stratum)", "u.no"
		day = "u.end_date"
		if s.d.Unit == EventUnit {
			day = "u.date"
		}
		practitioner = "CASE WHEN u.no IS NULL THEN q.general_practitioner ELSE u.practitioner END"
		join = fmt.Sprintf(`
  LEFT JOIN (SELECT b.id, x.* FROM %s x JOIN base.%s b ON b.rowid = x.no) u
    ON u.id = l.unit AND u.patient_no = p.no`, rows, table)
	}
	out := statement{fmt.Sprintf(`SELECT %s AS stratum, %s AS no, p.no AS patient_no, %s AS day,
    %s
  FROM (%s) l
  JOIN %s p ON p.id = l.patient
  JOIN %s q ON q.no = p.no%s
  WHERE true`, stratum, no, day, strings.Join(s.columns(), ", "), lines.text, personSQL,
		view(PatientUnit, period), join), lines.args}
	if list := s.question.Where[FilterPractitioner]; len(list) > 0 {
		out.text += " AND " + practitioner + " IN " + listed
		out.args = append(out.args, strings.Join(list, listSeparator))
	}
	if s.question.People != nil {
		out.text += " AND p.no IN (SELECT no FROM " + personSQL + " WHERE id IN " + listed + ")"
		out.args = append(out.args, joinIDs(s.question.People))
	}
	return out
}

// undated is empty: the other engine placed the units in the period.
func (s *rosterSource) undated() statement {
	members := s.members()
	members.text += " AND false"
	return members
}

// lost notes what of a roster the snapshot does not hold.
func (e *Engine) lost(ctx context.Context, r *roster, out *Result) error {
	if len(r.patients) == 0 {
		return nil
	}
	lines := r.lines()
	text := "SELECT count(*) FILTER (p.no IS NULL), 0 FROM (" + lines.text + ") l LEFT JOIN " +
		personSQL + " p ON p.id = l.patient"
	if rows, table := unitRows(r.of.Unit); rows != "" {
		text = fmt.Sprintf(`SELECT count(*) FILTER (p.no IS NULL),
  count(*) FILTER (p.no IS NOT NULL AND u.no IS NULL AND l.unit <> '')
FROM (%s) l LEFT JOIN %s p ON p.id = l.patient
LEFT JOIN (SELECT b.id, x.no, x.patient_no FROM unit.%s x JOIN base.%s b ON b.rowid = x.no) u
  ON u.id = l.unit AND u.patient_no = p.no`, lines.text, personSQL, rows, table)
	}
	var people, units int64
	err := e.snapshot.Query(ctx, text, func(rows *sql.Rows) error { return rows.Scan(&people, &units) },
		lines.args...)
	if err != nil {
		return fmt.Errorf("look up imported members: %w", err)
	}
	if people > 0 {
		out.Incomplete = append(out.Incomplete, fmt.Sprintf(
			"Patient: %d of %d imported members are of nobody in the snapshot, and are left out", people,
			len(r.patients)))
	}
	if units > 0 {
		out.Incomplete = append(out.Incomplete, fmt.Sprintf(
			"%d of %d imported members are of a unit that is not in the snapshot, and have the groups of "+
				"their patient", units, len(r.patients)))
	}
	out.Complete = len(out.Incomplete) == 0
	return nil
}
