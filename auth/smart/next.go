package smart

import (
	"fmt"
	"net/url"
	"path"
	"strings"
)

// maxNext bounds where a sign-in may lead back to: room for a pushed authorization request or a
// search of ours, and far below what browsers and proxies cut off.
const maxNext = 4 << 10

// CheckNext accepts a relative reference that stays on our own origin in every browser: one slash,
// then a clean path, then perhaps a query. Anything else is ErrRequest: another host ("//evil"),
// what browsers read as one ("/\evil", tabs and newlines), and slashes and dots in disguise
// ("%2f").
func CheckNext(next string) error {
	fault := fmt.Errorf("%w: next is not a path of ours", ErrRequest)
	plain := func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' || r == '#' }
	if len(next) > maxNext || strings.ContainsFunc(next, plain) {
		return fault
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return fault
	}
	written, _, _ := strings.Cut(next, "?")
	if !strings.HasPrefix(written, "/") || strings.HasPrefix(written, "//") ||
		strings.ContainsAny(written, "%;") {
		return fault
	}
	if clean := path.Clean(written); clean != written && clean+"/" != written {
		return fault
	}
	return nil
}
