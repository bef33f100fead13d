package network

import (
	"strings"

	"github.com/equitylens/equitylens/measure"
)

// numbers are what a rate counts, each under a name that another rate shares if it counts the same
// people: hiding a number in one report and showing it in another would hide nothing.
type numbers struct {
	// of are the numbers of the populations.
	of map[measure.Population]string
	// sums are the numbers that are sums of others in every group of people. Some of their parts are in
	// no report: those who meet the measure and those who do not, and who is in no denominator.
	sums []numberSum
}

type numberSum struct {
	whole string
	parts []string
}

// joint keeps the parts of a name apart.
const joint = "\x1f"

// numbersOf names the numbers of a rate by the expressions that define them.
func numbersOf(d *measure.Definition, rate measure.GroupDefinition) numbers {
	text := func(p measure.Population) string {
		if t := strings.TrimSpace(rate.Populations[p]); t != "true" {
			return t
		}
		return ""
	}
	name := func(parts ...string) string { return strings.Join(parts, joint) }
	initial := name(string(d.Unit), d.DatedBy, text(measure.InitialPopulation))
	n := numbers{of: map[measure.Population]string{measure.InitialPopulation: initial}}
	whole := initial
	observed := d.Observe[measure.Denominator]
	if t := text(measure.Denominator); t != "" || observed != "" {
		whole = name(initial, "denominator", t, observed)
	}
	n.of[measure.Denominator] = whole
	if whole != initial && observed == "" {
		n.add(initial, whole, name(whole, "rest"))
	}
	excluded, excepted := text(measure.DenominatorExclusion), text(measure.DenominatorException)
	numerator := name("numerator", text(measure.Numerator), text(measure.NumeratorInitial),
		d.Observe[measure.Numerator])
	met := name(whole, "less", excluded, numerator)
	n.of[measure.Numerator] = met
	parts := []string{}
	if strings.TrimSpace(rate.Populations[measure.DenominatorExclusion]) != "" {
		n.of[measure.DenominatorExclusion] = name(whole, "excluded", excluded)
		parts = append(parts, n.of[measure.DenominatorExclusion])
	}
	if strings.TrimSpace(rate.Populations[measure.DenominatorException]) != "" {
		n.of[measure.DenominatorException] = name(met, "excepted", excepted)
		parts = append(parts, n.of[measure.DenominatorException])
	}
	kept := met
	if left := strings.TrimSpace(rate.Populations[measure.NumeratorExclusion]); left != "" {
		n.of[measure.NumeratorExclusion] = name(met, "left out", left)
		kept = name(met, "kept", left)
		n.add(met, n.of[measure.NumeratorExclusion], kept)
	}
	if d.Scoring == measure.Proportion {
		n.add(whole, append(parts, kept, name(kept, excepted, "failed"))...)
	} else if len(parts) > 0 && observed == "" {
		n.add(whole, append(parts, name(whole, "eligible", excluded, excepted))...)
	}
	return n
}

func (n *numbers) add(whole string, parts ...string) {
	n.sums = append(n.sums, numberSum{whole, parts})
}

// all lists the numbers that are printed.
func (n *numbers) all() map[string]bool {
	names := map[string]bool{}
	for _, name := range n.of {
		names[name] = true
	}
	return names
}

// kinds lists what a rate counts: a stay is an encounter, and what a ratio observes above the line are
// events.
func kinds(d *measure.Definition) []string {
	kinds := []string{string(d.Unit)}
	if d.Unit == measure.StayUnit {
		kinds[0] = string(measure.EncounterUnit)
	}
	if d.Observe[measure.Numerator] != "" {
		kinds = append(kinds, string(measure.EventUnit))
	}
	return kinds
}
