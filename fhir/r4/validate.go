package r4

import (
	"fmt"

	"github.com/google/fhir/go/fhirversion"
	"github.com/google/fhir/go/jsonformat"
)

// Validator reads resources with jsonformat, which knows every rule of R4. It is for one goroutine.
type Validator struct{ unmarshaller *jsonformat.Unmarshaller }

// maxNesting is far above what any R4 resource needs; jsonformat's own default is without bound.
const maxNesting = 64

// NewValidator returns a Validator.
func NewValidator() (*Validator, error) {
	u, err := jsonformat.NewUnmarshaller("UTC", fhirversion.R4)
	if err != nil {
		return nil, fmt.Errorf("make validator: %w", err)
	}
	u.MaxNestingDepth = maxNesting
	return &Validator{unmarshaller: u}, nil
}

// Validate returns what jsonformat says against one resource, or nil. Its words repeat what it
// refused, so they belong in the quarantine and nowhere else.
func (v *Validator) Validate(resource []byte) error {
	_, err := v.unmarshaller.Unmarshal(resource)
	return err
}
