package network_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/network"
)

var update = flag.Bool("update", false, "write golden files")

// tiny is the submission of the guide: every element that there is, and little else.
func tiny(t *testing.T) network.Submission {
	t.Helper()
	row := func(key string, all, met int64) network.Row { return network.Row{Key: key, Figure: plain(all, met)} }
	s := small(t, "example-health", 1)
	s.Adoption.Levels = map[string]int{}
	for i, item := range questionnaire(t).Items()[:3] {
		s.Adoption.Levels[item.ID] = i
	}
	s.Adoption.Final = false
	s.Actions = []network.Action{{
		Cause: "policy-triage", Measure: "ed-left-without-being-seen", Rate: "main", Dimension: "race",
		Groups: []string{"2054-5"}, Start: "2025-02-01", State: network.Completed, Outcome: "reduced",
		Demonstrated: true,
	}}
	s.Reports = []network.Report{{
		Measure: "ed-left-without-being-seen", Version: "1.0.0", Rates: []network.Rate{{
			ID: "main", Whole: plain(2400, 96), Tables: []network.Table{{By: "sex", Rows: []network.Row{
				row("female", 1250, 50), row("male", 1108, -1), row("other", -1, -1), row("~unknown", -1, 0),
			}}},
		}},
	}}
	return s
}

func TestASubmissionIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	want := tiny(t)
	text, err := c.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Check(text, "example-health")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Check(Encode) (-want +got):\n%s", diff)
	}
	again, err := c.Encode(got)
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("Encode of what was read gives other bytes (%v)", err)
	}
	golden := filepath.Join("testdata", "submission.golden.json")
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	if *update {
		if err := os.WriteFile(golden, pretty.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), pretty.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "network.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(guide, kept) {
		t.Error("docs/network.md shows another submission than the one that is written")
	}
}

func TestAcceptKeepsASubmission(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	got := w.hand(t, small(t, "m1", 10))
	if got.Version != 1 || !got.New || got.Period != "2025" || got.Member != "m1" {
		t.Errorf("Accept = %+v", got)
	}
}
