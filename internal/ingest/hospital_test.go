package ingest_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/fhir/client"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/store/facts"
)

// clock is that of a client and of its server: that of the machine and all that was slept. Nobody
// waits, so that hours of Retry-After cost nothing and tokens die on time.
type clock struct {
	mu    sync.Mutex
	slept time.Duration
}

func newClock() *clock { return &clock{} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.slept)
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept += d
	return context.Cause(ctx)
}

// ticking is a clock for a data directory, so that every snapshot has a moment of its own.
func ticking() func() time.Time {
	c := newClock()
	return func() time.Time {
		_ = c.Sleep(context.Background(), time.Second)
		return c.Now()
	}
}

// hospital is a fake EHR and the source that reads it.
type hospital struct {
	*fhirtest.Server
	source ingest.Server
	clock  *clock
}

// clientKey is made once: an RSA key takes longer than a sync.
var clientKey = sync.OnceValues(func() (jose.JSONWebKey,
	error) {
	return keys.Generate(jose.ES384)
})

// people is the population of most tests.
func people() *population.Population {
	return population.New(population.Config{Patients: 200, Seed: 11, EncountersPerPatient: 8})
}

// openHospital starts a fake EHR with faults. change may bend it before it starts.
func openHospital(
	t *testing.T, who *population.Population, change func(*fhirtest.Config), faults ...fhirtest.Fault,
) *hospital {
	t.Helper()
	key, err := clientKey()
	if err != nil {
		t.Fatal(err)
	}
	h := &hospital{clock: newClock()}
	config := fhirtest.Config{
		Population: who, Faults: faults, Now: h.clock.Now, TinyFiles: 60, HugeLine: 20 << 20,
		Bomb: 1 << 30,
		Clients: []fhirtest.Client{{ID: "test",
			Keys: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}}},
	}
	if change != nil {
		change(&config)
	}
	if h.Server, err = fhirtest.NewServer(config); err != nil {
		t.Fatal(err)
	}
	base, err := h.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	settings := client.Config{
		BaseURL: base, ClientID: "test", Key: key, AllowLoopback: true, Now: h.clock.Now,
		Sleep:  h.clock.Sleep,
		Scopes: []string{"system/Patient.rs", "system/Encounter.rs", "system/AdverseEvent.rs"},
	}
	if config.TLS {
		settings.RootCAs = x509.NewCertPool()
		settings.RootCAs.AddCert(h.Certificate())
	}
	c, err := client.New(settings)
	if err != nil {
		t.Fatal(err)
	}
	h.source = ingest.Server{ID: "ehr", Client: c, Types: ingest.AllAuto(), Overlap: 15 * time.Minute}
	return h
}

// store is a data directory and how a sync into it is done.
type store struct {
	*facts.Dir
	config ingest.Config
	log    *bytes.Buffer
}

func openStore(t *testing.T) store { return openStoreAt(t, t.TempDir()) }

func openStoreAt(t *testing.T, path string) store {
	t.Helper()
	dir, err := facts.Open(path, ticking())
	if err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	return store{Dir: dir, log: log, config: ingest.Config{
		Dir: dir, Mapper: siteMapper(t), MaxShrink: 0.2, MaxRefused: 0.05, Software: "test",
		Logger: slog.New(slog.NewJSONHandler(log, nil)),
	}}
}

// siteMapper knows the local codes of the population.
func siteMapper(t *testing.T) *mapping.Mapper {
	t.Helper()
	m, err := newSiteMapper()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newSiteMapper() (*mapping.Mapper, error) {
	text, err := population.ConceptMap()
	if err != nil {
		return nil, err
	}
	local, err := mapping.ParseConceptMap("test", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return mapping.New(mapping.Config{ConceptMaps: []mapping.ConceptMap{local}})
}

// sync does one sync that must end well.
func (s store) sync(t *testing.T, from ingest.Source) ingest.Report {
	t.Helper()
	report, err := ingest.Sync(t.Context(), s.config, from)
	if err != nil {
		t.Fatalf("Sync = %v", err)
	}
	return report
}

// live returns the id of the live snapshot, or "".
func (s store) live(t *testing.T) string {
	t.Helper()
	id, err := s.Current()
	if err != nil {
		return ""
	}
	return id
}

// evaluate answers one measure on one snapshot.
func (s store) evaluate(t *testing.T, snapshot, id, period string) measure.Result {
	t.Helper()
	list, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	opened, err := s.Snapshot(t.Context(), snapshot)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = opened.Close() }()
	within, err := measure.ParsePeriod(period)
	if err != nil {
		t.Fatal(err)
	}
	result, err := measure.NewEngine(opened, list).Evaluate(t.Context(), measure.Question{
		Measure: id, Period: within, By: []string{"language_group"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// leftovers lists the runs that were left behind.
func (s store) leftovers(t *testing.T) []string {
	t.Helper()
	names, err := s.Leftovers()
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// checkWhole opens every snapshot there is, and the one that CURRENT names: none may be half one.
func (s store) checkWhole(t *testing.T) {
	t.Helper()
	ids, err := s.IDs()
	if err != nil {
		t.Fatal(err)
	}
	live := s.live(t)
	if live != "" {
		ids = append(ids, live)
	}
	for _, id := range ids {
		opened, err := s.Snapshot(t.Context(), id)
		if err != nil {
			t.Fatalf("snapshot %s cannot be opened: %v", id, err)
		}
		if opened.Info.ID != id || opened.Info.Digest == "" {
			t.Errorf("snapshot %s says that it is %q with digest %q", id, opened.Info.ID, opened.Info.Digest)
		}
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}
}

// cleanRun is the outcome of an undisturbed sync of people().
var cleanRun = sync.OnceValues(func() (ingest.Report, error) {
	folder, err := os.MkdirTemp("", "clean")
	if err != nil {
		return ingest.Report{}, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	files := filepath.Join(folder, "files")
	if err := os.Mkdir(files, 0o700); err != nil {
		return ingest.Report{}, err
	}
	if err := people().WriteNDJSON(context.Background(), files, 1, false); err != nil {
		return ingest.Report{}, err
	}
	dir, err := facts.Open(filepath.Join(folder, "data"), ticking())
	if err != nil {
		return ingest.Report{}, err
	}
	mapper, err := newSiteMapper()
	if err != nil {
		return ingest.Report{}, err
	}
	report, err := ingest.Sync(context.Background(),
		ingest.Config{Dir: dir, Mapper: mapper, MaxShrink: 1},
		ingest.Folder{Path: files, ID: "ehr"})
	if err != nil {
		return report, fmt.Errorf("clean run: %w", err)
	}
	return report, nil
})

// clean is what every harmless fault must come to as well. It is had from files on disk, so that
// server and folder check each other.
func clean(t *testing.T) ingest.Report {
	t.Helper()
	report, err := cleanRun()
	if err != nil {
		t.Fatal(err)
	}
	return report
}
