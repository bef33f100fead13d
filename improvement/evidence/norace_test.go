//go:build !race

package evidence_test

const raceDetector = false
