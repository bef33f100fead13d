package measure

import (
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

// Question is what is asked of a measure. Only Measure and Period must be set.
type Question struct {
	// Measure is the id of a definition.
	Measure string
	Period  Period
	// By lists dimensions, or up to three joined by *.
	By []string
	// Policy says how recorded races become groups. Empty leaves race, ethnicity and race_ethnicity as
	// docs/mapping.md defines them.
	Policy mapping.Policy
	// Where keeps some units only.
	Where Filter
	// People, if it is not nil, keeps the units of these patients only.
	People []phi.ID
	// Bounds asks what the score of each stratum would be if those of unknown group belonged to it.
	Bounds bool
}

// Filter keeps the units whose value of each named dimension is one of those listed: codes, or "~" and
// a state.
type Filter map[string][]string
