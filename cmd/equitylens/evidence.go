package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/improvement/evidence"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/decisions"
)

// evidenceFlags are those of `evidence`.
type evidenceFlags struct{ period, out, audience, language string }

func (p *program) evidenceCommand() *cobra.Command {
	var flags evidenceFlags
	c := &cobra.Command{
		Use:   "evidence --period P",
		Short: "Make the evidence pack of a period, for whoever accredits",
		Long: `Make the evidence pack of a period: one folder with a page to read and print, the stratified table
as CSV and XLSX, the same as a FHIR Bundle, and a README with the digest of each file.

The page holds what programmes ask for and where it stands, the largest gaps, the written plan of the
readiness assessment, the actions and what the figures did afterwards, what reviews of harm events came
to, how complete the data are, the table itself, and where all of it comes from.

For --audience public small numbers are hidden by the rules of the release, which is made then if it was
not before, and nothing that anybody typed is in the pack. What is partial is named in the pack, and the
command ends with exit code 3.`,
		Example: `  equitylens evidence --period 2025
  equitylens evidence --period 2025 --audience public --lang es --out evidencias-2025`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.evidence(c.Context(), flags) },
	}
	c.Flags().StringVar(&flags.period, "period", "",
		"`PERIOD` such as 2025, 2025-Q1, 2025-03 or 2025-01-01/2025-06-30")
	c.Flags().StringVar(&flags.out, "out", "", "`DIR` to make (default: evidence-PERIOD-AUDIENCE here)")
	c.Flags().StringVar(&flags.audience, "audience", string(release.Internal), "internal or public")
	c.Flags().StringVar(&flags.language, "lang", "en", "`LANGUAGE` of the page: en or es")
	_ = c.MarkFlagRequired("period")
	p.dataFlag(c)
	return c
}

// wordsOf are the words of a language that is named by its tag.
func wordsOf(name string, cfg *config.Config) (*words.Words, error) {
	location, err := cfg.Location()
	if err != nil {
		return nil, err
	}
	var known []string
	for _, tag := range words.Languages() {
		if tag.String() == name {
			return words.New(tag, location)
		}
		known = append(known, tag.String())
	}
	return nil, exitError{fmt.Errorf("--lang %q is none of %s", name, strings.Join(known, ", ")), exitUsage}
}

func (p *program) evidence(ctx context.Context, flags evidenceFlags) (err error) {
	period, err := measure.ParsePeriod(flags.period)
	if err != nil {
		return exitError{err, exitUsage}
	}
	audience := release.Audience(flags.audience)
	if audience != release.Internal && audience != release.Public {
		return exitError{fmt.Errorf("--audience %q is none of internal, public", flags.audience), exitUsage}
	}
	cfg, err := p.config()
	if err != nil {
		return err
	}
	say, err := wordsOf(flags.language, &cfg)
	if err != nil {
		return err
	}
	engine, err := p.engine(ctx, &cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Snapshot().Close()) }()
	store, err := p.decisions(ctx, &cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	sources, err := p.evidenceSources(&cfg, engine, store)
	if err != nil {
		return err
	}
	material, err := evidence.Gather(ctx, sources, period, audience)
	if errors.Is(err, release.ErrNotPublic) {
		return exitError{err, exitUsage}
	}
	if err != nil {
		return err
	}
	p.note("write")
	pack, err := evidence.Make(material, evidence.Options{
		Words: say, Organization: cfg.Server.Organization, Software: p.version,
	})
	if err != nil {
		return err
	}
	folder := flags.out
	if folder == "" {
		folder = "evidence-" + strings.ReplaceAll(flags.period, "/", "_") + "-" + flags.audience
	}
	if err := pack.Write(filepath.Clean(folder)); err != nil {
		if errors.Is(err, evidence.ErrThere) {
			return exitError{fmt.Errorf("%w; name another folder with --out", err), exitUsage}
		}
		return err
	}
	p.print("%s holds %d files; begin with %s\n", folder, len(pack.Files), evidence.PageFile)
	return partialEvidence(material)
}

// partialEvidence says which measures rest on partial data, as an error with an exit code of its own.
func partialEvidence(m evidence.Material) error {
	missing := incompleteOf(m.Results)
	if len(missing) == 0 {
		return nil
	}
	return exitError{fmt.Errorf("the pack rests on partial data, and says so: %s",
		strings.Join(sortedKeys(missing), ", ")), exitPartial}
}

// evidenceSources are where a pack comes from: the live snapshot, the releases and the store of decisions.
func (p *program) evidenceSources(
	cfg *config.Config, engine *measure.Engine, store decisions.Store,
) (evidence.Sources, error) {
	desk, err := p.desk(cfg)
	if err != nil {
		return evidence.Sources{}, err
	}
	assessments, err := readiness.New(readiness.Config{Records: store, Now: p.now})
	if err != nil {
		return evidence.Sources{}, err
	}
	snapshot := engine.Snapshot()
	reviews, err := review.New(reviewConfig(cfg, review.Config{
		Records: store, Now: p.now, Hold: func(use func(review.Events) error) error { return use(snapshot) },
	}))
	if err != nil {
		return evidence.Sources{}, err
	}
	return evidence.Sources{
		Engine: engine, Desk: desk, Info: snapshot.Info, Quality: snapshot.Quality, Assessments: assessments,
		Actions: p.actionRegister(store, engine.Definitions()), Reviews: reviews, Now: p.now,
		Progress: func(step string) { p.note("%s", step) },
	}, nil
}
