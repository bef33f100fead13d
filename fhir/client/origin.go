package client

import (
	"errors"
	"net/url"
	"strings"

	"github.com/equitylens/equitylens/internal/dial"
)

// Policy refusals. They are decisions of ours, so trying again does not help.
var (
	// ErrURL refuses a URL that is not absolute http or https, or that carries a user, or plain http
	// beyond loopback.
	ErrURL = dial.ErrURL
	// ErrOrigin refuses to go, or to be sent, to another origin.
	ErrOrigin = errors.New("another origin is not followed")
	// ErrRedirect refuses a redirect.
	ErrRedirect = dial.ErrRedirect
	// ErrAddress refuses a network address at the moment of dialling.
	ErrAddress = dial.ErrAddress
)

// parseOrigin reads scheme://host[:port] and nothing beyond it.
func parseOrigin(text string) (string, error) {
	u, err := url.Parse(text)
	bare := err == nil && strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.User == nil
	if !bare || u.Host == "" || u.Scheme == "" {
		return "", errors.New("not of the form https://host[:port]")
	}
	return dial.Origin(u), nil
}

// policy says which URLs may be spoken to.
type policy struct {
	// loopback allows loopback addresses, and plain http to them alone.
	loopback bool
}

// policyOf allows loopback if the base itself is there and the configuration allows that.
func policyOf(cfg Config, base *url.URL) policy {
	return policy{loopback: cfg.AllowLoopback && dial.LoopbackName(base.Hostname())}
}

// permit checks one URL.
func (p policy) permit(u *url.URL) error { return dial.Permit(u, p.loopback) }

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
