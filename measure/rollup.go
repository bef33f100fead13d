package measure

import (
	"cmp"
	"database/sql"
	"slices"
	"strings"
)

// rollup gathers the rows of a query into strata.
type rollup struct {
	q       *query
	columns []string
	// masks maps the bit set of the columns that a row does not name to the indices of the
	// stratifications that it belongs to: two where a cross is asked for both ways round. -1 is the
	// group.
	masks map[int64][]int
	// sheets hold what is counted of each month, by 12 times the year and the months before; 0 holds
	// everything where months are not asked for.
	sheets map[int64]*sheet

	mask   int64
	month  sql.NullInt64
	keys   []sql.NullString
	values []sql.NullFloat64
	counts []sql.NullFloat64
	units  sql.NullInt64
	scan   []any
	// slots says, for each rate, where its counts stand in a tally.
	slots [][]slot
}

// sheet holds the tallies of one month: those of the group, one a rate, and those of the strata of
// each stratification by their joined keys.
type sheet struct {
	group  []tally
	strata []map[string][]tally
}

func newRollup(q *query) *rollup {
	r := &rollup{q: q, columns: q.columns(), masks: map[int64][]int{}, sheets: map[int64]*sheet{}}
	all := int64(1)<<len(r.columns) - 1
	r.masks[all] = []int{-1}
	for i := range q.by {
		mask := all
		for _, name := range q.by[i].columns() {
			// The bit of the last argument of grouping() is the lowest.
			mask &^= 1 << (len(r.columns) - 1 - slices.Index(r.columns, name))
		}
		r.masks[mask] = append(r.masks[mask], i)
	}
	names, _ := q.values()
	r.keys = make([]sql.NullString, len(r.columns))
	r.values = make([]sql.NullFloat64, len(names))
	r.scan = append(r.scan, &r.mask)
	if q.months {
		r.scan = append(r.scan, &r.month)
	}
	for i := range r.keys {
		r.scan = append(r.scan, &r.keys[i])
	}
	for i := range r.values {
		r.scan = append(r.scan, &r.values[i])
	}
	for g := range q.rates {
		var of []slot
		for _, c := range q.counters(g) {
			of = append(of, c.slot)
		}
		r.slots = append(r.slots, of)
		r.counts = append(r.counts, make([]sql.NullFloat64, len(of))...)
	}
	for i := range r.counts {
		r.scan = append(r.scan, &r.counts[i])
	}
	if len(names) > 0 {
		r.scan = append(r.scan, &r.units)
	}
	return r
}

// keySeparator cannot occur in a key: codes hold no control characters.
const keySeparator = "\x1f"

// row adds one row of the query.
func (r *rollup) row(rows *sql.Rows) error {
	if err := rows.Scan(r.scan...); err != nil {
		return err
	}
	s := r.sheet(r.month.Int64)
	for _, i := range r.masks[r.mask] {
		if i < 0 {
			r.add(s.group)
			continue
		}
		for _, joined := range r.strata(&r.q.by[i]) {
			tallies := s.strata[i][joined]
			if tallies == nil {
				tallies = make([]tally, len(r.q.rates))
				s.strata[i][joined] = tallies
			}
			r.add(tallies)
		}
	}
	return nil
}

func (r *rollup) sheet(month int64) *sheet {
	if s := r.sheets[month]; s != nil {
		return s
	}
	s := &sheet{group: make([]tally, len(r.q.rates)),
		strata: make([]map[string][]tally, len(r.q.by))}
	for i := range s.strata {
		s.strata[i] = map[string][]tally{}
	}
	r.sheets[month] = s
	return s
}

// strata names the strata of a stratification that the row belongs to: one, or every combination of
// its groups where those overlap.
func (r *rollup) strata(s *stratification) []string {
	joined := []string{""}
	for n, a := range s.axes {
		keys := make([]string, len(a.columns))
		for i, name := range a.columns {
			keys[i] = r.keys[slices.Index(r.columns, name)].String
		}
		groups := a.of(keys)
		next := make([]string, 0, len(joined)*len(groups))
		for _, before := range joined {
			for _, group := range groups {
				if n > 0 {
					group = before + keySeparator + group
				}
				next = append(next, group)
			}
		}
		joined = next
	}
	return joined
}

// add counts the row that was scanned.
func (r *rollup) add(tallies []tally) {
	at := 0
	for g := range tallies {
		for _, s := range r.slots[g] {
			tallies[g].sums[s] += r.counts[at].Float64
			at++
		}
	}
	if len(r.values) > 0 && r.values[0].Valid {
		o := observation{v: r.values[0].Float64}
		if len(r.values) > 1 {
			o.w = r.values[1].Float64
		}
		tallies[0].observe(o, r.units.Int64)
	}
}

// fill scores what was gathered of a month. A stratum with nobody in an initial population is left
// out.
func (r *rollup) fill(groups []Group, month int64) {
	s := r.sheet(month)
	for g := range groups {
		whole := &s.group[g]
		groups[g].Cell = r.q.d.cell(r.q.shown[g], whole)
		for i := range r.q.by {
			by := &r.q.by[i]
			strata := make([]Stratum, 0, len(s.strata[i]))
			var open []openStratum
			if r.q.bounds {
				open = openStrata(s.strata[i])
			}
			for joined, tallies := range s.strata[i] {
				if tallies[g].empty() {
					continue
				}
				keys := strings.Split(joined, keySeparator)
				stratum := r.stratum(by, keys)
				stratum.Cell = r.q.d.cell(r.q.shown[g], &tallies[g])
				if n := whole.sums[inInitial]; n > 0 {
					share := tallies[g].sums[inInitial] / n
					stratum.Share = &share
				}
				if r.q.bounds {
					r.bound(&stratum, &tallies[g], keys, open, g)
				}
				strata = append(strata, stratum)
			}
			slices.SortFunc(strata, func(a, b Stratum) int { return compareStrata(by.Stratifier, a, b) })
			groups[g].Strata[by.String()] = strata
			if by.overlapping() {
				groups[g].Overlapping = append(groups[g].Overlapping, by.String())
			}
		}
	}
}

func (r *rollup) stratum(s *stratification, keys []string) Stratum {
	if len(keys) == 1 {
		return Stratum{Coding: r.q.words.coding(s.Stratifier[0], keys[0])}
	}
	var out Stratum
	for i, name := range s.Stratifier {
		out.Components = append(out.Components, Component{name, r.q.words.coding(name, keys[i])})
	}
	return out
}

func compareStrata(s Stratifier, a, b Stratum) int {
	if len(s) == 1 {
		return compareCodings(s[0], a.Coding, b.Coding)
	}
	for i, name := range s {
		if d := compareCodings(name, a.Components[i].Coding, b.Components[i].Coding); d != 0 {
			return d
		}
	}
	return cmp.Compare(len(a.Components), len(b.Components))
}
