package r4

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/google/fhir/go/fhirversion"
	"github.com/google/fhir/go/jsonformat"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
)

// ElementError is one element of a resource that R4 does not allow. It repeats nothing of the text
// but the names of elements.
type ElementError struct {
	// Path is as in "MeasureReport.group[0].population[1].count"; empty where the text as a whole is
	// at fault.
	Path  string
	Cause string
}

// Error returns the path and the cause.
func (e ElementError) Error() string {
	if e.Path == "" {
		return e.Cause
	}
	return e.Path + ": " + e.Cause
}

// Unwrap returns ErrResource.
func (ElementError) Unwrap() error { return ErrResource }

// Reader reads resources and says which elements are at fault. It is for one goroutine.
type Reader struct{ unmarshaller *jsonformat.Unmarshaller }

// NewReader returns a Reader.
func NewReader() (*Reader, error) {
	u, err := jsonformat.NewUnmarshaller("UTC", fhirversion.R4)
	if err != nil {
		return nil, fmt.Errorf("make FHIR reader: %w", err)
	}
	u.MaxNestingDepth = maxDepth
	return &Reader{unmarshaller: u}, nil
}

// Read reads and validates one resource. If there are faults there is no resource.
func (r *Reader) Read(text []byte) (*rpb.ContainedResource, []ElementError) {
	message, err := r.unmarshaller.Unmarshal(text)
	if err != nil {
		return nil, elementErrors(err.Error())
	}
	resource, ok := message.(*rpb.ContainedResource)
	if !ok {
		return nil, []ElementError{{Cause: ErrResource.Error()}}
	}
	return resource, nil
}

var (
	// faultForm is how jsonformat writes one fault a line: the path, then a cause without the value.
	faultForm = regexp.MustCompile(`^error at "([^"]*)": (.*)$`)
	// pathForm is a path of elements of R4. What a resource calls its type is part of the path, and is
	// the one part of it that the text decides.
	pathForm  = regexp.MustCompile(`^[A-Za-z0-9_.\[\]]{1,200}$`)
	causeForm = regexp.MustCompile(`^(invalid JSON|invalid reference$|expected [A-Za-z ,]+$|` +
		`missing required field|unknown field|unknown resource type|code type mismatch|invalid |` +
		`array length mismatch|non-negative integer|field exceeded|cannot accept|unexpected|` +
		`string exceeds|string contains invalid)`)
)

// elementErrors takes the words of jsonformat apart. Words that are not known to be free of values
// are left out.
func elementErrors(words string) []ElementError {
	var faults []ElementError
	for line := range strings.SplitSeq(words, "\n") {
		fault := ElementError{Cause: line}
		if m := faultForm.FindStringSubmatch(line); m != nil {
			fault = ElementError{Path: m[1], Cause: m[2]}
		}
		if !causeForm.MatchString(fault.Cause) {
			fault.Cause = ErrResource.Error()
		}
		if fault.Cause == "unknown resource type" {
			fault.Path = fault.Path[:max(strings.LastIndexByte(fault.Path, '.'), 0)]
		}
		if !pathForm.MatchString(fault.Path) {
			fault.Path = ""
		}
		faults = append(faults, fault)
	}
	return faults
}
