package server

import (
	"strconv"
	"testing"
	"time"
)

// TestALimiterForgetsTheOldest: whoever asks, it does not grow.
func TestALimiterForgetsTheOldest(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := newLimiter(1, 1, 100, func() time.Time { return at })
	for i := range 10_000 {
		l.take("address " + strconv.Itoa(i))
		if _, ok := l.take("regular"); ok != (i == 0) {
			t.Fatalf("after %d others a regular may ask: %v", i, ok)
		}
	}
	if len(l.byKey) != 100 || l.order.Len() != 100 {
		t.Errorf("%d are remembered in an order of %d, want 100", len(l.byKey), l.order.Len())
	}
	var none *limiter
	if _, ok := none.take("anybody"); !ok {
		t.Error("no limit is a limit")
	}
}

// TestWhichPagesAreDoors: those that cost us requests to an EHR before anybody is known.
func TestWhichPagesAreDoors(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/launch": true, "/signin": true, "/signin/{tenant}": true, "/callback": true,
		"/launch/callback": true, "/launchpad": false, "/": false, "/chart/{handle}": false,
		"/signout": false, "/assets/{file}": false,
	} {
		if got := comesIn(path); got != want {
			t.Errorf("comesIn(%s) = %v, want %v", path, got, want)
		}
	}
}
