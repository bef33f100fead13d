package disclose_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/disclose"
)

// quarter is what one release counted.
type quarter struct {
	strata []stratum
	all    stratum
}

// settle protects the open figures of a world and writes down what became of them, so that the next
// release finds them fixed or withheld. Where nothing can be protected nothing new is shown.
func settle(t *rapid.T, w *world, sum *tally) {
	p, err := disclose.Protect(&w.System, disclose.Config{})
	if err != nil {
		if !errors.Is(err, disclose.ErrUnprotectable) {
			t.Fatalf("Protect: %v", err)
		}
		sum.refused++
	}
	after := &world{}
	for _, n := range w.counts {
		after.count(n)
	}
	for _, row := range w.sums {
		var parts []disclose.Cell
		for _, c := range row[1:] {
			parts = append(parts, disclose.Cell(c))
		}
		after.sum(disclose.Cell(row[0]), parts...)
	}
	for f, row := range w.figures {
		d := w.display[f]
		shown := p.Shown(disclose.Figure(f))
		switch {
		case d.State == disclose.Fixed && err == nil && !shown:
			t.Errorf("figure %d is public and was hidden", f)
		case d.State == disclose.Withheld && shown:
			t.Errorf("figure %d was withheld and is shown", f)
		case d.State == disclose.Open && shown:
			d.State = disclose.Fixed
		case d.State == disclose.Open:
			d.State = disclose.Withheld
		}
		var cells []disclose.Cell
		for _, c := range row {
			cells = append(cells, disclose.Cell(c))
		}
		after.show(d, cells...)
	}
	*w = *after
}

// grow adds a quarter that holds an earlier one and so many people more in each class: the same
// counts after late data, or the year so far.
func (w *world) grow(t *rapid.T, before quarter) quarter {
	var after quarter
	for _, s := range before.strata {
		var late, now stratum
		for class := 1; class < len(late); class++ {
			n := int64(0)
			if rapid.Bool().Draw(t, "late") {
				n = drawCount(t)
			}
			late[class] = w.count(n)
			now[class] = w.total(s[class], late[class])
		}
		late[0] = w.total(late[1], late[2], late[3])
		now[0] = w.total(s[0], late[0])
		w.sum(now[0], now[1], now[2], now[3])
		after.strata = append(after.strata, now)
		w.print(0, now)
	}
	after.all = w.sumStrata(after.strata)
	w.print(1, after.all)
	return after
}

// TestAttackOverReleases lets the attacker read one release after the other: a quarter, the same
// quarter after late data, and then the year so far.
func TestAttackOverReleases(t *testing.T) {
	t.Parallel()
	var sum tally
	rapid.Check(t, func(t *rapid.T) {
		w := &world{}
		var now quarter
		for range rapid.IntRange(2, 3).Draw(t, "strata") {
			s := w.stratum(t)
			now.strata = append(now.strata, s)
			w.print(0, s)
		}
		now.all = w.sumStrata(now.strata)
		w.print(1, now.all)
		settle(t, w, &sum)
		for range rapid.IntRange(1, 2).Draw(t, "later releases") {
			now = w.grow(t, now)
			settle(t, w, &sum)
		}
		shown := func(f disclose.Figure) bool { return w.display[f].State == disclose.Fixed }
		got := w.attack(w.known(shown), true)
		sum.add(w, shown, got)
		for _, c := range got.derived {
			t.Errorf("cell %d, which is %d, was derived", c, w.counts[c])
		}
	})
	sum.log(t)
}

// alone protects a release as if there had been no other, and marks what it would show.
func alone(t *rapid.T, w *world, q quarter, known []bool) {
	only := &world{}
	var cells []disclose.Cell // By cell of the release, the one of the world.
	copied := func(s stratum) stratum {
		var c stratum
		for class := range s {
			c[class] = only.count(w.counts[s[class]])
			cells = append(cells, s[class])
		}
		only.sum(c[0], c[1], c[2], c[3])
		return c
	}
	var strata []stratum
	for _, s := range q.strata {
		strata = append(strata, copied(s))
		only.print(0, strata[len(strata)-1])
	}
	all := copied(q.all)
	only.print(1, all)
	for class, c := range all {
		var parts []disclose.Cell
		for _, s := range strata {
			parts = append(parts, s[class])
		}
		only.sum(c, parts...)
	}
	p, err := disclose.Protect(&only.System, disclose.Config{})
	if err != nil {
		t.Fatalf("Protect: %v", err)
	}
	for c, is := range only.known(p.Shown) {
		known[cells[c]] = known[cells[c]] || is
	}
}

// TestReleasesOnTheirOwnAreNotSafe is the control: a release that forgets the one before is broken.
func TestReleasesOnTheirOwnAreNotSafe(t *testing.T) {
	t.Parallel()
	runs, broken := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := &world{}
		var first quarter
		for range rapid.IntRange(2, 3).Draw(t, "strata") {
			first.strata = append(first.strata, w.stratum(t))
			w.print(0, first.strata[len(first.strata)-1])
		}
		first.all = w.sumStrata(first.strata)
		w.print(1, first.all)
		second := w.grow(t, first)
		known := make([]bool, len(w.counts))
		alone(t, w, first, known)
		alone(t, w, second, known)
		runs++
		if len(w.attack(known, true).derived) > 0 {
			broken++
		}
	})
	t.Logf("%d of %d pairs of releases are broken", broken, runs)
	if 100*broken < 40*runs {
		t.Errorf("the attacker broke %d of %d, want at least 40 %%", broken, runs)
	}
}
