package gap

import (
	"cmp"
	"slices"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

// RankTest is the test of Kruskal and Wallis: whether the values of some groups come from one
// distribution. It is about all of it and not the median alone.
const RankTest stat.Method = "kruskal-wallis"

// ranks tests two groups of values; of everybody the rest, who are not in the group.
func (gap *Gap) ranks(g measure.Group, s, reference measure.Cell) {
	other := reference.Values
	if gap.Rule == Overall {
		other = less(g.Values, s.Values)
	}
	if found, ok := kruskal([][]measure.ValueCount{s.Values, other}); ok {
		gap.P, gap.Method = &found.P, RankTest
	}
}

// kruskal tests groups of values. It is not ok where values are not at hand, as in a result that
// was read from a document.
func kruskal(groups [][]measure.ValueCount) (stat.Kruskal, bool) {
	var values []float64
	for _, group := range groups {
		for _, v := range group {
			values = append(values, v.Value)
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	counts := make([][]int64, len(groups))
	for i, group := range groups {
		counts[i] = make([]int64, len(values))
		for _, v := range group {
			at, _ := slices.BinarySearch(values, v.Value)
			counts[i][at] += v.Count
		}
	}
	return stat.KruskalWallisCounts(counts)
}

// less takes the values of a part from those of the whole.
func less(whole, part []measure.ValueCount) []measure.ValueCount {
	left := slices.Clone(whole)
	for _, v := range part {
		at, ok := slices.BinarySearchFunc(left, v.Value, func(a measure.ValueCount, b float64) int {
			return cmp.Compare(a.Value, b)
		})
		if ok {
			left[at].Count -= v.Count
		}
	}
	return slices.DeleteFunc(left, func(v measure.ValueCount) bool { return v.Count <= 0 })
}

// pooled adds up values.
func pooled(groups ...[]measure.ValueCount) []measure.ValueCount {
	all := slices.Concat(groups...)
	slices.SortFunc(all, func(a, b measure.ValueCount) int { return cmp.Compare(a.Value, b.Value) })
	var out []measure.ValueCount
	for _, v := range all {
		if n := len(out); n > 0 && out[n-1].Value == v.Value {
			out[n-1].Count += v.Count
			continue
		}
		out = append(out, v)
	}
	return out
}
