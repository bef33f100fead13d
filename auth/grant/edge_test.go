package grant_test

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/internal/worldtest"
)

// lateReplayOfNothing uses a code whose client never got the tokens.
func lateReplayOfNothing(t *testing.T, d *desk, c *worldtest.Clock) {
	ctx := t.Context()
	code, err := d.authorize(ctx, session("ada"))
	must(t, err)
	sig := d.Tokens().AuthorizeCodeSignature(ctx, code)
	must(t, d.InvalidateAuthorizeCodeSession(ctx, sig))
	c.Advance(30*time.Minute - time.Second)
	_, err = d.GetAuthorizeCodeSession(ctx, sig, nil)
	if !errors.Is(err, fosite.ErrInvalidatedAuthorizeCode) {
		t.Errorf("GetAuthorizeCodeSession = %v, want ErrInvalidatedAuthorizeCode", err)
	}
}

// useAtTheEnd lets a code and a refresh token end between the look at them and their use.
func useAtTheEnd(t *testing.T, d *desk, c *worldtest.Clock) {
	ctx := t.Context()
	code, err := d.authorize(ctx, session("ada"))
	must(t, err)
	_, tokens := d.begin(t, "ada")
	id := d.grantOf(t, tokens)
	c.Advance(codeLife)
	sig := d.Tokens().AuthorizeCodeSignature(ctx, code)
	if err := d.InvalidateAuthorizeCodeSession(ctx, sig); !errors.Is(err, fosite.ErrNotFound) {
		t.Errorf("InvalidateAuthorizeCodeSession = %v, want ErrNotFound", err)
	}
	if _, err := d.GetAuthorizeCodeSession(ctx, sig, nil); !errors.Is(err, fosite.ErrNotFound) {
		t.Errorf("GetAuthorizeCodeSession = %v, want ErrNotFound", err)
	}
	c.Advance(refreshLife)
	sig = d.Tokens().RefreshTokenSignature(ctx, tokens.refresh)
	if err := d.RotateRefreshToken(ctx, id, sig); !errors.Is(err, fosite.ErrNotFound) {
		t.Errorf("RotateRefreshToken = %v, want ErrNotFound", err)
	}
}

// ofGrant is a request that goes on with the grant of tokens.
func (d *desk) ofGrant(t *testing.T, tokens pair) *fosite.AccessRequest {
	t.Helper()
	r := d.ask("chart", url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {tokens.refresh},
	})
	r.ID = d.grantOf(t, tokens)
	return r
}

// oneRefreshToken adds what fosite's handlers never would.
func oneRefreshToken(t *testing.T, d *desk, _ *worldtest.Clock) {
	ctx := t.Context()
	_, tokens := d.begin(t, "ada")
	_, strange := d.begin(t, "eve")
	r := d.ofGrant(t, tokens)
	_, second, err := d.Tokens().GenerateRefreshToken(ctx, r)
	must(t, err)
	if err := d.CreateRefreshTokenSession(ctx, second, "", r); err == nil {
		t.Error("a second refresh token was put beside the first")
	}
	_, theirs, err := d.Tokens().GenerateRefreshToken(ctx, d.ofGrant(t, strange))
	must(t, err)
	mixed := parts(second)[0] + "." + parts(theirs)[1] + "." + parts(theirs)[2]
	sig := d.Tokens().RefreshTokenSignature(ctx, tokens.refresh)
	must(t, d.RotateRefreshToken(ctx, r.GetID(), sig))
	if err := d.CreateRefreshTokenSession(ctx, mixed, "", r); err == nil {
		t.Error("a refresh token of another family was put into the grant")
	}
	if err := d.CreateRefreshTokenSession(ctx, theirs, "", r); err == nil {
		t.Error("a refresh token of another grant was put into the grant")
	}
	if err := d.CreateRefreshTokenSession(ctx, second, "", r); err != nil {
		t.Errorf("the next refresh token = %v", err)
	}
	must(t, d.DeleteRefreshTokenSession(ctx, second))
	for _, token := range d.spy.refreshes {
		if token != strange.refresh && d.usable(t, token) {
			t.Error("a refresh token is usable after it was deleted")
		}
	}
}

// nothingAfterTheEnd adds tokens to a grant that was revoked.
func nothingAfterTheEnd(t *testing.T, d *desk, _ *worldtest.Clock) {
	ctx := t.Context()
	_, tokens := d.begin(t, "ada")
	r := d.ofGrant(t, tokens)
	_, refresh, err := d.Tokens().GenerateRefreshToken(ctx, r)
	must(t, err)
	access, sig, err := d.spy.GenerateAccessToken(ctx, r)
	must(t, err)
	must(t, d.Revoke(ctx, r.GetID()))
	for name, err := range map[string]error{
		"a refresh token": d.CreateRefreshTokenSession(ctx, refresh, sig, r),
		"an access token": d.CreateAccessTokenSession(ctx, sig, r),
	} {
		if !errors.Is(err, fosite.ErrInactiveToken) {
			t.Errorf("%s was added: %v, want ErrInactiveToken", name, err)
		}
	}
	if d.live(t, access) {
		t.Error("an access token of a revoked grant is live")
	}
}

// lateBeginning uses a code when the family that would begin is over already.
func lateBeginning(t *testing.T, d *desk, c *worldtest.Clock) {
	s := session("ada")
	s.FamilyLife = codeLife / 2
	code, err := d.authorize(t.Context(), s)
	must(t, err)
	c.Advance(codeLife / 2)
	got, err := d.exchange(t.Context(), code, verifier)
	refused(t, "a code whose family is over", got, err)
}

// barStays bars by two clocks, of which the second is behind.
func barStays(t *testing.T, d *desk, c *worldtest.Clock) {
	ctx := t.Context()
	c.Advance(2 * time.Second)
	must(t, d.Bar(ctx, "ada"))
	given := c.Now()
	c.Advance(-2 * time.Second)
	must(t, d.Bar(ctx, "ada"))
	if barred, err := d.Barred(ctx, "ada", "", given); !barred || err != nil {
		t.Errorf("Barred = %v, %v, want the later of two bars", barred, err)
	}
}
