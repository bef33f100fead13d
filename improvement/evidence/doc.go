// Package evidence makes the pack that an institution shows to whoever accredits it, for one period: the
// stratified table, the written plan, the actions, and what the figures did afterwards, as one folder.
//
// A pack is made of a Material and of nothing else: equal materials give equal bytes, so that a pack
// which was handed in can be made again and held against its digests. It claims no cause, and it says
// what it does not cover.
//
// A public pack is made of the release of its period (package release) and of answers and states alone.
// It holds no free text, no count that is not released, and nobody's role.
package evidence
