package script

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// evalLine reads "eval MEASURE[/RATE] [by D[*D][,D]] period P [policy P] [where D=W ...]
// [people NAME,...] [bounds] [reference R]".
func (p *parser) evalLine(tokens []token, text string) {
	p.eval = &eval{line: p.number, text: text}
	p.inside = true
	if p.load == nil {
		p.fault("there is no load before the eval")
		p.load = newLoading(p.number, p.asOf)
	}
	p.eval.cohort = p.load.cohort
	p.script.evals = append(p.script.evals, p.eval)
	if len(tokens) == 0 {
		p.fault("eval is followed by the id of a measure")
		return
	}
	p.eval.question.Measure, p.eval.rate, _ = strings.Cut(tokens[0].text, "/")
	for tokens = tokens[1:]; len(tokens) > 0; {
		used, err := p.clause(tokens)
		if err != nil {
			p.check(err)
			return
		}
		tokens = tokens[used:]
	}
	if p.eval.question.Period.Start.IsZero() {
		p.fault("the eval has no period")
	}
}

// clause reads one clause and returns of how many tokens it is.
func (p *parser) clause(tokens []token) (used int, err error) {
	q := &p.eval.question
	switch name := tokens[0].text; name {
	case "bounds":
		q.Bounds = true
		return 1, nil
	case "where":
		return p.where(tokens)
	case "by", "period", "policy", "people", "reference":
	default:
		return 0, fmt.Errorf("%q is none of by, period, policy, where, people, bounds, reference", name)
	}
	word, err := wordAfter(tokens)
	if err != nil {
		return 0, err
	}
	switch tokens[0].text {
	case "by":
		q.By = strings.Split(word, ",")
	case "period":
		q.Period, err = measure.ParsePeriod(word)
	case "policy":
		q.Policy = mapping.Policy(word)
	case "people":
		err = p.named(word)
	default:
		p.eval.reference = word
	}
	return 2, err
}

// named keeps the patients of some names.
func (p *parser) named(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		ids, err := p.load.chosen(word)
		if err != nil {
			return err
		}
		p.eval.question.People = append(p.eval.question.People, ids...)
	}
	return nil
}

// where reads the pairs of a filter. A key that nothing can be filtered by is left to the engine,
// which refuses it.
func (p *parser) where(tokens []token) (used int, err error) {
	filter := p.eval.question.Where
	if filter == nil {
		filter = measure.Filter{}
	}
	for used = 1; used < len(tokens); used++ {
		key, text, pair := strings.Cut(tokens[used].text, "=")
		if !pair {
			break
		}
		if _, twice := filter[key]; twice {
			return 0, fmt.Errorf("where: %s is there twice; several values have commas between them", key)
		}
		for word := range strings.SplitSeq(text, ",") {
			value, ok := keyOf(key, word)
			if !ok {
				return 0, fmt.Errorf("where: %q is no value of %s", word, key)
			}
			filter[key] = append(filter[key], value)
		}
	}
	if used == 1 {
		return 0, errors.New("where is followed by dimension=value")
	}
	p.eval.question.Where = filter
	return used, nil
}

// expectation reads a line below an eval.
func (p *parser) expectation(tokens []token, text string) {
	e := p.eval
	var err error
	switch first := tokens[0]; {
	case first.is("..."):
		e.open = true
		err = alone(tokens)
	case first.is("overlapping"):
		e.overlapping = true
		err = alone(tokens)
	case first.is("fail"):
		e.refusal, err = wordAfter(tokens)
		if err == nil && (len(tokens) > 2 || e.refusal == "") {
			err = errors.New(`fail is followed by a part of the message, as in fail "unknown measure"`)
		}
	case first.is("incomplete"):
		var word string
		if word, err = wordAfter(tokens); err == nil {
			e.incomplete = append(e.incomplete, p.types(word)...)
		}
	case first.is("gap"), first.is("ratio"):
		err = p.gapLine(tokens, text)
	default:
		err = p.rowLine(tokens, text)
	}
	p.check(err)
}

func alone(tokens []token) error {
	if len(tokens) > 1 {
		return fmt.Errorf("%s stands alone", tokens[0].text)
	}
	return nil
}

// gapLine reads "gap A-B 0.1" and "ratio A/B 2.0"; where a reference is named "gap A 0.1
// 0.05..0.15".
func (p *parser) gapLine(tokens []token, text string) error {
	g := gap{line: p.number, text: text, quotient: tokens[0].is("ratio")}
	if len(tokens) != 3 && (len(tokens) != 4 || p.eval.reference == "") {
		return fmt.Errorf("%s is followed by two strata and a number, as in gap black-white 0.100; an "+
			"interval needs a reference", tokens[0].text)
	}
	g.names = tokens[1].text
	var err error
	if g.figures, err = parseFigures(tokens[2].text); err != nil {
		return err
	}
	if len(g.figures) > 1 {
		return fmt.Errorf("%s is one number", tokens[0].text)
	}
	if len(tokens) > 3 {
		if g.interval, err = parseFigures(tokens[3].text); err != nil || len(g.interval) != 2 {
			return fmt.Errorf("%q is no interval, as in 0.1..0.3", tokens[3].text)
		}
	}
	p.eval.gaps = append(p.eval.gaps, g)
	return nil
}

// partsOf reads the name of a stratum: words with * between them, each with its dimension or
// without.
func partsOf(name string) []part {
	var parts []part
	for word := range strings.SplitSeq(name, "*") {
		dimension, value, pair := strings.Cut(word, "=")
		if !pair {
			dimension, value = "", word
		}
		parts = append(parts, part{dimension, value})
	}
	return parts
}

// rowLine reads "STRATUM n/d[-x] SCORE [LO..HI] [name=FIGURES ...]".
func (p *parser) rowLine(tokens []token, text string) error {
	r := row{line: p.number, text: text, name: tokens[0].text}
	if len(tokens) < 3 {
		return fmt.Errorf("%q is no row: a stratum, n/d and a score, as in black 8/40 0.200", text)
	}
	if !tokens[0].is(everybody) {
		r.parts = partsOf(r.name)
	}
	if err := r.counts(tokens[1].text); err != nil {
		return err
	}
	var err error
	if r.score, err = parseFigures(tokens[2].text); err != nil || len(r.score) > 1 {
		return fmt.Errorf("%q is no score", tokens[2].text)
	}
	for _, t := range tokens[3:] {
		name, value, pair := strings.Cut(t.text, "=")
		if !pair {
			name, value = "", t.text
		}
		f, err := parseFigures(value)
		switch {
		case err != nil:
			return err
		case pair && slices.ContainsFunc(r.others, func(o other) bool { return o.name == name }):
			return fmt.Errorf("%s is there twice", name)
		case pair:
			r.others = append(r.others, other{name, f})
		case len(f) == 2 && r.interval == nil:
			r.interval = f
		default:
			return fmt.Errorf("%q is neither an interval, as in 0.1..0.3, nor name=figure", t.text)
		}
	}
	p.eval.rows = append(p.eval.rows, r)
	return nil
}

// counts reads "4/40", "4/40-2" of which 2 are excluded, "12" or "12-1".
func (r *row) counts(text string) error {
	rest, excluded, minus := strings.Cut(text, "-")
	above, below, slash := strings.Cut(rest, "/")
	if !slash {
		above, below = "", rest
	}
	for _, c := range []struct {
		there bool
		text  string
		to    **number
	}{{slash, above, &r.numerator}, {true, below, &r.denominator}, {minus, excluded, &r.excluded}} {
		if !c.there {
			continue
		}
		n, err := parseNumber(c.text)
		if err != nil {
			return fmt.Errorf("%q is neither n/d, n/d-excluded, a count, nor count-excluded", text)
		}
		*c.to = &n
	}
	return nil
}
