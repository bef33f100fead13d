package decisions_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/decisions/decisionstest"
)

// postgres is the one server of this test program.
var postgres decisionstest.Postgres

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

// backends are the configurations of an empty store on each database.
var backends = map[string]func(testing.TB) decisions.Config{
	"sqlite": func(t testing.TB) decisions.Config {
		return decisions.Config{Path: filepath.Join(t.TempDir(), "decisions.db"), Now: decisionstest.Now}
	},
	"postgresql": func(t testing.TB) decisions.Config {
		return decisions.Config{URL: postgres.URL(t), Now: decisionstest.Now}
	},
}

// onBoth runs a test on each database.
func onBoth(t *testing.T, test func(*testing.T, decisions.Config)) {
	t.Helper()
	for name, config := range backends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, config(t))
		})
	}
}

// open opens a store and closes it with the test.
func open(t testing.TB, c decisions.Config) *decisions.Database {
	t.Helper()
	d, err := decisions.Open(t.Context(), c)
	if err != nil {
		t.Fatalf("Open(): %v", err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close(): %v", err)
		}
	})
	return d
}

func TestContract(t *testing.T) {
	t.Parallel()
	for name, config := range backends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			decisionstest.Run(t, func(t testing.TB) decisions.Store { return open(t, config(t)) })
		})
	}
}

// Each of several stores on one database stands for a program. They are opened at once, where nothing is
// yet, and then all count one document up.
func TestSeveralProgramsStartAndWriteAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, c decisions.Config) {
		const programs, each = 6, 5
		var group sync.WaitGroup
		for range programs {
			group.Go(func() {
				store, err := decisions.Open(t.Context(), c)
				if err != nil {
					t.Errorf("Open(): %v", err)
					return
				}
				for range each {
					countUp(t, store)
				}
				if err := store.Close(); err != nil {
					t.Errorf("Close(): %v", err)
				}
			})
		}
		group.Wait()
		history, err := open(t, c).History(t.Context(), decisions.Review, "a")
		if err != nil || len(history) != programs*each {
			t.Fatalf("History() = %d versions, %v; want %d", len(history), err, programs*each)
		}
		for i, document := range history {
			if document.Version != i+1 {
				t.Errorf("version %d is in the place of %d", document.Version, i+1)
			}
		}
	})
}

// countUp writes upon what it reads until nobody was faster.
func countUp(t *testing.T, store decisions.Store) {
	for {
		document, err := store.Get(t.Context(), decisions.Review, "a")
		if err != nil && !errors.Is(err, decisions.ErrNotFound) {
			t.Errorf("Get(): %v", err)
			return
		}
		_, err = store.Write(t.Context(), decisionstest.Change("a", document.Version))
		if err == nil {
			return
		}
		if !errors.Is(err, decisions.ErrConflict) {
			t.Errorf("Write(): %v", err)
			return
		}
	}
}
