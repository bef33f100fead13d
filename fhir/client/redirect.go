package client

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/equitylens/equitylens/internal/dial"
)

// maxRedirects is how many hops one request follows. Oracle Health's file endpoint takes one.
const maxRedirects = 5

// follow returns the redirect rule of net/http. Go itself keeps Authorization for subdomains and
// for other ports of the same host; this rule drops it on any change of origin and never gives it
// back on a later hop. elsewhere allows the change at all.
func follow(p policy, elsewhere bool) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		first, last := via[0], via[len(via)-1]
		switch {
		case len(via) > maxRedirects:
			return fmt.Errorf("%w: more than %d hops", ErrRedirect, maxRedirects)
		case first.Method != http.MethodGet:
			return fmt.Errorf("%w: %s is not repeated elsewhere", ErrRedirect, first.Method)
		case strings.EqualFold(last.URL.Scheme, "https") && !strings.EqualFold(next.URL.Scheme, "https"):
			return fmt.Errorf("%w: from https to plain http", ErrRedirect)
		}
		if err := p.permit(next.URL); err != nil {
			return fmt.Errorf("%w: %w", ErrRedirect, err)
		}
		if strayed(next, via) {
			if !elsewhere {
				return fmt.Errorf("%w: %w", ErrRedirect, ErrOrigin)
			}
			next.Header.Del("Authorization")
		}
		// The address that a Referer names may hold an id.
		next.Header.Del("Referer")
		return nil
	}
}

// strayed reports whether any hop so far, the next included, left the first origin.
func strayed(next *http.Request, via []*http.Request) bool {
	home := dial.Origin(via[0].URL)
	for _, hop := range via[1:] {
		if dial.Origin(hop.URL) != home {
			return true
		}
	}
	return dial.Origin(next.URL) != home
}
