package smart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/equitylens/equitylens/store/cache"
)

// Finish ends a flow: query is that of the callback, binding what Begun had for the same browser. A
// flow ends once, whatever comes of it.
func (c *Client) Finish(ctx context.Context, query url.Values, binding string) (Visit, error) {
	f, t, err := c.take(ctx, query, binding)
	if err != nil {
		return Visit{}, err
	}
	if err := f.accept(query); err != nil {
		return Visit{}, err
	}
	form := url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {query.Get("code")},
		"redirect_uri":  {c.cfg.RedirectURI},
		"code_verifier": {f.Verifier},
	}
	body, err := c.ask(ctx, t, f.Endpoints.Token, form)
	if err != nil {
		return Visit{}, err
	}
	asked := t.launch
	if f.Kind == KindSignIn {
		asked = t.signIn
	}
	got, err := readAnswer(body, asked, c.cfg.Now())
	if err != nil {
		return Visit{}, err
	}
	v := Visit{Tenant: t.Name, Kind: f.Kind, Next: f.Next, Token: got.token}
	if !t.OIDC {
		v.Token.Base = bare(t.Issuer)
	}
	if f.Kind == KindLaunch {
		if v.Context, err = got.context(); err != nil {
			return Visit{}, err
		}
	}
	withheld := got.idToken == "" && !openid(got.token.Scopes.Strings())
	if f.Nonce == "" || f.Kind == KindLaunch && withheld {
		return v, nil
	}
	if v.Identity, err = c.identify(ctx, t, f, got.idToken); err != nil {
		return Visit{}, err
	}
	return v, nil
}

// take finds the flow and uses it up.
func (c *Client) take(ctx context.Context, query url.Values, binding string) (
	f flow, t *tenant, err error,
) {
	if len(query["state"]) != 1 || query.Get("state") == "" || binding == "" {
		return f, nil, ErrState
	}
	text, err := c.cfg.Store.Take(ctx, flowKey(query.Get("state"), binding))
	if errors.Is(err, cache.ErrNotFound) {
		return f, nil, ErrState
	}
	if err != nil {
		return f, nil, fmt.Errorf("%w: take flow: %w", ErrUnavailable, err)
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, nil, fmt.Errorf("%w: decode flow: %w", ErrState, err)
	}
	t = c.tenants[f.Tenant]
	if t == nil || f.Kind == KindLaunch && !t.Launch || f.Kind == KindSignIn && !t.SignIn {
		return f, nil, ErrUnknownTenant
	}
	return f, t, nil
}

// accept checks what the authorization server sent the browser back with.
func (f flow) accept(query url.Values) error {
	for _, name := range []string{"code", "iss", "error"} {
		if len(query[name]) > 1 {
			return fmt.Errorf("%w: %s is there twice", ErrAnswer, name)
		}
	}
	// RFC 9207: an answer of another server, error or not, is no answer to this request.
	named := query.Has("iss") || f.Endpoints.NamesItself
	if named && query.Get("iss") != f.Endpoints.Issuer {
		return fmt.Errorf("%w: iss is missing or of another server", ErrAnswer)
	}
	if query.Has("error") {
		return denial(query.Get("error"), 0)
	}
	if query.Get("code") == "" {
		return fmt.Errorf("%w: neither code nor error", ErrAnswer)
	}
	return nil
}
