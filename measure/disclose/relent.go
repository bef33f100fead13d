package disclose

import (
	"cmp"
	"slices"
)

// relent shows again what turns out not to be needed, the highest rank and the largest counts
// first: a figure that holds nothing of the primary suppression, and whose cells some witness for
// each of the others leaves alone.
func (p *search) relent() {
	var order []int
	for f, figure := range p.system.figures {
		if p.hidden[f] && figure.State == Open && !slices.ContainsFunc(figure.cells, func(c int) bool {
			return p.kept[c]
		}) {
			order = append(order, f)
		}
	}
	weight := func(f int) int64 {
		var most int64
		for _, c := range p.system.figures[f].cells {
			most = max(most, p.system.counts[c])
		}
		return most
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(
			cmp.Compare(p.system.figures[b].Rank, p.system.figures[a].Rank),
			cmp.Compare(weight(b), weight(a)),
		)
	})
	changes := make([][]int, len(p.system.counts)) // By cell, the witnesses that change it.
	for at, k := range p.book.witnesses {
		for _, c := range k.cells {
			changes[c] = append(changes[c], at)
		}
	}
	for _, f := range order {
		p.reveal(f, changes)
	}
}

// reveal shows a figure and strikes out the witnesses that this refutes, or leaves it hidden if a
// proof would be lost.
func (p *search) reveal(f int, changes [][]int) {
	var struck []int
	for _, c := range p.system.figures[f].cells {
		for _, at := range changes[c] {
			if p.book.valid[at] {
				p.book.valid[at] = false
				struck = append(struck, at)
			}
		}
	}
	p.set(f, false)
	for _, at := range struck {
		for _, c := range p.book.witnesses[at].cells {
			if p.required(c) && !p.book.proven(c) {
				p.set(f, true)
				for _, again := range struck {
					p.book.valid[again] = true
				}
				return
			}
		}
	}
}
