package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// decode leaves data empty where the text does not name it. The decoder panics on some files, such as one
// with a tag before a single value where a list belongs; an operator is told that the file cannot be read.
func decode(text []byte) (c Config, err error) {
	defer func() {
		if recover() != nil {
			c, err = Config{}, errors.New("no configuration: is a tag, a word that begins with !, before a value?")
		}
	}()
	c = Default()
	c.Data = ""
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		// The lines around it show best where the structure breaks.
		return Config{}, errors.New(strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if len(tree.Docs) > 1 {
		return Config{}, fmt.Errorf("the file holds %d documents, want one", len(tree.Docs))
	}
	var list []error
	for _, document := range tree.Docs {
		if document.Body == nil || document.Body.Type() == ast.NullType {
			continue // Nothing but comments.
		}
		list = append(list, decodeTree(document.Body, &c)...)
	}
	return c, errors.Join(append(list, c.Validate())...)
}

// decodeTree fills c and returns every fault by its line. The decoder stops at the first, so what it
// stopped at is cut out and the rest is tried again.
func decodeTree(body ast.Node, c *Config) []error {
	var list []located
	for {
		fresh := *c
		err := yaml.NodeToValue(body, &fresh, yaml.Strict())
		if err == nil {
			*c = fresh
			break
		}
		at := place(err)
		if at == nil {
			list = append(list, located{text: err.Error()})
			break
		}
		list = append(list, located{at.Position.Line, words(err, at)})
		if !cut(body, at) {
			break
		}
	}
	slices.SortStableFunc(list, func(a, b located) int { return cmp.Compare(a.line, b.line) })
	faults := make([]error, len(list))
	for i, l := range list {
		faults[i] = fmt.Errorf("line %d: %s", l.line, l.text)
	}
	return faults
}

// located is a fault of the text.
type located struct {
	line int
	text string
}

// words says what is wrong at a place to somebody who does not write Go.
func words(err error, at *token.Token) string {
	var unknown *yaml.UnknownFieldError
	var kind *yaml.TypeError
	switch {
	case errors.As(err, &unknown):
		return fmt.Sprintf("unknown key %q", at.Value)
	case errors.As(err, &kind) && wanted[kind.DstType.Kind()] != "":
		if at.Type == token.StringType {
			return fmt.Sprintf("%q is not %s", at.Value, wanted[kind.DstType.Kind()])
		}
		return "this is not " + wanted[kind.DstType.Kind()]
	}
	var fault yaml.Error
	if errors.As(err, &fault) {
		return fault.GetMessage()
	}
	return err.Error()
}

// wanted names what a key of the file holds.
var wanted = map[reflect.Kind]string{
	reflect.Bool: "true or false", reflect.Int: "a whole number", reflect.Float64: "a number",
	reflect.String: "text", reflect.Slice: "a list", reflect.Map: "a list of keys", reflect.Struct: "a list of keys",
}

// place is where in the text a fault is.
func place(err error) *token.Token {
	var fault yaml.Error
	if errors.As(err, &fault) {
		return fault.GetToken()
	}
	return nil
}

// cut removes the entry at whose key or value a fault is, and reports whether it was there.
func cut(node ast.Node, at *token.Token) bool {
	switch n := node.(type) {
	case *ast.MappingNode:
		for i, entry := range n.Values {
			if entry.Key.GetToken() == at || entry.Value.GetToken() == at {
				n.Values = append(n.Values[:i], n.Values[i+1:]...)
				return true
			}
			if cut(entry.Value, at) {
				return true
			}
		}
	case *ast.SequenceNode:
		for i, item := range n.Values {
			if item.GetToken() == at {
				n.Values = append(n.Values[:i], n.Values[i+1:]...)
				return true
			}
			if cut(item, at) {
				return true
			}
		}
	}
	return false
}
