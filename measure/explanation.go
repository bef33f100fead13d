package measure

import (
	"time"

	"github.com/equitylens/equitylens/internal/phi"
)

// Explanation says why one person is where the figures of a measure put them.
type Explanation struct {
	Measure  string
	Version  string
	Title    string
	Snapshot string
	DataAsOf time.Time
	Period   Period
	// Patient is who the units belong to: the survivor, where the record that was asked for was merged.
	Patient phi.ID
	// Records are the ids of all records of the person, retired ones included.
	Records []phi.ID
	// Fields are the equity fields of the person, as mapped.
	Fields []EquityField
	// Units are those of the measure's view that the period holds, in any population or in none.
	Units []ExplainedUnit
}

// EquityField is one equity field of a person.
type EquityField struct {
	// Field is a dimension, or race_set or spd15_set.
	Field string
	Coding
	// From is the path of the element that settled it; empty if nothing did.
	From string
}

// Resource is what a server holds under a type and an id.
type Resource struct {
	Type string
	ID   phi.ID
}

// ExplainedUnit is one row of the measure's view.
type ExplainedUnit struct {
	// Day is when the unit took place; zero where the unit is the patient.
	Day time.Time
	// Resources are what put the unit there: itself first, then what it is linked to.
	Resources []Resource
	// Strata maps each dimension to the values of the unit, as in a Member.
	Strata map[string][]Coding
	Rates  []ExplainedRate
}

// ExplainedRate is what one unit is to one rate, and why.
type ExplainedRate struct {
	ID          string
	Title       string
	Populations []ExplainedPopulation
	// Observed is as in a MemberRate.
	Observed map[Population]float64
}

// ExplainedPopulation is one condition and its outcome for one unit.
type ExplainedPopulation struct {
	Population Population
	// Expression is as the measure has it; empty where another engine decided.
	Expression string
	// Holds says that the expression is true of the unit, In that the unit is in the population: a
	// numerator may hold of a unit that is excluded.
	Holds bool
	In    bool
	// Columns are those that the expression names.
	Columns []ColumnValue
}

// ColumnValue is what a column of the view holds for a unit.
type ColumnValue struct {
	Column string
	// Value is empty where Null.
	Value string
	Null  bool
}
