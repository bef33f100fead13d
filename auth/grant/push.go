package grant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/store/cache"
)

// pushed is what is kept of a pushed authorization request (RFC 9126).
type pushed struct {
	Request       request                 `json:"request"`
	Expires       time.Time               `json:"expires"`
	ResponseTypes []string                `json:"response_types,omitempty"`
	RedirectURI   string                  `json:"redirect_uri,omitempty"`
	State         string                  `json:"state,omitempty"`
	Mode          fosite.ResponseModeType `json:"mode,omitempty"`
	DefaultMode   fosite.ResponseModeType `json:"default_mode,omitempty"`
}

// pushKey is where a pushed request is. Who can read the store does not learn request_uri.
func pushKey(requestURI string) string { return cache.Key("push", requestURI) }

// CreatePARSession implements fosite.PARStorage. The secrets with which the client said who it is
// are not kept, and the store itself lets the request end; fosite does neither (B7).
func (s *Storage) CreatePARSession(
	ctx context.Context, requestURI string, r fosite.AuthorizeRequester,
) error {
	kept, err := requestOf(r)
	if err != nil {
		return fmt.Errorf("grant: push: %w", err)
	}
	p := pushed{
		Request: kept, Expires: s.cfg.Now().Add(s.cfg.PushLife),
		ResponseTypes: r.GetResponseTypes(), State: r.GetState(),
		Mode: r.GetResponseMode(), DefaultMode: r.GetDefaultResponseMode(),
	}
	if u := r.GetRedirectURI(); u != nil {
		p.RedirectURI = u.String()
	}
	value, err := json.Marshal(p)
	if err != nil {
		return errors.New("grant: push: the session is not JSON")
	}
	first, err := s.cfg.Store.SetIfAbsent(ctx, pushKey(requestURI), value, s.cfg.PushLife)
	if err != nil {
		return fmt.Errorf("grant: push: %w", err)
	}
	if !first {
		return errors.New("grant: push: the request_uri was given before")
	}
	return nil
}

// GetPARSession implements fosite.PARStorage and takes the request away: of any number of callers
// one gets it, the others fosite.ErrNotFound.
func (s *Storage) GetPARSession(
	ctx context.Context, requestURI string,
) (fosite.AuthorizeRequester, error) {
	value, err := s.cfg.Store.Take(ctx, pushKey(requestURI))
	if errors.Is(err, cache.ErrNotFound) {
		return nil, fosite.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("grant: take a pushed request: %w", err)
	}
	var p pushed
	if err := json.Unmarshal(value, &p); err != nil {
		return nil, fmt.Errorf("grant: take a pushed request: %w", cache.ErrCorrupt)
	}
	if !s.cfg.Now().Before(p.Expires) {
		return nil, fosite.ErrNotFound
	}
	asked, _, err := s.restore(ctx, p.Request, nil)
	if err != nil {
		return nil, err
	}
	r := &fosite.AuthorizeRequest{
		Request: *asked, ResponseTypes: p.ResponseTypes, State: p.State,
		ResponseMode: p.Mode, DefaultResponseMode: p.DefaultMode,
		HandledResponseTypes: fosite.Arguments{},
	}
	if p.RedirectURI != "" {
		if r.RedirectURI, err = url.Parse(p.RedirectURI); err != nil {
			return nil, fmt.Errorf("grant: take a pushed request: %w", cache.ErrCorrupt)
		}
	}
	return r, nil
}

// DeletePARSession implements fosite.PARStorage. GetPARSession has deleted it.
func (*Storage) DeletePARSession(context.Context, string) error { return nil }
