package client

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"github.com/equitylens/equitylens/internal/dial"
)

// Policy refusals. They are decisions of ours, so trying again does not help.
var (
	// ErrURL refuses a URL that is not absolute http or https, or that carries a user, or plain http
	// beyond loopback.
	ErrURL = errors.New("url is not one we may speak to")
	// ErrOrigin refuses to go, or to be sent, to another origin.
	ErrOrigin = errors.New("another origin is not followed")
	// ErrRedirect refuses a redirect.
	ErrRedirect = errors.New("redirect refused")
	// ErrAddress refuses a network address at the moment of dialling.
	ErrAddress = dial.ErrAddress
)

// origin is scheme, host and port, in lower case and with the port written out.
type origin struct{ scheme, host, port string }

// originOf returns the origin of an absolute URL.
func originOf(u *url.URL) origin {
	o := origin{
		scheme: strings.ToLower(u.Scheme),
		host:   strings.TrimSuffix(strings.ToLower(u.Hostname()), "."),
		port:   u.Port(),
	}
	if o.port == "" {
		switch o.scheme {
		case "https":
			o.port = "443"
		case "http":
			o.port = "80"
		}
	}
	return o
}

// parseOrigin reads scheme://host[:port] and nothing beyond it.
func parseOrigin(text string) (origin, error) {
	u, err := url.Parse(text)
	bare := err == nil && strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.User == nil
	if !bare || u.Host == "" || u.Scheme == "" {
		return origin{}, errors.New("not of the form https://host[:port]")
	}
	return originOf(u), nil
}

// policy says which URLs may be spoken to.
type policy struct {
	// loopback allows loopback addresses, and plain http to them alone.
	loopback bool
}

// policyOf allows loopback if the base itself is there and the configuration allows that.
func policyOf(cfg Config, base *url.URL) policy {
	return policy{loopback: cfg.AllowLoopback && loopbackName(base.Hostname())}
}

// permit checks one URL.
func (p policy) permit(u *url.URL) error {
	switch {
	case u.Host == "" || u.User != nil:
		return ErrURL
	case strings.EqualFold(u.Scheme, "https"):
		return nil
	case strings.EqualFold(u.Scheme, "http") && p.loopback && loopbackName(u.Hostname()):
		return nil
	}
	return ErrURL
}

// parsePermitted reads a URL and checks it. The text is not repeated in the error.
func parsePermitted(text string, p policy) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, ErrURL
	}
	return u, p.permit(u)
}

// parseBase reads the FHIR base and removes a trailing slash.
func parseBase(text string, allowLoopback bool) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, ErrURL
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("a base has no query and no fragment")
	}
	p := policy{loopback: allowLoopback}
	if err := p.permit(u); err != nil {
		return nil, err
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
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
