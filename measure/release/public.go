package release

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// Release is what the public may know of a period.
type Release struct {
	Period   measure.Period `json:"period"`
	Snapshot string         `json:"snapshot"`
	DataAsOf time.Time      `json:"data_as_of"`
	Created  time.Time      `json:"created"`
	Software string         `json:"software"`
	Cross    string         `json:"cross,omitempty"`
	// Results holds every measure, first without a policy and then once for each overlapping one.
	Results []measure.Result `json:"results"`
	// Withheld says which measures are not part of it, and why.
	Withheld map[string]string `json:"withheld,omitempty"`
}

// public answers from the release of a period, which is made if there is none.
func (d *Desk) public(
	ctx context.Context, engine Engine, asked measure.Question,
) (measure.Result, error) {
	if err := d.mayAsk(engine, asked); err != nil {
		return measure.Result{}, err
	}
	name, ok := d.cfg.Granularity.name(asked.Period)
	if !ok {
		return measure.Result{}, fmt.Errorf("%w: figures are released by the calendar %s, not for %s",
			ErrNotPublic, d.cfg.Granularity, asked.Period)
	}
	release, err := d.find(ctx, engine, name, asked.Period)
	if err != nil {
		return measure.Result{}, err
	}
	return release.answer(asked)
}

// mayAsk refuses what no release holds, before anything is computed.
func (d *Desk) mayAsk(engine Engine, asked measure.Question) error {
	known := func(def measure.Definition) bool { return def.ID == asked.Measure }
	if !slices.ContainsFunc(engine.Definitions(), known) {
		return fmt.Errorf("%w: %q", measure.ErrUnknownMeasure, asked.Measure)
	}
	switch {
	case len(asked.Where) > 0:
		return fmt.Errorf("%w: a filter is not for the public, because all but a few can be asked for",
			ErrNotPublic)
	case asked.People != nil:
		return fmt.Errorf("%w: figures of chosen people are not for the public", ErrNotPublic)
	case asked.Bounds:
		return fmt.Errorf("%w: bounds give the counts of those whose group is unknown away",
			ErrNotPublic)
	}
	if asked.Policy == mapping.PolicyAlone || asked.Policy == mapping.PolicySPD15 {
		if !slices.Contains(d.cfg.Policies, asked.Policy) {
			return fmt.Errorf("%w: by the race policy %s; it would tell those of several races apart",
				ErrNotPublic, asked.Policy)
		}
	}
	for _, by := range asked.By {
		if _, err := measure.ParseStratifier(by); err != nil {
			return err
		}
		if !slices.Contains(d.content(asked.Policy), sorted(by)) {
			return fmt.Errorf("%w: by %s; released are %s", ErrNotPublic, by,
				strings.Join(d.content(asked.Policy), ", "))
		}
	}
	return nil
}

// sorted writes a cross with its dimensions in the order of measure.Dimensions.
func sorted(by string) string {
	parts := strings.Split(by, "*")
	slices.SortFunc(parts, func(a, b string) int {
		return slices.Index(measure.Dimensions(), a) - slices.Index(measure.Dimensions(), b)
	})
	return strings.Join(parts, "*")
}

// content lists what a release holds under a policy: the dimensions, the cross, and the crosses of two
// of its three dimensions. Under an overlapping policy it is what that policy changes.
func (d *Desk) content(p mapping.Policy) []string {
	switch p {
	case mapping.PolicyAlone, mapping.PolicySPD15:
		return []string{mapping.DimensionRace, mapping.DimensionRaceEthnicity}
	case mapping.PolicyOMB1997, mapping.PolicyNCQA, "":
	}
	return slices.Concat(measure.Dimensions(), d.crosses())
}

// crosses lists the cross and what is summed from it.
func (d *Desk) crosses() []string {
	if d.cfg.Cross == "" {
		return nil
	}
	whole := sorted(d.cfg.Cross)
	parts := strings.Split(whole, "*")
	if len(parts) < 3 {
		return []string{whole}
	}
	return []string{whole, parts[0] + "*" + parts[1], parts[0] + "*" + parts[2],
		parts[1] + "*" + parts[2]}
}

// find reads the release of a period or makes it.
func (d *Desk) find(
	ctx context.Context, engine Engine, name string, period measure.Period,
) (*Release, error) {
	document, ok, err := d.cfg.Ledger.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	if !ok {
		if err := d.noOverlap(ctx, period); err != nil {
			return nil, err
		}
		made, err := d.make(ctx, engine, period)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(made)
		if err != nil {
			return nil, fmt.Errorf("write release %s: %w", name, err)
		}
		// Another may have been faster: then that is what was made public.
		if document, err = d.cfg.Ledger.PutIfAbsent(ctx, name, text); err != nil {
			return nil, err
		}
	}
	release := &Release{}
	if err := json.Unmarshal(document, release); err != nil {
		return nil, fmt.Errorf("read release %s: %w", name, err)
	}
	return release, nil
}

// Released lists what is public so far, by the granularity of the configuration.
func (d *Desk) Released(ctx context.Context) ([]Release, error) {
	names, err := d.cfg.Ledger.Names(ctx)
	if err != nil {
		return nil, err
	}
	var all []Release
	for _, name := range names {
		period, err := measure.ParsePeriod(name)
		if err != nil {
			return nil, fmt.Errorf("read ledger of releases: %w", err)
		}
		if own, ok := d.cfg.Granularity.name(period); !ok || own != name {
			continue // Made under another configuration: it still bars what overlaps it.
		}
		document, _, err := d.cfg.Ledger.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		var r Release
		if err := json.Unmarshal(document, &r); err != nil {
			return nil, fmt.Errorf("read release %s: %w", name, err)
		}
		all = append(all, r)
	}
	return all, nil
}

// noOverlap refuses a period that shares days with one that is public and is not the same.
func (d *Desk) noOverlap(ctx context.Context, period measure.Period) error {
	names, err := d.cfg.Ledger.Names(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		other, err := measure.ParsePeriod(name)
		if err != nil {
			return fmt.Errorf("read ledger of releases: %w", err)
		}
		if overlap(period, other) {
			return fmt.Errorf("%w: %s is released, and a period that overlaps it would tell a few people apart",
				ErrNotPublic, name)
		}
	}
	return nil
}

// answer takes what was asked out of a release.
func (r *Release) answer(asked measure.Question) (measure.Result, error) {
	policy := asked.Policy
	if policy == mapping.PolicyOMB1997 || policy == mapping.PolicyNCQA {
		policy = "" // Their strata are those of no policy.
	}
	i := slices.IndexFunc(r.Results, func(result measure.Result) bool {
		return result.Measure == asked.Measure && result.Policy == policy
	})
	if i < 0 {
		why := r.Withheld[asked.Measure]
		if why == "" {
			why = "it was not a measure when the release was made"
		}
		return measure.Result{}, fmt.Errorf("%w: %s in %s: %s", ErrNotPublic, asked.Measure, r.Period, why)
	}
	out := r.Results[i]
	out.Policy = asked.Policy
	out.Groups = slices.Clone(out.Groups)
	for i := range out.Groups {
		g := &out.Groups[i]
		strata := map[string][]measure.Stratum{}
		for _, by := range asked.By {
			strata[by] = turned(g.Strata[sorted(by)], strings.Split(by, "*"))
		}
		g.Strata = strata
	}
	return out, nil
}

// turned puts the components of crossed strata into the order that was asked for.
func turned(strata []measure.Stratum, order []string) []measure.Stratum {
	out := make([]measure.Stratum, len(strata))
	for i, s := range strata {
		if len(s.Components) > 0 {
			s.Components = slices.Clone(s.Components)
			slices.SortFunc(s.Components, func(a, b measure.Component) int {
				return slices.Index(order, a.Dimension) - slices.Index(order, b.Dimension)
			})
		}
		out[i] = s
	}
	return out
}
