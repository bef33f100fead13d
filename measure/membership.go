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
	out := statement{text: fmt.Sprintf("SELECT stratum, no, patient_no, %s AS day,\n    %s\n  FROM %s\n  WHERE %s",
		m.d.date(), strings.Join(m.columns(), ",\n    "), m.relation(), condition)}
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

// observed wraps a number that an analyst wrote. What is not finite, such as a quotient by zero, is no
// observation.
func observed(text string) string {
	value := "(\n" + text + "\n)::DOUBLE"
	return "CASE WHEN isfinite(" + value + ") THEN " + value + " END"
}

// columns writes the populations in the order in which they are evaluated.
func (m *membership) columns() []string {
	var columns []string
	for g, rate := range m.rates {
		// %[1]d is the number of the rate, so that a line reads as the rule does.
		add := func(format string, args ...any) {
			columns = append(columns, fmt.Sprintf(format, append([]any{g}, args...)...))
		}
		of := func(p Population) string { return expression(rate.Populations[p]) }
		add("%[2]s AS i%[1]d", of(InitialPopulation))
		switch m.d.Scoring {
		case Proportion:
			add("i%[1]d AND %[2]s AS d%[1]d", of(Denominator))
			add("d%[1]d AND %[2]s AS x%[1]d", of(DenominatorExclusion))
			add("d%[1]d AND NOT x%[1]d AND %[2]s AS n%[1]d", of(Numerator))
			add("d%[1]d AND NOT x%[1]d AND NOT n%[1]d AND %[2]s AS e%[1]d", of(DenominatorException))
			add("n%[1]d AND %[2]s AS y%[1]d", of(NumeratorExclusion))
		case Ratio:
			add("i%[1]d AND %[2]s AS d%[1]d", of(Denominator))
			add("d%[1]d AND %[2]s AS x%[1]d", of(DenominatorExclusion))
			initial := fmt.Sprintf("i%d", g)
			if rate.Populations[NumeratorInitial] != "" {
				initial = fmt.Sprintf("j%d", g)
				add("%[2]s AS j%[1]d", of(NumeratorInitial))
			}
			add("%[2]s AND %[3]s AS n%[1]d", initial, of(Numerator))
			add("n%[1]d AND %[2]s AS y%[1]d", of(NumeratorExclusion))
			if text := m.d.Observe[Denominator]; text != "" {
				add("%[2]s AS v%[1]d", observed(text))
			}
			if text := m.d.Observe[Numerator]; text != "" {
				add("%[2]s AS w%[1]d", observed(text))
			}
		case ContinuousVariable:
			add("%[2]s AS v%[1]d", observed(m.d.Observe[MeasurePopulation]))
			add("i%[1]d AND %[2]s AS d%[1]d", of(MeasurePopulation))
			// What has no observation cannot be measured; it is excluded, not counted as nothing.
			add("d%[1]d AND (v%[1]d IS NULL OR %[2]s) AS x%[1]d", of(MeasureExclusion))
		case Cohort:
		}
	}
	return columns
}
