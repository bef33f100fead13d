package grant_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/pkce"

	"github.com/equitylens/equitylens/auth/grant"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/cache/cachetest"
)

const (
	codeLife    = time.Minute
	accessLife  = 5 * time.Minute
	refreshLife = 24 * time.Hour
	familyLife  = 72 * time.Hour
	pushLife    = 90 * time.Second

	callback = "https://app.example/callback"
	api      = "https://equitylens.example/fhir"
	verifier = "a-verifier-that-is-long-enough-for-rfc-7636-section-4.1"
	another  = "another-verifier-that-is-long-enough-for-the-same-section"
)

func newClock() *worldtest.Clock { return worldtest.At(time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)) }

// people are the clients that are registered.
type people map[string]fosite.Client

func (p people) GetClient(_ context.Context, id string) (fosite.Client, error) {
	c, ok := p[id]
	if !ok {
		return nil, fosite.ErrNotFound
	}
	return c, nil
}

func clients() people {
	p := people{}
	for _, id := range []string{"chart", "other"} {
		p[id] = &fosite.DefaultClient{
			ID: id, RedirectURIs: []string{callback}, Public: true, Audience: []string{api},
			GrantTypes: []string{"authorization_code", "refresh_token"},
			Scopes:     []string{"openid", "offline_access", "user/Measure.rs"},
		}
	}
	return p
}

// sealer wraps stores of one test under one key.
func sealer(t testing.TB) func(cache.Store) cache.Store {
	t.Helper()
	key, err := cache.NewSealKey(rand.Reader)
	must(t, err)
	ring, err := cache.NewKeyring(key)
	must(t, err)
	return func(store cache.Store) cache.Store {
		s, err := cache.Seal(store, cache.SealConfig{
			Keys: ring, Rejected: func() { t.Error("a value of our own was rejected") },
		})
		must(t, err)
		return s
	}
}

// home opens stores that share what they keep, as processes do.
type home struct {
	name string
	open func(t *testing.T, c *worldtest.Clock) func() cache.Store
}

// homes are those that grants can live in. The tests of t share one Redis, under names of their
// own.
func homes(t *testing.T) []home {
	t.Helper()
	server, seal := cachetest.StartRedis(t), sealer(t)
	return []home{{"on memory", onMemory}, {
		"on Redis", func(t *testing.T, _ *worldtest.Clock) func() cache.Store {
			return func() cache.Store { return seal(server.Open(t)) }
		},
	}}
}

func onMemory(t *testing.T, c *worldtest.Clock) func() cache.Store {
	memory := sealer(t)(newMemory(c))
	return func() cache.Store { return memory }
}

// newMemory is a memory of which values are gone when the clock says so.
func newMemory(c *worldtest.Clock) *cache.Memory {
	return cache.NewMemory(cache.MemoryConfig{Now: c.Now})
}

func onRedis(t *testing.T, _ *worldtest.Clock) func() cache.Store {
	server, seal := cachetest.StartRedis(t), sealer(t)
	return func() cache.Store { return seal(server.Open(t)) }
}

// desk is where codes and tokens are asked for: fosite's own handlers on a storage.
type desk struct {
	*grant.Storage
	clients  people
	explicit *oauth2.AuthorizeExplicitGrantHandler
	proof    *pkce.Handler
	refresh  *oauth2.RefreshTokenGrantHandler
	spy      *spy
}

// newDesk opens a desk on store.
func newDesk(store cache.Store, c *worldtest.Clock, change ...func(*grant.Config)) *desk {
	registered := clients()
	cfg := grant.Config{
		Store: store, Clients: registered, Now: c.Now, CodeLife: codeLife, AccessLife: accessLife,
		RefreshLife: refreshLife, FamilyLife: familyLife, PushLife: pushLife,
	}
	for _, f := range change {
		f(&cfg)
	}
	storage := grant.New(cfg)
	config := &fosite.Config{
		EnforcePKCE: true, ScopeStrategy: fosite.ExactScopeStrategy,
		AudienceMatchingStrategy: fosite.ExactAudienceMatchingStrategy,
		AuthorizeCodeLifespan:    codeLife, AccessTokenLifespan: accessLife,
		RefreshTokenLifespan: refreshLife,
	}
	s := &spy{Tokens: storage.Tokens()}
	return &desk{
		Storage: storage, clients: registered, spy: s,
		explicit: &oauth2.AuthorizeExplicitGrantHandler{
			AccessTokenStrategy: s, RefreshTokenStrategy: s, AuthorizeCodeStrategy: s,
			CoreStorage: storage, TokenRevocationStorage: storage, Config: config,
		},
		proof: &pkce.Handler{AuthorizeCodeStrategy: s, Storage: storage, Config: config},
		refresh: &oauth2.RefreshTokenGrantHandler{
			AccessTokenStrategy: s, RefreshTokenStrategy: s,
			TokenRevocationStorage: storage, Config: config,
		},
	}
}

// spy makes access tokens, and notes every token that was made, delivered or not.
type spy struct {
	*grant.Tokens
	mu        sync.Mutex
	refreshes []string
	accesses  []string
}

func (s *spy) GenerateRefreshToken(
	ctx context.Context, r fosite.Requester,
) (token, signature string, err error) {
	token, signature, err = s.Tokens.GenerateRefreshToken(ctx, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.refreshes = append(s.refreshes, token)
	}
	return token, signature, err
}

func (s *spy) GenerateAccessToken(
	_ context.Context, r fosite.Requester,
) (token, signature string, err error) {
	token = r.GetID() + "/" + rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accesses = append(s.accesses, token)
	return token, s.AccessTokenSignature(context.Background(), token), nil
}

func (*spy) AccessTokenSignature(_ context.Context, token string) string {
	id, own, _ := strings.Cut(token, "/")
	return grant.AccessSignature(id, own)
}

func (*spy) ValidateAccessToken(context.Context, fosite.Requester, string) error { return nil }

// pair is what a token request gives.
type pair struct{ access, refresh string }

// session is that of a person with the chart of a patient open.
func session(subject string) *grant.Session {
	return &grant.Session{
		Subject: subject, Issuer: "https://idp.example", Name: "Ada Example", Nonce: "n-0S6_WzA2Mj",
		FHIRUser: "Practitioner/17", Roles: []string{"quality-analyst"}, Resource: api,
		AuthTime: time.Date(2026, 3, 1, 1, 59, 0, 0, time.UTC),
		Context: map[string]any{
			"patient": "patient-4711", "need_patient_banner": true,
			"fhirContext": []any{map[string]any{"reference": "ImagingStudy/9"}},
		},
	}
}

// authorize grants a client what it asks for and gives a code.
func (d *desk) authorize(ctx context.Context, s *grant.Session) (string, error) {
	redirect, err := url.Parse(callback)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(verifier))
	r := fosite.NewAuthorizeRequest()
	r.Client, r.RedirectURI, r.Session = d.clients["chart"], redirect, s
	r.ResponseTypes = fosite.Arguments{"code"}
	r.Form = url.Values{
		"client_id": {"chart"}, "redirect_uri": {callback}, "response_type": {"code"},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge_method": {"S256"},
	}
	for _, scope := range []string{"openid", "offline_access", "user/Measure.rs"} {
		r.AppendRequestedScope(scope)
		r.GrantScope(scope)
	}
	r.AppendRequestedAudience(api)
	r.GrantAudience(api)
	answer := fosite.NewAuthorizeResponse()
	if err := d.explicit.HandleAuthorizeEndpointRequest(ctx, r, answer); err != nil {
		return "", err
	}
	if err := d.proof.HandleAuthorizeEndpointRequest(ctx, r, answer); err != nil {
		return "", err
	}
	return answer.GetCode(), nil
}

// ask is a token request of a client.
func (d *desk) ask(client string, form url.Values) *fosite.AccessRequest {
	r := fosite.NewAccessRequest(&grant.Session{})
	r.Client, r.Form = d.clients[client], form
	r.GrantTypes = fosite.Arguments{form.Get("grant_type")}
	return r
}

// exchange gives tokens for a code.
func (d *desk) exchange(ctx context.Context, code, proof string) (pair, error) {
	return d.exchangeAs(ctx, "chart", code, proof)
}

// exchangeAs is exchange by a client.
func (d *desk) exchangeAs(ctx context.Context, client, code, proof string) (pair, error) {
	r := d.ask(client, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {proof},
		"redirect_uri": {callback}, "client_id": {client},
	})
	if err := d.explicit.HandleTokenEndpointRequest(ctx, r); err != nil {
		return pair{}, err
	}
	if err := d.proof.HandleTokenEndpointRequest(ctx, r); err != nil {
		return pair{}, err
	}
	answer := fosite.NewAccessResponse()
	if err := d.explicit.PopulateTokenEndpointResponse(ctx, r, answer); err != nil {
		return pair{}, err
	}
	refresh, _ := answer.GetExtra("refresh_token").(string)
	return pair{answer.GetAccessToken(), refresh}, nil
}

// renew gives tokens for a refresh token; narrow sees the request before they are made.
func (d *desk) renew(
	ctx context.Context, token string, narrow ...func(*fosite.AccessRequest),
) (pair, error) {
	r := d.ask("chart", url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {"chart"},
	})
	if err := d.refresh.HandleTokenEndpointRequest(ctx, r); err != nil {
		return pair{}, err
	}
	for _, f := range narrow {
		f(r)
	}
	answer := fosite.NewAccessResponse()
	if err := d.refresh.PopulateTokenEndpointResponse(ctx, r, answer); err != nil {
		return pair{}, err
	}
	refresh, _ := answer.GetExtra("refresh_token").(string)
	return pair{answer.GetAccessToken(), refresh}, nil
}

// begin gives the tokens of a new grant.
func (d *desk) begin(t testing.TB, subject string) (code string, tokens pair) {
	t.Helper()
	code, err := d.authorize(t.Context(), session(subject))
	must(t, err)
	tokens, err = d.exchange(t.Context(), code, verifier)
	must(t, err)
	return code, tokens
}

// live reports whether an access token is live.
func (d *desk) live(t testing.TB, token string) bool {
	t.Helper()
	id, own, _ := strings.Cut(token, "/")
	live, err := d.Live(t.Context(), id, own)
	must(t, err)
	return live
}

// usable reports whether a refresh token could be used.
func (d *desk) usable(t testing.TB, token string) bool {
	t.Helper()
	ctx := t.Context()
	_, err := d.GetRefreshTokenSession(ctx, d.Tokens().RefreshTokenSignature(ctx, token), nil)
	switch {
	case err == nil:
		return true
	case !errors.Is(err, fosite.ErrNotFound) && !errors.Is(err, fosite.ErrInactiveToken):
		t.Fatalf("GetRefreshTokenSession = %v", err)
	}
	return false
}

// spent reports whether err is what a client is answered whose code or token is not good any
// more. The token endpoint makes invalid_grant of each of these.
func spent(err error) bool {
	for _, want := range []error{
		fosite.ErrInvalidGrant, fosite.ErrInvalidatedAuthorizeCode, fosite.ErrInactiveToken,
		fosite.ErrNotFound,
	} {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}

// must stops the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
