package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/store/facts"
)

// demoFlags are those of the demonstration.
type demoFlags struct {
	once     bool
	patients int
	seed     uint64
	listen   string
	// improves is the day from which on interpreters are documented for more people; empty is never.
	improves string
}

const (
	demoName   = "demo"
	demoClient = "equitylens-demo"
	demoYear   = "2025"
	// demoTokenLife is longer than that of a real token, so that the curl can be read before it is typed.
	demoTokenLife = time.Hour
	demoGapsShown = 12
	// demoImproved is the share of visits of those people with an interpreter after the action.
	demoImproved = 0.66
)

func (p *program) demoCommand() *cobra.Command {
	var flags demoFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "Pull a made-up population from a fake EHR and show its equity gaps",
		Long: `Start a fake EHR on this machine, sync from it as from a hospital (SMART Backend Services, Bulk Data
export, paged search), publish a snapshot, evaluate every measure, print the largest gaps, and serve the
API. The population is made up from a seed; the inequities planted in it have known sizes, which are
printed beside what was measured. Nothing leaves this machine.`,
		Example: `  equitylens demo
  equitylens demo --improves 2025-01-01
  equitylens demo --once --json --patients 2000 --seed 7`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.demo(c.Context(), flags) },
	}
	c.Flags().BoolVar(&flags.once, "once", false, "end after the figures instead of serving")
	c.Flags().IntVar(&flags.patients, "patients", 4000, "`NUMBER` of people")
	c.Flags().Uint64Var(&flags.seed, "seed", 1, "`SEED` of the population")
	c.Flags().StringVar(&flags.listen, "listen", "127.0.0.1:8080", "`ADDRESS` for the API; port 0 takes a free one")
	c.Flags().StringVar(&flags.improves, "improves", "",
		"`DAY` from which interpreters are documented for more of those whose language is none of the\n"+
			"larger ones, and of an action that should do so: see on its page whether it helped")
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

// demoDocument is what `demo --once --json` prints.
type demoDocument struct {
	Sync    ingest.Report `json:"sync"`
	Gaps    []gap.Gap     `json:"gaps"`
	Planted []planted     `json:"planted"`
}

// planted is one inequity that the generator put there, and what was measured of it: the difference
// between the scores of the group and of its reference.
type planted struct {
	Measure       string   `json:"measure"`
	Rate          string   `json:"rate"`
	Dimension     string   `json:"dimension"`
	Group         string   `json:"group"`
	Code          string   `json:"code"`
	Reference     string   `json:"reference"`
	ReferenceCode string   `json:"reference_code"`
	Expected      float64  `json:"expected"`
	Measured      *float64 `json:"measured"`
}

func (p *program) demo(ctx context.Context, flags demoFlags) (err error) {
	if flags.patients < 1 {
		return exitError{fmt.Errorf("--patients %d is not a number of people", flags.patients), exitUsage}
	}
	started := p.now()
	cfg := config.Default()
	p.override(&cfg)
	cfg.Log = config.Log{Level: "warn", Format: "text"}
	cfg.Reviews.TwoPerson, cfg.Reviews.Since = config.SevereTwoPerson, demoYear+"-01-01"
	made := population.Config{Patients: flags.patients, Seed: flags.seed}
	if flags.improves != "" {
		day, err := time.Parse(time.DateOnly, flags.improves)
		if err != nil {
			return exitError{fmt.Errorf("--improves %q is no day such as 2025-01-01", flags.improves), exitUsage}
		}
		made.Improves = population.Improvement{From: day, Share: demoImproved}
	}
	people := population.New(made)
	ward, err := p.demoWard(ctx, &cfg, people, flags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ward.close()) }()
	if err := demoSource(&cfg, ward.base); err != nil {
		return err
	}
	report, err := p.demoSync(ctx, &cfg)
	if err != nil {
		return err
	}
	results, err := p.demoEvaluate(ctx, &cfg)
	if err != nil {
		return err
	}
	found, err := gap.Of(results, gap.Options{})
	if err != nil {
		return err
	}
	out := demoDocument{Sync: report, Gaps: found, Planted: comparePlanted(people, results)}
	if p.json {
		err = document(p.out, out)
	} else {
		err = p.printDemo(out, p.now().Sub(started))
	}
	if err == nil && flags.improves != "" {
		err = p.demoImprove(ctx, &cfg, flags.improves)
	}
	if err != nil || flags.once {
		return err
	}
	return p.demoServe(ctx, &cfg, ward)
}

// demoImprove writes down the action of the demonstration, unless it is there from an earlier one.
func (p *program) demoImprove(ctx context.Context, cfg *config.Config, day string) (err error) {
	store, err := p.decisions(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	engine, err := p.engine(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Snapshot().Close()) }()
	all, err := p.actionRegister(store, engine.Definitions()).List(ctx, action.Filter{})
	if err != nil || len(all) > 0 {
		return err
	}
	return p.demoAct(ctx, store, engine, day)
}

// demoSync pulls everything from the fake EHR, as a nightly run does.
func (p *program) demoSync(ctx context.Context, cfg *config.Config) (ingest.Report, error) {
	sources, err := p.chosen(cfg, syncFlags{full: true})
	if err != nil {
		return ingest.Report{}, err
	}
	return p.syncOne(ctx, cfg, sources[0], syncFlags{}, p.progress())
}

// demoSource configures the fake EHR as a source, with the ConceptMap of its own codes, so that the
// serving program can sync again.
func demoSource(cfg *config.Config, base string) error {
	text, err := population.ConceptMap()
	if err != nil {
		return err
	}
	path, err := ensureFolder(filepath.Join(cfg.Data, "concept-maps", "demo.json"))
	if err != nil {
		return err
	}
	const ownerOnly = 0o600
	if err := os.WriteFile(path, text, ownerOnly); err != nil {
		return fmt.Errorf("write the ConceptMap of the demonstration: %w", err)
	}
	cfg.ConceptMaps = filepath.Dir(path)
	cfg.Sync.MaxShrink = 1
	cfg.Sources = []config.Source{{
		Name: demoName, BaseURL: base, ClientID: demoClient, Loopback: true,
		Scopes: []string{"system/Patient.rs", "system/Encounter.rs", "system/AdverseEvent.rs"},
	}}
	return nil
}

// refuseForeign keeps made-up people out of a directory that holds real ones.
func (p *program) refuseForeign(ctx context.Context, cfg *config.Config) error {
	dir, err := p.dir(cfg)
	if err != nil {
		return err
	}
	id, err := dir.Current()
	if errors.Is(err, facts.ErrNoSnapshot) {
		return nil
	}
	if err != nil {
		return err
	}
	snapshot, err := dir.Snapshot(ctx, id)
	if err != nil {
		return err
	}
	defer func() { _ = snapshot.Close() }()
	for _, load := range snapshot.Info.Loads {
		if load.Source != demoName {
			return fmt.Errorf("%s holds data of the source %q; give the demo a directory of its own with --data",
				cfg.Data, load.Source)
		}
	}
	return nil
}

func (p *program) demoEvaluate(ctx context.Context, cfg *config.Config) ([]measure.Result, error) {
	engine, err := p.engine(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer func() { _ = engine.Snapshot().Close() }()
	period, err := measure.ParsePeriod(demoYear)
	if err != nil {
		return nil, err
	}
	var results []measure.Result
	for _, d := range engine.Definitions() {
		result, err := engine.Evaluate(ctx, measure.Question{
			Measure: d.ID, Period: period, By: measure.Dimensions(),
		})
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

// comparePlanted finds each planted inequity among the results.
func comparePlanted(people *population.Population, results []measure.Result) []planted {
	period := results[0].Period
	var list []planted
	for _, want := range people.Planted(period.Start, period.End) {
		row := planted{
			Measure: want.Measure, Rate: want.Group, Dimension: want.Dimension, Group: want.Label, Code: want.Code,
			Reference: want.ReferenceLabel, ReferenceCode: want.Reference, Expected: want.Expected,
		}
		group, reference := score(results, want, want.Code), score(results, want, want.Reference)
		if group != nil && reference != nil {
			difference := *group - *reference
			row.Measured = &difference
		}
		list = append(list, row)
	}
	return list
}

func score(results []measure.Result, want population.Planted, code string) *float64 {
	for _, r := range results {
		for _, g := range r.Groups {
			if r.Measure != want.Measure || g.ID != want.Group {
				continue
			}
			for _, s := range g.Strata[want.Dimension] {
				if s.Code == code {
					return s.Score
				}
			}
		}
	}
	return nil
}

// printDemo prints the largest clear gap of every rate, and what was planted.
func (p *program) printDemo(out demoDocument, took time.Duration) error {
	p.print("\nSynced in %s: ", took.Round(100*time.Millisecond))
	for i, name := range sortedKeys(out.Sync.Types) {
		if i > 0 {
			p.print(", ")
		}
		p.print("%d %s", out.Sync.Types[name].Stored, name)
	}
	p.print("; data as of %s, snapshot %s\n\nThe largest gap of each measure in %s:\n\n",
		out.Sync.DataAsOf.Format("2006-01-02"), out.Sync.Snapshot, demoYear)
	var rows [][]string
	var sentences []string
	seen := map[string]bool{}
	for _, g := range out.Gaps {
		if seen[g.Measure+g.Rate] || !g.Clear || len(rows) == demoGapsShown {
			continue
		}
		seen[g.Measure+g.Rate] = true
		ratio := ""
		if g.Ratio != nil {
			ratio = fmt.Sprintf("%.2f", *g.Ratio)
		}
		rows = append(rows, []string{
			g.Measure, strings.ReplaceAll(g.Dimension, "_", " "), g.Group, g.Reference,
			fmt.Sprintf("%+.3f", g.Difference), ratio, fmt.Sprintf("%.0f", g.Affected),
			fmt.Sprintf("%.0f", g.AtLeast),
		})
		sentences = append(sentences, g.Sentence)
	}
	header := []string{"MEASURE", "BY", "GROUP", "REFERENCE", "DIFFERENCE", "RATIO", "AFFECTED", "AT LEAST"}
	if err := table(p.out, header, rows); err != nil {
		return err
	}
	p.print("\n")
	for _, s := range sentences {
		p.print("• %s\n", s)
	}
	p.print("\nThe inequities that were planted, and what was found of them:\n\n")
	rows = rows[:0]
	for _, x := range out.Planted {
		measured := "not found"
		if x.Measured != nil {
			measured = fmt.Sprintf("%+.4f", *x.Measured)
		}
		rows = append(rows, []string{x.Measure, x.Dimension, x.Group, x.Reference, fmt.Sprintf("%+.4f", x.Expected), measured})
	}
	return table(p.out, []string{"MEASURE", "BY", "GROUP", "REFERENCE", "PLANTED", "FOUND"}, rows)
}

func (p *program) note(format string, args ...any) {
	_, _ = fmt.Fprintf(p.err, format+"\n", args...)
}
