package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/measure"
)

// explainFlags are those of one explanation.
type explainFlags struct {
	period  string
	patient string
}

func (p *program) explainCommand() *cobra.Command {
	var flags explainFlags
	c := &cobra.Command{
		Use:   "explain MEASURE --patient ID --period P",
		Short: "Show why one person is where the figures of a measure put them",
		Long: `Show why one person is where the figures of a measure put them: which resources of theirs it counts,
which population each is in and the condition that put it there, their race, ethnicity, language and
interpreter need, and which element of the record said so.

The output names a person. It is written to standard output alone, and the request is noted in the audit
file. An id on the command line is seen by every user of the machine; --patient - reads it from standard
input.`,
		Example: `  equitylens explain readmission-30-day --patient - --period 2025 < id.txt`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exitError{errors.New("name one measure; equitylens measures lists them"), exitUsage}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return p.explain(c.Context(), args[0], flags) },
	}
	c.Flags().StringVar(&flags.period, "period", "",
		"`PERIOD` such as 2018, 2018-Q1, 2018-03 or 2018-01-01/2018-06-30")
	c.Flags().StringVar(&flags.patient, "patient", "", "`ID` of the patient in the EHR, or - to read it")
	_ = c.MarkFlagRequired("period")
	_ = c.MarkFlagRequired("patient")
	p.dataFlag(c)
	p.jsonFlag(c)
	return c
}

func (p *program) explain(ctx context.Context, id string, flags explainFlags) error {
	period, err := measure.ParsePeriod(flags.period)
	if err != nil {
		return exitError{err, exitUsage}
	}
	patient, err := p.patientID(flags.patient)
	if err != nil {
		return err
	}
	cfg, err := p.config()
	if err != nil {
		return err
	}
	engine, err := p.engine(ctx, &cfg)
	if err != nil {
		return err
	}
	defer func() { _ = engine.Snapshot().Close() }()
	known, err := engine.HasPatient(ctx, patient)
	if err != nil {
		return err
	}
	if !known {
		return errors.New("the snapshot holds no patient of that id")
	}
	found, err := engine.Explain(ctx, measure.Question{Measure: id, Period: period}, patient)
	if err != nil {
		return usageOf(err)
	}
	// First the note, then the answer: what cannot be noted is not shown.
	if err := p.noteExplained(&cfg, found); err != nil {
		return err
	}
	if p.json {
		return document(p.out, explanationDocument(found))
	}
	p.printExplanation(found)
	return nil
}

// patientID reads the id from the flag, or from standard input.
func (p *program) patientID(text string) (phi.ID, error) {
	if text == "-" {
		line, err := bufio.NewReader(p.in).ReadString('\n')
		if err != nil && line == "" {
			return phi.ID{}, fmt.Errorf("read the id of the patient: %w", err)
		}
		text = line
	}
	text = strings.TrimPrefix(strings.TrimSpace(text), "Patient/")
	if text == "" {
		return phi.ID{}, exitError{errors.New("--patient is empty"), exitUsage}
	}
	return phi.New(text), nil
}

// explanationView is what `explain --json` prints. It names the person.
type explanationView struct {
	Measure  string         `json:"measure"`
	Version  string         `json:"version"`
	Snapshot string         `json:"snapshot"`
	DataAsOf time.Time      `json:"data_as_of"`
	Period   measure.Period `json:"period"`
	Patient  string         `json:"patient"`
	Records  []string       `json:"records"`
	Fields   []fieldView    `json:"fields"`
	Units    []unitView     `json:"units"`
}

type fieldView struct {
	Field string `json:"field"`
	measure.Coding
	From string `json:"from,omitempty"`
}

type unitView struct {
	Day       string                      `json:"day,omitempty"`
	Resources []string                    `json:"resources"`
	Strata    map[string][]measure.Coding `json:"strata"`
	Rates     []rateView                  `json:"rates"`
}

type rateView struct {
	Rate        string                         `json:"rate"`
	Populations []populationView               `json:"populations"`
	Observed    map[measure.Population]float64 `json:"observed,omitempty"`
}

type populationView struct {
	Population measure.Population `json:"population"`
	Expression string             `json:"expression"`
	Holds      bool               `json:"holds"`
	In         bool               `json:"in"`
	Columns    map[string]string  `json:"columns,omitempty"`
}

func explanationDocument(e measure.Explanation) explanationView {
	out := explanationView{
		Measure: e.Measure, Version: e.Version, Snapshot: e.Snapshot, DataAsOf: e.DataAsOf,
		Period: e.Period, Patient: e.Patient.Reveal(),
	}
	for _, id := range e.Records {
		out.Records = append(out.Records, id.Reveal())
	}
	for _, f := range e.Fields {
		out.Fields = append(out.Fields, fieldView{f.Field, f.Coding, f.From})
	}
	for _, u := range e.Units {
		unit := unitView{Strata: u.Strata}
		if !u.Day.IsZero() {
			unit.Day = u.Day.Format(time.DateOnly)
		}
		for _, r := range u.Resources {
			unit.Resources = append(unit.Resources, r.Type+"/"+r.ID.Reveal())
		}
		for _, rate := range u.Rates {
			view := rateView{Rate: rate.ID, Observed: rate.Observed}
			for _, population := range rate.Populations {
				shown := populationView{
					Population: population.Population, Expression: population.Expression,
					Holds: population.Holds, In: population.In, Columns: map[string]string{},
				}
				for _, column := range population.Columns {
					shown.Columns[column.Column] = column.Value
					if column.Null {
						shown.Columns[column.Column] = "NULL"
					}
				}
				view.Populations = append(view.Populations, shown)
			}
			unit.Rates = append(unit.Rates, view)
		}
		out.Units = append(out.Units, unit)
	}
	return out
}

func (p *program) printExplanation(e measure.Explanation) {
	view := explanationDocument(e)
	p.print("%s %s: %s\nperiod %s, snapshot %s\nPatient/%s", e.Measure, e.Version, e.Title, e.Period,
		e.Snapshot, view.Patient)
	if len(view.Records) > 1 {
		p.print(" (records %s)", strings.Join(view.Records, ", "))
	}
	p.print("\n\n")
	for _, f := range view.Fields {
		p.print("  %-16s %s", f.Field, f.Label)
		if f.From != "" {
			p.print("  (%s)", f.From)
		}
		p.print("\n")
	}
	if len(view.Units) == 0 {
		p.print("\nThe period holds nothing of this person that the measure looks at.\n")
	}
	for _, u := range view.Units {
		p.print("\n%s %s\n", u.Day, strings.Join(u.Resources, ", "))
		for _, rate := range u.Rates {
			for _, population := range rate.Populations {
				p.print("  %-8s %-28s %-4s %s", rate.Rate, population.Population, yesNo(population.In),
					strings.Join(strings.Fields(population.Expression), " "))
				for _, column := range sortedKeys(population.Columns) {
					p.print("  [%s = %s]", column, population.Columns[column])
				}
				p.print("\n")
			}
		}
	}
}

func yesNo(in bool) string {
	if in {
		return "in"
	}
	return "out"
}

// noteExplained adds an event to the audit trail: that a person was looked at, by which user of this
// machine.
func (p *program) noteExplained(cfg *config.Config, e measure.Explanation) error {
	trail, err := p.openTrail(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	event, err := p.explained(e, os.Getenv("USER"))
	if err == nil {
		err = trail.Audit(context.Background(), event)
	}
	return errors.Join(err, trail.Close())
}
