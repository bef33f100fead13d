package action

import (
	"time"

	"github.com/equitylens/equitylens/improvement/review"
)

// State is where an action stands.
type State string

// The states. Nothing becomes Completed or Cancelled without a Result.
const (
	Planned    State = "planned"
	InProgress State = "in-progress"
	Completed  State = "completed"
	Cancelled  State = "cancelled"
)

// Outcome is what came of an action, in the eyes of who closes it. What the figures say stands beside
// it and is not changed by it.
type Outcome string

// The outcomes.
const (
	Reduced      Outcome = "reduced"
	NoChange     Outcome = "no-change"
	Widened      Outcome = "widened"
	Undetermined Outcome = "undetermined"
	// NotDone is of an action that was given up.
	NotDone Outcome = "not-done"
)

// Finding is what an action answers.
type Finding struct {
	// Kind is gap, stratum or cluster.
	Kind FindingKind `json:"kind"`
	// Snapshot and Period are those in which it was found; empty for a cluster.
	Snapshot string `json:"snapshot,omitempty"`
	Period   string `json:"period,omitempty"`
	// Reviews are the ids of the reviews of a cluster.
	Reviews []string `json:"reviews,omitempty"`
}

// States lists the states.
func States() []State { return []State{Planned, InProgress, Completed, Cancelled} }

// Outcomes lists the outcomes.
func Outcomes() []Outcome { return []Outcome{Reduced, NoChange, Widened, Undetermined, NotDone} }

// FindingKinds lists what an action can answer.
func FindingKinds() []FindingKind { return []FindingKind{Gap, Stratum, Cluster} }

// FindingKind is what was found.
type FindingKind string

// The kinds of findings.
const (
	// Gap: a group differs from its reference.
	Gap FindingKind = "gap"
	// Stratum: a group as such.
	Stratum FindingKind = "stratum"
	// Cluster: several reviewed events have something in common.
	Cluster FindingKind = "cluster"
)

// Aim is the figure that an action should move.
type Aim struct {
	// Measure and Rate name the figure; Rate is empty for the first one.
	Measure string `json:"measure"`
	Rate    string `json:"rate,omitempty"`
	// Dimension and Groups are the strata that should move, by their codes; Reference is the code of the
	// group that they are held against, or one of best, largest and overall.
	Dimension string   `json:"dimension"`
	Groups    []string `json:"groups"`
	Reference string   `json:"reference,omitempty"`
	// Sites limits it to some sites; empty is everywhere.
	Sites []string `json:"sites,omitempty"`
	// Target is the score that is aimed at, in the unit of the measure (a share as 0 to 1).
	Target *float64 `json:"target,omitempty"`
}

// Action is one action. Title, What and the Summary of the Result are free text.
type Action struct {
	ID string `json:"id"`
	// Title is a few words, What what is to be done.
	Title string `json:"title"`
	What  string `json:"what,omitempty"`
	// Cause is the root cause that it addresses.
	Cause review.Factor `json:"cause"`
	// Owner is a role or a department, not a person.
	Owner   string  `json:"owner"`
	Finding Finding `json:"finding"`
	Aim     Aim     `json:"aim"`
	// Start is the day from which it should show, and Due the day by which it should be done; both are
	// dates (2026-03-01).
	Start  string  `json:"start"`
	Due    string  `json:"due"`
	State  State   `json:"state"`
	Result *Result `json:"result,omitempty"`
	// Created is when it was written down first.
	Created time.Time `json:"created"`
	// Looked is when somebody last said that they had looked at its figures; absent for never.
	Looked *time.Time `json:"looked,omitempty"`
	// Changed is when this version was written, and Version its number in the store; 0 for a new one.
	Changed time.Time `json:"-"`
	Version int       `json:"-"`
}

// Closed reports whether it is over, so that only Reopen changes it.
func (a *Action) Closed() bool { return a.State == Completed || a.State == Cancelled }

// Result is what came of an action.
type Result struct {
	Outcome Outcome         `json:"outcome"`
	Summary string          `json:"summary"`
	At      time.Time       `json:"at"`
	By      review.Reviewer `json:"by"`
	// Snapshot is that of which the figures were looked at.
	Snapshot string `json:"snapshot,omitempty"`
}

// Condition is an interval in which care was given under a named condition, as the institution
// declares it. Figures do not show it by themselves.
type Condition struct {
	ID string `json:"id"`
	// Name says which: crisis standards of care, downtime of the telephone interpreters.
	Name string `json:"name"`
	// Site is the code of the site, empty for all.
	Site string `json:"site,omitempty"`
	// Start and End are days, both inside; no End means that it goes on.
	Start string `json:"start"`
	End   string `json:"end,omitempty"`
	// Withdrawn says that it was declared by mistake: it stays in the history and counts nowhere.
	Withdrawn bool `json:"withdrawn,omitempty"`
	Version   int  `json:"-"`
}
