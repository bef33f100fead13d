package page

import (
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/server/words"
)

// voice says what pages say, in one language.
type voice struct{ *words.Words }

// value returns the words for a value, or for how it is absent. With unread, what is missing may only
// not have been read.
func (w *voice) value(family string, v mapping.Value, unread bool) string {
	switch state := stateOf(v, unread); {
	case state != string(mapping.Known):
		return w.Say("state." + state)
	case family == mapping.DimensionLanguage:
		return words.Capital(w.Language(v.Code))
	default:
		return w.Label(family, v.Code)
	}
}

// notRead is, beside the states of mapping, that of a value whose absence proves nothing.
const notRead = "not-read"

// stateOf returns the last part of the keys about the state of a value.
func stateOf(v mapping.Value, unread bool) string {
	switch {
	case v.State != "" && v.State != mapping.Missing:
		return string(v.State)
	case unread:
		return notRead
	}
	return string(mapping.Missing)
}
