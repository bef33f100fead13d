package scope_test

import (
	"fmt"

	"github.com/equitylens/equitylens/auth/scope"
)

// A client that asks for everything is granted the part that it is registered for.
func ExampleNarrow() {
	asked, _ := scope.ParseSet("system/*.rs")
	allowed, _ := scope.ParseSet("system/Measure.rs system/MeasureReport.r")
	fmt.Println(scope.Narrow(asked, allowed))
	// Output: system/Measure.rs system/MeasureReport.r
}
