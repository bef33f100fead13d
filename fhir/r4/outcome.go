package r4

import (
	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	opb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/operation_outcome_go_proto"
)

// Issue is one line of an OperationOutcome. Text is for people and goes to whoever called: it never
// holds internal detail or an identifier.
type Issue struct {
	// Severity is an error if it is not set.
	Severity cpb.IssueSeverityCode_Value
	// Code is an exception if it is not set.
	Code cpb.IssueTypeCode_Value
	Text string
	// Expression is the FHIRPath of the element, or the name of the parameter, that is at fault.
	Expression string
}

// Outcome makes an OperationOutcome of at least one issue; no issues make one that says nothing but
// that there was an exception.
func Outcome(issues ...Issue) *opb.OperationOutcome {
	if len(issues) == 0 {
		issues = []Issue{{}}
	}
	outcome := &opb.OperationOutcome{}
	for _, issue := range issues {
		outcome.Issue = append(outcome.Issue, issue.proto())
	}
	return outcome
}

func (i Issue) proto() *opb.OperationOutcome_Issue {
	severity, code := i.Severity, i.Code
	if severity == cpb.IssueSeverityCode_INVALID_UNINITIALIZED {
		severity = cpb.IssueSeverityCode_ERROR
	}
	if code == cpb.IssueTypeCode_INVALID_UNINITIALIZED {
		code = cpb.IssueTypeCode_EXCEPTION
	}
	issue := &opb.OperationOutcome_Issue{
		Severity: &opb.OperationOutcome_Issue_SeverityCode{Value: severity},
		Code:     &opb.OperationOutcome_Issue_CodeType{Value: code},
	}
	if i.Text != "" {
		issue.Details = &dpb.CodeableConcept{Text: Text(i.Text)}
	}
	if i.Expression != "" {
		issue.Expression = []*dpb.String{Text(i.Expression)}
	}
	return issue
}
