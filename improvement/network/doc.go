// Package network lets institutions be compared without showing a patient: what a member hands in, how
// a coordinator checks it, and what each of them then sees.
//
// A submission is one FHIR Bundle for one member and one calendar period. It holds released figures
// alone, the levels of the readiness questionnaire, and of each action what it should move and what
// came of it: no free text, no name, nothing about a person, no count of 1 to 10 and nothing from which
// one can be told. docs/network.md has one byte for byte.
//
// The form is canonical: what has been read is written again and must give the same bytes, so that
// nothing can stand in a submission that is not in Submission. The same check runs before a member
// sends and before the coordinator stores; a refusal says where and why, and stores nothing.
//
// What is pooled is a sum of figures that are shown, so that whoever takes away their own is left with
// sums of what others show to everybody. Comparisons are no ranking and say nothing of causes.
package network
