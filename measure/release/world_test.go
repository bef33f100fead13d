package release_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/store/facts"
	"github.com/equitylens/equitylens/store/ledger"
)

// snapshot syncs a made-up population into a folder, once for all tests.
var snapshot = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "release")
	if err != nil {
		return "", err
	}
	return folder, load(folder, population.Config{Patients: 900, Seed: 5})
})

func TestMain(m *testing.M) {
	code := m.Run()
	if folder, err := snapshot(); err == nil {
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

func load(folder string, of population.Config) error {
	files := filepath.Join(folder, "files")
	if err := os.MkdirAll(files, 0o700); err != nil {
		return err
	}
	ctx := context.Background()
	if err := population.New(of).WriteNDJSON(ctx, files, 1, false); err != nil {
		return err
	}
	text, err := population.ConceptMap()
	if err != nil {
		return err
	}
	local, err := mapping.ParseConceptMap("site", bytes.NewReader(text))
	if err != nil {
		return err
	}
	m, err := mapping.New(mapping.Config{ConceptMaps: []mapping.ConceptMap{local}})
	if err != nil {
		return err
	}
	dir, err := facts.Open(filepath.Join(folder, "data"), time.Now)
	if err != nil {
		return err
	}
	_, err = ingest.Sync(ctx, ingest.Config{
		Dir: dir, Mapper: m, MaxShrink: 1, MaxRefused: 1, Logger: slog.New(slog.DiscardHandler),
	}, ingest.Folder{Path: files})
	return err
}

// engine opens the live snapshot of a folder with the measures that are named, or
// all that ship.
func engine(t testing.TB, folder string, ids ...string) *measure.Engine {
	t.Helper()
	dir, err := facts.Open(filepath.Join(folder, "data"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	id, err := dir.Current()
	if err != nil {
		t.Fatal(err)
	}
	opened, err := dir.Snapshot(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	definitions, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	definitions = slices.DeleteFunc(definitions, func(d measure.Definition) bool {
		return len(ids) > 0 && !slices.Contains(ids, d.ID)
	})
	return measure.NewEngine(opened, definitions)
}

// few are measures that share what they count, or leave some out.
func few() []string {
	return []string{"telehealth-share", "ed-left-without-being-seen", "ed-stay-over-8h", "length-of-stay"}
}

// shared opens the population of all tests, with the measures that are named, or all.
func shared(t testing.TB, ids ...string) *measure.Engine {
	t.Helper()
	folder, err := snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return engine(t, folder, ids...)
}

// desk makes a desk on a ledger.
func desk(t testing.TB, entries release.Ledger, change func(*release.Config)) *release.Desk {
	t.Helper()
	cfg := release.Config{Ledger: entries, Software: "test", Measures: []string{"telehealth-share"}, Now: func() time.Time {
		return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	}}
	if change != nil {
		change(&cfg)
	}
	d, err := release.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func entries(t testing.TB) *ledger.Dir {
	t.Helper()
	d, err := ledger.Open(filepath.Join(t.TempDir(), "releases"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func period(t testing.TB, text string) measure.Period {
	t.Helper()
	p, err := measure.ParsePeriod(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
