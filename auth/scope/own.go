package scope

// The scopes of our own: what no clinical scope of SMART can say. They cover nothing but themselves,
// and no clinical scope covers them, "system/*.cruds" included: each has to be registered by its name.
const (
	// Unsuppressed shows figures of small groups. Without it a report is the public release.
	Unsuppressed = "equitylens/unsuppressed"
	// Patients answers questions about single patients by name: individual reports and lists of
	// subjects. Every use is audited.
	Patients = "equitylens/patients"
	// Import hands in individual MeasureReports of another engine, and harm events of incident systems.
	Import = "equitylens/import"
	// Review reads harm events with what is known of their patients, and reads and writes their equity
	// reviews, but for the free text.
	Review = "equitylens/review"
	// Narrative reads and writes the free text of reviews, which may name people.
	Narrative = "equitylens/narrative"
	// Improve reads and writes actions, declared conditions and assessments.
	Improve = "equitylens/improve"
	// Submit hands in what a member of a network shares, and reads what members share.
	Submit = "equitylens/submit"
	// Sync starts the run that pulls from the EHR, and reads how it went.
	Sync = "equitylens/sync"
	// Admin ends the sessions and tokens of a person or a program.
	Admin = "equitylens/admin"
	// Introspect asks the authorization server about a token of another.
	Introspect = "equitylens/introspect"
)

// ownPrefix is what stands before the slash of a scope of ours.
const ownPrefix = "equitylens"

// Own lists the scopes of our own.
func Own() []string {
	return []string{Unsuppressed, Patients, Import, Review, Narrative, Improve, Submit, Sync, Admin, Introspect}
}
