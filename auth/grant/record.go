package grant

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/ory/fosite"
)

const (
	// replayKept is how long a used code is remembered: a second use after that is not told
	// from an invented code, and gets nothing either.
	replayKept = 30 * time.Minute
	// slack keeps a record a little beyond its last use, so that the end of a token is decided
	// by the token and not by the store's clock.
	slack = time.Minute
)

// record is all that is remembered of one grant.
type record struct {
	Request request `json:"request"`
	// Born is when it was granted, by which bars judge it.
	Born time.Time `json:"born"`
	// Ends is the end of the family of refresh tokens; no refresh moves it.
	Ends time.Time `json:"ends"`
	// Family is the digest of the secret that all its tokens share.
	Family  string   `json:"family,omitempty"`
	Code    *code    `json:"code,omitempty"`
	Refresh *refresh `json:"refresh,omitempty"`
	Access  []access `json:"access,omitempty"`
	Revoked bool     `json:"revoked,omitempty"`
}

// code is the authorization code of a grant with its PKCE challenge (RFC 7636).
type code struct {
	Digest    string    `json:"digest"`
	Expires   time.Time `json:"expires"`
	Spent     time.Time `json:"spent,omitzero"`
	Challenge string    `json:"challenge,omitempty"`
	Method    string    `json:"method,omitempty"`
}

// refresh is the one refresh token that may be used; without a digest there is none.
type refresh struct {
	Digest  string    `json:"digest,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
}

// access is an access token that was given. Scopes can be fewer than those of the grant.
type access struct {
	ID      string    `json:"id"`
	Expires time.Time `json:"expires"`
	Scopes  []string  `json:"scopes,omitempty"`
}

// prune forgets access tokens that have ended.
func (r *record) prune(now time.Time) {
	r.Access = slices.DeleteFunc(r.Access, func(a access) bool { return !a.Expires.After(now) })
}

// ttl is how long the record is still of use: until its code can neither be used nor be known as
// used, and its tokens have ended. After that there is nothing that a second use could end.
func (r *record) ttl(now time.Time) time.Duration {
	until := now
	later := func(t time.Time) {
		if t.After(until) {
			until = t
		}
	}
	if r.Code != nil {
		later(r.Code.Expires)
		if !r.Code.Spent.IsZero() {
			later(r.Code.Spent.Add(replayKept))
		}
	}
	if r.Refresh != nil {
		later(r.Refresh.Expires)
	}
	for _, a := range r.Access {
		later(a.Expires)
	}
	return until.Sub(now) + slack
}

// request is what is kept of a fosite.Requester, whose interfaces JSON cannot bring back.
type request struct {
	ID              string     `json:"id"`
	At              time.Time  `json:"at"`
	Client          string     `json:"client"`
	Scopes          []string   `json:"scopes,omitempty"`
	Granted         []string   `json:"granted,omitempty"`
	Audience        []string   `json:"audience,omitempty"`
	GrantedAudience []string   `json:"granted_audience,omitempty"`
	Form            url.Values `json:"form,omitempty"`
	Session         *Session   `json:"session"`
}

// secretFields are parameters of which nothing is kept: they are secrets, or tell about a
// person what nobody will ask for again.
func secretFields() []string {
	return []string{
		"client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "password",
		"id_token_hint", "login_hint", "access_token", "token", "request",
	}
}

// requestOf takes what is kept.
func requestOf(r fosite.Requester) (request, error) {
	session, err := sessionOf(r.GetSession())
	if err != nil {
		return request{}, err
	}
	if r.GetClient() == nil {
		return request{}, errors.New("grant: request without a client")
	}
	id := r.GetID()
	if id == "" || len(id) > maxIDLength {
		return request{}, errors.New("grant: request without a usable id")
	}
	form := url.Values{}
	for k, v := range r.GetRequestForm() {
		if !slices.Contains(secretFields(), k) {
			form[k] = slices.Clone(v)
		}
	}
	return request{
		ID: id, At: r.GetRequestedAt(), Client: r.GetClient().GetID(),
		Scopes:          slices.Clone(r.GetRequestedScopes()),
		Granted:         slices.Clone(r.GetGrantedScopes()),
		Audience:        slices.Clone(r.GetRequestedAudience()),
		GrantedAudience: slices.Clone(r.GetGrantedAudience()),
		Form:            form,
		Session:         session.copied(),
	}, nil
}

// restore makes a requester of a kept request, with the session that fosite wants to be filled.
// Nothing is shared with what another call got. A client that is not registered any more has no
// grants: fosite.ErrNotFound.
func (s *Storage) restore(
	ctx context.Context, kept request, into fosite.Session,
) (*fosite.Request, *Session, error) {
	client, err := s.cfg.Clients.GetClient(ctx, kept.Client)
	if err != nil {
		return nil, nil, fmt.Errorf("grant: find its client: %w", err)
	}
	session, err := sessionOf(into)
	if err != nil {
		return nil, nil, err
	}
	if kept.Session != nil {
		kept.Session.fill(session)
	}
	form := kept.Form
	if form == nil {
		form = url.Values{}
	}
	return &fosite.Request{
		ID: kept.ID, RequestedAt: kept.At, Client: client, Form: form, Session: session,
		RequestedScope:    slices.Clone(kept.Scopes),
		GrantedScope:      slices.Clone(kept.Granted),
		RequestedAudience: slices.Clone(kept.Audience),
		GrantedAudience:   slices.Clone(kept.GrantedAudience),
	}, session, nil
}
