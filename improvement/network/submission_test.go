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

func TestASubmissionIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	want := small(t, "m1", 10)
	text, err := c.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Check(text, "m1")
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
}

func TestAcceptKeepsASubmission(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	got := w.hand(t, small(t, "m1", 10))
	if got.Version != 1 || !got.New || got.Period != "2025" || got.Member != "m1" {
		t.Errorf("Accept = %+v", got)
	}
	_ = network.Least
}
