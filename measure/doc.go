// Package measure says what a measure is, evaluates it on a snapshot, and holds the answer.
//
// A unit is a patient, an encounter, a stay or an event. A population is a set of units. Membership
// (which unit is in which population) is one step; stratification (counting the members by group)
// is the next, so that members computed elsewhere can be stratified alike. A stratum is the part of
// a group that shares one value of a dimension; a gap is the difference between two strata.
package measure
