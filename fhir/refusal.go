package fhir

import "fmt"

// Reason is why a line was refused. The set is closed, so that refusals can be counted by reason.
type Reason string

// The reasons, as the sync report prints them.
const (
	NotJSON        Reason = "not-json"
	NotUTF8        Reason = "not-utf8"
	TooLong        Reason = "line-too-long"
	TooDeep        Reason = "nested-too-deep"
	DuplicateKey   Reason = "duplicate-key"
	TwoValues      Reason = "two-values-on-one-line"
	NotAResource   Reason = "not-a-resource"
	NoID           Reason = "no-id"
	BadID          Reason = "not-a-fhir-id"
	NotR4          Reason = "not-r4"
	NotValid       Reason = "not-valid-fhir"
	UnexpectedType Reason = "unexpected-resource-type"
)

// RefusedError says why a resource was refused. It repeats nothing of the resource but the name of an
// element.
type RefusedError struct {
	Reason Reason
	// Element is the path of the element at fault, if the fault has one.
	Element string
}

func (e *RefusedError) Error() string {
	if e.Element == "" {
		return string(e.Reason)
	}
	return fmt.Sprintf("%s: %s", e.Reason, e.Element)
}
