package dial

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"
)

const (
	// maxHeaderBytes bounds the head of an answer. Signed URLs and client ids of 800 bytes fit easily.
	maxHeaderBytes = 256 << 10
	// idleTimeout is how long a connection waits for its next request.
	idleTimeout = 90 * time.Second
)

// ErrRedirect refuses a redirect.
var ErrRedirect = errors.New("redirect refused")

// Config says how a transport connects.
type Config struct {
	Guard Guard
	// RootCAs verifies servers. Nil means the roots of the machine.
	RootCAs *x509.CertPool
	// Connect bounds a dial and a TLS handshake each, Header the wait for the head of an answer.
	Connect, Header time.Duration
	// Idle is how many connections to one host may wait for their next request. Zero means that every
	// request has a connection of its own.
	Idle int
	// Packed hands over bodies as they come, still compressed.
	Packed bool
	// Resolver looks names up. Nil means that of the machine.
	Resolver *net.Resolver
}

// NewTransport returns a connection pool that dials what the guard allows alone and speaks TLS 1.2 or
// newer. It asks no proxy: behind one the guard would see the proxy's address and not the server's.
func NewTransport(cfg Config) *http.Transport {
	dialer := &net.Dialer{Timeout: cfg.Connect, Control: cfg.Guard.Control, Resolver: cfg.Resolver}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs},
		TLSHandshakeTimeout:    cfg.Connect,
		ResponseHeaderTimeout:  cfg.Header,
		MaxIdleConnsPerHost:    cfg.Idle,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableKeepAlives:      cfg.Idle == 0,
		DisableCompression:     cfg.Packed,
	}
}

// Home is a redirect rule of net/http that follows at most hops redirects and none away from the
// first origin. Go itself takes a token along to subdomains and to other ports.
func Home(hops int) func(next *http.Request, via []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		if len(via) > hops || Origin(next.URL) != Origin(via[0].URL) || next.URL.User != nil {
			return ErrRedirect
		}
		// The address that a Referer names may hold an id.
		next.Header.Del("Referer")
		return nil
	}
}
