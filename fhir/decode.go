package fhir

import (
	"bytes"
	"strings"

	"github.com/valyala/fastjson"
)

// Resource is one decoded resource. Type names it; the field of that type is set, or none if the
// type is not one that EquityLens reads.
type Resource struct {
	Type         string
	Patient      *Patient
	Encounter    *Encounter
	AdverseEvent *AdverseEvent
}

// Decoder reads resources, one at a time, into memory that it owns: what Decode returns, its strings
// included, is valid until the next call. A Decoder is for one goroutine.
type Decoder struct {
	parser fastjson.Parser
	read   reader

	patient   Patient
	encounter Encounter
	event     AdverseEvent
}

// NewDecoder returns a Decoder.
func NewDecoder() *Decoder { return &Decoder{} }

// Decode reads one resource. A nil error means that line is one JSON object without repeated keys
// whose elements of resource.go have their R4 types; any other error is a *RefusedError.
func (d *Decoder) Decode(line []byte) (Resource, error) {
	root, refused := d.parse(line)
	if refused != nil {
		return Resource{}, refused
	}
	kind, refused := typeOf(root)
	if refused != nil {
		return Resource{}, refused
	}
	out := Resource{Type: kind}
	id := ""
	d.read.start(kind)
	switch kind {
	case "Patient":
		d.patient = d.read.patient(root)
		out.Patient, id = &d.patient, d.patient.ID
	case "Encounter":
		d.encounter = d.read.encounter(root)
		out.Encounter, id = &d.encounter, d.encounter.ID
	case "AdverseEvent":
		d.event = d.read.adverseEvent(root)
		out.AdverseEvent, id = &d.event, d.event.ID
	default:
		d.read.skip(root)
		id = kind // A resource that is not read needs none.
	}
	if refused := d.read.refused; refused != nil {
		return Resource{}, refused
	}
	if refused := checkID(id); refused != nil {
		return Resource{}, refused
	}
	return out, nil
}

func typeOf(root *fastjson.Value) (string, *RefusedError) {
	// GetStringBytes, unlike Get, stands a member that is not there.
	kind := root.GetStringBytes("resourceType")
	if len(kind) == 0 {
		return "", &RefusedError{Reason: NotAResource}
	}
	return view(kind), nil
}

func (d *Decoder) parse(line []byte) (*fastjson.Value, *RefusedError) {
	if refused := checkText(line); refused != nil {
		return nil, refused
	}
	root, err := d.parser.ParseBytes(line)
	if err != nil {
		// The cause quotes the line, so only its kind is passed on.
		switch {
		case strings.HasPrefix(err.Error(), "unexpected tail"):
			return nil, &RefusedError{Reason: TwoValues}
		case strings.Contains(err.Error(), "too big depth"):
			return nil, &RefusedError{Reason: TooDeep}
		}
		return nil, &RefusedError{Reason: NotJSON}
	}
	if root.Type() != fastjson.TypeObject {
		return nil, &RefusedError{Reason: NotAResource}
	}
	return root, nil
}

// maxIDLength is four times what R4 allows: Epic was seen to exceed 64.
const maxIDLength = 256

func checkID(id string) *RefusedError {
	if id == "" {
		return &RefusedError{Reason: NoID}
	}
	if len(id) > maxIDLength {
		return &RefusedError{Reason: BadID}
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' || c == '/' || c == '|' || c == '?' {
			return &RefusedError{Reason: BadID}
		}
	}
	return nil
}

// PeekType returns the resourceType of a line without parsing it, or "" where the line does not name
// it in the usual way. It is a hint: Decode is the truth.
func PeekType(line []byte) string {
	const key = `"resourceType"`
	i := bytes.Index(line, []byte(key))
	if i < 0 {
		return ""
	}
	rest := bytes.TrimLeft(line[i+len(key):], " \t:")
	if len(rest) == 0 || rest[0] != '"' {
		return ""
	}
	end := bytes.IndexByte(rest[1:], '"')
	if end < 0 {
		return ""
	}
	return string(rest[1 : 1+end])
}
