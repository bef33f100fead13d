package r4

import (
	"encoding/json"
	"fmt"

	"github.com/google/fhir/go/jsonformat"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	ppb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/parameters_go_proto"
	"google.golang.org/protobuf/proto"
)

// jsonformat neither writes nor reads Parameters.parameter.resource. It is taken out before and put
// back after: in the proto a packed ContainedResource, as contained resources are.

// resourceParameters are Parameters of which at least one holds a resource.
func resourceParameters(resource proto.Message) (*ppb.Parameters, bool) {
	if contained, ok := resource.(*rpb.ContainedResource); ok {
		resource = contained.GetParameters()
	}
	parameters, ok := resource.(*ppb.Parameters)
	if !ok {
		return nil, false
	}
	for _, p := range parameters.GetParameter() {
		if p.Resource != nil {
			return parameters, true
		}
	}
	return nil, false
}

func marshalParameters(m *jsonformat.Marshaller, parameters *ppb.Parameters) ([]byte, error) {
	bare := proto.CloneOf(parameters)
	resources := make([]json.RawMessage, len(bare.Parameter))
	for i, p := range bare.Parameter {
		if p.Resource == nil {
			continue
		}
		contained := &rpb.ContainedResource{}
		if err := p.Resource.UnmarshalTo(contained); err != nil {
			return nil, fmt.Errorf("unpack parameter %d: %w", i, err)
		}
		text, err := m.Marshal(contained)
		if err != nil {
			return nil, fmt.Errorf("marshal parameter %d: %w", i, err)
		}
		resources[i], p.Resource = text, nil
	}
	text, err := m.MarshalResource(bare)
	if err != nil {
		return nil, fmt.Errorf("marshal Parameters: %w", err)
	}
	return setResources(text, resources)
}

// setResources puts resources into the JSON of Parameters, by their place; nil leaves one as it is.
func setResources(text []byte, resources []json.RawMessage) ([]byte, error) {
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, fmt.Errorf("splice Parameters: %w", err)
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(whole["parameter"], &list); err != nil {
		return nil, fmt.Errorf("splice Parameters: %w", err)
	}
	for i, resource := range resources {
		if resource != nil {
			list[i]["resource"] = resource
		}
	}
	var err error
	if whole["parameter"], err = json.Marshal(list); err != nil {
		return nil, fmt.Errorf("splice Parameters: %w", err)
	}
	return json.Marshal(whole)
}

// takeResources takes the resources out of the JSON of Parameters. Text that holds none is returned as
// it is, whatever it is.
func takeResources(text []byte) (bare []byte, resources []json.RawMessage) {
	var kind struct {
		ResourceType string `json:"resourceType"`
	}
	var whole map[string]json.RawMessage
	var list []map[string]json.RawMessage
	if json.Unmarshal(text, &kind) != nil || kind.ResourceType != "Parameters" ||
		json.Unmarshal(text, &whole) != nil || json.Unmarshal(whole["parameter"], &list) != nil {
		return text, nil
	}
	found := false
	resources = make([]json.RawMessage, len(list))
	for i, p := range list {
		if resources[i] = p["resource"]; resources[i] != nil {
			found = true
			delete(p, "resource")
		}
	}
	if !found {
		return text, nil
	}
	parameters, err := json.Marshal(list)
	if err != nil {
		return text, nil
	}
	whole["parameter"] = parameters
	if bare, err = json.Marshal(whole); err != nil {
		return text, nil
	}
	return bare, resources
}

// unmarshalParameters reads what takeResources took apart. A resource that is itself Parameters with
// resources is refused, as jsonformat does.
func unmarshalParameters(
	u *jsonformat.Unmarshaller, bare []byte, resources []json.RawMessage,
) (*rpb.ContainedResource, error) {
	whole, err := unmarshal(u, bare)
	if err != nil {
		return nil, err
	}
	list := whole.GetParameters().GetParameter()
	if len(list) != len(resources) {
		return nil, ErrResource
	}
	for i, text := range resources {
		if text == nil {
			continue
		}
		inner, err := unmarshal(u, text)
		if err != nil {
			return nil, err
		}
		if list[i].Resource, err = Contain(inner); err != nil {
			return nil, err
		}
	}
	return whole, nil
}
