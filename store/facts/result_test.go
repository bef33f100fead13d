package facts_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// months of the results below.
var (
	january = facts.MonthNumber(time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC))
	june    = facts.MonthNumber(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
)

func someResults() []facts.Result {
	return []facts.Result{
		{Measure: "m", Digest: "d", Step: 1, First: january, Last: june, Undated: []int64{3, 4},
			Cells: []facts.ResultCell{
				{Month: january, Rate: 1, Counts: [facts.ResultCounts]float64{1, 2, 3, 4, 5, 6, 7}},
				{Month: january, Dimension: "race", Key: "2054-5", Counts: [facts.ResultCounts]float64{1},
					Values: map[float64]int64{0.5: 2, 7: 1}},
				{Month: june, Dimension: "race", Key: "~missing", Counts: [facts.ResultCounts]float64{9}},
				{Month: june, Dimension: "sex", Key: "female", Counts: [facts.ResultCounts]float64{8}},
			}},
		{Measure: "m", Digest: "d", Step: 3, First: january, Last: june, Undated: []int64{0, 0}},
	}
}

func TestResults(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	patients := Batch{Patients: []mapping.Patient{Patient("p")}}
	run, err := dir.Begin(Source)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Merged(t.Context()); !errors.Is(err, facts.ErrNotMerged) {
		t.Errorf("Merged of a run that has done nothing = %v", err)
	}
	if _, err := Merge(t.Context(), run, patients); err != nil {
		t.Fatal(err)
	}
	merged, err := run.Merged(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := Rows(t, merged, "SELECT count(*) FROM unit.patient"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("patients merged: %v", got)
	}
	if err := errors.Join(run.SaveResults(t.Context(), someResults()), merged.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = run.Publish(t.Context(), true)
	if err := errors.Join(err, run.Discard(), run.Close()); err != nil {
		t.Fatal(err)
	}
	s := Current(t, dir)
	cells := someResults()[0].Cells
	for _, tt := range []struct {
		name              string
		measure, digest   string
		step, first, last int
		dimensions        []string
		want              []facts.ResultCell
		ok                bool
	}{
		{"everything", "m", "d", 1, january, june, []string{"race", "sex"}, cells, true},
		{"one month", "m", "d", 1, january, january, []string{"race"}, cells[:2], true},
		{"one dimension", "m", "d", 1, january, june, []string{"sex"},
			[]facts.ResultCell{cells[0], cells[3]}, true},
		{"no dimension", "m", "d", 1, january, june, nil, cells[:1], true},
		{"nobody", "m", "d", 1, january + 1, january + 2, nil, nil, true},
		{"the last quarter", "m", "d", 3, june - 2, june - 2, nil, nil, true},
		{"a quarter that is not over", "m", "d", 3, june, june, nil, nil, false},
		{"a month before", "m", "d", 1, january - 1, june, nil, nil, false},
		{"a month after", "m", "d", 1, january, june + 1, nil, nil, false},
		{"years", "m", "d", 12, january, january, nil, nil, false},
		{"another definition", "m", "e", 1, january, june, nil, nil, false},
		{"another measure", "n", "d", 1, january, june, nil, nil, false},
	} {
		got, ok, err := s.Result(t.Context(), tt.measure, tt.digest, tt.step, tt.first, tt.last, tt.dimensions)
		if err != nil || ok != tt.ok {
			t.Errorf("%s: there is a result: %t, %v; want %t", tt.name, ok, err, tt.ok)
			continue
		}
		slices.SortFunc(got.Cells, func(a, b facts.ResultCell) int {
			return slices.IndexFunc(cells, func(c facts.ResultCell) bool { return cmp.Equal(c, a) }) -
				slices.IndexFunc(cells, func(c facts.ResultCell) bool { return cmp.Equal(c, b) })
		})
		if d := cmp.Diff(tt.want, got.Cells); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
		if ok && len(got.Undated) != 2 {
			t.Errorf("%s: undated %v of two rates", tt.name, got.Undated)
		}
	}
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("q")}, Merge: facts.Merge{Loads: Increment(Source)}})
	for _, table := range []string{"result", "result_cell", "result_value"} {
		if got := Rows(t, Current(t, dir), "FROM meta."+table); got != nil {
			t.Errorf("the next snapshot holds old figures in %s: %v", table, got)
		}
	}
}
