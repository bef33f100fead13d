package exchange_test

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/exchange"
	"github.com/equitylens/equitylens/internal/incident"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/decisions"
)

// door hands events to internal/incident, as a program does.
type door struct {
	records incident.Records
	mapper  *mapping.Mapper
}

func (d door) Accept(ctx context.Context, by string, text []byte) (exchange.Accepted, error) {
	const source = "incidents"
	taken := incident.Intake{Records: d.records, By: by}
	receipt, err := taken.Accept(ctx, source, d.mapper, text, clock())
	if err != nil {
		return exchange.Accepted{}, err
	}
	return exchange.Accepted{
		Key:     review.Key{Source: source, ID: phi.New(receipt.ID)},
		Created: receipt.Created, Changed: receipt.Changed,
	}, nil
}

// An event that is handed in passes the rules of the table of events, and what breaks them is told with
// its place and without its content.
func TestIncidentsAreTakenByTheirRules(t *testing.T) {
	t.Parallel()
	store, err := decisions.Open(t.Context(), decisions.Config{
		Path: filepath.Join(t.TempDir(), "incidents.db"), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		t.Fatal(err)
	}
	f := newRig(t, options{change: func(c *exchange.Config) { c.Incidents = door{store, mapper} }})
	const good = `{"resourceType":"AdverseEvent","identifier":{"value":"canary-77"},"actuality":"actual",` +
		`"subject":{"reference":"Patient/canary-1"},"date":"2026-05-01","severity":{"coding":[{"system":` +
		`"http://terminology.hl7.org/CodeSystem/adverse-event-severity","code":"severe"}]},"extension":[{"url":` +
		`"https://equitylens.org/fhir/StructureDefinition/event-detection","valueCodeableConcept":{"coding":[{` +
		`"system":"https://equitylens.org/fhir/CodeSystem/event-detection","code":"reported"}]}}]}`
	tests := []struct {
		name, body string
		want       int
	}{
		{"a new one", good, http.StatusCreated},
		{"again", good, http.StatusOK},
		{"changed", strings.Replace(good, "severe\"", "mild\"", 1), http.StatusOK},
		{"without a date", strings.Replace(good, `"date":"2026-05-01",`, "", 1), 422},
		{"with a name", strings.Replace(good, `"actuality"`, `"recorder":{"display":"Canary"},"actuality"`, 1), 422},
		{"a severity that is none", strings.Replace(good, `"severe"`, `"canary"`, 1), 422},
		{"no JSON", "{", 422},
	}
	for _, tt := range tests {
		w := f.call("POST", "AdverseEvent", "incidents@equitylens/import", tt.body, "")
		if w.Code != tt.want {
			t.Errorf("%s = %d, want %d: %s", tt.name, w.Code, tt.want, w.Body)
		}
		if strings.Contains(strings.ToLower(w.Body.String()+w.Header().Get("Location")), "canary") {
			t.Errorf("%s repeats what was sent: %s", tt.name, w.Body)
		}
	}
	if strings.Contains(strings.ToLower(f.log.String()), "canary") {
		t.Errorf("the log holds %s", f.log)
	}
}
