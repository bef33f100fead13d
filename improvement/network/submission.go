package network

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// Submission is what a member hands in for one period.
type Submission struct {
	// Member is its id in the network.
	Member string
	Period measure.Period
	// Created is when it was put together, to the second.
	Created time.Time
	Reason  Reason
	// Software is the version of the program that made it.
	Software string
	// Snapshot is DigestOf the snapshot of the figures.
	Snapshot string
	// Reports are in the order of their measures.
	Reports []Report
	// Adoption is absent where the member has no assessment of the period.
	Adoption *Adoption
	// Actions are in the order that Encode gives them.
	Actions []Action
}

// Reason is why a submission was made.
type Reason string

// The reasons. Only the first submission for a period is Initial.
const (
	// Initial: there was none before.
	Initial Reason = "initial"
	// Progress: answers or actions have changed; the figures are those of before.
	Progress Reason = "progress"
	// Correction: figures were wrong.
	Correction Reason = "correction"
)

// Report is the released figures of one measure.
type Report struct {
	Measure string
	Version string
	Rates   []Rate
}

// Rate is one rate of a measure.
type Rate struct {
	ID string
	// Whole is of everybody; nothing of it is hidden.
	Whole  Figure
	Tables []Table
}

// Table is a rate by one dimension.
type Table struct {
	By   string
	Rows []Row
}

// Row is one stratum. Key is its code, or ~ and the state of a value that is not known.
type Row struct {
	Key string
	Figure
}

// Figure holds the sizes of populations; one that is hidden is nil.
type Figure struct {
	Sizes map[measure.Population]*int64
}

// Adoption is what the member answered of itself: levels, no comments.
type Adoption struct {
	// Questionnaire is the version that was answered.
	Questionnaire string
	Final         bool
	// Levels are by item; an item without an answer is not there.
	Levels map[string]int
}

// Action is what a member tells of one action.
type Action struct {
	Cause     review.Factor
	Measure   string
	Rate      string
	Dimension string
	Groups    []string
	// Start is the day from which it should show.
	Start string
	State ActionState
	// Outcome is what the member closed it with; empty while it is open.
	Outcome string
	// Demonstrated says that the member's own figures show the gap to be smaller, as the package
	// improvement/effect defines it. It does not say why.
	Demonstrated bool
}

// ActionState is a code of http://hl7.org/fhir/task-status.
type ActionState string

// The states. What is only planned is not handed in.
const (
	Running   ActionState = "in-progress"
	Completed ActionState = "completed"
	GivenUp   ActionState = "cancelled"
)

// Dimensions lists those by which figures are handed in: all but the site, whose names are the
// member's own.
func Dimensions() []string {
	return []string{
		mapping.DimensionRace, mapping.DimensionEthnicity, mapping.DimensionRaceEthnicity,
		mapping.DimensionLanguage, mapping.DimensionLanguageGroup, mapping.DimensionInterpreter,
		mapping.DimensionSex, mapping.DimensionAgeBand,
	}
}

// DigestOf is how a submission names a snapshot: the member can show which one it was, and nobody can
// tell its id.
func DigestOf(snapshot string) string {
	sum := sha256.Sum256([]byte("snapshot\n" + snapshot))
	return hex.EncodeToString(sum[:])
}

// IDOf is the id of the document that holds the submissions of a member for a period.
func IDOf(member string, period measure.Period) string {
	const length = 32
	sum := sha256.Sum256([]byte("submission\n" + member + "\n" + period.String()))
	return hex.EncodeToString(sum[:])[:length]
}
