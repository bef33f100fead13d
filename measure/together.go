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

// maxBits is how many populations one number holds beside the month and the code of a group.
const maxBits = 63 - codeBits - monthBits

// bits is how many populations the rates of a question show.
func (a *asked) bits() int {
	n := 0
	for g := range a.rates {
		n += len(a.query.shown[g])
	}
	return n
}

// packed cuts a list of measures so that the bits of each part fit into one number.
func packed(of []*asked) [][]*asked {
	var parts [][]*asked
	used := maxBits
	for _, a := range of {
		if used += a.bits(); used > maxBits {
			parts, used = append(parts, nil), a.bits()
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
	// sites is how many there are: see stratum_no. widest is the greatest code.
	sites, widest int64
}

// countTogether counts members in all periods of the span, in one reading of the units.
func (e *Engine) countTogether(ctx context.Context, of []*asked, results []facts.Result) error {
	narrow := of[0].d.Unit != PatientUnit
	for k, a := range of {
		m := membership{d: a.d, rates: a.rates, period: a.Period, narrow: true}
		// As in settle: a fault here is that of a wider need, or one that the counting meets as well.
		narrow = narrow && e.snapshot.Query(ctx, m.members().text+" LIMIT 0", nothing) == nil
		results[k].Undated = make([]int64, len(a.rates))
	}
	m, err := e.atlas(ctx)
	if err != nil {
		return err
	}
	if m.widest >= 1<<codeBits {
		for k, a := range of {
			if err := e.countPeriods(ctx, a, &results[k]); err != nil {
				return err
			}
		}
		return nil
	}
	counted := map[place]int64{}
	var p place
	var units int64
	var codes [groupings]sql.NullInt64
	var scan []any
	for i := range codes {
		scan = append(scan, &codes[i])
	}
	scan = append(scan, &p.v, &p.w, &units)
	text := togetherText(of, results[0].Step, narrow, m.sites)
	err = e.snapshot.Query(ctx, text, func(rows *sql.Rows) error {
		if err := rows.Scan(scan...); err != nil {
			return err
		}
		for i, code := range codes {
			if !code.Valid {
				continue
			}
			p.month = int(code.Int64>>codeBits) & noMonth
			p.bits = code.Int64 >> (codeBits + monthBits)
			for _, p.part = range m.of[i][code.Int64&(1<<codeBits-1)] {
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
		own := int64(1)<<a.bits() - 1
		c := newCube(a, &m)
		for p, units := range counted {
			switch p.bits = p.bits >> shift & own; {
			case p.bits == 0:
			case p.month != noMonth:
				c.credit(p, units)
			case m.parts[p.part].dimension == everybody:
				c.undated(p.bits, units, results[k].Undated)
			}
		}
		shift += a.bits()
		results[k].Cells = c.cells()
	}
	return nil
}

// place is where units are counted: a month of the span, a part, the populations and what the units observe.
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
	at := (p.month*len(c.m.parts) + p.part) * len(c.a.rates)
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

// undated counts the units of the initial population of each rate, which has its lowest bit.
func (c *cube) undated(bits, units int64, counts []int64) {
	for g := range c.a.rates {
		counts[g] += units * (bits & 1)
		bits >>= len(c.a.query.shown[g])
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

// The key of a grouping is one number, which hashes faster than several: the bits, the month of the
// span, and the code.
const (
	codeBits  = 14
	monthBits = 6
	// noMonth stands in the place of the month of a unit without a date. A span is shorter.
	noMonth = 1<<monthBits - 1
)

// togetherText writes the statement. Its rows are the key of one grouping, what a measure that is read
// by itself observes, and how many units agree in these.
func togetherText(of []*asked, step int, narrow bool, sites int64) string {
	d, span := of[0].d, of[0].Period
	m := membership{d: d, narrow: narrow, period: span}
	from, day := m.relation(), d.date()
	where := fmt.Sprintf("%s BETWEEN %s AND %s OR %[1]s IS NULL", day, dateLiteral(span.Start),
		dateLiteral(span.End))
	if d.Unit == PatientUnit {
		from = fmt.Sprintf("patients(%s, %s, %d)", dateLiteral(span.Start), dateLiteral(span.End), step)
		day, where = "day", "true"
	}
	from = "(SELECT * FROM " + from + " WHERE " + where + ")"
	var bits []string
	shift := 0
	for k, a := range of {
		name := fmt.Sprintf("bits_of_measure_%d", k)
		bits = append(bits, name)
		from = a.withBits(from, name, shift, of[0].observed())
		shift += a.bits()
	}
	values, keys := observedColumns(of[0].observed())
	first := facts.MonthNumber(span.Start)
	var groups, sets []string
	for i, code := range []string{
		"g0", "g1", fmt.Sprintf("sex_code * %d + stratum // %d %% %[1]d", ages, sites),
		fmt.Sprintf("stratum // %d %% %d", ages*sites, needs), fmt.Sprintf("stratum %% %d", sites),
	} {
		groups = append(groups, fmt.Sprintf("(agree << %d) | (%s) AS k%d", codeBits, code, i))
		sets = append(sets, fmt.Sprintf("(k%d%s)", i, keys))
	}
	return fmt.Sprintf(`WITH profile AS MATERIALIZED (%[1]s),
member AS (
  SELECT (((%[2]s)) << %[3]d)
    | coalesce(12 * year(%[4]s) + month(%[4]s) - 1 - %[5]d, %[12]d) AS agree, stratum%[6]s
  FROM %[7]s
  WHERE (%[2]s) <> 0)
SELECT k0, k1, k2, k3, k4, %[8]s, count(*)
FROM (SELECT %[9]s%[6]s FROM member JOIN profile ON profile.no = stratum // %[10]d)
GROUP BY GROUPING SETS (%[11]s)`,
		profileCodes, strings.Join(bits, ") | ("), monthBits, day, first, keys, from, values,
		strings.Join(groups, ",\n    "), needs*ages*sites, strings.Join(sets, ", "), noMonth)
}

// withBits adds a column of the bits of a measure to a relation. Each population is written a level
// above those that it refers to, because an alias beside it would be worked out anew.
func (a *asked) withBits(from, name string, shift int, keep []string) string {
	levels := map[byte]int{'i': 0, 'j': 0, 'v': 0, 'w': 0, 'd': 1, 'x': 2, 'n': 3, 'e': 4, 'y': 4}
	columns := make([][]string, len(levels))
	var names, bits []string
	for _, c := range (&membership{d: a.d, rates: a.rates}).columns() {
		column := c[strings.LastIndex(c, " ")+1:]
		columns[levels[column[0]]] = append(columns[levels[column[0]]], c)
		if !slices.Contains(keep, column) {
			names = append(names, column)
		}
	}
	for _, level := range columns {
		if len(level) > 0 {
			from = "(SELECT *,\n    " + strings.Join(level, ",\n    ") + "\n  FROM " + from + ")"
		}
	}
	for g := range a.rates {
		for _, p := range a.query.shown[g] {
			bits = append(bits, fmt.Sprintf("%s%d::BIGINT << %d", slotOf(p).letter(), g, shift))
			shift++
		}
	}
	return fmt.Sprintf("(SELECT * EXCLUDE (%s), (%s) AS %s\n  FROM %s)", strings.Join(names, ", "),
		strings.Join(bits, ") | ("), name, from)
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
		m.widest = max(m.widest, code)
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
