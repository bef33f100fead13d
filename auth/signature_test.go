package auth_test

import (
	"errors"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth"
)

// TestARememberedTokenStillExpires asks about one token again and again: that its signature was
// found good says nothing of its time, of its key, or of another token.
func TestARememberedTokenStillExpires(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	token := r.token(t, reports)
	for range 3 {
		if p, err := r.Validator().Validate(t.Context(), token); err != nil || p.ClientID != "nightly" {
			t.Fatalf("Validate = %+v, %v", p, err)
		}
	}
	r.clock.Advance(5 * time.Minute)
	if _, err := r.Validator().Validate(t.Context(), token); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("Validate after its end = %v, want ErrInvalidToken", err)
	}
}

func TestARememberedTokenEndsWithItsKey(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *auth.Config, _ *rig) { cfg.TokenLifetime = 24 * time.Hour })
	token := r.token(t, reports)
	if _, err := r.Validator().Validate(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.keys.Prepare(), r.keys.Promote()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Validator().Validate(t.Context(), token); err != nil {
		t.Errorf("Validate while the key is kept = %v", err)
	}
	r.clock.Advance(2 * time.Hour)
	if _, err := r.Validator().Validate(t.Context(), token); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("Validate after the key = %v, want ErrInvalidToken", err)
	}
}

// BenchmarkValidate is what every request to the API pays: the first time for the signature, then
// for what is remembered of it.
func BenchmarkValidate(b *testing.B) {
	r := newRig(b, nil)
	token := r.token(b, reports)
	for b.Loop() {
		if _, err := r.Validator().Validate(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
