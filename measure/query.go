package measure

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// query writes the SQL that counts a measure. Membership is one step: a row of the unit's view is in
// a population or not, each within the one before. Stratification is the next: members are counted by
// the number of their combination of dimensions, and those counts rolled up.
type query struct {
	d           *Definition
	rates       []GroupDefinition
	stratifiers []Stratifier
	period      Period
	// relation is what the rows are read from: the view, or the narrower table below it where no
	// expression names a dimension.
	relation string
}

// view names the documented view of a unit. That of patients depends on the period.
func view(u Unit, p Period) string {
	if u == PatientUnit {
		return fmt.Sprintf("patient_in(%s, %s)", dateLiteral(p.Start), dateLiteral(p.End))
	}
	return string(u)
}

func dateLiteral(day time.Time) string { return "DATE '" + day.Format(dayLayout) + "'" }

// from is the table below the unit's view if every expression runs on it, which spares the join with
// the dimensions; else the view.
func (q *query) from(narrow bool) string {
	if narrow {
		return "unit." + string(q.d.Unit)
	}
	return view(q.d.Unit, q.period)
}

func (q *query) date() string {
	if q.d.DatedBy == "date" {
		return "date"
	}
	return q.d.DatedBy + "_date"
}

// inPeriod keeps the units that the period holds.
func (q *query) inPeriod() string {
	if q.d.Unit == PatientUnit {
		return "true"
	}
	return fmt.Sprintf("%s BETWEEN %s AND %s", q.date(), dateLiteral(q.period.Start), dateLiteral(q.period.End))
}

// expression wraps what an analyst wrote: NULL is false, and a trailing comment ends with its line.
func expression(text string) string {
	return "coalesce((\n" + text + "\n)::BOOLEAN, false)"
}

// observed wraps a number that an analyst wrote. What is not finite, such as a quotient by zero, is no
// observation.
func observed(text string) string {
	value := "(\n" + text + "\n)::DOUBLE"
	return "CASE WHEN isfinite(" + value + ") THEN " + value + " END"
}

// membership writes the columns that say which populations of each rate a row is in: i the initial
// population, d what is measured, x what is excluded from it, n the numerator; and what the row
// observes, v for the denominator or the measure population, w for the numerator.
func (q *query) membership() string {
	var columns []string
	add := func(format string, args ...any) { columns = append(columns, fmt.Sprintf(format, args...)) }
	for g, rate := range q.rates {
		of := rate.Populations
		add("%s AS i%d", expression(of[InitialPopulation]), g)
		measured, excluded := of[Denominator], of[DenominatorExclusion]
		if q.d.Scoring == ContinuousVariable {
			measured, excluded = of[MeasurePopulation], of[MeasureExclusion]
		}
		if excluded == "" {
			excluded = "false"
		}
		add("i%d AND %s AS d%d", g, expression(measured), g)
		switch q.d.Scoring {
		case Proportion:
			add("d%d AND %s AS x%d", g, expression(excluded), g)
			add("d%d AND NOT x%d AND %s AS n%d", g, g, expression(of[Numerator]), g)
		case Ratio:
			add("%s AS v%d", observed(q.d.Observe[Denominator]), g)
			add("%s AS w%d", observed(q.d.Observe[Numerator]), g)
			add("d%d AND %s AS x%d", g, expression(excluded), g)
			add("d%d AND NOT x%d AND v%d IS NOT NULL AND %s AS n%d", g, g, g, expression(of[Numerator]), g)
		case ContinuousVariable:
			add("%s AS v%d", observed(q.d.Observe[MeasurePopulation]), g)
			// What has no observation cannot be measured; it is excluded, not counted as nothing.
			add("d%d AND (v%d IS NULL OR %s) AS x%d", g, g, expression(excluded), g)
		}
	}
	return strings.Join(columns, ",\n    ")
}

// counted writes the columns that count members, or add up what they observe.
func (q *query) counted() []string {
	var columns []string
	add := func(format string, args ...any) { columns = append(columns, fmt.Sprintf(format, args...)) }
	for g := range q.rates {
		add("count_if(i%d) AS i%d", g, g)
		switch q.d.Scoring {
		case Proportion:
			add("count_if(d%d) AS d%d", g, g)
			add("count_if(x%d) AS x%d", g, g)
			add("count_if(n%d) AS n%d", g, g)
		case Ratio:
			add("coalesce(sum(v%d) FILTER (d%d), 0) AS d%d", g, g, g)
			add("coalesce(sum(v%d) FILTER (x%d), 0) AS x%d", g, g, g)
			add("coalesce(sum(w%d) FILTER (n%d), 0) AS n%d", g, g, g)
		case ContinuousVariable:
			add("count_if(d%d) AS d%d", g, g)
			add("count_if(x%d) AS x%d", g, g)
			add("count_if(d%d AND NOT x%d) AS n%d", g, g, g)
		}
	}
	return columns
}

// value is the column by which a continuous variable is grouped besides: the histogram of what its
// one rate observes.
func (q *query) value() string {
	if q.d.Scoring == ContinuousVariable {
		return ", v"
	}
	return ""
}

// dimensions lists those that any stratifier names.
func (q *query) dimensions() []string {
	var used []string
	for _, name := range Dimensions() {
		if slices.ContainsFunc(q.stratifiers, func(s Stratifier) bool { return slices.Contains(s, name) }) {
			used = append(used, name)
		}
	}
	return used
}

// text writes the whole statement. Its rows are a bit set of the dimensions that the row does not
// name, a key a dimension, the observed value of a continuous variable, and four counts a rate.
func (q *query) text() string {
	var out strings.Builder
	value := ""
	if q.value() != "" {
		value = ", CASE WHEN d0 AND NOT x0 THEN v0 END AS v"
	}
	fmt.Fprintf(&out, "WITH member AS (\n  SELECT stratum,\n    %s\n  FROM %s\n  WHERE %s),\n",
		q.membership(), q.relation, q.inPeriod())
	fmt.Fprintf(&out, "counted AS (\n  SELECT stratum%s,\n    %s\n  FROM member GROUP BY ALL)\n",
		value, strings.Join(q.counted(), ",\n    "))
	dimensions := q.dimensions()
	list := strings.Join(dimensions, ", ")
	mask := "0"
	if len(dimensions) > 0 {
		mask = "grouping(" + list + ")"
		list += ", "
	}
	var sums []string
	for g := range q.rates {
		for _, column := range []string{"i", "d", "x", "n"} {
			sums = append(sums, fmt.Sprintf("sum(%s%d)::DOUBLE", column, g))
		}
	}
	fmt.Fprintf(&out, "SELECT %s AS mask, %s%s%s\nFROM counted %s\nGROUP BY GROUPING SETS (%s)",
		mask, list, strings.TrimPrefix(q.value()+", ", ", "), strings.Join(sums, ", "), q.strata(), q.sets())
	return out.String()
}

// strata joins what the numbers of strata mean.
func (q *query) strata() string {
	switch {
	case len(q.stratifiers) == 0:
		return ""
	case q.d.Unit == PatientUnit:
		return "JOIN strata_of((SELECT list(DISTINCT stratum) FROM counted)) USING (stratum)"
	}
	return "JOIN unit.stratum USING (stratum)"
}

// sets writes one grouping set for the group and one for every set of dimensions, whose order in a
// stratifier does not matter here.
func (q *query) sets() string {
	value := strings.TrimPrefix(q.value(), ", ")
	sets := []string{"(" + value + ")"}
	for _, s := range q.stratifiers {
		set := "(" + strings.Join(slices.Sorted(slices.Values(s)), ", ") + q.value() + ")"
		if !slices.Contains(sets, set) {
			sets = append(sets, set)
		}
	}
	return strings.Join(sets, ", ")
}

// undated counts the units of each rate's initial population that no period holds.
func (q *query) undated() string {
	columns := make([]string, len(q.rates))
	for g, rate := range q.rates {
		columns[g] = "count(*) FILTER (" + expression(rate.Populations[InitialPopulation]) + ")"
	}
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s IS NULL", strings.Join(columns, ", "), q.relation, q.date())
}
