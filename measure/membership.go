package measure

import (
	"fmt"
	"strings"
)

// source is the first of the two steps: membership. It writes a query of one row a unit, with the
// columns stratum, no, patient_no and day, and for each rate those of its populations by their
// letters, each within the one before, and v and w: what the unit observes for the denominator or
// the measure population, and for the numerator. The second step looks at nothing else, so that it
// does not matter who decided on the members.
type source interface {
	// members holds the units of the period, undated those that no period holds.
	members() statement
	undated() statement
}

// statement is a piece of SQL and its parameters, in the order of their question marks.
type statement struct {
	text string
	args []any
}

// membership decides by the expressions of a definition.
type membership struct {
	d      *Definition
	rates  []GroupDefinition
	period Period
	// narrow says to read the table below the unit's view, which spares a join.
	narrow bool
	// only holds the conditions on rows that a question adds.
	only []statement
	// more lists columns beside those of the populations.
	more []string
}

// view names the documented view of a unit. That of patients depends on the period.
func view(u Unit, p Period) string {
	if u == PatientUnit {
		return fmt.Sprintf("patient_in(%s, %s)", dateLiteral(p.Start), dateLiteral(p.End))
	}
	return string(u)
}

func (m *membership) relation() string {
	if m.narrow {
		return "unit." + string(m.d.Unit)
	}
	return view(m.d.Unit, m.period)
}

// date is the column that places a unit in a period.
func (d *Definition) date() string {
	switch d.Unit {
	case PatientUnit:
		return "NULL::DATE"
	case EventUnit:
		return "date"
	case EncounterUnit, StayUnit:
	}
	return d.DatedBy + "_date"
}

func (m *membership) members() statement {
	if m.d.Unit == PatientUnit {
		return m.where("true")
	}
	return m.where(fmt.Sprintf("%s BETWEEN %s AND %s", m.d.date(), dateLiteral(m.period.Start),
		dateLiteral(m.period.End)))
}

func (m *membership) undated() statement {
	if m.d.Unit == PatientUnit {
		return m.where("false")
	}
	return m.where(m.d.date() + " IS NULL")
}

func (m *membership) where(condition string) statement {
	const text = "SELECT stratum, no, patient_no, %s AS day,\n    %s\n  FROM %s\n  WHERE %s"
	out := statement{text: fmt.Sprintf(text,
		m.d.date(), strings.Join(append(m.columns(), m.more...), ",\n    "), m.relation(), condition)}
	for _, c := range m.only {
		out.text += " AND " + c.text
		out.args = append(out.args, c.args...)
	}
	return out
}

// expression wraps what an analyst wrote: NULL is false, and a trailing comment ends with its line.
func expression(text string) string {
	if text == "" {
		return "false"
	}
	return "coalesce((\n" + text + "\n)::BOOLEAN, false)"
}

// observed wraps a number that an analyst wrote. What is not finite, such as a quotient by zero, is
// no observation.
func observed(text string) string {
	value := "(\n" + text + "\n)::DOUBLE"
	return "CASE WHEN isfinite(" + value + ") THEN " + value + " END"
}

// rules writes the populations of rates as columns, in the order in which they are evaluated.
type rules struct {
	scoring Scoring
	rates   int
	// holds writes the condition of a population, observed what it observes; "" for nothing. has says
	// that a rate has a population.
	holds    func(g int, p Population) string
	observed func(g int, p Population) string
	has      func(g int, p Population) bool
}

func (m *membership) columns() []string {
	r := rules{
		scoring: m.d.Scoring, rates: len(m.rates),
		holds: func(g int, p Population) string { return expression(m.rates[g].Populations[p]) },
		observed: func(_ int, p Population) string {
			if m.d.Observe[p] == "" {
				return ""
			}
			return observed(m.d.Observe[p])
		},
		has: func(g int, p Population) bool { return m.rates[g].Populations[p] != "" },
	}
	return r.columns()
}

func (r *rules) columns() []string {
	var columns []string
	for g := range r.rates {
		// %[1]d is the number of the rate, so that a line reads as the rule does.
		add := func(format string, args ...any) {
			columns = append(columns, fmt.Sprintf(format, append([]any{g}, args...)...))
		}
		holds := func(p Population) string { return r.holds(g, p) }
		for _, p := range []Population{Denominator, MeasurePopulation} {
			if text := r.observed(g, p); text != "" {
				add("%[2]s AS v%[1]d", text)
			}
		}
		if text := r.observed(g, Numerator); text != "" {
			add("%[2]s AS w%[1]d", text)
		}
		add("%[2]s AS i%[1]d", holds(InitialPopulation))
		switch r.scoring {
		case Proportion:
			add("i%[1]d AND %[2]s AS d%[1]d", holds(Denominator))
			add("d%[1]d AND %[2]s AS x%[1]d", holds(DenominatorExclusion))
			add("d%[1]d AND NOT x%[1]d AND %[2]s AS n%[1]d", holds(Numerator))
			add("d%[1]d AND NOT x%[1]d AND NOT n%[1]d AND %[2]s AS e%[1]d", holds(DenominatorException))
			add("n%[1]d AND %[2]s AS y%[1]d", holds(NumeratorExclusion))
		case Ratio:
			add("i%[1]d AND %[2]s AS d%[1]d", holds(Denominator))
			add("d%[1]d AND %[2]s AS x%[1]d", holds(DenominatorExclusion))
			initial := "i"
			if r.has(g, NumeratorInitial) {
				initial = "j"
				add("%[2]s AS j%[1]d", holds(NumeratorInitial))
			}
			add("%[2]s%[1]d AND %[3]s AS n%[1]d", initial, holds(Numerator))
			add("n%[1]d AND %[2]s AS y%[1]d", holds(NumeratorExclusion))
		case ContinuousVariable:
			add("i%[1]d AND %[2]s AS d%[1]d", holds(MeasurePopulation))
			// What has no observation cannot be measured; it is excluded, not counted as nothing.
			add("d%[1]d AND (v%[1]d IS NULL OR %[2]s) AS x%[1]d", holds(MeasureExclusion))
		case Cohort:
		}
	}
	return columns
}
