package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/internal/imports"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report"
)

// importFlags say what the reports leave out.
type importFlags struct {
	scoring     string
	improvement string
	unit        string
	dryRun      bool
}

func (p *program) importCommand() *cobra.Command {
	var flags importFlags
	c := &cobra.Command{
		Use:   "import-reports FILE...",
		Short: "Take in what another engine computed, to stratify it",
		Long: `Take in individual MeasureReports that another engine computed (a vendor, a CQL engine): a Bundle, NDJSON,
or a single report a file; - is standard input. Who is in which population is theirs; the groups are
ours, from the snapshot. The measure is then evaluated, compared and shown like our own, for the period
of its reports.

Either all of a file is taken or nothing: every fault is listed with its line or entry. Reports of a
measure and period replace what was imported of them before. The files that are kept name patients and
are readable by their owner alone.`,
		Example: `  equitylens import-reports cms122-2025.ndjson
  equitylens import-reports --scoring proportion --improvement decrease bundle.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.importReports(c.Context(), args, flags) },
	}
	c.Flags().StringVar(&flags.scoring, "scoring", "",
		"`SCORING` of reports that name none: proportion, ratio, continuous-variable or cohort")
	c.Flags().StringVar(&flags.improvement, "improvement", "",
		"`DIRECTION` of reports that name none: increase, decrease or context")
	c.Flags().StringVar(&flags.unit, "unit", "", "what was counted: patient, encounter or event (default: what the reports say)")
	c.Flags().BoolVar(&flags.dryRun, "dry-run", false, "read and check, and keep nothing")
	p.dataFlag(c)
	return c
}

func (p *program) importReports(_ context.Context, files []string, flags importFlags) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	dir, err := p.dir(&cfg)
	if err != nil {
		return err
	}
	var all []measure.Import
	for _, path := range files {
		read, err := p.readReports(path, flags)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, read...)
	}
	if len(all) == 0 {
		return errors.New("the files hold no individual MeasureReport")
	}
	if !flags.dryRun {
		if err := imports.Save(dir, all); err != nil {
			return err
		}
	}
	p.print("%s\n", imports.Summary(all))
	if flags.dryRun {
		p.print("nothing was kept (--dry-run)\n")
	}
	return nil
}

// readReports reads one file.
func (p *program) readReports(path string, flags importFlags) (all []measure.Import, err error) {
	in := p.in
	if path != "-" {
		file, err := os.Open(path) // #nosec G304 -- the operator names the file
		if err != nil {
			return nil, fmt.Errorf("open reports: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		in = io.Reader(file)
	}
	return report.Read(in, report.ReadConfig{
		Scoring: measure.Scoring(flags.scoring), Improvement: measure.Improvement(flags.improvement),
		Unit: measure.Unit(flags.unit),
	})
}
