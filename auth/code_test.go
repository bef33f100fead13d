package auth_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/cache/cachetest"
)

// TestB1AWrongVerifierIsNoWayAroundPKCE tries to get rid of the challenge by a wrong verifier, and
// then comes without one.
func TestB1AWrongVerifierIsNoWayAroundPKCE(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	code := s.code(t, "ana", asked("spa", spaBack))
	wrong := authtest.CodeForm("spa", spaBack, code)
	wrong.Set("code_verifier", strings.Repeat("w", 43))
	for range 2 {
		refused(t, s.post(t, "/oauth/token", wrong), http.StatusBadRequest, "invalid_grant")
		none := authtest.CodeForm("spa", spaBack, code)
		none.Del("code_verifier")
		refused(t, s.post(t, "/oauth/token", none), http.StatusBadRequest, "invalid_request")
		none.Set("code_verifier", "")
		refused(t, s.post(t, "/oauth/token", none), http.StatusBadRequest, "invalid_request")
	}
}

// TestBadCodeExchanges is the negative list of checklist row A6 for the token endpoint.
func TestBadCodeExchanges(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, c := range []struct {
		name, param, value string
		status             int
		want               string
	}{
		{"no code", "code", "", 400, "invalid_request"},
		{"an invented code", "code", "elc_eA.AAAA.BBBB", 400, "invalid_grant"},
		{"nonsense for a code", "code", "BAD_CODE", 400, "invalid_grant"},
		{"no client", "client_id", "", 401, "invalid_client"},
		{"an unknown client", "client_id", "BAD_CLIENT", 401, "invalid_client"},
		{"another client", "client_id", "house", 400, "invalid_grant"},
		{"a confidential client without assertion", "client_id", "dash", 401, "invalid_client"},
		{"no address", "redirect_uri", "", 400, "invalid_request"},
		{"another address", "redirect_uri", homeBack, 400, "invalid_grant"},
		{"no verifier", "code_verifier", "", 400, "invalid_request"},
		{"a blank verifier", "code_verifier", " ", 400, "invalid_grant"},
		{"a wrong verifier", "code_verifier", strings.Repeat("x", 43), 400, "invalid_grant"},
		{"the challenge for the verifier", "code_verifier", authtest.Challenge(authtest.Verifier),
			400, "invalid_grant"},
		{"a short verifier", "code_verifier", "short", 400, "invalid_grant"},
		{"a secret", "client_secret", "x", 401, "invalid_client"},
		{"another target", "resource", "https://evil.example", 400, "invalid_target"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			form := authtest.CodeForm("spa", spaBack, s.code(t, "ana", asked("spa", spaBack)))
			good := form.Get("code")
			form.Del(c.param)
			if c.value != "" {
				form.Set(c.param, c.value)
			}
			refused(t, s.post(t, "/oauth/token", form), c.status, c.want)
			// What was refused has spent nothing.
			granted(t, s.post(t, "/oauth/token", authtest.CodeForm("spa", spaBack, good)))
		})
	}
}

func TestACodeEndsAfterAMinute(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	form := authtest.CodeForm("spa", spaBack, s.code(t, "ana", asked("spa", spaBack)))
	s.clock.Advance(time.Minute)
	refused(t, s.post(t, "/oauth/token", form), http.StatusBadRequest, "invalid_grant")
}

// TestAConfidentialClientExchangesWithItsAssertion also holds that its code is of no use to who
// lacks its key.
func TestAConfidentialClientExchangesWithItsAssertion(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	code := s.code(t, "ana", asked("dash", dashBack))
	refused(t, s.post(t, "/oauth/token", authtest.CodeForm("spa", dashBack, code)),
		http.StatusBadRequest, "invalid_grant")
	answer := granted(t, s.post(t, "/oauth/token",
		s.asserted(t, "dash", authtest.CodeForm("dash", dashBack, code))))
	again := authtest.RefreshForm("dash", answer.Text("refresh_token"))
	refused(t, s.post(t, "/oauth/token", again), http.StatusUnauthorized, "invalid_client")
	granted(t, s.post(t, "/oauth/token", s.asserted(t, "dash", again)))
}

// TestB17AUsedCodeIsNoFailureOfOurs uses a code twice: 400, and its grant ends (faults row 35).
func TestB17AUsedCodeIsNoFailureOfOurs(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	form := authtest.CodeForm("spa", spaBack, s.code(t, "ana", asked("spa", spaBack)))
	answer := granted(t, s.post(t, "/oauth/token", form))
	s.valid(t, answer.Text("access_token"), true)
	refused(t, s.post(t, "/oauth/token", form), http.StatusBadRequest, "invalid_grant")
	s.valid(t, answer.Text("access_token"), false)
	refused(t, s.refresh(t, answer.Text("refresh_token")), http.StatusBadRequest, "invalid_grant")
}

// used is what a race of exchanges ended with.
type used struct {
	mu     sync.Mutex
	wins   []authtest.Answer
	losses atomic.Int64
}

// together posts one form many times at once on all sites in turn, and wants one token and for
// everybody else invalid_grant.
func together(t *testing.T, times int, form string, sites ...*site) authtest.Answer {
	t.Helper()
	var u used
	var wait sync.WaitGroup
	gate := make(chan struct{})
	for i := range times {
		s := sites[i%len(sites)]
		wait.Go(func() {
			<-gate
			rec := serve(t, s.mux, form)
			answer := answerOf(t, rec)
			switch {
			case rec.Code == http.StatusOK:
				u.mu.Lock()
				u.wins = append(u.wins, answer)
				u.mu.Unlock()
			case rec.Code == http.StatusBadRequest && answer.Text("error") == "invalid_grant":
				u.losses.Add(1)
			default:
				t.Errorf("answer = %d %s", rec.Code, rec.Body)
			}
		})
	}
	close(gate)
	wait.Wait()
	t.Logf("%d uses at once: %d succeeded, %d were refused", times, len(u.wins), u.losses.Load())
	if len(u.wins) != 1 || int(u.losses.Load()) != times-1 {
		t.Fatalf("%d uses succeeded and %d were refused, want 1 and %d", len(u.wins),
			u.losses.Load(), times-1)
	}
	return u.wins[0]
}

// twoSites are two servers of one issuer on one store, with the same keys.
func twoSites(t *testing.T, store func() cache.Store) (*site, *site) {
	t.Helper()
	one := newSite(t, func(cfg *auth.Config, _ *rig) { cfg.Store = store() })
	return one, newSite(t, func(cfg *auth.Config, r *rig) {
		cfg.Store, cfg.Keys, r.keys = store(), one.keys, one.keys
	})
}

// onRedis gives each site a connection of its own to one Redis.
func onRedis(t *testing.T) func() cache.Store {
	t.Helper()
	server := cachetest.StartRedis(t)
	return func() cache.Store {
		ring, err := cache.NewKeyring(make([]byte, 32))
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := cache.Seal(server.Open(t), cache.SealConfig{Keys: ring})
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
}

// raceCode uses one code many times at once; the grant is over after that.
func raceCode(t *testing.T, times int, one, two *site) {
	t.Helper()
	form := authtest.CodeForm("spa", spaBack, one.code(t, "ana", asked("spa", spaBack)))
	won := together(t, times, form.Encode(), one, two)
	one.valid(t, won.Text("access_token"), false)
	two.valid(t, won.Text("access_token"), false)
	refused(t, two.refresh(t, won.Text("refresh_token")), http.StatusBadRequest, "invalid_grant")
}

// raceRefresh uses one refresh token many times at once; the family is over after that.
func raceRefresh(t *testing.T, times int, one, two *site) {
	t.Helper()
	first := one.tokens(t, "ana")
	form := authtest.RefreshForm("spa", first.Text("refresh_token"))
	won := together(t, times, form.Encode(), one, two)
	one.valid(t, first.Text("access_token"), false)
	two.valid(t, won.Text("access_token"), false)
	refused(t, two.refresh(t, won.Text("refresh_token")), http.StatusBadRequest, "invalid_grant")
}

// TestB12OfManyUsesOfACodeOneSucceedsOnMemory exchanges one code a thousand times at once, by a
// public client. fosite's own storage dies of eight.
func TestB12OfManyUsesOfACodeOneSucceedsOnMemory(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	raceCode(t, cachetest.Racers, s, s)
}

func TestB12OfManyUsesOfARefreshTokenOneSucceedsOnMemory(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	raceRefresh(t, cachetest.Racers, s, s)
}

// TestB13WhoComesSecondWithACodeIsToldInvalidGrant has two servers share a Redis: also who loses
// in the middle of the winner's write is answered 400.
func TestB13WhoComesSecondWithACodeIsToldInvalidGrant(t *testing.T) {
	t.Parallel()
	one, two := twoSites(t, onRedis(t))
	raceCode(t, cachetest.Racers, one, two)
}

// TestB15WhoComesSecondWithARefreshTokenIsToldInvalidGrant is faults row 37.
func TestB15WhoComesSecondWithARefreshTokenIsToldInvalidGrant(t *testing.T) {
	t.Parallel()
	one, two := twoSites(t, onRedis(t))
	raceRefresh(t, cachetest.Racers, one, two)
}

// TestB18NoSharedSecretIsNeeded has two servers that share a store and no secret exchange each
// other's codes, and a third with a store of its own none; many at once, so that what fosite would
// write into its configuration on first use is seen by the race detector.
func TestB18NoSharedSecretIsNeeded(t *testing.T) {
	t.Parallel()
	shared := cache.NewMemory(cache.MemoryConfig{})
	one, two := twoSites(t, func() cache.Store { return shared })
	stranger := newSite(t, func(cfg *auth.Config, r *rig) { cfg.Keys, r.keys = one.keys, one.keys })
	var wait sync.WaitGroup
	for range 8 {
		form := authtest.CodeForm("spa", spaBack, one.code(t, "ana", asked("spa", spaBack)))
		wait.Go(func() {
			refused(t, stranger.post(t, "/oauth/token", form), http.StatusBadRequest, "invalid_grant")
			answer := two.post(t, "/oauth/token", form)
			if answer.Status != http.StatusOK {
				t.Errorf("answer = %d %v", answer.Status, answer.Body)
			}
			one.valid(t, answer.Text("access_token"), true)
			stranger.valid(t, answer.Text("access_token"), false)
		})
	}
	wait.Wait()
}

// spy is a store that remembers what is written to it.
type spy struct {
	cache.Store
	mu      sync.Mutex
	written []string
}

// note remembers.
func (s *spy) note(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = append(s.written, texts...)
}

// TestB16NoCodeAndNoTokenIsInTheStore reads all that is written, before it is sealed.
func TestB16NoCodeAndNoTokenIsInTheStore(t *testing.T) {
	t.Parallel()
	store := &spy{Store: cache.NewMemory(cache.MemoryConfig{})}
	s := newSite(t, func(cfg *auth.Config, _ *rig) { cfg.Store = store })
	pushed := s.asserted(t, "dash", asked("dash", dashBack))
	code := s.code(t, "ana", pushedBy("dash", s.push(t, pushed)))
	form := s.asserted(t, "dash", authtest.CodeForm("dash", dashBack, code))
	first := granted(t, s.post(t, "/oauth/token", form))
	second := granted(t, s.post(t, "/oauth/token", s.asserted(t, "dash",
		authtest.RefreshForm("dash", first.Text("refresh_token")))))
	secrets := []string{code, pushed.Get("client_assertion"), form.Get("client_assertion")}
	for _, answer := range []authtest.Answer{first, second} {
		secrets = append(secrets, answer.Text("access_token"))
		parts := strings.Split(answer.Text("refresh_token"), ".")
		secrets = append(secrets, answer.Text("refresh_token"), parts[len(parts)-1])
	}
	secrets = append(secrets, first.Text("id_token"), authtest.Verifier)
	if len(store.written) < 5 {
		t.Fatalf("%d writes were seen", len(store.written))
	}
	for _, text := range store.written {
		for _, secret := range secrets {
			if secret == "" || strings.Contains(text, secret) {
				t.Errorf("a secret is in the store: %.40q", text)
			}
		}
	}
}

// TestB11TokensOutliveEveryStepOfARotation takes the keys of access tokens from next to active to
// retired: what was signed by each key is valid for as long as it says.
func TestB11TokensOutliveEveryStepOfARotation(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	var tokens []string
	take := func() { tokens = append(tokens, s.tokens(t, "ana").Text("access_token")) }
	check := func(when string) {
		for i, token := range tokens {
			if _, err := s.Validator().Validate(t.Context(), token); err != nil {
				t.Errorf("%s: token %d: %v", when, i, err)
			}
		}
	}
	take()
	for range 2 {
		if err := s.keys.Prepare(); err != nil {
			t.Fatal(err)
		}
		take()
		check("prepared")
		if err := s.keys.Promote(); err != nil {
			t.Fatal(err)
		}
		take()
		check("promoted")
	}
	states := map[keys.State]int{}
	for _, k := range s.keys.Keys() {
		states[k.State]++
	}
	if states[keys.Active] != 1 || states[keys.Retired] != 2 {
		t.Errorf("states = %v, want one active and two retired", states)
	}
	s.clock.Advance(5 * time.Minute)
	s.valid(t, tokens[0], false)
}
