package config_test

import (
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/equitylens/equitylens/internal/config"
)

// keys lists the keys of a struct as paths such as "cache.redis.addresses".
func keys(kind reflect.Type, prefix string) []string {
	for kind.Kind() == reflect.Slice {
		kind = kind.Elem()
	}
	if kind.Kind() != reflect.Struct || kind == reflect.TypeFor[config.Duration]() {
		return nil
	}
	var list []string
	for field := range kind.Fields() {
		if field.Tag.Get("yaml") == ",inline" {
			list = append(list, keys(field.Type, prefix)...)
			continue
		}
		name := prefix + field.Tag.Get("yaml")
		list = append(list, name)
		list = append(list, keys(field.Type, name+".")...)
	}
	return list
}

// keysOf lists the keys that a file names, in the same form.
func keysOf(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read %s: %v", path, err)
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatalf("parse %s: %v", path, err)
	}
	var list []string
	walk(tree, "", func(key string) { list = append(list, key) })
	slices.Sort(list)
	return slices.Compact(list)
}

func walk(node any, prefix string, visit func(string)) {
	switch n := node.(type) {
	case map[string]any:
		for name, value := range n {
			visit(prefix + name)
			walk(value, prefix+name+".", visit)
		}
	case []any:
		for _, item := range n {
			walk(item, prefix, visit)
		}
	}
}
