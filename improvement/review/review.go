package review

import (
	"time"

	"github.com/equitylens/equitylens/internal/phi"
)

// Answer says whether inequity was a contributing factor: a code of
// https://equitylens.org/fhir/CodeSystem/inequity-contribution.
type Answer string

// The answers. An event of which nobody asked has none of them.
const (
	Yes          Answer = "yes"
	No           Answer = "no"
	Undetermined Answer = "undetermined"
)

// Factor is in which way inequity contributed: a code of
// https://equitylens.org/fhir/CodeSystem/inequity-factor.
type Factor string

// The factors.
const (
	LanguageAccess Factor = "language-access"
	DigitalAccess  Factor = "digital-access"
	Bias           Factor = "bias"
	Transport      Factor = "access-transport"
	Policy         Factor = "policy-triage"
	Discrimination Factor = "discrimination"
	Data           Factor = "data"
	OtherFactor    Factor = "other"
)

// Detection is how an event came to be known: a code of
// https://equitylens.org/fhir/CodeSystem/event-detection. Events that came to be known in different
// ways are never counted together: what is reported depends on who reports.
type Detection string

// The ways.
const (
	// Reported: somebody filed a report.
	Reported Detection = "reported"
	// Triggered: a rule over the record found it.
	Triggered Detection = "triggered"
	// FoundInReview: somebody found it who was reading the record for another reason.
	FoundInReview Detection = "review"
)

// Key names an event: the source that gave it and its id there.
type Key struct {
	Source string
	ID     phi.ID
}

// Reviewer is who answers.
type Reviewer struct {
	// Subject is the pseudonym by which the audit trail knows them.
	Subject string `json:"subject"`
	// Name is how colleagues know them; never in anything that leaves the institution.
	Name string `json:"name,omitempty"`
}

// Opinion is what one reviewer answered. Evidence and Else are free text, which may hold what names a
// patient: it needs a scope of its own, and is in no log, no export and no submission.
type Opinion struct {
	Reviewer  Reviewer  `json:"reviewer"`
	At        time.Time `json:"at"`
	Answer    Answer    `json:"answer"`
	Factors   []Factor  `json:"factors,omitempty"`
	Detection Detection `json:"detection"`
	// Evidence is what the answer rests on; Else is what else contributed.
	Evidence string `json:"evidence,omitempty"`
	Else     string `json:"else,omitempty"`
}

// State is where a review stands.
type State string

// The states.
const (
	// Open: nobody has answered.
	Open State = "open"
	// Waiting: one has answered where two are asked.
	Waiting State = "waiting"
	// Disagreed: two answers differ, and somebody has to settle it.
	Disagreed State = "disagreed"
	// Settled: there is an answer.
	Settled State = "settled"
)

// Review is the review of one event.
type Review struct {
	// ID is a digest of Key: it can stand in an address, where the id of an event must not.
	ID  string
	Key Key
	// Needed is how many reviewers the configuration asks for: 1 or 2.
	Needed int
	State  State
	// Opinions are in the order in which they came; the last of a reviewer counts. In a review of two
	// the second reviewer does not see the first opinion before giving their own.
	Opinions []Opinion
	// Settlement is the answer, when there is one.
	Settlement *Settlement
	// Reopenings are in the order in which they came. After one, the opinions before it count no more.
	Reopenings []Reopening
	// Seen is what was known of the event when the review was last written: of an event that its source
	// has withdrawn it is all there is.
	Seen Particulars
	// Version is that of the document in the store; 0 while nobody has answered.
	Version int
}

// Settlement is what a review came to.
type Settlement struct {
	Answer    Answer    `json:"answer"`
	Factors   []Factor  `json:"factors,omitempty"`
	Detection Detection `json:"detection"`
	At        time.Time `json:"at"`
	// How is single, agreed or adjudicated; By is who made it so.
	How How      `json:"how"`
	By  Reviewer `json:"by"`
	// Evidence is what an adjudication rests on: free text, as that of an Opinion.
	Evidence string `json:"evidence,omitempty"`
}

// How says in which way a review was settled.
type How string

// The ways of settling.
const (
	Single      How = "single"
	Agreed      How = "agreed"
	Adjudicated How = "adjudicated"
)

// Reopening is that a settled review was opened again. Reason is free text, as that of an Opinion.
type Reopening struct {
	By     Reviewer  `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
	// Before is what it had been settled as, and Opinions is how many opinions were there.
	Before   Settlement `json:"before"`
	Opinions int        `json:"opinions"`
}

// Particulars is what is kept of an event with its review. Values are keys as store/facts has them: the
// code, or "~" and a state.
type Particulars struct {
	// Date is when it happened, and Known when it came to be known, as 2026-03-01; empty if nobody knows.
	Date      string `json:"date,omitempty"`
	Known     string `json:"known,omitempty"`
	Actuality string `json:"actuality,omitempty"`
	Category  string `json:"category,omitempty"`
	Severity  string `json:"severity,omitempty"`
	Outcome   string `json:"outcome,omitempty"`
	Site      string `json:"site,omitempty"`
}
