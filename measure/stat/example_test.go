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
