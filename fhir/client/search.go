package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Bounds of a search.
const (
	maxPageBytes    = 256 << 20
	defaultMaxPages = 1_000_000
)

// Query is a search of one type. http://hl7.org/fhir/R4/search.html
type Query struct {
	Type string
	// Params are further search parameters.
	Params url.Values
	// Since asks for what changed at or after a moment, by _lastUpdated. Zero asks for everything.
	Since time.Time
	// Count is the page size to ask for. Zero leaves it to the server.
	Count int
	// MaxPages ends a search that does not end by itself. Zero means a million.
	MaxPages int
}

// Page is one page of a search. Its slices belong to the receiver.
type Page struct {
	// Number counts from 1.
	Number int
	// Entries are the matches, each on one line, ready to be a line of NDJSON.
	Entries []json.RawMessage
	// Issues are those of OperationOutcomes among the entries: what the server ignored or left out.
	Issues []Issue
}

// Totals is what a whole search came to.
type Totals struct {
	Pages   int
	Entries int64
	// Included counts entries of other types, which were not asked for and are not handed on.
	Included int64
	// Said is the Bundle.total of the first page, if the server gave one.
	Said *int64
	// Started is the server's own clock at the first page: the moment from which the next search may
	// ask for changes. Zero if the server does not say.
	Started time.Time
	// Issues counts the issues of all pages.
	Issues map[Issue]int64
}

// ErrLoop says that a search's next link led back to a page already read, or never ended.
var ErrLoop = errors.New("the pages do not end")

// Search reads every page of a search and hands each to yield in order; an error of yield ends it.
// A next link is followed within a trusted origin only, since it carries the token. A page that was
// read is not read again; a search cut short by an error has to be run anew.
func (c *Client) Search(
	ctx context.Context, q Query, yield func(context.Context, Page) error,
) (Totals, error) {
	totals := Totals{Issues: make(map[Issue]int64)}
	if !typeName(q.Type) {
		return totals, errors.New("search: not the name of a resource type")
	}
	limit := q.MaxPages
	if limit <= 0 {
		limit = defaultMaxPages
	}
	seen := make(map[[sha256.Size]byte]bool)
	for next := q.url(c); next != nil; {
		op := "search " + q.Type + ", page " + strconv.Itoa(totals.Pages+1)
		mark := sha256.Sum256([]byte(next.String()))
		if seen[mark] || totals.Pages == limit {
			return totals, fmt.Errorf("%s: %w", op, ErrLoop)
		}
		seen[mark] = true
		var bundle bundleDocument
		header, err := c.ReadJSON(ctx, Request{Op: op, URL: next}, maxPageBytes, &bundle)
		if err != nil {
			return totals, err
		}
		page, err := totals.add(q.Type, &bundle, header)
		if err != nil {
			return totals, fmt.Errorf("%s: %w", op, err)
		}
		if err := yield(ctx, page); err != nil {
			return totals, err
		}
		if next, err = c.nextPage(next, bundle); err != nil {
			return totals, fmt.Errorf("%s: follow next link: %w", op, err)
		}
	}
	return totals, nil
}

// url returns the address of the first page.
func (q Query) url(c *Client) *url.URL {
	params := maps.Clone(q.Params)
	if params == nil {
		params = make(url.Values)
	}
	if !q.Since.IsZero() {
		params.Set("_lastUpdated", "ge"+q.Since.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	if q.Count > 0 {
		params.Set("_count", strconv.Itoa(q.Count))
	}
	u := c.URL(q.Type)
	u.RawQuery = params.Encode()
	return u
}

// nextPage returns the address of the next page, nil if this was the last.
func (c *Client) nextPage(page *url.URL, bundle bundleDocument) (*url.URL, error) {
	for _, link := range bundle.Link {
		if link.Relation != "next" || link.URL == "" {
			continue
		}
		ref, err := url.Parse(link.URL)
		if err != nil {
			return nil, ErrURL
		}
		next := page.ResolveReference(ref)
		if err := c.policy.permit(next); err != nil {
			return nil, err
		}
		if !c.Trusted(next) {
			return nil, ErrOrigin
		}
		return next, nil
	}
	return nil, nil
}

// bundleDocument is the part of a searchset Bundle that is read.
type bundleDocument struct {
	ResourceType string `json:"resourceType"`
	Total        *int64 `json:"total"`
	Link         []struct {
		Relation string `json:"relation"`
		URL      string `json:"url"`
	} `json:"link"`
	Entry []struct {
		Resource json.RawMessage `json:"resource"`
		Search   struct {
			Mode string `json:"mode"`
		} `json:"search"`
	} `json:"entry"`
}

// add counts a bundle and returns it as a page.
func (t *Totals) add(
	resourceType string, bundle *bundleDocument, header http.Header,
) (Page, error) {
	if bundle.ResourceType != "Bundle" {
		return Page{}, errors.New("the answer is not a Bundle")
	}
	t.Pages++
	if t.Pages == 1 {
		t.Said = bundle.Total
		if date, err := http.ParseTime(header.Get("Date")); err == nil {
			t.Started = date
		}
	}
	page := Page{Number: t.Pages}
	for _, entry := range bundle.Entry {
		switch kind := typeOf(entry.Resource); {
		case kind == "OperationOutcome":
			issues, err := ParseOutcome(entry.Resource)
			if err != nil {
				return Page{}, err
			}
			page.Issues = append(page.Issues, issues...)
		case kind != resourceType || entry.Search.Mode == "include":
			t.Included++
		default:
			line, err := compact(entry.Resource)
			if err != nil {
				return Page{}, err
			}
			page.Entries = append(page.Entries, line)
		}
	}
	for _, issue := range page.Issues {
		t.Issues[issue]++
	}
	t.Entries += int64(len(page.Entries))
	return page, nil
}

// compact returns a resource on one line. A newline can stand between tokens only, since JSON
// strings hold none.
func compact(resource json.RawMessage) (json.RawMessage, error) {
	if bytes.IndexByte(resource, '\n') < 0 && bytes.IndexByte(resource, '\r') < 0 {
		return resource, nil
	}
	var line bytes.Buffer
	if json.Compact(&line, resource) != nil {
		return nil, errors.New("an entry is not JSON")
	}
	return line.Bytes(), nil
}

// typeOf returns the resourceType of a resource, "" if there is none.
func typeOf(resource json.RawMessage) string {
	var doc struct {
		ResourceType string `json:"resourceType"`
	}
	if json.Unmarshal(resource, &doc) != nil {
		return ""
	}
	return doc.ResourceType
}

// typeName reports whether s can be a resource type, so that nothing else gets into a path.
func typeName(s string) bool {
	if s == "" || len(s) > 64 || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	for _, r := range s {
		if (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return true
}
