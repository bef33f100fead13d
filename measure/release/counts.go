package release

import (
	"maps"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/disclose"
)

// counts are the numbers of one rate, each under a name that two rates share if they count the same:
// to hide a number in one and show it in the other would hide nothing.
type counts struct {
	// shown are the populations by their names. eligible is what the score is divided by and met what it
	// divides; failed is what met leaves of eligible, where it is a part of it.
	shown                 map[measure.Population]string
	eligible, met, failed string
	// rests are pairs of a number and a part of it.
	rests [][2]string
	// quiet says that only the score is shown, because a few are excluded altogether and the other
	// populations would tell how many.
	quiet bool
}

const separator = "\x1f"

// naming names the numbers of a rate by the expressions that define them.
type naming struct {
	d    *measure.Definition
	rate measure.GroupDefinition
}

func joined(parts ...string) string { return strings.Join(parts, separator) }

// of is the text of a population's expression; that of all is empty. What an imported rate counts has
// no expression, so that each of its numbers is its own.
func (n *naming) of(p measure.Population) string {
	if n.d.Imported {
		return joined(n.d.ID, n.d.Version, n.rate.ID, string(p))
	}
	if text := strings.TrimSpace(n.rate.Populations[p]); text != "true" {
		return text
	}
	return ""
}

// countsOf names the numbers of a rate.
func countsOf(d *measure.Definition, rate measure.GroupDefinition) counts {
	n := naming{d: d, rate: rate}
	initial := joined(string(d.Unit), d.DatedBy, n.of(measure.InitialPopulation))
	c := counts{shown: map[measure.Population]string{measure.InitialPopulation: initial}}
	switch d.Scoring {
	case measure.ContinuousVariable:
		n.continuous(&c, initial)
	case measure.Proportion, measure.Ratio:
		n.fraction(&c, initial)
	case measure.Cohort:
	}
	return c
}

// continuous names what a continuous variable counts.
func (n *naming) continuous(c *counts, initial string) {
	all := initial
	if text := n.of(measure.MeasurePopulation); text != "" {
		all = joined(initial, "measured", text)
	}
	left := joined(n.of(measure.MeasureExclusion), n.d.Observe[measure.MeasurePopulation])
	c.shown[measure.MeasurePopulation] = all
	c.shown[measure.MeasureExclusion] = joined(all, "excluded", left)
	c.eligible = joined(all, "eligible", left)
	c.part(initial, all)
}

// fraction names what a proportion or a ratio counts.
func (n *naming) fraction(c *counts, initial string) {
	denominator, observed := n.of(measure.Denominator), n.d.Observe[measure.Denominator]
	if observed != "" {
		denominator = joined(denominator, "sum of "+observed)
	}
	all := initial
	if denominator != "" {
		all = joined(initial, "denominator", denominator)
	}
	excluded, excepted := n.of(measure.DenominatorExclusion), n.of(measure.DenominatorException)
	numerator := joined(n.of(measure.Numerator), n.of(measure.NumeratorInitial))
	c.shown[measure.Denominator] = all
	c.shown[measure.DenominatorExclusion] = joined(all, "excluded", excluded)
	c.eligible = all
	if excluded != "" {
		c.eligible = joined(all, "not excluded", excluded)
	}
	if excepted != "" {
		// An exception is only made of those who do not meet the numerator.
		c.shown[measure.DenominatorException] = joined(c.eligible, "excepted", excepted, numerator)
		c.eligible = joined(c.eligible, "not excepted", excepted, numerator)
	}
	c.met = joined(c.eligible, "numerator", numerator, n.d.Observe[measure.Numerator])
	c.shown[measure.Numerator] = c.met
	if left := n.of(measure.NumeratorExclusion); left != "" {
		c.shown[measure.NumeratorExclusion] = joined(c.met, "excluded", left)
		c.met = joined(c.met, "not excluded", left)
	}
	if observed == "" && (n.d.Scoring == measure.Proportion || !n.d.Imported) {
		c.part(initial, all)
	}
	if n.d.Scoring == measure.Proportion {
		c.failed = joined(c.met, "failed")
	}
}

// part notes that one number is a part of another, unless it is the same.
func (c *counts) part(whole, part string) {
	if whole != part {
		c.rests = append(c.rests, [2]string{whole, part})
	}
}

// sums are the numbers that are sums of others in every stratum.
func (c *counts) sums() map[string][]string {
	all := map[string][]string{}
	whole, excluded := c.shown[measure.Denominator], c.shown[measure.DenominatorExclusion]
	if whole == "" {
		whole, excluded = c.shown[measure.MeasurePopulation], c.shown[measure.MeasureExclusion]
	}
	if c.eligible != whole {
		all[whole] = []string{excluded, c.eligible}
		if excepted := c.shown[measure.DenominatorException]; excepted != "" {
			all[whole] = append(all[whole], excepted)
		}
	}
	if left := c.shown[measure.NumeratorExclusion]; left != "" {
		all[c.shown[measure.Numerator]] = []string{left, c.met}
	}
	if c.failed != "" {
		all[c.eligible] = append(all[c.eligible], c.met, c.failed)
	}
	return all
}

// judge looks at the figures of everybody. Where few meet the measure, or few do not, nothing can be
// shown: the strata would be protected by nothing. Where few are left out of it, the score can.
func (c *counts) judge(everybody measure.Cell) error {
	values := c.values(everybody)
	for number, value := range values {
		if !disclose.Small(int64(value)) {
			continue
		}
		if number == c.eligible || number == c.met || number == c.failed || c.eligible == "" ||
			number == c.shown[measure.Numerator] || number == c.shown[measure.NumeratorExclusion] {
			return errFew
		}
		c.quiet = true
	}
	for _, pair := range c.rests {
		c.quiet = c.quiet || disclose.Small(int64(values[pair[0]]-values[pair[1]]))
	}
	return nil
}

// secrets are the numbers that a quiet rate keeps to itself.
func (c *counts) secrets() []string {
	if !c.quiet {
		return nil
	}
	return slices.DeleteFunc(c.numbers(), func(number string) bool {
		return number == c.eligible || number == c.met || number == c.failed
	})
}

// score lists the numbers that a score tells.
func (c *counts) score(at cellName) []cellName {
	if c.eligible == "" {
		return nil
	}
	names := []cellName{at.of(c.eligible)}
	if c.met != "" {
		names = append(names, at.of(c.met))
	}
	return names
}

// numbers lists the names of all numbers.
func (c *counts) numbers() []string {
	all := append(slices.Collect(maps.Values(c.shown)), c.eligible, c.met, c.failed)
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(name string) bool { return name == "" })
}

// values are the numbers of a cell by their names.
func (c *counts) values(of measure.Cell) map[string]float64 {
	values := map[string]float64{}
	for population, number := range c.shown {
		values[number] = of.Populations[population]
	}
	eligible := of.Populations[measure.Denominator] - of.Populations[measure.DenominatorExclusion] -
		of.Populations[measure.DenominatorException] + of.Populations[measure.MeasurePopulation] -
		of.Populations[measure.MeasureExclusion]
	met := of.Populations[measure.Numerator] - of.Populations[measure.NumeratorExclusion]
	if c.eligible != "" {
		values[c.eligible] = eligible
	}
	if c.met != "" {
		values[c.met] = met
	}
	if c.failed != "" {
		values[c.failed] = eligible - met
	}
	return values
}
