package grant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/store/cache"
)

// AccessSignature is what an oauth2.AccessTokenStrategy returns as the signature of the token
// with this id, so that the storage finds the grant by it.
func AccessSignature(grantID, tokenID string) string {
	return text64.EncodeToString([]byte(grantID)) + "." + tokenID
}

// parseAccess is the inverse of AccessSignature.
func parseAccess(sig string) (grantID, tokenID string, ok bool) {
	first, tokenID, found := strings.Cut(sig, ".")
	id, err := text64.DecodeString(first)
	if !found || err != nil || len(id) == 0 || tokenID == "" {
		return "", "", false
	}
	return string(id), tokenID, true
}

// CreateAccessTokenSession implements oauth2.AccessTokenStorage: it notes that the token was
// given. sig comes from AccessSignature, or is the token's id alone. Outside a transaction this
// is the token of a client that acts for itself, and the beginning of a grant of its own.
func (s *Storage) CreateAccessTokenSession(
	ctx context.Context, sig string, asked fosite.Requester,
) error {
	id := asked.GetID()
	tokenID := strings.TrimPrefix(sig, AccessSignature(id, ""))
	if tokenID == "" {
		return errors.New("grant: create access token: no id")
	}
	given := access{ID: tokenID, Scopes: slices.Clone(asked.GetGrantedScopes())}
	if transactionOf(ctx) == nil {
		err := s.createMachine(ctx, asked, given)
		if !errors.Is(err, cache.ErrConflict) {
			return err
		}
	}
	return s.change(ctx, id, func(r *record, now time.Time) error {
		if r.Revoked {
			return fosite.ErrInactiveToken
		}
		given := given
		given.Expires = now.Add(s.cfg.AccessLife)
		r.prune(now)
		r.Access = append(r.Access, given)
		return nil
	})
}

// createMachine begins a grant that has an access token and nothing else.
func (s *Storage) createMachine(ctx context.Context, asked fosite.Requester, given access) error {
	kept, err := requestOf(asked)
	if err != nil {
		return fmt.Errorf("grant: create access token: %w", err)
	}
	now := s.cfg.Now()
	given.Expires = now.Add(s.cfg.AccessLife)
	return s.create(ctx, &record{
		Request: kept, Born: now, Ends: given.Expires, Access: []access{given},
	})
}

// GetAccessTokenSession implements oauth2.AccessTokenStorage, with the scopes that the token has.
// A token that has expired or was revoked is not found.
func (s *Storage) GetAccessTokenSession(
	ctx context.Context, sig string, session fosite.Session,
) (fosite.Requester, error) {
	id, tokenID, ok := parseAccess(sig)
	if !ok {
		return nil, fosite.ErrNotFound
	}
	r, err := s.view(ctx, id)
	if err != nil {
		return nil, err
	}
	given, live, err := s.live(ctx, r, tokenID)
	if err != nil {
		return nil, err
	}
	if !live {
		return nil, fosite.ErrNotFound
	}
	asked, filled, err := s.restore(ctx, r.Request, session)
	if err != nil {
		return nil, err
	}
	asked.GrantedScope = slices.Clone(given.Scopes)
	filled.SetExpiresAt(fosite.AccessToken, given.Expires)
	return asked, nil
}

// DeleteAccessTokenSession implements oauth2.AccessTokenStorage: the one token ends. An unknown
// one is no error.
func (s *Storage) DeleteAccessTokenSession(ctx context.Context, sig string) error {
	id, tokenID, ok := parseAccess(sig)
	if !ok {
		return nil
	}
	return s.RevokeToken(ctx, id, tokenID)
}

// Live reports whether an access token that is otherwise good was given, and neither it nor its
// grant was revoked or barred. An error means that nobody knows, and that the token is to be
// refused.
func (s *Storage) Live(ctx context.Context, grantID, tokenID string) (bool, error) {
	h, err := s.load(ctx, grantID)
	if errors.Is(err, fosite.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, live, err := s.live(ctx, h.record, tokenID)
	return live, err
}

// live finds a token that is not revoked, barred or expired.
func (s *Storage) live(ctx context.Context, r *record, tokenID string) (access, bool, error) {
	now := s.cfg.Now()
	i := slices.IndexFunc(r.Access, func(a access) bool {
		return a.ID == tokenID && now.Before(a.Expires)
	})
	if i < 0 || r.Revoked {
		return access{}, false, nil
	}
	barred, err := s.barred(ctx, r)
	if err != nil || barred {
		return access{}, false, err
	}
	return r.Access[i], true, nil
}
