package bedside_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/store/cache"
)

// spy is a store that remembers what it was given.
type spy struct {
	cache.Store
	mu   sync.Mutex
	keys []string
	// values are what was kept before it was sealed, if the spy stands before the seal.
	values []string
}

func (s *spy) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	s.mu.Lock()
	s.keys = append(s.keys, key)
	s.values = append(s.values, string(value))
	s.mu.Unlock()
	return s.Store.Set(ctx, key, value, ttl)
}

// sealed is a sealed memory by a clock; inside is what it looks like to who holds the memory.
func sealed(t *testing.T, at func() time.Time) (store *cache.Sealed, inside *cache.Memory) {
	t.Helper()
	ring, err := cache.NewKeyring([]byte(strings.Repeat("k", cache.SealKeySize)))
	if err != nil {
		t.Fatal(err)
	}
	inside = cache.NewMemory(cache.MemoryConfig{Now: at})
	store, err = cache.Seal(inside, cache.SealConfig{Keys: ring})
	if err != nil {
		t.Fatal(err)
	}
	return store, inside
}

func TestAnswersAreKeptForTheSession(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	e.encounters = many(3)
	e.events = []object{harmed("x", day(1), nil)}
	c := worldtest.At(now())
	store, _ := sealed(t, c.Now)
	r, _ := reader(t, func(cfg *bedside.Config) { cfg.Now, cfg.Store = c.Now, store })
	read := func(change func(*bedside.Access)) (bedside.View, int) {
		t.Helper()
		a := e.access(t)
		a.Binding, a.Encounter = "session-1", phi.New("e0")
		if change != nil {
			change(&a)
		}
		before := len(e.requests())
		view, err := r.Read(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		return view, len(e.requests()) - before
	}
	const whole = 4
	first, asked := read(nil)
	if asked != whole {
		t.Fatalf("the first reading asks %d times, want %d", asked, whole)
	}
	c.Advance(time.Minute)
	again, asked := read(nil)
	if diff := cmp.Diff(first, again); diff != "" || asked != 0 {
		t.Errorf("the second reading asks %d times and differs:\n%s", asked, diff)
	}
	for name, change := range map[string]func(*bedside.Access){
		"another session":   func(a *bedside.Access) { a.Binding = "session-2" },
		"another tenant":    func(a *bedside.Access) { a.Tenant = "other" },
		"another encounter": func(a *bedside.Access) { a.Encounter = phi.New("e1") },
		"other scopes":      func(a *bedside.Access) { a.Scopes = a.Scopes[1:] },
		"no session":        func(a *bedside.Access) { a.Binding = "" },
	} {
		if view, asked := read(change); asked != whole || !view.ReadAt.Equal(c.Now()) {
			t.Errorf("%s: %d requests, read at %v; want %d, %v", name, asked, view.ReadAt, whole, c.Now())
		}
	}
	named, asked := read(func(a *bedside.Access) { a.Banner = true })
	if asked != 1 || named.Banner == nil || !named.ReadAt.Equal(first.ReadAt) {
		t.Errorf("with a banner: %d requests, %+v, read at %v; want 1, a name, %v", asked, named.Banner,
			named.ReadAt, first.ReadAt)
	}
	named.Banner = nil
	if diff := cmp.Diff(first, named); diff != "" {
		t.Errorf("with a banner the rest differs:\n%s", diff)
	}
	e.patient["communication"] = []object{speaks("vi", true)}
	if fresh, _ := read(func(a *bedside.Access) { a.Banner = true }); fresh.Language.Code != "vi" {
		t.Errorf("a Patient that was read anew speaks %s, want vi", fresh.Language.Code)
	}
	c.Advance(time.Minute)
	if _, asked := read(nil); asked != whole {
		t.Errorf("after two minutes %d requests, want %d", asked, whole)
	}
}

func TestAnotherSessionNeedsItsOwnLeave(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	store, _ := sealed(t, now)
	r, _ := reader(t, func(cfg *bedside.Config) { cfg.Store = store })
	a := e.access(t)
	a.Binding = "session-1"
	if _, err := r.Read(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	a.Binding, a.Token = "session-2", "a token that is not good"
	if view, err := r.Read(t.Context(), a); !errors.Is(err, bedside.ErrRefused) {
		t.Errorf("Read of another session = %+v, %v, want ErrRefused", view, err)
	}
	a.Binding, a.Scopes = "session-1", nil
	if view, err := r.Read(t.Context(), a); !errors.Is(err, bedside.ErrRefused) {
		t.Errorf("Read without scopes = %+v, %v, want ErrRefused", view, err)
	}
}

func TestWhatIsKeptIsBelievedOnlyWhole(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	e.encounters = many(2)
	store, inside := sealed(t, now)
	watch := &spy{Store: store}
	r, _ := reader(t, func(cfg *bedside.Config) { cfg.Store = watch })
	a := e.access(t)
	a.Binding = "session-1"
	want, err := r.Read(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	key, value := watch.keys[0], watch.values[0]
	outside, err := inside.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(outside.Value)
	flipped[len(flipped)/2] ^= 1
	for name, poison := range map[string]func() error{
		"a flipped bit": func() error { return inside.Set(t.Context(), key, flipped, time.Minute) },
		"no JSON":       func() error { return store.Set(t.Context(), key, []byte("{"), time.Minute) },
		"two values":    func() error { return store.Set(t.Context(), key, []byte(value+value), time.Minute) },
		"nothing":       func() error { return store.Set(t.Context(), key, []byte("{}"), time.Minute) },
		"another format": func() error {
			other := strings.Replace(value, `"Format":1`, `"Format":2`, 1)
			return store.Set(t.Context(), key, []byte(other), time.Minute)
		},
		"a field of another program": func() error {
			other := strings.Replace(value, `"Format":1`, `"Format":1,"Extra":1`, 1)
			return store.Set(t.Context(), key, []byte(other), time.Minute)
		},
		"from the future": func() error {
			other := strings.Replace(value, "2026-03-01T12:00", "2026-03-01T12:01", 1)
			return store.Set(t.Context(), key, []byte(other), time.Minute)
		},
		"too old": func() error {
			other := strings.Replace(value, "2026-03-01T12:00", "2026-03-01T11:58", 1)
			return store.Set(t.Context(), key, []byte(other), time.Minute)
		},
	} {
		if err := poison(); err != nil {
			t.Fatal(err)
		}
		before := len(e.requests())
		got, err := r.Read(t.Context(), a)
		if err != nil || len(e.requests()) == before {
			t.Errorf("%s: %v after %d requests, want a live answer", name, err, len(e.requests())-before)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// downStore cannot be reached.
type downStore struct{ cache.Store }

func (downStore) Get(context.Context, string) (cache.Entry, error) {
	return cache.Entry{}, cache.ErrUnavailable
}

func (downStore) Set(context.Context, string, []byte, time.Duration) error {
	return cache.ErrUnavailable
}

func TestStoreThatIsDownCostsNothing(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	e.encounters = many(2)
	r, log := reader(t, func(cfg *bedside.Config) { cfg.Store = downStore{} })
	a := e.access(t)
	a.Binding = "session-1"
	if got, err := r.Read(t.Context(), a); err != nil || len(got.Visits) != 2 {
		t.Errorf("Read = %+v, %v", got, err)
	}
	if n := strings.Count(log.String(), "store unavailable"); n != 2 {
		t.Errorf("the log tells of it %d times, want 2:\n%s", n, log)
	}
}

func TestAnswerThatLacksSomethingForTheMomentIsNotKept(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	e.instead["AdverseEvent"] = status(500)
	store, _ := sealed(t, now)
	watch := &spy{Store: store}
	r, _ := reader(t, func(cfg *bedside.Config) { cfg.Store = watch })
	a := e.access(t)
	a.Binding = "session-1"
	if _, err := r.Read(t.Context(), a); err != nil || len(watch.keys) != 0 {
		t.Errorf("kept %d times, %v", len(watch.keys), err)
	}
	e2 := newEHR(t)
	e2.instead["AdverseEvent"] = status(403)
	a = e2.access(t)
	a.Binding = "session-1"
	if _, err := r.Read(t.Context(), a); err != nil || len(watch.keys) != 1 {
		t.Errorf("an answer without permission for one type was kept %d times, %v, want 1",
			len(watch.keys), err)
	}
}
