package population_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// from is the day of the improvement in the tests.
func from() time.Time { return time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) }

// withoutInterpreter leaves out of an Encounter what tells of interpreters, and gives its start.
func withoutInterpreter(t *testing.T, line string) (rest string, start string) {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"participant", "extension", "text", "contained", "specialArrangement", "hospitalization"} {
		delete(e, key)
	}
	if period, ok := e["period"].(map[string]any); ok {
		start, _ = period["start"].(string)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), start
}

func TestAnImprovementTouchesInterpretersFromItsDayOn(t *testing.T) {
	t.Parallel()
	c := population.Config{Patients: 600, Seed: 21}
	before := files(t, population.New(c), 1, false)
	c.Improves = population.Improvement{From: from(), Share: 1}
	after := files(t, population.New(c), 1, false)
	changed := 0
	for name, text := range before {
		old, lines := strings.Split(text, "\n"), strings.Split(after[name], "\n")
		if len(old) != len(lines) {
			t.Fatalf("%s has %d lines, had %d", name, len(lines), len(old))
		}
		for i := range lines {
			if lines[i] == old[i] {
				continue
			}
			changed++
			was, _ := withoutInterpreter(t, old[i])
			is, start := withoutInterpreter(t, lines[i])
			if diff := cmp.Diff(was, is); diff != "" {
				t.Errorf("%s, line %d: more than the interpreter differs:\n%s", name, i+1, diff)
			}
			// A start may be in another zone than the hospital's: a day is left between.
			if start != "" && start < "2024-12-31" {
				t.Errorf("%s, line %d: an encounter of %s has changed", name, i+1, start)
			}
		}
	}
	if changed < 50 {
		t.Errorf("%d lines have changed; the improvement does nothing", changed)
	}
}

func TestAnImprovementHasItsShare(t *testing.T) {
	t.Parallel()
	year := func(y int) (time.Time, time.Time) {
		return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(y, 12, 31, 0, 0, 0, 0, time.UTC)
	}
	p := population.New(population.Config{
		Patients: 6000, Seed: 3, Improves: population.Improvement{From: from(), Share: 0.7},
	})
	scores := map[int]float64{}
	for _, y := range []int{2024, 2025} {
		start, end := year(y)
		for _, x := range p.Planted(start, end) {
			if x.Measure == "interpreter-documented" && x.Code == "other" {
				scores[y] = x.Score
			}
		}
	}
	if scores[2024] > 0.42 || scores[2025] < 0.62 {
		t.Errorf("shares %v, want about 0.36 and 0.70", scores)
	}
}

func TestNoImprovementIsTheSamePopulation(t *testing.T) {
	t.Parallel()
	c := population.Config{Patients: 150, Seed: 8}
	plain := everything(t, population.New(c))
	c.Improves.Share = 0.9 // Without a day it is none.
	if !bytes.Equal(plain, everything(t, population.New(c))) {
		t.Error("an improvement without a day changes the population")
	}
}
