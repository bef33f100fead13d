package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

// Config is how a sync is done. Dir and Mapper are required.
type Config struct {
	Dir    *facts.Dir
	Mapper *mapping.Mapper
	// Strict holds every line against the full R4 rules and refuses what breaks one.
	Strict bool
	// DryRun does everything but publish.
	DryRun bool
	// MaxShrink is the largest share by which a resource type may shrink; 1 allows all.
	MaxShrink float64
	// MaxRefused is the largest share of lines that may be refused, beyond the first hundred.
	MaxRefused float64
	// Workers decode and map; zero means one a processor, and at least two.
	Workers int
	// LineCap is the longest line that is read; zero means fhir.DefaultLineCap.
	LineCap int
	// Software and Timezone are noted in the snapshot.
	Software string
	Timezone string
	// Results counts the measures before the snapshot is published. Nil stores none.
	Results Results
	// Answers gives what reviews of events have come to; a run takes them over whole, and one that cannot
	// have them publishes nothing. Nil keeps those of the live snapshot.
	Answers func(ctx context.Context) ([]facts.Answer, error)
	// Progress hears how far the run is. It may be called from several goroutines. Nil is fine.
	Progress func(Progress)
	// Logger hears of what was odd and survived. Nil means silence.
	Logger *slog.Logger
}

// Results counts measures on what a run has merged. failed names those that cannot be counted, which
// does not stop the run; any other fault does.
type Results interface {
	Results(ctx context.Context, merged *facts.Snapshot) (results []facts.Result, failed []string, err error)
}

var (
	// ErrPartial: something is missing, so the snapshot did not become the live one.
	ErrPartial = errors.New("the load is partial; the live snapshot stays")
	// ErrRefused: more lines were refused than is allowed.
	ErrRefused = errors.New("too many lines were refused; nothing was published")
	// ErrEmpty: the source gave no resource of a type that is used.
	ErrEmpty = errors.New("the source holds no Patient, Encounter or AdverseEvent; nothing was published")
)

// Sync brings the data directory up to date with a source. The report is filled as far as the run
// came, also if the error is ErrPartial or ErrRefused.
func Sync(ctx context.Context, cfg Config, source Source) (Report, error) {
	cfg.fill()
	run, err := cfg.Dir.Begin(source.Name())
	if err != nil {
		return Report{}, err
	}
	s := &syncing{
		cfg: &cfg, run: run, verdict: verdict{folder: run.Folder()},
		report: Report{Source: source.Name(), DryRun: cfg.DryRun},
	}
	s.begin()
	err = s.do(ctx, source)
	s.end(ctx, err)
	return s.report, errors.Join(err, run.Close())
}

func (c *Config) fill() {
	if c.Workers == 0 {
		c.Workers = max(2, runtime.GOMAXPROCS(0))
	}
	if c.LineCap == 0 {
		c.LineCap = fhir.DefaultLineCap
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

type syncing struct {
	cfg     *Config
	run     *facts.Run
	verdict verdict
	report  Report
}

func (s *syncing) do(ctx context.Context, source Source) error {
	loaded, err := s.run.Loads(ctx)
	if err != nil {
		return err
	}
	if err := s.clear(ctx, source, loaded); err != nil {
		return err
	}
	s.cfg.Progress(Progress{Phase: "fetch", Step: Asking, Note: "asking " + source.Name()})
	delivery, err := source.Fetch(ctx, s.run.Folder(), loaded, s.cfg.Progress)
	if err != nil {
		return fmt.Errorf("fetch from %s: %w", source.Name(), err)
	}
	s.report.Skipped = delivery.Skipped
	counted, err := s.load(ctx, delivery.Files)
	if err != nil {
		return err
	}
	loads := s.account(delivery, counted)
	s.describe(counted)
	err = s.refusals(counted)
	if err == nil && len(loads) == 0 && !delivery.Kept {
		err = ErrEmpty
	}
	if err != nil {
		return errors.Join(err, s.verdict.final(""))
	}
	if err := s.answers(ctx); err != nil {
		return err
	}
	return s.settle(ctx, loads, counted, &delivery)
}

// answers takes over what reviews have come to.
func (s *syncing) answers(ctx context.Context) error {
	if s.cfg.Answers == nil {
		return nil
	}
	answers, err := s.cfg.Answers(ctx)
	if err != nil {
		return fmt.Errorf("ask for the answers of reviews: %w", err)
	}
	return s.run.SetAnswers(ctx, answers)
}

func (s *syncing) load(ctx context.Context, files []File) (*tally, error) {
	if err := s.run.Stage(ctx); err != nil {
		return nil, err
	}
	quarantine, err := newQuarantine(s.run.Folder())
	if err != nil {
		return nil, err
	}
	l := &loader{cfg: s.cfg, run: s.run, quarantine: quarantine}
	counted, err := l.load(ctx, files)
	return counted, errors.Join(err, quarantine.close())
}

// account settles how far each type was loaded: by what the source said, and by what was counted.
func (s *syncing) account(delivery Delivery, counted *tally) []facts.Load {
	loads := delivery.Loads
	for _, name := range facts.Types() {
		i := slices.IndexFunc(loads, func(l facts.Load) bool { return l.Type == name })
		if i < 0 && counted.read[name] > 0 {
			// A type that was not announced, such as that of an unnamed file of a folder.
			loads = append(loads, facts.Load{Source: s.report.Source, Type: name, Complete: true, Full: true})
		}
	}
	for i := range loads {
		read, refused := counted.read[loads[i].Type], counted.refused[loads[i].Type]
		loads[i].Read, loads[i].Refused = read, refused
		if read > 0 && read == refused {
			// Nothing of it could be read, which must not look as if there were none.
			loads[i].Complete, loads[i].Reason = false, "every line was refused"
		}
	}
	for i, file := range delivery.Files {
		if file.Expected == nil || *file.Expected == counted.lines[i] || file.Deleted {
			continue
		}
		for k := range loads {
			if loads[k].Type == file.Type || file.Type == "" {
				loads[k].Complete = false
				loads[k].Reason = fmt.Sprintf("%s holds %d lines where the source announced %d",
					file.Label, counted.lines[i], *file.Expected)
			}
		}
	}
	return loads
}

// describe fills the report with what was counted.
func (s *syncing) describe(counted *tally) {
	s.report.Types = map[string]TypeReport{}
	for name, n := range counted.read {
		s.report.Types[name] = TypeReport{Read: n, Refused: counted.refused[name]}
	}
	for name, n := range counted.other {
		s.report.Skipped = append(s.report.Skipped, Skipped{
			Name: name, Reason: fmt.Sprintf("%d resources of a type that no measure uses", n), ofLines: true,
		})
	}
	slices.SortFunc(s.report.Skipped, func(a, b Skipped) int { return cmp.Compare(a.Name, b.Name) })
	for r, n := range counted.reasons {
		s.report.Refusals = append(s.report.Refusals, RefusalReport{r.resourceType, r.reason, n})
	}
	slices.SortFunc(s.report.Refusals, func(a, b RefusalReport) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Type, b.Type))
	})
	s.report.Issues = issueReports(counted.issues)
	s.report.Validated = counted.validated
}

// alwaysAllowed is how many lines may be refused whatever the size of the export.
const alwaysAllowed = 100

func (s *syncing) refusals(counted *tally) error {
	var read, refused int64
	for name, n := range counted.read {
		read += n
		refused += counted.refused[name]
	}
	if refused > 0 {
		s.report.Quarantine = s.run.Folder() + "/" + quarantineFile
	}
	if float64(refused) > max(alwaysAllowed, s.cfg.MaxRefused*float64(read)) {
		return fmt.Errorf("%w: %d of %d", ErrRefused, refused, read)
	}
	return nil
}

// settle merges and publishes.
func (s *syncing) settle(
	ctx context.Context, loads []facts.Load, counted *tally, delivery *Delivery,
) error {
	maxShrink := s.cfg.MaxShrink
	if delivery.Certain {
		maxShrink = 1
	}
	s.cfg.Progress(Progress{Phase: "merge", Note: "settling versions and linking events"})
	merged, err := s.run.Merge(ctx, facts.Merge{
		Loads: loads, MaxShrink: maxShrink,
		Software: s.cfg.Software, Timezone: s.cfg.Timezone, Sites: counted.sites,
	})
	var shrunk *facts.ShrunkError
	if errors.As(err, &shrunk) {
		return errors.Join(err, s.verdict.final(""))
	}
	if err != nil {
		return err
	}
	s.report.Complete = true
	for _, l := range merged.Loads {
		s.report.Types[l.Type] = TypeReport{Read: l.Read, Stored: l.Stored, Refused: l.Refused, Deleted: l.Deleted}
		if !l.Complete {
			s.report.Complete = false
			s.report.Incomplete = append(s.report.Incomplete, l.Type+": "+l.Reason)
		}
	}
	s.report.Orphans, s.report.Undated, s.report.Unlinked = merged.Orphans, merged.Undated, merged.Unlinked
	s.report.Merged, s.report.DataAsOf, s.report.Digest = merged.Merges, merged.DataAsOf, merged.Digest
	s.report.Unchanged = merged.Unchanged
	if s.cfg.DryRun {
		return s.verdict.final("")
	}
	if err := s.results(ctx); err != nil {
		return err
	}
	s.cfg.Progress(Progress{Phase: "publish"})
	if err := s.verdict.publishing(merged.Snapshot, delivery.Unfinished); err != nil {
		return err
	}
	id, err := s.run.Publish(ctx, s.report.Complete, quarantineFile, placesFile)
	if err != nil {
		return err
	}
	s.report.Snapshot = id
	if s.report.Quarantine != "" {
		s.report.Quarantine = s.cfg.Dir.Kept(id, quarantineFile)
	}
	if !s.report.Complete {
		return ErrPartial
	}
	return s.run.Discard()
}

// results stores the figures of the measures. Why a measure failed is not repeated, because the cause
// may quote a value of somebody; to evaluate it gives the same cause to whoever asks.
func (s *syncing) results(ctx context.Context) error {
	if s.cfg.Results == nil {
		return nil
	}
	s.cfg.Progress(Progress{Phase: "measure", Note: "counting every measure by every dimension"})
	merged, err := s.run.Merged(ctx)
	if err != nil {
		return err
	}
	results, failed, err := s.cfg.Results.Results(ctx, merged)
	if err != nil {
		return err
	}
	s.report.Uncounted = failed
	for _, id := range failed {
		s.cfg.Logger.Warn("a measure cannot be counted; check its expressions", slog.String("measure", id))
	}
	return s.run.SaveResults(ctx, results)
}
