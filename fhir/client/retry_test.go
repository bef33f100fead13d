package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// quiet is a log for servers whose complaints are expected.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// TestRetryAfterIsObeyedAndClamped answers 429 once and looks at the wait.
func TestRetryAfterIsObeyedAndClamped(t *testing.T) {
	t.Parallel()
	date := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name, in string
		want     time.Duration
	}{
		{"seconds", "17", 17 * time.Second},
		{"a date by the server's own clock", date.Add(42 * time.Second).Format(http.TimeFormat), 42 * time.Second},
		{"a date gone by", date.Add(-time.Hour).Format(http.TimeFormat), time.Second / 2},
		{"epoch seconds", fmt.Sprint(date.Add(9 * time.Second).Unix()), 9 * time.Second},
		{"five hours", "18000", 5 * time.Minute},
		{"more than an int64", "99999999999999999999", 5 * time.Minute},
		{"nonsense", "soon", time.Second / 2},
		{"negative", "-5", time.Second / 2},
		{"none", "", time.Second / 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if calls++; calls == 1 {
					w.Header().Set("Date", date.Format(http.TimeFormat))
					w.Header().Set("Retry-After", tt.in)
					w.WriteHeader(http.StatusTooManyRequests)
				}
			})
			clock := newClock()
			if _, err := get(t.Context(), open(t, server, clock), "x"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]time.Duration{tt.want}, clock.waits()); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWaitsNeverFallShort holds for every asked wait and every chance.
func TestWaitsNeverFallShort(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		asked := time.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "asked"))
		limit := time.Duration(rapid.Int64Range(0, int64(100*time.Hour)).Draw(t, "limit"))
		chance := rapid.Float64Range(0, 0.999).Draw(t, "chance")
		got := Obeyed(asked, limit, chance)
		if clamped := min(asked, limit); got < clamped || got > clamped+clamped/10+1 {
			t.Fatalf("Obeyed(%d, %d, %g) = %d", asked, limit, chance, got)
		}
		b := Backoff{First: time.Second, Max: limit}
		n := rapid.IntRange(1, 10_000).Draw(t, "n")
		if wait := b.Wait(n, chance); wait < 0 || wait > limit {
			t.Fatalf("%+v.Wait(%d, %g) = %d", b, n, chance, wait)
		}
	})
}

// TestPassingFaultsAreTriedAgain lists what is tried again and what is not.
func TestPassingFaultsAreTriedAgain(t *testing.T) {
	t.Parallel()
	outcome := func(code string) string {
		return `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"` + code + `"}]}`
	}
	tests := []struct {
		name   string
		status int
		body   string
		want   int // requests
	}{
		{"429", 429, "", 3}, {"502", 502, "", 3}, {"503", 503, "", 3}, {"504", 504, "", 3}, {"408", 408, "", 3},
		{"500 transient", 500, outcome("transient"), 3},
		{"500 throttled", 500, outcome("throttled"), 3},
		{"500 exception", 500, outcome("exception"), 1},
		{"500", 500, "", 1}, {"400 transient", 400, outcome("transient"), 1},
		{"400", 400, "", 1}, {"403", 403, "", 1}, {"404", 404, "", 1}, {"410", 410, "", 1},
		{"304", 304, "", 1},
		{"broken connection", 0, "", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				if tt.status == 0 {
					panic(http.ErrAbortHandler)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			clock := newClock()
			c := open(t, server, clock)
			_, err := c.Do(t.Context(), Request{Op: "get thing", URL: c.URL("x"), Tries: 3})
			if err == nil {
				t.Fatal("no error")
			}
			// net/http itself repeats a request once when a kept connection turns out to be dead.
			if got := int(calls.Load()); tt.status != 0 && got != tt.want || len(clock.waits()) != tt.want-1 {
				t.Errorf("%d requests and %d waits, want %d and %d: %v", got, len(clock.waits()), tt.want, tt.want-1, err)
			}
		})
	}
}

// TestBrokenDocumentIsReadAgain cuts a document short twice.
func TestBrokenDocumentIsReadAgain(t *testing.T) {
	t.Parallel()
	calls := 0
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "9")
		if calls++; calls < 3 {
			_, _ = io.WriteString(w, `{"a":`)
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, `{"a": 17}`)
	})
	c := open(t, server, newClock())
	var got struct{ A int }
	if _, err := c.ReadJSON(t.Context(), Request{Op: "read", URL: c.URL("x")}, 100, &got); err != nil || got.A != 17 {
		t.Errorf("ReadJSON = %v, %v; want 17", got, err)
	}
}

// TestRateLimitHoldsBackAllRequests lets one request meet a limit and another find out in advance.
func TestRateLimitHoldsBackAllRequests(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/fhir/limited" {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	clock := newClock()
	c := open(t, server, clock)
	if _, err := c.Do(t.Context(), Request{Op: "get", URL: c.URL("limited"), Tries: 1}); err == nil {
		t.Fatal("no error")
	}
	if _, err := get(t.Context(), c, "free"); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t.Context(), c, "free"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]time.Duration{time.Minute}, clock.waits()); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

// TestContextEndsTheWait cancels during a wait and finds the context's own error.
func TestContextEndsTheWait(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	ctx, cancel := context.WithCancel(t.Context())
	c := mustNew(t, Config{
		BaseURL: server.URL, AllowLoopback: true, Now: time.Now,
		Sleep: func(ctx context.Context, d time.Duration) error {
			cancel()
			return sleep(ctx, d)
		},
		RetryFirst: time.Hour, RetryMax: time.Hour,
	})
	if _, err := get(ctx, c, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("get = %v, want context.Canceled", err)
	}
}

// TestStalledBodyIsGivenUp sends half a body and then nothing.
func TestStalledBodyIsGivenUp(t *testing.T) {
	t.Parallel()
	calls := 0
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"a":`)
		if calls++; calls == 1 {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, `1}`)
	})
	clock := newClock()
	c := mustNew(t, Config{
		BaseURL: server.URL, AllowLoopback: true, Now: clock.Now, Sleep: clock.Sleep,
		StallTimeout: 50 * time.Millisecond,
	})
	var got struct{ A int }
	if _, err := c.ReadJSON(t.Context(), Request{Op: "read", URL: c.URL("x")}, 100, &got); err != nil || got.A != 1 {
		t.Errorf("ReadJSON = %v, %v; want 1", got, err)
	}
	if calls != 2 {
		t.Errorf("%d requests, want 2", calls)
	}
}

// TestDocumentsAreCapped reads plain and packed documents at, below and above the cap.
func TestDocumentsAreCapped(t *testing.T) {
	t.Parallel()
	for _, packed := range []bool{false, true} {
		for _, size := range []int{0, 1, 99, 100, 101, 10_000_000} {
			t.Run(fmt.Sprintf("%d bytes, packed %t", size, packed), func(t *testing.T) {
				t.Parallel()
				server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					text := strings.Repeat("x", size)
					if !packed {
						_, _ = io.WriteString(w, text)
						return
					}
					z := gzip.NewWriter(w)
					_, _ = io.WriteString(z, text)
					_ = z.Close()
				})
				c := open(t, server, newClock())
				answer, err := c.Do(t.Context(), Request{Op: "get", URL: c.URL("x")})
				if err != nil {
					t.Fatal(err)
				}
				got, err := ReadDocument(answer, 100)
				if size <= 100 && (err != nil || len(got) != size) || size > 100 && !errors.Is(err, errTooLarge) {
					t.Errorf("ReadDocument = %d bytes, %v", len(got), err)
				}
			})
		}
	}
}

// TestAllFaultsOfAConfigurationAreReported at once.
func TestAllFaultsOfAConfigurationAreReported(t *testing.T) {
	t.Parallel()
	_, err := New(Config{
		BaseURL: "https://ehr.example.org/fhir?x=1", ClientID: "us", TrustedOrigins: []string{"ehr"},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"base_url", "now", "key", "scopes", "trusted_origins"} {
		if !strings.Contains(err.Error(), part+":") {
			t.Errorf("New does not report %s: %v", part, err)
		}
	}
}

// FuzzRetryAfter looks for a wait that is negative, and for a clock that matters where it must not.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{
		"120", "Wed, 21 Oct 2026 07:28:00 GMT", "1772330400", "1772330400000", "0", "-1", "1.5", "1e9", "Inf",
		"NaN", "0x10", "", " 7 ", "99999999999999999999999",
	} {
		f.Add(seed, "Sun, 01 Mar 2026 02:00:00 GMT")
	}
	f.Fuzz(func(t *testing.T, text, date string) {
		header := http.Header{"Retry-After": {text}, "Date": {date}}
		now := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
		got, ok := RetryAfter(header, now)
		if got < 0 || !ok && got != 0 {
			t.Errorf("RetryAfter(%q) = %d, %t", text, got, ok)
		}
		if _, err := http.ParseTime(date); err == nil {
			if again, _ := RetryAfter(header, now.Add(time.Hour)); again != got {
				t.Errorf("RetryAfter(%q) by the answer's own date is %d, then %d", text, got, again)
			}
		}
	})
}

// FuzzParseOutcome looks for a severity or code that FHIR does not know.
func FuzzParseOutcome(f *testing.F) {
	f.Add([]byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"transient"}]}`))
	f.Add([]byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"x","code":"y"},{}]}`))
	f.Add([]byte(`{"resourceType":"Patient"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		issues, err := ParseOutcome(body)
		if err != nil && (issues != nil || bytes.Contains([]byte(err.Error()), body) && len(body) > 20) {
			t.Errorf("ParseOutcome = %v, %v", issues, err)
		}
		for _, issue := range issues {
			if severityOf(issue.Severity) != issue.Severity || codeOf(issue.Code) != issue.Code {
				t.Errorf("ParseOutcome lets %q through", issue)
			}
		}
	})
}
