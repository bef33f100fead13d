package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
)

func (p *program) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check the configuration, the ConceptMaps and every measure",
		Long: `Check everything that serve and sync read before they start, and report all faults at once: the
configuration file, the ConceptMaps, and every expression of every measure, compiled against the
documented columns.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			_, mapping := mapper(&cfg)
			list, err := definitions(&cfg)
			if err := errors.Join(mapping, err); err != nil {
				return err
			}
			scratch, err := facts.Scratch(c.Context())
			if err != nil {
				return err
			}
			defer func() { _ = scratch.Close() }()
			if err := measure.NewEngine(scratch, list).Check(c.Context()); err != nil {
				return err
			}
			p.print("the configuration is good; %d measures compile\n", len(list))
			return nil
		},
	}
}
