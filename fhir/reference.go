package fhir

import "strings"

// Target resolves a reference to the type and id that it names, whether it is relative
// ("Patient/1"), absolute ("https://ehr/fhir/Patient/1"), versioned ("Patient/1/_history/2"),
// conditional ("Patient?identifier=system|value": the value) or urn:uuid: (a bare id without a
// type). An id of "" means that the reference names nothing, or something contained.
func (r Reference) Target() (resourceType, id string) {
	ref := r.Reference
	if ref == "" || ref[0] == '#' {
		return "", ""
	}
	if rest, ok := strings.CutPrefix(ref, "urn:uuid:"); ok {
		return "", rest
	}
	if strings.HasPrefix(ref, "urn:") {
		return "", ""
	}
	if path, query, ok := strings.Cut(ref, "?"); ok {
		return conditionalTarget(path, query)
	}
	if i := strings.Index(ref, "/_history/"); i >= 0 {
		ref = ref[:i]
	}
	slash := strings.LastIndexByte(ref, '/')
	if slash < 0 {
		return "", ref
	}
	resourceType, id = ref[:slash], ref[slash+1:]
	if i := strings.LastIndexByte(resourceType, '/'); i >= 0 {
		resourceType = resourceType[i+1:]
	}
	return resourceType, id
}

// conditionalTarget reads a conditional reference, which Synthea and bundle tools leave unresolved:
// http://hl7.org/fhir/R4/http.html#trules
func conditionalTarget(path, query string) (resourceType, id string) {
	value, ok := strings.CutPrefix(query, "identifier=")
	if !ok {
		return "", ""
	}
	if i := strings.LastIndexByte(value, '|'); i >= 0 {
		value = value[i+1:]
	}
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		path = path[i+1:]
	}
	return path, value
}
