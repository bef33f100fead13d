package main

import (
	"strings"
	"testing"
)

const ownMeasure = `id: long-visit
version: 1.0.0
title: Visit of more than an hour
unit: encounter
scoring: proportion
improvement: decrease
dated_by: end
needs: [Patient, Encounter]
populations:
  initial-population: class = 'AMB' and status = 'finished'
  denominator: "true"
  denominator-exclusion: minutes is null
  numerator: minutes > 60
source: ours
says: Of outpatient visits, the share of more than an hour.
`

const ownScript = `load
  patient race=white x2
  patient race=black x2
  encounter patient=race:white class=AMB start=2026-03-01T10:00 end=+30m
  encounter patient=race:black class=AMB start=2026-03-01T10:00 end=+90m x1
  encounter patient=race:black class=AMB start=2026-03-01 end=2026-03-01 x1

eval long-visit by race period 2026
  white  0/2    0.000
  black  1/2-1  1.000
`

func TestCheckRunsTheScriptsOfASite(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		script string
		code   int
		out    []string
		err    []string
	}{
		{
			name: "a script that holds", script: ownScript, code: exitOK,
			out: []string{"13 measures compile", "measure scripts: 1 read, 1 evals as expected"},
		},
		{
			name:   "a figure that does not",
			script: strings.Replace(ownScript, "0/2    0.000", "1/2    0.500", 1), code: exitFailed,
			out: []string{"13 measures compile"},
			err: []string{"measure scripts: 1 of 1 evals are not as expected", "visit.test:8: eval long-visit",
				"- line 9: white  1/2    0.500", "+ white 0/2 0.000"},
		},
		{
			name:   "faults of the script, all at once",
			script: strings.ReplaceAll(ownScript, "race=", "rase="), code: exitFailed,
			err: []string{"visit.test:2:", "visit.test:3:", `"rase"`},
		},
		{
			name:   "a measure that does not exist",
			script: strings.Replace(ownScript, "long-visit", "long-visits", 1), code: exitFailed,
			err: []string{"visit.test:8", "unknown measure"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			folder := write(t, map[string]string{"long.yaml": ownMeasure, "visit.test": c.script})
			config := write(t, map[string]string{"equitylens.yaml": "measures: " + folder + "\n"})
			o := equitylens(t, "check", "--config", config+"/equitylens.yaml")
			if o.code != c.code {
				t.Errorf("check = %d, want %d\n%s%s", o.code, c.code, o.out, o.err)
			}
			for _, want := range c.out {
				if !strings.Contains(o.out, want) {
					t.Errorf("the output lacks %q: %s", want, o.out)
				}
			}
			for _, want := range c.err {
				if !strings.Contains(o.err, want) {
					t.Errorf("the complaint lacks %q: %s", want, o.err)
				}
			}
		})
	}
}

func TestCheckHelpTellsOfScripts(t *testing.T) {
	t.Parallel()
	if o := must(t, "check", "--help"); !strings.Contains(o.out, "*.test") ||
		!strings.Contains(o.out, "docs/scripts.md") {
		t.Errorf("the help does not tell of measure scripts:\n%s", o.out)
	}
}
