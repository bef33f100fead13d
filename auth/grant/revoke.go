package grant

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ory/fosite"
)

// end is the step after which a grant has nothing that could be used. The record stays, so that
// what is presented later is known for what it was.
func end(r *record, _ time.Time) error {
	r.Revoked, r.Access = true, nil
	if r.Refresh != nil {
		r.Refresh.Digest = ""
	}
	return nil
}

// Revoke ends a grant: its code, its refresh tokens and its access tokens. One that is not there
// is no error.
func (s *Storage) Revoke(ctx context.Context, grantID string) error {
	return s.ifThere(s.change(ctx, grantID, end))
}

// RevokeToken ends one access token; the refresh token of the grant can get another. One that is
// not there is no error.
func (s *Storage) RevokeToken(ctx context.Context, grantID, tokenID string) error {
	return s.ifThere(s.change(ctx, grantID, func(r *record, _ time.Time) error {
		r.Access = slices.DeleteFunc(r.Access, func(a access) bool { return a.ID == tokenID })
		return nil
	}))
}

// RevokeRefreshToken implements oauth2.TokenRevocationStorage: it ends the grant, access tokens
// included (RFC 7009 section 2.1).
func (s *Storage) RevokeRefreshToken(ctx context.Context, requestID string) error {
	return s.Revoke(ctx, requestID)
}

// RevokeAccessToken implements oauth2.TokenRevocationStorage: it ends the access tokens of a
// grant, not its refresh token.
func (s *Storage) RevokeAccessToken(ctx context.Context, requestID string) error {
	return s.ifThere(s.change(ctx, requestID, func(r *record, _ time.Time) error {
		r.Access = nil
		return nil
	}))
}

// ifThere takes a grant that is not there for one that has ended.
func (*Storage) ifThere(err error) error {
	if errors.Is(err, fosite.ErrNotFound) {
		return nil
	}
	return err
}
