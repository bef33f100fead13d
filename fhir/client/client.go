package client

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/equitylens/equitylens/internal/dial"
)

// Client speaks to one FHIR server. It is safe for concurrent use.
type Client struct {
	cfg     Config
	base    *url.URL
	policy  policy
	trusted map[string]bool
	tokens  *tokens // nil if the server is open
	gate    gate

	transport *http.Transport
	home      *http.Client // follows redirects within an origin
	roaming   *http.Client // follows them elsewhere too, without the token
	pinned    *http.Client // follows none: what a token endpoint is sent is a credential
}

// How many idle connections are kept: enough that parallel downloads never dial twice.
const maxIdlePerHost = 16

// New checks the whole configuration and returns a client. It sends nothing yet.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	base, err := cfg.check()
	if err != nil {
		return nil, fmt.Errorf("client: check configuration: %w", err)
	}
	c := &Client{cfg: cfg, base: base, policy: policyOf(cfg, base)}
	c.trusted = map[string]bool{dial.Origin(base): true}
	for _, text := range cfg.TrustedOrigins {
		o, _ := parseOrigin(text) // Checked above.
		c.trusted[o] = true
	}
	c.transport = dial.NewTransport(dial.Config{
		Guard:   dial.Guard{Loopback: c.policy.loopback, Private: cfg.AllowPrivateNetworks},
		RootCAs: cfg.RootCAs, Connect: cfg.ConnectTimeout, Header: cfg.HeaderTimeout, Idle: maxIdlePerHost,
		// Compression is told by the bytes themselves, because Content-Encoding is sometimes wrong.
		Packed: true,
	})
	c.home = &http.Client{Transport: c.transport, CheckRedirect: follow(c.policy, false)}
	c.roaming = &http.Client{Transport: c.transport, CheckRedirect: follow(c.policy, true)}
	c.pinned = &http.Client{Transport: c.transport, CheckRedirect: dial.Home(0)}
	if cfg.ClientID != "" {
		c.tokens, err = newTokens(c)
		if err != nil {
			return nil, fmt.Errorf("client: prepare signing key: %w", err)
		}
	}
	return c, nil
}

// Close drops idle connections. Requests in flight end by their contexts.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Base returns the FHIR base without a trailing slash.
func (c *Client) Base() *url.URL {
	u := *c.base
	return &u
}

// URL returns base/segments with each segment escaped, so that "$export" and ids come out right.
func (c *Client) URL(segments ...string) *url.URL {
	u := *c.base
	var path, raw strings.Builder
	path.WriteString(u.Path)
	raw.WriteString(u.EscapedPath())
	for _, segment := range segments {
		path.WriteString("/" + segment)
		raw.WriteString("/" + url.PathEscape(segment))
	}
	u.Path, u.RawPath = path.String(), raw.String()
	return &u
}

// Trusted reports whether the token may be sent to the origin of u.
func (c *Client) Trusted(u *url.URL) bool { return c.trusted[dial.Origin(u)] }

// Permit refuses a URL that this client may not speak to at all.
func (c *Client) Permit(u *url.URL) error { return c.policy.permit(u) }
