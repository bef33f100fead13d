// Package fhirtest is a fake EHR for tests and for the demonstration: FHIR R4, SMART Backend
// Services and Bulk Data Access over real HTTP, serving a made-up population.
//
// It verifies what a real server verifies: the client's signed assertion (private_key_jwt with
// RS384 or ES384, audience, life of at most five minutes, single use), the access token and its
// scopes on every request. Exports run at system, Patient and Group level, by GET and by POST,
// with _type and _since, deleted Bundles and several files a type; AdverseEvent is by default
// found by search alone, as with real servers. Every byte is generated when it is asked for, so
// memory stays flat however large the population is.
//
// The transactionTime of an export is the moment at which the population's data ends, not the
// clock: what a measure finds does not depend on the day of the demonstration.
//
// # Faults
//
// Config.Faults switches on, by name, what real servers were seen to do wrong; Faults lists them,
// and each constant says what it does. A fault that strikes once strikes every job or file anew.
//
// The people are in fhirtest/population, with the inequities planted among them.
package fhirtest
