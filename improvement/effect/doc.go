// Package effect says what the figures show of an action: whether the gap that it should close is
// smaller after it began than before, by more than chance, and by more than what moved in those whom it
// was not meant for. It also holds figures inside of a declared condition against those outside.
//
// It never says why. Whatever else changed on the day of an action is in its figures.
package effect
