package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
)

func (p *program) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check the configuration, the ConceptMaps and every measure",
		Long: `Check everything that serve and sync read before they start, and report all faults at once: the
configuration file, the ConceptMaps, the keys of clients, the certificate, and every expression of every
measure, compiled against the documented columns.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			list, err := check(c.Context(), &cfg)
			if err != nil {
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
			return nil
		},
	}
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

// checkFiles reads the keys of clients and the certificate as the server will.
func checkFiles(cfg *config.Config) (faults []error) {
	if _, err := oauthClients(cfg); err != nil {
		faults = append(faults, err)
	}
	if cfg.Server.TLS.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(cfg.Server.TLS.CertFile, cfg.Server.TLS.KeyFile); err != nil {
			faults = append(faults, fmt.Errorf("server.tls: %w", err))
		}
	}
	return faults
}
