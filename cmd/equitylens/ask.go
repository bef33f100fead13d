package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// askFlags are those of every command that asks a measure something.
type askFlags struct {
	period string
	by     []string
	policy string
	where  []string
}

func (f *askFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.period, "period", "",
		"`PERIOD` such as 2018, 2018-Q1, 2018-03 or 2018-01-01/2018-06-30")
	c.Flags().StringSliceVar(&f.by, "by", nil,
		"`DIMENSIONS` to stratify by, separated by commas (default: all nine)")
	c.Flags().StringVar(&f.policy, "race-policy", "",
		"`POLICY` by which recorded races become groups: "+strings.Join(policies(), ", "))
	c.Flags().StringArrayVar(&f.where, "where", nil,
		"keep only `DIMENSION=VALUE[,VALUE]`, such as language=es or site=~missing; may be repeated")
	_ = c.MarkFlagRequired("period")
}

func policies() []string {
	var names []string
	for _, p := range mapping.Policies() {
		names = append(names, string(p))
	}
	return names
}

// question is what the flags ask, but for the measure.
func (f *askFlags) question() (measure.Question, error) {
	asked := measure.Question{By: f.by, Policy: mapping.Policy(f.policy)}
	if f.policy != "" && !slices.Contains(mapping.Policies(), asked.Policy) {
		return asked, exitError{fmt.Errorf("--race-policy %q is none of %s", f.policy,
			strings.Join(policies(), ", ")), exitUsage}
	}
	var err error
	if asked.Period, err = measure.ParsePeriod(f.period); err != nil {
		return asked, exitError{err, exitUsage}
	}
	if len(asked.By) == 0 {
		asked.By = measure.Dimensions()
	}
	for _, text := range f.where {
		name, values, ok := strings.Cut(text, "=")
		if !ok || name == "" || values == "" {
			return asked, exitError{fmt.Errorf("--where %q is not DIMENSION=VALUE", text), exitUsage}
		}
		if asked.Where == nil {
			asked.Where = measure.Filter{}
		}
		asked.Where[name] = append(asked.Where[name], strings.Split(values, ",")...)
	}
	return asked, nil
}

// usageOf gives an error of a question the exit code of a wrong command line.
func usageOf(err error) error {
	for _, cause := range []error{
		measure.ErrUnknownMeasure, measure.ErrUnknownDimension, measure.ErrUnknownFilter,
		measure.ErrOverlapping, measure.ErrNotImported, gap.ErrNoReference,
		gap.ErrUnknownRate, gap.ErrUnknownStandard, gap.ErrChart,
	} {
		if errors.Is(err, cause) {
			return exitError{err, exitUsage}
		}
	}
	return err
}
