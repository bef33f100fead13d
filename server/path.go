package server

import (
	"net/http"
	"strings"
)

// plainPath lets through a path that means the same to every proxy and router, and answers every
// other one as if it did not exist: an encoded slash or backslash, an empty segment, a dot segment,
// a control character. What is escaped without need, as %24 for $, is taken for what it stands for.
func plainPath(notFound, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !plain(r.URL.EscapedPath(), r.URL.Path) {
			notFound.ServeHTTP(w, r)
			return
		}
		if r.URL.RawPath != "" {
			r = r.Clone(r.Context())
			r.URL.RawPath = ""
		}
		next.ServeHTTP(w, r)
	})
}

func plain(escaped, path string) bool {
	lower := strings.ToLower(escaped)
	for _, trick := range []string{"%2f", "%5c", "%25"} {
		if strings.Contains(lower, trick) {
			return false
		}
	}
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "\\") {
		return false
	}
	for i, segment := range strings.Split(path, "/") {
		if segment == "." || segment == ".." || (segment == "" && i > 0 && path != "/") {
			return false
		}
	}
	return !strings.ContainsFunc(path, func(c rune) bool { return c < ' ' || c == 0x7f })
}
