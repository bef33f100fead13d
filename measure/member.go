package measure

import (
	"time"

	"github.com/equitylens/equitylens/internal/phi"
)

// Member is one unit of the initial population of a measure, or of that of a numerator. It names a
// person: only individual reports, subject lists and explanations are made of it.
type Member struct {
	Patient phi.ID
	// Unit is the id of the Encounter or AdverseEvent; empty where the unit is the patient.
	Unit phi.ID
	// UnitType is Patient, Encounter or AdverseEvent.
	UnitType string
	// Day is when the unit took place, by the date that the measure counts it by; zero where the unit is
	// the patient, or where the measure is imported and says no unit.
	Day time.Time
	// Rates are those of the measure, in its order; one that the unit is in no population of has none.
	Rates []MemberRate
	// Strata maps a dimension to the values of the unit: one, or several where the race policy makes
	// groups that overlap.
	Strata map[string][]Coding
}

// MemberRate is what one unit is to one rate.
type MemberRate struct {
	// ID is that of the group.
	ID string
	// In lists the populations that the unit is in, in the order of their evaluation.
	In []Population
	// Observed is what the unit adds to a population that observes a number. A population that the unit
	// is in and that is not here observed nothing.
	Observed map[Population]float64
}
