package readiness_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/measure"
)

var now = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

// stratum is a known group of a size.
func stratum(code string, n float64) measure.Stratum {
	score := 0.5
	return measure.Stratum{
		Coding: measure.Coding{Code: code, Label: code, State: "known"},
		Cell: measure.Cell{
			Populations: map[measure.Population]float64{measure.Denominator: n}, Score: &score,
		},
	}
}

// scored is a result of one rate with a score, by groups of two sizes in some dimensions.
func scored(id, rate string, score float64, dimensions ...string) measure.Result {
	g := measure.Group{
		ID: rate, Per: 1, Scoring: measure.Proportion, Strata: map[string][]measure.Stratum{},
		Cell: measure.Cell{
			Score: &score, Populations: map[measure.Population]float64{measure.Denominator: 200},
		},
	}
	for _, d := range dimensions {
		g.Strata[d] = []measure.Stratum{stratum("a", 60), stratum("b", 30)}
	}
	return measure.Result{Measure: id, Complete: true, Groups: []measure.Group{g}}
}

func TestFiguresSayWhyTheyAreMissing(t *testing.T) {
	t.Parallel()
	nobody := scored("real-completeness", "race", 0)
	nobody.Groups[0].Score = nil
	absent := nobody
	absent.Complete = false
	hidden := scored("real-completeness", "race", 0.9)
	hidden.Groups[0].Suppressed = true
	zero := scored("real-completeness", "race", 0)
	partial := scored("real-completeness", "race", 0.7)
	partial.Complete = false
	cases := []struct {
		name string
		in   readiness.Data
		id   readiness.FigureID
		want readiness.Figure
	}{
		{"nothing was loaded", readiness.Data{}, readiness.RaceRecorded, readiness.Figure{Missing: readiness.NoSnapshot}},
		{
			"the measure was not asked", readiness.Data{Snapshot: "s"}, readiness.RaceRecorded,
			readiness.Figure{Missing: readiness.NoMeasure},
		},
		{
			"nobody is below the line", readiness.Data{Snapshot: "s", Results: []measure.Result{nobody}},
			readiness.RaceRecorded, readiness.Figure{Missing: readiness.Nobody},
		},
		{
			"a type was never loaded", readiness.Data{Snapshot: "s", Results: []measure.Result{absent}},
			readiness.RaceRecorded, readiness.Figure{Missing: readiness.NotLoaded},
		},
		{
			"it is hidden", readiness.Data{Snapshot: "s", Results: []measure.Result{hidden}},
			readiness.RaceRecorded, readiness.Figure{Missing: readiness.Hidden},
		},
		{
			"a score of 0 is a figure", readiness.Data{Snapshot: "s", Results: []measure.Result{zero}},
			readiness.RaceRecorded, readiness.Figure{Value: 0, Of: 200},
		},
		{
			"of partial data it says so", readiness.Data{Snapshot: "s", Results: []measure.Result{partial}},
			readiness.RaceRecorded, readiness.Figure{Value: 0.7, Of: 200, Partial: true},
		},
		{
			"another rate is another figure", readiness.Data{Snapshot: "s", Results: []measure.Result{zero}},
			readiness.LanguageRecorded, readiness.Figure{Missing: readiness.NoMeasure},
		},
		{"no records", readiness.Data{}, readiness.ActionsBegun, readiness.Figure{Missing: readiness.NoRecords}},
		{
			"no action has begun", readiness.Data{Actions: &readiness.Actions{}}, readiness.ActionsBegun,
			readiness.Figure{},
		},
		{
			"nothing can be overdue", readiness.Data{Actions: &readiness.Actions{Closed: 2}}, readiness.ActionsOverdue,
			readiness.Figure{Missing: readiness.NoActions},
		},
		{
			"a share is overdue", readiness.Data{Actions: &readiness.Actions{Open: 4, Overdue: 1}},
			readiness.ActionsOverdue, readiness.Figure{Value: 0.25, Of: 4},
		},
		{
			"data have an age", readiness.Data{Snapshot: "s", DataAsOf: now.Add(-36 * time.Hour), Now: now},
			readiness.DataAge, readiness.Figure{Value: 36},
		},
		{
			"data of the future are new", readiness.Data{Snapshot: "s", DataAsOf: now.Add(time.Hour), Now: now},
			readiness.DataAge, readiness.Figure{Value: 0},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, readiness.FiguresOf(c.in)[c.id]); diff != "" {
				t.Errorf("FiguresOf()[%s] (-want +got):\n%s", c.id, diff)
			}
		})
	}
}

func TestMeasuresThatCanBeComparedAreCounted(t *testing.T) {
	t.Parallel()
	both := []string{"race_ethnicity", "language_group"}
	small := scored("small", "main", 0.5, both...)
	small.Groups[0].Strata["language_group"][1] = stratum("b", 29)
	about := scored("about", "main", 0.5, both...)
	about.Groups[0].NotBy = []string{"language_group"}
	unknown := scored("unknown", "main", 0.5, both...)
	unknown.Groups[0].Strata["race_ethnicity"][0].State = "missing"
	data := readiness.Data{Snapshot: "s", Results: []measure.Result{
		scored("whole", "main", 0.5, both...), scored("one", "main", 0.5, "race_ethnicity"), small, about, unknown,
		scored("telehealth-share", "main", 0.3, "race_ethnicity", "interpreter_need", "age_band"),
	}}
	figures := readiness.FiguresOf(data)
	if diff := cmp.Diff(readiness.Figure{Value: 1, Of: 6}, figures[readiness.MeasuresByGroup]); diff != "" {
		t.Errorf("measures by group (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(readiness.Figure{Value: 3, Of: 4}, figures[readiness.TelehealthByGroup]); diff != "" {
		t.Errorf("telehealth by group (-want +got):\n%s", diff)
	}
}
