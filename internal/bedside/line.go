package bedside

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
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
	idlePerHost    = 8
	maxHops        = 3
	// maxOne bounds a single resource, maxPage a page of a search, unpacked.
	maxOne  = 4 << 20
	maxPage = 32 << 20
)

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

// newLine makes a pool. Redirects are followed within one origin.
func newLine(to line) *http.Client {
	return &http.Client{CheckRedirect: dial.Home(maxHops), Transport: dial.NewTransport(dial.Config{
		Guard:   dial.Guard{Loopback: to.loopback, Private: to.private},
		RootCAs: to.roots, Connect: connectTimeout, Header: headerTimeout, Idle: idlePerHost,
		// Compression is told by the bytes themselves, because Content-Encoding is sometimes wrong.
		Packed: true,
	})}
}

// Close drops idle connections.
func (r *Reader) Close() {
	r.lines.mu.Lock()
	defer r.lines.mu.Unlock()
	for _, open := range r.lines.open {
		open.CloseIdleConnections()
	}
}

// parseBase reads a FHIR base: https, or plain http with loopback where that is allowed.
func parseBase(text string, loopback bool) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || dial.Permit(u, loopback) != nil {
		return nil, ErrAccess
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
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
	if dial.Origin(u) != dial.Origin(q.base) || u.User != nil {
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
	answer, err := q.client.Do(request) //nolint:bodyclose // ReadDocument closes it.
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, dial.Fault(ctx, err))
	}
	body, err := client.ReadDocument(answer, limit)
	if answer.StatusCode == http.StatusOK {
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, dial.Fault(ctx, err))
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
