// Package role says what a person may do, by the job that the hospital gave them. A person is granted
// at most what their roles name, whatever the program through which they ask is registered for. It is
// pure.
package role

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/auth/scope"
)

// ErrUnknown means that a text names no role.
var ErrUnknown = errors.New("role: unknown")

// Role is one job.
type Role string

// The roles.
const (
	// Analyst reads measures and every figure of them, and nobody's name; and keeps the actions.
	Analyst Role = "quality-analyst"
	// Reviewer reviews harm events: figures, single patients, reviews.
	Reviewer Role = "equity-reviewer"
	// Clinician sees the page of the patient whose chart is open, by the EHR's own permission, and
	// nothing of ours beside it.
	Clinician Role = "clinician"
	// Engineer runs what pulls from the EHR and takes in reports of other engines; no figure.
	Engineer Role = "integration-engineer"
	// Administrator ends sessions and tokens, and reads the audit trail; no figure.
	Administrator Role = "administrator"
)

// All lists the roles.
func All() []Role { return []Role{Analyst, Reviewer, Clinician, Engineer, Administrator} }

// Parse reads the name of a role.
func Parse(text string) (Role, error) {
	r := Role(text)
	if !slices.Contains(All(), r) {
		return "", fmt.Errorf("%w: want one of %v", ErrUnknown, All())
	}
	return r, nil
}

// signedIn is what everybody may have who has signed in: to be known, and to stay signed in.
const signedIn = "openid fhirUser profile online_access offline_access"

// figures are the measures and their reports.
const figures = "user/Measure.rs user/Library.rs user/MeasureReport.rs " + scope.Unsuppressed

// granted is the table of what each role may have.
func granted(r Role) string {
	switch r {
	case Analyst:
		return figures + " " + scope.Improve
	case Reviewer:
		return figures + " " + scope.Improve + " " + scope.Patients + " " + scope.Review + " " +
			scope.Narrative
	case Engineer:
		return "user/Measure.rs user/Library.rs " + scope.Sync + " " + scope.Import
	case Administrator:
		return "user/AuditEvent.rs " + scope.Admin
	case Clinician:
	}
	return ""
}

// Scopes is all that a person of these roles may be granted. Somebody without a role gets nothing, not
// even an identity: the hospital has not let them in.
func Scopes(roles ...Role) scope.Set {
	if len(roles) == 0 {
		return nil
	}
	texts := []string{signedIn}
	for _, r := range roles {
		texts = append(texts, granted(r))
	}
	set, err := scope.ParseSet(strings.Join(texts, " "))
	if err != nil {
		return nil // A test reads every row of the table.
	}
	return set
}
