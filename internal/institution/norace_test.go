//go:build !race

package institution_test

const raceDetector = false
