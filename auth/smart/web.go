package smart

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/equitylens/equitylens/auth/jwks"
	"github.com/equitylens/equitylens/internal/dial"
)

const (
	// timeout bounds one exchange from dial to last byte: somebody is waiting before a screen.
	timeout = 10 * time.Second
	// maxBody bounds every document that is read. Discovery of large vendors lists hundreds of
	// scopes and stays below 64 KiB.
	maxBody = 256 << 10
	// maxRedirects is how many hops within an origin a discovery document may be away.
	maxRedirects = 3
	// maxIdle is how many connections to a server are kept.
	maxIdle = 2
)

// errUntaken means that the server has certainly not acted on the request.
var errUntaken = errors.New("request was not taken")

// web is how one tenant is spoken to.
type web struct {
	loopback bool
	// reader follows redirects within the origin; poster, which sends credentials, follows none.
	reader, poster *http.Client
	keys           *jwks.Source
}

// newWeb prepares connections to a tenant.
func newWeb(t Tenant, base *url.URL, resolver *net.Resolver, now func() time.Time) *web {
	w := &web{loopback: t.AllowLoopback && dial.LoopbackName(base.Hostname())}
	transport := dial.NewTransport(dial.Config{
		Guard:   dial.Guard{Loopback: w.loopback, Private: t.AllowPrivateNetworks},
		RootCAs: t.RootCAs, Connect: timeout, Header: timeout, Idle: maxIdle, Resolver: resolver,
	})
	client := func(hops int) *http.Client {
		return &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: dial.Home(hops)}
	}
	w.reader, w.poster = client(maxRedirects), client(0)
	w.keys = jwks.New(jwks.Config{Client: w.reader, Now: now})
	return w
}

// close drops idle connections.
func (w *web) close() { w.reader.CloseIdleConnections() }

// fault puts an error of an exchange into the words of this package. What is no passing fault of the
// server is the error other.
func fault(err, other error) error {
	if dial.Passing(err) {
		other = ErrUnavailable
	}
	if errors.Is(err, dial.ErrConnect) {
		return fmt.Errorf("%w: %w: %w", other, err, errUntaken)
	}
	return fmt.Errorf("%w: %w", other, err)
}

// document gets a JSON document and how long it may be kept.
func (w *web) document(ctx context.Context, address string) ([]byte, time.Duration, error) {
	body, header, err := dial.Get(ctx, w.reader, address, maxBody)
	if err != nil {
		return nil, 0, fault(err, ErrDiscovery)
	}
	return body, jwks.Lifetime(header), nil
}

// parseURL reads an absolute URL; plain http is for loopback, where that is allowed. The text is
// not repeated in the error.
func parseURL(text string, loopback bool) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || permit(u, loopback) != nil {
		return nil, dial.ErrURL
	}
	return u, nil
}

// permit checks one URL. An endpoint has no fragment (RFC 6749 section 3.1).
func permit(u *url.URL, loopback bool) error {
	if u.Fragment != "" {
		return dial.ErrURL
	}
	return dial.Permit(u, loopback)
}
