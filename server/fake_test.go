package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report/reporttest"
	"github.com/equitylens/equitylens/server"
)

// question is what the fake was asked last.
type question struct {
	ID         string
	Period     string
	Dimensions []string
}

// fakeMeasures answers with the results of reporttest, or with what answer says.
type fakeMeasures struct {
	answer func(ctx context.Context, id string) (measure.Result, error)

	mu   sync.Mutex
	last question
}

func (f *fakeMeasures) Definitions() []measure.Definition {
	var all []measure.Definition
	for _, result := range reporttest.Results() {
		all = append(all, measure.Definition{
			ID: result.Measure, Version: result.Version, Title: result.Title, Unit: measure.EncounterUnit,
			Scoring: result.Groups[0].Scoring, Improvement: result.Groups[0].Improvement,
			Populations: map[measure.Population]string{measure.InitialPopulation: "status = 'finished'"},
		})
	}
	return all
}

func (f *fakeMeasures) Evaluate(
	ctx context.Context, asked measure.Question,
) (measure.Result, error) {
	id, period, dimensions := asked.Measure, asked.Period, asked.By
	f.mu.Lock()
	f.last = question{ID: id, Period: period.String(), Dimensions: dimensions}
	f.mu.Unlock()
	if f.answer != nil {
		return f.answer(ctx, id)
	}
	for _, d := range dimensions {
		for _, part := range strings.Split(d, "*") {
			if !slices.Contains(measure.Dimensions(), part) {
				return measure.Result{}, fmt.Errorf("dimension %q: %w", part, measure.ErrUnknownDimension)
			}
		}
	}
	for _, result := range reporttest.Results() {
		if result.Measure == id {
			return result, nil
		}
	}
	return measure.Result{}, measure.ErrUnknownMeasure
}

func (f *fakeMeasures) asked() question {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

type fakeSnapshots struct {
	snapshot server.Snapshot
	absent   bool
}

func (f fakeSnapshots) Current() (server.Snapshot, bool) { return f.snapshot, !f.absent }

// fakeAuthorizer takes a token for the scope that it covers.
type fakeAuthorizer struct{}

func (fakeAuthorizer) Authorize(r *http.Request, scope string) (server.Principal, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok:
		return server.Principal{}, server.ErrNoToken
	case !strings.HasPrefix(token, "system/"):
		return server.Principal{}, server.ErrBadToken
	case token != scope:
		return server.Principal{}, server.ErrScope
	}
	return server.Principal{Client: "quality-department"}, nil
}

func said(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, text)
	})
}

// fixture is a server over fakes, and everything that it emits.
type fixture struct {
	*server.Server
	measures *fakeMeasures
	log      *bytes.Buffer
}

func now() time.Time { return time.Date(2019, 1, 3, 0, 0, 0, 0, time.UTC) }

func newFixture(t *testing.T, change ...func(*server.Config)) *fixture {
	t.Helper()
	f := &fixture{measures: &fakeMeasures{}, log: &bytes.Buffer{}}
	cfg := server.Config{
		Measures: f.measures,
		Snapshots: fakeSnapshots{snapshot: server.Snapshot{
			ID: "20190102T030405Z-1f2e", DataAsOf: time.Date(2019, 1, 2, 3, 4, 5, 0, time.UTC),
		}},
		Authorizer:   fakeAuthorizer{},
		OAuth:        server.OAuth{Token: said("token"), Keys: said("keys"), SMART: said("smart")},
		BaseURL:      "https://quality.example.org/fhir",
		Organization: "Example Health",
		Version:      "0.1.0",
		Registry:     prometheus.NewRegistry(),
		Logger:       slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:          now,
		RequestID:    func() string { return "00000000-0000-4000-8000-000000000001" },
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f.Server = s
	return f
}

const (
	measureScope = "system/Measure.rs"
	reportScope  = "system/MeasureReport.rs"
)

// call sends one request straight to the handler. A header is "Name: value".
func (f *fixture) call(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

// get asks with a token for scope; "" is no token.
func (f *fixture) get(target, scope string) *httptest.ResponseRecorder {
	if scope == "" {
		return f.call(http.MethodGet, target, "")
	}
	return f.call(http.MethodGet, target, "", "Authorization: Bearer "+scope)
}
