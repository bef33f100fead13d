// Package r4 builds the FHIR R4 resources that EquityLens gives out, as the protos of
// github.com/google/fhir, and turns them into JSON and back with its jsonformat.
//
// A resource that jsonformat refuses to read again is not given out: the tests of every producer
// hold their output against Unmarshal. The bulk path does not pass here; it is for single
// resources.
package r4
