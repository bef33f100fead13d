package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/script"
	"github.com/equitylens/equitylens/store/facts"
)

func (p *program) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check the configuration, the ConceptMaps and every measure, and run the measure scripts",
		Long: `Check everything that serve and sync read before they start, and report all faults at once: the
configuration file, the ConceptMaps, the keys of clients, the certificate, and every expression of every
measure, compiled against the documented columns.

Then run the measure scripts: the files *.test beside your own measures, in the folder that measures:
names. Each holds a cohort, questions about it, and the figures that must come out; docs/scripts.md
teaches how to write one. What came instead is printed with the line that expected something else, and
the exit code is 1.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			list, err := check(c.Context(), &cfg)
			scripts, faults := ownScripts(&cfg)
			if err := errors.Join(err, faults); err != nil {
				return err
			}
			for _, err := range checkFiles(&cfg) {
				if !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				// The configuration of one machine may be checked on another.
				p.note("not on this machine, and needed to serve: %v", err)
			}
			p.print("the configuration is good; %d measures compile\n", len(list))
			return p.runScripts(c.Context(), scripts, list)
		},
	}
}

// ownScripts reads the measure scripts beside the site's own measures.
func ownScripts(cfg *config.Config) ([]*script.Script, error) {
	if cfg.Measures == "" {
		return nil, nil
	}
	list, err := script.Load(os.DirFS(cfg.Measures))
	if err != nil {
		return nil, fmt.Errorf("scripts of %s:\n%w", cfg.Measures, err)
	}
	return list, nil
}

// runScripts runs measure scripts, reports every failure, and fails if there is one.
func (p *program) runScripts(
	ctx context.Context, scripts []*script.Script, definitions []measure.Definition,
) error {
	runner := script.Runner{Definitions: definitions, Now: p.now}
	evals, failed := 0, 0
	var reports []string
	for _, s := range scripts {
		failures, err := runner.Run(ctx, s)
		if err != nil {
			return err
		}
		evals += s.Evals()
		failed += len(failures)
		for _, f := range failures {
			reports = append(reports, f.String())
		}
	}
	switch {
	case failed > 0:
		return fmt.Errorf("measure scripts: %d of %d evals are not as expected:\n%s", failed, evals,
			strings.Join(reports, "\n"))
	case len(scripts) > 0:
		p.print("measure scripts: %d read, %d evals as expected\n", len(scripts), evals)
	}
	return nil
}

// check tries the mapping and the measures, and reports all faults at once.
func check(ctx context.Context, cfg *config.Config) ([]measure.Definition, error) {
	_, mapping := mapper(cfg)
	list, measures := definitions(cfg)
	if measures == nil {
		measures = checkMeasures(ctx, list)
	}
	return list, errors.Join(mapping, measures)
}

func checkMeasures(ctx context.Context, list []measure.Definition) (err error) {
	scratch, err := facts.Scratch(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()
	return measure.NewEngine(scratch, list).Check(ctx)
}

// checkFiles reads the keys of clients, the secrets and the certificates as the server will.
func checkFiles(cfg *config.Config) (faults []error) {
	if _, err := oauthClients(cfg); err != nil {
		faults = append(faults, err)
	}
	if _, err := outsiders(cfg); err != nil {
		faults = append(faults, err)
	}
	if _, err := decisionsURL(cfg); err != nil {
		faults = append(faults, err)
	}
	if _, err := certificates(cfg.Network.Coordinator.CAFile); err != nil {
		faults = append(faults, fmt.Errorf("network.coordinator.%w", err))
	}
	if cfg.Server.TLS.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(cfg.Server.TLS.CertFile, cfg.Server.TLS.KeyFile); err != nil {
			faults = append(faults, fmt.Errorf("server.tls: %w", err))
		}
	}
	return faults
}
