// Package fhirtest is a fake EHR for tests and for the demonstration: FHIR R4, SMART Backend
// Services, SMART App Launch, CDS Hooks and Bulk Data Access over real HTTP, serving a made-up
// population.
//
// It verifies what a real server verifies: the client's signed assertion (private_key_jwt with
// RS384 or ES384, audience, life of at most five minutes, single use), the access token and its
// scopes on every request. Exports run at system, Patient and Group level, by GET and by POST, with
// _type and _since, deleted Bundles and several files a type; AdverseEvent is by default found by
// search alone, as with real servers. Every byte is generated when it is asked for, so memory stays
// flat however large the population is.
//
// The transactionTime of an export is the moment at which the population's data ends, not the
// clock: what a measure finds does not depend on the day of the demonstration.
//
// # Apps and people
//
// Config.Apps registers SMART apps, Config.Users who works at the hospital. The authorization
// server checks what the specification and Inferno's client suites check; a code is good for a
// minute, and once; refresh tokens rotate. Whoever comes out of a chart is signed in at the EHR
// already; whoever does not is shown a page to choose who they are, unless SignInAs says it. Scopes
// of a patient reach that patient's chart and nobody else's, by both versions' spelling.
//
// GET /ehr is what a user of the EHR sees: a few patients, one for each thing that a page in the
// chart must be able to say, and each chart with the app in a frame. Launch, Situations and
// LaunchPath do the same for programs. CallHook and Feedback call a CDS Hooks service as an EHR
// does.
//
// # Faults
//
// Config.Faults switches on, by name, what real servers were seen to do wrong; Faults lists them,
// and each constant says what it does. A fault that strikes once strikes every job or file anew.
//
// The people are in fhirtest/population, with the inequities planted among them.
package fhirtest
