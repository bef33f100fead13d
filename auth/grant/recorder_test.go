package grant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/store/cache"
)

// recorder notes what a store is told: keys, values before they are sealed, times and batches.
type recorder struct {
	cache.Store
	mu      sync.Mutex
	said    bytes.Buffer
	ttls    []time.Duration
	batches []cache.Batch
}

// note writes down a key with its value.
func (r *recorder) note(key string, value []byte, ttl time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said.WriteString(key + "\n")
	r.said.Write(value)
	r.said.WriteByte('\n')
	if ttl > 0 {
		r.ttls = append(r.ttls, ttl)
	}
}

func (r *recorder) Get(ctx context.Context, key string) (cache.Entry, error) {
	r.note(key, nil, 0)
	return r.Store.Get(ctx, key)
}

func (r *recorder) Set(ctx context.Context, key string, v []byte, ttl time.Duration) error {
	r.note(key, v, ttl)
	return r.Store.Set(ctx, key, v, ttl)
}

func (r *recorder) SetIfAbsent(
	ctx context.Context, key string, v []byte, ttl time.Duration,
) (bool, error) {
	r.note(key, v, ttl)
	return r.Store.SetIfAbsent(ctx, key, v, ttl)
}

func (r *recorder) Take(ctx context.Context, key string) ([]byte, error) {
	r.note(key, nil, 0)
	return r.Store.Take(ctx, key)
}

func (r *recorder) Apply(ctx context.Context, b cache.Batch) error {
	for _, p := range b.Put {
		r.note(p.Key, p.Value, p.TTL)
	}
	r.mu.Lock()
	r.batches = append(r.batches, b)
	r.mu.Unlock()
	return r.Store.Apply(ctx, b)
}

// newRecordedDesk is a desk and what its store is told.
func newRecordedDesk(t *testing.T) (d *desk, seen *recorder) {
	t.Helper()
	d, _ = newMemoryDesk(t, func(s cache.Store) cache.Store {
		seen = &recorder{Store: s}
		return seen
	})
	return d, seen
}

func TestB7TheStoreItselfEndsPushedRequests(t *testing.T) {
	t.Parallel()
	d, seen := newRecordedDesk(t)
	must(t, d.CreatePARSession(t.Context(), "urn:x", pushRequest(d)))
	if len(seen.ttls) != 1 || seen.ttls[0] != pushLife {
		t.Errorf("written for %v, want %v", seen.ttls, pushLife)
	}
	if bytes.Contains(seen.said.Bytes(), []byte("secret-")) {
		t.Error("a secret of the client went to the store")
	}
}

// TestB16NoCodeAndNoTokenIsInTheStore looks at keys and at values before they are sealed.
func TestB16NoCodeAndNoTokenIsInTheStore(t *testing.T) {
	t.Parallel()
	d, seen := newRecordedDesk(t)
	code, first := d.begin(t, "ada")
	second, err := d.renew(t.Context(), first.refresh)
	must(t, err)
	_, err = d.exchange(t.Context(), code, verifier)
	if err == nil {
		t.Error("a used code was accepted")
	}
	const uri = "urn:ietf:params:oauth:request_uri:unguessable"
	must(t, d.CreatePARSession(t.Context(), uri, pushRequest(d)))
	_, err = d.GetPARSession(t.Context(), uri)
	must(t, err)
	must(t, d.Bar(t.Context(), "ada-the-subject"))
	secrets := []string{code, first.refresh, second.refresh, verifier, uri, "ada-the-subject"}
	for _, token := range []string{code, first.refresh, second.refresh} {
		secrets = append(secrets, parts(token)[1:]...)
	}
	for _, secret := range append(secrets, first.access, second.access, "secret-") {
		if bytes.Contains(seen.said.Bytes(), []byte(secret)) {
			t.Errorf("the store was told %.8s…", secret)
		}
	}
	if !bytes.Contains(seen.said.Bytes(), []byte("patient-4711")) {
		t.Error("the recorder did not see the session, so it proves nothing")
	}
	if len(seen.batches) == 0 {
		t.Error("the recorder saw no batch")
	}
}

// TestEveryBatchIsOfOneKey holds that Redis Cluster can decide each of them.
func TestEveryBatchIsOfOneKey(t *testing.T) {
	t.Parallel()
	d, seen := newRecordedDesk(t)
	code, tokens := d.begin(t, "ada")
	for range 2 {
		_, _ = d.renew(t.Context(), tokens.refresh)
		_, _ = d.exchange(t.Context(), code, verifier)
	}
	d.machine(t, "nightly", "other")
	must(t, d.Bar(t.Context(), "ada"))
	if len(seen.batches) < 6 {
		t.Errorf("%d batches, want at least 6", len(seen.batches))
	}
	for i, b := range seen.batches {
		if len(b.If) != 1 || len(b.Put) != 1 || len(b.Del) != 0 || b.If[0].Key != b.Put[0].Key {
			text, _ := json.Marshal(b.If)
			t.Errorf("batch %d is not a swap of one key: %s", i, text)
		}
	}
}
