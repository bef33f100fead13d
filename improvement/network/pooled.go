package network

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/stat"
)

// part is one member's part of a figure.
type part struct {
	member        string
	met, eligible float64
	// reference is the member's part of the figure of the reference; shown says that there is one.
	reference struct {
		met, eligible float64
		shown         bool
	}
}

// Pooled answers one question for a viewer. It fails with ErrUnknown.
func (d *Desk) Pooled(ctx context.Context, q Question, as Viewer) (Pooled, error) {
	all, err := d.handed(ctx, q.Period)
	if err != nil {
		return Pooled{}, err
	}
	names, err := d.naming(q.Period, all, as)
	if err != nil {
		return Pooled{}, err
	}
	return d.pooled(all, q, names)
}

func (d *Desk) pooled(all []handed, q Question, names naming) (Pooled, error) {
	definition, ok := d.checker.definition(q.Measure)
	if !ok || !pools(definition) {
		return Pooled{}, fmt.Errorf("%w: %q", ErrUnknown, q.Measure)
	}
	rates := definition.Rates()
	at := slices.IndexFunc(rates, func(r measure.GroupDefinition) bool {
		return q.Rate == "" || r.ID == q.Rate
	})
	if at < 0 || (q.Dimension == "") != (q.Group == "") || q.Dimension != "" &&
		(!slices.Contains(Dimensions(), q.Dimension) || !d.checker.groups.valid(q.Dimension, q.Group)) {
		return Pooled{}, fmt.Errorf("%w: of %s", ErrUnknown, q.Measure)
	}
	q.Rate = rates[at].ID
	out := Pooled{
		Measure: definition.ID, Version: definition.Version, Rate: q.Rate, Title: definition.Title,
		Scoring: definition.Scoring, Improvement: rates[at].Improvement, Per: definition.Per,
		Dimension: q.Dimension, Group: q.Group, Label: labelOf(q.Dimension, q.Group),
		Standings: []Standing{},
	}
	if out.Per == 0 {
		out.Per = 1
	}
	switch {
	case slices.Contains(definition.NotBy, q.Dimension) || slices.Contains(rates[at].NotBy, q.Dimension):
		q.Reference = "" // The rate is about this dimension, and a gap by it would say nothing.
	case q.Reference == "":
		q.Reference = largest(all, q)
	}
	parts := d.parts(all, q, &out)
	out.Showing = len(parts)
	out.Enough = out.Showing >= Least
	out.pool(parts, names)
	if q.Group != "" && q.Reference != "" && q.Reference != q.Group {
		out.compare(parts, q)
	}
	return out, nil
}

// labelOf is what a group is called.
func labelOf(dimension, key string) string {
	if state, ok := strings.CutPrefix(key, stateMark); ok {
		return mapping.Label(mapping.SystemState, state)
	}
	if dimension == "" {
		return ""
	}
	return mapping.Label(dimension, key)
}

// figure finds the figure of a key in a submission.
func (h *handed) figure(q Question, key string) (Figure, bool) {
	_, rate := h.submission.rate(q.Measure, q.Rate)
	if rate == nil {
		return Figure{}, false
	}
	if key == "" {
		return rate.Whole, true
	}
	t, _ := rate.table(q.Dimension)
	row, ok := t.row(key)
	return row.Figure, ok
}

// parts takes from each submission what it shows. Of a figure of which anything is hidden, nothing is
// taken.
func (d *Desk) parts(all []handed, q Question, out *Pooled) []part {
	var parts []part
	for i := range all {
		f, ok := all[i].figure(q, q.Group)
		met, eligible, shown := f.fraction()
		switch {
		case ok && f.hidden():
			out.Hidden++
			continue
		case !ok || !shown || eligible == 0:
			out.Absent++
			continue
		}
		p := part{member: all[i].submission.Member, met: float64(met), eligible: float64(eligible)}
		if r, ok := all[i].figure(q, q.Reference); ok && q.Reference != "" {
			if met, eligible, shown := r.fraction(); shown && eligible > 0 {
				p.reference.met, p.reference.eligible, p.reference.shown = float64(met), float64(eligible), true
			}
		}
		parts = append(parts, p)
	}
	return parts
}

// largest is the key of the known group of a dimension with the most units over all who show it.
func largest(all []handed, q Question) string {
	sizes := map[string]int64{}
	for i := range all {
		_, rate := all[i].submission.rate(q.Measure, q.Rate)
		if rate == nil || q.Dimension == "" {
			continue
		}
		t, _ := rate.table(q.Dimension)
		for _, row := range t.Rows {
			if _, eligible, ok := row.fraction(); ok && !strings.HasPrefix(row.Key, stateMark) {
				sizes[row.Key] += eligible
			}
		}
	}
	best := ""
	for key, size := range sizes {
		if best == "" || size > sizes[best] || size == sizes[best] && key < best {
			best = key
		}
	}
	return best
}

// pool adds up what is shown and puts each member beside it. Where fewer than Least show it, a viewer
// is told of nobody else: who is not oneself would be known.
func (out *Pooled) pool(parts []part, names naming) {
	met, eligible := 0., 0.
	pairs := make([][2]float64, len(parts))
	for i, p := range parts {
		met, eligible = met+p.met, eligible+p.eligible
		pairs[i] = [2]float64{p.met, p.eligible}
	}
	f := funnel{scoring: out.Scoring}
	if out.Enough {
		f.centre = met / eligible
		out.Overdispersion, f.wider = overdispersion(out.Scoring, f.centre, pairs)
		score, interval := f.centre*out.Per, intervalOf(out.Scoring, out.Per, met, eligible)
		out.Score, out.Interval = &score, &interval
		out.Numerator, out.Denominator = int64(met), int64(eligible)
	}
	for _, p := range parts {
		called, own := names.labels[p.member], p.member == names.own
		if !out.Enough && !own && !names.all {
			continue
		}
		s := Standing{
			Name: called.name, Number: called.number, Own: own, rank: called.rank, Score: p.met / p.eligible * out.Per,
			Interval:  intervalOf(out.Scoring, out.Per, p.met, p.eligible),
			Numerator: int64(p.met), Denominator: int64(p.eligible),
		}
		if out.Enough {
			l95, l998 := f.limits(p.eligible, tail95), f.limits(p.eligible, tail998)
			s.Outside = f.outside(p.met/p.eligible, l95, l998)
			s.Limits95 = &[2]float64{l95[0] * out.Per, l95[1] * out.Per}
			s.Limits998 = &[2]float64{l998[0] * out.Per, l998[1] * out.Per}
		}
		if p.reference.shown {
			s.Gap = differenceOf(out.Scoring, out.Per, p.met, p.eligible, p.reference.met, p.reference.eligible)
		}
		out.Standings = append(out.Standings, s)
	}
	slices.SortFunc(out.Standings, func(a, b Standing) int {
		return cmp.Compare(a.rank, b.rank)
	})
}

// compare takes the members together that show both the group and its reference.
func (out *Pooled) compare(parts []part, q Question) {
	var met, eligible, metReference, eligibleReference float64
	g := &PooledGap{Reference: q.Reference, Label: labelOf(q.Dimension, q.Reference)}
	for _, p := range parts {
		if !p.reference.shown {
			continue
		}
		g.Showing++
		met, eligible = met+p.met, eligible+p.eligible
		metReference, eligibleReference = metReference+p.reference.met, eligibleReference+p.reference.eligible
	}
	if g.Showing >= Least {
		g.Difference = differenceOf(out.Scoring, out.Per, met, eligible, metReference, eligibleReference)
	}
	out.Gap = g
}

// intervalOf is Wilson's of a share and the exact one of a rate.
func intervalOf(scoring measure.Scoring, per, met, eligible float64) [2]float64 {
	lo, hi := stat.Wilson(met, eligible)
	if scoring == measure.Ratio {
		lo, hi = stat.Garwood(met, eligible)
	}
	return [2]float64{lo * per, hi * per}
}

// differenceOf is that of two shares, with Newcombe's interval, or of two rates.
func differenceOf(scoring measure.Scoring, per, x1, n1, x2, n2 float64) *Difference {
	lo, hi := stat.Newcombe(x1, n1, x2, n2)
	if scoring == measure.Ratio {
		lo, hi = stat.RateDifference(x1, n1, x2, n2)
	}
	return &Difference{Value: (x1/n1 - x2/n2) * per, Interval: &[2]float64{lo * per, hi * per}}
}
