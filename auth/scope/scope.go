// Package scope reads, compares and narrows OAuth scopes as SMART App Launch 2 spells them, with
// the older spelling of version 1. It is pure.
//
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
package scope

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrMalformed means that a text is no scope.
var ErrMalformed = errors.New("scope: malformed")

// Context says whose data a clinical scope is about; None for a scope that is not clinical.
type Context string

// The contexts of SMART. They do not cover each other: system access is granted to a program,
// user access to what one person may see, patient access to one record.
const (
	None    Context = ""
	Patient Context = "patient"
	User    Context = "user"
	System  Context = "system"
)

// Actions is a set of interactions with a resource type.
type Actions uint8

// The interactions, in the order in which SMART writes them.
const (
	Create Actions = 1 << iota
	Read
	Update
	Delete
	Search
)

// all is every interaction.
const all = Create | Read | Update | Delete | Search

// letters are the interactions as they are written, in order.
const letters = "cruds"

// Scope is one scope: a clinical one (Context, Type, Actions, Query), or any other by its name
// ("launch", "openid"). The zero Scope is none.
type Scope struct {
	Context Context
	// Type is a resource type or "*".
	Type    string
	Actions Actions
	// Query limits the scope to what matches these search parameters, all of them: sorted,
	// without repeats, "&" between; empty means no limit.
	Query string
	// Name is the text of a scope that is not clinical.
	Name string

	// v1 keeps the spelling: what was asked for as ".read" is granted as ".read".
	v1 bool
}

// Parse reads one scope. A text that starts like a clinical scope has to be one: a misspelt
// "system/Measure.sr" is an error, not a scope with a strange name. So is a text that starts like
// one of ours and is none.
func Parse(text string) (Scope, error) {
	if text == "" || len(text) > maxLength || strings.IndexFunc(text, notScopeChar) >= 0 {
		return Scope{}, fmt.Errorf("%w: not 1 to %d characters that a scope may have",
			ErrMalformed, maxLength)
	}
	context, rest, clinical := strings.Cut(text, "/")
	switch Context(context) {
	case Patient, User, System:
	default:
		clinical = false
	}
	if !clinical {
		if context == ownPrefix && !slices.Contains(Own(), text) {
			return Scope{}, fmt.Errorf("%w: want one of %s", ErrMalformed, strings.Join(Own(), ", "))
		}
		return Scope{Name: text}, nil
	}
	s := Scope{Context: Context(context)}
	rest, query, limited := strings.Cut(rest, "?")
	kind, actions, ok := strings.Cut(rest, ".")
	if !ok || !isType(kind) {
		return Scope{}, fmt.Errorf("%w: want a resource type or *, a dot and actions", ErrMalformed)
	}
	s.Type = kind
	if s.Actions, s.v1, ok = parseActions(actions); !ok {
		return Scope{}, fmt.Errorf("%w: actions are some of %q in this order, or read, write or *",
			ErrMalformed, letters)
	}
	if limited {
		if s.v1 {
			return Scope{}, fmt.Errorf("%w: search parameters need actions of SMART 2", ErrMalformed)
		}
		if s.Query, ok = parseQuery(query); !ok {
			return Scope{}, fmt.Errorf("%w: search parameters are name=value", ErrMalformed)
		}
	}
	return s, nil
}

// maxLength bounds one scope; real ones are below a hundred characters.
const maxLength = 1024

// notScopeChar holds the alphabet of RFC 6749 3.3: printable ASCII without space, quote and
// backslash.
func notScopeChar(r rune) bool {
	return r < 0x21 || r > 0x7e || r == '"' || r == '\\'
}

// isType accepts "*" and what is spelt like a resource type. Whether FHIR has the type is not
// checked: a grant for a type that nobody serves opens nothing.
func isType(s string) bool {
	if s == "*" {
		return true
	}
	if s == "" || len(s) > 64 || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// parseActions reads actions of either version: read is rs, write is cud, * is all of them.
func parseActions(s string) (a Actions, v1, ok bool) {
	switch s {
	case "read":
		return Read | Search, true, true
	case "write":
		return Create | Update | Delete, true, true
	case "*":
		return all, true, true
	case "":
		return 0, false, false
	}
	rest := letters
	for _, c := range s {
		i := strings.IndexRune(rest, c)
		if i < 0 {
			return 0, false, false
		}
		a |= 1 << (len(letters) - len(rest) + i)
		rest = rest[i+1:]
	}
	return a, false, true
}

// parseQuery brings search parameters into one order. Each is a limit of its own, so their order
// and repeats mean nothing. Values are compared as they are written.
func parseQuery(s string) (string, bool) {
	params := strings.Split(s, "&")
	for _, p := range params {
		if name, _, ok := strings.Cut(p, "="); !ok || name == "" {
			return "", false
		}
	}
	slices.Sort(params)
	return strings.Join(slices.Compact(params), "&"), true
}

// String writes the scope as SMART spells it; what was read in the spelling of version 1 is
// written in it.
func (s Scope) String() string {
	if s.Context == None {
		return s.Name
	}
	text := string(s.Context) + "/" + s.Type + "." + s.spelling()
	if s.Query != "" {
		text += "?" + s.Query
	}
	return text
}

// spelling writes the actions.
func (s Scope) spelling() string {
	if s.v1 && s.Query == "" {
		switch s.Actions {
		case Read | Search:
			return "read"
		case Create | Update | Delete:
			return "write"
		case all:
			return "*"
		default: // Version 1 has no word for it.
		}
	}
	var text strings.Builder
	for i, c := range letters {
		if s.Actions&(1<<i) != 0 {
			text.WriteRune(c)
		}
	}
	return text.String()
}
