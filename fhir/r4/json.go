package r4

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/fhir/go/fhirversion"
	"github.com/google/fhir/go/jsonformat"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// maxDepth bounds the nesting that Unmarshal follows; jsonformat's own default has no bound. The
// deepest resource we make, a Bundle of MeasureReports with crossed strata, needs 14 levels.
const maxDepth = 50

// ErrResource is the cause of every refusal by Unmarshal. jsonformat's own words are left out, for
// they repeat the text that it refused.
var ErrResource = errors.New("not a valid FHIR R4 resource")

// Marshal writes resource, one of the R4 resource protos, as JSON without insignificant space.
func Marshal(resource proto.Message) ([]byte, error) {
	m, err := jsonformat.NewMarshaller(false, "", "", fhirversion.R4)
	if err != nil {
		return nil, fmt.Errorf("make FHIR marshaller: %w", err)
	}
	return marshal(m, resource)
}

// MarshalIndent is Marshal with two spaces a level, for people and for files that are compared.
func MarshalIndent(resource proto.Message) ([]byte, error) {
	m, err := jsonformat.NewPrettyMarshaller(fhirversion.R4)
	if err != nil {
		return nil, fmt.Errorf("make FHIR marshaller: %w", err)
	}
	text, err := marshal(m, resource)
	if err != nil {
		return nil, err
	}
	// Parameters that hold resources come in one line.
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		return nil, fmt.Errorf("indent FHIR: %w", err)
	}
	return indented.Bytes(), nil
}

func marshal(m *jsonformat.Marshaller, resource proto.Message) ([]byte, error) {
	if parameters, ok := resourceParameters(resource); ok {
		return marshalParameters(m, parameters)
	}
	text, err := m.MarshalResource(resource)
	if err != nil {
		return nil, fmt.Errorf("marshal %s: %w", resource.ProtoReflect().Descriptor().Name(), err)
	}
	return bytes.TrimRight(text, "\n"), nil
}

// Unmarshal reads and validates one resource. The error wraps ErrResource and repeats nothing of
// text.
func Unmarshal(text []byte) (*rpb.ContainedResource, error) {
	u, err := jsonformat.NewUnmarshaller("UTC", fhirversion.R4)
	if err != nil {
		return nil, fmt.Errorf("make FHIR unmarshaller: %w", err)
	}
	u.MaxNestingDepth = maxDepth
	if bare, resources := takeResources(text); resources != nil {
		return unmarshalParameters(u, bare, resources)
	}
	return unmarshal(u, text)
}

func unmarshal(u *jsonformat.Unmarshaller, text []byte) (*rpb.ContainedResource, error) {
	message, err := u.Unmarshal(text)
	if err != nil {
		return nil, ErrResource
	}
	resource, ok := message.(*rpb.ContainedResource)
	if !ok {
		return nil, ErrResource
	}
	return resource, nil
}

// Contain packs a resource for the contained element of another one.
func Contain(resource *rpb.ContainedResource) (*anypb.Any, error) {
	packed, err := anypb.New(resource)
	if err != nil {
		return nil, fmt.Errorf("contain resource: %w", err)
	}
	return packed, nil
}
