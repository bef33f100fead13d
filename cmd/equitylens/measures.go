package main

import (
	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/measure"
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
				documents := make([]measureDocument, 0, len(list))
				for i := range list {
					documents = append(documents, describeMeasure(&list[i]))
				}
				return document(p.out, documents)
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

// measureDocument is a measure as `measures --json` prints it: under the keys of its file, with every
// rate written out.
type measureDocument struct {
	ID          string              `json:"id"`
	Version     string              `json:"version"`
	Title       string              `json:"title"`
	Unit        measure.Unit        `json:"unit"`
	Scoring     measure.Scoring     `json:"scoring"`
	Improvement measure.Improvement `json:"improvement"`
	DatedBy     string              `json:"dated_by"`
	Needs       []string            `json:"needs"`
	Per         float64             `json:"per,omitempty"`
	Groups      []rateDocument      `json:"groups"`
	Source      string              `json:"source"`
	Says        string              `json:"says"`
}

// rateDocument is one rate of a measure.
type rateDocument struct {
	ID          string                        `json:"id"`
	Title       string                        `json:"title"`
	Improvement measure.Improvement           `json:"improvement"`
	Populations map[measure.Population]string `json:"populations"`
}

func describeMeasure(d *measure.Definition) measureDocument {
	described := measureDocument{
		ID: d.ID, Version: d.Version, Title: d.Title, Unit: d.Unit, Scoring: d.Scoring, Improvement: d.Improvement,
		DatedBy: d.DatedBy, Needs: d.Needs, Per: d.Per, Source: d.Source, Says: d.Says,
	}
	for _, r := range d.Rates() {
		described.Groups = append(described.Groups, rateDocument{r.ID, r.Title, r.Improvement, r.Populations})
	}
	return described
}
