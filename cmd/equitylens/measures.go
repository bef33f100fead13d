package main

import (
	"github.com/spf13/cobra"
)

func (p *program) measuresCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "measures",
		Short: "List the measures",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := p.config()
			if err != nil {
				return err
			}
			list, err := definitions(&cfg)
			if err != nil {
				return err
			}
			if p.json {
				return document(p.out, list)
			}
			rows := make([][]string, 0, len(list))
			for _, d := range list {
				rows = append(rows, []string{d.ID, d.Version, string(d.Unit), string(d.Scoring), string(d.Improvement), d.Says})
			}
			return table(p.out, []string{"MEASURE", "VERSION", "UNIT", "SCORING", "BETTER", "WHAT IT SAYS"}, rows)
		},
	}
	p.jsonFlag(c)
	return c
}
