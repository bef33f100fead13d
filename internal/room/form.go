package room

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/server/words"
)

// Form is what somebody sent. Its methods read one field each and remember what is wrong with it, so that
// a page can say everything at once; a field with a fault reads as far as it can be shown again.
type Form struct {
	values url.Values
	faults []fault
}

// fault is what is wrong with a field: a key of a sentence, and what stands in its places.
type fault struct {
	field, key string
	places     []any
}

// Form reads the form of a request, which has the named fields and no others.
func (v *Visit) Form(known ...string) (*Form, error) {
	r := v.Request
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, &InputError{Why: "what was sent is not a form"}
	}
	r.Body = http.MaxBytesReader(v.writer, r.Body, MaxForm)
	if err := r.ParseForm(); err != nil {
		return nil, readError(err)
	}
	for name := range r.PostForm {
		if !slices.Contains(known, name) {
			return nil, &InputError{Why: "the form has a field that the page does not know"}
		}
	}
	return &Form{values: r.PostForm}, nil
}

// Fault remembers what is wrong with a field: a sentence of a key.
func (f *Form) Fault(field, key string, places ...any) {
	for _, one := range f.faults {
		if one.field == field {
			return // One thing at a time.
		}
	}
	f.faults = append(f.faults, fault{field, key, places})
}

// Faulty reports whether anything is wrong.
func (f *Form) Faulty() bool { return len(f.faults) > 0 }

// Faults says what is wrong, in the order in which it was found.
func (f *Form) Faults(w *words.Words) []page.Fault {
	out := make([]page.Fault, len(f.faults))
	for i, one := range f.faults {
		out[i] = page.Fault{Field: one.field, Text: w.Say(one.key, one.places...)}
	}
	return out
}

// one is the value of a field that is there once at most.
func (f *Form) one(field string) string {
	values := f.values[field]
	if len(values) > 1 {
		f.Fault(field, "form.twice")
	}
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// Text reads free text of at most so many bytes: with the ends of lines as they are here, without what
// surrounds it, and without what nobody sees and some programs act upon, such as marks that turn the
// direction of writing. What could be seen is never changed, nor is a text cut short.
func (f *Form) Text(field string, most int, needed bool) string {
	text := f.one(field)
	if !utf8.ValidString(text) {
		f.Fault(field, "form.signs")
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text)
	text = strings.TrimSpace(strings.Map(visible, text))
	if len(text) > most {
		f.Fault(field, "form.long", utf8.RuneCountInString(text), most)
	}
	if needed && text == "" {
		f.Fault(field, "form.needed")
	}
	return text
}

// visible drops what no reader sees.
func visible(r rune) rune {
	switch {
	case r == '\n', r == '\t':
		return r
	case unicode.IsControl(r), r == '\ufeff', unicode.Is(unicode.Bidi_Control, r):
		return -1
	}
	return r
}

// Choice reads one of some values; "" where nothing is chosen, which is a fault where it is needed.
func (f *Form) Choice(field string, among []string, needed bool) string {
	value := f.one(field)
	switch {
	case value == "" && needed:
		f.Fault(field, "form.choose")
	case value != "" && !slices.Contains(among, value):
		f.Fault(field, "form.choice")
		return ""
	}
	return value
}

// Choices reads some of some values, in the order of the latter.
func (f *Form) Choices(field string, among []string) []string {
	var out []string
	for _, one := range among {
		if slices.Contains(f.values[field], one) {
			out = append(out, one)
		}
	}
	for _, one := range f.values[field] {
		if !slices.Contains(among, one) {
			f.Fault(field, "form.choice")
		}
	}
	return out
}

// Version reads the version of what the page showed, which the form brings back. It is a hidden field, so
// that a bad one is nobody's mistake.
func (f *Form) Version(field string) (int, error) {
	n, err := strconv.Atoi(f.one(field))
	if err != nil || n < 0 {
		return 0, &InputError{Field: field, Why: "want the version that the page showed"}
	}
	return n, nil
}

// Day reads a day such as 2026-03-01; "" where there is none.
func (f *Form) Day(field string, needed bool) string {
	text := strings.TrimSpace(f.one(field))
	if text == "" {
		if needed {
			f.Fault(field, "form.needed")
		}
		return ""
	}
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		f.Fault(field, "form.day")
		return words.Plain(text)
	}
	return text
}

// readError is the error of a form that cannot be read, without a word of it.
func readError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fmt.Errorf("read a form: %w", err)
	}
	return &InputError{Why: "the form cannot be read"}
}
