// Package action is what is done about a finding: who does what until when, which figure of whom it
// should move, and what came of it. It also holds the declared conditions, such as crisis standards of
// care, that figures are compared inside and outside of.
package action
