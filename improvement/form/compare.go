package form

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/r4"
)

// Fault is one thing that is wrong with a resource that was sent. It repeats nothing of it but the
// names of elements.
type Fault struct {
	// Path is that of the element, "AdverseEvent.severity"; empty where the resource as a whole is at
	// fault.
	Path string
	Text string
}

// InvalidError says what is wrong with a resource that was sent.
type InvalidError struct {
	// Unreadable says that it is no resource of R4, or not of the type that belongs here; else it is
	// one, and cannot be taken.
	Unreadable bool
	Faults     []Fault
}

// Error implements error.
func (e *InvalidError) Error() string {
	texts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		texts[i] = strings.TrimPrefix(f.Path+": "+f.Text, ": ")
	}
	return strings.Join(texts, "; ")
}

func invalid(path, text string) error {
	return &InvalidError{Faults: []Fault{{Path: path, Text: text}}}
}

// tree is a resource as its JSON, in which elements can be compared without knowing them.
func tree(resource proto.Message) (map[string]any, error) {
	text, err := r4.Marshal(resource)
	if err != nil {
		return nil, fmt.Errorf("compare resources: %w", err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("compare resources: %w", err)
	}
	return out, nil
}

// beyond returns the path of an element of a that is not in b, or is another there; empty where
// there is none. Lists may be in another order. The names in skip are passed over at the top,
// display everywhere: it says in words what a code says.
func beyond(path string, a, b map[string]any, skip ...string) string {
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if name == "display" || slices.Contains(skip, name) {
			continue
		}
		if at := beyondValue(path+"."+strings.TrimPrefix(name, "_"), a[name], b[name]); at != "" {
			return at
		}
	}
	return ""
}

func beyondValue(path string, a, b any) string {
	switch a := a.(type) {
	case map[string]any:
		other, ok := b.(map[string]any)
		if !ok {
			return path
		}
		return beyond(path, a, other)
	case []any:
		others, _ := b.([]any)
		for i, one := range a {
			same := func(other any) bool { return beyondValue("", one, other) == "" }
			if !slices.ContainsFunc(others, same) {
				return closest(path+"["+strconv.Itoa(i)+"]", one, others, i)
			}
		}
		return ""
	}
	if a != b {
		return path
	}
	return ""
}

// closest is the path at which an entry of a list differs from that in the same place.
func closest(path string, one any, others []any, i int) string {
	if i < len(others) {
		return beyondValue(path, one, others[i])
	}
	return path
}
