package disclose

import "testing"

// TestStandsRefutes holds the audit by itself: a witness that a faulty search might bring is refused.
func TestStandsRefutes(t *testing.T) {
	t.Parallel()
	var s System
	few, more, rest := s.Count(4), s.Count(30), s.Count(50)
	total := s.Count(84)
	s.Sum(total, few, more, rest)
	limits := []limit{{least: 1}, {least: 1}, {fixed: true}, {fixed: true}}
	tests := []struct {
		name string
		in   witness
		want bool
	}{
		{"the true table", witness{}, true},
		{"a count moved to another", witness{cells: []int{0, 1}, values: []int64{11, 23}}, true},
		{"a sum that is one too many", witness{cells: []int{0, 1}, values: []int64{12, 23}}, false},
		{"a sum that lacks one", witness{cells: []int{0, 1}, values: []int64{11, 22}}, false},
		{"a shown count that changes", witness{cells: []int{0, 2}, values: []int64{11, 43}}, false},
		{"a shown total that changes", witness{cells: []int{0, 3}, values: []int64{11, 91}}, false},
		{"a count below its least", witness{cells: []int{0, 1}, values: []int64{34, 0}}, false},
		{"a count below 0", witness{cells: []int{0, 1}, values: []int64{35, -1}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.in.stands(&s, limits, make([]int64, len(s.counts))); got != tt.want {
				t.Errorf("%+v stands: %v, want %v", tt.in, got, tt.want)
			}
		})
	}
}
