// Package readiness is the self-assessment of an institution and the plan that comes of it: how far the
// habit has grown of seeing inequity in its own quality and safety data, and of acting on it.
//
// The questionnaire is one file, of our own wording. Every item has four steps, and each step says what a
// third person could check. Some items are answered by people, the others by figures of the live
// snapshot: a completeness below a threshold is an answer and not an opinion, so nobody can put another
// answer in its place; whoever knows why may comment on it. What has not been answered, or cannot be,
// is that and never 0.
//
// There is no total. A sum would let five routines hide that nobody has begun to act.
package readiness
