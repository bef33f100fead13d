package decisions

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"unicode"
	"unicode/utf8"
)

// ErrInvalid: a document or a query is not as documents and queries are.
var ErrInvalid = errors.New("not a valid decision")

// Bounds of a document.
const (
	maxBody   = 32 << 20
	maxTerms  = 64
	maxText   = 256
	maxValues = 1000
	minYear   = 1
	maxYear   = 9999
)

var (
	// idForm is the id of FHIR R4: https://hl7.org/fhir/R4/datatypes.html#id.
	idForm   = regexp.MustCompile(`^[A-Za-z0-9.-]{1,64}$`)
	termForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)
)

// check refuses what could not be read back the same from either database. It repeats nothing of what it
// refuses.
func check(document Document) error {
	if err := checkName(document.Kind, document.ID); err != nil {
		return err
	}
	if document.Version < 1 {
		return fmt.Errorf("%w: a version is expected that is below 0", ErrInvalid)
	}
	if year := document.At.Year(); year < minYear || year > maxYear {
		return fmt.Errorf("%w: its time is not between the years %d and %d", ErrInvalid, minYear, maxYear)
	}
	if document.By == "" {
		return fmt.Errorf("%w: it is not said who wrote it", ErrInvalid)
	}
	if err := checkValue(document.By); err != nil {
		return fmt.Errorf("who wrote it: %w", err)
	}
	if len(document.Terms) > maxTerms {
		return fmt.Errorf("%w: it has %d terms, more than %d", ErrInvalid, len(document.Terms), maxTerms)
	}
	for name, value := range document.Terms {
		if err := checkTerm(name); err != nil {
			return err
		}
		if err := checkValue(value); err != nil {
			return fmt.Errorf("term %s: %w", name, err)
		}
	}
	return checkBody(document.Body)
}

// checkName refuses what cannot name a document.
func checkName(kind Kind, id string) error {
	if !slices.Contains(Kinds(), kind) {
		return fmt.Errorf("%w: it is of no kind that this program knows", ErrInvalid)
	}
	if !idForm.MatchString(id) {
		return fmt.Errorf("%w: its id is not 1 to 64 letters, digits, dashes and dots", ErrInvalid)
	}
	return nil
}

func checkTerm(name string) error {
	if !termForm.MatchString(name) {
		return fmt.Errorf("%w: the name of a term is not a letter and up to 63 letters, digits, "+
			"dashes, dots and underscores", ErrInvalid)
	}
	return nil
}

// checkValue refuses what is no short text of one line.
func checkValue(text string) error {
	if len(text) > maxText {
		return fmt.Errorf("%w: a text of %d bytes, more than %d", ErrInvalid, len(text), maxText)
	}
	if !utf8.ValidString(text) {
		return fmt.Errorf("%w: a text that is not UTF-8", ErrInvalid)
	}
	for _, r := range text {
		if unicode.IsControl(r) {
			return fmt.Errorf("%w: a text with a control character", ErrInvalid)
		}
	}
	return nil
}

func checkBody(body []byte) error {
	if len(body) > maxBody {
		return fmt.Errorf("%w: its body has %d bytes, more than %d", ErrInvalid, len(body), maxBody)
	}
	if !utf8.Valid(body) || !json.Valid(body) {
		return fmt.Errorf("%w: its body is not JSON in UTF-8", ErrInvalid)
	}
	return nil
}

// check refuses a query that no caller can mean.
func (q Query) check() error {
	if !slices.Contains(Kinds(), q.Kind) {
		return fmt.Errorf("%w: a query for no kind that this program knows", ErrInvalid)
	}
	if q.Limit < 0 {
		return fmt.Errorf("%w: a query with a limit below 0", ErrInvalid)
	}
	if q.After != "" && !idForm.MatchString(q.After) {
		return fmt.Errorf("%w: a query after what is no id", ErrInvalid)
	}
	values := 0
	for _, v := range q.Terms {
		values += len(v)
	}
	if len(q.Terms) > maxTerms || values > maxValues {
		return fmt.Errorf("%w: a query for %d terms with %d values, more than %d and %d", ErrInvalid,
			len(q.Terms), values, maxTerms, maxValues)
	}
	return nil
}
