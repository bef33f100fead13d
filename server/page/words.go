package page

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"

	"github.com/equitylens/equitylens/mapping"
)

//go:embed words/*.json
var catalogues embed.FS

// languages lists the languages of the pages; the first is that of a reader who asks for none of them.
func languages() []language.Tag { return []language.Tag{language.English, language.Spanish} }

// words says everything in one language. It is not changed once made.
type words struct {
	tag      language.Tag
	keys     map[string]bool
	printer  *message.Printer
	location *time.Location
}

// form is one entry of a catalogue: a sentence, or one for each plural form of its first argument.
type form struct{ One, Other string }

// UnmarshalJSON reads a text, or an object with the texts "one" and "other".
func (f *form) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, &f.Other) == nil {
		return nil
	}
	forms := struct{ One, Other string }{}
	if err := json.Unmarshal(raw, &forms); err != nil {
		return fmt.Errorf("read plural forms: %w", err)
	}
	*f = forms
	return nil
}

// catalogue reads the sentences of one language.
func catalogue(tag language.Tag) (map[string]form, error) {
	name := "words/" + tag.String() + ".json"
	raw, err := catalogues.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("page: open a catalogue: %w", err)
	}
	var forms map[string]form
	if err := json.Unmarshal(raw, &forms); err != nil {
		return nil, fmt.Errorf("page: read %s: %w", name, err)
	}
	return forms, nil
}

// newWords reads the catalogue of one language.
func newWords(tag language.Tag, location *time.Location) (*words, error) {
	forms, err := catalogue(tag)
	if err != nil {
		return nil, err
	}
	w := &words{tag: tag, keys: make(map[string]bool, len(forms)), location: location}
	builder := catalog.NewBuilder(catalog.Fallback(tag))
	for key, f := range forms {
		w.keys[key] = true
		if f.One == "" {
			err = builder.SetString(tag, key, f.Other)
		} else {
			err = builder.Set(tag, key, plural.Selectf(1, "%d", plural.One, f.One, plural.Other, f.Other))
		}
		if err != nil {
			return nil, fmt.Errorf("page: read %s of %v: %w", key, tag, err)
		}
	}
	w.printer = message.NewPrinter(tag, message.Catalog(builder))
	return w, nil
}

// say returns the sentence of a key, with its places filled in. A key that is none, such as one made of a
// code that nobody knows, is returned as it is.
func (w *words) say(key string, arguments ...any) string {
	if !w.keys[key] {
		return plain(key)
	}
	return w.printer.Sprintf(message.Key(key, key), arguments...)
}

// label returns the words for a code, and the code itself where there are none.
func (w *words) label(family, code string) string {
	if key := family + "." + code; w.keys[key] {
		return w.say(key)
	}
	return plain(code)
}

// value returns the words for a value, or for how it is absent. With unread, what is missing may only
// not have been read.
func (w *words) value(family string, v mapping.Value, unread bool) string {
	switch state := stateOf(v, unread); {
	case state != string(mapping.Known):
		return w.say("state." + state)
	case family == mapping.DimensionLanguage:
		return capital(w.language(v.Code))
	default:
		return w.label(family, v.Code)
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

// language names a language by the primary subtag of BCP 47, as within a sentence. In English it is named
// as in reports. In Spanish the names of CLDR are used; the name of a language that it does not hold is
// left in English, in quotes.
func (w *words) language(code string) string {
	if key := "language." + code; w.keys[key] {
		return w.say(key)
	}
	name := mapping.Label(mapping.DimensionLanguage, code)
	if w.tag != language.Spanish {
		return plain(name)
	}
	if base, err := language.ParseBase(code); err == nil {
		if tag, err := language.Raw.Compose(base); err == nil {
			if known := display.Spanish.Languages().Name(tag); known != "" {
				return known
			}
		}
	}
	return "«" + plain(name) + "»"
}

// capital returns text with a capital letter in front, for a name of a language that stands alone.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// longest is how many characters of a text from elsewhere are shown.
const longest = 160

// plain takes from a text of somebody else what is no text: control characters, and those by which one
// text turns around the direction of the others around it. Marks that only say how a letter is joined or
// which way it reads stay. What is very long is cut.
func plain(text string) string {
	count := 0
	var out strings.Builder
	for _, r := range text {
		switch {
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == utf8.RuneError:
			continue
		case unicode.IsSpace(r):
			r = ' '
		case unicode.IsControl(r):
			continue
		}
		if count++; count > longest {
			return out.String() + "…"
		}
		out.WriteRune(r)
	}
	return strings.TrimSpace(out.String())
}
