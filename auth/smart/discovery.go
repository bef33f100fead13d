package smart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/equitylens/equitylens/internal/dial"
)

// keepLeast keeps discovery for a minute even where a server forbids to keep it: anybody can ask for
// a launch, and nobody shall make us hammer an EHR by it.
const keepLeast = time.Minute

// endpoints is where a tenant's authorization server is, as its discovery says.
type endpoints struct {
	Authorize string `json:"authorize,omitempty"`
	Token     string `json:"token"`
	// Issuer is what the server calls itself in id_tokens and in the iss parameter; Keys where its
	// public keys are. Keys is empty where no identity is asked for.
	Issuer string `json:"issuer"`
	Keys   string `json:"keys,omitempty"`
	// NamesItself says that every authorization answer carries iss (RFC 9207).
	NamesItself bool `json:"names_itself,omitempty"`
}

// discovered is discovery as it is kept.
type discovered struct {
	endpoints
	until time.Time
}

// document is what is read of smart-configuration and of openid-configuration.
type document struct {
	Issuer        string   `json:"issuer"`
	Keys          string   `json:"jwks_uri"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Methods       []string `json:"code_challenge_methods_supported"`
	NamesItself   bool     `json:"authorization_response_iss_parameter_supported"`
}

// discover returns the endpoints of a tenant: kept ones as long as they may be, or read anew, once
// for all who wait.
func (c *Client) discover(ctx context.Context, t *tenant) (endpoints, error) {
	t.mu.Lock()
	found := t.found
	t.mu.Unlock()
	if c.cfg.Now().Before(found.until) {
		return found.endpoints, nil
	}
	got, err, _ := t.flight.Do("discovery", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		fresh, keep, err := t.lookup(ctx)
		if err != nil {
			return nil, err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.found.Token != "" && t.found.moved(fresh) {
			c.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "discovery names another origin and is refused",
				slog.String("tenant", t.Name))
			return nil, fmt.Errorf("%w: an endpoint has moved to another origin", ErrDiscovery)
		}
		t.found = discovered{endpoints: fresh, until: c.cfg.Now().Add(max(keep, keepLeast))}
		return fresh, nil
	})
	if err != nil {
		return endpoints{}, fmt.Errorf("smart: discover %s: %w", t.Name, err)
	}
	fresh, _ := got.(endpoints)
	return fresh, nil
}

// moved reports whether an endpoint is at another origin than before. The origins of the first
// answer hold for the life of the program: a name that was taken over for an hour cannot draw codes
// and assertions elsewhere.
func (e endpoints) moved(now endpoints) bool {
	for _, pair := range [][2]string{
		{e.Authorize, now.Authorize}, {e.Token, now.Token}, {e.Keys, now.Keys},
	} {
		was, err := url.Parse(pair[0])
		is, err2 := url.Parse(pair[1])
		if err != nil || err2 != nil || dial.Origin(was) != dial.Origin(is) {
			return true
		}
	}
	return false
}

// lookup reads discovery.
func (t *tenant) lookup(ctx context.Context) (e endpoints, keep time.Duration, err error) {
	name := "smart-configuration"
	if t.OIDC {
		name = "openid-configuration"
	}
	doc, keep, err := t.document(ctx, bare(t.Issuer), name)
	if err != nil {
		return endpoints{}, 0, err
	}
	// RFC 8414 lets a server leave the methods out, and large providers do; SMART requires them.
	if (!t.OIDC || len(doc.Methods) > 0) && !slices.Contains(doc.Methods, "S256") {
		return endpoints{}, 0, fmt.Errorf("%w: it does not offer PKCE with S256", ErrDiscovery)
	}
	if t.OIDC && doc.Issuer != t.Issuer {
		return endpoints{}, 0, fmt.Errorf("%w: it is of another issuer", ErrDiscovery)
	}
	e = endpoints{Issuer: doc.Issuer, NamesItself: doc.NamesItself}
	if e.Issuer == "" {
		e.Issuer = t.Issuer
	}
	if e.Authorize, err = t.endpoint(doc.Authorization); err != nil {
		return endpoints{}, 0, fmt.Errorf("%w: authorization_endpoint: %w", ErrDiscovery, err)
	}
	if e.Token, err = t.endpoint(doc.Token); err != nil {
		return endpoints{}, 0, fmt.Errorf("%w: token_endpoint: %w", ErrDiscovery, err)
	}
	if !openid(t.Scopes) {
		return e, keep, nil
	}
	if doc.Issuer == "" || doc.Keys == "" {
		if doc, err = t.identityProvider(ctx, e.Issuer); err != nil {
			return endpoints{}, 0, err
		}
		e.Issuer = doc.Issuer
	}
	if e.Keys, err = t.endpoint(doc.Keys); err != nil {
		return endpoints{}, 0, fmt.Errorf("%w: jwks_uri: %w", ErrDiscovery, err)
	}
	return e, keep, nil
}

// identityProvider reads the openid-configuration of an EHR whose smart-configuration does not say
// who signs its id_tokens.
func (t *tenant) identityProvider(ctx context.Context, issuer string) (document, error) {
	if _, err := parseURL(issuer, t.web.loopback); err != nil {
		return document{}, fmt.Errorf("%w: issuer: %w", ErrDiscovery, err)
	}
	doc, _, err := t.document(ctx, bare(issuer), "openid-configuration")
	if err != nil {
		return document{}, err
	}
	if bare(doc.Issuer) != bare(issuer) {
		return document{}, fmt.Errorf("%w: openid-configuration is of another issuer", ErrDiscovery)
	}
	return doc, nil
}

// document reads one well-known document. The name is appended even where the issuer has a path.
func (t *tenant) document(ctx context.Context, issuer, name string) (
	doc document, keep time.Duration, err error,
) {
	body, keep, err := t.web.document(ctx, issuer+"/.well-known/"+name)
	if err != nil {
		return doc, 0, err
	}
	if json.Unmarshal(body, &doc) != nil { // The decoder's own words may quote the document.
		return doc, 0, fmt.Errorf("%w: %s is not the JSON that is expected", ErrDiscovery, name)
	}
	return doc, keep, nil
}

// endpoint reads a URL of a discovery document, which may be relative to the FHIR base.
func (t *tenant) endpoint(text string) (string, error) {
	if text == "" {
		return "", errors.New("missing")
	}
	ref, err := url.Parse(text)
	if err != nil {
		return "", dial.ErrURL
	}
	base := *t.base
	base.Path, base.RawPath = bare(base.Path)+"/", ""
	u := base.ResolveReference(ref)
	return u.String(), permit(u, t.web.loopback)
}
