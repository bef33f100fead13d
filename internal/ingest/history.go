package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/store/facts"
)

// Outcome says what became of a run.
type Outcome string

// The outcomes.
const (
	// Running: the run has not ended, and its process lives.
	Running Outcome = "running"
	// Published: a new snapshot is live.
	Published Outcome = "published"
	// Unchanged: so it is, and it holds what the one before it held.
	Unchanged Outcome = "unchanged"
	// Partial: a snapshot was published and did not go live, because something is missing in it.
	Partial Outcome = "partial"
	// Refused: what the source gave is not fit to be published.
	Refused Outcome = "refused"
	// Failed: the run could not go on.
	Failed Outcome = "failed"
	// Killed: the run was ended from outside, or its process was.
	Killed Outcome = "killed"
)

// Outcomes lists every outcome.
func Outcomes() []Outcome {
	return []Outcome{Running, Published, Unchanged, Partial, Refused, Failed, Killed}
}

// RunRecord is what is remembered of a run. It names no person and holds no code of the source's.
type RunRecord struct {
	ID      string    `json:"id"`
	Source  string    `json:"source"`
	Started time.Time `json:"started"`
	// Ended is zero while the run goes on, and where nobody was left to note it.
	Ended   time.Time `json:"ended,omitzero"`
	Outcome Outcome   `json:"outcome"`
	// Failure says in words why nothing new is live.
	Failure string `json:"failure,omitempty"`
	// Report is as much as the run came to, without the codes of issues and without paths.
	Report Report `json:"report,omitzero"`
	// Folder is the name of the run's folder, which is gone with the next run of the source.
	Folder string `json:"folder,omitempty"`
}

// OutcomeOf says what became of a sync, from what Sync returned in that context.
func OutcomeOf(ctx context.Context, report Report, err error) Outcome {
	var shrunk *facts.ShrunkError
	switch {
	case err == nil && report.Unchanged:
		return Unchanged
	case err == nil:
		return Published
	case errors.Is(err, ErrPartial):
		return Partial
	case errors.Is(err, ErrRefused), errors.Is(err, ErrEmpty), errors.As(err, &shrunk):
		return Refused
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled):
		return Killed
	}
	return Failed
}

// longestFailure bounds the words of a failure, in bytes.
const longestFailure = 1000

// failure is an error in one line.
func failure(err error) string {
	if err == nil {
		return ""
	}
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	return strings.ToValidUTF8(text[:min(len(text), longestFailure)], "")
}

// begin notes that a run is under way, unless it is a trial. That it cannot be noted stops no run.
func (s *syncing) begin() {
	s.remember(RunRecord{Outcome: Running})
}

// end notes what became of the run.
func (s *syncing) end(ctx context.Context, err error) {
	s.remember(RunRecord{
		Ended: s.cfg.Dir.Now().UTC(), Outcome: OutcomeOf(ctx, s.report, err), Failure: failure(err),
		Report: s.report.memorable(),
	})
}

func (s *syncing) remember(record RunRecord) {
	if s.cfg.DryRun {
		return
	}
	record.ID, record.Started = s.run.ID(), s.run.Started()
	record.Source, record.Folder = s.report.Source, s.run.Name()
	text, err := json.MarshalIndent(record, "", "  ")
	if err == nil {
		err = s.run.Record(append(text, '\n'))
	}
	if err != nil {
		s.cfg.Logger.Warn("the run is not remembered", slog.Any("cause", err))
	}
}

// memorable leaves out the codes of issues, which the snapshot has, where the quarantine lies, and what
// lines that no measure uses call themselves, which may be anything.
func (r Report) memorable() Report {
	r.Quarantine = ""
	r.Skipped = slices.DeleteFunc(slices.Clone(r.Skipped), func(s Skipped) bool { return s.ofLines })
	issues := r.Issues
	r.Issues = make([]IssueReport, 0, len(issues))
	for _, i := range issues {
		details := i.Details
		i.Details = nil
		for _, d := range details {
			d.System, d.Code = "", ""
			same := func(o IssueDetail) bool { return o.Type == d.Type && o.Element == d.Element }
			if at := slices.IndexFunc(i.Details, same); at >= 0 {
				i.Details[at].Count += d.Count
				continue
			}
			i.Details = append(i.Details, d)
		}
		r.Issues = append(r.Issues, i)
	}
	return r
}

// Runs returns the newest runs of a data directory, newest first; limit 0 means all that are
// remembered. A run that ended without a word is told as killed.
func Runs(dir *facts.Dir, limit int) ([]RunRecord, error) {
	records, err := dir.Records(limit)
	if err != nil {
		return nil, err
	}
	runs := make([]RunRecord, 0, len(records))
	for _, record := range records {
		run, err := readRun(record)
		if err != nil {
			return nil, err
		}
		if run.Outcome == Running {
			if run, err = settleRun(dir, run); errors.Is(err, fs.ErrNotExist) {
				continue // Forgotten since it was listed.
			}
			if err != nil {
				return nil, err
			}
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// settleRun looks whether a run that has not ended goes on.
func settleRun(dir *facts.Dir, run RunRecord) (RunRecord, error) {
	gone, last, err := dir.Abandoned(run.ID)
	if err != nil {
		return run, err
	}
	if run, err = readRun(last); err == nil && gone && run.Outcome == Running {
		run.Outcome = Killed
	}
	return run, err
}

func readRun(record facts.Record) (run RunRecord, err error) {
	if err := json.Unmarshal(record.Data, &run); err != nil {
		return run, fmt.Errorf("read the record of run %s: %w", record.ID, err)
	}
	run.ID = record.ID
	return run, nil
}
