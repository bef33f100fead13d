package measure_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
)

// TestBadDefinitions reads testdata/bad: each file is a definition with one fault, and its first
// line says what an analyst is told.
func TestBadDefinitions(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.bad.yaml")
	if err != nil || len(files) < 45 {
		t.Fatalf("%d bad definitions, %v; want 45 or more", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".bad.yaml"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file) // #nosec G304 -- testdata
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(text), "\n")
			want := strings.TrimPrefix(first, "# want: ")
			if _, err := measure.ParseDefinition(text); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("ParseDefinition(%s) = %v\nwant %s", file, err, want)
			}
		})
	}
}

const small = `
id: own-visits
version: 1.0.0
title: Visits
unit: encounter
scoring: proportion
dated_by: start
needs: [Encounter]
populations: {initial-population: "true", denominator: "true"}
groups:
  - id: far
    title: By telehealth
    populations: {numerator: telehealth}
  - id: long
    improvement: decrease
    populations: {numerator: minutes > 60, denominator: minutes is not null}
source: Own.
says: A sentence.
`

func TestRatesOverrideWhatTheyName(t *testing.T) {
	t.Parallel()
	d, err := measure.ParseDefinition([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	want := []measure.GroupDefinition{
		{ID: "far", Title: "By telehealth", Says: "A sentence.", Improvement: measure.Context,
			Populations: map[measure.Population]string{
				measure.InitialPopulation: "true", measure.Denominator: "true",
				measure.Numerator: "telehealth"}},
		{ID: "long", Title: "Visits", Says: "A sentence.", Improvement: measure.Decrease,
			Populations: map[measure.Population]string{
				measure.InitialPopulation: "true", measure.Denominator: "minutes is not null",
				measure.Numerator: "minutes > 60"}},
	}
	if diff := cmp.Diff(want, d.Rates()); diff != "" {
		t.Errorf("Rates() (-want +got):\n%s", diff)
	}
}

func TestLoadFolder(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	tests := []struct {
		name  string
		files fstest.MapFS
		// want are the ids, or parts of the error.
		want  []string
		fault []string
	}{
		{"in the order of their ids", fstest.MapFS{
			"1.yaml": file(small), "2.yaml": file(strings.Replace(small, "own-visits", "a-visits", 1)),
			"notes.txt": file("not read")}, []string{"a-visits", "own-visits"}, nil},
		{"an empty folder", fstest.MapFS{}, nil, nil},
		{"one id in two files", fstest.MapFS{"1.yaml": file(small), "2.yaml": file(small)}, nil,
			[]string{"measure own-visits is defined twice"}},
		{"all faults at once", fstest.MapFS{
			"1.yaml": file(strings.Replace(small, "version: 1.0.0", "", 1)), "2.yaml": file("id: ["),
			"3.yml": file(small)},
			nil, []string{"1.yaml: version: missing", "2.yaml: ",
				"3.yml: the name of a definition ends in .yaml"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			definitions, err := measure.Load(test.files)
			if (err != nil) != (test.fault != nil) {
				t.Fatalf("Load() = %v, want %q", err, test.fault)
			}
			for _, want := range test.fault {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Load() = %v\nwant %s", err, want)
				}
			}
			if test.fault != nil {
				return
			}
			var ids []string
			for _, d := range definitions {
				ids = append(ids, d.ID)
			}
			if diff := cmp.Diff(test.want, ids); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCombine(t *testing.T) {
	t.Parallel()
	own, err := measure.Load(fstest.MapFS{"own.yaml": {Data: []byte(small)}})
	if err != nil {
		t.Fatal(err)
	}
	all, err := measure.Combine(shipped(t), own)
	if err != nil || len(all) != 13 {
		t.Errorf("Combine() = %d definitions, %v; want 13", len(all), err)
	}
	if _, err := measure.Combine(shipped(t), all); err == nil ||
		!strings.Contains(err.Error(), "ships with the program; give yours an id of its own") {
		t.Errorf("Combine() of an id that ships = %v", err)
	}
}

func FuzzParseDefinition(f *testing.F) {
	f.Add([]byte(small))
	entries, err := catalog.Files().(interface {
		ReadFile(string) ([]byte, error)
	}).ReadFile("readmission-30-day.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(entries)
	f.Add([]byte(strings.Replace(small, "says:",
		"reads: in {n} of 100\nin: {es: {reads: \"{n}\"}}\nsays:", 1)))
	f.Add([]byte("groups: [{populations: {numerator: \"'\"}}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := measure.ParseDefinition(text)
		if err != nil {
			return
		}
		if len(d.Rates()) == 0 || d.ID == "" {
			t.Errorf("ParseDefinition(%q) accepts a definition without a rate or an id", text)
		}
		for _, rate := range d.Rates() {
			for _, language := range measure.Languages() {
				reads := rate.Words(language).Reads
				if reads != "" && strings.Count(reads, measure.Score) != 1 {
					t.Errorf("ParseDefinition(%q) accepts the clause %q", text, reads)
				}
			}
		}
	})
}
