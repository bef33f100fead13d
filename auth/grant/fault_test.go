package grant_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/store/cache"
)

// breaking is a store that is there for some operations and then not any more. The last one is
// carried out or not, and its answer is lost in either case.
type breaking struct {
	cache.Store
	mu     sync.Mutex
	left   int
	done   bool
	failed bool
}

// errGone is what a broken store answers.
var errGone = fmt.Errorf("%w: gone", cache.ErrUnavailable)

// pass says whether to carry an operation out, and whether its answer arrives.
func (b *breaking) pass() (do, answer bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left--
	if b.left >= 0 {
		return true, true
	}
	first := !b.failed
	b.failed = true
	return first && b.done, false
}

func (b *breaking) Get(ctx context.Context, key string) (cache.Entry, error) {
	if _, answer := b.pass(); !answer {
		return cache.Entry{}, errGone
	}
	return b.Store.Get(ctx, key)
}

func (b *breaking) Set(ctx context.Context, key string, v []byte, ttl time.Duration) error {
	return b.write(func() error { return b.Store.Set(ctx, key, v, ttl) })
}

func (b *breaking) SetIfAbsent(
	ctx context.Context, key string, v []byte, ttl time.Duration,
) (first bool, err error) {
	err = b.write(func() error {
		var err error
		first, err = b.Store.SetIfAbsent(ctx, key, v, ttl)
		return err
	})
	return first && err == nil, err
}

func (b *breaking) Take(ctx context.Context, key string) (value []byte, err error) {
	err = b.write(func() error {
		var err error
		value, err = b.Store.Take(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return value, nil
}

func (b *breaking) Apply(ctx context.Context, batch cache.Batch) error {
	return b.write(func() error { return b.Store.Apply(ctx, batch) })
}

// write carries an operation out if it passes.
func (b *breaking) write(do func() error) error {
	carry, answer := b.pass()
	var err error
	if carry {
		err = do()
	}
	if !answer {
		return errGone
	}
	return err
}

// visit is the life of a grant: code, exchange, two refreshes. It ends with the first failure.
type visit struct {
	code      string
	exchanged int
	given     []pair
	failed    error
}

// run lives it at a desk.
func (v *visit) run(ctx context.Context, d *desk) {
	note := func(p pair, err error) bool {
		if err != nil {
			v.failed = err
			return false
		}
		v.given = append(v.given, p)
		return true
	}
	var err error
	if v.code, err = d.authorize(ctx, session("ada")); err != nil {
		v.failed = err
		return
	}
	if !note(d.exchange(ctx, v.code, verifier)) {
		return
	}
	v.exchanged++
	for range 2 {
		if !note(d.renew(ctx, v.given[len(v.given)-1].refresh)) {
			return
		}
	}
}

// TestACrashBetweenStepsLeavesOneRefreshToken ends the store after each operation of a visit, with
// the last one done or not, and looks at what is left with a whole store.
func TestACrashBetweenStepsLeavesOneRefreshToken(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{false, true} {
		whole := false
		n := 0
		for ; !whole; n++ {
			whole = crashAfter(t, n, done)
		}
		t.Logf("a store that ends after 0 to %d operations, the last one done: %v", n-1, done)
		if n < 10 {
			t.Errorf("a visit took %d operations, want more", n)
		}
	}
}

// crashAfter runs a visit on a store that ends after n operations and reports whether it did not.
func crashAfter(t *testing.T, n int, done bool) (whole bool) {
	t.Helper()
	ctx, c := t.Context(), newClock()
	store := onMemory(t, c)()
	broken := &breaking{Store: store, left: n, done: done}
	d, well := newDesk(broken, c), newDesk(store, c)
	v := &visit{}
	v.run(ctx, d)
	if v.failed == nil {
		if broken.failed {
			t.Errorf("after %d operations, done %v: the visit did not notice", n, done)
		}
		return true
	}
	if !errors.Is(v.failed, cache.ErrUnavailable) {
		t.Errorf("after %d operations, done %v: %v, want ErrUnavailable", n, done, v.failed)
	}
	usable := func() int {
		sum := 0
		for _, token := range append(d.spy.refreshes, well.spy.refreshes...) {
			if well.usable(t, token) {
				sum++
			}
		}
		return sum
	}
	if got := usable(); got > 1 {
		t.Errorf("after %d operations, done %v: %d usable refresh tokens", n, done, got)
	}
	if v.code == "" {
		return false
	}
	if len(v.given) > 0 {
		last := v.given[len(v.given)-1]
		if got, err := well.renew(ctx, last.refresh); err == nil && well.usable(t, last.refresh) ||
			err != nil && got != (pair{}) {
			t.Errorf("after %d operations, done %v: refreshed by half", n, done)
		}
	} else if _, err := well.exchange(ctx, v.code, verifier); err == nil {
		v.exchanged++
	}
	if got := usable(); got > 1 {
		t.Errorf("after %d operations and a retry, done %v: %d usable refresh tokens", n, done, got)
	}
	if _, err := well.exchange(ctx, v.code, verifier); err == nil {
		v.exchanged++
	}
	if v.exchanged > 1 {
		t.Errorf("after %d operations, done %v: the code was used twice", n, done)
	}
	return false
}

// down is a store whose every answer is an error.
type down struct{ err error }

func (d down) Get(context.Context, string) (cache.Entry, error) { return cache.Entry{}, d.err }

func (d down) Set(context.Context, string, []byte, time.Duration) error { return d.err }

func (d down) SetIfAbsent(context.Context, string, []byte, time.Duration) (bool, error) {
	return false, d.err
}

func (d down) Take(context.Context, string) ([]byte, error) { return nil, d.err }

func (d down) Delete(context.Context, string) error { return d.err }

func (d down) Apply(context.Context, cache.Batch) error { return d.err }

// TestAStoreThatCannotBeAskedIsNoAnswer wants its error from every method that needs it.
func TestAStoreThatCannotBeAskedIsNoAnswer(t *testing.T) {
	t.Parallel()
	good, _ := newMemoryDesk(t, nil)
	code, tokens := good.begin(t, "ada")
	sig := good.Tokens().AuthorizeCodeSignature(t.Context(), code)
	refreshSig := good.Tokens().RefreshTokenSignature(t.Context(), tokens.refresh)
	accessSig := good.spy.AccessTokenSignature(t.Context(), tokens.access)
	id := good.grantOf(t, tokens)
	for _, c := range []struct {
		name string
		do   func(ctx context.Context, d *desk) error
	}{
		{"authorize", func(ctx context.Context, d *desk) error {
			_, err := d.authorize(ctx, session("ada"))
			return err
		}},
		{"exchange", func(ctx context.Context, d *desk) error {
			_, err := d.exchange(ctx, code, verifier)
			return err
		}},
		{"refresh", func(ctx context.Context, d *desk) error {
			_, err := d.renew(ctx, tokens.refresh)
			return err
		}},
		{"use a code", func(ctx context.Context, d *desk) error {
			return d.InvalidateAuthorizeCodeSession(ctx, sig)
		}},
		{"find a challenge", func(ctx context.Context, d *desk) error {
			_, err := d.GetPKCERequestSession(ctx, sig, nil)
			return err
		}},
		{"delete a refresh token", func(ctx context.Context, d *desk) error {
			return d.DeleteRefreshTokenSession(ctx, refreshSig)
		}},
		{"find an access token", func(ctx context.Context, d *desk) error {
			_, err := d.GetAccessTokenSession(ctx, accessSig, nil)
			return err
		}},
		{"give a client a token", func(ctx context.Context, d *desk) error {
			return d.CreateAccessTokenSession(ctx, accessSig, d.ask("chart", url.Values{}))
		}},
		{"revoke a grant", func(ctx context.Context, d *desk) error { return d.Revoke(ctx, id) }},
		{"revoke an access token", func(ctx context.Context, d *desk) error {
			return d.DeleteAccessTokenSession(ctx, accessSig)
		}},
		{"live", func(ctx context.Context, d *desk) error {
			live, err := d.Live(ctx, id, "token")
			if live {
				t.Error("Live = true without a store")
			}
			return err
		}},
		{"bar", func(ctx context.Context, d *desk) error { return d.Bar(ctx, "ada") }},
		{"barred", func(ctx context.Context, d *desk) error {
			_, err := d.Barred(ctx, "ada", "chart", time.Time{})
			return err
		}},
		{"push", func(ctx context.Context, d *desk) error {
			return d.CreatePARSession(ctx, "urn:x", pushRequest(d))
		}},
		{"take a pushed request", func(ctx context.Context, d *desk) error {
			_, err := d.GetPARSession(ctx, "urn:x")
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, want := range []error{cache.ErrUnavailable, cache.ErrFull, cache.ErrCorrupt} {
				err := c.do(t.Context(), newDesk(down{err: want}, newClock()))
				if !errors.Is(err, want) || spent(err) {
					t.Errorf("%v, want %v", err, want)
				}
			}
		})
	}
}

// TestAStoreThatAlwaysConflictsIsGivenUp wants an end of trying.
func TestAStoreThatAlwaysConflictsIsGivenUp(t *testing.T) {
	t.Parallel()
	contended := &conflicting{}
	d, c := newMemoryDesk(t, func(s cache.Store) cache.Store {
		contended.Store = s
		return contended
	})
	_, tokens := d.begin(t, "ada")
	id := d.grantOf(t, tokens)
	contended.on = true
	if err := d.Revoke(t.Context(), id); !errors.Is(err, cache.ErrConflict) {
		t.Errorf("Revoke = %v, want ErrConflict", err)
	}
	if _, err := d.renew(t.Context(), tokens.refresh); !errors.Is(err, cache.ErrConflict) {
		t.Errorf("renew = %v, want ErrConflict", err)
	}
	// A bar is put whatever is in its place, since that may be a value that does not open.
	c.Advance(time.Second)
	must(t, d.Bar(t.Context(), "ada"))
	if d.usable(t, tokens.refresh) || d.live(t, tokens.access) {
		t.Error("the bar was not put")
	}
}

// conflicting is a store in which somebody else is always faster.
type conflicting struct {
	cache.Store
	on bool
}

func (c *conflicting) Apply(ctx context.Context, b cache.Batch) error {
	if c.on {
		return cache.ErrConflict
	}
	return c.Store.Apply(ctx, b)
}

// grantOf is the id of the grant of tokens.
func (d *desk) grantOf(t *testing.T, tokens pair) string {
	t.Helper()
	r, err := d.GetRefreshTokenSession(
		t.Context(), d.Tokens().RefreshTokenSignature(t.Context(), tokens.refresh), nil)
	must(t, err)
	return r.GetID()
}

// TestForeignBytesAreNoGrant puts what this package did not write where it reads.
func TestForeignBytesAreNoGrant(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "{", "null", "{}", `{"request":{"id":"other","session":{}}}`,
		`{"request":{"id":"g"}}`, `{"request":{"id":"g","session":7}}`,
	} {
		d, _ := newMemoryDesk(t, func(s cache.Store) cache.Store {
			must(t, s.Set(t.Context(), cache.Key("grant", "g"), []byte(text), time.Hour))
			must(t, s.Set(t.Context(), cache.Key("bar", "ada"), []byte(text), time.Hour))
			must(t, s.Set(t.Context(), cache.Key("push", "u"), []byte(text), time.Hour))
			return s
		})
		if live, err := d.Live(t.Context(), "g", "t"); live || !errors.Is(err, cache.ErrCorrupt) {
			t.Errorf("%q: Live = %v, %v, want ErrCorrupt", text, live, err)
		}
		if err := d.Revoke(t.Context(), "g"); !errors.Is(err, cache.ErrCorrupt) {
			t.Errorf("%q: Revoke = %v, want ErrCorrupt", text, err)
		}
		_, err := d.Barred(t.Context(), "ada", "", time.Time{})
		if !errors.Is(err, cache.ErrCorrupt) {
			t.Errorf("%q: Barred = %v, want ErrCorrupt", text, err)
		}
		if _, err := d.GetPARSession(t.Context(), "u"); err == nil {
			t.Errorf("%q: a pushed request was made of it", text)
		}
	}
}

func TestTransactionsAreAboutOneGrant(t *testing.T) {
	t.Parallel()
	d, _ := newMemoryDesk(t, nil)
	_, one := d.begin(t, "ada")
	_, two := d.begin(t, "ada")
	ctx, err := d.BeginTX(t.Context())
	must(t, err)
	if _, err := d.BeginTX(ctx); err == nil {
		t.Error("a transaction was begun within a transaction")
	}
	must(t, d.Revoke(ctx, d.grantOf(t, one)))
	if err := d.Revoke(ctx, d.grantOf(t, two)); err == nil {
		t.Error("one transaction took a second grant")
	}
	if !d.usable(t, one.refresh) {
		t.Error("a change was written before its commit")
	}
	sig := d.Tokens().RefreshTokenSignature(ctx, one.refresh)
	if _, err := d.GetRefreshTokenSession(ctx, sig, nil); !errors.Is(err, fosite.ErrInactiveToken) {
		t.Errorf("the transaction does not see its own change: %v", err)
	}
	must(t, d.Rollback(ctx))
	must(t, d.Rollback(ctx))
	if err := d.Commit(ctx); err == nil {
		t.Error("a transaction was committed after its end")
	}
	if !d.usable(t, one.refresh) || !d.usable(t, two.refresh) {
		t.Error("a change outlives the rollback")
	}
	empty, err := d.BeginTX(t.Context())
	must(t, err)
	must(t, d.Commit(empty))
}

func TestAForeignSessionIsRefused(t *testing.T) {
	t.Parallel()
	d, _ := newMemoryDesk(t, nil)
	code, err := d.authorize(t.Context(), session("ada"))
	must(t, err)
	sig := d.Tokens().AuthorizeCodeSignature(t.Context(), code)
	if _, err := d.GetAuthorizeCodeSession(t.Context(), sig, &fosite.DefaultSession{}); err == nil {
		t.Error("the session of another package was filled")
	}
	r := fosite.NewAccessRequest(&fosite.DefaultSession{})
	r.Client = d.clients["chart"]
	if err := d.CreateAccessTokenSession(t.Context(), "token", r); err == nil {
		t.Error("the session of another package was kept")
	}
	s := session("ada")
	s.Context["odd"] = func() {}
	if _, err := d.authorize(t.Context(), s); err != nil {
		t.Errorf("a context that JSON cannot say = %v, want it left out", err)
	}
}
