package report_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report"
	"github.com/equitylens/equitylens/measure/report/reporttest"
)

var update = flag.Bool("update", false, "write the files in testdata anew")

func builder(t *testing.T) *report.Builder {
	t.Helper()
	b, err := report.New(report.Config{
		Organization: "Example Health", Version: "0.1.0",
		Now: func() time.Time { return time.Date(2019, 2, 3, 4, 5, 6, 7, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// golden compares a resource with its file, after jsonformat has read it back unchanged.
func golden(t *testing.T, name string, resource proto.Message) {
	t.Helper()
	text, err := r4.MarshalIndent(resource)
	if err != nil {
		t.Fatal(err)
	}
	back, err := r4.Unmarshal(text)
	if err != nil {
		t.Fatalf("jsonformat refuses what it wrote:\n%s", text)
	}
	again, err := r4.MarshalIndent(inner(t, back))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(again)); diff != "" {
		t.Errorf("%s is not read back as it was written (-written +read):\n%s", name, diff)
	}
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)+"\n"); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", path, diff)
	}
}

func inner(t *testing.T, resource *rpb.ContainedResource) proto.Message {
	t.Helper()
	m := resource.ProtoReflect()
	field := m.WhichOneof(m.Descriptor().Oneofs().ByName("oneof_resource"))
	if field == nil {
		t.Fatal("no resource was read")
	}
	return m.Get(field).Message().Interface()
}

func TestMeasureReport(t *testing.T) {
	t.Parallel()
	for _, result := range reporttest.Results() {
		t.Run(result.Measure, func(t *testing.T) {
			t.Parallel()
			got := builder(t).MeasureReport(result)
			if err := reporttest.Check(got); err != nil {
				t.Error(err)
			}
			golden(t, "report-"+result.Measure, got)
		})
	}
}

// TestFurtherReports are those of hidden figures, overlapping strata, the other scorings and
// populations, filters and bounds.
func TestFurtherReports(t *testing.T) {
	t.Parallel()
	for _, result := range reporttest.Further() {
		t.Run(result.Measure, func(t *testing.T) {
			t.Parallel()
			got := builder(t).MeasureReport(result)
			if err := reporttest.Check(got); err != nil {
				t.Error(err)
			}
			golden(t, "further-"+result.Measure, got)
		})
	}
}

func TestBundle(t *testing.T) {
	t.Parallel()
	results := reporttest.Results()[:2]
	golden(t, "bundle", builder(t).Bundle(results))
}

// TestParametersHoldBundles is the answer of DEQM's $evaluate, which jsonformat alone cannot write.
func TestParametersHoldBundles(t *testing.T) {
	t.Parallel()
	b := builder(t)
	one, two := b.Bundle(reporttest.Results()[:1]), b.Bundle(reporttest.Results()[1:3])
	parameters, err := report.Parameters(one, two)
	if err != nil {
		t.Fatal(err)
	}
	text, err := r4.MarshalIndent(parameters)
	if err != nil {
		t.Fatal(err)
	}
	back, err := r4.Unmarshal(text)
	if err != nil {
		t.Fatalf("Unmarshal: %v: %s", err, text)
	}
	var entries []int
	for _, p := range back.GetParameters().GetParameter() {
		inner := &rpb.ContainedResource{}
		if err := p.GetResource().UnmarshalTo(inner); err != nil || p.GetName().GetValue() != "return" {
			t.Fatalf("a parameter %s: %v", p.GetName().GetValue(), err)
		}
		for _, entry := range inner.GetBundle().GetEntry() {
			if err := reporttest.Check(entry.GetResource().GetMeasureReport()); err != nil {
				t.Error(err)
			}
		}
		entries = append(entries, len(inner.GetBundle().GetEntry()))
	}
	if diff := cmp.Diff([]int{1, 2}, entries); diff != "" {
		t.Errorf("reports of each Bundle (-want +got):\n%s", diff)
	}
}

func TestIdentifierNamesTheQuestion(t *testing.T) {
	t.Parallel()
	of := func(change func(*measure.Result)) string {
		result := reporttest.Results()[0]
		change(&result)
		return builder(t).MeasureReport(result).Identifier[0].GetValue().GetValue()
	}
	first := of(func(*measure.Result) {})
	if again := of(func(*measure.Result) {}); again != first {
		t.Errorf("one question has identifiers %s and %s", first, again)
	}
	changes := map[string]func(*measure.Result){
		"measure":    func(r *measure.Result) { r.Measure += "x" },
		"version":    func(r *measure.Result) { r.Version += "x" },
		"snapshot":   func(r *measure.Result) { r.Snapshot += "x" },
		"period":     func(r *measure.Result) { r.Period.End = r.Period.End.AddDate(0, 0, -1) },
		"policy":     func(r *measure.Result) { r.Policy = "x" },
		"audience":   func(r *measure.Result) { r.Audience = "public" },
		"filter":     func(r *measure.Result) { r.Filter = measure.Filter{"sex": {"female"}} },
		"bounds":     func(r *measure.Result) { r.Groups[0].Strata["race"][0].Bounds = &[2]float64{0, 1} },
		"dimensions": func(r *measure.Result) { delete(r.Groups[0].Strata, "race") },
	}
	for name, change := range changes {
		if got := of(change); got == first {
			t.Errorf("another %s has the same identifier", name)
		}
	}
}

func TestScoresAreNeverInverted(t *testing.T) {
	t.Parallel()
	for _, direction := range []measure.Improvement{
		measure.Increase, measure.Decrease, measure.Context,
	} {
		result := reporttest.Results()[0]
		result.Groups[0].Improvement = direction
		got := builder(t).MeasureReport(result).Group[0].GetMeasureScore().GetValue().GetValue()
		if !strings.HasPrefix(got, "0.0538461538461538") {
			t.Errorf("the score of 7 of 130 with improvement %s is %s", direction, got)
		}
	}
}

func TestNewNeedsAClock(t *testing.T) {
	t.Parallel()
	if _, err := report.New(report.Config{}); err == nil {
		t.Error("New without a clock succeeds")
	}
}
