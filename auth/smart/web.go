package smart

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/equitylens/equitylens/internal/dial"
)

const (
	// timeout bounds one exchange from dial to last byte: somebody is waiting before a screen.
	timeout = 10 * time.Second
	// maxBody bounds every document that is read. Discovery of large vendors lists hundreds of
	// scopes and stays below 64 KiB, and so do a hundred keys.
	maxBody = 256 << 10
	// maxRedirects is how many hops within an origin a discovery document may be away.
	maxRedirects = 3
)

var (
	// errRedirect refuses a redirect.
	errRedirect = errors.New("redirect refused")
	// errUntaken means that the server has certainly not acted on the request.
	errUntaken = errors.New("request was not taken")
)

// web is how one tenant is spoken to: no proxy, which would look names up beyond the guard; no
// cookies; TLS 1.2 or newer.
type web struct {
	loopback  bool
	transport *http.Transport
	// reader follows redirects within the origin; poster, which sends credentials, follows none.
	reader, poster *http.Client
}

// newWeb prepares connections to a tenant.
func newWeb(t Tenant, base *url.URL, resolver *net.Resolver) *web {
	w := &web{loopback: t.AllowLoopback && loopbackName(base.Hostname())}
	guard := dial.Guard{Loopback: w.loopback, Private: t.AllowPrivateNetworks}
	dialer := &net.Dialer{Timeout: timeout, Control: guard.Control, Resolver: resolver}
	w.transport = &http.Transport{
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.RootCAs},
		TLSHandshakeTimeout:    timeout,
		ResponseHeaderTimeout:  timeout,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 64 << 10,
	}
	w.reader = &http.Client{Transport: w.transport, Timeout: timeout, CheckRedirect: within}
	w.poster = &http.Client{
		Transport: w.transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}
	return w
}

// within lets a redirect stay at home.
func within(next *http.Request, via []*http.Request) error {
	next.Header.Del("Referer")
	if len(via) > maxRedirects || originOf(next.URL) != originOf(via[0].URL) || next.URL.User != nil {
		return errRedirect
	}
	return nil
}

// close drops idle connections.
func (w *web) close() { w.transport.CloseIdleConnections() }

// read gets a JSON document. What is no passing fault of the server is the error other.
func (w *web) read(ctx context.Context, address string, other error) (
	body []byte, header http.Header, err error,
) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", other, errURL)
	}
	request.Header.Set("Accept", "application/json")
	status, header, body, err := exchange(w.reader, request, other)
	switch {
	case err != nil:
		return nil, nil, err
	case status == http.StatusOK:
		return body, header, nil
	case status >= http.StatusInternalServerError, status == http.StatusTooManyRequests:
		other = ErrUnavailable
	}
	return nil, nil, fmt.Errorf("%w: status %d", other, status)
}

// exchange sends a request and reads the whole answer.
func exchange(client *http.Client, request *http.Request, other error) (
	status int, header http.Header, body []byte, err error,
) {
	request.Header.Set("User-Agent", "equitylens")
	answer, err := client.Do(request)
	if err != nil {
		return 0, nil, nil, transportFault(request.Context(), err, other)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	if err != nil {
		return 0, nil, nil, transportFault(request.Context(), err, other)
	}
	if len(body) > maxBody {
		return 0, nil, nil, fmt.Errorf("%w: more than %d bytes", other, maxBody)
	}
	return answer.StatusCode, answer.Header, body, nil
}

// transportFault puts an error of the network into words of our own: those of net/http quote URLs,
// Location headers and bytes of answers.
func transportFault(ctx context.Context, err, other error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
	}
	var (
		certificate *tls.CertificateVerificationError
		errno       syscall.Errno
		wait        net.Error
		connect     *net.OpError
	)
	if errors.As(err, &connect) && connect.Op == "dial" && !errors.Is(err, dial.ErrAddress) {
		return fmt.Errorf("%w: connect: %w", ErrUnavailable, errUntaken)
	}
	switch {
	case errors.Is(err, errRedirect):
		return fmt.Errorf("%w: %w", other, errRedirect)
	case errors.Is(err, dial.ErrAddress):
		return fmt.Errorf("%w: %w", other, dial.ErrAddress)
	case errors.As(err, &certificate):
		return fmt.Errorf("%w: verify the server's certificate", ErrUnavailable)
	case errors.As(err, &errno):
		return fmt.Errorf("%w: %w", ErrUnavailable, errno)
	case errors.As(err, &wait) && wait.Timeout():
		return fmt.Errorf("%w: timed out", ErrUnavailable)
	}
	return fmt.Errorf("%w: connection broke off", ErrUnavailable)
}

// errURL refuses a URL that is not absolute https, or that carries a user or a fragment.
var errURL = errors.New("url is not one we may speak to")

// parseURL reads an absolute URL; plain http is for loopback, where that is allowed. The text is
// not repeated in the error.
func parseURL(text string, loopback bool) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || permit(u, loopback) != nil {
		return nil, errURL
	}
	return u, nil
}

// permit checks one URL.
func permit(u *url.URL, loopback bool) error {
	plain := u.Scheme == "http" && loopback && loopbackName(u.Hostname())
	if u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && !plain {
		return errURL
	}
	return nil
}

// originOf returns scheme, host and port in lower case, with the port written out.
func originOf(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case strings.EqualFold(u.Scheme, "https"):
		port = "443"
	default:
		port = "80"
	}
	return strings.ToLower(u.Scheme + "://" + strings.TrimSuffix(u.Hostname(), ".") + ":" + port)
}

// loopbackName reports whether a host is loopback by its very text. That the name localhost leads
// there is checked again when it is dialled.
func loopbackName(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
