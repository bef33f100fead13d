package measure

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/internal/phi"
)

// Explain says why one person is where the figures of a question put them: every unit of the measure's
// view that the period holds, in a population or in none. What the question filters by and stratifies
// by is not looked at. It fails with ErrUnknownPatient where the snapshot does not hold the patient,
// else as Evaluate does.
func (e *Engine) Explain(ctx context.Context, q Question, patient phi.ID) (Explanation, error) {
	q.Where, q.People, q.By = nil, []phi.ID{patient}, nil
	a, err := e.ask(q)
	if err != nil {
		return Explanation{}, err
	}
	out := Explanation{Measure: a.d.ID, Version: a.d.Version, Title: a.d.Title,
		Snapshot: e.snapshot.Info.ID, DataAsOf: e.snapshot.Info.DataAsOf, Period: q.Period}
	if err := e.person(ctx, patient, a.query.words, &out); err != nil {
		return Explanation{}, err
	}
	if a.query.by, err = allDimensions(q); err != nil {
		return Explanation{}, err
	}
	x := &explainer{engine: e, asked: a}
	if a.roster != nil {
		err = x.imported(ctx, &out)
	} else {
		err = x.own(ctx, &out)
	}
	if err != nil {
		return Explanation{}, fmt.Errorf("explain %s: %w", a.d.ID, err)
	}
	return out, nil
}

// HasPatient reports whether the snapshot holds a record of a patient, a retired one included.
func (e *Engine) HasPatient(ctx context.Context, patient phi.ID) (bool, error) {
	found := false
	err := e.snapshot.Query(ctx, "SELECT 1 FROM "+personSQL+" WHERE id = ?",
		func(*sql.Rows) error { found = true; return nil }, patient.Reveal())
	if err != nil {
		return false, fmt.Errorf("look up a patient: %w", err)
	}
	return found, nil
}

// person reads who the units belong to, and the equity fields with what settled each.
func (e *Engine) person(ctx context.Context, patient phi.ID, w words, out *Explanation) error {
	const records = `WITH person AS MATERIALIZED (SELECT * FROM ` + personSQL + `)
SELECT p.id, b.id FROM person p JOIN base.patient b ON b.rowid = p.no
WHERE p.no IN (SELECT no FROM person WHERE id = ?) ORDER BY p.id`
	err := e.snapshot.Query(ctx, records, func(rows *sql.Rows) error {
		var id, whose string
		if err := rows.Scan(&id, &whose); err != nil {
			return err
		}
		out.Patient = phi.New(whose)
		out.Records = append(out.Records, phi.New(id))
		return nil
	}, patient.Reveal())
	if err != nil {
		return fmt.Errorf("look up a patient: %w", err)
	}
	if len(out.Records) == 0 {
		return ErrUnknownPatient
	}
	const fields = `SELECT b.race, b.race_from, b.ethnicity, b.ethnicity_from, b.race_ethnicity,
  CASE WHEN b.race_ethnicity = b.race THEN b.race_from ELSE b.ethnicity_from END,
  f.race_set, b.race_from, f.spd15_set,
  CASE WHEN starts_with(b.race, '~') THEN b.ethnicity_from ELSE b.race_from END,
  b.language, b.language_from, b.language_group, b.language_from,
  b.interpreter_need, b.interpreter_need_from,
  b.sex, 'Patient.gender', b.site, 'Patient.managingOrganization'
FROM base.patient b JOIN unit.patient u ON u.no = b.rowid JOIN unit.profile f ON f.no = u.profile
WHERE b.id = ?`
	names := []string{"race", "ethnicity", "race_ethnicity", DimensionRaceSet, DimensionSPD15Set,
		"language", "language_group", "interpreter_need", "sex", "site"}
	return e.snapshot.Query(ctx, fields, func(rows *sql.Rows) error {
		cells := make([]sql.NullString, 2*len(names))
		scan := make([]any, len(cells))
		for i := range cells {
			scan[i] = &cells[i]
		}
		if err := rows.Scan(scan...); err != nil {
			return err
		}
		for i, name := range names {
			f := EquityField{Field: name, Coding: w.coding(name, cells[2*i].String),
				From: cells[2*i+1].String}
			if cells[2*i].String == "~missing" {
				f.From = ""
			}
			out.Fields = append(out.Fields, f)
		}
		return nil
	}, out.Patient.Reveal())
}

// explainer reads the units of one person.
type explainer struct {
	engine *Engine
	asked  *asked
}

// imported explains by what the other engine said.
func (x *explainer) imported(ctx context.Context, out *Explanation) error {
	return x.engine.Members(ctx, x.asked.Question, func(m Member) error {
		unit := ExplainedUnit{Day: m.Day, Strata: m.Strata}
		if !m.Unit.Empty() {
			unit.Resources = append(unit.Resources, Resource{m.UnitType, m.Unit})
		}
		unit.Resources = append(unit.Resources, Resource{PatientUnit.ResourceType(), m.Patient})
		for g, rate := range m.Rates {
			r := ExplainedRate{ID: rate.ID, Title: x.asked.rates[g].Title, Observed: rate.Observed}
			for _, p := range x.asked.query.shown[g] {
				in := slices.Contains(rate.In, p)
				r.Populations = append(r.Populations, ExplainedPopulation{Population: p, Holds: in, In: in})
			}
			unit.Rates = append(unit.Rates, r)
		}
		out.Units = append(out.Units, unit)
		return nil
	})
}

// own explains by the expressions of a definition: every unit that the period holds is looked at as if
// it were a member of everything, and beside that stands what it is.
func (x *explainer) own(ctx context.Context, out *Explanation) error {
	a := x.asked
	columns, err := x.columns(ctx)
	if err != nil {
		return err
	}
	only, _ := a.onUnits(a.d.Unit)
	m := &membership{d: a.d, rates: a.rates, period: a.Period, only: only}
	names := x.named(columns)
	for _, name := range names {
		m.more = append(m.more, fmt.Sprintf("CAST(%q AS VARCHAR) AS c_%s", name, name))
	}
	for g, rate := range a.rates {
		for _, p := range a.query.shown[g] {
			text := expression(rate.Populations[p])
			m.more = append(m.more, fmt.Sprintf("%s AS h%d_%d", text, g, slotOf(p)))
		}
	}
	a.query.source = m
	all := &all{lister: newLister(&a.query, nil), names: names}
	s := all.statement()
	var units []ExplainedUnit
	var numbers []int64
	err = x.engine.snapshot.Query(ctx, s.text, func(rows *sql.Rows) error {
		unit, no, err := x.row(all, rows)
		units, numbers = append(units, unit), append(numbers, no)
		return err
	}, s.args...)
	if err != nil {
		return err
	}
	for i := range units {
		if err := x.around(ctx, &units[i], numbers[i]); err != nil {
			return err
		}
	}
	out.Units = units
	return nil
}

// columns lists those of the measure's view.
func (x *explainer) columns(ctx context.Context) ([]string, error) {
	var out []string
	text := "SELECT column_name FROM (DESCRIBE FROM " + anyView(x.asked.d) + ")"
	err := x.engine.snapshot.Query(ctx, text,
		func(rows *sql.Rows) error {
			var name string
			err := rows.Scan(&name)
			out = append(out, name)
			return err
		})
	return out, err
}

// namedIn lists the columns that an expression names, in the order in which it does.
func namedIn(text string, columns []string) []string {
	parts, err := tokens(text)
	if err != nil {
		return nil
	}
	var out []string
	for _, t := range parts {
		name := strings.ToLower(t.text)
		if (t.kind == 'a' || t.kind == '"') && slices.Contains(columns, name) &&
			!slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// texts lists what decides on a population: its condition, and what it observes.
func (x *explainer) texts(g int, p Population) []string {
	return []string{x.asked.rates[g].Populations[p], x.asked.d.Observe[p]}
}

// named lists the columns that any expression of the measure names.
func (x *explainer) named(columns []string) []string {
	var out []string
	for g := range x.asked.rates {
		for _, p := range x.asked.query.shown[g] {
			for _, text := range x.texts(g, p) {
				out = append(out, namedIn(text, columns)...)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// all lists every unit, members or not, with what each expression says.
type all struct {
	*lister
	names []string

	no     int64
	values []sql.NullString
	holds  []bool
}

func (l *all) statement() statement {
	q := l.q
	more := []string{"c.no"}
	for _, name := range l.names {
		more = append(more, "c_"+name)
	}
	l.values = make([]sql.NullString, len(l.names))
	for g := range q.rates {
		for _, p := range q.shown[g] {
			more = append(more, fmt.Sprintf("h%d_%d", g, slotOf(p)))
			l.holds = append(l.holds, false)
		}
	}
	l.scan = append(l.scan, &l.no)
	for i := range l.values {
		l.scan = append(l.scan, &l.values[i])
	}
	for i := range l.holds {
		l.scan = append(l.scan, &l.holds[i])
	}
	return l.selecting("true", more)
}

func (x *explainer) row(l *all, rows *sql.Rows) (ExplainedUnit, int64, error) {
	var m Member
	l.yield = func(got Member) error { m = got; return nil }
	if err := l.row(rows); err != nil {
		return ExplainedUnit{}, 0, err
	}
	unit := ExplainedUnit{Day: m.Day, Strata: m.Strata}
	if !m.Unit.Empty() {
		unit.Resources = append(unit.Resources, Resource{m.UnitType, m.Unit})
	}
	unit.Resources = append(unit.Resources, Resource{PatientUnit.ResourceType(), m.Patient})
	at := 0
	for g, rate := range m.Rates {
		r := ExplainedRate{ID: rate.ID, Title: x.asked.rates[g].Title, Observed: rate.Observed}
		for _, p := range x.asked.query.shown[g] {
			e := ExplainedPopulation{Population: p, Expression: x.asked.rates[g].Populations[p],
				Holds: l.holds[at], In: slices.Contains(rate.In, p)}
			at++
			var seen []string
			for _, text := range x.texts(g, p) {
				seen = append(seen, namedIn(text, l.names)...)
			}
			for _, name := range seen {
				v := l.values[slices.Index(l.names, name)]
				e.Columns = append(e.Columns, ColumnValue{Column: name, Value: v.String, Null: !v.Valid})
			}
			r.Populations = append(r.Populations, e)
		}
		unit.Rates = append(unit.Rates, r)
	}
	return unit, l.no, nil
}

// around adds the resources that a unit's columns are made of besides itself and its patient.
func (x *explainer) around(ctx context.Context, unit *ExplainedUnit, no int64) error {
	var text string
	args := []any{no}
	switch x.asked.d.Unit {
	case PatientUnit:
		// What an encounter of the period says of the patient.
		text = `SELECT 'Encounter', b.id FROM unit.encounter e JOIN base.encounter b ON b.rowid = e.no
WHERE e.patient_no = ? AND counts(e.status) AND e.end_date BETWEEN ` +
			dateLiteral(x.asked.Period.Start) + " AND " + dateLiteral(x.asked.Period.End) +
			" ORDER BY e.end_date, b.id"
	case EventUnit:
		text = `SELECT 'Encounter', b.id FROM unit.event v JOIN base.encounter b ON b.rowid = v.encounter_no
WHERE v.no = ?`
	case StayUnit:
		// The harm within it, and the stay to which days_to_next counts.
		text = `SELECT 'AdverseEvent', b.id FROM unit.event v JOIN base.adverse_event b ON b.rowid = v.no
WHERE v.encounter_no = ? AND v.actuality = 'actual' AND v.within_encounter
UNION ALL
SELECT 'Encounter', b.id FROM unit.stay s
JOIN unit.stay t ON t.patient_no = s.patient_no AND t.no <> s.no AND t.class IN ('IMP', 'ACUTE')
  AND t.start_date = s.end_date + s.days_to_next::INTEGER
JOIN base.encounter b ON b.rowid = t.no
WHERE s.no = ? ORDER BY 1, 2`
		args = append(args, no)
	case EncounterUnit:
		// What an emergency visit led to: a coarse look, by days.
		text = `SELECT 'Encounter', b.id FROM unit.encounter e
JOIN unit.encounter o ON o.patient_no = e.patient_no AND o.no <> e.no
  AND o.class IN ('IMP', 'ACUTE', 'OBSENC') AND counts(o.status)
  AND o.start_date BETWEEN e.start_date AND greatest(e.start_date + 1, e.end_date)
JOIN base.encounter b ON b.rowid = o.no
WHERE e.no = ? AND e.class = 'EMER' ORDER BY o.start_date, b.id`
	}
	return x.engine.snapshot.Query(ctx, text, func(rows *sql.Rows) error {
		var kind, id string
		err := rows.Scan(&kind, &id)
		unit.Resources = append(unit.Resources, Resource{kind, phi.New(id)})
		return err
	}, args...)
}
