package grant

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/ory/fosite"
)

// errNoCode means that the code of a signature is not that of the grant. It is fosite's own
// error, so that handlers answer invalid_grant.
var errNoCode = fosite.ErrNotFound

// CreateAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage. It is where a grant begins.
func (s *Storage) CreateAuthorizeCodeSession(
	ctx context.Context, sig string, r fosite.Requester,
) error {
	at, ok := parseSignature(sig)
	if !ok || at.grant != r.GetID() {
		return errors.New("grant: create code: not a signature of this request")
	}
	kept, err := requestOf(r)
	if err != nil {
		return fmt.Errorf("grant: create code: %w", err)
	}
	now := s.cfg.Now()
	life := s.cfg.FamilyLife
	if own := kept.Session.FamilyLife; own > 0 && own < life {
		life = own
	}
	return s.create(ctx, &record{
		Request: kept, Born: now, Ends: now.Add(life), Family: at.family,
		Code: &code{Digest: at.own, Expires: now.Add(s.cfg.CodeLife)},
	})
}

// GetAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage. A code that was used before
// ends the grant and gives fosite.ErrInvalidatedAuthorizeCode together with the request; one
// that has expired unused is not found.
func (s *Storage) GetAuthorizeCodeSession(
	ctx context.Context, sig string, session fosite.Session,
) (fosite.Requester, error) {
	at, r, err := s.codeOf(ctx, sig)
	if err != nil {
		return nil, err
	}
	asked, filled, err := s.restore(ctx, r.Request, session)
	if err != nil {
		return nil, err
	}
	filled.SetExpiresAt(fosite.AuthorizeCode, r.Code.Expires)
	barred, err := s.barred(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case r.Revoked || barred || !r.Code.Spent.IsZero():
		err := s.punish(ctx, at.grant, fosite.ErrInvalidatedAuthorizeCode)
		if !errors.Is(err, fosite.ErrInvalidatedAuthorizeCode) {
			return nil, err
		}
		return asked, err
	case !s.cfg.Now().Before(r.Code.Expires):
		return nil, errNoCode
	}
	return asked, nil
}

// InvalidateAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage: it uses the code, which
// one caller can do. The others get fosite.ErrInvalidatedAuthorizeCode, here or at the commit.
func (s *Storage) InvalidateAuthorizeCodeSession(ctx context.Context, sig string) error {
	at, ok := parseSignature(sig)
	if !ok {
		return errNoCode
	}
	return s.change(ctx, at.grant, func(r *record, now time.Time) error {
		switch {
		case r.Code == nil || !same(r.Code.Digest, at.own):
			return errNoCode
		case r.Revoked || !r.Code.Spent.IsZero():
			return fosite.ErrInvalidatedAuthorizeCode
		case !now.Before(r.Code.Expires):
			return errNoCode
		}
		r.Code.Spent = now
		return nil
	})
}

// codeOf finds the grant of a code.
func (s *Storage) codeOf(ctx context.Context, sig string) (signature, *record, error) {
	at, ok := parseSignature(sig)
	if !ok {
		return signature{}, nil, errNoCode
	}
	r, err := s.view(ctx, at.grant)
	if err != nil {
		return signature{}, nil, err
	}
	if r.Code == nil || !same(r.Code.Digest, at.own) {
		return signature{}, nil, errNoCode
	}
	return at, r, nil
}

// CreatePKCERequestSession implements pkce.PKCERequestStorage: the challenge joins its code.
func (s *Storage) CreatePKCERequestSession(
	ctx context.Context, sig string, asked fosite.Requester,
) error {
	at, ok := parseSignature(sig)
	if !ok {
		return errNoCode
	}
	form := asked.GetRequestForm()
	return s.change(ctx, at.grant, func(r *record, _ time.Time) error {
		if r.Code == nil || !same(r.Code.Digest, at.own) || !r.Code.Spent.IsZero() {
			return errNoCode
		}
		r.Code.Challenge = form.Get("code_challenge")
		r.Code.Method = form.Get("code_challenge_method")
		return nil
	})
}

// GetPKCERequestSession implements pkce.PKCERequestStorage. The session is not filled: it is that
// of the code, in which a handler may have noted something meanwhile.
func (s *Storage) GetPKCERequestSession(
	ctx context.Context, sig string, _ fosite.Session,
) (fosite.Requester, error) {
	_, r, err := s.codeOf(ctx, sig)
	if err != nil {
		return nil, err
	}
	if r.Code.Challenge == "" {
		return nil, errNoCode
	}
	asked, _, err := s.restore(ctx, r.Request, nil)
	if err != nil {
		return nil, err
	}
	asked.Form = url.Values{
		"code_challenge":        {r.Code.Challenge},
		"code_challenge_method": {r.Code.Method},
	}
	return asked, nil
}

// DeletePKCERequestSession implements pkce.PKCERequestStorage and keeps the challenge: it ends
// with its code. fosite deletes it before it looks at the verifier, so that after one wrong
// verifier there is nothing left to hold the next one against (B1).
func (*Storage) DeletePKCERequestSession(context.Context, string) error { return nil }
