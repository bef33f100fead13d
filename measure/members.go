package measure

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/internal/phi"
)

// Members calls yield for every unit of the initial population, or of that of a numerator, that the
// question is about: ordered by patient and then by unit. Who it yields counts up to what Evaluate
// answers. Strata are those of the dimensions in By, or all of them where By is empty. Bounds are not
// looked at. It stops at the first error of yield and returns it; else it fails as Evaluate does. What
// was never loaded has no members.
func (e *Engine) Members(ctx context.Context, q Question, yield func(Member) error) error {
	a, err := e.ask(q)
	if err != nil {
		return err
	}
	if _, absent := e.outline(a, q.Period); absent {
		return nil
	}
	if len(q.By) == 0 {
		if a.query.by, err = allDimensions(a.Question); err != nil {
			return err
		}
	}
	if a.query.source, _, err = e.source(ctx, a); err != nil {
		return fmt.Errorf("list members of %s: %w", a.d.ID, err)
	}
	l := newLister(&a.query, yield)
	s := l.statement()
	if err := e.snapshot.Query(ctx, s.text, l.row, s.args...); err != nil {
		return fmt.Errorf("list members of %s: %w", a.d.ID, err)
	}
	return nil
}

// allDimensions stratifies by every dimension that the policy has.
func allDimensions(q Question) ([]stratification, error) {
	var by []string
	for _, name := range Dimensions() {
		if _, err := axisOf(name, q.Policy); err == nil {
			by = append(by, name)
		}
	}
	return stratifications(by, q.Policy)
}

// ResourceType names the resource of a unit.
func (u Unit) ResourceType() string {
	switch u {
	case EncounterUnit, StayUnit:
		return "Encounter"
	case EventUnit:
		return "AdverseEvent"
	case PatientUnit:
	}
	return "Patient"
}

// lister turns the rows of a query into members.
type lister struct {
	q       *query
	yield   func(Member) error
	columns []string
	axes    []axis

	patient, unit string
	day           sql.NullTime
	keys          []string
	flags         []int64
	observed      []sql.NullFloat64
	scan          []any
}

func newLister(q *query, yield func(Member) error) *lister {
	l := &lister{q: q, yield: yield, columns: q.columns()}
	for i := range q.by {
		for _, a := range q.by[i].axes {
			if !slices.ContainsFunc(l.axes, func(have axis) bool { return have.dimension == a.dimension }) {
				l.axes = append(l.axes, a)
			}
		}
	}
	l.keys = make([]string, len(l.columns))
	l.flags = make([]int64, len(q.rates))
	l.observed = make([]sql.NullFloat64, len(q.rates)*len(observing()))
	l.scan = append(l.scan, &l.patient, &l.unit, &l.day)
	for i := range l.keys {
		l.scan = append(l.scan, &l.keys[i])
	}
	for g := range l.flags {
		l.scan = append(l.scan, &l.flags[g])
		for i := range observing() {
			l.scan = append(l.scan, &l.observed[g*len(observing())+i])
		}
	}
	return l
}

// observing lists the populations that may observe a number.
func observing() []Population { return []Population{Denominator, MeasurePopulation, Numerator} }

// statement selects the members with their ids, their keys and their populations as a bit set of
// slots.
func (l *lister) statement() statement {
	var initial []string
	for g := range l.q.rates {
		for _, p := range l.q.shown[g] {
			if s := slotOf(p); s == inInitial || s == inNumeratorInitial {
				initial = append(initial, fmt.Sprintf("%s%d", s.letter(), g))
			}
		}
	}
	return l.selecting(strings.Join(initial, " OR "), nil)
}

// selecting selects the rows of the source that meet a condition, and more of their columns.
func (l *lister) selecting(condition string, more []string) statement {
	q := l.q
	members := q.source.members()
	_, table := unitRows(q.d.Unit)
	unit, join := "''", ""
	if table != "" {
		unit = "coalesce(u.unit_id, '')"
		join = "LEFT JOIN (SELECT rowid AS place, id AS unit_id FROM base." + table +
			") u ON u.place = c.no"
	}
	selected := append([]string{"p.patient_id", unit, "c.day"}, l.columns...)
	for g := range q.rates {
		var bits []string
		for _, p := range q.shown[g] {
			s := slotOf(p)
			bits = append(bits, fmt.Sprintf("%d * %s%d::BIGINT", 1<<s, s.letter(), g))
		}
		selected = append(selected, strings.Join(bits, " + "))
		for _, p := range observing() {
			selected = append(selected, l.observation(g, p))
		}
	}
	selected = append(selected, more...)
	kept := q.kept()
	return statement{fmt.Sprintf(`WITH member AS (
  %s),
chosen AS (SELECT * FROM member WHERE %s)
SELECT %s
FROM chosen c %s
JOIN (SELECT rowid AS place, id AS patient_id FROM base.patient) p ON p.place = c.patient_no
%s
%s
ORDER BY 1, 2`, members.text, condition, strings.Join(selected, ", "),
		q.strata("chosen"), join, kept.text), append(slices.Clone(members.args), kept.args...)}
}

// observation is what a member adds to a population: nothing if it is not in it.
func (l *lister) observation(g int, p Population) string {
	if !l.q.observes[p] || !slices.Contains(l.q.shown[g], p) {
		return "NULL::DOUBLE"
	}
	letter := "v"
	if p == Numerator {
		letter = "w"
	}
	return fmt.Sprintf("CASE WHEN %s%d THEN %s%d END", slotOf(p).letter(), g, letter, g)
}

func (l *lister) row(rows *sql.Rows) error {
	if err := rows.Scan(l.scan...); err != nil {
		return err
	}
	m := Member{Patient: phi.New(l.patient), Unit: phi.New(l.unit), UnitType: l.q.d.Unit.ResourceType(),
		Strata: make(map[string][]Coding, len(l.axes)), Rates: make([]MemberRate, len(l.q.rates))}
	if l.day.Valid {
		m.Day = l.day.Time.UTC()
	}
	for _, a := range l.axes {
		keys := make([]string, len(a.columns))
		for i, name := range a.columns {
			keys[i] = l.keys[slices.Index(l.columns, name)]
		}
		for _, key := range a.of(keys) {
			m.Strata[a.dimension] = append(m.Strata[a.dimension], l.q.words.coding(a.dimension, key))
		}
	}
	for g, rate := range l.q.rates {
		out := MemberRate{ID: rate.ID}
		for _, p := range l.q.shown[g] {
			if l.flags[g]&(1<<slotOf(p)) != 0 {
				out.In = append(out.In, p)
			}
		}
		for i, p := range observing() {
			if v := l.observed[g*len(observing())+i]; v.Valid {
				if out.Observed == nil {
					out.Observed = map[Population]float64{}
				}
				out.Observed[p] = v.Float64
			}
		}
		m.Rates[g] = out
	}
	return l.yield(m)
}
