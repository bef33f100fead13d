package auth

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
)

// checkRedirect says what is wrong with an address that a client wants people to be sent back to.
// Addresses of a scheme of its own can be taken over by any program on a telephone (RFC 8252
// section 7.1), so that there are none.
func checkRedirect(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return errors.New("redirect address is not an absolute URL")
	case u.User != nil || strings.Contains(text, "#") || strings.Contains(text, "*"):
		return errors.New("redirect address has a user, a fragment or an asterisk")
	case u.Scheme == "https", u.Scheme == "http" && onLoopback(u.Hostname()):
		return nil
	}
	return errors.New("redirect address is neither https nor on loopback")
}

// onLoopback reports whether a host is this machine by its name or its address.
func onLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// redirectTo returns the address to which the client may have people sent, or nil. It is compared
// letter by letter (RFC 9700 section 2.1), but for the port of a public client at a loopback
// address, which the system hands out anew each time (RFC 8252 section 7.3). fosite leaves user
// and spelling out of that comparison.
func (r *registered) redirectTo(asked string) *url.URL {
	u, err := url.Parse(asked)
	if err != nil {
		return nil
	}
	if slices.Contains(r.RedirectURIs, asked) {
		return u
	}
	if !r.Public || u.Scheme != "http" || !net.ParseIP(u.Hostname()).IsLoopback() {
		return nil
	}
	for _, text := range r.RedirectURIs {
		have, err := url.Parse(text)
		if err == nil && withoutPort(text, have) == withoutPort(asked, u) {
			return u
		}
	}
	return nil
}

// withoutPort is an address as it is written, without the port.
func withoutPort(text string, u *url.URL) string {
	return strings.Replace(text, u.Host, u.Hostname(), 1)
}

// origins are the origins from which public clients call the token endpoint in a browser: those
// of their redirect addresses.
func (r registry) origins() map[string]bool {
	all := make(map[string]bool)
	for _, c := range r {
		if !c.Public {
			continue
		}
		for _, text := range c.RedirectURIs {
			if u, err := url.Parse(text); err == nil {
				all[u.Scheme+"://"+u.Host] = true
			}
		}
	}
	return all
}
