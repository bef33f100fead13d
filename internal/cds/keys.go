package cds

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/internal/dial"
)

const (
	// maxKeys bounds a key document. A hundred RSA keys are below 64 KiB.
	maxKeys = 256 << 10
	// fetchTimeout bounds one fetch. It may outlive the call that began it, so that the next one finds
	// the keys.
	fetchTimeout = 5 * time.Second
	// keepUsual and keepMost are how long keys are kept where the EHR does not say, and at most.
	keepUsual = 5 * time.Minute
	keepMost  = time.Hour
	// askAgain is the least time between two fetches for ids that are not known: anybody can make up
	// an id, and nobody shall make us hammer an EHR by it.
	askAgain = 10 * time.Second
	// askFailed is the same after a fetch that failed.
	askFailed = 2 * time.Second
)

// errKeys means that the keys of an EHR cannot be read at the moment.
var errKeys = errors.New("the keys of the EHR cannot be read")

// publishedKeys keeps the key documents of EHRs.
type publishedKeys struct {
	now func() time.Time

	mu   sync.Mutex
	kept map[string]keptKeys
}

// keptKeys is one document.
type keptKeys struct {
	set     jose.JSONWebKeySet
	expires time.Time
	// asked is when it was last read because an id was not known, failed when that last went wrong.
	asked  time.Time
	failed time.Time
}

// flights lets all calls that wait for one document share one fetch.
type flights struct{ group singleflight.Group }

// newKeyClient builds a client that follows no redirect and asks no proxy, and whose addresses are
// checked when they are dialled.
func newKeyClient(t Tenant) *http.Client {
	guard := dial.Guard{Loopback: t.AllowLoopback, Private: t.AllowPrivateNetworks}
	dialer := &net.Dialer{Timeout: fetchTimeout, Control: guard.Control}
	return &http.Client{
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.RootCAs},
			TLSHandshakeTimeout:    fetchTimeout,
			MaxResponseHeaderBytes: 64 << 10,
			DisableKeepAlives:      true,
		},
	}
}

// candidates are the keys that may have signed a JWT with this header. An id that is not known is
// looked up once more: the EHR may have rotated its keys.
func (s *Service) candidates(
	ctx context.Context, t *tenant, header jose.Header,
) ([]jose.JSONWebKey, error) {
	if t.Keys != nil {
		return fitting(*t.Keys, header), nil
	}
	for _, afresh := range []bool{false, true} {
		set, err := s.published(ctx, t, afresh)
		if err != nil {
			return nil, err
		}
		if found := fitting(set, header); len(found) > 0 {
			return found, nil
		}
	}
	return nil, nil
}

// fitting picks the keys with the id that are of the right kind and strength.
func fitting(set jose.JSONWebKeySet, header jose.Header) (out []jose.JSONWebKey) {
	for _, k := range set.Keys {
		if k.KeyID == header.KeyID && k.IsPublic() && (k.Use == "" || k.Use == "sig") &&
			(k.Algorithm == "" || k.Algorithm == header.Algorithm) &&
			keys.Fits(jose.SignatureAlgorithm(header.Algorithm), k.Key) {
			out = append(out, k)
		}
	}
	return out
}

// published returns the keys of t: those that are kept, or read anew when they have expired or,
// once in a while, when afresh is wanted. Keys that have expired are never used, also when the EHR
// is down: it may have taken them back.
func (s *Service) published(
	ctx context.Context, t *tenant, afresh bool,
) (jose.JSONWebKeySet, error) {
	have, due, err := s.keys.due(t.JWKSURI, afresh)
	if err != nil || !due {
		return have.set, err
	}
	// All that wait share one request, which outlives them.
	done := s.flight.group.DoChan(t.JWKSURI, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		set, keep, err := fetchKeys(ctx, t)
		if err != nil {
			s.keys.fail(t.JWKSURI)
			return nil, err
		}
		s.keys.put(t.JWKSURI, set, keep)
		return set, nil
	})
	select {
	case <-ctx.Done():
		return jose.JSONWebKeySet{}, fmt.Errorf("%w: the time is up", errKeys)
	case got := <-done:
		set, _ := got.Val.(jose.JSONWebKeySet)
		return set, got.Err
	}
}

// due returns what is kept, and whether it has to be read anew. The error says that this was tried
// in vain a moment ago.
func (p *publishedKeys) due(uri string, afresh bool) (keptKeys, bool, error) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	have := p.kept[uri]
	switch {
	case !now.Before(have.expires):
		if now.Before(have.failed.Add(askFailed)) {
			return keptKeys{}, false, fmt.Errorf("%w: nor could they be a moment ago", errKeys)
		}
		return have, true, nil
	case !afresh || now.Before(have.asked.Add(askAgain)):
		return have, false, nil
	}
	have.asked = now
	p.kept[uri] = have
	return have, true, nil
}

// fail notes that the document could not be read.
func (p *publishedKeys) fail(uri string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	have := p.kept[uri]
	have.failed = p.now()
	p.kept[uri] = have
}

// put keeps a document. It may still be asked for again at once because of an id that it lacks, if
// it was not read for that reason.
func (p *publishedKeys) put(uri string, set jose.JSONWebKeySet, keep time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept[uri] = keptKeys{set: set, expires: p.now().Add(keep), asked: p.kept[uri].asked}
}

// fetchKeys reads the document of t, and how long it may be kept. Its errors name no address.
func fetchKeys(
	ctx context.Context, t *tenant,
) (set jose.JSONWebKeySet, keep time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.JWKSURI, nil)
	if err != nil {
		return set, 0, fmt.Errorf("%w: its address cannot be used", errKeys)
	}
	request.Header.Set("Accept", "application/json")
	answer, err := t.client.Do(request)
	if err != nil {
		return set, 0, fmt.Errorf("%w: no answer", errKeys)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return set, 0, fmt.Errorf("%w: status %d", errKeys, answer.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxKeys+1))
	if err != nil || len(text) > maxKeys {
		return set, 0, fmt.Errorf("%w: the document breaks off or is too large", errKeys)
	}
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(text, &doc) != nil {
		return set, 0, fmt.Errorf("%w: the document is no JWKS", errKeys)
	}
	for _, raw := range doc.Keys {
		var k jose.JSONWebKey // A key of a kind that is not known is passed over (RFC 7517 section 5).
		if k.UnmarshalJSON(raw) == nil && k.Valid() && k.IsPublic() {
			set.Keys = append(set.Keys, k)
		}
	}
	return set, keepFor(answer.Header), nil
}

// keepFor reads Cache-Control (RFC 9111 section 5.2.2).
func keepFor(h http.Header) time.Duration {
	keep := keepUsual
	for part := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(part)), "=")
		switch name {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			seconds, err := strconv.ParseInt(strings.Trim(value, `"`), 10, 64)
			if err != nil || seconds < 0 {
				return 0
			}
			keep = time.Duration(min(seconds, int64(keepMost.Seconds()))) * time.Second
		}
	}
	return keep
}
