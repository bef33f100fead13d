package r4

import (
	"github.com/google/fhir/go/jsonformat"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	"google.golang.org/protobuf/proto"
)

// Named makes a reference to a resource of a type by its display alone.
func Named(resourceType, display string) *dpb.Reference {
	return &dpb.Reference{Type: URI(resourceType), Display: Text(display)}
}

// Refer makes a relative reference to a resource by its type and id.
func Refer(resourceType, id string) *dpb.Reference {
	return &dpb.Reference{
		Reference: &dpb.Reference_Uri{Uri: &dpb.String{Value: resourceType + "/" + id}},
	}
}

// Fragment makes a reference to a resource that the same resource contains.
func Fragment(id string) *dpb.Reference {
	return &dpb.Reference{Reference: &dpb.Reference_Uri{Uri: &dpb.String{Value: "#" + id}}}
}

// Target is the text of a reference, "Patient/1" or "#contained"; "" where it has a display or an
// identifier alone.
func Target(reference *dpb.Reference) string {
	if reference == nil {
		return ""
	}
	copied := proto.CloneOf(reference)
	if jsonformat.DenormalizeReference(copied) != nil {
		return ""
	}
	return copied.GetUri().GetValue()
}
