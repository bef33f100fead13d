// Package fhir is FHIR R4 on the wire: the elements EquityLens reads of Patient, Encounter and
// AdverseEvent, the lines of NDJSON they arrive in, how they are decoded, and what a date and a
// reference mean.
//
// Two decoders stand side by side. Decode is the fast path of the nightly export: it reads only the
// elements of resource.go and refuses what is not JSON, what repeats a key and what nests too deep.
// r4.Validator is google/fhir's jsonformat, the reference: it reads everything and knows every rule. A
// differential test holds the two together: what both accept, they read alike.
//
// The package has no network and no clock. fhir/client speaks to a server, fhir/bulk exports from
// one, fhir/fhirtest is one, and fhir/r4 holds the resources that we give out.
package fhir
