package client

import (
	"encoding/json"
	"errors"
)

// Issue is one issue of an OperationOutcome, reduced to its two codes. Both are of the closed value
// sets of FHIR R4; the texts beside them are dropped, since diagnostics may quote a patient.
type Issue struct {
	Severity string
	Code     string
}

// Failed reports whether the issue means that something was not done.
func (i Issue) Failed() bool { return i.Severity == "error" || i.Severity == "fatal" }

// String returns "code (severity)".
func (i Issue) String() string { return i.Code + " (" + i.Severity + ")" }

// errOutcome says that bytes are no OperationOutcome.
var errOutcome = errors.New("not an OperationOutcome")

// ParseOutcome reads an OperationOutcome. A severity that FHIR does not know is read as error, a
// code that it does not know as processing, so that neither can carry text.
func ParseOutcome(body []byte) ([]Issue, error) {
	var doc struct {
		ResourceType string `json:"resourceType"`
		Issue        []struct {
			Severity string `json:"severity"`
			Code     string `json:"code"`
		} `json:"issue"`
	}
	if json.Unmarshal(body, &doc) != nil || doc.ResourceType != "OperationOutcome" {
		return nil, errOutcome
	}
	issues := make([]Issue, 0, len(doc.Issue))
	for _, issue := range doc.Issue {
		issues = append(issues, Issue{severityOf(issue.Severity), codeOf(issue.Code)})
	}
	return issues, nil
}

// severityOf is http://hl7.org/fhir/R4/valueset-issue-severity.html.
func severityOf(s string) string {
	switch s {
	case "fatal", "error", "warning", "information":
		return s
	case "success":
		// R5, seen in R4 answers.
		return "information"
	}
	return "error"
}

// codeOf is http://hl7.org/fhir/R4/valueset-issue-type.html.
func codeOf(s string) string {
	switch s {
	case "invalid", "structure", "required", "value", "invariant",
		"security", "login", "unknown", "expired", "forbidden", "suppressed",
		"processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted",
		"too-long", "code-invalid", "extension", "too-costly", "business-rule", "conflict",
		"transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled",
		"informational":
		return s
	}
	return "processing"
}
