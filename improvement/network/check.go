package network

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/disclose"
)

// CheckConfig is what submissions are checked against. Everything must be set.
type CheckConfig struct {
	// Definitions are the measures that may be reported, each in the version in which it is here.
	Definitions   []measure.Definition
	Questionnaire *readiness.Questionnaire
	Now           func() time.Time
}

// Checker writes, reads and checks submissions: at the member before they are sent, at the coordinator
// before they are kept. It is safe for concurrent use.
type Checker struct {
	cfg    CheckConfig
	groups groupings
}

// NewChecker returns a Checker.
func NewChecker(cfg CheckConfig) (*Checker, error) {
	if len(cfg.Definitions) == 0 || cfg.Questionnaire == nil || cfg.Now == nil {
		return nil, errors.New("make checker of submissions: definitions, a questionnaire and a clock must be given")
	}
	groups, err := newGroupings()
	if err != nil {
		return nil, err
	}
	return &Checker{cfg: cfg, groups: groups}, nil
}

// definition finds a measure.
func (c *Checker) definition(id string) (*measure.Definition, bool) {
	for i := range c.cfg.Definitions {
		if c.cfg.Definitions[i].ID == id {
			return &c.cfg.Definitions[i], true
		}
	}
	return nil, false
}

// Check reads a submission of a member and refuses, with a *RefusedError, everything that it must not
// hold: what is not in its form, what says more than codes and counts, counts of 1 to 10, and counts
// from which one can be told.
func (c *Checker) Check(text []byte, member string) (Submission, error) {
	s, err := c.Decode(text)
	if err != nil {
		return Submission{}, err
	}
	var f faults
	if s.Member != member {
		f.add("Bundle.entry[0].resource.agent[0]", "it is not the member who hands in")
	}
	c.manifest(&f, s)
	at := 1
	for i := range s.Reports {
		c.report(&f, fmt.Sprintf("Bundle.entry[%d].resource", at), &s.Reports[i])
		at++
	}
	if s.Adoption != nil {
		c.adoption(&f, fmt.Sprintf("Bundle.entry[%d].resource", at), s.Adoption)
		at++
	}
	for i := range s.Actions {
		c.action(&f, fmt.Sprintf("Bundle.entry[%d].resource", at+i), &s.Actions[i], s.Period)
	}
	if len(f) == 0 {
		// What follows takes the shape of the tables for granted.
		c.disclosure(&f, s.Reports)
	}
	return s, f.err()
}

var (
	softwareForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+-]{0,31}$`)
	digestForm   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// skew is how far the clock of a member may be ahead.
const skew = 5 * time.Minute

func (c *Checker) manifest(f *faults, s Submission) {
	const at = "Bundle.entry[0].resource"
	now := c.cfg.Now().UTC()
	if _, _, err := readiness.Name(s.Period); err != nil {
		f.add(at+".occurredPeriod", "it is not a calendar year, quarter or month")
	}
	if !now.After(s.Period.End.AddDate(0, 0, 1)) {
		f.add(at+".occurredPeriod", "it is not over")
	}
	if s.Created.After(now.Add(skew)) || !s.Created.After(s.Period.End.AddDate(0, 0, 1)) {
		f.add(at+".recorded", "it is in the future, or before the period is over")
	}
	switch s.Reason {
	case Initial, Progress, Correction:
	default:
		f.add(at+".reason", "it is none of initial, progress, correction")
	}
	if !softwareForm.MatchString(s.Software) {
		f.add(at+".agent[1]", "it is not a version of a program")
	}
	if !digestForm.MatchString(s.Snapshot) {
		f.add(at+".entity[0]", "it is not a SHA-256 digest in hexadecimal")
	}
}

func (c *Checker) report(f *faults, at string, r *Report) {
	d, _ := c.definition(r.Measure)
	rates := d.Rates()
	if r.Version != d.Version || !pools(d) || len(r.Rates) != len(rates) {
		f.add(at+".measure", "it is not a measure of the network in its version %s, with all its rates", d.Version)
		return
	}
	for i := range r.Rates {
		path := fmt.Sprintf("%s.group[%d]", at, i)
		if r.Rates[i].ID != rates[i].ID {
			f.add(path+".id", "the rates are not those of the measure in their order")
			return
		}
		wanted := populations(rates[i])
		if r.Rates[i].Whole.hidden() {
			f.add(path, "the figures of everybody are hidden")
		}
		c.figure(f, path, r.Rates[i].Whole, wanted)
		var seen []string
		for j, t := range r.Rates[i].Tables {
			place := fmt.Sprintf("%s.stratifier[%d]", path, j)
			if slices.Contains(seen, t.By) || len(t.Rows) == 0 {
				f.add(place, "it has no strata, or its dimension is there twice")
			}
			seen = append(seen, t.By)
			c.table(f, place, t, wanted)
		}
	}
}

func (c *Checker) table(f *faults, at string, t Table, wanted []measure.Population) {
	var keys []string
	for i, row := range t.Rows {
		path := fmt.Sprintf("%s.stratum[%d]", at, i)
		if !c.groups.valid(t.By, row.Key) || slices.Contains(keys, row.Key) {
			f.add(path+".value", "it is not a group of this dimension, or is there twice")
		}
		keys = append(keys, row.Key)
		c.figure(f, path, row.Figure, wanted)
	}
}

// figure checks the sizes of a cell by themselves.
func (c *Checker) figure(f *faults, at string, of Figure, wanted []measure.Population) {
	for _, p := range wanted {
		if _, ok := of.Sizes[p]; !ok {
			f.add(at, "the population %s is missing", p)
		}
	}
	if len(of.Sizes) != len(wanted) {
		f.add(at, "the populations are not those of the measure")
		return
	}
	for i, p := range wanted {
		size := of.Sizes[p]
		if size == nil {
			continue
		}
		path := fmt.Sprintf("%s.population[%d].count", at, i)
		switch {
		case *size < 0 || *size > math.MaxInt32:
			f.add(path, "it is not a count")
		case disclose.Small(*size):
			f.add(path, "it is 1 to 10, which must be hidden")
		}
	}
}

func (c *Checker) adoption(f *faults, at string, a *Adoption) {
	ours := c.cfg.Questionnaire
	major := func(version string) string { number, _, _ := strings.Cut(version, "."); return number }
	if !softwareForm.MatchString(a.Questionnaire) || major(a.Questionnaire) != major(ours.Version) {
		f.add(at+".questionnaire", "its answers cannot be compared with those of version %s", ours.Version)
		return
	}
	for item := range a.Levels {
		if _, _, ok := ours.Item(item); !ok {
			f.add(at+".item", "it answers an item that the questionnaire does not have")
		}
	}
}

// maxGroups bounds the groups of one action.
const maxGroups = 30

func (c *Checker) action(f *faults, at string, a *Action, period measure.Period) {
	if !slices.ContainsFunc(review.Factors(), func(x review.Concept) bool { return x.Code == string(a.Cause) }) {
		f.add(at+".code", "it is not a factor of inequity")
	}
	d, ok := c.definition(a.Measure)
	if !ok || !slices.ContainsFunc(d.Rates(), func(r measure.GroupDefinition) bool { return r.ID == a.Rate }) {
		f.add(at+".input", "the figure is not one of the network")
	}
	if !slices.Contains(Dimensions(), a.Dimension) || len(a.Groups) == 0 || len(a.Groups) > maxGroups ||
		slices.ContainsFunc(a.Groups, func(key string) bool { return !c.groups.valid(a.Dimension, key) }) {
		f.add(at+".input", "the groups are not those of a dimension")
	}
	start, err := time.Parse(time.DateOnly, a.Start)
	if err != nil || start.After(period.End) {
		f.add(at+".executionPeriod.start", "it is not a day before the end of the period")
	}
	outcomes := []action.Outcome{
		action.Reduced, action.NoChange, action.Widened, action.Undetermined, action.NotDone,
	}
	switch a.State {
	case Running:
		if a.Outcome != "" {
			f.add(at+".output", "an action that goes on has no outcome")
		}
	case Completed, GivenUp:
		if !slices.Contains(outcomes, action.Outcome(a.Outcome)) ||
			(a.State == GivenUp) != (a.Outcome == string(action.NotDone)) {
			f.add(at+".output", "the outcome is not one of an action that is over in this way")
		}
		if a.State == GivenUp && a.Demonstrated {
			f.add(at+".output", "what was given up has demonstrated nothing")
		}
	default:
		f.add(at+".status", "it is none of in-progress, completed, cancelled")
	}
}
