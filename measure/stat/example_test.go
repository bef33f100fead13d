package stat_test

import (
	"fmt"

	"github.com/equitylens/equitylens/measure/stat"
)

// Of 36 visits of one group 4 ended before the patient was seen, and of 90 visits of another 3.
func Example() {
	lo, hi := stat.Wilson(4, 36)
	fmt.Printf("%.3f, 95 %% interval %.3f to %.3f\n", 4.0/36, lo, hi)
	lo, hi = stat.Newcombe(4, 36, 3, 90)
	fmt.Printf("difference %.3f, %.3f to %.3f\n", 4.0/36-3.0/90, lo, hi)
	// Output:
	// 0.111, 95 % interval 0.044 to 0.253
	// difference 0.078, -0.012 to 0.221
}

// Two sites see the same groups with the same results, and one site sees more of one group: the
// overall difference lies between the sites.
func ExampleDecompose() {
	p, _ := stat.Decompose([]stat.Layer{
		{Group: stat.Count{Events: 40, Of: 80}, Reference: stat.Count{Events: 10, Of: 20}},
		{Group: stat.Count{Events: 2, Of: 20}, Reference: stat.Count{Events: 8, Of: 80}},
	})
	fmt.Printf("%.2f: %.2f within the sites and %.2f between them\n", p.Crude, p.Within, p.Between)
	// Output:
	// 0.24: 0.00 within the sites and 0.24 between them
}
