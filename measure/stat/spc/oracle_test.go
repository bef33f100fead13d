package spc_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/measure/stat/spc"
)

const oracleFile = "spc_charts.json"

// list reads a list of numbers; one element may stand without brackets.
type list []float64

// UnmarshalJSON takes both forms.
func (l *list) UnmarshalJSON(text []byte) error {
	if !strings.HasPrefix(string(text), "[") {
		text = []byte("[" + string(text) + "]")
	}
	return json.Unmarshal(text, (*[]float64)(l))
}

// expected is what the file knows of one series: computed in R 4.2.2 and a second time in Python.
type expected struct {
	CL          *float64 `json:"cl"`
	Y           list     `json:"y"`
	Sigma       list     `json:"sigma"`
	LCL         list     `json:"lcl"`
	UCL         list     `json:"ucl"`
	Beyond      *list    `json:"beyond"`
	Z           list     `json:"z"`
	SigmaZ      *float64 `json:"sigma_z"`
	Screened    *float64 `json:"sigma_z_screened"`
	LaneyLCL    list     `json:"laney_lcl"`
	LaneyUCL    list     `json:"laney_ucl"`
	LaneyBeyond *list    `json:"laney_beyond"`
	Runs        *struct {
		Useful       int  `json:"n_useful"`
		Longest      int  `json:"longest_run"`
		LongestMax   int  `json:"longest_run_max"`
		Crossings    int  `json:"n_crossings"`
		CrossingsMin int  `json:"n_crossings_min"`
		Signal       bool `json:"signal"`
	} `json:"runs_vs_cl"`
}

// oracleCase is one series; one of them a second time with two points left out.
type oracleCase struct {
	Published string `json:"published"`
	Source    string `json:"source"`
	Inputs    struct {
		Count    list    `json:"count"`
		Size     list    `json:"size"`
		Multiply float64 `json:"multiply"`
	} `json:"inputs"`
	Expected  expected `json:"expected"`
	Excluding expected `json:"expected_excluding_15_23"`
}

// comparison counts what was compared.
type comparison struct {
	compared int
	largest  float64
}

func (c *comparison) number(t *testing.T, name string, got, want float64) {
	t.Helper()
	c.compared++
	if want == got {
		return
	}
	difference := math.Abs(got-want) / math.Max(math.Abs(want), 1e-300)
	c.largest = math.Max(c.largest, difference)
	if !(difference <= 1e-9) {
		t.Errorf("%s = %v, want %v", name, got, want)
	}
}

func (c *comparison) numbers(t *testing.T, name string, got []float64, want list) {
	t.Helper()
	if want == nil {
		return
	}
	if len(got) != len(want) {
		t.Errorf("%s has %d values, want %d", name, len(got), len(want))
		return
	}
	for i := range want {
		c.number(t, fmt.Sprintf("%s[%d]", name, i), got[i], want[i])
	}
}

// beyond are the points outside the limits, counted from 1 as the file does.
func beyond(c *spc.Chart) []float64 {
	var points []float64
	for _, s := range c.Signals(spc.BeyondLimits) {
		points = append(points, float64(s.Indices[0]+1))
	}
	return points
}

func column(c *spc.Chart, of func(spc.Point) float64, excluded bool) []float64 {
	var values []float64
	for _, p := range c.Points {
		if excluded || !p.Excluded {
			values = append(values, of(p))
		}
	}
	return values
}

func draw(t *testing.T, kind spc.Kind, subgroups []spc.Subgroup, config spc.Config) *spc.Chart {
	t.Helper()
	c, err := spc.New(kind, subgroups, config)
	if err != nil {
		t.Fatalf("New(%s): %v", kind, err)
	}
	return c
}

// series compares all that the file expects of one series.
func (c *comparison) series(t *testing.T, name string, of oracleCase, want expected,
	exclude []int) {
	t.Helper()
	kind, prime := spc.P, spc.PPrime
	if of.Inputs.Multiply != 0 {
		kind, prime = spc.U, spc.UPrime
	}
	subgroups := make([]spc.Subgroup, len(of.Inputs.Count))
	for i := range subgroups {
		subgroups[i] = spc.Subgroup{Count: of.Inputs.Count[i], Size: of.Inputs.Size[i]}
	}
	config := spc.Config{Multiply: of.Inputs.Multiply, Exclude: exclude}
	plain, laney := draw(t, kind, subgroups, config), draw(t, prime, subgroups, config)
	config.Screened = true
	screened := draw(t, prime, subgroups, config)

	lower := func(p spc.Point) float64 { return p.Lower }
	upper := func(p spc.Point) float64 { return p.Upper }
	c.number(t, name+" cl", plain.Phases[0].Centre, *want.CL)
	c.numbers(t, name+" y", column(plain, func(p spc.Point) float64 { return p.Value }, true), want.Y)
	c.numbers(t, name+" sigma", column(plain, func(p spc.Point) float64 { return p.Sigma }, true),
		want.Sigma)
	c.numbers(t, name+" lcl", column(plain, lower, true), want.LCL)
	c.numbers(t, name+" ucl", column(plain, upper, true), want.UCL)
	c.numbers(t, name+" beyond", beyond(plain), *want.Beyond)
	c.numbers(t, name+" z", column(plain, func(p spc.Point) float64 { return p.Z }, false), want.Z)
	c.number(t, name+" sigma_z", laney.Phases[0].SigmaZ, *want.SigmaZ)
	if want.Screened != nil {
		c.number(t, name+" sigma_z_screened", screened.Phases[0].SigmaZ, *want.Screened)
	}
	c.numbers(t, name+" laney_lcl", column(laney, lower, true), want.LaneyLCL)
	c.numbers(t, name+" laney_ucl", column(laney, upper, true), want.LaneyUCL)
	c.numbers(t, name+" laney_beyond", beyond(laney), *want.LaneyBeyond)

	runs := plain.Runs(plain.Phases[0])
	c.number(t, name+" n_useful", float64(runs.Useful()), float64(want.Runs.Useful))
	c.number(t, name+" longest_run", float64(runs.Longest), float64(want.Runs.Longest))
	c.number(t, name+" longest_run_max", float64(runs.LongestMax()), float64(want.Runs.LongestMax))
	c.number(t, name+" n_crossings", float64(runs.Crossings), float64(want.Runs.Crossings))
	c.number(t, name+" n_crossings_min", float64(runs.CrossingsMin()), float64(want.Runs.CrossingsMin))
	c.compared++
	if runs.Signal() != want.Runs.Signal {
		t.Errorf("%s signal = %v, want %v", name, runs.Signal(), want.Runs.Signal)
	}
}

func TestOracle(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", oracleFile))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Title   string                `json:"title"`
		Formula string                `json:"formula"`
		Cases   map[string]oracleCase `json:"cases"`
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields() // What the file expects is compared, all of it.
	if err := decoder.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	var c comparison
	cases := 0
	for name, of := range doc.Cases {
		c.series(t, name, of, of.Expected, nil)
		cases++
		if of.Excluding.CL != nil {
			c.series(t, name+" without 15 and 23", of, of.Excluding, []int{14, 22})
			cases++
		}
	}
	if c.compared == 0 {
		t.Fatal("no figure of the file was compared")
	}
	t.Logf("%s: %d cases, %d values compared, largest relative difference %.2g", oracleFile, cases,
		c.compared, c.largest)
}
