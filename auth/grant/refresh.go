package grant

import (
	"context"
	"errors"
	"time"

	"github.com/ory/fosite"
)

// CreateRefreshTokenSession implements oauth2.RefreshTokenStorage. The request is that of the
// code whatever is asked for later: a refresh may ask for less, which is then the access token's
// alone (RFC 6749 section 6).
func (s *Storage) CreateRefreshTokenSession(
	ctx context.Context, sig, _ string, asked fosite.Requester,
) error {
	at, ok := parseSignature(sig)
	if !ok || at.grant != asked.GetID() {
		return errors.New("grant: create refresh token: not a signature of this request")
	}
	return s.change(ctx, at.grant, func(r *record, now time.Time) error {
		switch {
		case r.Revoked:
			return fosite.ErrInactiveToken
		case !same(r.Family, at.family):
			return errors.New("grant: create refresh token: of another family")
		case r.Refresh != nil && r.Refresh.Digest != "":
			return errors.New("grant: create refresh token: there is one")
		case !now.Before(r.Ends):
			return fosite.ErrNotFound
		}
		ends := now.Add(s.cfg.RefreshLife)
		if ends.After(r.Ends) {
			ends = r.Ends
		}
		r.Refresh = &refresh{Digest: at.own, Expires: ends}
		return nil
	})
}

// GetRefreshTokenSession implements oauth2.RefreshTokenStorage. A token of the family that is not
// its last one, or of a grant that has ended, gives fosite.ErrInactiveToken together with the
// request; one that has expired is not found. It ends nothing: introspection asks here too.
func (s *Storage) GetRefreshTokenSession(
	ctx context.Context, sig string, session fosite.Session,
) (fosite.Requester, error) {
	at, ok := parseSignature(sig)
	if !ok {
		return nil, fosite.ErrNotFound
	}
	r, err := s.view(ctx, at.grant)
	if err != nil {
		return nil, err
	}
	state := r.refreshable(at, s.cfg.Now())
	if state != nil && !errors.Is(state, fosite.ErrInactiveToken) {
		return nil, state
	}
	asked, filled, err := s.restore(ctx, r.Request, session)
	if err != nil {
		return nil, err
	}
	filled.SetExpiresAt(fosite.RefreshToken, r.Refresh.Expires)
	barred, err := s.barred(ctx, r)
	if err != nil {
		return nil, err
	}
	if barred {
		state = fosite.ErrInactiveToken
	}
	return asked, state
}

// refreshable says whether a token may be used: nil, fosite.ErrInactiveToken when it is one of
// the family that was, or fosite.ErrNotFound.
func (r *record) refreshable(at signature, now time.Time) error {
	switch {
	case r.Refresh == nil || !same(r.Family, at.family):
		return fosite.ErrNotFound
	case r.Revoked || !same(r.Refresh.Digest, at.own):
		return fosite.ErrInactiveToken
	case !now.Before(r.Refresh.Expires):
		return fosite.ErrNotFound
	}
	return nil
}

// RotateRefreshToken implements oauth2.RefreshTokenStorage: it uses the token, which one caller
// can do, and ends the access tokens given so far. The others get fosite.ErrInactiveToken, here
// or at the commit, and the grant ends.
func (s *Storage) RotateRefreshToken(ctx context.Context, id, sig string) error {
	at, ok := parseSignature(sig)
	if !ok || at.grant != id {
		return fosite.ErrNotFound
	}
	return s.change(ctx, id, func(r *record, now time.Time) error {
		if err := r.refreshable(at, now); err != nil {
			return err
		}
		r.Refresh.Digest, r.Access = "", nil
		return nil
	})
}

// DeleteRefreshTokenSession implements oauth2.RefreshTokenStorage: if it is the last token of its
// family there is none left that could be used. An unknown one is no error.
func (s *Storage) DeleteRefreshTokenSession(ctx context.Context, sig string) error {
	at, ok := parseSignature(sig)
	if !ok {
		return nil
	}
	err := s.change(ctx, at.grant, func(r *record, _ time.Time) error {
		if r.Refresh != nil && same(r.Refresh.Digest, at.own) {
			r.Refresh.Digest = ""
		}
		return nil
	})
	if errors.Is(err, fosite.ErrNotFound) {
		return nil
	}
	return err
}
