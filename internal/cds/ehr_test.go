package cds_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/cds"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/cache"
)

// TestCalledByAnEHR opens the charts of a whole EHR, which signs its calls with published keys, and
// holds the answer against what the population says of each chart.
func TestCalledByAnEHR(t *testing.T) {
	t.Parallel()
	people := population.New(population.Config{Patients: 1500, Seed: 3})
	clock := people.AsOf
	ehr, err := fhirtest.NewServer(fhirtest.Config{Population: people, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	base, err := ehr.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ehr.Close() })

	g := &rig{log: &worldtest.Log{}}
	front := httptest.NewUnstartedServer(nil)
	origin := "http://" + front.Listener.Addr().String()
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := bedside.New(bedside.Config{Mapper: mapper, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	live, err := cds.New(cds.Config{
		BaseURL: origin, Reader: reader, Recorder: g, Now: clock, Patience: time.Minute,
		Store: cache.NewMemory(cache.MemoryConfig{Now: clock}),
		Tenants: []cds.Tenant{{Name: "fake", Issuer: ehr.HookIssuer(), JWKSURI: ehr.HookKeysURL(),
			FHIRServer: base, AllowLoopback: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	front.Config.Handler = live.Handler()
	front.Start()
	t.Cleanup(front.Close)
	url := origin + path
	advised := 0
	for _, chart := range ehr.Situations() {
		want := naiveCard(t, mapper, people, chart)
		for _, prefetch := range []bool{true, false} {
			out, err := ehr.CallHook(t.Context(), url, fhirtest.HookRequest{Patient: chart.Patient,
				Encounter: chart.Encounter, WithPrefetch: prefetch, WithAuthorization: !prefetch})
			if err != nil || out.Status != 200 {
				t.Fatalf("%s: status %d, %v: %s", chart.Name, out.Status, err, out.Body)
			}
			if (len(out.Cards) == 1) != want {
				t.Errorf("%s, prefetch %v: %d cards, want one: %v", chart.Name, prefetch, len(out.Cards), want)
			}
			if len(out.Cards) == 1 {
				advised++
				said, err := ehr.Feedback(t.Context(), url, out.Cards[0].UUID, cds.Overridden, cds.ReasonPresent)
				if err != nil || said.Status != 200 {
					t.Errorf("feedback: status %d, %v: %s", said.Status, err, said.Body)
				}
				last := g.feedback[len(g.feedback)-1]
				want := cds.Feedback{Tenant: "fake", Card: out.Cards[0].UUID, Outcome: cds.Overridden,
					Reason: cds.ReasonPresent, At: clock().UTC().Truncate(time.Second), Received: clock().UTC()}
				if diff := cmp.Diff(want, last); diff != "" {
					t.Errorf("recorded (-want +got):\n%s", diff)
				}
			}
		}
	}
	if advised == 0 {
		t.Error("no chart has a card")
	}
	ehr.RotateKeys()
	chart := ehr.Situations()[0]
	out, err := ehr.CallHook(t.Context(), url, fhirtest.HookRequest{Patient: chart.Patient,
		Encounter: chart.Encounter, WithPrefetch: true})
	if err != nil || out.Status != 200 {
		t.Errorf("after the EHR has rotated its keys: status %d, %v: %s", out.Status, err, out.Body)
	}
}

// naiveCard reads the two resources with the decoder and the mapper alone.
func naiveCard(t *testing.T, m *mapping.Mapper, p *population.Population, chart fhirtest.Situation) bool {
	t.Helper()
	line, _ := p.Read(population.Patient, chart.Patient)
	in, err := fhir.NewDecoder().Decode(line)
	if err != nil {
		t.Fatal(err)
	}
	who, _ := m.Patient(in.Patient, nil)
	line, _ = p.Read(population.Encounter, chart.Encounter)
	if in, err = fhir.NewDecoder().Decode(line); err != nil {
		t.Fatal(err)
	}
	visit, _ := m.Encounter(in.Encounter, nil)
	needed := mapping.ResolveNeed(visit.InterpreterNeed, who.InterpreterNeed).Code == mapping.Yes
	want := needed && visit.InterpreterUse == mapping.NoneDocumented && visit.Status != "cancelled"
	if chart.Name == population.NoInterpreter && !want || chart.Name == population.Interpreter && want {
		t.Errorf("the chart of %s is read as %v", chart.Name, want)
	}
	return want
}
