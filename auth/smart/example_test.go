package smart_test

import (
	"errors"
	"fmt"

	"github.com/equitylens/equitylens/auth/smart"
)

// Where a sign-in leads back to is a path of ours, however it is written.
func ExampleCheckNext() {
	for _, next := range []string{"/account?lang=es", "//evil.example", "/\\evil.example", "https:evil.example"} {
		fmt.Println(next, errors.Is(smart.CheckNext(next), smart.ErrRequest))
	}
	// Output:
	// /account?lang=es false
	// //evil.example true
	// /\evil.example true
	// https:evil.example true
}
