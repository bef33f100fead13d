package disclose

// witness is a table that agrees with everything that is shown. It is kept as what it changes.
type witness struct {
	cells  []int
	values []int64
}

// witness keeps the table on which the walk stands.
func (w *walk) witness() witness {
	var kept witness
	for c, v := range w.values {
		if v != w.system.counts[c] {
			kept.cells = append(kept.cells, c)
			kept.values = append(kept.values, v)
		}
	}
	return kept
}

// stands checks a witness by counting, with nothing taken over from how it was found: no shown cell
// is changed, none is below its least value, and every relation holds to the person.
func (k witness) stands(s *System, limits []limit, scratch []int64) bool {
	copy(scratch, s.counts)
	for i, c := range k.cells {
		if limits[c].fixed || k.values[i] < limits[c].least {
			return false
		}
		scratch[c] = k.values[i]
	}
	for _, r := range s.relations {
		left := scratch[r.whole]
		for _, part := range r.parts {
			left -= scratch[part]
		}
		if left != 0 {
			return false
		}
	}
	return true
}

// proves reports whether a cell that takes this value in one witness is protected by it: a small
// one may be no small one, and one that is hidden for the sake of others may be another.
func proves(truth, value int64) bool {
	if Small(truth) {
		return value >= Threshold
	}
	return value != truth
}

// book holds the witnesses by what they prove.
type book struct {
	system    *System
	witnesses []witness
	valid     []bool
	proofs    [][]int // By cell.
}

// add keeps a witness, for every cell that it proves to be protected.
func (b *book) add(k witness) {
	at := len(b.witnesses)
	b.witnesses, b.valid = append(b.witnesses, k), append(b.valid, true)
	for i, c := range k.cells {
		if proves(b.system.counts[c], k.values[i]) {
			b.proofs[c] = append(b.proofs[c], at)
		}
	}
}

// proven reports whether some witness that still counts proves the cell.
func (b *book) proven(cell int) bool {
	for _, at := range b.proofs[cell] {
		if b.valid[at] {
			return true
		}
	}
	return false
}

// audit counts every witness again and strikes out those that do not stand.
func (b *book) audit(limits []limit) {
	scratch := make([]int64, len(b.system.counts))
	for at, k := range b.witnesses {
		b.valid[at] = k.stands(b.system, limits, scratch)
	}
}
