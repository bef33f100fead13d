package spc_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/equitylens/equitylens/measure/stat/spc"
)

// of makes subgroups of one size.
func of(size float64, counts ...float64) []spc.Subgroup {
	subgroups := make([]spc.Subgroup, len(counts))
	for i, c := range counts {
		subgroups[i] = spc.Subgroup{Count: c, Size: size}
	}
	return subgroups
}

func TestLimits(t *testing.T) {
	t.Parallel()
	gap := spc.Subgroup{}
	tests := []struct {
		name      string
		kind      spc.Kind
		subgroups []spc.Subgroup
		config    spc.Config
		want      spc.Phase
		lower     float64
		upper     float64 // Of the last point.
	}{
		{"a rate counts up from zero", spc.U, of(2, 4, 8, 6), spc.Config{},
			spc.Phase{To: 3, Baseline: 3, Mean: 3, Centre: 3, SigmaZ: 1}, 0, 3 + 3*math.Sqrt(1.5)},
		{"a proportion stays within one", spc.P, of(4, 4, 3, 4), spc.Config{},
			spc.Phase{To: 3, Baseline: 3, Mean: 11. / 12, Centre: 11. / 12, SigmaZ: 1},
			11./12 - 3*math.Sqrt(11./144/4), 1},
		{"a frozen baseline ignores what follows", spc.P, of(10, 2, 4, 3, 9), spc.Config{Baseline: 3},
			spc.Phase{To: 4, Baseline: 3, Mean: 0.3, Centre: 0.3, SigmaZ: 1},
			0, 0.3 + 3*math.Sqrt(0.021)},
		{"an excluded point sets no limits", spc.P, of(10, 2, 9, 4), spc.Config{Exclude: []int{1}},
			spc.Phase{To: 3, Baseline: 2, Mean: 0.3, Centre: 0.3, SigmaZ: 1},
			0, 0.3 + 3*math.Sqrt(0.021)},
		{"a missing point is not zero", spc.U, []spc.Subgroup{{Count: 4, Size: 2}, gap, {Count: 8,
			Size: 2}},
			spc.Config{}, spc.Phase{To: 3, Baseline: 2, Mean: 3, Centre: 3, SigmaZ: 1},
			0, 3 + 3*math.Sqrt(1.5)},
		{"Laney's sigma is a moving range of z", spc.UPrime, of(1, 16, 36, 20), spc.Config{},
			spc.Phase{To: 3, Baseline: 3, Mean: 24, Centre: 24, SigmaZ: 18 / math.Sqrt(24) / 1.128,
				Ranges: 2},
			0, 24 + 3*18/1.128},
		{"no range is taken across a gap", spc.UPrime,
			append(append(of(1, 16, 36), gap), of(1, 20, 24)...), spc.Config{},
			spc.Phase{To: 5, Baseline: 4, Mean: 24, Centre: 24, SigmaZ: 12 / math.Sqrt(24) / 1.128,
				Ranges: 2},
			0, 24 + 3*12/1.128},
		{"a range steps over an excluded point", spc.UPrime, of(1, 16, 99, 36, 20),
			spc.Config{Exclude: []int{1}},
			spc.Phase{To: 4, Baseline: 3, Mean: 24, Centre: 24, SigmaZ: 18 / math.Sqrt(24) / 1.128,
				Ranges: 2},
			0, 24 + 3*18/1.128},
		{"a run chart has a median alone", spc.Run, of(1, -2, 9, 4, 5), spc.Config{},
			spc.Phase{To: 4, Baseline: 4, Centre: 4.5, SigmaZ: 1}, 0, 0},
		{"a g chart has the median in its centre", spc.G, of(1, 10, 2, 18), spc.Config{},
			spc.Phase{To: 3, Baseline: 3, Mean: 10, Centre: 10, SigmaZ: 1}, 0, 10 + 3*math.Sqrt(110)},
		{"a t chart raises back what it transformed", spc.T,
			of(1, 1, math.Pow(3, 3.6), math.Pow(2, 3.6)), spc.Config{},
			spc.Phase{To: 3, Baseline: 3, Mean: math.Pow(2, 3.6), Centre: math.Pow(2, 3.6), SigmaZ: 1,
				Ranges: 2},
			0, math.Pow(2+3*1.5/1.128, 3.6)},
		{"a rate in units of a thousand", spc.U, of(2000, 4, 8, 6), spc.Config{Multiply: 1000},
			spc.Phase{To: 3, Baseline: 3, Mean: 3, Centre: 3, SigmaZ: 1}, 0, 3 + 3*math.Sqrt(1.5)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			chart := draw(t, tt.kind, tt.subgroups, tt.config)
			approx := cmpopts.EquateApprox(1e-12, 1e-12)
			if diff := cmp.Diff(tt.want, chart.Phases[0], approx); diff != "" {
				t.Errorf("New(%s) phase (-want +got):\n%s", tt.kind, diff)
			}
			last := chart.Points[len(chart.Points)-1]
			if diff := cmp.Diff([]float64{tt.lower, tt.upper}, []float64{last.Lower, last.Upper},
				approx); diff != "" {
				t.Errorf("New(%s) limits (-want +got):\n%s", tt.kind, diff)
			}
		})
	}
}

func TestSplitStartsAnew(t *testing.T) {
	t.Parallel()
	chart := draw(t, spc.P, of(10, 2, 4, 6, 8), spc.Config{Split: []int{2}})
	want := []spc.Phase{
		{From: 0, To: 2, Baseline: 2, Mean: 0.3, Centre: 0.3, SigmaZ: 1},
		{From: 2, To: 4, Baseline: 2, Mean: 0.7, Centre: 0.7, SigmaZ: 1},
	}
	if diff := cmp.Diff(want, chart.Phases, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
}

func TestScreeningLeavesOutTheLargeRange(t *testing.T) {
	t.Parallel()
	counts := []float64{100, 110, 100, 110, 100, 110, 100, 400, 390, 400, 390, 400, 390}
	plain := draw(t, spc.UPrime, of(1, counts...), spc.Config{}).Phases[0]
	screened := draw(t, spc.UPrime, of(1, counts...), spc.Config{Screened: true}).Phases[0]
	if want := 10 / math.Sqrt(plain.Mean) / 1.128; math.Abs(screened.SigmaZ-want) > 1e-12 {
		t.Errorf("screened σ_z = %v, want %v (unscreened %v)", screened.SigmaZ, want, plain.SigmaZ)
	}
}

func TestInvalidInput(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		kind      spc.Kind
		subgroups []spc.Subgroup
		config    spc.Config
		want      error
	}{
		{"unknown chart", "c", of(1, 1, 2), spc.Config{}, spc.ErrInput},
		{"part larger than its whole", spc.P, of(1, 1, 2), spc.Config{}, spc.ErrInput},
		{"count below zero", spc.U, of(1, -1, 2), spc.Config{}, spc.ErrInput},
		{"count that is no number", spc.Run, of(1, math.NaN()), spc.Config{}, spc.ErrInput},
		{"size below zero", spc.U, of(-1, 1, 2), spc.Config{}, spc.ErrInput},
		{"proportion in another unit", spc.P, of(9, 1, 2), spc.Config{Multiply: 100}, spc.ErrInput},
		{"unit below zero", spc.U, of(9, 1, 2), spc.Config{Multiply: -1}, spc.ErrInput},
		{"baseline beyond the end", spc.U, of(9, 1, 2), spc.Config{Baseline: 3}, spc.ErrInput},
		{"split at the start", spc.U, of(9, 1, 2), spc.Config{Split: []int{0}}, spc.ErrInput},
		{"split at the end", spc.U, of(9, 1, 2), spc.Config{Split: []int{2}}, spc.ErrInput},
		{"splits out of order", spc.U, of(9, 1, 2, 3), spc.Config{Split: []int{2, 1}}, spc.ErrInput},
		{"split of a frozen chart", spc.U, of(9, 1, 2), spc.Config{Split: []int{1}, Baseline: 1},
			spc.ErrInput},
		{"exclusion of nothing", spc.U, of(9, 1, 2), spc.Config{Exclude: []int{2}}, spc.ErrInput},
		{"no point at all", spc.U, nil, spc.Config{}, spc.ErrTooFew},
		{"only missing points", spc.P, of(0, 0, 0), spc.Config{}, spc.ErrTooFew},
		{"a phase of missing points", spc.P, append(of(9, 1, 2), of(0, 0)...),
			spc.Config{Split: []int{2}}, spc.ErrTooFew},
		{"one point has no range", spc.PPrime, of(9, 1), spc.Config{}, spc.ErrTooFew},
		{"one interval has no range", spc.T, of(1, 1), spc.Config{}, spc.ErrTooFew},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if c, err := spc.New(tt.kind, tt.subgroups, tt.config); !errors.Is(err, tt.want) {
				t.Errorf("New(%s) = %v, %v, want %v", tt.kind, c, err, tt.want)
			}
		})
	}
}

func TestBetweenEvents(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	got, err := spc.Intervals([]time.Time{noon, noon.Add(36 * time.Hour), noon.Add(36 * time.Hour)})
	if diff := cmp.Diff(of(1, 1.5, 0), got); diff != "" || err != nil {
		t.Errorf("Intervals: %v (-want +got):\n%s", err, diff)
	}
	if _, err := spc.Intervals([]time.Time{noon, noon.Add(-1)}); !errors.Is(err, spc.ErrInput) {
		t.Errorf("Intervals backwards = %v, want ErrInput", err)
	}
	got, err = spc.Opportunities([]int64{7, 8, 20})
	if diff := cmp.Diff(of(1, 0, 11), got); diff != "" || err != nil {
		t.Errorf("Opportunities: %v (-want +got):\n%s", err, diff)
	}
	if _, err := spc.Opportunities([]int64{7, 7}); !errors.Is(err, spc.ErrInput) {
		t.Errorf("Opportunities of one twice = %v, want ErrInput", err)
	}
	if got, err := spc.Intervals(nil); got != nil || err != nil {
		t.Errorf("Intervals of nothing = %v, %v", got, err)
	}
}

func TestIndexAt(t *testing.T) {
	t.Parallel()
	months := make([]time.Time, 3)
	for i := range months {
		months[i] = time.Date(2026, time.Month(1+i), 1, 0, 0, 0, 0, time.UTC)
	}
	tests := []struct {
		name string
		in   time.Time
		want int
	}{
		{"before all", months[0].AddDate(0, 0, -1), 0},
		{"at a start", months[1], 1},
		{"within a month is for the next", months[1].AddDate(0, 0, 9), 2},
		{"after all", months[2].AddDate(0, 0, 9), 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := spc.IndexAt(months, tt.in); got != tt.want {
				t.Errorf("IndexAt(%v) = %d, want %d", tt.in, got, tt.want)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	wave := func(size, mean, swing float64, n int) []spc.Subgroup {
		var all []spc.Subgroup
		for i := range n {
			all = append(all, spc.Subgroup{Count: mean + swing*math.Sin(2.4*float64(i)), Size: size})
		}
		return all
	}
	gaps := wave(100, 20, 20, 24)
	for i := 1; i < len(gaps); i += 2 {
		gaps[i] = spc.Subgroup{}
	}
	tests := []struct {
		name  string
		basis spc.Basis
		in    []spc.Subgroup
		kind  spc.Kind
		want  spc.Because
	}{
		{"a median is for a run chart", spc.Figure, wave(1, 5, 1, 30), spc.Run, spc.NoDistribution},
		{"eleven months are few", spc.Proportion, wave(100, 20, 2, 11), spc.Run, spc.FewSubgroups},
		{"no months are few", spc.Proportion, nil, spc.Run, spc.FewSubgroups},
		{"ordinary proportions", spc.Proportion, wave(100, 20, 2, 24), spc.P, spc.CommonVariation},
		{"ordinary rates", spc.Rate, wave(30, 20, 2, 24), spc.U, spc.CommonVariation},
		{"a wide swing is over-dispersed", spc.Proportion, wave(10_000, 2000, 400, 24), spc.PPrime,
			spc.Overdispersion},
		{"a wide swing of rates is too", spc.Rate, wave(1000, 2000, 400, 24), spc.UPrime,
			spc.Overdispersion},
		{"rare harm is counted by opportunities", spc.Proportion, wave(1000, 1, 1, 24), spc.G,
			spc.RareEvents},
		{"rare harm over time is timed", spc.Rate, wave(1000, 1, 1, 24), spc.T, spc.RareEvents},
		{"no harm at all is rare", spc.Rate, wave(1000, 0, 0, 24), spc.T, spc.RareEvents},
		{"rare failure is rare too", spc.Proportion, wave(1000, 999, 1, 24), spc.G, spc.RareNonEvents},
		{"points without a neighbour have no ranges", spc.Proportion, gaps, spc.P, spc.CommonVariation},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := spc.Choose(tt.basis, tt.in)
			if err != nil || got.Kind != tt.kind || got.Because != tt.want {
				t.Errorf("Choose(%s) = %+v, %v, want %s because of %s", tt.basis, got, err, tt.kind, tt.want)
			}
			if got.Because.Says() == string(got.Because) {
				t.Errorf("%q says nothing", got.Because)
			}
		})
	}
	if _, err := spc.Choose("count", nil); !errors.Is(err, spc.ErrInput) {
		t.Errorf("Choose of an unknown basis = %v, want ErrInput", err)
	}
	if _, err := spc.Choose(spc.Proportion, of(1, 2)); !errors.Is(err, spc.ErrInput) {
		t.Errorf("Choose of 2 of 1 = %v, want ErrInput", err)
	}
}
