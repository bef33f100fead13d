package disclose_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure/disclose"
)

// line is a total and its parts, each printed in this state and rank.
type line struct {
	counts []int64
	part   []disclose.Display
	total  disclose.Display
}

// build returns the system, with the parts as its first figures and the total as its last.
func (l line) build() *disclose.System {
	var s disclose.System
	var cells []disclose.Cell
	var sum int64
	for i, n := range l.counts {
		cells = append(cells, s.Count(n))
		d := disclose.Display{}
		if i < len(l.part) {
			d = l.part[i]
		}
		s.Show(d, cells[i])
		sum += n
	}
	total := s.Count(sum)
	s.Sum(total, cells...)
	s.Show(l.total, total)
	return &s
}

func TestProtectLine(t *testing.T) {
	t.Parallel()
	fixed := disclose.Display{State: disclose.Fixed}
	withheld := disclose.Display{State: disclose.Withheld}
	tests := []struct {
		name   string
		in     line
		config disclose.Config
		want   []int // Hidden figures.
		err    error
	}{
		{"nothing small, nothing hidden", line{counts: []int64{11, 0, 40}}, disclose.Config{}, nil, nil},
		{"the smallest joins", line{counts: []int64{4, 143, 19, 812}}, disclose.Config{}, []int{0, 2}, nil},
		{"ties go to the first", line{counts: []int64{4, 19, 19}}, disclose.Config{}, []int{0, 1}, nil},
		{"a lower rank goes before a smaller count", line{
			counts: []int64{4, 143, 19},
			part:   []disclose.Display{{Rank: 1}, {}, {Rank: 1}}, total: disclose.Display{Rank: 2},
		}, disclose.Config{}, []int{0, 1}, nil},
		{"what is public does not join", line{
			counts: []int64{4, 19, 143}, part: []disclose.Display{{}, fixed},
		}, disclose.Config{}, []int{0, 2}, nil},
		{"what was withheld covers", line{
			counts: []int64{4, 19, 143}, part: []disclose.Display{{}, {}, withheld},
		}, disclose.Config{}, []int{0, 2}, nil},
		{"what was withheld and is large is covered", line{
			counts: []int64{50, 19, 143}, part: []disclose.Display{withheld},
		}, disclose.Config{}, []int{0, 1}, nil},
		{"the total goes where all parts are public", line{
			counts: []int64{4, 19}, part: []disclose.Display{{}, fixed},
		}, disclose.Config{}, []int{0, 2}, nil},
		{"a public small count", line{
			counts: []int64{4, 19}, part: []disclose.Display{fixed},
		}, disclose.Config{}, nil, disclose.ErrUnprotectable},
		{"everything beside it public", line{
			counts: []int64{4, 19}, part: []disclose.Display{{}, fixed}, total: fixed,
		}, disclose.Config{}, nil, disclose.ErrUnprotectable},
		{"two hidden of a sum of 11, where zeros are shown, are at most 10", line{counts: []int64{5, 6, 30}},
			disclose.Config{}, []int{0, 1, 2}, nil},
		{"two hidden of a sum of 11, where one may be 0", line{counts: []int64{5, 6, 30}},
			disclose.Config{HiddenMayBeZero: true}, []int{0, 1}, nil},
		{"two hidden of a sum of 12", line{counts: []int64{1, 11, 30}}, disclose.Config{}, []int{0, 1}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := tt.in.build()
			p, err := disclose.Protect(s, tt.config)
			if !errors.Is(err, tt.err) {
				t.Fatalf("Protect: %v, want %v", err, tt.err)
			}
			var hidden []int
			for f := range len(tt.in.counts) + 1 {
				if !p.Shown(disclose.Figure(f)) {
					hidden = append(hidden, f)
				}
			}
			if err != nil {
				if len(hidden) != len(tt.in.counts)+1 {
					t.Errorf("with an error, only %v are hidden", hidden)
				}
				return
			}
			if diff := cmp.Diff(tt.want, hidden); diff != "" {
				t.Errorf("hidden figures (-want +got):\n%s", diff)
			}
		})
	}
}

// TestProtectIsTheRuleOfOneDimension compares it, on a line with its total, with the rule written
// out: while fewer than two are hidden or their sum is below 11, hide the smallest positive one.
func TestProtectIsTheRuleOfOneDimension(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := line{total: disclose.Display{Rank: 1}}
		for range rapid.IntRange(2, 9).Draw(t, "cells") {
			l.counts = append(l.counts, drawCount(t))
		}
		p, err := disclose.Protect(l.build(), disclose.Config{HiddenMayBeZero: true})
		if err != nil {
			t.Fatalf("Protect: %v", err)
		}
		hidden := make([]bool, len(l.counts))
		var n, sum, total int64
		for i, c := range l.counts {
			total += c
			if hidden[i] = disclose.Small(c); hidden[i] {
				n, sum = n+1, sum+c
			}
		}
		for n > 0 && !disclose.Small(total) && (n < 2 || sum < disclose.Threshold) {
			next := -1
			for i, c := range l.counts {
				if c > 0 && !hidden[i] && (next < 0 || c < l.counts[next]) {
					next = i
				}
			}
			if next < 0 {
				break
			}
			hidden[next] = true
			n, sum = n+1, sum+l.counts[next]
		}
		for i := range l.counts {
			if p.Shown(disclose.Figure(i)) == hidden[i] {
				t.Fatalf("%v: cell %d hidden %v by the rule", l.counts, i, hidden[i])
			}
		}
		all := p.Shown(disclose.Figure(len(l.counts)))
		if all == (disclose.Small(total) || n > 0 && sum < disclose.Threshold) {
			t.Fatalf("%v: the total is shown: %v", l.counts, all)
		}
	})
}

// TestWithheldCellsStayHidden holds that a later figure does not show what an earlier one kept.
func TestWithheldCellsStayHidden(t *testing.T) {
	t.Parallel()
	var s disclose.System
	d, n, other := s.Count(300), s.Count(120), s.Count(200)
	rest := s.Rest(d, n)
	s.Show(disclose.Display{State: disclose.Fixed}, d)
	s.Show(disclose.Display{State: disclose.Withheld}, d, n)
	again := s.Show(disclose.Display{}, n)
	free := s.Show(disclose.Display{}, other)
	p, err := disclose.Protect(&s, disclose.Config{})
	if err != nil {
		t.Fatalf("Protect: %v", err)
	}
	if p.Shown(again) || p.Known(n) || p.Known(rest) || !p.Known(d) || !p.Shown(free) {
		t.Errorf("shown again %v, known n %v, rest %v, d %v; free %v",
			p.Shown(again), p.Known(n), p.Known(rest), p.Known(d), p.Shown(free))
	}
}

// TestLittleWorkHidesMore holds the bound of work: with less of it, less is shown and nothing more
// can be derived.
func TestLittleWorkHidesMore(t *testing.T) {
	t.Parallel()
	coarser, refused := 0, 0
	var sum tally
	rapid.Check(t, func(t *rapid.T) {
		w := drawTable(t)
		p, err := disclose.Protect(&w.System, disclose.Config{Pivots: 1})
		if err != nil {
			if !errors.Is(err, disclose.ErrUnprotectable) || p.Shown(0) {
				t.Fatalf("Protect: %v", err)
			}
			refused++
			return
		}
		full, err := disclose.Protect(&w.System, disclose.Config{})
		if err != nil {
			t.Fatalf("Protect: %v", err)
		}
		got := w.attack(w.known(p.Shown), true)
		sum.add(w, p.Shown, got)
		for _, c := range got.derived {
			t.Errorf("cell %d, which is %d, was derived", c, w.counts[c])
		}
		for f := range w.figures {
			if full.Shown(disclose.Figure(f)) && !p.Shown(disclose.Figure(f)) {
				coarser++
				break
			}
		}
	})
	sum.refused = refused
	sum.log(t)
	if coarser == 0 {
		t.Error("the bound of work was never met")
	}
}

// TestEqualSystemsGiveEqualPatterns builds each system twice.
func TestEqualSystemsGiveEqualPatterns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := line{}
		for range rapid.IntRange(2, 9).Draw(t, "cells") {
			l.counts = append(l.counts, drawCount(t))
		}
		one, err := disclose.Protect(l.build(), disclose.Config{})
		if err != nil {
			t.Fatalf("Protect: %v", err)
		}
		l.counts = slices.Clone(l.counts)
		two, err := disclose.Protect(l.build(), disclose.Config{})
		if err != nil {
			t.Fatalf("Protect: %v", err)
		}
		if diff := cmp.Diff(one, two, cmp.AllowUnexported(disclose.Pattern{})); diff != "" {
			t.Fatalf("%v (-one +two):\n%s", l.counts, diff)
		}
	})
}
