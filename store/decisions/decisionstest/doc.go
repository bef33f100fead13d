// Package decisionstest holds what tests of decisions share: the suite that every store has to pass, and
// a real PostgreSQL of this machine.
package decisionstest
