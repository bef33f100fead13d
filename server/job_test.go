package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report/reporttest"
	"github.com/equitylens/equitylens/server"
)

// later asks for an answer later, and returns the path where it will be.
func (f *fixture) later(t *testing.T, target, scopes string) string {
	t.Helper()
	w := f.kickOff(target, scopes)
	if w.Code != http.StatusAccepted || w.Header().Get("Preference-Applied") != "respond-async" {
		t.Fatalf("kick-off = %d, Preference-Applied %q: %s", w.Code,
			w.Header().Get("Preference-Applied"), w.Body)
	}
	at, ok := strings.CutPrefix(w.Header().Get("Content-Location"), "https://quality.example.org")
	if !ok {
		t.Fatalf("Content-Location is %q", w.Header().Get("Content-Location"))
	}
	return at
}

func (f *fixture) kickOff(target, scopes string) *httptest.ResponseRecorder {
	return f.call(http.MethodGet, target, "", "Authorization: Bearer "+scopes,
		"Prefer: handling=strict; x=y, respond-async")
}

// finished is later and waits for the answer.
func (f *fixture) finished(t *testing.T, target, scopes string) string {
	t.Helper()
	at := f.later(t, target, scopes)
	for range 10_000 {
		if w := f.get(at, scopes); w.Code != http.StatusAccepted {
			return at
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the job does not end")
	return ""
}

const edOf2018 = evaluateED + "?periodStart=2018&periodEnd=2018"

func TestAnAnswerThatComesLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		release := make(chan struct{})
		f.measures.answer = func(context.Context, string) (measure.Result, error) {
			<-release
			return reporttest.Results()[0], nil
		}
		at := f.later(t, edOf2018, reportScope)
		synctest.Wait()
		w := f.get(at, reportScope)
		if w.Code != http.StatusAccepted || w.Header().Get("Retry-After") != "2" ||
			w.Header().Get("X-Progress") == "" {
			t.Errorf("a running job = %d %v", w.Code, w.Header())
		}
		close(release)
		synctest.Wait()
		w = f.get(at, reportScope)
		resource, err := r4.Unmarshal(w.Body.Bytes())
		if err != nil || w.Code != http.StatusOK {
			t.Fatalf("a finished job = %d %s", w.Code, w.Body)
		}
		bundle := resource.GetBundle()
		got := bundle.GetType().GetValue().String()
		if got != "BATCH_RESPONSE" || len(bundle.GetEntry()) != 1 {
			t.Fatalf("the answer is a %s of %d", got, len(bundle.GetEntry()))
		}
		entry := bundle.GetEntry()[0]
		if entry.GetResponse().GetStatus().GetValue() != "200 OK" {
			t.Errorf("the status is %v", entry.GetResponse().GetStatus())
		}
		if err := reporttest.Check(entry.GetResource().GetMeasureReport()); err != nil {
			t.Error(err)
		}
		if got := w.Header().Get("Expires"); got != "Thu, 03 Jan 2019 01:00:00 GMT" {
			t.Errorf("Expires is %q", got)
		}
	})
}

func TestAnyServerOfTheStoreKnowsAJob(t *testing.T) {
	t.Parallel()
	here := newFixture(t)
	there := newFixture(t, func(c *server.Config) { c.Jobs = here.jobs })
	at := here.finished(t, edOf2018, reportScope)
	own, others := here.get(at, reportScope).Body.String(), there.get(at, reportScope).Body.String()
	if diff := cmp.Diff(own, others); diff != "" {
		t.Errorf("the answers differ (-here +there):\n%s", diff)
	}
}

// TestAJobBelongsToOneClient: neither another client nor a smaller token of the same one gets at an
// answer, and to the other client it is as if it did not exist.
func TestAJobBelongsToOneClient(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	at := f.finished(t, edOf2018, internalScope)
	nothing := f.get("/fhir/$job/nothing", internalScope)
	tests := []struct {
		name, method, scopes string
		want                 int
	}{
		{"another client asks", http.MethodGet, "other@" + internalScope, 404},
		{"another client deletes", http.MethodDelete, "other@" + internalScope, 404},
		{"a token without what the answer needed", http.MethodGet, reportScope, 403},
		{"its client", http.MethodGet, internalScope, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := f.call(tt.method, at, "", "Authorization: Bearer "+tt.scopes)
			if w.Code != tt.want {
				t.Fatalf("%s = %d, want %d: %s", tt.method, w.Code, tt.want, w.Body)
			}
			if tt.want == http.StatusNotFound {
				if diff := cmp.Diff(nothing.Body.String(), w.Body.String()); diff != "" {
					t.Errorf("differs from a job that does not exist:\n%s", diff)
				}
			}
		})
	}
}

func TestAJobThatFails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer func(context.Context, string) (measure.Result, error)
		status int
		code   string
		logged bool
	}{
		{"for what was asked", func(context.Context, string) (measure.Result, error) {
			return measure.Result{}, measure.ErrUnknownDimension
		}, 400, "CODE_INVALID", false},
		{"by a fault of ours", func(context.Context, string) (measure.Result, error) {
			return measure.Result{}, errors.New("the disk is on fire")
		}, 500, "EXCEPTION", true},
		{"with a panic", func(context.Context, string) (measure.Result, error) {
			panic("Zebra")
		}, 500, "EXCEPTION", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.measures.answer = tt.answer
			w := f.get(f.finished(t, edOf2018, reportScope), reportScope)
			if code, _ := outcome(t, w.Body.Bytes()); w.Code != tt.status || code != tt.code {
				t.Errorf("%d %s, want %d %s", w.Code, code, tt.status, tt.code)
			}
			f.Close()
			log := f.log.String()
			if logged := strings.Contains(log, `"msg":"job"`) &&
				strings.Contains(log, `"level":"ERROR"`); logged != tt.logged {
				t.Errorf("an error is logged: %v, want %v: %s", logged, tt.logged, log)
			}
			if strings.Contains(log+w.Body.String(), "Zebra") {
				t.Errorf("what was thrown went out: %s", log)
			}
		})
	}
}

func TestACancelledJobIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ended := false
		f.measures.answer = func(ctx context.Context, _ string) (measure.Result, error) {
			<-ctx.Done()
			ended = true
			return measure.Result{}, ctx.Err()
		}
		at := f.later(t, edOf2018, reportScope)
		synctest.Wait()
		if w := f.call(http.MethodDelete, at, "", "Authorization: Bearer "+reportScope); w.Code != 202 {
			t.Fatalf("DELETE = %d: %s", w.Code, w.Body)
		}
		if w := f.get(at, reportScope); w.Code != http.StatusNotFound {
			t.Errorf("a cancelled job = %d", w.Code)
		}
		time.Sleep(6 * time.Second) // One beat.
		synctest.Wait()
		if !ended {
			t.Error("the evaluation goes on")
		}
		for _, key := range f.jobs.keys() {
			if !strings.HasPrefix(key, "job-cancelled:") {
				t.Errorf("%s is kept of a cancelled job", key)
			}
		}
		if w := f.call(http.MethodDelete, at, "", "Authorization: Bearer "+reportScope); w.Code != 404 {
			t.Errorf("DELETE again = %d", w.Code)
		}
	})
}

func TestJobsAreBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *server.Config) { c.MaxJobs, c.MaxJobsPerClient = 3, 2 })
	hold := make(chan struct{})
	f.measures.answer = func(context.Context, string) (measure.Result, error) {
		<-hold
		return reporttest.Results()[0], nil
	}
	defer close(hold)
	first := f.later(t, edOf2018, reportScope)
	f.later(t, edOf2018, reportScope)
	refused := func(name, scopes string) {
		t.Helper()
		w := f.kickOff(edOf2018, scopes)
		code, _ := outcome(t, w.Body.Bytes())
		if w.Code != 429 || code != "THROTTLED" || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s = %d %s", name, w.Code, code)
		}
	}
	refused("the third of one client", reportScope)
	f.later(t, edOf2018, "other@"+reportScope)
	refused("the fourth of all", "third@"+reportScope)
	if w := f.call(http.MethodDelete, first, "", "Authorization: Bearer "+reportScope); w.Code != 202 {
		t.Errorf("DELETE = %d", w.Code)
	}
	refused("while those that are worked on are three", reportScope)
}

func TestAJobOutlivesNoServer(t *testing.T) {
	t.Parallel()
	here := newFixture(t)
	there := newFixture(t, func(c *server.Config) { c.Jobs = here.jobs })
	entered := make(chan struct{})
	here.measures.answer = func(ctx context.Context, _ string) (measure.Result, error) {
		close(entered)
		<-ctx.Done()
		return measure.Result{}, errors.New("INTERRUPT Error: Interrupted!")
	}
	at := here.later(t, edOf2018, reportScope)
	<-entered
	here.Close()
	w := there.get(at, reportScope)
	if code, _ := outcome(t, w.Body.Bytes()); w.Code != 503 || code != "TRANSIENT" {
		t.Errorf("%d %s, want 503 TRANSIENT", w.Code, code)
	}
}

// TestALostJobIsCalledLost: a server that was killed says nothing any more.
func TestALostJobIsCalledLost(t *testing.T) {
	t.Parallel()
	here := newFixture(t)
	later := newFixture(t, func(c *server.Config) {
		c.Jobs, c.Now = here.jobs, func() time.Time { return now().Add(2 * time.Minute) }
	})
	hold := make(chan struct{})
	defer close(hold)
	here.measures.answer = func(context.Context, string) (measure.Result, error) {
		<-hold
		return reporttest.Results()[0], nil
	}
	at := here.later(t, edOf2018, reportScope)
	w := later.get(at, reportScope)
	if code, _ := outcome(t, w.Body.Bytes()); w.Code != 500 || code != "INCOMPLETE" {
		t.Errorf("%d %s, want 500 INCOMPLETE", w.Code, code)
	}
}

func TestWithoutAStoreTheAnswerComesAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *server.Config) { c.Jobs = nil })
	w := f.kickOff(edOf2018, reportScope)
	if w.Code != 200 || w.Header().Get("Preference-Applied") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	w = f.get("/fhir/$job/x", reportScope)
	if code, _ := outcome(t, w.Body.Bytes()); w.Code != 501 || code != "NOT_SUPPORTED" {
		t.Errorf("the status = %d %s", w.Code, code)
	}
}

func TestABadQuestionIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	w := f.kickOff(evaluateED+"?periodStart=2018", reportScope)
	if w.Code != 400 || len(f.jobs.keys()) > 0 {
		t.Errorf("%d, and %v is kept", w.Code, f.jobs.keys())
	}
}

// TestAStoreThatCannotBeAsked is neither a job that does not exist nor one that is accepted.
func TestAStoreThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.jobs.broken = errors.New("redis has gone")
	for _, w := range []*httptest.ResponseRecorder{
		f.kickOff(edOf2018, reportScope), f.get("/fhir/$job/x", reportScope),
	} {
		if code, _ := outcome(t, w.Body.Bytes()); w.Code != 500 || code != "EXCEPTION" {
			t.Errorf("%d %s, want 500", w.Code, code)
		}
	}
}
