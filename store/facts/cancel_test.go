package facts

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
)

// endsAfter is a context that is cancelled when Err is asked for the nth time.
type endsAfter struct {
	context.Context
	mu     sync.Mutex
	left   int
	cancel context.CancelFunc
}

func newEndsAfter(t *testing.T, n int) *endsAfter {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return &endsAfter{Context: ctx, left: n, cancel: cancel}
}

// Err counts down.
func (c *endsAfter) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left < 0 {
		c.cancel()
	}
	return c.Context.Err()
}

// TestCancelledStatementLetsGoOfTheFile cancels a statement at each place where the driver looks at the
// context, and opens the file again: that once waited for ever.
func TestCancelledStatementLetsGoOfTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), databaseFile)
	db, err := openDatabase(t.Context(), path, options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := (&Run{db: db}).stageTables(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	const places = 12
	for n := range places {
		for name, use := range map[string]func(context.Context, *Run) error{
			"a statement": func(ctx context.Context, r *Run) error {
				_, err := r.db.ExecContext(ctx, "SELECT 1")
				return err
			},
			"a query": func(ctx context.Context, r *Run) error {
				var one int
				return r.db.QueryRowContext(ctx, "SELECT 1").Scan(&one)
			},
			"a writer": func(ctx context.Context, r *Run) error {
				w, err := r.Writer(ctx)
				if err != nil {
					return err
				}
				return w.Close()
			},
		} {
			db, err := openDatabase(t.Context(), path, options{})
			if err != nil {
				t.Fatal(err)
			}
			run := &Run{db: db}
			err = use(newEndsAfter(t, n), run)
			t.Logf("%s, cancelled at look %d: %v", name, n, err)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
