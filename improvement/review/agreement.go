package review

import (
	"context"
	"slices"

	"github.com/equitylens/equitylens/measure/stat"
)

// Agreement says how far reviewers agree who answered before they knew what the other had.
type Agreement struct {
	// Table counts reviews by the first answer of who answered first, and of who answered second, both
	// in the order of Answers.
	Table [][]float64
	// Measured is made of Table; Exists says that κ does.
	Measured stat.Agreement
	Exists   bool
}

// Agreement measures how far the two reviewers of a review agree, by their first opinions of its first
// round: later ones were given when they knew of each other. It looks at all reviews of two that a
// filter means, of whatever state.
func (d *Desk) Agreement(ctx context.Context, f Filter) (a Agreement, err error) {
	err = d.cfg.Hold(func(events Events) error {
		items, err := d.items(ctx, events)
		if err != nil {
			return err
		}
		a, err = agreed(&f, items)
		return err
	})
	return a, err
}

func agreed(f *Filter, items []item) (a Agreement, err error) {
	answers := Answers()
	place := func(o Opinion) int {
		return slices.IndexFunc(answers, func(c Concept) bool { return c.Code == string(o.Answer) })
	}
	a.Table = make([][]float64, len(answers))
	for i := range a.Table {
		a.Table[i] = make([]float64, len(answers))
	}
	for i := range items {
		if items[i].document == nil || !f.matches(&items[i].Entry) {
			continue
		}
		r, err := read(items[i].document)
		if err != nil {
			return a, err
		}
		pair, both := r.blind()
		if i, j := place(pair[0]), place(pair[1]); both && i >= 0 && j >= 0 {
			a.Table[i][j]++
		}
	}
	a.Measured, a.Exists = stat.Kappa(a.Table)
	return a, nil
}

// blind returns the two opinions that were given without knowing of each other, if there are two.
func (r *Review) blind() (pair [2]Opinion, both bool) {
	opinions := r.Opinions
	if len(r.Reopenings) > 0 {
		opinions = opinions[:r.Reopenings[0].Opinions]
	}
	if each := first(opinions); len(each) >= len(pair) {
		return [2]Opinion{each[0], each[1]}, true
	}
	return pair, false
}
