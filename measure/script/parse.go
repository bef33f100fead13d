package script

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

// Parse reads a script. name is what failures and faults call it. All faults are reported at once,
// each with its line.
func Parse(name string, text []byte) (*Script, error) {
	mapper, err := newMapper()
	if err != nil {
		return nil, err
	}
	p := &parser{script: &Script{Name: name}, mapper: mapper}
	for line := range strings.Lines(string(text)) {
		p.number++
		p.line(strings.TrimRight(line, "\r\n"))
	}
	p.settle()
	if len(p.script.evals) == 0 && len(p.faults) == 0 {
		p.number = 1
		p.fault("there is no eval, so that nothing is tested")
	}
	if len(p.faults) == 0 {
		return p.script, nil
	}
	slices.SortStableFunc(p.faults, func(a, b fault) int { return cmp.Compare(a.line, b.line) })
	var faults []error
	for _, f := range p.faults {
		faults = append(faults, fmt.Errorf("%s:%d: %s", name, f.line, f.text))
	}
	return nil, errors.Join(faults...)
}

// fault is what is wrong with a line.
type fault struct {
	line int
	text string
}

// parser holds what the lines before have said.
type parser struct {
	script *Script
	mapper *mapping.Mapper
	faults []fault
	// number is that of the line that is being read.
	number int
	asOf   time.Time
	// load is the newest cohort; it is nil before the first. eval is the question that indented lines
	// belong to; it is nil while they belong to load.
	load *loading
	eval *eval
	// inside says that a command that indented lines can belong to has been read.
	inside bool
	// units counts the records of all cohorts.
	units int
}

// mostUnits bounds the records of one script: far more than can be counted by hand.
const mostUnits = 50_000

func (p *parser) fault(format string, args ...any) {
	p.faults = append(p.faults, fault{p.number, fmt.Sprintf(format, args...)})
}

// check notes an error as a fault of the line, and several joined as several.
func (p *parser) check(err error) {
	// What is asked is whether this very error joins others.
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			p.check(one)
		}
		return
	}
	if err != nil {
		p.fault("%v", err)
	}
}

// line reads one line: a command where it starts at the margin, else what belongs to the last one.
func (p *parser) line(text string) {
	tokens, err := split(text)
	if err != nil {
		p.check(err)
		return
	}
	if len(tokens) == 0 {
		return
	}
	if text[0] == ' ' || text[0] == '\t' {
		p.indented(tokens, strings.TrimSpace(text))
		return
	}
	p.settle()
	p.inside = false
	switch {
	case tokens[0].is("as_of"):
		p.asOfLine(tokens[1:])
	case tokens[0].is("load"):
		p.loadLine(tokens[1:])
	case tokens[0].is("eval"):
		p.evalLine(tokens[1:], strings.TrimSpace(text))
	default:
		p.fault("%q is no command; at the margin stand as_of, load and eval, and what belongs to one "+
			"of them is indented", tokens[0].text)
	}
}

// indented reads a line that belongs to the last command.
func (p *parser) indented(tokens []token, text string) {
	switch {
	case !p.inside:
		p.fault("the line is indented, and belongs to no load and no eval")
	case p.eval != nil:
		p.expectation(tokens, text)
	default:
		p.unit(tokens)
	}
}

// settle ends the question that was being read.
func (p *parser) settle() {
	if p.eval == nil {
		return
	}
	e := p.eval
	p.eval = nil
	say := func(text string) { p.faults = append(p.faults, fault{e.line, text}) }
	if !e.expects() {
		say("the eval expects nothing; list its strata, or say fail and what the message holds")
	}
	if e.refusal != "" && (len(e.rows) > 0 || len(e.gaps) > 0 || e.open || len(e.incomplete) > 0) {
		say("an eval that fails has no strata")
	}
}

var dayForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

// asOfLine reads "as_of 2026-12-31".
func (p *parser) asOfLine(tokens []token) {
	if len(tokens) != 1 || !dayForm.MatchString(tokens[0].text) {
		p.fault("as_of is followed by one day, such as 2026-12-31")
		return
	}
	day, err := time.Parse(time.DateOnly, tokens[0].text)
	if written, wrong := fhir.ParseDateTime(tokens[0].text); err != nil || wrong != nil ||
		!written.Plausible() {
		p.fault("%q is not a day of the calendar that data can be of", tokens[0].text)
		return
	}
	p.asOf = day
}

// loadLine reads "load", "load without AdverseEvent" and "load partial Encounter".
func (p *parser) loadLine(tokens []token) {
	p.load = newLoading(p.number, p.asOf)
	p.inside = true
	for len(tokens) > 0 {
		list := &p.load.absent
		switch {
		case tokens[0].is("partial"):
			list = &p.load.partial
		case !tokens[0].is("without"):
			p.fault("%q cannot stand after load; without and partial can", tokens[0].text)
			return
		}
		if len(tokens) == 1 {
			p.fault("%s is followed by resource types: %s", tokens[0].text, choices(facts.Types()))
			return
		}
		*list = append(*list, p.types(tokens[1].text)...)
		tokens = tokens[2:]
	}
}

// types reads resource types with commas between them.
func (p *parser) types(text string) []string {
	names := strings.Split(text, ",")
	for _, name := range names {
		if !slices.Contains(facts.Types(), name) {
			p.fault("%q is none of %s", name, choices(facts.Types()))
		}
	}
	return names
}

// wordAfter returns the token after the first, which has to be there.
func wordAfter(tokens []token) (string, error) {
	if len(tokens) < 2 {
		return "", fmt.Errorf("%s is followed by nothing", tokens[0].text)
	}
	return tokens[1].text, nil
}
