package bulk

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/client"
)

// transient is the outcome of a fault that passes.
const transient = `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"transient"}]}`

// refuse answers with a status and a body.
func refuse(w http.ResponseWriter, status int, body string) bool {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
	return true
}

// TestRetryAfterIsObeyedAndClamped answers one poll with 202 and looks at the wait. The server's
// clock is a year ahead of ours.
func TestRetryAfterIsObeyedAndClamped(t *testing.T) {
	t.Parallel()
	server := time.Date(2027, 3, 1, 2, 0, 0, 0, time.UTC)
	tests := []struct {
		name, in string
		want     time.Duration
	}{
		{"seconds", "120", 2 * time.Minute},
		{"a date", server.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second},
		{"epoch seconds", fmt.Sprint(server.Add(30 * time.Second).Unix()), 30 * time.Second},
		{"epoch milliseconds", fmt.Sprint(server.UnixMilli()), time.Hour},
		{"five hours", "18000", time.Hour},
		{"zero", "0", time.Second / 2},
		{"none", "", time.Second / 2},
		{"nonsense", "later", time.Second / 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHospital(t)
			polls := 0
			h.onPoll = func(w http.ResponseWriter, _ *http.Request) bool {
				if polls++; polls > 1 {
					return false
				}
				w.Header().Set("Date", server.Format(http.TimeFormat))
				w.Header().Set("Retry-After", tt.in)
				return refuse(w, http.StatusAccepted, "")
			}
			if _, err := h.run(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]time.Duration{tt.want}, h.clock.waits()); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPollingBacksOff doubles the wait up to two minutes where the server asks for none.
func TestPollingBacksOff(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	polls := 0
	h.onPoll = func(w http.ResponseWriter, _ *http.Request) bool {
		polls++
		return polls <= 10 && refuse(w, http.StatusAccepted, "")
	}
	if _, err := h.run(); err != nil {
		t.Fatal(err)
	}
	var want []time.Duration
	for _, seconds := range []float64{0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60} {
		want = append(want, time.Duration(seconds*float64(time.Second)))
	}
	if diff := cmp.Diff(want, h.clock.waits()); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

// TestPollingOutlivesPassingFaults mixes every fault that passes with polls that succeed, many more
// in all than may come in a row.
func TestPollingOutlivesPassingFaults(t *testing.T) {
	t.Parallel()
	faults := []func(http.ResponseWriter){
		func(w http.ResponseWriter) { refuse(w, 500, transient) },
		func(w http.ResponseWriter) { refuse(w, 502, "<html>") },
		func(w http.ResponseWriter) { refuse(w, 503, "") },
		func(w http.ResponseWriter) { w.Header().Set("Retry-After", "20"); refuse(w, 429, "") },
		func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			refuse(w, 200, `{"transactionTime":`)
			panic(http.ErrAbortHandler)
		},
		func(w http.ResponseWriter) { refuse(w, 202, "") },
	}
	h := newHospital(t, lines("Patient", 2))
	var polls atomic.Int32
	h.onPoll = func(w http.ResponseWriter, _ *http.Request) bool {
		n := int(polls.Add(1))
		if n > 10*len(faults) {
			return false
		}
		faults[n%len(faults)](w)
		return true
	}
	export, err := h.run()
	if err != nil || len(export.Files) != 1 || h.asked("POST")+h.asked("GET /fhir/$export") != 1 {
		t.Errorf("Run = %d files, %v", len(export.Files), err)
	}
}

// TestJobsThatEnd lists the ways in which a job comes to nothing, and what a caller is told.
func TestJobsThatEnd(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		body   string
		want   error
		polls  int
	}{
		{"the job is gone", 404, "", ErrExpired, 1},
		{"the job has expired", 410, "", ErrExpired, 1},
		{"the job failed", 500, `{"resourceType":"OperationOutcome","issue":[{"severity":"fatal","code":"exception"}]}`,
			ErrFailed, 1},
		{"it was refused", 400, "", ErrFailed, 1},
		{"it never stops to fail", 503, "", nil, 12},
		{"the token is not good enough", 403, "", nil, 1},
		{"no manifest", 200, `{"resourceType":"OperationOutcome"}`, ErrManifest, 1},
		{"a page", 200, `<html>`, ErrManifest, 1},
		{"no content", 204, "", nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHospital(t)
			h.onPoll = func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, tt.status, tt.body) }
			dir := t.TempDir()
			write(t, dir, "not-ours.txt", "x")
			_, err := h.exporter(dir).Run(t.Context())
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("Run = %v, want %v", err, tt.want)
			}
			for _, other := range []error{ErrExpired, ErrFailed, ErrManifest} {
				if !errors.Is(tt.want, other) && errors.Is(err, other) {
					t.Errorf("Run = %v, which reads as %v", err, other)
				}
			}
			if got := h.asked("GET /fhir/job/1"); got != tt.polls {
				t.Errorf("%d polls, want %d", got, tt.polls)
			}
			cleared := len(listing(t, dir)) == 1
			if cleared != errors.Is(tt.want, ErrExpired) {
				t.Errorf("the folder holds %v", listing(t, dir))
			}
		})
	}
}

// TestKickOffWaitsForAnotherJob obeys Retry-After on 429, then waits by itself, and in the end says
// what is the matter.
func TestKickOffWaitsForAnotherJob(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	kicks := 0
	h.onKick = func(w http.ResponseWriter, _ *http.Request) bool {
		switch kicks++; kicks {
		case 1:
			w.Header().Set("Retry-After", "600")
			return refuse(w, 429, "")
		case 2:
			return refuse(w, 429, "")
		case 3:
			return refuse(w, 503, "")
		}
		return false
	}
	if _, err := h.run(); err != nil {
		t.Fatal(err)
	}
	// The client holds every request back for five minutes of the ten; the kick-off waits them all.
	want := []time.Duration{10 * time.Minute, 30 * time.Second, time.Second / 2}
	if diff := cmp.Diff(want, h.clock.waits()); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	h.onKick = func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 429, "") }
	if _, err := h.run(); !errors.Is(err, ErrBusy) {
		t.Errorf("Run = %v, want ErrBusy", err)
	}
}

// TestKickOffsThatAreRefused lists answers to a kick-off that start no job we could follow.
func TestKickOffsThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		status   int
		location string
		want     error
	}{
		{"400, a scope is missing", 400, "", nil},
		{"200, not async", 200, "/fhir/job/1", nil},
		{"202 without Content-Location", 202, "", nil},
		{"a job on another port", 202, "http://127.0.0.1:1/fhir/job/1", client.ErrOrigin},
		{"a job on another host", 202, "https://ehr.example.org/job/1", client.ErrOrigin},
		{"a job over plain http", 202, "http://ehr.example.org/job/1", client.ErrURL},
		{"a job on this disk", 202, "file:///tmp/job", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHospital(t)
			h.onKick = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Location", tt.location)
				return refuse(w, tt.status, "")
			}
			_, err := h.run()
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("Run = %v, want %v", err, tt.want)
			}
			if got := h.asked(""); got != 1 {
				t.Errorf("%d requests, want only the kick-off", got)
			}
		})
	}
}

// TestRelativeURLsAreResolved takes a status URL and file URLs as paths.
func TestRelativeURLsAreResolved(t *testing.T) {
	t.Parallel()
	h := newHospital(t, lines("Patient", 3))
	h.onKick = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Location", "/fhir/job/1")
		return refuse(w, 202, "")
	}
	h.change = func(m map[string]any) {
		m["output"] = []any{map[string]any{"type": "Patient", "url": "../file/0"}}
		m["request"] = "$export"
	}
	export, err := h.run()
	if err != nil || len(export.Files) != 1 || export.Files[0].Lines != 3 {
		t.Errorf("Run = %+v, %v", export, err)
	}
}

// TestManifestPagesAreRead polls each page of a manifest until it is ready, and ends a ring.
func TestManifestPagesAreRead(t *testing.T) {
	t.Parallel()
	h := newHospital(t, lines("Patient", 1), lines("Encounter", 2))
	asked := map[string]int{}
	ring := false
	h.onPoll = func(w http.ResponseWriter, r *http.Request) bool {
		page := r.URL.Query().Get("page")
		if asked[page]++; asked[page] == 1 {
			return refuse(w, 202, "")
		}
		switch {
		case page == "":
			return refuse(w, 200, `{"transactionTime":"2026-03-01T00:00:00Z","requiresAccessToken":true,
				"output":[{"type":"Patient","url":"../file/0"}],"link":[{"relation":"next","url":"?page=2"}]}`)
		case ring:
			return refuse(w, 200, `{"output":[],"link":[{"relation":"next","url":"/fhir/job/1"}]}`)
		}
		return refuse(w, 200, `{"transactionTime":"2026-03-01T00:00:00Z","requiresAccessToken":true,
			"output":[{"type":"Patient","url":"../file/0"},{"type":"Encounter","url":"../file/1"}]}`)
	}
	export, err := h.run()
	if err != nil || len(export.Files) != 2 || export.Files[1].Lines != 2 {
		t.Errorf("Run = %+v, %v; want 2 files", export, err)
	}
	ring = true
	if _, err := h.run(); !errors.Is(err, ErrManifest) {
		t.Errorf("Run = %v, want ErrManifest", err)
	}
}

// TestJobMayTakeOnlySoLong gives up a job that runs for more than its time.
func TestJobMayTakeOnlySoLong(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.onPoll = func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 202, "") }
	_, err := h.run(func(cfg *Config) { cfg.JobTimeout = time.Hour })
	if !errors.Is(err, ErrTooLong) {
		t.Errorf("Run = %v, want ErrTooLong", err)
	}
	total := time.Duration(0)
	for _, wait := range h.clock.waits() {
		total += wait
	}
	if total < time.Hour || total > time.Hour+unaskedMax {
		t.Errorf("gave up after %s, want an hour", total)
	}
}

// TestJobIsDeletedAfterwards lists the answers to DELETE. None of them costs the export.
func TestJobIsDeletedAfterwards(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 202, 204, 401, 403, 404, 405, 410, 500, 501, 503} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			h := newHospital(t, lines("Patient", 1))
			h.onDelete = func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, status, "") }
			export, err := h.run()
			if err != nil || len(export.Files) != 1 || h.asked("DELETE /fhir/job/1") == 0 {
				t.Errorf("Run = %d files, %v after %d DELETEs", len(export.Files), err, h.asked("DELETE"))
			}
		})
	}
	h := newHospital(t, lines("Patient", 1))
	if _, err := h.run(func(cfg *Config) { cfg.Keep = true }); err != nil || h.asked("DELETE") != 0 {
		t.Errorf("with Keep: %v, %d DELETEs", err, h.asked("DELETE"))
	}
}

// TestCancelDeletesTheJob gives up a job that is still running, and the folder with it.
func TestCancelDeletesTheJob(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.onPoll = func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 403, "") }
	dir := t.TempDir()
	e := h.exporter(dir)
	if err := e.Cancel(t.Context()); err != nil || h.asked("") != 0 {
		t.Errorf("Cancel of nothing = %v after %d requests", err, h.asked(""))
	}
	if _, err := e.Run(t.Context()); err == nil {
		t.Fatal("Run succeeds")
	}
	if err := e.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.asked("DELETE /fhir/job/1") != 1 || len(listing(t, dir)) != 0 {
		t.Errorf("%d DELETEs, folder holds %v", h.asked("DELETE"), listing(t, dir))
	}
}

// TestProgressIsTold in order, with what the server says of itself made harmless.
func TestProgressIsTold(t *testing.T) {
	t.Parallel()
	h := newHospital(t, lines("Patient", 1), lines("Encounter", 1))
	polls := 0
	h.onPoll = func(w http.ResponseWriter, _ *http.Request) bool {
		if polls++; polls > 1 {
			return false
		}
		w.Header().Set("X-Progress", "50%\u202e\u0085 done "+strings.Repeat("é", 200))
		w.Header().Set("Retry-After", "7")
		return refuse(w, 202, "")
	}
	var got []Progress
	if _, err := h.run(func(cfg *Config) {
		cfg.Parallel = 1
		cfg.Progress = func(p Progress) { got = append(got, p) }
	}); err != nil {
		t.Fatal(err)
	}
	n := int64(len(h.files[0].body))
	want := []Progress{
		{Phase: KickingOff},
		{Phase: Waiting, Server: "50% done " + strings.Repeat("é", 91), Wait: 7 * time.Second},
		{Phase: Downloading, FilesTotal: 2},
		{Phase: Downloading, FilesTotal: 2, FilesDone: 1, Bytes: n},
		{Phase: Downloading, FilesTotal: 2, FilesDone: 2, Bytes: n + int64(len(h.files[1].body))},
		{Phase: Done, FilesTotal: 2, FilesDone: 2, Bytes: n + int64(len(h.files[1].body))},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}
