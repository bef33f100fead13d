package bedside

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/equitylens/equitylens/fhir/client"
	"github.com/equitylens/equitylens/internal/dial"
)

// Bounds of one exchange. Somebody is waiting for the page, so they are tighter than those of the
// nightly run.
const (
	connectTimeout = 3 * time.Second
	headerTimeout  = 10 * time.Second
	idleTimeout    = 90 * time.Second
	idlePerHost    = 8
	maxHeaderBytes = 64 << 10
	maxHops        = 3
	// maxOne bounds a single resource, maxPage a page of a search, unpacked.
	maxOne  = 4 << 20
	maxPage = 32 << 20
)

// errRedirect refuses a redirect that would take the token to another origin, or goes on and on.
var errRedirect = errors.New("redirect refused")

// refusal is an answer other than 200. It holds neither the URL nor a text of the EHR.
type refusal struct {
	status int
	issues []client.Issue
}

// Error returns for example "status 403 Forbidden: forbidden (error)".
func (e *refusal) Error() string {
	text := fmt.Sprintf("status %d %s", e.status, http.StatusText(e.status))
	if len(e.issues) > 0 {
		text += ": " + e.issues[0].String()
	}
	return text
}

// line is a connection pool to EHRs that are to be spoken to under the same conditions.
type line struct {
	loopback, private bool
	roots             *x509.CertPool
}

// maxLines is far above the number of conditions that a configuration has; beyond it the pools are
// made anew.
const maxLines = 64

// lines are the connection pools. The zero value holds none.
type lines struct {
	mu   sync.Mutex
	open map[line]*http.Client
}

// of returns the pool for one set of conditions.
func (l *lines) of(to line) *http.Client {
	l.mu.Lock()
	defer l.mu.Unlock()
	if have, ok := l.open[to]; ok {
		return have
	}
	if len(l.open) >= maxLines {
		for _, old := range l.open {
			old.CloseIdleConnections()
		}
		clear(l.open)
	}
	if l.open == nil {
		l.open = map[line]*http.Client{}
	}
	made := newLine(to)
	l.open[to] = made
	return made
}

// newLine makes a pool. No proxy is asked: behind one the guard would see the proxy's address.
func newLine(to line) *http.Client {
	guard := dial.Guard{Loopback: to.loopback, Private: to.private}
	dialer := &net.Dialer{Timeout: connectTimeout, Control: guard.Control}
	return &http.Client{
		CheckRedirect: stayHome,
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			ForceAttemptHTTP2:      true,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: to.roots},
			TLSHandshakeTimeout:    connectTimeout,
			ResponseHeaderTimeout:  headerTimeout,
			MaxIdleConnsPerHost:    idlePerHost,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: maxHeaderBytes,
			// Compression is told by the bytes themselves, because Content-Encoding is sometimes wrong.
			DisableCompression: true,
		},
	}
}

// stayHome follows redirects within one origin. net/http itself would take the token along to
// subdomains and to other ports.
func stayHome(next *http.Request, via []*http.Request) error {
	if len(via) > maxHops || originOf(next.URL) != originOf(via[0].URL) || next.URL.User != nil {
		return errRedirect
	}
	next.Header.Del("Referer")
	return nil
}

// Close drops idle connections.
func (r *Reader) Close() {
	r.lines.mu.Lock()
	defer r.lines.mu.Unlock()
	for _, open := range r.lines.open {
		open.CloseIdleConnections()
	}
}

// originOf is scheme, host and port, in lower case and with the port written out.
func originOf(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	switch {
	case port != "":
	case scheme == "https":
		port = "443"
	case scheme == "http":
		port = "80"
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// parseBase reads a FHIR base: https, or plain http with loopback where that is allowed.
func parseBase(text string, loopback bool) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, ErrAccess
	}
	switch strings.ToLower(u.Scheme) {
	case "https":
	case "http":
		if !loopback || !loopbackName(u.Hostname()) {
			return nil, ErrAccess
		}
	default:
		return nil, ErrAccess
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

// loopbackName reports whether a host is loopback by its very text. That localhost leads there is
// checked again when it is dialled.
func loopbackName(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// get reads one document of at most limit bytes. A gateway that stumbles is asked a second time,
// and no more: somebody is waiting. Errors hold no URL; what is no *refusal is an ErrUnavailable.
func (q *inquiry) get(ctx context.Context, u *url.URL, limit int64) ([]byte, error) {
	body, err := q.once(ctx, u, limit)
	var refused *refusal
	if ctx.Err() != nil || !errors.As(err, &refused) || !stumbled(refused.status) {
		return body, err
	}
	return q.once(ctx, u, limit)
}

func stumbled(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable ||
		status == http.StatusGatewayTimeout
}

// once makes one exchange.
func (q *inquiry) once(ctx context.Context, u *url.URL, limit int64) ([]byte, error) {
	if originOf(u) != originOf(q.base) || u.User != nil {
		return nil, fmt.Errorf("%w: its address is of another origin", ErrUnavailable)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: its address cannot be used", ErrUnavailable)
	}
	request.Header.Set("Accept", "application/fhir+json")
	request.Header.Set("Accept-Encoding", "gzip")
	request.Header.Set("User-Agent", "equitylens")
	request.Header.Set("Authorization", "Bearer "+q.access.Token)
	answer, err := q.client.Do(request)
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	body, err := client.ReadDocument(answer, limit)
	if answer.StatusCode == http.StatusOK {
		if err != nil {
			return nil, unavailable(ctx, err)
		}
		return body, nil
	}
	refused := &refusal{status: answer.StatusCode}
	if err == nil {
		// A body that is no OperationOutcome says nothing that we would repeat.
		refused.issues, _ = client.ParseOutcome(body)
	}
	return nil, refused
}

// unavailable names what went wrong by kind alone: errors of net/http quote URLs.
func unavailable(ctx context.Context, err error) error {
	what := "the connection failed"
	var timeout net.Error
	switch {
	case errors.Is(err, dial.ErrAddress):
		what = dial.ErrAddress.Error()
	case errors.Is(err, errRedirect):
		what = "it redirects to another origin, or without end"
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		what = "the time is up"
	}
	return fmt.Errorf("%w: %s", ErrUnavailable, what)
}
