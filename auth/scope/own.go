package scope

// The scopes of our own: what a program may do that no clinical scope of SMART can say. They cover
// nothing but themselves, and no clinical scope covers them, "system/*.cruds" included: each has
// to be registered by its name.
const (
	// Unsuppressed lets a program see figures of small groups. Without it a report is the public
	// release.
	Unsuppressed = "equitylens/unsuppressed"
	// Patients lets a program ask about single patients by name: individual reports and lists of
	// subjects. Every use is audited.
	Patients = "equitylens/patients"
	// Import lets a program hand in individual MeasureReports of another engine.
	Import = "equitylens/import"
)

// ownPrefix is what stands before the slash of a scope of ours.
const ownPrefix = "equitylens"

// Own lists the scopes of our own.
func Own() []string { return []string{Unsuppressed, Patients, Import} }
