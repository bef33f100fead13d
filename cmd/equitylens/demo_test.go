package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

const demoContract = `{
	"sync": {"snapshot":"","source":"","complete":true,"types":{"*":{"read":0,"stored":0,"refused":0,"deleted":0}},
		"orphans":0,"issues":[{"kind":"","count":0}]},
	"gaps": [{"measure":"","dimension":"","group":"","reference":"","difference":0.0,"sentence":""}],
	"planted": [{"measure":"","dimension":"","group":"","expected":0.0,"measured":0.0}]
}`

// TestDemoFindsEveryPlantedInequity runs the whole program against the fake EHR. The expected sizes
// are counted anew by the generator, from its own state.
func TestDemoFindsEveryPlantedInequity(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 7} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			const patients = 1500
			o := must(t, "demo", "--once", "--json", "--patients", fmt.Sprint(patients), "--seed",
				fmt.Sprint(seed),
				"--data", t.TempDir())
			checkContract(t, demoContract, o.out)
			var got demoDocument
			parse(t, o.out, &got)
			from, to := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 12, 31, 0, 0, 0, 0,
				time.UTC)
			want := population.New(population.Config{Patients: patients, Seed: seed}).Planted(from, to)
			if len(got.Planted) != len(want) || len(want) == 0 {
				t.Fatalf("%d inequities are reported, %d were planted", len(got.Planted), len(want))
			}
			for i, w := range want {
				g := got.Planted[i]
				if g.Measure != w.Measure || g.Rate != w.Group || g.Dimension != w.Dimension ||
					g.Code != w.Code {
					t.Errorf("row %d is %s %s by %s %s, want %s %s by %s %s", i, g.Measure, g.Rate, g.Dimension,
						g.Code,
						w.Measure, w.Group, w.Dimension, w.Code)
				}
				if g.Measured == nil || math.Abs(*g.Measured-w.Expected) > 1e-9 || w.Counted == 0 {
					t.Errorf("%s/%s by %s, %s against %s: measured %v, planted %v", w.Measure, w.Group,
						w.Dimension,
						w.Label, w.ReferenceLabel, g.Measured, w.Expected)
				}
			}
			if len(got.Gaps) == 0 || !got.Sync.Complete {
				t.Errorf("%d gaps, complete %v", len(got.Gaps), got.Sync.Complete)
			}
			for _, gap := range got.Gaps {
				if gap.Sentence == "" || gap.Group == gap.Reference {
					t.Errorf("a gap says %q of %s against %s", gap.Sentence, gap.Group, gap.Reference)
				}
			}
		})
	}
}

func TestDemoForPeople(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	o := must(t, "demo", "--once", "--patients", "400", "--data", data)
	for _, want := range []string{"The largest gap of each measure", "inequities that were planted",
		"snapshot "} {
		if !strings.Contains(o.out, want) {
			t.Errorf("the output lacks %q:\n%s", want, o.out)
		}
	}
	if strings.Contains(o.out, "not found") {
		t.Errorf("a planted inequity was not found:\n%s", o.out)
	}
	if !strings.Contains(o.err, "merge") {
		t.Errorf("standard error shows no progress:\n%s", o.err)
	}
	again := must(t, "demo", "--once", "--json", "--patients", "400", "--data", data)
	checkContract(t, demoContract, again.out)
}

func TestDemoKeepsAwayFromRealData(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	must(t, "sync", "--from", write(t, map[string]string{"Patient.ndjson": patientLines(3)}), "--data",
		data)
	o := equitylens(t, "demo", "--once", "--patients", "20", "--data", data)
	if o.code != exitFailed || !strings.Contains(o.err, `holds data of the source "folder"`) {
		t.Errorf("demo = %d, %s", o.code, o.err)
	}
}
