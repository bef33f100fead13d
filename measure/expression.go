package measure

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// token is a word, a quoted text or a sign of an expression. kind is the first rune of its class:
// 'a' for a word, '\” for a text, '"' for a quoted name, else the sign itself.
type token struct {
	kind byte
	text string
}

// tokens cuts an expression into its parts, comments left out.
func tokens(text string) ([]token, error) {
	var out []token
	for i := 0; i < len(text); {
		n, err := tokenLength(text[i:])
		if err != nil {
			return nil, err
		}
		if t, ok := newToken(text[i : i+n]); ok {
			out = append(out, t)
		}
		i += n
	}
	return out, nil
}

// tokenLength is how far the first token of a text, or the space or comment before it, reaches.
func tokenLength(text string) (int, error) {
	switch c := text[0]; {
	case c == '\'' || c == '"':
		return quotedLength(text)
	case strings.HasPrefix(text, "--"):
		if end := strings.IndexByte(text, '\n'); end >= 0 {
			return end, nil
		}
		return len(text), nil
	case strings.HasPrefix(text, "/*"):
		end := strings.Index(text, "*/")
		if end < 0 {
			return 0, errors.New("a comment /* has no end */")
		}
		return end + len("*/"), nil
	case word(c):
		n := 1
		for n < len(text) && word(text[n]) {
			n++
		}
		if n < len(text) && text[n] == '\'' {
			return 0, fmt.Errorf("%s before a quoted text is not supported", text[:n])
		}
		return n, nil
	case c == ';':
		return 0, errors.New("a ';' would end the condition; there can be only one")
	case c == '$' || c == '?':
		return 0, fmt.Errorf("%q stands for a parameter, and there are none", c)
	}
	return 1, nil
}

// quotedLength is the length of a quoted text, in which a quote is written twice.
func quotedLength(text string) (int, error) {
	for i := 1; i < len(text); i++ {
		if text[i] != text[0] {
			continue
		}
		if i+1 < len(text) && text[i+1] == text[0] {
			i++
			continue
		}
		return i + 1, nil
	}
	return 0, fmt.Errorf("a quote %c has no end", text[0])
}

func word(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' ||
		c >= 0x80
}

func newToken(text string) (token, bool) {
	c := text[0]
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || strings.HasPrefix(text, "--") ||
		strings.HasPrefix(text, "/*"):
		return token{}, false
	case c == '\'' || c == '"':
		quote := string(c)
		return token{c, strings.ReplaceAll(text[1:len(text)-1], quote+quote, quote)}, true
	case word(c):
		return token{'a', strings.ToLower(text)}, true
	}
	return token{c, text}, true
}

// errOneRow refuses what looks beyond the row that a condition is about.
var errOneRow = errors.New(
	"a condition is about one row; it can neither look up others nor count them")

// expressionFault says what is wrong with the form of an expression, before any database sees it:
// an expression is one term over the columns of one row and nothing that could step out of it.
func expressionFault(text string) error {
	parts, err := tokens(text)
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		return errors.New("there is no condition")
	}
	depth := 0
	for i, t := range parts {
		before := token{'(', "("}
		if i > 0 {
			before = parts[i-1]
		}
		switch {
		case t.kind == '(':
			depth++
		case t.kind == ')' && depth == 0:
			return errors.New("a ')' has no '(' before it")
		case t.kind == ')':
			depth--
		case t.kind == 'a' && (t.text == "select" || before.kind == '(' && startsQuery(t.text)):
			return errOneRow
		case t.kind == 'a' && t.text == "over" && before.kind == ')':
			return errOneRow
		}
	}
	if depth > 0 {
		return errors.New("a '(' has no ')' after it")
	}
	return nil
}

// startsQuery reports whether a word after a bracket makes a query of what is in it.
func startsQuery(word string) bool {
	return slices.Contains([]string{"from", "with", "values", "table", "pivot", "unpivot", "describe",
		"show", "summarize"}, word)
}

// wrongValue finds a text that is compared with a column of which it is no value, such as a class
// that does not exist: a database takes that for a condition that is never true.
func wrongValue(text string, values map[string][]string) (column, value string, found bool) {
	parts, err := tokens(text)
	if err != nil {
		return "", "", false
	}
	for i, t := range parts {
		allowed, closed := values[t.text]
		if !closed || t.kind != 'a' && t.kind != '"' {
			continue
		}
		for _, v := range compared(parts[i+1:]) {
			if !slices.Contains(allowed, v) {
				return t.text, v, true
			}
		}
	}
	return "", "", false
}

// compared lists the texts with which the column before the parts is compared: = 'x', <> 'x', !=
// 'x', in ('x', 'y').
func compared(parts []token) []string {
	i := 0
	for i < len(parts) && (strings.IndexByte("=<>!", parts[i].kind) >= 0 ||
		parts[i].kind == 'a' && (parts[i].text == "not" || parts[i].text == "in")) {
		i++
	}
	if i == 0 || i == len(parts) {
		return nil
	}
	if parts[i].kind == '\'' {
		return []string{parts[i].text}
	}
	var out []string
	if parts[i].kind == '(' {
		for _, t := range parts[i+1:] {
			if t.kind == ')' {
				break
			}
			if t.kind == '\'' {
				out = append(out, t.text)
			}
		}
	}
	return out
}
