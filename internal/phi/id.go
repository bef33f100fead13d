// Package phi holds the identifier type that cannot be printed by accident.
//
// A FHIR logical id names a person to anyone who can query the EHR, so it may not reach a log, a
// metric, an error or a URL. ID prints as a fixed word under every verb of fmt, in slog and in
// JSON; the stored text comes out of Reveal alone, and every call of Reveal can be found by name.
package phi

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[id]"

// ID is a FHIR logical id of a Patient, an Encounter or an AdverseEvent. The zero ID means that
// there is none. IDs are comparable.
type ID struct{ text string }

// New wraps text.
func New(text string) ID { return ID{text: text} }

// Reveal returns the text itself: for the store and for a request that the EHR will authorise.
func (id ID) Reveal() string { return id.text }

// Empty reports whether there is no id.
func (id ID) Empty() bool { return id.text == "" }

// String returns a fixed word.
func (ID) String() string { return redacted }

// Format writes a fixed word for every verb and flag, so that %v, %+v, %#v, %q and %x are alike.
func (ID) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue makes slog print a fixed word.
func (ID) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes encoding/json and its kin print a fixed word, as a value and as a map key.
func (ID) MarshalText() ([]byte, error) { return []byte(redacted), nil }
