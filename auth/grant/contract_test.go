package grant_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/grant"
	"github.com/equitylens/equitylens/internal/worldtest"
)

// TestContract runs the life of a grant in each home.
func TestContract(t *testing.T) {
	t.Parallel()
	for _, h := range homes(t) {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range []struct {
				name string
				run  func(*testing.T, *desk, *worldtest.Clock)
			}{
				{"what was granted comes back whole", comesBack},
				{"a code ends after its life", codeEnds},
				{"a code is of one client", codeOfOneClient},
				{"a used code ends the grant even half an hour later", lateReplay},
				{"a used code without tokens is known for half an hour", lateReplayOfNothing},
				{"a code cannot be used at its end by any path", useAtTheEnd},
				{"a grant has one refresh token of its own family", oneRefreshToken},
				{"a family that is over begins nothing", lateBeginning},
				{"a bar does not move back", barStays},
				{"nothing is added to a grant that has ended", nothingAfterTheEnd},
				{"a refresh token ends after its life", refreshEnds},
				{"no refresh moves the end of the family", familyEnds},
				{"a session can shorten its family", shortFamily},
				{"rotation ends the tokens before it", rotation},
				{"any old refresh token ends the family", oldTokens},
				{"an invented token ends nothing", invented},
				{"a revoked refresh token ends the grant", revokedGrant},
				{"a revoked access token ends alone", revokedToken},
				{"a bar voids what was given before it", bars},
				{"a bar of a client voids what it was given", barOfClient},
				{"a client's own token is live until revoked", machine},
				{"a client that is gone has no grants", goneClient},
				{"nothing is found by what is no signature", noSignature},
			} {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					clock := newClock()
					c.run(t, newDesk(h.open(t, clock)(), clock), clock)
				})
			}
		})
	}
}

// comesBack compares the session and the request that a refresh token stands for.
func comesBack(t *testing.T, d *desk, _ *worldtest.Clock) {
	_, tokens := d.begin(t, "ada")
	sig := d.Tokens().RefreshTokenSignature(t.Context(), tokens.refresh)
	got, err := d.GetRefreshTokenSession(t.Context(), sig, nil)
	must(t, err)
	kept, ok := got.GetSession().(*grant.Session)
	if !ok {
		t.Fatalf("session is a %T", got.GetSession())
	}
	if ends := kept.GetExpiresAt(fosite.RefreshToken); ends.IsZero() {
		t.Error("nobody knows when the refresh token ends")
	}
	kept.Expires = nil
	if diff := cmp.Diff(session("ada"), kept); diff != "" {
		t.Errorf("session (-want +got):\n%s", diff)
	}
	type kit struct {
		Client                    string
		Scopes, Granted, Audience fosite.Arguments
		Form                      url.Values
	}
	scopes := fosite.Arguments{"openid", "offline_access", "user/Measure.rs"}
	want := kit{
		"chart", scopes, scopes, fosite.Arguments{api}, url.Values{
			"client_id": {"chart"}, "redirect_uri": {callback}, "response_type": {"code"},
		},
	}
	have := kit{
		got.GetClient().GetID(), got.GetRequestedScopes(), got.GetGrantedScopes(),
		got.GetGrantedAudience(), got.GetRequestForm(),
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

// refused wants that a token request got nothing for a reason that is the client's.
func refused(t *testing.T, what string, got pair, err error) {
	t.Helper()
	if !spent(err) || got != (pair{}) {
		t.Errorf("%s = %v, want invalid grant", what, err)
	}
}

func codeEnds(t *testing.T, d *desk, c *worldtest.Clock) {
	early, err := d.authorize(t.Context(), session("ada"))
	must(t, err)
	late, err := d.authorize(t.Context(), session("ada"))
	must(t, err)
	c.Advance(codeLife - time.Second)
	_, err = d.exchange(t.Context(), early, verifier)
	must(t, err)
	c.Advance(time.Second)
	got, err := d.exchange(t.Context(), late, verifier)
	refused(t, "a code at its end", got, err)
}

func codeOfOneClient(t *testing.T, d *desk, _ *worldtest.Clock) {
	code, err := d.authorize(t.Context(), session("ada"))
	must(t, err)
	got, err := d.exchangeAs(t.Context(), "other", code, verifier)
	refused(t, "a code of another client", got, err)
	if _, err := d.exchange(t.Context(), code, verifier); err != nil {
		t.Errorf("the client's own use after that = %v", err)
	}
}

func lateReplay(t *testing.T, d *desk, c *worldtest.Clock) {
	code, tokens := d.begin(t, "ada")
	c.Advance(29 * time.Minute)
	tokens, err := d.renew(t.Context(), tokens.refresh)
	must(t, err)
	got, err := d.exchange(t.Context(), code, verifier)
	refused(t, "a used code", got, err)
	if d.live(t, tokens.access) || d.usable(t, tokens.refresh) {
		t.Error("the tokens of the code outlive its second use")
	}
}

func refreshEnds(t *testing.T, d *desk, c *worldtest.Clock) {
	_, tokens := d.begin(t, "ada")
	c.Advance(refreshLife - time.Second)
	tokens, err := d.renew(t.Context(), tokens.refresh)
	must(t, err)
	c.Advance(refreshLife)
	got, err := d.renew(t.Context(), tokens.refresh)
	refused(t, "a refresh token at its end", got, err)
}

func familyEnds(t *testing.T, d *desk, c *worldtest.Clock) {
	_, tokens := d.begin(t, "ada")
	const rest = refreshLife / 2
	for passed := rest; passed < familyLife; passed += rest {
		c.Advance(rest)
		var err error
		if tokens, err = d.renew(t.Context(), tokens.refresh); err != nil {
			t.Fatalf("refresh after %v of %v = %v", passed, familyLife, err)
		}
	}
	if !d.usable(t, tokens.refresh) {
		t.Error("a refresh token ended before its family")
	}
	c.Advance(rest)
	if d.usable(t, tokens.refresh) {
		t.Error("a refresh token is usable at the end of its family")
	}
	got, err := d.renew(t.Context(), tokens.refresh)
	refused(t, "a refresh token at the end of its family", got, err)
}

func shortFamily(t *testing.T, d *desk, c *worldtest.Clock) {
	s := session("ada")
	s.FamilyLife = time.Hour
	code, err := d.authorize(t.Context(), s)
	must(t, err)
	tokens, err := d.exchange(t.Context(), code, verifier)
	must(t, err)
	c.Advance(time.Hour - time.Second)
	if tokens, err = d.renew(t.Context(), tokens.refresh); err != nil {
		t.Fatalf("refresh before the end = %v", err)
	}
	c.Advance(time.Second)
	got, err := d.renew(t.Context(), tokens.refresh)
	refused(t, "a refresh token at the end of a short family", got, err)
}

func rotation(t *testing.T, d *desk, _ *worldtest.Clock) {
	_, first := d.begin(t, "ada")
	if !d.live(t, first.access) || !d.usable(t, first.refresh) {
		t.Fatal("the first tokens are not good")
	}
	second, err := d.renew(t.Context(), first.refresh)
	must(t, err)
	if d.live(t, first.access) || d.usable(t, first.refresh) {
		t.Error("the tokens before the refresh are good after it")
	}
	if !d.live(t, second.access) || !d.usable(t, second.refresh) {
		t.Error("the tokens of the refresh are not good")
	}
}

// oldTokens goes far beyond what a list of used tokens would hold.
func oldTokens(t *testing.T, d *desk, c *worldtest.Clock) {
	_, first := d.begin(t, "ada")
	tokens := first
	for range 100 {
		c.Advance(time.Minute)
		var err error
		tokens, err = d.renew(t.Context(), tokens.refresh)
		must(t, err)
	}
	got, err := d.renew(t.Context(), first.refresh)
	refused(t, "the first of a hundred refresh tokens", got, err)
	if d.live(t, tokens.access) || d.usable(t, tokens.refresh) {
		t.Error("the family outlives the use of its first token")
	}
}

// invented changes tokens as one can who knows the id of a grant and holds no token of it.
func invented(t *testing.T, d *desk, _ *worldtest.Clock) {
	_, tokens := d.begin(t, "ada")
	_, strange := d.begin(t, "eve")
	mine, theirs := parts(tokens.refresh), parts(strange.refresh)
	for name, token := range map[string]string{
		"the id with secrets of another": mine[0] + "." + theirs[1] + "." + theirs[2],
		"the id with an own secret":      mine[0] + "." + theirs[1] + "." + mine[2],
		"a code as refresh token":        "elc" + tokens.refresh[3:],
		"half a token":                   mine[0] + "." + mine[1],
		"nothing":                        "",
	} {
		got, err := d.renew(t.Context(), token)
		refused(t, name, got, err)
		got, err = d.exchange(t.Context(), token, verifier)
		refused(t, name+" as code", got, err)
	}
	if !d.live(t, tokens.access) || !d.usable(t, tokens.refresh) {
		t.Error("invented tokens ended the grant")
	}
}

func revokedGrant(t *testing.T, d *desk, _ *worldtest.Clock) {
	_, tokens := d.begin(t, "ada")
	_, others := d.begin(t, "ada")
	r, err := d.GetRefreshTokenSession(
		t.Context(), d.Tokens().RefreshTokenSignature(t.Context(), tokens.refresh), nil)
	must(t, err)
	for range 2 {
		must(t, d.Revoke(t.Context(), r.GetID()))
	}
	must(t, d.Revoke(t.Context(), "no such grant"))
	got, err := d.renew(t.Context(), tokens.refresh)
	refused(t, "a revoked refresh token", got, err)
	if d.live(t, tokens.access) {
		t.Error("the access token of a revoked grant is live")
	}
	if !d.live(t, others.access) || !d.usable(t, others.refresh) {
		t.Error("the end of one grant ended another of the same person")
	}
}

func revokedToken(t *testing.T, d *desk, _ *worldtest.Clock) {
	ctx := t.Context()
	_, tokens := d.begin(t, "ada")
	sig := d.spy.AccessTokenSignature(ctx, tokens.access)
	if _, err := d.GetAccessTokenSession(ctx, sig, nil); err != nil {
		t.Fatalf("GetAccessTokenSession = %v", err)
	}
	for range 2 {
		must(t, d.DeleteAccessTokenSession(ctx, sig))
	}
	if _, err := d.GetAccessTokenSession(ctx, sig, nil); !errors.Is(err, fosite.ErrNotFound) {
		t.Errorf("GetAccessTokenSession of a revoked token = %v, want ErrNotFound", err)
	}
	if d.live(t, tokens.access) || !d.usable(t, tokens.refresh) {
		t.Error("want the access token ended and the refresh token not")
	}
}

func bars(t *testing.T, d *desk, c *worldtest.Clock) {
	ctx := t.Context()
	code, err := d.authorize(ctx, session("ada"))
	must(t, err)
	_, tokens := d.begin(t, "ada")
	_, others := d.begin(t, "bob")
	given := c.Now()
	c.Advance(time.Second)
	must(t, d.Bar(ctx, "ada"))
	got, err := d.exchange(ctx, code, verifier)
	refused(t, "a code given before the bar", got, err)
	got, err = d.renew(ctx, tokens.refresh)
	refused(t, "a refresh token given before the bar", got, err)
	if d.live(t, tokens.access) {
		t.Error("an access token given before the bar is live")
	}
	if !d.live(t, others.access) || !d.usable(t, others.refresh) {
		t.Error("the bar of one person voids what another was given")
	}
	for _, c := range []struct {
		name            string
		subject, client string
		at              time.Time
		want            bool
	}{
		{"before", "ada", "chart", given, true},
		{"in the same second", "ada", "chart", given.Add(time.Second), true},
		{"after", "ada", "chart", given.Add(2 * time.Second), false},
		{"of nobody", "", "", given, false},
		{"of another", "bob", "chart", given, false},
	} {
		got, err := d.Barred(ctx, c.subject, c.client, c.at)
		if got != c.want || err != nil {
			t.Errorf("Barred %s = %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	if err := d.Bar(ctx, ""); err == nil {
		t.Error("a bar of nobody was accepted")
	}
	c.Advance(time.Second)
	_, tokens = d.begin(t, "ada")
	if !d.live(t, tokens.access) || !d.usable(t, tokens.refresh) {
		t.Error("what was granted after the bar is not good")
	}
}

func barOfClient(t *testing.T, d *desk, c *worldtest.Clock) {
	_, tokens := d.begin(t, "ada")
	own := d.machine(t, "nightly-grant", "other")
	c.Advance(time.Second)
	must(t, d.Bar(t.Context(), "chart"))
	if d.live(t, tokens.access) || d.usable(t, tokens.refresh) {
		t.Error("what the barred client was given is good")
	}
	if !d.live(t, own) {
		t.Error("the bar of one client voids what another was given")
	}
	must(t, d.Bar(t.Context(), "other"))
	if d.live(t, own) {
		t.Error("the barred client's own token is live")
	}
}

// machine gives a client a token for itself, as the client credentials grant does.
func (d *desk) machine(t *testing.T, id, client string) string {
	t.Helper()
	r := fosite.NewAccessRequest(&grant.Session{})
	r.ID, r.Client = id, d.clients[client]
	r.GrantScope("user/Measure.rs")
	token, sig, err := d.spy.GenerateAccessToken(t.Context(), r)
	must(t, err)
	must(t, d.CreateAccessTokenSession(t.Context(), sig, r))
	return token
}

func machine(t *testing.T, d *desk, c *worldtest.Clock) {
	ctx := t.Context()
	token := d.machine(t, "nightly-1", "other")
	if !d.live(t, token) {
		t.Error("the token is not live")
	}
	c.Advance(accessLife)
	if d.live(t, token) {
		t.Error("the token is live after its end")
	}
	token = d.machine(t, "nightly-2", "other")
	must(t, d.RevokeRefreshToken(ctx, "nightly-2"))
	must(t, d.RevokeAccessToken(ctx, "nightly-2"))
	if d.live(t, token) {
		t.Error("the revoked token is live")
	}
}

func goneClient(t *testing.T, d *desk, _ *worldtest.Clock) {
	code, err := d.authorize(t.Context(), session("ada"))
	must(t, err)
	_, tokens := d.begin(t, "ada")
	d.clients["gone"] = d.clients["chart"]
	delete(d.clients, "chart")
	defer func() { d.clients["chart"] = d.clients["gone"] }()
	got, err := d.exchangeAs(t.Context(), "gone", code, verifier)
	refused(t, "a code of a client that is gone", got, err)
	if d.usable(t, tokens.refresh) {
		t.Error("a refresh token of a client that is gone is usable")
	}
}

func noSignature(t *testing.T, d *desk, _ *worldtest.Clock) {
	ctx := context.WithoutCancel(t.Context())
	for _, sig := range []string{"", ".", "..", "a.b", "!!.x.y", "YQ.x.y", "YQ.x.y.z"} {
		_, err1 := d.GetAuthorizeCodeSession(ctx, sig, nil)
		_, err2 := d.GetRefreshTokenSession(ctx, sig, nil)
		_, err3 := d.GetAccessTokenSession(ctx, sig, nil)
		_, err4 := d.GetPKCERequestSession(ctx, sig, nil)
		for i, err := range []error{
			err1, err2, err3, err4, d.InvalidateAuthorizeCodeSession(ctx, sig),
			d.RotateRefreshToken(ctx, "a", sig), d.CreatePKCERequestSession(ctx, sig, d.ask("chart", nil)),
		} {
			if !errors.Is(err, fosite.ErrNotFound) {
				t.Errorf("%q, method %d = %v, want ErrNotFound", sig, i, err)
			}
		}
		must(t, d.DeleteRefreshTokenSession(ctx, sig))
		must(t, d.DeleteAccessTokenSession(ctx, sig))
		if d.CreateAuthorizeCodeSession(ctx, sig, d.ask("chart", nil)) == nil ||
			d.CreateRefreshTokenSession(ctx, sig, "", d.ask("chart", nil)) == nil {
			t.Errorf("%q was accepted as a signature", sig)
		}
	}
}
