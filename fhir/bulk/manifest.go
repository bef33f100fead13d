package bulk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/equitylens/equitylens/fhir"
)

// Kind says which list of the manifest a file stood in.
type Kind string

// The kinds of files.
const (
	// Output holds resources.
	Output Kind = "output"
	// Deleted holds transaction Bundles that say what is gone. It is applied after Output.
	Deleted Kind = "deleted"
	// Error holds OperationOutcomes; the 4.0 ballot calls the list outcome.
	Error Kind = "error"
)

// Manifest is the answer to a finished export, one page of it or all pages joined.
type Manifest struct {
	// TransactionTime is the moment the data is as of. Zero if the server wrote no instant.
	TransactionTime time.Time
	Items           []Item
	// Next is the following page of the manifest (3.0), resolved; "" if this is the last.
	Next string
}

// Item is one file of a manifest.
type Item struct {
	Kind Kind `json:"kind"`
	// Type is the resource type of the file. It is empty where the server does not say, which 3.0
	// allows for files that hold several.
	Type string `json:"type,omitempty"`
	URL  string `json:"url"`
	// Count is the number of lines, if the server says.
	Count *int64 `json:"count,omitempty"`
	// NeedsToken is requiresAccessToken. Where it is false a server may want the token all the same.
	NeedsToken bool `json:"needs_token,omitempty"`
}

// ErrManifest says that an answer is not a manifest. The text around it says which part.
var ErrManifest = errors.New("not a Bulk Data manifest")

// manifestDocument is the manifest of versions 1.0 to the 4.0 ballot. Unknown keys are ignored.
type manifestDocument struct {
	ResourceType        string           `json:"resourceType"`
	TransactionTime     string           `json:"transactionTime"`
	RequiresAccessToken looseBool        `json:"requiresAccessToken"`
	Output              *[]manifestEntry `json:"output"`
	Deleted             []manifestEntry  `json:"deleted"`
	Error               []manifestEntry  `json:"error"`
	Outcome             []manifestEntry  `json:"outcome"`
	Link                []struct {
		Relation string `json:"relation"`
		URL      string `json:"url"`
	} `json:"link"`
}

// manifestEntry is one entry of one of the lists.
type manifestEntry struct {
	Type            string     `json:"type"`
	URL             string     `json:"url"`
	Count           looseCount `json:"count"`
	ContinuesInFile string     `json:"continuesInFile"`
}

// looseBool takes true, "true" and their opposites; anything else is false.
type looseBool bool

// UnmarshalJSON never fails: the flag is advice, and a 401 corrects it.
func (b *looseBool) UnmarshalJSON(data []byte) error {
	*b = strings.Trim(string(data), `"`) == "true"
	return nil
}

// looseCount takes 12 and "12". What is neither, or negative, is as if absent.
type looseCount struct{ value *int64 }

// UnmarshalJSON never fails: a count that cannot be read cannot be checked either.
func (c *looseCount) UnmarshalJSON(data []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(data), `"`), 10, 64)
	if err == nil && n >= 0 {
		c.value = &n
	}
	return nil
}

// ParseManifest reads one manifest. from is the address it came from, against which relative URLs
// are resolved. Its errors quote nothing of the document.
func ParseManifest(body []byte, from *url.URL) (Manifest, error) {
	var doc manifestDocument
	if json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), &doc) != nil {
		return Manifest{}, fmt.Errorf("%w: not the JSON that was expected", ErrManifest)
	}
	if doc.ResourceType != "" || doc.Output == nil && doc.TransactionTime == "" {
		return Manifest{}, fmt.Errorf("%w: neither output nor transactionTime", ErrManifest)
	}
	m := Manifest{TransactionTime: instant(doc.TransactionTime)}
	r := manifestReader{
		from: from, needsToken: bool(doc.RequiresAccessToken), seen: make(map[string]bool),
	}
	if doc.Output != nil {
		r.read(Output, *doc.Output)
	}
	r.read(Deleted, doc.Deleted)
	r.read(Error, doc.Error)
	r.read(Error, doc.Outcome)
	if r.err != nil {
		return Manifest{}, r.err
	}
	m.Items = r.items
	for _, link := range doc.Link {
		if link.Relation == "next" && link.URL != "" {
			next, err := resolve(from, link.URL)
			if err != nil {
				return Manifest{}, fmt.Errorf("%w: link next: %w", ErrManifest, err)
			}
			m.Next = next
		}
	}
	return m, nil
}

// manifestReader gathers the files of one manifest, each once.
type manifestReader struct {
	from       *url.URL
	needsToken bool
	seen       map[string]bool
	items      []Item
	err        error
}

// read takes one list. A file that another continues in is listed in its own right; where a server
// forgot that, it is added.
func (r *manifestReader) read(kind Kind, entries []manifestEntry) {
	for i, entry := range entries {
		place := fmt.Sprintf("%s[%d]", kind, i)
		if entry.Type != "" && !resourceType(entry.Type) {
			r.fail(fmt.Errorf("%w: %s.type is not a resource type", ErrManifest, place))
			return
		}
		r.add(kind, entry.Type, entry.URL, entry.Count.value, place+".url")
	}
	for i, entry := range entries {
		if entry.ContinuesInFile != "" {
			place := fmt.Sprintf("%s[%d].continuesInFile", kind, i)
			r.add(kind, entry.Type, entry.ContinuesInFile, nil, place)
		}
	}
}

// add takes one file, unless it is known.
func (r *manifestReader) add(kind Kind, resourceType, ref string, count *int64, place string) {
	address, err := resolve(r.from, ref)
	if err != nil {
		r.fail(fmt.Errorf("%w: %s: %w", ErrManifest, place, err))
		return
	}
	if key := string(kind) + " " + address; !r.seen[key] {
		r.seen[key] = true
		r.items = append(r.items, Item{
			Kind: kind, Type: resourceType, URL: address, Count: count, NeedsToken: r.needsToken,
		})
	}
}

// fail keeps the first fault.
func (r *manifestReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// errRef says that a URL in a manifest cannot be used.
var errRef = errors.New("missing, or not a URL")

// resolve returns ref as an absolute URL.
func resolve(from *url.URL, ref string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(ref))
	if err != nil || ref == "" {
		return "", errRef
	}
	u = from.ResolveReference(u)
	if u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", errRef
	}
	return u.String(), nil
}

// instant reads a FHIR instant; zero if it is none. A time without an offset names no moment.
func instant(text string) time.Time {
	at, err := fhir.ParseDateTime(text)
	if err != nil || !at.Zoned || !at.Plausible() {
		return time.Time{}
	}
	return time.UnixMicro(at.Micros).UTC()
}
