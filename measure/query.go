package measure

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// query is the second of the two steps: stratification. It counts the members that a source yields by
// the number of their combination of dimensions, and those counts by what is asked for. It does not
// know who decided on the members.
type query struct {
	d     *Definition
	rates []GroupDefinition
	// shown lists the populations of each rate.
	shown  [][]Population
	source source
	by     []stratification
	// filter holds conditions on the columns of unit.stratum.
	filter []statement
	// observes says which populations observe a number.
	observes map[Population]bool
	words    words
	// months counts each calendar month apart.
	months bool
	// bounds needs what each unit of a ratio observes, not only the sums.
	bounds bool
}

func dateLiteral(day time.Time) string {
	return "DATE '" + day.Format(dayLayout) + "'"
}

// counter is a column of the query: what it counts, and where that stands in a tally.
type counter struct {
	slot slot
	text string
}

// counters lists the columns of a rate, in the order of its populations.
func (q *query) counters(g int) []counter {
	out := make([]counter, len(q.shown[g]))
	for i, p := range q.shown[g] {
		s := slotOf(p)
		column := fmt.Sprintf("%s%d", s.letter(), g)
		out[i] = counter{s, "count_if(" + column + ")"}
		value := ""
		switch {
		case q.d.Scoring != Ratio:
		case (s == inMeasured || s == inExcluded) && q.observes[Denominator]:
			value = "v"
		case (s == inNumerator || s == inNumeratorExcluded) && q.observes[Numerator]:
			value = "w"
		}
		if value != "" {
			out[i].text = fmt.Sprintf("coalesce(sum(%s%d) FILTER (%s), 0)", value, g, column)
		}
	}
	return out
}

// values lists the columns by which units are counted besides, for the histogram of what the one rate
// of a measure observes: v of a continuous variable, and for bounds v and w of a ratio.
func (q *query) values() (names, texts []string) {
	switch {
	case q.d.Scoring == ContinuousVariable:
		return []string{"v"}, []string{"CASE WHEN d0 AND NOT x0 THEN v0 END AS v"}
	case q.d.Scoring == Ratio && q.bounds && len(q.rates) == 1:
		each := func(p Population, column string) string {
			if !q.observes[p] {
				return "1.0"
			}
			return "coalesce(" + column + ", 0)"
		}
		excluded := "n0"
		if slices.Contains(q.shown[0], NumeratorExclusion) {
			excluded = "n0 AND NOT y0"
		}
		return []string{"v", "w"}, []string{
			"CASE WHEN d0 AND NOT x0 THEN " + each(Denominator, "v0") + " ELSE 0 END AS v",
			"CASE WHEN " + excluded + " THEN " + each(Numerator, "w0") + " ELSE 0 END AS w",
		}
	}
	return nil, nil
}

// columns lists the columns of unit.stratum that any stratifier is made of.
func (q *query) columns() []string {
	var columns []string
	for i := range q.by {
		columns = append(columns, q.by[i].columns()...)
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}

// statement writes the whole. Its rows are a bit set of the columns that the row does not name, the
// month if months are asked for, a key a column, the observed values, for each rate its counters, and
// how many units observed those values.
func (q *query) statement() statement {
	members := q.source.members()
	names, texts := q.values()
	plain, counted := slices.Clone(names), slices.Clone(texts)
	if q.months {
		plain = append(plain, "month")
		counted = append(counted, "year(day) * 12 + month(day) - 1 AS month")
	}
	counted = append([]string{"stratum"}, counted...)
	columns := q.columns()
	mask := "0"
	if len(columns) > 0 {
		mask = "grouping(" + strings.Join(columns, ", ") + ")"
	}
	selected := append([]string{mask + " AS mask"}, q.head(columns, names)...)
	for g := range q.rates {
		for _, c := range q.counters(g) {
			name := fmt.Sprintf("%s%d", c.slot.letter(), g)
			counted = append(counted, c.text+" AS "+name)
			selected = append(selected, "sum("+name+")::DOUBLE")
		}
	}
	if len(names) > 0 {
		counted = append(counted, "count(*) AS units")
		selected = append(selected, "sum(units)::BIGINT")
	}
	var out strings.Builder
	const steps = "WITH member AS (\n  %s),\ncounted AS (\n  SELECT %s\n  FROM member GROUP BY ALL)\n"
	fmt.Fprintf(&out, steps,
		members.text, strings.Join(counted, ",\n    "))
	kept := q.kept()
	fmt.Fprintf(&out, "SELECT %s\nFROM counted %s\n%s\nGROUP BY GROUPING SETS (%s)",
		strings.Join(selected, ", "), q.strata("counted"), kept.text, q.sets(plain))
	return statement{out.String(), append(slices.Clone(members.args), kept.args...)}
}

// head lists what a row starts with after its mask.
func (q *query) head(columns, values []string) []string {
	head := slices.Concat(columns, values)
	if q.months {
		head = append([]string{"month"}, head...)
	}
	return head
}

// strata joins what the numbers of strata mean to a relation, where that is needed.
func (q *query) strata(relation string) string {
	switch {
	case len(q.by) == 0 && len(q.filter) == 0:
		return ""
	case q.d.Unit == PatientUnit || q.d.Imported:
		// They have strata that no encounter and no event has.
		return "JOIN strata_of((SELECT list(DISTINCT stratum) FROM " + relation + ")) USING (stratum)"
	}
	return "JOIN unit.stratum USING (stratum)"
}

// kept writes the filter as the WHERE of a statement.
func (q *query) kept() statement {
	var out statement
	for i, c := range q.filter {
		word := " AND "
		if i == 0 {
			word = "WHERE "
		}
		out.text += word + c.text
		out.args = append(out.args, c.args...)
	}
	return out
}

// sets writes one grouping set for the group and one for every set of columns, whose order in a
// stratifier does not matter here. plain columns are in each.
func (q *query) sets(plain []string) string {
	sets := []string{"(" + strings.Join(plain, ", ") + ")"}
	for i := range q.by {
		set := "(" + strings.Join(append(q.by[i].columns(), plain...), ", ") + ")"
		if !slices.Contains(sets, set) {
			sets = append(sets, set)
		}
	}
	return strings.Join(sets, ", ")
}

// undated counts the units of each rate's initial population that no period holds.
func (q *query) undated() statement {
	members := q.source.undated()
	counts := make([]string, len(q.rates))
	for g := range q.rates {
		counts[g] = fmt.Sprintf("count(*) FILTER (i%d)", g)
	}
	narrowed := *q
	narrowed.by = nil
	kept := q.kept()
	return statement{
		fmt.Sprintf("WITH member AS (\n  %s)\nSELECT %s FROM member %s %s", members.text,
			strings.Join(counts, ", "), narrowed.strata("member"), kept.text),
		append(slices.Clone(members.args), kept.args...),
	}
}
