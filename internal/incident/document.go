package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/equitylens/equitylens/store/decisions"
)

// Terms by which the documents of events are found.
const (
	termSource = "source"
	termState  = "state"
)

// stored is the body of a document of kind Incident.
type stored struct {
	// V is the version of this form.
	V      int    `json:"v"`
	Source string `json:"source"`
	// Withdrawn marks an event whose report was taken back. What it was stays.
	Withdrawn bool `json:"withdrawn,omitempty"`
	// Resource is the AdverseEvent; absent where the report was taken back before it was brought in.
	Resource json.RawMessage `json:"resource,omitempty"`
}

// storedForm is the version of stored that is written.
const storedForm = 1

// errForm: a document was written by a newer program.
var errForm = errors.New("an incident is in a form that this version of the program does not know")

// readStored reads the body of a document. The cause of what is no JSON may quote it, so that it is not
// repeated.
func readStored(d decisions.Document) (stored, error) {
	var s stored
	if err := json.Unmarshal(d.Body, &s); err != nil || s.V != storedForm {
		return stored{}, errForm
	}
	return s, nil
}

// document is the body as it is written.
func (s stored) document(id string) (decisions.Document, error) {
	state := statusActive
	if s.Withdrawn {
		state = statusWithdrawn
	}
	body, err := json.Marshal(s)
	if err != nil {
		return decisions.Document{}, fmt.Errorf("write an incident: %w", err)
	}
	return decisions.Document{
		Kind: decisions.Incident, ID: id, Body: body, Terms: map[string]string{termSource: s.Source, termState: state},
	}, nil
}

// equal compares what was meant, because a database may write JSON in its own way.
func (s stored) equal(other stored) bool {
	if s.Source != other.Source || s.Withdrawn != other.Withdrawn || (s.Resource == nil) != (other.Resource == nil) {
		return false
	}
	if s.Resource == nil {
		return true
	}
	var a, b any
	if json.Unmarshal(s.Resource, &a) != nil || json.Unmarshal(other.Resource, &b) != nil {
		return false
	}
	return reflect.DeepEqual(a, b)
}

// Finder finds documents; a decisions.Store is one.
type Finder interface {
	Find(ctx context.Context, q decisions.Query) ([]decisions.Document, error)
}

// page is how many documents are in memory at a time where all are walked over.
const page = 1000

// each calls use for every event of a source, in the order of their ids; "" is all sources.
func each(ctx context.Context, from Finder, source string, use func(decisions.Document, stored) error) error {
	q := decisions.Query{Kind: decisions.Incident, Limit: page}
	if source != "" {
		q.Terms = map[string][]string{termSource: {source}}
	}
	for {
		found, err := from.Find(ctx, q)
		if err != nil {
			return fmt.Errorf("find incidents: %w", err)
		}
		for _, d := range found {
			s, err := readStored(d)
			if err != nil {
				return err
			}
			if err := use(d, s); err != nil {
				return err
			}
		}
		if len(found) < page {
			return nil
		}
		q.After = found[len(found)-1].ID
	}
}

// Sources lists the names of the incident systems of which there are events, withdrawn ones included.
func Sources(ctx context.Context, from Finder) ([]string, error) {
	var out []string
	err := each(ctx, from, "", func(_ decisions.Document, s stored) error {
		if i, known := slices.BinarySearch(out, s.Source); !known {
			out = slices.Insert(out, i, s.Source)
		}
		return nil
	})
	return out, err
}
