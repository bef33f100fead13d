package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/fhir/bulk"
	"github.com/equitylens/equitylens/fhir/client"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/measure"
)

// syncFlags are those of one sync.
type syncFlags struct {
	from, source string
	strict       bool
	dryRun       bool
	allowShrink  bool
	full         bool
	// reviews makes the live snapshot again without asking an EHR.
	reviews bool
}

func (p *program) syncCommand() *cobra.Command {
	var flags syncFlags
	c := &cobra.Command{
		Use:   "sync [--from DIR | --source NAME | --reviews]",
		Short: "Load a new snapshot from an EHR, or from a folder of NDJSON files",
		Long: `Load a new snapshot and make it the live one.

With --from, the folder is taken for everything there is of the resource types in it: *.ndjson and
*.ndjson.gz of any number a type, or *.json with single resources and Bundles. With --source, a source
of the configuration is asked for what changed. With neither, every source of the configuration, and
the events that import-events brought in.

Each sync lays what reviews have come to over the events. --reviews does nothing else: no EHR is asked,
and the live snapshot is made again with the answers, and the events that were brought in, of now.

Lines that are refused are kept in the quarantine beside the snapshot. Nothing that fails touches what
is being served. Exit status: 0 done, 1 not done, 3 loaded in part, which did not go live.`,
		Example: `  equitylens sync --from /srv/export
  equitylens sync --source ehr --json
  equitylens sync --reviews`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.sync(c.Context(), flags) },
	}
	c.Flags().StringVar(&flags.from, "from", "", "folder `DIR` with the files of an export")
	c.Flags().StringVar(&flags.source, "source", "", "`NAME` of a source of the configuration")
	c.Flags().BoolVar(&flags.strict, "strict", false, "refuse every line that breaks a rule of FHIR R4")
	c.Flags().BoolVar(&flags.dryRun, "dry-run", false, "do everything but publish")
	c.Flags().BoolVar(&flags.allowShrink, "allow-shrink", false, "publish although a resource type lost more than sync.max_shrink")
	c.Flags().BoolVar(&flags.full, "full", false, "ask a server for everything, not for what changed")
	c.Flags().BoolVar(&flags.reviews, "reviews", false, "take over the answers of reviews, and ask no EHR")
	c.MarkFlagsMutuallyExclusive("from", "source", "reviews")
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) sync(ctx context.Context, flags syncFlags) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	sources, err := p.sources(ctx, &cfg, flags)
	if err != nil {
		return err
	}
	for _, source := range sources {
		report, err := p.syncOne(ctx, &cfg, source, flags, p.progress())
		if report.Types != nil {
			if printed := p.printReport(report); printed != nil {
				return printed
			}
		}
		if err := partly(report, err); err != nil {
			return err
		}
	}
	return nil
}

// partly gives a partial load the exit status and the advice of one.
func partly(report ingest.Report, err error) error {
	if errors.Is(err, ingest.ErrPartial) {
		hint := fmt.Errorf("%w; to serve it all the same: equitylens snapshot use %s", err, report.Snapshot)
		return exitError{hint, exitPartial}
	}
	return err
}

// sources are those that a sync is to be done from, with the incident systems of which events were brought
// in. They come last, when the patients are here.
func (p *program) sources(ctx context.Context, cfg *config.Config, flags syncFlags) ([]ingest.Source, error) {
	if flags.from != "" {
		return p.chosen(cfg, flags)
	}
	incidents, err := p.incidentSources(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if flags.reviews {
		if len(incidents) > 0 {
			return incidents, nil // Each of these syncs takes over the answers as well.
		}
		dir, err := p.dir(cfg)
		return []ingest.Source{ingest.Refresh{Dir: dir}}, err
	}
	for _, source := range incidents {
		if flags.source == source.Name() {
			return []ingest.Source{source}, nil
		}
	}
	if flags.source == "" && len(cfg.Sources) == 0 && len(incidents) > 0 {
		return incidents, nil
	}
	chosen, err := p.chosen(cfg, flags)
	if err != nil || flags.source != "" {
		return chosen, err
	}
	return append(chosen, incidents...), nil
}

// chosen are the sources of the configuration, or the folder, that a sync is to be done from.
func (p *program) chosen(cfg *config.Config, flags syncFlags) ([]ingest.Source, error) {
	if flags.from != "" {
		return []ingest.Source{ingest.Folder{Path: flags.from}}, nil
	}
	var sources []ingest.Source
	for i := range cfg.Sources {
		if flags.source != "" && cfg.Sources[i].Name != flags.source {
			continue
		}
		source, err := p.source(cfg, &cfg.Sources[i], flags.full)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", cfg.Sources[i].Name, err)
		}
		sources = append(sources, source)
	}
	if len(sources) > 0 {
		return sources, nil
	}
	if flags.source != "" {
		return nil, fmt.Errorf("the configuration has no source %q", flags.source)
	}
	return nil, errors.New("nothing to sync from: give --from DIR, or sources in the configuration")
}

// source builds a source of the configuration.
func (p *program) source(cfg *config.Config, s *config.Source, full bool) (ingest.Source, error) {
	if s.Folder != "" {
		return ingest.Folder{Path: s.Folder, ID: s.Name}, nil
	}
	ways := s.Types
	if len(ways) == 0 {
		ways = ingest.AllAuto()
	}
	settings := client.Config{
		BaseURL: s.BaseURL, TokenURL: s.TokenURL, ClientID: s.ClientID, Scopes: s.Scopes,
		TrustedOrigins: s.TrustedOrigins, AllowLoopback: s.Loopback, AllowPrivateNetworks: s.PrivateNetworks,
		UserAgent: "equitylens/" + p.version, Now: p.now, Logger: p.logger(cfg),
	}
	if s.ClientID != "" {
		set, err := p.openKeySet(cfg, "client")
		if err != nil {
			return nil, err
		}
		algorithm := jose.SignatureAlgorithm(s.Algorithm)
		if algorithm == "" {
			algorithm = jose.RS384
		}
		if settings.Key, err = set.Signing(algorithm); err != nil {
			return nil, err
		}
	}
	if len(settings.Scopes) == 0 {
		for name := range ways {
			settings.Scopes = append(settings.Scopes, "system/"+name+".rs")
		}
	}
	var err error
	if settings.RootCAs, err = certificates(s.CAFile); err != nil {
		return nil, err
	}
	ehr, err := client.New(settings)
	if err != nil {
		return nil, err
	}
	return ingest.Server{
		ID: s.Name, Client: ehr, Types: ways, Full: full, Overlap: cfg.Sync.Overlap.Duration,
		PageSize: s.PageSize, Logger: p.logger(cfg),
		Request: bulk.Request{
			Level: bulk.Level(s.Level), GroupID: s.Group, Post: s.KickOff == "post",
			RepeatTypes: s.RepeatTypes, Lenient: s.Lenient,
		},
	}, nil
}

// syncOne syncs one source by the configuration.
func (p *program) syncOne(
	ctx context.Context, cfg *config.Config, source ingest.Source, flags syncFlags,
	progress func(ingest.Progress),
) (ingest.Report, error) {
	dir, err := p.dir(cfg)
	if err != nil {
		return ingest.Report{}, err
	}
	m, err := mapper(cfg)
	if err != nil {
		return ingest.Report{}, err
	}
	list, err := definitions(cfg)
	if err != nil {
		return ingest.Report{}, err
	}
	settings := ingest.Config{
		Dir: dir, Mapper: m, Results: measure.Precomputation{Definitions: list}, Strict: flags.strict || cfg.Sync.Strict, DryRun: flags.dryRun,
		MaxShrink: cfg.Sync.MaxShrink, MaxRefused: cfg.Sync.MaxRefused, Software: p.version,
		Timezone: cfg.Timezone, Answers: p.answers(cfg), Progress: progress, Logger: p.logger(cfg),
	}
	if flags.allowShrink {
		settings.MaxShrink = 1
	}
	report, err := ingest.Sync(ctx, settings, source)
	return report, explainSync(err)
}

// printReport prints what a sync did.
func (p *program) printReport(r ingest.Report) error {
	if p.json {
		encoder := json.NewEncoder(p.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(r)
	}
	rows := [][]string{}
	for _, name := range sortedKeys(r.Types) {
		t := r.Types[name]
		rows = append(rows, []string{name, fmt.Sprint(t.Read), fmt.Sprint(t.Stored), fmt.Sprint(t.Refused), fmt.Sprint(t.Deleted)})
	}
	if err := table(p.out, []string{"TYPE", "READ", "STORED", "REFUSED", "DELETED"}, rows); err != nil {
		return err
	}
	for _, missing := range r.Incomplete {
		p.print("incomplete: %s\n", missing)
	}
	for _, x := range r.Refusals {
		p.print("refused: %d %s lines, %s\n", x.Count, x.Type, x.Reason)
	}
	if r.Quarantine != "" {
		p.print("refused lines are kept in %s\n", r.Quarantine)
	}
	for _, s := range r.Skipped {
		p.print("skipped: %s, %s\n", s.Name, s.Reason)
	}
	p.print("orphans %d, undated %d, events without an encounter %d, merged patients %d\n", r.Orphans, r.Undated, r.Unlinked, r.Merged)
	for _, i := range r.Issues {
		p.print("issue: %d × %s (%s)\n", i.Count, i.Kind, describe(i))
	}
	for _, id := range r.Uncounted {
		p.print("measure %s does not run on these data; equitylens check says why\n", id)
	}
	switch {
	case r.DryRun:
		p.print("dry run: nothing was published\n")
	case r.Snapshot != "":
		p.print("snapshot %s, data as of %s\n", r.Snapshot, r.DataAsOf.Format("2006-01-02 15:04 MST"))
	}
	return nil
}

// describe names where the issues of a kind stood most often.
func describe(i ingest.IssueReport) string {
	const shown = 3
	text := ""
	for n, d := range i.Details {
		if n == shown {
			return text + fmt.Sprintf(", and %d more", len(i.Details)-shown)
		}
		if n > 0 {
			text += ", "
		}
		text += d.Element
		if d.Code != "" {
			text += " " + d.Code
		}
	}
	return text
}
