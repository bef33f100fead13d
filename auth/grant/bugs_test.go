package grant_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/grant"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/store/cache"
)

// parts are the three parts of a token.
func parts(token string) []string { return strings.Split(token, ".") }

// newMemoryDesk opens a desk on a memory of its own, behind what wrap makes of it.
func newMemoryDesk(t *testing.T, wrap func(cache.Store) cache.Store) (*desk, *worldtest.Clock) {
	t.Helper()
	c := newClock()
	store := onMemory(t, c)()
	if wrap != nil {
		store = wrap(store)
	}
	return newDesk(store, c), c
}

func TestB1AWrongVerifierDoesNotFreeTheCode(t *testing.T) {
	t.Parallel()
	d, _ := newMemoryDesk(t, nil)
	code, err := d.authorize(t.Context(), session("ada"))
	must(t, err)
	for _, proof := range []string{another, "", "short", another} {
		if got, err := d.exchange(t.Context(), code, proof); err == nil || got != (pair{}) {
			t.Errorf("exchange with verifier %q = %v, want an error", proof, err)
		}
	}
	if _, err := d.exchange(t.Context(), code, verifier); err != nil {
		t.Errorf("the client's own exchange after that = %v", err)
	}
}

func TestB5ANarrowedRefreshLeavesTheGrantWhole(t *testing.T) {
	t.Parallel()
	d, _ := newMemoryDesk(t, nil)
	_, tokens := d.begin(t, "ada")
	all := fosite.Arguments{"openid", "offline_access", "user/Measure.rs"}
	scopes := func(p pair) fosite.Arguments {
		r, err := d.GetAccessTokenSession(
			t.Context(), d.spy.AccessTokenSignature(t.Context(), p.access), nil)
		must(t, err)
		return r.GetGrantedScopes()
	}
	narrowed, err := d.renew(t.Context(), tokens.refresh, func(r *fosite.AccessRequest) {
		r.GrantedScope = fosite.Arguments{"user/Measure.rs"}
	})
	must(t, err)
	if diff := cmp.Diff(fosite.Arguments{"user/Measure.rs"}, scopes(narrowed)); diff != "" {
		t.Errorf("scopes of the narrowed token (-want +got):\n%s", diff)
	}
	whole, err := d.renew(t.Context(), narrowed.refresh)
	must(t, err)
	if diff := cmp.Diff(all, scopes(whole)); diff != "" {
		t.Errorf("scopes of the next token (-want +got):\n%s", diff)
	}
}

// pushRequest is a pushed request of a client that says who it is in the form.
func pushRequest(d *desk) *fosite.AuthorizeRequest {
	r := fosite.NewAuthorizeRequest()
	r.ID, r.Client, r.State = "push-1", d.clients["chart"], "state-with-entropy"
	r.ResponseTypes, r.ResponseMode = fosite.Arguments{"code"}, fosite.ResponseModeQuery
	r.RedirectURI = &url.URL{Scheme: "https", Host: "app.example", Path: "/callback"}
	r.RequestedScope = fosite.Arguments{"openid"}
	r.Session = session("")
	r.Form = url.Values{
		"client_id": {"chart"}, "scope": {"openid"}, "code_challenge": {"challenge"},
		"client_secret": {"secret-1"}, "client_assertion": {"secret-2"},
		"id_token_hint": {"secret-3"}, "code": {"secret-4"}, "refresh_token": {"secret-5"},
	}
	return r
}

func TestB7PushedRequestsEndAreUsedOnceAndHoldNoSecret(t *testing.T) {
	t.Parallel()
	const uri = "urn:ietf:params:oauth:request_uri:x"
	for _, h := range homes(t) {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			ctx, c := t.Context(), newClock()
			d := newDesk(h.open(t, c)(), c)
			must(t, d.CreatePARSession(ctx, uri, pushRequest(d)))
			if err := d.CreatePARSession(ctx, uri, pushRequest(d)); err == nil {
				t.Error("one request_uri was given twice")
			}
			got, err := d.GetPARSession(ctx, uri)
			must(t, err)
			want := url.Values{
				"client_id": {"chart"}, "scope": {"openid"}, "code_challenge": {"challenge"},
			}
			if diff := cmp.Diff(want, got.GetRequestForm()); diff != "" {
				t.Errorf("form (-want +got):\n%s", diff)
			}
			if got.GetID() != "push-1" || got.GetState() != "state-with-entropy" ||
				got.GetRedirectURI().String() != callback || !got.GetResponseTypes().ExactOne("code") ||
				got.GetResponseMode() != fosite.ResponseModeQuery || got.GetClient().GetID() != "chart" {
				t.Errorf("request came back as %+v", got)
			}
			must(t, d.DeletePARSession(ctx, uri))
			if _, err := d.GetPARSession(ctx, uri); !errors.Is(err, fosite.ErrNotFound) {
				t.Errorf("second use = %v, want ErrNotFound", err)
			}
			must(t, d.CreatePARSession(ctx, uri, pushRequest(d)))
			c.Advance(pushLife)
			if _, err := d.GetPARSession(ctx, uri); !errors.Is(err, fosite.ErrNotFound) {
				t.Errorf("use at its end = %v, want ErrNotFound", err)
			}
		})
	}
}

// TestB12WhatIsReadIsNobodyElses changes everything that one reader got, and reads again.
func TestB12WhatIsReadIsNobodyElses(t *testing.T) {
	t.Parallel()
	d, _ := newMemoryDesk(t, nil)
	ctx := t.Context()
	own := session("ada")
	code, err := d.authorize(ctx, own)
	must(t, err)
	own.Context["patient"], own.Roles[0] = "patient-1", "administrator"
	sig := d.Tokens().AuthorizeCodeSignature(ctx, code)
	for range 2 {
		got, err := d.GetAuthorizeCodeSession(ctx, sig, nil)
		must(t, err)
		kept, ok := got.GetSession().(*grant.Session)
		if !ok {
			t.Fatalf("session is a %T", got.GetSession())
		}
		kept.Expires = nil
		if diff := cmp.Diff(session("ada"), kept); diff != "" {
			t.Errorf("session (-want +got):\n%s", diff)
		}
		kept.Context["patient"], kept.Roles[0] = "patient-1", "administrator"
		got.GrantScope("user/*.cruds")
		got.GetRequestForm().Set("redirect_uri", "https://evil.example")
		got.GetGrantedScopes()[0] = "user/*.cruds"
	}
	got, err := d.GetAuthorizeCodeSession(ctx, sig, nil)
	must(t, err)
	if got.GetGrantedScopes().Has("user/*.cruds") ||
		got.GetRequestForm().Get("redirect_uri") != callback {
		t.Error("what one reader changed, another read")
	}
}

// TestB12AClientMayUseManyCodesAtOnce holds what ended a process with fosite's own memory: many
// exchanges of one client at once. The race detector watches.
func TestB12AClientMayUseManyCodesAtOnce(t *testing.T) {
	t.Parallel()
	d, _ := newMemoryDesk(t, nil)
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			code, err := d.authorize(t.Context(), session("ada"))
			if err != nil {
				t.Errorf("authorize = %v", err)
				return
			}
			tokens, err := d.exchange(t.Context(), code, verifier)
			if err != nil {
				t.Errorf("exchange = %v", err)
				return
			}
			if _, err := d.renew(t.Context(), tokens.refresh); err != nil {
				t.Errorf("renew = %v", err)
			}
		})
	}
	wait.Wait()
}

// between is a store that lets something happen before the next write, once.
type between struct {
	cache.Store
	mu   sync.Mutex
	todo func()
}

func (b *between) Apply(ctx context.Context, batch cache.Batch) error {
	b.mu.Lock()
	todo := b.todo
	b.todo = nil
	b.mu.Unlock()
	if todo != nil {
		todo()
	}
	return b.Store.Apply(ctx, batch)
}

// newDeskWithGap is a desk whose store lets something happen between a read and a write.
func newDeskWithGap(t *testing.T) (d *desk, gap *between) {
	t.Helper()
	d, _ = newMemoryDesk(t, func(s cache.Store) cache.Store {
		gap = &between{Store: s}
		return gap
	})
	return d, gap
}

// TestB13TheLoserOfACodeIsToldSo lets one exchange finish within another, between its last read
// and its write.
func TestB13TheLoserOfACodeIsToldSo(t *testing.T) {
	t.Parallel()
	d, gap := newDeskWithGap(t)
	code, err := d.authorize(t.Context(), session("ada"))
	must(t, err)
	var winner pair
	gap.todo = func() {
		var err error
		if winner, err = d.exchange(t.Context(), code, verifier); err != nil {
			t.Errorf("the winner = %v", err)
		}
	}
	got, err := d.exchange(t.Context(), code, verifier)
	if !errors.Is(err, fosite.ErrInvalidatedAuthorizeCode) || got != (pair{}) {
		t.Errorf("the loser = %v, want ErrInvalidatedAuthorizeCode", err)
	}
	if winner == (pair{}) || d.live(t, winner.access) || d.usable(t, winner.refresh) {
		t.Error("want a winner, whose tokens end with the second use")
	}
}

// TestB13AnotherChangeOfTheGrantLosesNobody lets what is no use of the code come in between.
func TestB13AnotherChangeOfTheGrantLosesNobody(t *testing.T) {
	t.Parallel()
	d, gap := newDeskWithGap(t)
	code, err := d.authorize(t.Context(), session("ada"))
	must(t, err)
	sig := d.Tokens().AuthorizeCodeSignature(t.Context(), code)
	gap.todo = func() {
		r := d.ask("chart", url.Values{"code_challenge": {"other"}, "code_challenge_method": {"S256"}})
		must(t, d.CreatePKCERequestSession(t.Context(), sig, r))
	}
	if _, err := d.exchange(t.Context(), code, verifier); err != nil {
		t.Errorf("exchange = %v, want it to be tried again", err)
	}
}

func TestB15TheLoserOfARefreshTokenIsToldSo(t *testing.T) {
	t.Parallel()
	d, gap := newDeskWithGap(t)
	_, tokens := d.begin(t, "ada")
	var winner pair
	gap.todo = func() {
		var err error
		if winner, err = d.renew(t.Context(), tokens.refresh); err != nil {
			t.Errorf("the winner = %v", err)
		}
	}
	got, err := d.renew(t.Context(), tokens.refresh)
	if !errors.Is(err, fosite.ErrInactiveToken) || got != (pair{}) {
		t.Errorf("the loser = %v, want ErrInactiveToken", err)
	}
	if winner == (pair{}) || d.live(t, winner.access) || d.usable(t, winner.refresh) {
		t.Error("want a winner, whose tokens end with the second use")
	}
}

// TestB15ARevocationInBetweenStopsARefresh lets the grant end between read and write.
func TestB15ARevocationInBetweenStopsARefresh(t *testing.T) {
	t.Parallel()
	d, gap := newDeskWithGap(t)
	_, tokens := d.begin(t, "ada")
	id, _, _ := strings.Cut(tokens.access, "/")
	gap.todo = func() { must(t, d.Revoke(t.Context(), id)) }
	got, err := d.renew(t.Context(), tokens.refresh)
	refused(t, "a refresh of a grant that has ended", got, err)
	for _, token := range d.spy.refreshes {
		if d.usable(t, token) {
			t.Error("a refresh token outlives the end of its grant")
		}
	}
}

func TestB17TheRequestComesWithTheError(t *testing.T) {
	t.Parallel()
	d, _ := newMemoryDesk(t, nil)
	ctx := t.Context()
	code, tokens := d.begin(t, "ada")
	next, err := d.renew(ctx, tokens.refresh)
	must(t, err)
	for _, filled := range []fosite.Session{nil, (*grant.Session)(nil), &grant.Session{}} {
		r, err := d.GetRefreshTokenSession(
			ctx, d.Tokens().RefreshTokenSignature(ctx, tokens.refresh), filled)
		if !errors.Is(err, fosite.ErrInactiveToken) || r == nil ||
			r.GetSession().GetSubject() != "ada" {
			t.Errorf("GetRefreshTokenSession = %v, %v, want a request and ErrInactiveToken", r, err)
		}
	}
	if !d.usable(t, next.refresh) {
		t.Error("to be asked for an old token ended the family")
	}
	r, err := d.GetAuthorizeCodeSession(ctx, d.Tokens().AuthorizeCodeSignature(ctx, code), nil)
	if !errors.Is(err, fosite.ErrInvalidatedAuthorizeCode) || r == nil ||
		r.GetSession().GetSubject() != "ada" {
		t.Errorf("GetAuthorizeCodeSession = %v, %v, want a request and the error", r, err)
	}
}
