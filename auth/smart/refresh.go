package smart

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/equitylens/equitylens/store/cache"
)

// spentLife is how long a spent refresh token is remembered: longer than any session lasts.
const spentLife = 24 * time.Hour

// Refresh gets the next token with the refresh token of old. SMART wants no refresh token to be
// used more than once, so that of any number that ask with the same one, in whatever process, one
// alone asks the server; the others get ErrSpent and find the new token where the one has put it.
//
// Where it is not known whether the server has taken the token, because its answer was lost, it
// counts as spent; where it was not reached, or was too busy, the token may be used again. A server
// that keeps the refresh token valid says so by not giving another.
func (c *Client) Refresh(ctx context.Context, tenant string, old Token) (Token, error) {
	t := c.tenants[tenant]
	if t == nil {
		return Token{}, ErrUnknownTenant
	}
	if old.Refresh == "" {
		return Token{}, fmt.Errorf("%w: no refresh token", ErrRequest)
	}
	found, err := c.discover(ctx, t)
	if err != nil {
		return Token{}, err
	}
	spent := cache.Key("refresh", tenant, old.Refresh)
	first, err := c.cfg.Store.SetIfAbsent(ctx, spent, nil, spentLife)
	if err != nil {
		return Token{}, fmt.Errorf("%w: spend refresh token: %w", ErrUnavailable, err)
	}
	if !first {
		return Token{}, ErrSpent
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.Refresh}}
	body, err := c.ask(ctx, t, found.Token, form)
	if errors.Is(err, errUntaken) {
		return Token{}, errors.Join(err, c.unspend(ctx, spent))
	}
	if err != nil {
		return Token{}, err
	}
	got, err := readAnswer(body, old.Scopes.Strings(), c.cfg.Now())
	if err != nil {
		return Token{}, err
	}
	next := got.token
	next.Base = old.Base
	if next.Refresh != "" && next.Refresh != old.Refresh {
		return next, nil
	}
	next.Refresh = old.Refresh
	return next, c.unspend(ctx, spent)
}

// unspend lets a refresh token be used again.
func (c *Client) unspend(ctx context.Context, spent string) error {
	if err := c.cfg.Store.Delete(context.WithoutCancel(ctx), spent); err != nil {
		return fmt.Errorf("%w: keep refresh token: %w", ErrUnavailable, err)
	}
	return nil
}
