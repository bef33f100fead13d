package fhirtest

import (
	"net/http"
	"slices"
	"strings"
)

// system reads a scope such as system/Patient.rs, or .read in the form of version 1.
func system(scope string) (resource, rights string, ok bool) {
	rest, ok := strings.CutPrefix(scope, "system/")
	if !ok {
		return "", "", false
	}
	rest, _, _ = strings.Cut(rest, "?")
	resource, rights, ok = strings.Cut(rest, ".")
	switch rights {
	case "read":
		rights = "rs"
	case "*":
		rights = "cruds"
	}
	return resource, rights, ok && resource != "" && rights != ""
}

// covers says that scope allows every right of rights on resource.
func covers(scope, resource, rights string) bool {
	r, have, ok := system(scope)
	if !ok || (r != "*" && r != resource) {
		return false
	}
	for _, right := range rights {
		if !strings.ContainsRune(have, right) {
			return false
		}
	}
	return true
}

// granted are the scopes asked for that a registered one covers. A wildcard that is only partly
// registered is granted as what is registered of it.
func granted(asked, registered []string) []string {
	var out []string
	add := func(scope string) {
		if !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	for _, scope := range asked {
		resource, rights, ok := system(scope)
		if !ok {
			continue
		}
		if slices.ContainsFunc(registered, func(have string) bool {
			return covers(have, resource,
				rights)
		}) {
			add(scope)
			continue
		}
		if resource != "*" {
			continue
		}
		for _, have := range registered {
			if r, _, ok := system(have); ok && covers(have, r, rights) {
				add(have)
			}
		}
	}
	return out
}

func (g grant) allows(resource, rights string) bool {
	return slices.ContainsFunc(g.scopes, func(scope string) bool {
		return covers(scope, resource,
			rights)
	})
}

// bearer returns the grant behind the request's token; without a good one it answers 401.
func (s *Server) bearer(w http.ResponseWriter, r *http.Request) (grant, bool) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "bearer") || token == "" {
		w.Header().Set("WWW-Authenticate", `Bearer`)
		refuse(w, http.StatusUnauthorized, "login", "no access token")
		return grant{}, false
	}
	s.mu.Lock()
	g, known := s.tokens[token]
	s.mu.Unlock()
	if !known || !s.config.Now().Before(g.ends) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		refuse(w, http.StatusUnauthorized, "expired", "the access token is unknown or has expired")
		return grant{}, false
	}
	return g, true
}
