// Package mapping turns FHIR R4 resources into the flat records EquityLens counts.
//
// It is pure: no clock, no network, no file name, no log, no global. Equal resources give equal
// records. It is total: a resource that it cannot read gives a record whose value carries a State
// other than Known, and an Issue that says which element and why. Nothing is guessed: not from
// names, not from free text, not from what is usual.
package mapping
