//go:build race

package acting_test

const raceDetector = true
