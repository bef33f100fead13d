package client

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// firstEpoch is the least number of seconds that is read as a moment rather than a delay: some
// servers write Retry-After as seconds since 1970. As a delay it would be 31 years.
const firstEpoch = 1_000_000_000

// RetryAfter reads the Retry-After of an answer in both forms of RFC 9110 10.2.3, and the epoch
// seconds that some servers write. A date is measured against the answer's own Date, so that a
// skewed clock on either side does not matter; now stands in where there is none. ok is false if
// the header is absent or cannot be read. The result is never negative and not clamped above.
func RetryAfter(header http.Header, now time.Time) (wait time.Duration, ok bool) {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0), true
	}
	return delaySeconds(text, now)
}

// delaySeconds reads a number of seconds. A fraction, which the RFC does not know, is rounded up.
func delaySeconds(text string, now time.Time) (time.Duration, bool) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(seconds, 1) || math.IsNaN(seconds) || !digitsFirst(text) {
		return 0, false
	}
	if seconds >= firstEpoch && seconds < math.MaxInt32*2 {
		return max(time.Unix(int64(seconds), 0).Sub(now), 0), true
	}
	if seconds >= float64(math.MaxInt64)/float64(time.Second) {
		return math.MaxInt64, true
	}
	return time.Duration(math.Ceil(seconds)) * time.Second, true
}

// digitsFirst keeps out what ParseFloat takes besides plain numbers: signs, "Inf", hexadecimal.
func digitsFirst(text string) bool {
	for _, r := range text {
		if (r < '0' || r > '9') && r != '.' {
			return false
		}
	}
	return text[0] != '.'
}
