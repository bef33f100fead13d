package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/store/facts"
)

// program is what the commands share. Everything that reaches the outside comes in by it.
type program struct {
	in      io.Reader
	out     io.Writer
	err     io.Writer
	now     func() time.Time
	version string

	configPath string
	data       string
	json       bool
	// begun says that the command line was understood, so that what fails from then on is no misuse.
	begun bool
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "equitylens",
		Short: "Quality measures stratified by race, ethnicity, language and interpreter need",
		Long: `EquityLens pulls Patient, Encounter and AdverseEvent from an EHR over FHIR, maps who each patient
is, and answers quality measures stratified by those groups.

Start with "equitylens demo". To measure your own data, "equitylens sync" and "equitylens evaluate".`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.PersistentFlags().StringVar(&p.configPath, "config", "",
		"configuration `FILE` (default: ./equitylens.yaml if there is one)")
	root.AddCommand(p.demoCommand(), p.syncCommand(), p.importCommand(), p.importEventsCommand(), p.measuresCommand(),
		p.evaluateCommand(), p.gapsCommand(), p.compareCommand(), p.trendCommand(), p.chartCommand(), p.explainCommand(),
		p.snapshotCommand(), p.decisionsCommand(), p.keysCommand(), p.auditCommand(), p.checkCommand(),
		p.serveCommand(), p.reviewsCommand(), p.versionCommand())
	root.AddCommand(p.networkCommand(), p.demoNetworkCommand())
	root.AddCommand(p.readinessCommand(), p.evidenceCommand())
	root.AddCommand(p.actionsCommand(), p.conditionsCommand())
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return exitError{fmt.Errorf("%w; see: %s --help", err, c.CommandPath()), exitUsage}
	})
	p.noteBegin(root)
	return root
}

// noteBegin notes when a command begins to do what it was told.
func (p *program) noteBegin(c *cobra.Command) {
	if run := c.RunE; run != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			p.begun = true
			return run(c, args)
		}
	}
	for _, sub := range c.Commands() {
		p.noteBegin(sub)
	}
}

func (p *program) dataFlag(c *cobra.Command) {
	c.Flags().StringVar(&p.data, "data", "", "data `DIR` (default: that of the configuration, else ./equitylens-data)")
}

func (p *program) jsonFlag(c *cobra.Command) {
	c.Flags().BoolVar(&p.json, "json", false, "print one JSON document; fields may be added to it, never changed")
}

const defaultConfigFile = "equitylens.yaml"

// config loads the configuration that was named, else ./equitylens.yaml, else the defaults.
func (p *program) config() (config.Config, error) {
	path := p.configPath
	if path == "" {
		if _, err := os.Stat(defaultConfigFile); errors.Is(err, fs.ErrNotExist) {
			c := config.Default()
			p.override(&c)
			return c, nil
		}
		path = defaultConfigFile
	}
	c, err := config.Load(path)
	p.override(&c)
	return c, err
}

func (p *program) override(c *config.Config) {
	if p.data != "" {
		c.Data = p.data
	}
}

func (p *program) dir(c *config.Config) (*facts.Dir, error) { return facts.Open(c.Data, p.now) }

// definitions loads the measures that ship and the site's own.
func definitions(c *config.Config) ([]measure.Definition, error) {
	shipped, err := measure.Load(catalog.Files())
	if err != nil || c.Measures == "" {
		return shipped, err
	}
	own, err := measure.Load(os.DirFS(c.Measures))
	if err != nil {
		return nil, fmt.Errorf("measures of %s: %w", c.Measures, err)
	}
	return measure.Combine(shipped, own)
}

// mapper builds the mapping that the configuration describes.
func mapper(c *config.Config) (*mapping.Mapper, error) {
	location, err := c.Location()
	if err != nil {
		return nil, err
	}
	settings := mapping.Config{Location: location}
	for _, t := range c.TelehealthTypes {
		kind := mapping.TelehealthType{Modality: t.Modality}
		kind.Coding.System, kind.Coding.Code = t.System, t.Code
		settings.TelehealthTypes = append(settings.TelehealthTypes, kind)
	}
	if c.ConceptMaps != "" {
		if settings.ConceptMaps, err = mapping.LoadConceptMaps(os.DirFS(c.ConceptMaps)); err != nil {
			return nil, fmt.Errorf("concept_maps: %w", err)
		}
	}
	if c.RaceTable != "" {
		file, err := os.Open(c.RaceTable)
		if err != nil {
			return nil, fmt.Errorf("race_table: %w", err)
		}
		settings.RaceTable, err = mapping.ParseRaceTable(file)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, fmt.Errorf("race_table: %w", err)
		}
	}
	return mapping.New(settings)
}

// logger logs to standard error, where a service manager picks it up.
func (p *program) logger(c *config.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Log.Level)) // Validated by config.
	options := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "text" {
		return slog.New(slog.NewTextHandler(p.err, options))
	}
	return slog.New(slog.NewJSONHandler(p.err, options))
}

// keyFile is where a key lies that the configuration does not name.
func keyFile(c *config.Config, named, name string) string {
	if named != "" {
		return named
	}
	return filepath.Join(c.Data, "keys", name)
}

func (p *program) print(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format, args...) }
