package review

import (
	"slices"
	"strings"
)

// Problem says what is wrong with a field; pages have a sentence for each.
type Problem string

// The problems.
const (
	// Required: the field is empty and must not be.
	Required Problem = "required"
	// UnknownCode: it is none of the codes.
	UnknownCode Problem = "unknown"
	// Twice: a code is there twice.
	Twice Problem = "twice"
	// OnlyWithYes: factors say how inequity contributed, so there are none unless it did.
	OnlyWithYes Problem = "only-with-yes"
	// TooLong: it has more than MaxText bytes. Nothing is ever cut off.
	TooLong Problem = "too-long"
	// NotText: it is not UTF-8.
	NotText Problem = "not-text"
)

// The fields that a Fault names.
const (
	FieldReviewer  = "reviewer"
	FieldAnswer    = "answer"
	FieldFactors   = "factors"
	FieldDetection = "detection"
	FieldEvidence  = "evidence"
	FieldElse      = "else"
	FieldReason    = "reason"
)

// Fault is one thing that is wrong with an answer.
type Fault struct {
	Field   string
	Problem Problem
}

// InvalidError says everything that is wrong with an answer. It quotes nothing of it.
type InvalidError struct{ Faults []Fault }

// Error implements error.
func (e *InvalidError) Error() string {
	words := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		words[i] = f.Field + ": " + string(f.Problem)
	}
	return "the answer is not valid: " + strings.Join(words, "; ")
}

// faults gathers what is wrong.
type faults []Fault

func (f *faults) add(field string, p Problem) { *f = append(*f, Fault{Field: field, Problem: p}) }

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return &InvalidError{Faults: f}
}

// text cleans a free text in place and notes what is wrong with it.
func (f *faults) text(field string, text *string, most int) {
	cleaned, problem := clean(*text, most)
	if problem != "" {
		f.add(field, problem)
		return
	}
	*text = cleaned
}

func (f *faults) require(field, text string) {
	if text == "" {
		f.add(field, Required)
	}
}

func (f *faults) reviewer(r *Reviewer) {
	f.text(FieldReviewer, &r.Subject, maxName)
	f.text(FieldReviewer, &r.Name, maxName)
	f.require(FieldReviewer, r.Subject)
}

// codes checks an answer with what belongs to it, and puts the factors into the order of Factors.
func (f *faults) codes(answer Answer, factors []Factor, detection Detection) []Factor {
	f.oneOf(FieldAnswer, string(answer), Answers())
	f.oneOf(FieldDetection, string(detection), Detections())
	switch {
	case answer == Yes && len(factors) == 0:
		f.add(FieldFactors, Required)
	case answer != Yes && len(factors) > 0:
		f.add(FieldFactors, OnlyWithYes)
	}
	var ordered []Factor
	for _, c := range Factors() {
		n := 0
		for _, factor := range factors {
			if string(factor) == c.Code {
				n++
			}
		}
		if n > 0 {
			ordered = append(ordered, Factor(c.Code))
		}
		if n > 1 {
			f.add(FieldFactors, Twice)
			return ordered
		}
	}
	if len(ordered) < len(factors) {
		f.add(FieldFactors, UnknownCode)
	}
	return ordered
}

func (f *faults) oneOf(field, code string, list []Concept) {
	switch {
	case code == "":
		f.add(field, Required)
	case !slices.ContainsFunc(list, func(c Concept) bool { return c.Code == code }):
		f.add(field, UnknownCode)
	}
}

// checked returns an opinion as it is kept, or everything that is wrong with it as an InvalidError. A
// yes needs evidence: it is what an action would rest on. A no needs none, so that asking is never
// harder than not asking, and undetermined says itself that there is none.
func (o Opinion) checked() (Opinion, error) {
	var f faults
	f.reviewer(&o.Reviewer)
	o.Factors = f.codes(o.Answer, o.Factors, o.Detection)
	f.text(FieldEvidence, &o.Evidence, MaxText)
	f.text(FieldElse, &o.Else, MaxText)
	if o.Answer == Yes {
		f.require(FieldEvidence, o.Evidence)
	}
	return o, f.err()
}

// checked does for an adjudication what Opinion.checked does.
func (s Settlement) checked() (Settlement, error) {
	var f faults
	f.reviewer(&s.By)
	s.Factors = f.codes(s.Answer, s.Factors, s.Detection)
	f.text(FieldEvidence, &s.Evidence, MaxText)
	if s.Answer == Yes {
		f.require(FieldEvidence, s.Evidence)
	}
	return s, f.err()
}
