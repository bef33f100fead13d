package visit

import (
	"slices"
	"strings"

	"github.com/equitylens/equitylens/auth/role"
)

// Roster says which roles people have: by a claim of their id_token, or by name.
type Roster struct {
	// Claim names the claim, Values the values of it that give each role. A claim may be a text or a
	// list of texts; anything else gives nothing.
	Claim  string
	Values map[role.Role][]string
	// Named gives roles to single people, by <name of the EHR or provider>|<sub or fhirUser>.
	Named map[string][]role.Role
}

// Roles lists the roles of somebody who signed in at a tenant, each once, in the order of role.All. Who is
// not on the roster has none. FhirUser is relative to the tenant's base, such as Practitioner/1.
func (r Roster) Roles(tenant, subject, fhirUser string, claims map[string]any) []role.Role {
	given := map[role.Role]bool{}
	for _, id := range []string{subject, fhirUser} {
		if id == "" {
			continue
		}
		for _, have := range r.Named[tenant+"|"+id] {
			given[have] = true
		}
	}
	values := textsOf(claims, r.Claim)
	for have, wanted := range r.Values {
		for _, w := range wanted {
			if slices.Contains(values, w) {
				given[have] = true
			}
		}
	}
	var list []role.Role
	for _, have := range role.All() {
		if given[have] {
			list = append(list, have)
		}
	}
	return list
}

// textsOf reads a claim that is a text, words divided by spaces not counted apart, or a list of texts. A
// name with dots is first looked for as it is, as namespaced claims are URLs, and then as a path, as
// providers nest roles.
func textsOf(claims map[string]any, name string) []string {
	if name == "" {
		return nil
	}
	value, ok := claims[name]
	if !ok {
		first, rest, nested := strings.Cut(name, ".")
		inner, isObject := claims[first].(map[string]any)
		if !nested || !isObject {
			return nil
		}
		return textsOf(inner, rest)
	}
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var texts []string
		for _, item := range v {
			if text, ok := item.(string); ok {
				texts = append(texts, text)
			}
		}
		return texts
	}
	return nil
}
