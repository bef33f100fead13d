package auth_test

import (
	"crypto/rand"
	"net/url"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/cache/cachetest"
)

// benchSites are sites whose store is sealed, in memory and in a real Redis.
func benchSites(b *testing.B, do func(*testing.B, *site)) {
	b.Helper()
	key, err := cache.NewSealKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	ring, err := cache.NewKeyring(key)
	if err != nil {
		b.Fatal(err)
	}
	for _, home := range []struct {
		name string
		open func(b *testing.B, r *rig) cache.Store
	}{
		{"memory", func(_ *testing.B, r *rig) cache.Store {
			return cache.NewMemory(cache.MemoryConfig{Now: r.clock.Now})
		}},
		{"redis", func(b *testing.B, _ *rig) cache.Store {
			b.Helper()
			return cachetest.StartRedis(b).Open(b)
		}},
	} {
		b.Run(home.name, func(b *testing.B) {
			do(b, newSite(b, func(c *auth.Config, r *rig) {
				if c.Store, err = cache.Seal(home.open(b, r), cache.SealConfig{Keys: ring}); err != nil {
					b.Fatal(err)
				}
			}))
		})
	}
}

// prepared yields forms that were made while the clock of the benchmark stood still: to sign an
// assertion is for the client to pay.
func prepared(b *testing.B, make func() url.Values) func() url.Values {
	b.Helper()
	const batch = 64
	var forms []url.Values
	return func() url.Values {
		if len(forms) == 0 {
			b.StopTimer()
			for range batch {
				forms = append(forms, make())
			}
			b.StartTimer()
		}
		form := forms[len(forms)-1]
		forms = forms[:len(forms)-1]
		return form
	}
}

// BenchmarkClientCredentials is a token for a program: its assertion verified and spent, a grant
// begun, a token signed.
func BenchmarkClientCredentials(b *testing.B) {
	benchSites(b, func(b *testing.B, s *site) {
		next := prepared(b, func() url.Values { return authtest.Form(sign(b, s.assertion()), reports) })
		for b.Loop() {
			granted(b, s.post(b, "/oauth/token", next()))
		}
	})
}

// BenchmarkRefresh is a refresh token used and replaced, for a public client.
func BenchmarkRefresh(b *testing.B) {
	benchSites(b, func(b *testing.B, s *site) {
		token := s.tokens(b, "ana").Text("refresh_token")
		for uses := 0; b.Loop(); uses++ {
			if uses%100 == 99 { // What was given before has ended, as it would have in a real hour.
				s.clock.Advance(5 * time.Minute)
			}
			token = granted(b, s.refresh(b, token)).Text("refresh_token")
		}
	})
}

// BenchmarkIntrospect is an access token asked about by a confidential client.
func BenchmarkIntrospect(b *testing.B) {
	benchSites(b, func(b *testing.B, s *site) {
		token := s.tokens(b, "ana").Text("access_token")
		next := prepared(b, func() url.Values {
			return s.asserted(b, "watch", url.Values{"token": {token}})
		})
		for b.Loop() {
			if answer := s.post(b, "/oauth/introspect", next()); answer.Body["active"] != true {
				b.Fatalf("answer = %d %v", answer.Status, answer.Body)
			}
		}
	})
}

// BenchmarkLive is what every request to the API pays: a token that is known to be signed by us,
// and whether it or its grant was revoked.
func BenchmarkLive(b *testing.B) {
	benchSites(b, func(b *testing.B, s *site) {
		for _, token := range []struct{ name, text string }{
			{"of a program", s.token(b, reports)}, {"of a person", s.tokens(b, "ana").Text("access_token")},
		} {
			b.Run(token.name, func(b *testing.B) {
				for b.Loop() {
					if _, err := s.Validator().Validate(b.Context(), token.text); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}
