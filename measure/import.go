package measure

import "github.com/equitylens/equitylens/internal/phi"

// Import is a measure that another engine computed over one period: who is in which population. The
// strata are ours.
type Import struct {
	// Measure is the id by which the measure is asked for. If a definition has it, "-imported" is added.
	Measure string
	Version string
	Title   string
	// URL is the canonical of the measure at its origin, without the version.
	URL         string
	Scoring     Scoring
	Improvement Improvement
	// Unit is what the other engine counted.
	Unit   Unit
	Period Period
	// Rates lists the groups by id and title; their populations are not read.
	Rates   []GroupDefinition
	Members []ImportedMember
}

// ImportedMember is one unit and what it is to one rate.
type ImportedMember struct {
	Patient phi.ID
	// Unit is the id of the Encounter or AdverseEvent, if the other engine said it. A unit that it did
	// not say has the groups of its patient.
	Unit phi.ID
	// Rate is the id of one of the Rates.
	Rate string
	In   []Population
	// Observed is as in a MemberRate.
	Observed map[Population]float64
}
