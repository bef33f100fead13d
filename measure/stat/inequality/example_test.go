package inequality_test

import (
	"fmt"

	"github.com/equitylens/equitylens/measure/stat/inequality"
)

// Three groups by language, which has no order: the share of visits with an interpreter documented.
func Example() {
	result, err := inequality.Summarise(inequality.Input{
		Direction: inequality.Favourable,
		Scale:     100,
		Groups: []inequality.Group{
			{Estimate: 80, Population: 600},
			{Estimate: 60, Population: 300},
			{Estimate: 50, Population: 100},
			{Estimate: 40, Population: 250, Unknown: true},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("mean %.1f, %.0f people of unknown language\n", *result.Mean, result.Unknown)
	for _, m := range []inequality.Measure{inequality.D, inequality.MDBW, inequality.SII} {
		if v, ok := result.Value(m, m.Recommended()); ok {
			fmt.Printf("%s: %.1f\n", m.Title(), v.Estimate)
			continue
		}
		reason, _ := result.Refusal(m, m.Recommended())
		fmt.Printf("%s: refused, %s\n", m.Title(), reason)
	}
	// Output:
	// mean 71.0, 250 people of unknown language
	// difference: 30.0
	// mean difference from the best group, weighted: 9.0
	// slope index of inequality: refused, needs-order
}
