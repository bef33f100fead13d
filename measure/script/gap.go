package script

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/measure"
	gaps "github.com/equitylens/equitylens/measure/gap"
)

// gap compares two scores: of two strata that are named, or of one and the reference.
func (c *comparison) gap(g *gap) {
	got, interval, err := c.between(g)
	if err != nil {
		c.differ(g.line, g.text, err.Error())
		return
	}
	words := []string{"gap", g.names, g.show(got)}
	if g.quotient {
		words[0] = "ratio"
	}
	want := []string{words[0], g.names, g.String()}
	if g.interval != nil {
		words, want = append(words, g.interval.show(interval)), append(want, g.interval.String())
	}
	if text := strings.Join(words, " "); text != strings.Join(want, " ") {
		c.differ(g.line, g.text, text)
	}
}

// between returns the difference or the quotient, and its interval where a reference is named.
func (c *comparison) between(g *gap) (got, interval []float64, err error) {
	a, b, pairs := c.pair(g)
	switch {
	case pairs > 1:
		return nil, nil, fmt.Errorf("%s can be parted in %d ways", g.names, pairs)
	case pairs == 0 && c.eval.reference == "":
		return nil, nil, fmt.Errorf("%s names no two strata that are there", g.names)
	case pairs == 0:
		return c.fromReference(g)
	case a.Score == nil || b.Score == nil || g.quotient && *b.Score == 0:
		return nil, nil, nil
	case g.quotient:
		return []float64{*a.Score / *b.Score}, nil, nil
	}
	return []float64{*a.Score - *b.Score}, nil, nil
}

// pair finds the two strata of a gap, and in how many ways that can be done: a word may hold the
// sign that parts them, so every place is tried.
func (c *comparison) pair(g *gap) (a, b measure.Cell, pairs int) {
	sign := byte('-')
	if g.quotient {
		sign = '/'
	}
	for i := range len(g.names) {
		if g.names[i] != sign {
			continue
		}
		left, first := c.cell(g.names[:i])
		right, second := c.cell(g.names[i+1:])
		if first && second {
			a, b = left, right
			pairs++
		}
	}
	return a, b, pairs
}

// cell returns the stratum of a name, or everybody.
func (c *comparison) cell(name string) (measure.Cell, bool) {
	if name == everybody {
		return c.group.Cell, true
	}
	at, err := c.find(partsOf(name))
	if err != nil || at < 0 {
		return measure.Cell{}, false
	}
	return c.strata[at].Cell, true
}

// fromReference returns the gap of one stratum as `equitylens gaps` finds it.
func (c *comparison) fromReference(g *gap) (got, interval []float64, err error) {
	by := c.stratifiers()
	if len(by) != 1 {
		return nil, nil, errors.New("a reference needs one dimension")
	}
	rule := c.eval.reference
	rules := []gaps.Reference{gaps.Best, gaps.Largest, gaps.Overall}
	if !slices.Contains(rules, gaps.Reference(rule)) {
		key, ok := keyOf(by[0], rule)
		if !ok {
			return nil, nil, fmt.Errorf("the reference %s is no rule and no value of %s", rule, by[0])
		}
		rule = key
	}
	list, err := gaps.Of([]measure.Result{c.result},
		gaps.Options{Reference: gaps.Reference(rule), Even: true})
	if err != nil {
		return nil, nil, err
	}
	code, _ := keyOf(by[0], g.names)
	for _, have := range list {
		if have.Rate != c.group.ID || have.Dimension != by[0] || have.Code != code {
			continue
		}
		if g.quotient {
			return pointed(have.Ratio), bounded(have.RatioInterval), nil
		}
		return []float64{have.Difference}, bounded(have.Interval), nil
	}
	return nil, nil, fmt.Errorf("%s is not compared with the reference %s: only categories of 30 units "+
		"and more are, in dimensions that the rate is not about", g.names, c.eval.reference)
}
