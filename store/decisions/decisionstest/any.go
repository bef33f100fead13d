package decisionstest

import (
	"errors"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/store/decisions"
)

// Keeps writes a document and holds that it is refused as invalid or comes back as it was, by its name
// and by each of its terms.
func Keeps(t testing.TB, s decisions.Store, document decisions.Document) error {
	t.Helper()
	written, err := s.Write(t.Context(), decisions.Change{Document: document})
	if errors.Is(err, decisions.ErrInvalid) {
		_, err := s.Get(t.Context(), document.Kind, document.ID)
		if errors.Is(err, decisions.ErrNotFound) {
			return nil
		}
		return err
	}
	if err != nil {
		return err
	}
	read, err := s.Get(t.Context(), document.Kind, document.ID)
	if err != nil {
		return err
	}
	if d := cmp.Diff(written[0], read); d != "" {
		return errors.New("it is not read as it was written: " + d)
	}
	for name, value := range document.Terms {
		found, err := s.Find(t.Context(), decisions.Query{
			Kind: document.Kind, Terms: map[string][]string{name: {value}},
		})
		if err != nil {
			return err
		}
		if !has(found, document.ID) {
			return errors.New("it is not found by its term " + strconv.Quote(name))
		}
	}
	return nil
}

func has(found []decisions.Document, id string) bool {
	for _, d := range found {
		if d.ID == id {
			return true
		}
	}
	return false
}

// takesAnything writes documents of any texts at all.
func takesAnything(t *testing.T, s decisions.Store) {
	var checks atomic.Int64
	rapid.Check(t, func(r *rapid.T) {
		document := decisions.Document{
			Kind: decisions.Incident, ID: "x" + strconv.FormatInt(checks.Add(1), 10),
			By:    rapid.String().Draw(r, "by"),
			Terms: rapid.MapOfN(rapid.SampledFrom([]string{"a", "b-c", "D.e_f"}), rapid.String(), 0, 2).Draw(r, "terms"),
			Body:  []byte(strconv.Quote(rapid.StringMatching(`[ -~é中]{0,20}`).Draw(r, "body"))),
		}
		if err := Keeps(t, s, document); err != nil {
			r.Fatalf("%+v: %v", document, err)
		}
	})
}
