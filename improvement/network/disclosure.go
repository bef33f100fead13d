package network

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/disclose"
)

// counted is one rate of a submission on its way through the audit.
type counted struct {
	definition *measure.Definition
	rate       *Rate
	numbers    numbers
	path       string
}

// blocks lists the dimensions whose strata hang together. Given the figures of everybody, which are
// printed, one block says nothing of another.
func blocks() [][]string {
	return [][]string{
		{mapping.DimensionRace, mapping.DimensionEthnicity, mapping.DimensionRaceEthnicity},
		{mapping.DimensionLanguage, mapping.DimensionLanguageGroup},
		{mapping.DimensionInterpreter}, {mapping.DimensionSex}, {mapping.DimensionAgeBand},
	}
}

// disclosure refuses reports from which a count of 1 to 10 can be told. It rests on nothing but what is
// printed: it completes the tables, and asks how far every count that is not printed could be away from
// that. What cannot be shown to be safe is refused.
func (c *Checker) disclosure(f *faults, reports []Report) {
	var all []counted
	for i := range reports {
		d, _ := c.definition(reports[i].Measure)
		for j, rate := range d.Rates() {
			all = append(all, counted{
				d, &reports[i].Rates[j], numbersOf(d, rate),
				fmt.Sprintf("Bundle.entry[%d].resource.group[%d]", i+1, j),
			})
		}
	}
	taken := map[string]bool{}
	for _, cluster := range clustered(all) {
		here := map[string]bool{}
		for _, one := range cluster {
			for _, kind := range kinds(one.definition) {
				here[kind] = true
			}
		}
		for kind := range here {
			if taken[kind] {
				f.add(cluster[0].path, "another report counts some of the same otherwise, and their "+
					"difference could be a few people")
				return
			}
			taken[kind] = true
		}
		for _, block := range blocks() {
			c.audit(f, cluster, block)
		}
	}
}

// clustered puts rates together that share a number, and those of one measure.
func clustered(all []counted) [][]counted {
	var out [][]counted
	for _, one := range all {
		names := one.numbers.all()
		joined := []counted{one}
		var others [][]counted
		for _, cluster := range out {
			if slices.ContainsFunc(cluster, func(o counted) bool {
				shares := slices.ContainsFunc(slices.Collect(maps.Keys(o.numbers.all())),
					func(name string) bool { return names[name] })
				return shares || o.definition == one.definition
			}) {
				joined = append(cluster, joined...)
			} else {
				others = append(others, cluster)
			}
		}
		out = append(others, joined)
	}
	return out
}

// audit looks at one block of one cluster.
func (c *Checker) audit(f *faults, cluster []counted, dimensions []string) {
	t := newTables()
	for _, one := range cluster {
		if !one.print(t, f, dimensions) {
			return
		}
	}
	t.relate(dimensions, c.groups)
	// Zeros are shown, so that a reader takes a hidden count to be 1 or more, if that can be.
	strict := true
	values, ok := t.complete(1)
	if !ok {
		strict = false
		values, ok = t.complete(0)
	}
	if !ok {
		f.add(cluster[0].path, "by %s its counts do not add up, or it cannot be shown that they protect "+
			"small ones", dimensions[0])
		return
	}
	system, hidden := t.system(values)
	bounds, err := disclose.Bounds(system, disclose.Config{HiddenMayBeZero: !strict}, hidden...)
	if err != nil {
		f.add(cluster[0].path, "by %s it cannot be shown that its counts protect small ones", dimensions[0])
		return
	}
	for i, b := range bounds {
		if one := &t.cells[i]; !one.known && b.Max > 0 && b.Max < disclose.Threshold {
			f.add(cmp.Or(one.path, cluster[0].path), "by %s a count of 1 to 10 can be told from what is shown", dimensions[0])
			return
		}
	}
}

// print notes the counts of a rate in a block. It is false where they contradict another report.
func (one *counted) print(t *tables, f *faults, dimensions []string) bool {
	ok := one.figure(t, f, "", "", one.path, one.rate.Whole)
	for i, table := range one.rate.Tables {
		if !slices.Contains(dimensions, table.By) {
			continue
		}
		for j, row := range table.Rows {
			path := fmt.Sprintf("%s.stratifier[%d].stratum[%d]", one.path, i, j)
			ok = ok && one.figure(t, f, table.By, row.Key, path, row.Figure)
		}
	}
	return ok
}

// figure notes the counts of one cell, and how they add up in it.
func (one *counted) figure(
	t *tables, f *faults, dimension, key, path string, of Figure,
) bool {
	for _, p := range slices.Sorted(maps.Keys(one.numbers.of)) {
		number := one.numbers.of[p]
		if !t.print(cellName{number, dimension, key}, of.Sizes[p], path) {
			f.add(path, "two figures that count the same differ")
			return false
		}
		if dimension != "" {
			t.stratum(number, dimension, key)
		}
	}
	for _, s := range one.numbers.sums {
		parts := make([]cellName, len(s.parts))
		for i, part := range s.parts {
			parts[i] = cellName{part, dimension, key}
			if dimension != "" {
				t.stratum(part, dimension, key)
			}
		}
		t.add(cellName{s.whole, dimension, key}, parts...)
	}
	return true
}
