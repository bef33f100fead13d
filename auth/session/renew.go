package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/equitylens/equitylens/auth/smart"
)

const (
	// renewWait bounds the wait for another request that is renewing the same token.
	renewWait = 15 * time.Second
	// renewLook is how often the store is asked meanwhile.
	renewLook = 50 * time.Millisecond
)

// Renew replaces the token of a chart and saves it. Of several requests that find the token old at
// the same time, in whatever process, one renews it and the others wait for what it brings:
// refresh, usually (*smart.Client).Refresh, tells them apart by smart.ErrSpent.
func (m *Manager) Renew(
	ctx context.Context, s Session,
	refresh func(ctx context.Context, tenant string, old smart.Token) (smart.Token, error),
) (Session, error) {
	if s.Chart == nil {
		return Session{}, errors.New("session: renew: no chart")
	}
	fresh, err := refresh(ctx, s.Chart.Tenant, s.Chart.Token)
	if errors.Is(err, smart.ErrSpent) {
		return m.renewed(ctx, s)
	}
	if err != nil {
		return Session{}, fmt.Errorf("session: renew: %w", err)
	}
	chart := *s.Chart
	chart.Token = fresh
	s.Chart = &chart
	// The old token is spent: what came for it is kept even if nobody waits for the page any more.
	return s, m.Save(context.WithoutCancel(ctx), s)
}

// renewed waits until another has replaced the token that s holds.
func (m *Manager) renewed(ctx context.Context, s Session) (Session, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, renewWait, smart.ErrSpent)
	defer cancel()
	look := time.NewTicker(renewLook)
	defer look.Stop()
	for {
		r, _, err := m.load(ctx, s.ID)
		if err != nil {
			return Session{}, err
		}
		if r.Chart != nil && r.Chart.Access != s.Chart.Token.Access {
			return r.session(s.ID)
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return Session{}, fmt.Errorf("session: renew: %w", context.Cause(ctx))
		}
	}
}
