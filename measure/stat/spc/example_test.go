package spc_test

import (
	"fmt"

	"github.com/equitylens/equitylens/measure/stat/spc"
)

// Emergency visits that ended before the patient was seen, of 100 a month. After the twelfth month
// an interpreter was on call; the months before set the limits.
func Example() {
	var months []spc.Subgroup
	for _, left := range []float64{12, 9, 11, 14, 8, 12, 10, 13, 9, 11, 12, 11, 6, 7, 5, 8, 6, 7, 6,
		5} {
		months = append(months, spc.Subgroup{Count: left, Size: 100})
	}
	advice, err := spc.Choose(spc.Proportion, months)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(advice.Kind, "chart:", advice.Because.Says())

	chart, err := spc.New(advice.Kind, months, spc.Config{Baseline: 12})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("centre %.3f, limits %.3f to %.3f\n",
		chart.Phases[0].Centre, chart.Points[0].Lower, chart.Points[0].Upper)
	for _, signal := range chart.Signals(spc.Shewhart()...) {
		fmt.Println(signal.Rule, signal.Side, signal.Indices)
		fmt.Println(signal.Rule.Says())
	}
	// Output:
	// p chart: The points vary as sampling would have it.
	// centre 0.110, limits 0.016 to 0.204
	// shewhart-8-one-side below [12 13 14 15 16 17 18 19]
	// Eight or more points in a row lie on one side of the centre line.
}
