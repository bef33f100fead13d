package main

import (
	"context"
	"fmt"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/internal/acting"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report"
)

// evidenceBundle writes what the figures show of an action as a FHIR Bundle: what was aimed at, what was
// done, the measure, and its reports over the months before and after. It holds no free text, so that it
// may be handed on as it is.
func (a *api) evidenceBundle(_ context.Context, e acting.Evidence) ([]byte, error) {
	reports, err := report.New(report.Config{
		Organization: a.cfg.Server.Organization, Version: a.program.version, Now: a.program.now,
	})
	if err != nil {
		return nil, err
	}
	base := a.url + "/fhir/"
	write := form.Writer{Organization: a.cfg.Server.Organization}
	entries := []form.Entry{
		{URL: base + "Task/" + e.Action.ID, Resource: write.ActionTask(&e.Action)},
		{URL: base + "Goal/" + e.Action.ID, Resource: write.Goal(&e.Action)},
	}
	defined, err := reports.Measure(e.Definition, []string{e.Action.Aim.Dimension})
	if err != nil {
		return nil, fmt.Errorf("write a measure: %w", err)
	}
	entries = append(entries, form.Entry{URL: base + "Measure/" + e.Definition.ID, Resource: defined})
	for _, side := range []*measure.Result{e.Before, e.After} {
		if side != nil {
			entries = append(entries, form.Entry{Resource: reports.MeasureReport(*side)})
		}
	}
	bundle, err := form.Collection(a.program.now(), entries...)
	if err != nil {
		return nil, fmt.Errorf("write a bundle: %w", err)
	}
	return r4.Marshal(bundle)
}
