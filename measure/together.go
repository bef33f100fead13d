package measure

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

// Measures are counted together by their members' bits: a unit has one number, in which every
// population of every rate of every measure has a bit. Units that agree in month, bits and group are
// counted once, in a few groupings whose groups are few, because it is the number of groups and not
// that of units that costs; and what they add up to in each population is settled here, at the end.

// maxBits is how many populations one number holds.
const maxBits = 60

// bits is how many populations the rates of a query show.
func (q *query) bits() int {
	n := 0
	for g := range q.rates {
		n += len(q.shown[g])
	}
	return n
}

// packed cuts a list of measures so that the bits of each part fit into one number.
func packed(of []*asked) [][]*asked {
	var parts [][]*asked
	used := maxBits
	for _, a := range of {
		if used += a.query.bits(); used > maxBits {
			parts, used = append(parts, nil), a.query.bits()
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], a)
	}
	return parts
}

// grouping is one of the groupings, each a column of a code that stands for the values of some of the
// dimensions. Those that depend on each other share one.
type grouping int

// The groupings.
const (
	byRace grouping = iota // And ethnicity, and both.
	byLanguage
	bySexAndAge
	byNeed
	bySite
	groupings
)

// How many values an age band and a need for an interpreter have, states included: see stratum_no.
const (
	ages  = 8
	needs = 9
)

// profileCodes gives each profile the codes of what it says, counted from 0.
const profileCodes = `SELECT no,
    dense_rank() OVER (ORDER BY race, ethnicity, race_ethnicity)::BIGINT - 1 AS g0,
    dense_rank() OVER (ORDER BY language, language_group)::BIGINT - 1 AS g1,
    dense_rank() OVER (ORDER BY sex)::BIGINT - 1 AS sex_code, *
  FROM unit.profile`

// part is a group of one dimension, by its place in Dimensions and its key. All units are in the part
// everybody.
type part struct {
	dimension int
	key       string
}

const everybody = -1

// atlas numbers the parts, and says which of them the code of each grouping stands for.
type atlas struct {
	parts []part
	of    [groupings]map[int64][]int
	// sites is how many there are: see stratum_no.
	sites int64
}

// countTogether counts members in all periods of the span, in one reading of the units.
func (e *Engine) countTogether(ctx context.Context, of []*asked, results []facts.Result) error {
	narrow := true
	for k, a := range of {
		s, err := e.settle(ctx, a)
		if err != nil {
			return err
		}
		narrow = narrow && s.narrow
		results[k].Undated = s.undated
	}
	m, err := e.atlas(ctx)
	if err != nil {
		return err
	}
	counted := map[place]int64{}
	var p place
	var units int64
	var codes [groupings]sql.NullInt64
	scan := []any{&p.month, &p.bits, &p.v, &p.w, &units}
	for i := range codes {
		scan = append(scan, &codes[i])
	}
	text := togetherText(of, results[0].Step, narrow, m.sites)
	err = e.snapshot.Query(ctx, text, func(rows *sql.Rows) error {
		if err := rows.Scan(scan...); err != nil {
			return err
		}
		for i, code := range codes {
			if !code.Valid {
				continue
			}
			for _, p.part = range m.of[i][code.Int64] {
				counted[p] += units
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	shift := 0
	for k, a := range of {
		own := int64(1)<<a.query.bits() - 1
		c := newCube(a, &m)
		for p, units := range counted {
			if p.bits = p.bits >> shift & own; p.bits != 0 {
				c.credit(p, units)
			}
		}
		shift += a.query.bits()
		results[k].Cells = c.cells()
	}
	return nil
}

// place is where units are counted: a month, a part, the populations and what the units observe.
type place struct {
	month, part int
	bits        int64
	v, w        sql.NullFloat64
}

// cube holds the tallies of one measure: of every month, part and rate.
type cube struct {
	a       *asked
	m       *atlas
	first   int
	tallies []tally
}

func newCube(a *asked, m *atlas) *cube {
	c := &cube{a: a, m: m, first: facts.MonthNumber(a.Period.Start)}
	months := facts.MonthNumber(a.Period.End) - c.first + 1
	c.tallies = make([]tally, months*len(m.parts)*len(a.rates))
	return c
}

// credit counts units in the populations of their bits: themselves, or what they observe for a ratio.
func (c *cube) credit(p place, units int64) {
	at := ((p.month-c.first)*len(c.m.parts) + p.part) * len(c.a.rates)
	for g := range c.a.rates {
		t := &c.tallies[at+g]
		in := [slots]bool{}
		for _, population := range c.a.query.shown[g] {
			s := slotOf(population)
			if in[s] = p.bits&1 != 0; in[s] {
				t.sums[s] += float64(units) * c.weight(s, p)
			}
			p.bits >>= 1
		}
		if c.a.d.Scoring == ContinuousVariable && in[inMeasured] && !in[inExcluded] {
			t.observe(observation{v: p.v.Float64}, units)
		}
	}
}

// weight is what a unit counts for in a population; it counts for nothing where it observes nothing.
func (c *cube) weight(s slot, p place) float64 {
	switch observe := c.a.d.Observe; {
	case c.a.d.Scoring != Ratio:
	case (s == inMeasured || s == inExcluded) && observe[Denominator] != "":
		return p.v.Float64
	case (s == inNumerator || s == inNumeratorExcluded) && observe[Numerator] != "":
		return p.w.Float64
	}
	return 1
}

func (c *cube) cells() []facts.ResultCell {
	var cells []facts.ResultCell
	dimensions := Dimensions()
	for i := range c.tallies {
		t := &c.tallies[i]
		if t.empty() {
			continue
		}
		rate, place := i%len(c.a.rates), i/len(c.a.rates)
		p := c.m.parts[place%len(c.m.parts)]
		cell := facts.ResultCell{Month: c.first + place/len(c.m.parts), Key: p.key, Rate: rate, Counts: t.sums}
		for o, n := range t.values {
			if cell.Values == nil {
				cell.Values = map[float64]int64{}
			}
			cell.Values[o.v] += n
		}
		if p.dimension != everybody {
			cell.Dimension = dimensions[p.dimension]
		}
		cells = append(cells, cell)
	}
	return cells
}

// togetherText writes the statement. Its rows are a month, bits, what a measure that is read by itself
// observes, how many units agree in these, and the code of one grouping.
func togetherText(of []*asked, step int, narrow bool, sites int64) string {
	d, span := of[0].d, of[0].Period
	m := membership{d: d, narrow: narrow, period: span}
	from, day := m.relation(), d.date()
	where := fmt.Sprintf("%s BETWEEN %s AND %s", day, dateLiteral(span.Start), dateLiteral(span.End))
	if d.Unit == PatientUnit {
		from = fmt.Sprintf("patients(%s, %s, %d)", dateLiteral(span.Start), dateLiteral(span.End), step)
		day, where = "day", "true"
	}
	from = "(SELECT * FROM " + from + " WHERE " + where + ")"
	observed := of[0].observed()
	var all []string
	shift := 0
	for k, a := range of {
		columns := (&membership{d: a.d, rates: a.rates}).columns()
		names := make([]string, len(columns))
		for i, c := range columns {
			names[i] = c[strings.LastIndex(c, " ")+1:]
		}
		var packed []string
		for g := range a.rates {
			for _, p := range a.query.shown[g] {
				packed = append(packed, fmt.Sprintf("%s%d::BIGINT << %d", slotOf(p).letter(), g, shift))
				shift++
			}
		}
		name := fmt.Sprintf("bits_of_measure_%d", k)
		all = append(all, name)
		names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(observed, name) })
		from = fmt.Sprintf("(SELECT * EXCLUDE (%s), (%s) AS %s\n  FROM (SELECT *,\n    %s\n  FROM %s))",
			strings.Join(names, ", "), strings.Join(packed, ") | ("), name, strings.Join(columns, ",\n    "), from)
	}
	values, keys := observedColumns(observed)
	return fmt.Sprintf(`WITH profile AS MATERIALIZED (%[1]s),
member AS (
  SELECT 12 * year(%[2]s) + month(%[2]s) - 1 AS month, (%[3]s) AS bits, stratum%[11]s
  FROM %[4]s)
SELECT month, bits, %[10]s, count(*), g0, g1, g2, g3, g4
FROM (
  SELECT month, bits%[11]s, g0, g1, sex_code * %[5]d + stratum // %[6]d %% %[5]d AS g2,
    stratum // %[7]d %% %[8]d AS g3, stratum %% %[6]d AS g4
  FROM member JOIN profile ON profile.no = stratum // %[9]d
  WHERE bits <> 0)
GROUP BY GROUPING SETS ((month, bits%[11]s, g0), (month, bits%[11]s, g1), (month, bits%[11]s, g2),
  (month, bits%[11]s, g3), (month, bits%[11]s, g4))`,
		profileCodes, day, strings.Join(all, ") | ("), from, ages, sites, ages*sites, needs, needs*ages*sites,
		values, keys)
}

// observed lists the columns of what the units of a measure observe, which all rates share.
func (a *asked) observed() []string {
	var columns []string
	if a.d.Observe[Denominator] != "" || a.d.Observe[MeasurePopulation] != "" {
		columns = append(columns, "v0")
	}
	if a.d.Observe[Numerator] != "" {
		columns = append(columns, "w0")
	}
	return columns
}

// observedColumns writes v and w as columns of a row, NULL where there is none, and as further keys.
func observedColumns(observed []string) (values, keys string) {
	both := []string{"v0", "w0"}
	for i, name := range both {
		if slices.Contains(observed, name) {
			keys += ", " + name
		} else {
			both[i] = "NULL::DOUBLE"
		}
	}
	return strings.Join(both, ", "), keys
}

// atlas reads what the codes stand for.
func (e *Engine) atlas(ctx context.Context) (m atlas, err error) {
	at := map[string]int{"": everybody}
	for i, name := range Dimensions() {
		at[name] = i
	}
	numbers := map[part]int{}
	note := func(in grouping, code int64, dimension, key string) {
		p := part{at[dimension], key}
		n, ok := numbers[p]
		if !ok {
			n = len(m.parts)
			numbers[p] = n
			m.parts = append(m.parts, p)
		}
		if m.of[in] == nil {
			m.of[in] = map[int64][]int{}
		}
		if !slices.Contains(m.of[in][code], n) {
			m.of[in][code] = append(m.of[in][code], n)
		}
	}
	scanned := func(text string, use func(code []int64, keys []string), codes, keys int) {
		if err != nil {
			return
		}
		row, scan := make([]int64, codes), make([]any, 0, codes+keys)
		words := make([]string, keys)
		for i := range row {
			scan = append(scan, &row[i])
		}
		for i := range words {
			scan = append(scan, &words[i])
		}
		err = e.snapshot.Query(ctx, text, func(rows *sql.Rows) error {
			err := rows.Scan(scan...)
			use(row, words)
			return err
		})
	}
	bands := make([]string, ages)
	scanned("SELECT i, band(i) FROM range(8) t(i)", func(code []int64, keys []string) {
		bands[code[0]] = keys[0]
	}, 1, 1)
	scanned(`SELECT g0, g1, sex_code, race, ethnicity, race_ethnicity, language, language_group, sex
		FROM (`+profileCodes+")", func(code []int64, keys []string) {
		note(byRace, code[0], mapping.DimensionRace, keys[0])
		note(byRace, code[0], mapping.DimensionEthnicity, keys[1])
		note(byRace, code[0], mapping.DimensionRaceEthnicity, keys[2])
		note(byLanguage, code[1], mapping.DimensionLanguage, keys[3])
		note(byLanguage, code[1], mapping.DimensionLanguageGroup, keys[4])
		for age, band := range bands {
			note(bySexAndAge, code[2]*ages+int64(age), mapping.DimensionSex, keys[5])
			note(bySexAndAge, code[2]*ages+int64(age), mapping.DimensionAgeBand, band)
		}
	}, 3, 6)
	scanned(`SELECT enum_code(need), need::VARCHAR
		FROM (SELECT unnest(enum_range(NULL::interpreter_need))::interpreter_need AS need)`,
		func(code []int64, keys []string) {
			note(byNeed, code[0], mapping.DimensionInterpreter, keys[0])
		}, 1, 1)
	scanned("SELECT no, site FROM unit.site", func(code []int64, keys []string) {
		note(bySite, code[0], mapping.DimensionSite, keys[0])
		note(bySite, code[0], "", "")
		m.sites++
	}, 1, 1)
	m.sites = max(m.sites, 1)
	return m, err
}
