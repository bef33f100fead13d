package disclose_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/measure/disclose"
)

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		build func(s *disclose.System)
		want  string
	}{
		{"a negative count", func(s *disclose.System) {
			s.Count(-1)
		}, "cell 0: the count is out of range"},
		{"a count beyond counting", func(s *disclose.System) {
			s.Count(1 << 60)
		}, "cell 0: the count is out of range"},
		{"a part that is not there", func(s *disclose.System) {
			s.Sum(s.Count(1), 7)
		}, "relation 0: it speaks of"},
		{"a whole that is not there", func(s *disclose.System) {
			s.Sum(-1, s.Count(1))
		}, "relation 0: it speaks of"},
		{"a whole without parts", func(s *disclose.System) {
			s.Sum(s.Count(0))
		}, "relation 0: a whole has parts"},
		{"a part counted twice", func(s *disclose.System) {
			c := s.Count(2)
			s.Sum(s.Count(4), c, c)
		}, "relation 0: a cell stands in it twice"},
		{"a part of itself", func(s *disclose.System) {
			c := s.Count(2)
			s.Sum(c, c)
		}, "relation 0: a cell is a part of itself"},
		{"parts that go in a circle", func(s *disclose.System) {
			a, b, c, zero := s.Count(2), s.Count(2), s.Count(2), s.Count(0)
			s.Sum(a, b, zero)
			s.Sum(b, c)
			s.Sum(c, a)
		}, "it is a part of its own parts"},
		{"a sum that is none", func(s *disclose.System) {
			s.Sum(s.Count(30), s.Count(12), s.Count(17))
		}, "relation 0: the parts are not the whole"},
		{"parts above their whole", func(s *disclose.System) {
			s.Rest(s.Count(3), s.Count(5))
		}, "cell 2: the count is out of range"},
		{"a figure of nothing", func(s *disclose.System) {
			s.Show(disclose.Display{})
		}, "figure 0: it shows nothing"},
		{"a figure of a cell that is not there", func(s *disclose.System) {
			s.Show(disclose.Display{}, 3)
		}, "figure 0: it shows a cell that does not exist"},
		{"a figure with a cell twice", func(s *disclose.System) {
			c := s.Count(3)
			s.Show(disclose.Display{}, c, c)
		}, "figure 0: a cell stands in it twice"},
		{"a state that is none", func(s *disclose.System) {
			s.Show(disclose.Display{State: 9}, s.Count(3))
		}, "figure 0: it has no such state"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var s disclose.System
			tt.build(&s)
			p, err := disclose.Protect(&s, disclose.Config{})
			if !errors.Is(err, disclose.ErrMalformed) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Protect: %v, want %q", err, tt.want)
			}
			if p.Shown(0) || p.Known(0) {
				t.Error("something of a malformed system is shown")
			}
			if _, err := disclose.Bounds(&s, disclose.Config{}); !errors.Is(err, disclose.ErrMalformed) {
				t.Errorf("Bounds: %v, want ErrMalformed", err)
			}
		})
	}
}

func TestAnEmptySystemIsSafe(t *testing.T) {
	t.Parallel()
	var s disclose.System
	if _, err := disclose.Protect(&s, disclose.Config{}); err != nil {
		t.Errorf("Protect: %v", err)
	}
	if _, err := disclose.Bounds(&s, disclose.Config{}, 0); !errors.Is(err, disclose.ErrMalformed) {
		t.Errorf("Bounds of a figure that is not there: %v, want ErrMalformed", err)
	}
}

// places is all that an error may say in numbers: where, and no count.
var places = regexp.MustCompile(`^(disclose: (cell|relation|figure) \d+: |[^0-9])*$`)

// FuzzSystem builds whatever the bytes say. Most of it is malformed; none of it may panic, and what
// is shown holds no small count.
func FuzzSystem(f *testing.F) {
	f.Add([]byte{0, 4, 0, 19, 0, 143, 3, 0, 3, 1, 3, 2, 4, 3, 0, 1, 2})
	f.Add([]byte{0, 0, 1, 0, 0, 2, 0, 0})
	f.Add([]byte{0, 5, 0, 5, 1, 0, 1, 1, 1, 0})
	f.Fuzz(func(t *testing.T, program []byte) {
		var s disclose.System
		var counts []int64
		var figures [][]disclose.Cell
		at := 0
		next := func() int {
			if at >= len(program) {
				return 0
			}
			at++
			return int(int8(program[at-1])) // Some below 0.
		}
		for at < len(program) && at < 120 {
			switch op := next(); ((op % 5) + 5) % 5 {
			case 0:
				n := int64(next())
				counts = append(counts, n)
				s.Count(n)
			case 1:
				s.Sum(disclose.Cell(next()), disclose.Cell(next()), disclose.Cell(next()))
			case 2:
				whole, part := disclose.Cell(next()), disclose.Cell(next())
				rest := int64(0)
				if whole >= 0 && int(whole) < len(counts) {
					rest = counts[whole]
				}
				if part >= 0 && int(part) < len(counts) {
					rest -= counts[part]
				}
				counts = append(counts, rest)
				s.Rest(whole, part)
			case 3:
				cells := []disclose.Cell{disclose.Cell(next())}
				figures = append(figures, cells)
				s.Show(disclose.Display{State: disclose.State(op & 3), Rank: op}, cells...)
			case 4: // A sum that holds, of the cells so far.
				var sum int64
				var parts []disclose.Cell
				for c, n := range counts {
					if sum += n; c < 12 {
						parts = append(parts, disclose.Cell(c))
						continue
					}
					sum -= n
				}
				counts = append(counts, sum)
				s.Sum(s.Count(sum), parts...)
			}
		}
		p, err := disclose.Protect(&s, disclose.Config{Pivots: 2000})
		if err != nil && !errors.Is(err, disclose.ErrMalformed) &&
			!errors.Is(err, disclose.ErrUnprotectable) {
			t.Fatalf("Protect: %v", err)
		}
		if err != nil && !places.MatchString(err.Error()) {
			t.Errorf("Protect: the error tells a number: %v", err)
		}
		for i, cells := range figures {
			for _, c := range cells {
				if p.Shown(disclose.Figure(i)) && (err != nil || disclose.Small(counts[c])) {
					t.Errorf("figure %d is shown", i)
				}
			}
		}
	})
}
