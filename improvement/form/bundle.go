package form

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
)

// Entry is a resource in a Bundle.
type Entry struct {
	// URL is the fullUrl; empty leaves it out.
	URL string
	// Resource is one of the R4 protos.
	Resource proto.Message
}

// Link is a link of a page, such as self or next.
type Link struct{ Relation, URL string }

// Searchset makes a page of a search. A total below zero is not said.
func Searchset(entries []Entry, links []Link, total int) (*rpb.Bundle, error) {
	bundle := &rpb.Bundle{Type: &rpb.Bundle_TypeCode{Value: cpb.BundleTypeCode_SEARCHSET}}
	if total >= 0 {
		bundle.Total = &dpb.UnsignedInt{Value: uint32(total)} // #nosec G115 -- it is not negative.
	}
	for _, link := range links {
		bundle.Link = append(bundle.Link,
			&rpb.Bundle_Link{Relation: r4.Text(link.Relation), Url: r4.URI(link.URL)})
	}
	for _, entry := range entries {
		made, err := bundleEntry(entry)
		if err != nil {
			return nil, fmt.Errorf("make searchset: %w", err)
		}
		made.Search = &rpb.Bundle_Entry_Search{Mode: &rpb.Bundle_Entry_Search_ModeCode{
			Value: cpb.SearchEntryModeCode_MATCH,
		}}
		bundle.Entry = append(bundle.Entry, made)
	}
	return bundle, nil
}

// Collection makes a collection of resources, made at a moment.
func Collection(at time.Time, entries ...Entry) (*rpb.Bundle, error) {
	bundle := &rpb.Bundle{
		Type: &rpb.Bundle_TypeCode{Value: cpb.BundleTypeCode_COLLECTION}, Timestamp: instant(at),
	}
	for _, entry := range entries {
		made, err := bundleEntry(entry)
		if err != nil {
			return nil, fmt.Errorf("make collection: %w", err)
		}
		bundle.Entry = append(bundle.Entry, made)
	}
	return bundle, nil
}

// Past is one version in the history of a resource.
type Past struct {
	Entry
	// Version counts from 0: as it was before anybody wrote, where that is served.
	Version int
	At      time.Time
}

// History makes the history of one resource at an address such as "Task/1", from its versions, of
// which the newest comes first.
func History(address string, versions []Past, links []Link) (*rpb.Bundle, error) {
	total := uint32(len(versions)) // #nosec G115 -- nobody writes so often.
	bundle := &rpb.Bundle{
		Type:  &rpb.Bundle_TypeCode{Value: cpb.BundleTypeCode_HISTORY},
		Total: &dpb.UnsignedInt{Value: total},
	}
	for _, link := range links {
		bundle.Link = append(bundle.Link,
			&rpb.Bundle_Link{Relation: r4.Text(link.Relation), Url: r4.URI(link.URL)})
	}
	for _, version := range versions {
		made, err := bundleEntry(version.Entry)
		if err != nil {
			return nil, fmt.Errorf("make history: %w", err)
		}
		made.Request = &rpb.Bundle_Entry_Request{
			Method: &rpb.Bundle_Entry_Request_MethodCode{Value: cpb.HTTPVerbCode_PUT},
			Url:    r4.URI(address),
		}
		made.Response = &rpb.Bundle_Entry_Response{
			Status: r4.Text(strconv.Itoa(http.StatusOK)),
			Etag:   r4.Text(`W/"` + strconv.Itoa(version.Version) + `"`),
		}
		if !version.At.IsZero() {
			made.Response.LastModified = instant(version.At)
		}
		bundle.Entry = append(bundle.Entry, made)
	}
	return bundle, nil
}

func bundleEntry(entry Entry) (*rpb.Bundle_Entry, error) {
	contained, err := contain(entry.Resource)
	if err != nil {
		return nil, err
	}
	return &rpb.Bundle_Entry{FullUrl: r4.URI(entry.URL), Resource: contained}, nil
}

// contain puts a resource where a Bundle wants it: into the field of its type.
func contain(resource proto.Message) (*rpb.ContainedResource, error) {
	if resource == nil {
		return nil, fmt.Errorf("contain resource: there is none")
	}
	out := &rpb.ContainedResource{}
	kind := resource.ProtoReflect().Descriptor().FullName()
	fields := out.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if field := fields.Get(i); field.Message() != nil && field.Message().FullName() == kind {
			out.ProtoReflect().Set(field, protoreflect.ValueOfMessage(resource.ProtoReflect()))
			return out, nil
		}
	}
	return nil, fmt.Errorf("contain resource: %s is no resource", kind)
}

// instant is a moment of second precision in UTC.
func instant(t time.Time) *dpb.Instant {
	return &dpb.Instant{
		ValueUs: t.Truncate(time.Second).UnixMicro(), Timezone: "Z", Precision: dpb.Instant_SECOND,
	}
}

// Told makes an OperationOutcome that says how it went.
func Told(text string) proto.Message {
	return r4.Outcome(r4.Issue{
		Severity: cpb.IssueSeverityCode_INFORMATION, Code: cpb.IssueTypeCode_INFORMATIONAL, Text: text,
	})
}
