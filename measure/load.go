package measure

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Load reads every *.yaml file of a folder as a definition, in the order of their ids. All faults of
// all files are reported at once.
func Load(files fs.FS) ([]Definition, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list definitions: %w", err)
	}
	var definitions []Definition
	var faults []error
	if other, _ := fs.Glob(files, "*.yml"); len(other) > 0 {
		faults = append(faults, fmt.Errorf("%s: the name of a definition ends in .yaml", other[0]))
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			faults = append(faults, fmt.Errorf("read %s: %w", name, err))
			continue
		}
		d, err := ParseDefinition(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", path.Base(name), err))
			continue
		}
		definitions = append(definitions, d)
	}
	slices.SortFunc(definitions, func(a, b Definition) int { return strings.Compare(a.ID, b.ID) })
	for i := 1; i < len(definitions); i++ {
		if definitions[i].ID == definitions[i-1].ID {
			faults = append(faults, fmt.Errorf("measure %s is defined twice", definitions[i].ID))
		}
	}
	return definitions, errors.Join(faults...)
}

// ParseDefinition reads one definition. An unknown key is an error.
func ParseDefinition(text []byte) (Definition, error) {
	d, err := decodeDefinition(text)
	if err != nil {
		return Definition{}, err
	}
	if d.Improvement == "" {
		d.Improvement = Context
	}
	return d, errors.Join(d.faults()...)
}

// decodeDefinition reads YAML. The decoder panics on some files, such as one with a tag before a single
// value where a list belongs; an analyst is told that the file cannot be read.
func decodeDefinition(text []byte) (d Definition, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			d, err = Definition{}, fmt.Errorf("read YAML: not a definition, or one with tags: %v", broken)
		}
	}()
	if err := yaml.UnmarshalWithOptions(text, &d, yaml.Strict()); err != nil {
		return Definition{}, errors.New(strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	return d, nil
}

var measureID = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// faults says everything that is wrong with a definition but its SQL.
func (d *Definition) faults() []error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(!measureID.MatchString(d.ID), "id: %q is not lower-case words joined by hyphens", d.ID)
	fault(d.Version == "", "version: missing")
	if _, err := time.Parse(dayLayout, d.Date); d.Date != "" {
		fault(err != nil, "date: %q is not a day such as 2026-11-22", d.Date)
	}
	fault(d.Title == "", "title: missing")
	fault(d.Says == "", "says: missing; one plain sentence that a reader of the figure needs")
	fault(d.Source == "", "source: missing; where the definition comes from")
	fault(len(d.Needs) == 0, "needs: missing; the resource types without which the answer is incomplete")
	for _, name := range d.Needs {
		fault(!slices.Contains([]string{"Patient", "Encounter", "AdverseEvent"}, name),
			"needs: %q is none of Patient, Encounter, AdverseEvent", name)
	}
	dates, ok := datesOf[d.Unit]
	fault(!ok, "unit: %q is none of patient, encounter, stay, event", d.Unit)
	fault(ok && !slices.Contains(dates, d.DatedBy), "dated_by: the unit %s is dated by %s, not %q",
		d.Unit, strings.Join(dates, " or "), d.DatedBy)
	faults = slices.Concat(faults, d.wordFaults(), d.scoringFaults())
	for _, name := range d.NotBy {
		fault(!slices.Contains(Dimensions(), name), "not_by: %q is no dimension", name)
	}
	seen := map[string]bool{}
	for i, g := range d.Groups {
		for _, name := range g.NotBy {
			fault(!slices.Contains(Dimensions(), name), "groups[%d].not_by: %q is no dimension", i, name)
		}
		fault(!measureID.MatchString(g.ID), "groups[%d].id: %q is not lower-case words joined by hyphens", i, g.ID)
		fault(seen[g.ID], "groups[%d].id: %q is there twice", i, g.ID)
		seen[g.ID] = true
	}
	fault(d.Per < 0, "per: %g is not above 0", d.Per)
	fault(d.Per != 0 && d.Scoring != Ratio, "per: a %s has none; it scales a ratio", d.Scoring)
	fault(d.Above != nil && d.Scoring != ContinuousVariable,
		"above: a %s has none; it is a threshold of a continuous-variable", d.Scoring)
	fault(d.Aggregate != "" && d.Scoring != ContinuousVariable,
		"aggregate: a %s has none; it scores a continuous-variable", d.Scoring)
	fault(d.Aggregate != "" && !slices.Contains(Aggregates(), d.Aggregate),
		"aggregate: %q is none of median, mean, p90, sum, count", d.Aggregate)
	fault(len(d.Groups) > 1 && d.Scoring == ContinuousVariable,
		"groups: a continuous-variable has one rate; make a measure of each")
	for _, x := range d.expressions() {
		if err := expressionFault(x.text); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", x.place, err))
		}
	}
	for _, g := range d.Rates() {
		fault(!slices.Contains([]Improvement{Increase, Decrease, Context}, g.Improvement),
			"improvement: %q is none of increase, decrease, context", g.Improvement)
	}
	return faults
}

// datesOf lists the dates by which a unit can be placed in a period.
var datesOf = map[Unit][]string{
	PatientUnit:   {"period"},
	EncounterUnit: {"start", "end"},
	StayUnit:      {"start", "end"},
	EventUnit:     {"date"},
}

func (d *Definition) scoringFaults() []error {
	required, optional := populationsOf(d.Scoring)
	if required == nil {
		return []error{fmt.Errorf("scoring: %q is none of proportion, ratio, "+
			"continuous-variable, cohort", d.Scoring)}
	}
	var faults []error
	for _, g := range d.Rates() {
		for _, p := range required {
			if strings.TrimSpace(g.Populations[p]) == "" {
				faults = append(faults, fmt.Errorf("group %s: a %s needs the population %s", g.ID, d.Scoring, p))
			}
		}
		for p := range g.Populations {
			if !slices.Contains(required, p) && !slices.Contains(optional, p) {
				faults = append(faults, fmt.Errorf("group %s: a %s has no population %s", g.ID, d.Scoring, p))
			}
		}
	}
	observed, must := observable(d.Scoring)
	for _, p := range observed {
		if must && d.Observe[p] == "" {
			faults = append(faults, fmt.Errorf("observe: a %s needs what its %s observes", d.Scoring, p))
		}
	}
	for p := range d.Observe {
		if !slices.Contains(observed, p) {
			faults = append(faults, fmt.Errorf("observe: a %s observes nothing of its %s", d.Scoring, p))
		}
	}
	return faults
}

// Combine adds a site's own definitions to those that ship. An id that ships is taken.
func Combine(shipped, own []Definition) ([]Definition, error) {
	all := slices.Concat(shipped, own)
	slices.SortStableFunc(all, func(a, b Definition) int { return strings.Compare(a.ID, b.ID) })
	for i := 1; i < len(all); i++ {
		if all[i].ID == all[i-1].ID {
			return nil, fmt.Errorf("measure %s ships with the program; give yours an id of its own", all[i].ID)
		}
	}
	return all, nil
}
