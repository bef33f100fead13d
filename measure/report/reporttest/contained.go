package reporttest

import (
	"errors"
	"fmt"
	"strings"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/equitylens/equitylens/fhir/r4"
)

// contained are the resources that a report contains, by id.
func contained(r *mrpb.MeasureReport) (map[string]*rpb.ContainedResource, error) {
	all := map[string]*rpb.ContainedResource{}
	for i, packed := range r.Contained {
		resource := &rpb.ContainedResource{}
		if err := packed.UnmarshalTo(resource); err != nil {
			return nil, fmt.Errorf("contained %d is no resource", i)
		}
		id := idOf(resource)
		if id == "" || all[id] != nil {
			return nil, fmt.Errorf("contained %d has no id of its own", i)
		}
		all[id] = resource
	}
	return all, nil
}

func idOf(resource *rpb.ContainedResource) string {
	m := resource.ProtoReflect()
	field := m.WhichOneof(m.Descriptor().Oneofs().ByName("oneof_resource"))
	if field == nil {
		return ""
	}
	inner := m.Get(field).Message()
	id, _ := inner.Get(inner.Descriptor().Fields().ByName("id")).Message().Interface().(*dpb.Id)
	return id.GetValue()
}

// containedIsReferredTo: what is contained is referred to, and what is referred to is contained.
func containedIsReferredTo(r *mrpb.MeasureReport) error {
	all, err := contained(r)
	if err != nil {
		return err
	}
	var faults []error
	used := map[string]bool{}
	fragments(r.ProtoReflect(), func(id string) {
		used[id] = true
		faults = append(faults, fault(all[id] == nil, "#%s is not contained", id))
	})
	for id := range all {
		faults = append(faults, fault(!used[id], "contained %s is referred to nowhere", id))
	}
	return errors.Join(faults...)
}

// fragments calls see with every reference to a contained resource below m.
func fragments(m protoreflect.Message, see func(id string)) {
	if reference, ok := m.Interface().(*dpb.Reference); ok {
		if id, ok := strings.CutPrefix(r4.Target(reference), "#"); ok {
			see(id)
		}
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Message() == nil || field.IsMap():
		case field.IsList():
			for i := range value.List().Len() {
				fragments(value.List().Get(i).Message(), see)
			}
		default:
			fragments(value.Message(), see)
		}
		return true
	})
}

// supplementResolves: each supplemental datum names the element that it is of, and is a contained
// Observation with a value or the reason for none.
func supplementResolves(r *mrpb.MeasureReport) error {
	all, err := contained(r)
	if err != nil {
		return err
	}
	for _, e := range r.Extension {
		if e.GetUrl().GetValue() != supplement {
			continue
		}
		reference := e.GetValue().GetReference()
		if find(reference.GetExtension(), criteria).GetValue().GetStringValue().GetValue() == "" {
			return errors.New("a supplemental datum does not say of which element")
		}
		observation := all[strings.TrimPrefix(r4.Target(reference), "#")].GetObservation()
		if observation == nil {
			return errors.New("a supplemental datum is no contained Observation")
		}
		if (observation.Value == nil) == (observation.DataAbsentReason == nil) {
			return errors.New("a supplemental datum has not one of value and reason")
		}
	}
	return nil
}
