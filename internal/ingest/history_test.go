package ingest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/ingest"
)

// runs returns what is remembered of the runs of a store.
func (s store) runs(t *testing.T) []ingest.RunRecord {
	t.Helper()
	runs, err := ingest.Runs(s.Dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// outcomes are those of the runs, the newest first.
func outcomes(runs []ingest.RunRecord) []ingest.Outcome {
	var out []ingest.Outcome
	for _, r := range runs {
		out = append(out, r.Outcome)
	}
	return out
}

// TestEveryRunIsRemembered goes through nights of each kind into one directory.
func TestEveryRunIsRemembered(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	healthy := folderOf(t, few())
	dry := s
	dry.config.DryRun = true
	lax := s
	lax.config.MaxShrink = 1
	nights := []struct {
		in   ingest.Source
		from store
		want ingest.Outcome
	}{
		{healthy, s, ingest.Published},
		{healthy, s, ingest.Unchanged},
		{healthy, dry, ""},
		{ingest.Folder{Path: writeFiles(t, map[string]string{"Patient.ndjson": patients(2000, 10)}), ID: "ehr"}, s,
			ingest.Refused},
		{ingest.Folder{Path: writeFiles(t, map[string]string{"Patient.ndjson": patients(10, 0)}), ID: "ehr"}, s,
			ingest.Refused},
		{ingest.Folder{Path: t.TempDir(), ID: "ehr"}, s, ingest.Failed},
		{openHospital(t, few(), oneFile, fhirtest.GzipBomb).source, lax, ingest.Partial},
	}
	var want []ingest.Outcome
	for _, night := range nights {
		report, err := ingest.Sync(t.Context(), night.from.config, night.in)
		if night.want == "" {
			continue
		}
		want = append([]ingest.Outcome{night.want}, want...)
		last := s.runs(t)[0]
		if last.Outcome != night.want || last.Source != "ehr" || last.Started.IsZero() ||
			!last.Ended.After(last.Started) || last.Report.Snapshot != report.Snapshot {
			t.Errorf("remembered is %+v, want %s of snapshot %q", last, night.want, report.Snapshot)
		}
		if (err == nil) != (last.Failure == "") {
			t.Errorf("%s: Sync = %v, and remembered is the failure %q", night.want, err, last.Failure)
		}
	}
	if d := cmp.Diff(want, outcomes(s.runs(t))); d != "" {
		t.Errorf("outcomes (-want +got):\n%s", d)
	}
	newest, err := ingest.Runs(s.Dir, 2)
	if d := cmp.Diff(want[:2], outcomes(newest)); d != "" || err != nil {
		t.Errorf("the newest two (-want +got):\n%s, %v", d, err)
	}
}

// folderOf is a folder with the files of a population.
func folderOf(t *testing.T, who *population.Population) ingest.Folder {
	t.Helper()
	files := t.TempDir()
	if err := who.WriteNDJSON(t.Context(), files, 1, false); err != nil {
		t.Fatal(err)
	}
	return ingest.Folder{Path: files, ID: "ehr"}
}

// TestCountsAreRememberedAndCodesAreNot compares a report with what is kept of it.
func TestCountsAreRememberedAndCodesAreNot(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	report := s.sync(t, folderOf(t, people()))
	got := s.runs(t)[0].Report
	if d := cmp.Diff(report.Types, got.Types); d != "" {
		t.Errorf("types (-report +remembered):\n%s", d)
	}
	codes := 0
	for i, kind := range report.Issues {
		var details int64
		seen := map[string]bool{}
		for _, d := range got.Issues[i].Details {
			details += d.Count
			if d.Code != "" || d.System != "" || seen[d.Type+d.Element] {
				t.Errorf("remembered is %+v, want one row an element, without its codes", d)
			}
			seen[d.Type+d.Element] = true
		}
		for _, d := range kind.Details {
			if d.Code != "" {
				codes++
			}
		}
		if got.Issues[i].Count != kind.Count || details != kind.Count {
			t.Errorf("%s: %d are remembered, in details %d; want %d", kind.Kind, got.Issues[i].Count, details,
				kind.Count)
		}
	}
	if codes == 0 {
		t.Error("no issue has a code, so that nothing is under test")
	}
}

// TestARunIsKilledWhileItGoesOn asks of a run while it goes on, and after it was cancelled.
func TestARunIsKilledWhileItGoesOn(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked := 0
	s.config.Progress = func(p ingest.Progress) {
		if p.Phase == "merge" {
			asked++
			last := s.runs(t)[0]
			if last.Outcome != ingest.Running || !last.Ended.IsZero() {
				t.Errorf("while it goes on, remembered is %+v", last)
			}
			cancel()
		}
	}
	_, err := ingest.Sync(ctx, s.config, folderOf(t, few()))
	if !errors.Is(err, context.Canceled) || asked == 0 {
		t.Fatalf("Sync = %v after %d merges", err, asked)
	}
	if last := s.runs(t)[0]; last.Outcome != ingest.Killed || last.Ended.IsZero() {
		t.Errorf("after it was cancelled, remembered is %+v", last)
	}
}

// TestAKilledProcessIsSeenByOthers kills a process in the middle of a run, which another process sees
// running before and killed afterwards, without anybody having written that down.
func TestAKilledProcessIsSeenByOthers(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	c := startChild(t, order{Data: s.Path(), Folder: folderOf(t, few()).Path, At: 3, Hang: true})
	c.step("step 3 ")
	if got := outcomes(s.runs(t)); !cmp.Equal(got, []ingest.Outcome{ingest.Running}) {
		t.Errorf("while it goes on, the runs are %v", got)
	}
	c.kill()
	if got := outcomes(s.runs(t)); !cmp.Equal(got, []ingest.Outcome{ingest.Killed}) {
		t.Errorf("after it was killed, the runs are %v", got)
	}
	s.sync(t, folderOf(t, few()))
	want := []ingest.Outcome{ingest.Published, ingest.Killed}
	if got := outcomes(s.runs(t)); !cmp.Equal(got, want) {
		t.Errorf("after the next night, the runs are %v, want %v", got, want)
	}
}

// TestARunThatCannotBeRememberedIsDoneAllTheSame has the history in the way.
func TestARunThatCannotBeRememberedIsDoneAllTheSame(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	if err := os.WriteFile(filepath.Join(s.Path(), "history"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if report := s.sync(t, folderOf(t, few())); report.Snapshot == "" {
		t.Error("nothing was published")
	}
	if !strings.Contains(s.log.String(), "the run is not remembered") {
		t.Errorf("the log does not tell that the run is not remembered: %s", s.log)
	}
}

func TestOutcomeOf(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	lost, lose := context.WithCancelCause(context.Background())
	lose(errors.New("the lock was lost"))
	late, end := context.WithDeadline(context.Background(), time.Time{})
	end()
	for _, c := range []struct {
		name string
		ctx  context.Context
		in   ingest.Report
		err  error
		want ingest.Outcome
	}{
		{"no error", context.Background(), ingest.Report{}, nil, ingest.Published},
		{"the same data", context.Background(), ingest.Report{Unchanged: true}, nil, ingest.Unchanged},
		{"done before it was cancelled", cancelled, ingest.Report{}, nil, ingest.Published},
		{"partial and the same", context.Background(), ingest.Report{Unchanged: true}, ingest.ErrPartial,
			ingest.Partial},
		{"cancelled", cancelled, ingest.Report{}, context.Canceled, ingest.Killed},
		{"a lost lock is a fault", lost, ingest.Report{}, context.Canceled, ingest.Failed},
		{"so is a deadline", late, ingest.Report{}, context.DeadlineExceeded, ingest.Failed},
		{"refused although it was cancelled", cancelled, ingest.Report{}, ingest.ErrRefused, ingest.Refused},
		{"empty", context.Background(), ingest.Report{}, ingest.ErrEmpty, ingest.Refused},
		{"anything else", context.Background(), ingest.Report{}, errors.New("no disk"), ingest.Failed},
	} {
		if got := ingest.OutcomeOf(c.ctx, c.in, c.err); got != c.want {
			t.Errorf("%s: OutcomeOf() = %s, want %s", c.name, got, c.want)
		}
	}
}
