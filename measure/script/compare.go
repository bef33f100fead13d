package script

import (
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
)

// comparison holds an answer against what was expected.
type comparison struct {
	eval        *eval
	result      measure.Result
	group       measure.Group
	differences []string
	// strata lists all strata of the answer; named says which of them a row has named, and in which
	// line.
	strata []found
	named  map[int]int
}

// found is one stratum of the answer and the stratifier that it belongs to.
type found struct {
	by []string
	measure.Stratum
}

// differ notes a difference: an expected line, and what came. Either may be "".
func (c *comparison) differ(line int, want, got string) {
	if want != "" {
		c.differences = append(c.differences, fmt.Sprintf("- line %d: %s", line, want))
	}
	if got != "" {
		c.differences = append(c.differences, "+ "+got)
	}
}

func (c *comparison) compare() {
	c.completeness()
	c.overlap()
	for _, text := range c.stratifiers() {
		for _, s := range c.group.Strata[text] {
			c.strata = append(c.strata, found{strings.Split(text, "*"), s})
		}
	}
	for i := range c.eval.rows {
		c.row(&c.eval.rows[i])
	}
	for i := range c.eval.gaps {
		c.gap(&c.eval.gaps[i])
	}
	// A list of strata that stops halfway is a list that was not thought through.
	if c.eval.open || len(c.eval.rows) == 0 && len(c.eval.gaps)+len(c.eval.incomplete) > 0 {
		return
	}
	for i, s := range c.strata {
		if c.named[i] == 0 {
			r := row{name: c.name(s)}
			c.differ(0, "", r.got(c.group.Scoring, s.Stratum, s.Share)+"   (no row expects it)")
		}
	}
}

// stratifiers lists what the strata are by, as it was asked for.
func (c *comparison) stratifiers() []string {
	var all []string
	for _, text := range c.eval.question.By {
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// completeness compares which types the answer lacks.
func (c *comparison) completeness() {
	want := slices.Clone(c.eval.incomplete)
	var got []string
	for _, text := range c.result.Incomplete {
		name, _, _ := strings.Cut(text, ":")
		got = append(got, name)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		c.differ(c.eval.line, says("incomplete", want), says("incomplete", got))
	}
}

// overlap compares whether strata overlap.
func (c *comparison) overlap() {
	if got := len(c.group.Overlapping) > 0; got != c.eval.overlapping {
		said := map[bool]string{true: "overlapping", false: "the strata exclude each other"}
		c.differ(c.eval.line, said[c.eval.overlapping], said[got])
	}
}

// says writes a line of names; that there are none where there are none.
func says(word string, names []string) string {
	if len(names) == 0 {
		return word + " nothing"
	}
	return word + " " + strings.Join(names, ",")
}

// name writes a stratum as a row would. Where there are several stratifiers it says which.
func (c *comparison) name(s found) string {
	codings := s.codings()
	words := make([]string, len(codings))
	for i, coding := range codings {
		words[i] = hyphened(coding.Label)
		if coding.State != string(mapping.Known) {
			words[i] = coding.State
		}
		if len(c.eval.question.By) > 1 {
			words[i] = s.by[i] + "=" + words[i]
		}
	}
	return strings.Join(words, "*")
}

// codings returns the values of the stratum, one a dimension.
func (s found) codings() []measure.Coding {
	if len(s.Components) == 0 {
		return []measure.Coding{s.Coding}
	}
	var codings []measure.Coding
	for _, component := range s.Components {
		codings = append(codings, component.Coding)
	}
	return codings
}

// is reports whether the stratum is the one that parts name.
func (s found) is(parts []part) bool {
	codings := s.codings()
	if len(parts) != len(codings) {
		return false
	}
	for i, p := range parts {
		if p.dimension != "" && p.dimension != s.by[i] || !means(s.by[i], p.word, codings[i]) {
			return false
		}
	}
	return true
}

// means reports whether a word names a value of a dimension.
func means(dimension, word string, c measure.Coding) bool {
	key := facts.Key(mapping.Value{State: mapping.State(c.State), Code: c.Code})
	if want, ok := keyOf(dimension, word); ok && want == key {
		return true
	}
	return c.Label != "" && hyphened(c.Label) == hyphened(word)
}

// find returns the index of the one stratum that parts name, -1 if there is none.
func (c *comparison) find(parts []part) (int, error) {
	at := -1
	for i, s := range c.strata {
		if !s.is(parts) {
			continue
		}
		if at >= 0 {
			return -1, fmt.Errorf("it may be %s or %s; write dimension=value", c.name(c.strata[at]),
				c.name(s))
		}
		at = i
	}
	return at, nil
}

// possible reports whether parts are values that a stratifier can have, so that nobody being there
// is an answer and not a slip of the pen.
func (c *comparison) possible(parts []part) bool {
	return slices.ContainsFunc(c.stratifiers(), func(text string) bool {
		by := strings.Split(text, "*")
		if len(by) != len(parts) {
			return false
		}
		for i, p := range parts {
			_, ok := keyOf(by[i], p.word)
			if !ok || p.dimension != "" && p.dimension != by[i] {
				return false
			}
		}
		return true
	})
}

// row compares one row with the stratum that it names.
func (c *comparison) row(r *row) {
	if len(r.parts) == 0 {
		everyone := measure.Stratum{Cell: c.group.Cell}
		if got := r.got(c.group.Scoring, everyone, nil); got != r.written() {
			c.differ(r.line, r.text, got)
		}
		return
	}
	at, err := c.find(r.parts)
	switch {
	case err != nil:
		c.differ(r.line, r.text, err.Error())
	case at >= 0 && c.named[at] != 0:
		c.differ(r.line, r.text, fmt.Sprintf("the stratum is that of line %d", c.named[at]))
	case at >= 0:
		c.named[at] = r.line
		if got := r.got(c.group.Scoring, c.strata[at].Stratum, c.strata[at].Share); got != r.written() {
			c.differ(r.line, r.text, got)
		}
	case !c.possible(r.parts):
		c.differ(r.line, r.text, fmt.Sprintf("%s is no stratum of %s", r.name,
			strings.Join(c.stratifiers(), ", ")))
	case !r.empty():
		c.differ(r.line, r.text, "nobody is "+r.name)
	}
}

// empty reports whether a row expects nobody.
func (r *row) empty() bool {
	nothing := func(n *number) bool { return n == nil || n.value == 0 }
	return nothing(r.numerator) && nothing(r.denominator) && nothing(r.excluded) && r.score == nil &&
		r.interval == nil && len(r.others) == 0
}
