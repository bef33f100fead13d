package scope

import (
	"slices"
	"strings"
)

// Set is the scopes of one grant. Order is that of the writer and means nothing.
type Set []Scope

// ParseSet reads scopes with spaces between and fails on the first that is malformed.
func ParseSet(text string) (Set, error) {
	var set Set
	for _, field := range strings.Fields(text) {
		s, err := Parse(field)
		if err != nil {
			return nil, err
		}
		set = append(set, s)
	}
	return set, nil
}

// String writes the scopes with spaces between.
func (g Set) String() string { return strings.Join(g.Strings(), " ") }

// Strings writes each scope.
func (g Set) Strings() []string {
	texts := make([]string, len(g))
	for i, s := range g {
		texts[i] = s.String()
	}
	return texts
}

// Covers reports whether the set as a whole allows everything that need does: two grants for .r
// and .s cover .rs. A grant that is limited by search parameters covers a need only that has at
// least the same limits.
func (g Set) Covers(need Scope) bool {
	if need.Context == None {
		return need.Name != "" && slices.ContainsFunc(g, func(s Scope) bool {
			return s.Context == None && s.Name == need.Name
		})
	}
	left := need.Actions
	if left == 0 {
		return false
	}
	for _, s := range g {
		if s.Context == need.Context && (s.Type == "*" || s.Type == need.Type) &&
			includes(need.Query, s.Query) {
			left &^= s.Actions
		}
	}
	return left == 0
}

// Narrow returns the part of what is asked that allowed covers. A scope that is allowed as a
// whole is granted as it was written; of others the allowed part is, type by type and action by
// action; what is not allowed at all is left out. The result may be empty.
func Narrow(asked, allowed Set) Set {
	var granted Set
	for _, want := range asked {
		if allowed.Covers(want) {
			granted = granted.with(want)
			continue
		}
		if want.Context == None {
			continue
		}
		for _, have := range allowed {
			if part, ok := intersect(want, have); ok && !granted.Covers(part) {
				granted = granted.with(part)
			}
		}
	}
	return granted
}

// with adds s, to the actions of a scope that differs in them alone if there is one. What is
// written out is thereby never longer than needed, and no scope is there twice.
func (g Set) with(s Scope) Set {
	for i, have := range g {
		same := have
		same.Actions, same.v1 = s.Actions, s.v1
		if same != s {
			continue
		}
		if merged := have.Actions | s.Actions; merged != have.Actions {
			g[i].Actions = merged
			g[i].v1 = have.v1 && s.v1
		}
		return g
	}
	return append(g, s)
}

// intersect returns what both clinical scopes allow.
func intersect(a, b Scope) (Scope, bool) {
	if a.Context == None || a.Context != b.Context || a.Actions&b.Actions == 0 {
		return Scope{}, false
	}
	both := Scope{
		Context: a.Context, Type: a.Type, Actions: a.Actions & b.Actions,
		Query: union(a.Query, b.Query), v1: a.v1,
	}
	switch {
	case a.Type == "*":
		both.Type = b.Type
	case b.Type != "*" && a.Type != b.Type:
		return Scope{}, false
	}
	return both, true
}

// params parts a Query.
func params(query string) []string {
	if query == "" {
		return nil
	}
	return strings.Split(query, "&")
}

// includes reports whether query has every limit of the other.
func includes(query, limits string) bool {
	have := params(query)
	for _, p := range params(limits) {
		if !slices.Contains(have, p) {
			return false
		}
	}
	return true
}

// union joins the limits of both.
func union(a, b string) string {
	both := append(params(a), params(b)...)
	slices.Sort(both)
	return strings.Join(slices.Compact(both), "&")
}
