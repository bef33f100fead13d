package dial

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// ErrURL refuses a URL that Permit does not allow.
var ErrURL = errors.New("url is not one we may speak to")

// Permit allows an absolute https URL without a user; loopback allows plain http too, to a loopback
// host alone.
func Permit(u *url.URL, loopback bool) error {
	plain := loopback && strings.EqualFold(u.Scheme, "http") && LoopbackName(u.Hostname())
	if u.Hostname() == "" || u.User != nil || !strings.EqualFold(u.Scheme, "https") && !plain {
		return ErrURL
	}
	return nil
}

// Origin returns scheme, host and port of an absolute URL: in lower case, without the dot of a
// rooted name, and with the port written out, so that equal origins are equal strings.
func Origin(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	switch {
	case port != "":
	case scheme == "https":
		port = "443"
	case scheme == "http":
		port = "80"
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	return scheme + "://" + net.JoinHostPort(host, port)
}

// LoopbackName reports whether a host is loopback by its very text. That the name localhost leads
// there is checked again when it is dialled.
func LoopbackName(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
