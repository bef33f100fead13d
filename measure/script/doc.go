// Package script reads and runs measure scripts: plain text files in which somebody who knows no Go
// writes down a cohort, a question, and the figures that must come out. docs/scripts.md teaches the
// language.
//
// A script goes the whole way of real data. What it says of a patient, an encounter or an event is
// made a FHIR resource, mapped, stored in a snapshot of its own, and evaluated by the engine; there
// is no second opinion on any rule in here.
package script
