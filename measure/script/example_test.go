package script_test

import (
	"context"
	"fmt"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/measure/script"
)

func ExampleRunner_Run() {
	s, err := script.Parse("telehealth.test", []byte(`
load
  patient language=en x2
  encounter patient=all class=AMB start=2026-06-01 end=2026-06-01 x3
  encounter patient=all class=VR  start=2026-06-01 end=2026-06-01 x1

eval telehealth-share by language_group period 2026
  english 1/4 0.333
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	shipped, err := measure.Load(catalog.Files())
	if err != nil {
		fmt.Println(err)
		return
	}
	runner := script.Runner{Definitions: shipped, Now: clock()}
	failures, err := runner.Run(context.Background(), s)
	for _, f := range failures {
		fmt.Println(f)
	}
	fmt.Println(err)
	// Output:
	// telehealth.test:7: eval telehealth-share by language_group period 2026
	//     - line 8: english 1/4 0.333
	//     + english 1/4 0.250
	// <nil>
}
