package words

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

//go:embed words/*/*.json
var catalogues embed.FS

// Languages lists the languages that there are catalogues of; the first is that of a reader who asks for
// none of them.
func Languages() []language.Tag { return []language.Tag{language.English, language.Spanish} }

// Words says everything in one language. It is not changed once made, and may be used by many
// goroutines at once.
type Words struct {
	tag      language.Tag
	keys     map[string]bool
	printer  *message.Printer
	numbers  *message.Printer
	location *time.Location
}

// Form is one entry of a catalogue: a sentence, or one for each plural form of its first argument.
type Form struct{ One, Other string }

// UnmarshalJSON reads a text, or an object with the texts "one" and "other".
func (f *Form) UnmarshalJSON(raw []byte) error {
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

// Areas lists the catalogues of a language: each is a file.
func Areas(tag language.Tag) ([]string, error) {
	files, err := catalogues.ReadDir("words/" + tag.String())
	if err != nil {
		return nil, fmt.Errorf("words: list the catalogues of %v: %w", tag, err)
	}
	areas := make([]string, 0, len(files))
	for _, f := range files {
		areas = append(areas, strings.TrimSuffix(f.Name(), ".json"))
	}
	return areas, nil
}

// Catalogue reads the sentences of one area in one language, by key.
func Catalogue(tag language.Tag, area string) (map[string]Form, error) {
	name := "words/" + tag.String() + "/" + area + ".json"
	raw, err := catalogues.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("words: open a catalogue: %w", err)
	}
	var forms map[string]Form
	if err := json.Unmarshal(raw, &forms); err != nil {
		return nil, fmt.Errorf("words: read %s: %w", name, err)
	}
	return forms, nil
}

// New reads the catalogues of one language. A location of nil reads times of day in UTC. An error is a
// fault of the build.
func New(tag language.Tag, location *time.Location) (*Words, error) {
	if location == nil {
		location = time.UTC
	}
	areas, err := Areas(tag)
	if err != nil {
		return nil, err
	}
	w := &Words{tag: tag, keys: map[string]bool{}, location: location}
	builder := catalog.NewBuilder(catalog.Fallback(tag))
	for _, area := range areas {
		forms, err := Catalogue(tag, area)
		if err != nil {
			return nil, err
		}
		for key, f := range forms {
			if w.keys[key] {
				return nil, fmt.Errorf("words: %s stands in two catalogues of %v", key, tag)
			}
			w.keys[key] = true
			if err := f.set(builder, tag, key); err != nil {
				return nil, fmt.Errorf("words: read %s of %v: %w", key, tag, err)
			}
		}
	}
	w.printer = message.NewPrinter(tag, message.Catalog(builder))
	w.numbers = message.NewPrinter(inUnitedStates(tag))
	return w, nil
}

// inUnitedStates is a language as it is written in the United States, where Spanish too has a decimal
// point.
func inUnitedStates(tag language.Tag) language.Tag {
	here, err := language.Compose(tag, language.MustParseRegion("US"))
	if err != nil {
		return tag
	}
	return here
}

// set puts the entry of a key into a catalogue.
func (f Form) set(builder *catalog.Builder, tag language.Tag, key string) error {
	if f.One == "" {
		return builder.SetString(tag, key, f.Other)
	}
	return builder.Set(tag, key, plural.Selectf(1, "%d", plural.One, f.One, plural.Other, f.Other))
}

// Tag is the language.
func (w *Words) Tag() language.Tag { return w.tag }

// Has reports whether there is a sentence of a key.
func (w *Words) Has(key string) bool { return w.keys[key] }

// Say returns the sentence of a key, with its places filled in. A key that is none, such as one made of a
// code that nobody knows, is returned as it is.
func (w *Words) Say(key string, arguments ...any) string {
	if !w.keys[key] {
		return Plain(key)
	}
	return w.printer.Sprintf(message.Key(key, key), arguments...)
}

// Label returns the words for a code, and the code itself where there are none.
func (w *Words) Label(family, code string) string {
	if key := family + "." + code; w.keys[key] {
		return w.Say(key)
	}
	return Plain(code)
}

// Language names a language by the primary subtag of BCP 47, as within a sentence. In English it is named
// as in reports. In Spanish the names of CLDR are used; the name of a language that it does not hold is
// left in English, in quotes.
func (w *Words) Language(code string) string {
	if key := "language." + code; w.keys[key] {
		return w.Say(key)
	}
	name := mapping.Label(mapping.DimensionLanguage, code)
	if w.tag != language.Spanish {
		return Plain(name)
	}
	if base, err := language.ParseBase(code); err == nil {
		if tag, err := language.Raw.Compose(base); err == nil {
			if known := display.Spanish.Languages().Name(tag); known != "" {
				return known
			}
		}
	}
	return "«" + Plain(name) + "»"
}

// Capital returns text with a capital letter in front, for a name of a language that stands alone.
func Capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// longest is how many characters of a text from elsewhere are shown, longestProse of a paragraph.
const (
	longest      = 160
	longestProse = 2000
)

// Plain takes from a text of somebody else what is no text: control characters, and those by which one
// text turns around the direction of the others around it. Marks that only say how a letter is joined or
// which way it reads stay. What is very long is cut.
func Plain(text string) string { return plain(text, longest) }

// Prose is Plain of what may be as long as a paragraph, such as the source of a definition.
func Prose(text string) string { return plain(text, longestProse) }

func plain(text string, most int) string {
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
		if count++; count > most {
			return out.String() + "…"
		}
		out.WriteRune(r)
	}
	return strings.TrimSpace(out.String())
}
