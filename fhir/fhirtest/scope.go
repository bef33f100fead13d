package fhirtest

import (
	"net/http"
	"slices"
	"strings"
)

// parseScope reads a scope such as patient/Encounter.rs, or .read in the form of version 1. rights
// are letters of cruds in their order.
func parseScope(scope string) (level, resource, rights string, ok bool) {
	level, rest, ok := strings.Cut(scope, "/")
	if !ok || !slices.Contains([]string{"system", "user", "patient"}, level) {
		return "", "", "", false
	}
	rest, _, _ = strings.Cut(rest, "?")
	resource, rights, ok = strings.Cut(rest, ".")
	switch rights {
	case "read":
		rights = "rs"
	case "write":
		rights = "cud"
	case "*":
		rights = "cruds"
	}
	return level, resource, rights, ok && resource != "" && inOrder(rights)
}

// inOrder says that rights are letters of cruds, each once and in this order, as version 2 wants
// them.
func inOrder(rights string) bool {
	at := -1
	for _, right := range rights {
		next := strings.IndexRune("cruds", right)
		if next <= at {
			return false
		}
		at = next
	}
	return at >= 0
}

// system reads a scope of a backend client.
func system(scope string) (resource, rights string, ok bool) {
	level, resource, rights, ok := parseScope(scope)
	return resource, rights, ok && level == "system"
}

// covers says that scope allows a backend client every right of rights on resource.
func covers(scope, resource, rights string) bool {
	return coversAt("system", scope, resource, rights)
}

func coversAt(level, scope, resource, rights string) bool {
	l, r, have, ok := parseScope(scope)
	if !ok || l != level || (r != "*" && r != resource) {
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

// identityScopes are what a user's app may have beside resources.
func identityScopes() []string {
	return []string{"openid", "fhirUser", "profile", "online_access", "offline_access", "launch"}
}

// chartTypes are what a wildcard of a user is spelt out as where something is withheld of it.
func chartTypes() []string {
	return []string{"Patient", "Encounter", "AdverseEvent", "Organization", "Practitioner"}
}

// userGranted are the scopes asked for that a user's app is granted: allowed is what the app is
// registered for (empty: everything), withheld what the hospital gives nobody. Scopes of a patient
// need a patient in context. Scopes with a search parameter are granted by nobody here.
func userGranted(asked, allowed, withheld []string, inChart bool) []string {
	var out []string
	for _, scope := range asked {
		for _, part := range spellOut(scope, withheld) {
			if mayHave(part, allowed, withheld, inChart) && !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return out
}

// spellOut splits a wildcard of which something is withheld.
func spellOut(scope string, withheld []string) []string {
	level, resource, _, ok := parseScope(scope)
	if !ok || resource != "*" || len(withheld) == 0 {
		return []string{scope}
	}
	_, rights, _ := strings.Cut(scope, ".")
	var parts []string
	for _, t := range chartTypes() {
		parts = append(parts, level+"/"+t+"."+rights)
	}
	return parts
}

func mayHave(scope string, allowed, withheld []string, inChart bool) bool {
	level, resource, rights, ok := parseScope(scope)
	if !ok {
		return slices.Contains(identityScopes(), scope) && !slices.Contains(withheld, scope) &&
			(len(allowed) == 0 || slices.Contains(allowed, scope))
	}
	if level == "system" || strings.Contains(scope, "?") || (level == "patient" && !inChart) {
		return false
	}
	for _, held := range withheld {
		if l, r, some, ok := parseScope(held); ok && l == level && (r == resource || r == "*") &&
			strings.ContainsAny(rights, some) {
			return false
		}
	}
	return len(allowed) == 0 || slices.ContainsFunc(allowed, func(have string) bool {
		return coversAt(level, have, resource, rights)
	})
}

func (g grant) allows(resource, rights string) bool {
	return slices.ContainsFunc(g.scopes, func(scope string) bool {
		return covers(scope, resource, rights)
	})
}

// reach says whether the token may do it, and to whom: confined is the one patient whose resources
// it reaches, "" everybody's.
func (g grant) reach(resource, right string) (confined string, ok bool) {
	at := func(level string) bool {
		return slices.ContainsFunc(g.scopes, func(scope string) bool {
			return coversAt(level, scope, resource, right)
		})
	}
	switch {
	case g.visit == nil:
		return "", at("system")
	case at("user"):
		return "", true
	case at("patient") && g.visit.launch != nil:
		return g.visit.launch.Patient, true
	}
	return "", false
}

// live returns the grant behind a token that is good.
func (s *Server) live(token string) (grant, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, known := s.tokens[token]
	ended := g.visit != nil && g.visit.ended
	return g, known && !ended && s.config.Now().Before(g.ends)
}

// bearer returns the grant behind the request's token; without a good one it answers 401.
func (s *Server) bearer(w http.ResponseWriter, r *http.Request) (grant, bool) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "bearer") || token == "" {
		w.Header().Set("WWW-Authenticate", `Bearer`)
		refuse(w, http.StatusUnauthorized, "login", "no access token")
		return grant{}, false
	}
	g, ok := s.live(token)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		refuse(w, http.StatusUnauthorized, "expired", "the access token is unknown or has expired")
		return grant{}, false
	}
	return g, true
}

// program is bearer for what is no business of a user: exports.
func (s *Server) program(w http.ResponseWriter, r *http.Request) (grant, bool) {
	g, ok := s.bearer(w, r)
	if ok && g.visit != nil {
		refuse(w, http.StatusForbidden, "forbidden", "exports are for programs alone")
		return grant{}, false
	}
	return g, ok
}
