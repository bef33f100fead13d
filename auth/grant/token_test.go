package grant_test

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/grant"
)

// TestTokensAreRecognisable holds the pattern that scanners for leaked secrets are told.
func TestTokensAreRecognisable(t *testing.T) {
	t.Parallel()
	d, _ := newMemoryDesk(t, nil)
	code, tokens := d.begin(t, "ada")
	for name, c := range map[string]struct{ token, prefix string }{
		"a code":          {code, grant.CodePrefix},
		"a refresh token": {tokens.refresh, grant.RefreshPrefix},
	} {
		want := regexp.MustCompile(`^` + c.prefix + `[\w-]{2,}\.[\w-]{22}\.[\w-]{43}$`)
		if !want.MatchString(c.token) || url.QueryEscape(c.token) != c.token {
			t.Errorf("%s is not of the pattern %s", name, want)
		}
	}
}

// TestOneTokenOneText refuses the other texts that a lax base64 would take for the same token.
func TestOneTokenOneText(t *testing.T) {
	t.Parallel()
	d, _ := newMemoryDesk(t, nil)
	code, _ := d.begin(t, "ada")
	for name, text := range map[string]string{
		"another last bit": code[:len(code)-1] + string(code[len(code)-1]+1),
		"a new line":       code + "\n",
		"a space":          " " + code,
		"padding":          code + "=",
		"a further part":   code + ".x",
		"no prefix":        code[len(grant.CodePrefix):],
		"another prefix":   "elr_" + code[len(grant.CodePrefix):],
		"capitals":         strings.ToUpper(code[:4]) + code[4:],
		"endless":          grant.CodePrefix + strings.Repeat("a", 1<<20),
	} {
		if d.Tokens().AuthorizeCodeSignature(t.Context(), text) ==
			d.Tokens().AuthorizeCodeSignature(t.Context(), code) {
			t.Errorf("%s: taken for the same code", name)
		}
		if err := d.Tokens().ValidateAuthorizeCode(
			t.Context(), d.ask("chart", nil), text,
		); name != "another last bit" && !errors.Is(err, fosite.ErrInvalidTokenFormat) {
			t.Errorf("%s: %v, want ErrInvalidTokenFormat", name, err)
		}
	}
}

func TestTokensEndByOurClock(t *testing.T) {
	t.Parallel()
	d, c := newMemoryDesk(t, nil)
	_, tokens := d.begin(t, "ada")
	r := d.ask("chart", nil)
	r.GetSession().SetExpiresAt(fosite.RefreshToken, c.Now().Add(time.Second))
	must(t, d.Tokens().ValidateRefreshToken(t.Context(), r, tokens.refresh))
	c.Advance(time.Second)
	err := d.Tokens().ValidateRefreshToken(t.Context(), r, tokens.refresh)
	if !errors.Is(err, fosite.ErrTokenExpired) {
		t.Errorf("ValidateRefreshToken = %v, want ErrTokenExpired", err)
	}
}

// failing is a source of randomness that has none.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("no entropy") }

func TestNoTokenWithoutRandomness(t *testing.T) {
	t.Parallel()
	c := newClock()
	d := newDesk(onMemory(t, c)(), c, func(cfg *grant.Config) { cfg.Rand = failing{} })
	if code, err := d.authorize(t.Context(), session("ada")); err == nil {
		t.Errorf("a code of %d characters was made of nothing", len(code))
	}
}

func TestNoRefreshTokenWithoutAGrant(t *testing.T) {
	t.Parallel()
	d, _ := newMemoryDesk(t, nil)
	code, tokens := d.begin(t, "ada")
	for name, form := range map[string]url.Values{
		"nothing":                 {},
		"a code of another grant": {"grant_type": {"authorization_code"}, "code": {code}},
		"a token of another grant": {
			"grant_type": {"refresh_token"}, "refresh_token": {tokens.refresh},
		},
	} {
		if _, _, err := d.Tokens().GenerateRefreshToken(t.Context(), d.ask("chart", form)); err == nil {
			t.Errorf("a refresh token was made of %s", name)
		}
	}
}

// FuzzToken reads any text as code, refresh token and signature: it finds nothing, and what it
// takes for a token of ours is of our pattern.
func FuzzToken(f *testing.F) {
	for _, seed := range []string{
		"", "elc_", "elr_..", "elc_YQ.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"elr_YQ.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "YQ.a.b", "YQ.a",
	} {
		f.Add(seed)
	}
	c := newClock()
	d := newDesk(sealer(f)(newMemory(c)), c)
	pattern := regexp.MustCompile(`^el[cr]_[\w-]+\.[\w-]{22}\.[\w-]{43}$`)
	f.Fuzz(func(t *testing.T, text string) {
		ctx := t.Context()
		code := d.Tokens().AuthorizeCodeSignature(ctx, text)
		refresh := d.Tokens().RefreshTokenSignature(ctx, text)
		if (code != "" || refresh != "") && !pattern.MatchString(text) || code != "" && refresh != "" {
			t.Errorf("%q was taken for a token", text)
		}
		for _, sig := range []string{text, code, refresh} {
			_, err1 := d.GetAuthorizeCodeSession(ctx, sig, nil)
			_, err2 := d.GetRefreshTokenSession(ctx, sig, nil)
			_, err3 := d.GetAccessTokenSession(ctx, sig, nil)
			for _, err := range []error{err1, err2, err3} {
				if !errors.Is(err, fosite.ErrNotFound) {
					t.Errorf("%q: %v, want ErrNotFound", sig, err)
				}
			}
		}
	})
}
