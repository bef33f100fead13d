package main

import "testing"

// withoutRaceDetector leaves out a walk through the whole program, which takes several times as long with
// the race detector. scripts/test.sh runs these without it; what goes on at once has tests of its own.
func withoutRaceDetector(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("with the race detector it takes minutes, and scripts/test.sh runs it without")
	}
}
