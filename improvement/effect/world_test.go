package effect_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// people are a group of a made-up world, whose truth is known.
type people struct {
	code string
	// size is how many units, or days, a month has.
	size float64
	// score is the true share, or rate, in the months before and after.
	before, after float64
}

// world makes monthly results.
type world struct {
	scoring     measure.Scoring
	improvement measure.Improvement
	// months before and after the action, which begins with a month.
	before, after int
	groups        []people
	// drift is added to the true score each month, of everybody.
	drift float64
	// dice draws the events; nil gives as many as are expected.
	dice *rand.Rand
}

// began is the first day of the action of every world.
func began() time.Time { return time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) }

// results are the months of a world.
func (w world) results() []measure.Result {
	var out []measure.Result
	labels := map[string]string{}
	for _, p := range w.groups {
		labels[p.code] = mapping.Label(mapping.DimensionLanguage, p.code)
	}
	for m := -w.before; m < w.after; m++ {
		start := began().AddDate(0, m, 0)
		g := measure.Group{ID: "main", Title: "Share of good talks", Scoring: w.scoring,
			Improvement: w.improvement, Per: 1}
		if w.scoring == measure.Ratio {
			g.Per = 1000
		}
		var strata []measure.Stratum
		all := measure.Cell{Populations: map[measure.Population]float64{}}
		for _, p := range w.groups {
			score := p.before
			if m >= 0 {
				score = p.after
			}
			c := w.cell(p.size, score+w.drift*float64(m))
			for name, n := range c.Populations {
				all.Populations[name] += n
			}
			strata = append(strata, measure.Stratum{Cell: c, Coding: measure.Coding{Code: p.code,
				Label: labels[p.code], State: string(mapping.Known)}})
		}
		g.Cell = all
		unknown := w.cell(40, 0.5)
		strata = append(strata, measure.Stratum{Cell: unknown,
			Coding: measure.Coding{Label: "Unknown", State: string(mapping.Unknown)}})
		g.Strata = map[string][]measure.Stratum{mapping.DimensionLanguage: strata}
		out = append(out, measure.Result{Measure: "m", Version: "1.0.0", Title: "M", Snapshot: "s-1",
			Complete: true, DataAsOf: began().AddDate(0, w.after, 1), Groups: []measure.Group{g},
			Period: measure.Period{Start: start, End: start.AddDate(0, 1, -1)}})
	}
	return out
}

// cell draws a month of a group.
func (w world) cell(size, score float64) measure.Cell {
	c := measure.Cell{Populations: map[measure.Population]float64{measure.InitialPopulation: size,
		measure.Denominator: size}}
	events := 0.0
	switch {
	case w.scoring == measure.ContinuousVariable:
		return w.values(size, score)
	case w.dice == nil && w.scoring == measure.Ratio:
		events = float64(int(size*score/1000 + 0.5))
	case w.dice == nil:
		events = float64(int(size*score + 0.5))
	case w.scoring == measure.Ratio:
		events = poisson(w.dice, size*score/1000)
	default:
		events = binomial(w.dice, int(size), score)
	}
	c.Populations[measure.Numerator] = events
	value := events / size
	if w.scoring == measure.Ratio {
		value *= 1000
	}
	c.Score = &value
	return c
}

// values are those of a continuous variable: spread evenly, or drawn, around a middle.
func (w world) values(size, middle float64) measure.Cell {
	c := measure.Cell{Populations: map[measure.Population]float64{measure.InitialPopulation: size,
		measure.MeasurePopulation: size}}
	count := map[float64]int64{}
	for i := range int(size) {
		part := (float64(i) + 0.5) / size
		if w.dice != nil {
			part = w.dice.Float64()
		}
		count[middle*(0.5+part)]++
	}
	for v, n := range count {
		c.Values = append(c.Values, measure.ValueCount{Value: v, Count: n})
	}
	c.Score = &middle
	return c
}

func binomial(dice *rand.Rand, n int, p float64) float64 {
	x := 0
	for range n {
		if dice.Float64() < p {
			x++
		}
	}
	return float64(x)
}

// poisson counts exponential waits.
func poisson(dice *rand.Rand, mean float64) float64 {
	x, at := 0, dice.ExpFloat64()
	for at < mean {
		x++
		at += dice.ExpFloat64()
	}
	return float64(x)
}

// anAction is one on the first group of a world.
func anAction(groups ...string) action.Action {
	return action.Action{ID: "a-1", Title: "T", Start: began().Format(time.DateOnly), Due: "2026-12-31",
		State: action.InProgress, Finding: action.Finding{Kind: action.Cluster, Reviews: []string{"r-1"}},
		Aim: action.Aim{Measure: "m", Dimension: mapping.DimensionLanguage, Groups: groups, Reference: "en"}}
}

// evaluate is Evaluate of a world.
func evaluate(t testing.TB, w world, a action.Action) effect.Effect {
	t.Helper()
	e, err := effect.Evaluate(w.results(), a, effect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func dice(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// share is a world of a proportion of which more is better, of three groups.
func share(target, reference, others people) world {
	return world{scoring: measure.Proportion, improvement: measure.Increase, before: 24, after: 12,
		groups: []people{target, reference, others}}
}
