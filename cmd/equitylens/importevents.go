package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/incident"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// eventFlags are those of one import.
type eventFlags struct {
	source     string
	dryRun     bool
	acceptGood bool
	noSync     bool
}

func (p *program) importEventsCommand() *cobra.Command {
	var flags eventFlags
	c := &cobra.Command{
		Use:   "import-events FILE.csv",
		Short: "Bring in harm events that are kept outside the EHR, from a table",
		Long: `Bring in harm events that an incident system keeps outside the EHR, and sync them.

The file is CSV in UTF-8 with a header: comma, semicolon or tab. It names the columns id, patient (the
FHIR id of the Patient), date, and actuality or harm; besides encounter, detected, recorded, category,
severity, seriousness, outcome, detection, site and status. How a system of yours names them and its
words stands under incidents: in the configuration; docs/incidents.md has a worked example. Names, medical
record numbers and free text must not be in it.

An event is known by its id: to import a file twice changes nothing, and a row with the status withdrawn
takes its event out. Where a row is refused nothing is taken, unless --accept-good is given. Begin with
--dry-run, which explains every refused row and says what would become of the others.

Exit status: 0 done, 1 not done, 3 done without the rows that were refused, or loaded in part.`,
		Example: `  equitylens import-events reports.csv --dry-run
  equitylens import-events reports.csv --source rl --accept-good`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.importEvents(c.Context(), args[0], flags) },
	}
	c.Flags().StringVar(&flags.source, "source", "",
		"`NAME` of an incident system of the configuration (default: the only one)")
	c.Flags().BoolVar(&flags.dryRun, "dry-run", false, "say what would be done, and do nothing")
	c.Flags().BoolVar(&flags.acceptGood, "accept-good", false, "take the good rows where others are refused")
	c.Flags().BoolVar(&flags.noSync, "no-sync", false, "leave it to the next sync to make a snapshot with the events")
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

// imported is the JSON form of what import-events did.
type imported struct {
	incident.Plan
	DryRun bool `json:"dry_run"`
	// Sync is that of the events; absent where there was none.
	Sync *ingest.Report `json:"sync,omitempty"`
}

func (p *program) importEvents(ctx context.Context, file string, flags eventFlags) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	mapping, err := incidentMapping(cfg.Incidents, flags.source)
	if err != nil {
		return err
	}
	sheet, err := p.readEvents(&cfg, file, mapping)
	if err != nil {
		return err
	}
	plan, err := p.storeEvents(ctx, &cfg, sheet, flags)
	if err != nil && !errors.Is(err, incident.ErrRefused) {
		return err
	}
	out := imported{Plan: plan, DryRun: flags.dryRun}
	if err == nil && !flags.dryRun && !flags.noSync {
		out.Sync, err = p.syncEvents(ctx, &cfg, plan.Source)
	}
	if printed := p.printImport(out); printed != nil {
		return printed
	}
	if err == nil && plan.RefusedRows > 0 {
		err = exitError{fmt.Errorf("%d of %d rows were refused", plan.RefusedRows, plan.Rows), exitPartial}
	}
	return err
}

// incidentMapping finds how a table is read: by the name of its system, which need not be given where
// there is one.
func incidentMapping(known []incident.Mapping, name string) (incident.Mapping, error) {
	if name == "" && len(known) == 1 {
		return known[0], nil
	}
	names := make([]string, 0, len(known))
	for _, m := range known {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	plain := incident.Mapping{Name: incident.DefaultName}
	switch {
	case len(known) == 0 && (name == "" || name == plain.Name):
		return plain, nil
	case name == "":
		return plain, fmt.Errorf("the configuration has several incident systems: name one by --source, of %s",
			strings.Join(names, ", "))
	}
	return plain, fmt.Errorf("the configuration has no incident system %q under incidents", name)
}

// readEvents reads a table.
func (p *program) readEvents(cfg *config.Config, file string, m incident.Mapping) (sheet incident.Sheet, err error) {
	zone, err := cfg.Location()
	if err != nil {
		return sheet, err
	}
	in, err := os.Open(file) // #nosec G304 -- the operator names the file
	if err != nil {
		return sheet, fmt.Errorf("open the table: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	sheet, err = incident.Read(in, m, incident.World{Zone: zone, Now: p.now()})
	if err != nil {
		return sheet, fmt.Errorf("read %s: %w", filepath.Base(file), err)
	}
	return sheet, nil
}

// storeEvents plans an import and does it. The error is incident.ErrRefused where nothing is taken
// because of some rows; the plan says which.
func (p *program) storeEvents(
	ctx context.Context, cfg *config.Config, sheet incident.Sheet, flags eventFlags,
) (plan incident.Plan, err error) {
	intake := &incident.Intake{By: "import-events"}
	snapshot, err := p.liveSnapshot(ctx, cfg)
	if err != nil {
		return plan, err
	}
	if snapshot != nil {
		defer func() { err = errors.Join(err, snapshot.Close()) }()
		intake.Unknown = snapshot.Unknown
	}
	if flags.dryRun && !hasDecisions(cfg) {
		intake.Records = nothingDecided{}
	} else {
		store, err := p.decisions(ctx, cfg)
		if err != nil {
			return plan, err
		}
		defer func() { _ = store.Close() }()
		intake.Records = store
	}
	if plan, err = intake.Plan(ctx, sheet); err != nil {
		return plan, err
	}
	if flags.dryRun {
		if plan.RefusedRows > 0 && !flags.acceptGood {
			return plan, incident.ErrRefused
		}
		return plan, nil
	}
	return plan, intake.Apply(ctx, &plan, flags.acceptGood)
}

// liveSnapshot opens it, or returns nil where there is none.
func (p *program) liveSnapshot(ctx context.Context, cfg *config.Config) (*facts.Snapshot, error) {
	dir, err := p.dir(cfg)
	if err != nil {
		return nil, err
	}
	id, err := dir.Current()
	if errors.Is(err, facts.ErrNoSnapshot) {
		return nil, nil //nolint:nilnil // That there is none is no fault.
	}
	if err != nil {
		return nil, err
	}
	return dir.Snapshot(ctx, id)
}

// syncEvents makes a snapshot with the events. Where there is none yet they come with the first one, when
// it is known who the patients are.
func (p *program) syncEvents(ctx context.Context, cfg *config.Config, name string) (*ingest.Report, error) {
	dir, err := p.dir(cfg)
	if err != nil {
		return nil, err
	}
	if _, err := dir.Current(); errors.Is(err, facts.ErrNoSnapshot) {
		return nil, nil //nolint:nilnil // There is nothing to add to, which is said elsewhere.
	} else if err != nil {
		return nil, err
	}
	report, err := p.syncOne(ctx, cfg, p.incidentSource(cfg, name), syncFlags{}, p.progress())
	if err != nil && report.Snapshot == "" {
		return nil, fmt.Errorf("the events are stored and come with the next sync; this one was not done: %w", err)
	}
	return &report, partly(report, err)
}

func (p *program) printImport(o imported) error {
	if p.json {
		encoder := json.NewEncoder(p.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(o)
	}
	for _, r := range o.Refused {
		if r.Column == "" {
			p.print("row %d: %s\n", r.Row, r.Reason)
			continue
		}
		p.print("row %d, %s: %s\n", r.Row, r.Column, r.Reason)
	}
	p.print("%s: %d rows: %d new, %d changed, %d unchanged, %d withdrawn, %d refused\n", o.Source, o.Rows,
		o.New, o.Changed, o.Unchanged, o.Withdrawn, o.RefusedRows)
	p.printUnknown("patients", o.UnknownPatients)
	p.printUnknown("encounters", o.UnknownEncounters)
	if good := o.New + o.Changed + o.Unchanged; len(o.UnknownPatients) > 1 && len(o.UnknownPatients) == good {
		p.print("no patient is known: is it the FHIR id of the Patient, or the number of another system?\n")
	}
	switch {
	case o.DryRun:
		p.print("dry run: nothing was stored\n")
	case !o.Stored:
		p.print("nothing was stored\n")
	case o.Sync == nil && !o.Compared:
		p.print("stored; they come with the first sync of an EHR\n")
	case o.Sync == nil:
		p.print("stored; they come with the next sync\n")
	default:
		return p.printReport(*o.Sync)
	}
	return nil
}

// printUnknown names rows whose patients or encounters are not here.
func (p *program) printUnknown(what string, rows []int) {
	if len(rows) == 0 {
		return
	}
	const most = 20
	shown := strings.Trim(fmt.Sprint(rows[:min(len(rows), most)]), "[]")
	if len(rows) > most {
		shown += " …"
	}
	effect := "stay out of all figures until their patients are here"
	if what == "encounters" {
		effect = "belong to no encounter until it is here"
	}
	p.print("%d rows name %s that are not in the live snapshot, and %s: %s\n", len(rows), what, effect, shown)
}

// hasDecisions reports whether there is a store of decisions. One that is a file is made by the first
// decision, not by a sync.
func hasDecisions(cfg *config.Config) bool {
	if cfg.Decisions.PostgresURLFile != "" {
		return true
	}
	_, err := os.Stat(filepath.Join(cfg.Data, decisionsFile))
	return !errors.Is(err, fs.ErrNotExist)
}

// nothingDecided is the store before anybody has decided anything; it is only looked at.
type nothingDecided struct{}

func (nothingDecided) Get(context.Context, decisions.Kind, string) (decisions.Document, error) {
	return decisions.Document{}, decisions.ErrNotFound
}

func (nothingDecided) Find(context.Context, decisions.Query) ([]decisions.Document, error) {
	return nil, nil
}

func (nothingDecided) Write(context.Context, ...decisions.Change) ([]decisions.Document, error) {
	return nil, errors.New("there is no store of decisions to write to")
}

// incidentSource is the source of an incident system.
func (p *program) incidentSource(cfg *config.Config, name string) ingest.Source {
	return incident.Source{ID: name, Open: func(ctx context.Context) (decisions.Store, error) {
		return p.decisions(ctx, cfg)
	}}
}

// incidentSources are those of which events were brought in.
func (p *program) incidentSources(ctx context.Context, cfg *config.Config) ([]ingest.Source, error) {
	if !hasDecisions(cfg) {
		return nil, nil
	}
	store, err := p.decisions(ctx, cfg)
	if err != nil {
		return nil, err
	}
	names, err := incident.Sources(ctx, store)
	if err := errors.Join(err, store.Close()); err != nil {
		return nil, err
	}
	out := make([]ingest.Source, 0, len(names))
	for _, name := range names {
		out = append(out, p.incidentSource(cfg, name))
	}
	return out, nil
}

// answers asks the store of decisions what reviews have come to; nil where there is no store.
func (p *program) answers(cfg *config.Config) func(context.Context) ([]facts.Answer, error) {
	if !hasDecisions(cfg) {
		return nil
	}
	return func(ctx context.Context) ([]facts.Answer, error) {
		store, err := p.decisions(ctx, cfg)
		if err != nil {
			return nil, err
		}
		settled, err := review.SettledAnswers(ctx, store)
		if err := errors.Join(err, store.Close()); err != nil {
			return nil, err
		}
		out := make([]facts.Answer, 0, len(settled))
		for _, s := range settled {
			out = append(out, facts.Answer{Source: s.Key.Source, ID: s.Key.ID, Answer: string(s.Answer)})
		}
		return out, nil
	}
}
