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

// countsOf names the numbers of a rate by the expressions that define them.
func countsOf(d *measure.Definition, rate measure.GroupDefinition) counts {
	name := func(parts ...string) string { return strings.Join(parts, separator) }
	own := ""
	if d.Imported {
		own = d.ID + separator + d.Version + separator + rate.ID
	}
	expression := func(p measure.Population) string {
		text := strings.TrimSpace(rate.Populations[p])
		if text == "true" {
			return ""
		}
		return text
	}
	base := name(own, string(d.Unit), d.DatedBy)
	initial := name(base, expression(measure.InitialPopulation))
	c := counts{shown: map[measure.Population]string{measure.InitialPopulation: initial}}
	within := func(whole, kind, text string) string {
		if text == "" {
			return whole
		}
		return name(whole, kind, text)
	}
	nothing := func(whole, kind, text string) string { return name(whole, kind, text) }
	if d.Scoring == measure.ContinuousVariable {
		all := within(initial, "measured", expression(measure.MeasurePopulation)+own)
		observed := d.Observe[measure.MeasurePopulation]
		c.shown[measure.MeasurePopulation] = all
		c.shown[measure.MeasureExclusion] = nothing(all, "excluded",
			expression(measure.MeasureExclusion)+separator+observed)
		c.eligible = nothing(all, "eligible", expression(measure.MeasureExclusion)+separator+observed)
		c.part(initial, all)
		return c
	}
	if d.Scoring == measure.Cohort {
		return c
	}
	denominator := expression(measure.Denominator)
	if observed := d.Observe[measure.Denominator]; observed != "" {
		denominator += separator + "sum of " + observed
	}
	all := within(initial, "denominator", denominator)
	excluded, excepted := expression(measure.DenominatorExclusion), expression(measure.DenominatorException)
	numerator := expression(measure.Numerator) + separator + expression(measure.NumeratorInitial)
	c.shown[measure.Denominator] = all
	c.shown[measure.DenominatorExclusion] = nothing(all, "excluded", excluded)
	c.eligible = all
	if excluded != "" {
		c.eligible = name(all, "not excluded", excluded)
	}
	if excepted != "" {
		// An exception is only made of those who do not meet the numerator.
		c.shown[measure.DenominatorException] = name(c.eligible, "excepted", excepted, numerator)
		c.eligible = name(c.eligible, "not excepted", excepted, numerator)
	}
	counted := name(c.eligible, "numerator", numerator, d.Observe[measure.Numerator])
	c.shown[measure.Numerator] = counted
	c.met = counted
	if left := expression(measure.NumeratorExclusion); left != "" {
		c.shown[measure.NumeratorExclusion] = name(counted, "excluded", left)
		c.met = name(counted, "not excluded", left)
	}
	if d.Observe[measure.Denominator] == "" {
		c.part(initial, all)
	}
	if d.Scoring == measure.Proportion {
		c.failed = name(c.met, "failed")
	}
	return c
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
