package auth

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

	"github.com/equitylens/equitylens/internal/dial"
)

const (
	// maxJWKS bounds a key document. A hundred RSA keys are below 64 KiB.
	maxJWKS = 256 << 10
	// fetchTimeout bounds one fetch from dial to last byte.
	fetchTimeout = 5 * time.Second
	// keepDefault and keepMost are how long keys are kept when the client does not say, and at
	// most. SMART: no longer than Cache-Control allows.
	keepDefault = 5 * time.Minute
	keepMost    = time.Hour
	// refetchAfter is the least time between two lookups for unknown ids at one address. Anybody
	// can make up an id; nobody shall make us hammer a client by it.
	refetchAfter = 10 * time.Second
)

// fetcher reads and keeps the keys that clients publish.
type fetcher struct {
	client *http.Client
	now    func() time.Time
	flight singleflight.Group

	mu   sync.Mutex
	kept map[string]keptKeys
}

// keptKeys is one key document.
type keptKeys struct {
	set     jose.JSONWebKeySet
	expires time.Time
	// afresh is when it was last read because of an unknown id.
	afresh time.Time
}

// newFetcher builds a client that follows no redirect, asks no proxy (which would look up the
// name itself, beyond the guard), and connects to public addresses alone unless allowed.
func newFetcher(cfg Config) *fetcher {
	dialer := &net.Dialer{Timeout: fetchTimeout}
	if !cfg.AllowPrivateNetworks {
		dialer.Control = dial.Guard{}.Control
	}
	return &fetcher{
		now:  cfg.Now,
		kept: make(map[string]keptKeys),
		client: &http.Client{
			Timeout: fetchTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
			Transport: &http.Transport{
				DialContext:            dialer.DialContext,
				TLSClientConfig:        &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12},
				TLSHandshakeTimeout:    fetchTimeout,
				ResponseHeaderTimeout:  fetchTimeout,
				MaxResponseHeaderBytes: 64 << 10,
				DisableKeepAlives:      true,
			},
		},
	}
}

// keys returns the keys at uri: those it has kept, or read anew when they have expired or, once
// in a while, when afresh is wanted. Keys that have expired are never used: a client that takes
// back a key and whose server is down afterwards shall not be impersonated with it.
func (f *fetcher) keys(ctx context.Context, uri string, afresh bool) (
	set jose.JSONWebKeySet, kept bool, err error,
) {
	now := f.now()
	f.mu.Lock()
	have := f.kept[uri]
	fresh := now.Before(have.expires)
	if fresh && (!afresh || now.Before(have.afresh.Add(refetchAfter))) {
		f.mu.Unlock()
		return have.set, true, nil
	}
	if fresh {
		have.afresh = now
		f.kept[uri] = have
	}
	f.mu.Unlock()

	// One request for all that wait; it outlives the one that happened to come first.
	got, err, _ := f.flight.Do(uri, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		set, keep, err := f.fetch(ctx, uri)
		if err != nil {
			return nil, err
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.kept[uri] = keptKeys{set: set, expires: now.Add(keep), afresh: f.kept[uri].afresh}
		return set, nil
	})
	if err != nil {
		return set, false, err
	}
	set, _ = got.(jose.JSONWebKeySet)
	return set, false, nil
}

// fetch reads the document at uri and how long it may be kept.
func (f *fetcher) fetch(ctx context.Context, uri string) (
	set jose.JSONWebKeySet, keep time.Duration, err error,
) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return set, 0, fmt.Errorf("read keys: %w", err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := f.client.Do(request)
	if err != nil {
		return set, 0, fmt.Errorf("read keys: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return set, 0, fmt.Errorf("read keys: status %d", response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxJWKS+1))
	if err != nil {
		return set, 0, fmt.Errorf("read keys: %w", err)
	}
	if len(text) > maxJWKS {
		return set, 0, fmt.Errorf("read keys: more than %d bytes", maxJWKS)
	}
	set, err = parseJWKS(text)
	if err != nil {
		return set, 0, fmt.Errorf("read keys: %w", err)
	}
	return set, keepFor(response.Header), nil
}

// parseJWKS reads the public keys of a document and passes over those of kinds that are not
// known, as RFC 7517 section 5 wants. A private key in it is passed over too: whoever publishes
// one has lost it.
func parseJWKS(text []byte) (set jose.JSONWebKeySet, err error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return set, errors.New("not a JWKS document")
	}
	for _, raw := range doc.Keys {
		var k jose.JSONWebKey
		if err := k.UnmarshalJSON(raw); err == nil && k.Valid() && k.IsPublic() {
			set.Keys = append(set.Keys, k)
		}
	}
	return set, nil
}

// keepFor reads Cache-Control (RFC 9111 section 5.2.2) and Age.
func keepFor(h http.Header) time.Duration {
	keep := keepDefault
	for _, part := range strings.Split(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(part)), "=")
		switch name {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			seconds, err := strconv.Atoi(strings.Trim(value, `"`))
			if err != nil || seconds < 0 {
				return 0
			}
			keep = min(time.Duration(min(seconds, int(keepMost.Seconds())))*time.Second, keepMost)
		}
	}
	if age, err := strconv.Atoi(strings.TrimSpace(h.Get("Age"))); err == nil && age > 0 {
		keep -= time.Duration(min(age, int(keepMost.Seconds()))) * time.Second
	}
	return max(keep, 0)
}
