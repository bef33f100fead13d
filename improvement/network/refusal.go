package network

import (
	"errors"
	"fmt"
	"strings"
)

// ErrRefused is the cause of every refusal of a submission.
var ErrRefused = errors.New("the submission is refused")

// Fault is one reason why a submission is refused.
type Fault struct {
	// Path is the element, as in "Bundle.entry[1].resource.group[0].stratifier[2]"; empty where the
	// whole is at fault. It holds no text of the submission.
	Path  string `json:"path,omitempty"`
	Cause string `json:"cause"`
}

// RefusedError says why a submission is refused. It repeats nothing of the submission.
type RefusedError struct{ Faults []Fault }

// shownFaults bounds how many faults the text of a refusal names.
const shownFaults = 5

// Error names the first faults.
func (e *RefusedError) Error() string {
	texts := make([]string, 0, shownFaults+1)
	for i, f := range e.Faults {
		if i == shownFaults {
			texts = append(texts, fmt.Sprintf("and %d more", len(e.Faults)-i))
			break
		}
		if f.Path != "" {
			texts = append(texts, f.Path+": "+f.Cause)
			continue
		}
		texts = append(texts, f.Cause)
	}
	return ErrRefused.Error() + ": " + strings.Join(texts, "; ")
}

// Unwrap returns ErrRefused.
func (*RefusedError) Unwrap() error { return ErrRefused }

func refused(path, format string, args ...any) error {
	return &RefusedError{Faults: []Fault{{Path: path, Cause: fmt.Sprintf(format, args...)}}}
}

// faults collects what is wrong.
type faults []Fault

func (f *faults) add(path, format string, args ...any) {
	*f = append(*f, Fault{Path: path, Cause: fmt.Sprintf(format, args...)})
}

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return &RefusedError{Faults: f}
}
