package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// totalParameter says whether the caller wants to know how many matches there are in all: none,
// estimate or accurate.
const totalParameter = "_total"

// Query is a search of one type as it was understood, for who answers a Resource.
type Query struct {
	// Criteria are the parameters that were understood. A repeated one is an and, a comma an or.
	Criteria url.Values
	// Count is how many matches the page may hold, at most 200; 0 asks for the number of matches
	// alone.
	Count int
	// Cursor is where the page begins: what an earlier page gave as next. Empty is the first page.
	Cursor string
	// Total says that the caller is told how many matches there are in all, who may not want to know.
	Total bool

	inner search
}

// Link is a link of a Bundle.
type Link struct{ Relation, URL string }

// ReadQuery reads the search of a type. A parameter that is not known is passed over and left out
// of the links, or refused where the caller prefers strict handling
// (http://hl7.org/fhir/R4/search.html#errors).
func ReadQuery(r *http.Request, resourceType string, known ...string) (Query, error) {
	inner, err := readSearch(r, "/"+resourceType,
		append(slices.Clone(known), cursorParameter, totalParameter))
	if err != nil {
		return Query{}, err
	}
	q := Query{Criteria: url.Values{}, Count: inner.count, Total: true, inner: inner}
	for name, values := range inner.used {
		switch name {
		case cursorParameter, totalParameter:
			if len(values) != 1 {
				return Query{}, repeated(name)
			}
		default:
			q.Criteria[name] = values
		}
	}
	if alternatives(q.Criteria) > mostAlternatives {
		return Query{}, Refuse(Refusal{
			Status: http.StatusUnprocessableEntity,
			Text:   fmt.Sprintf("a search takes %d values at most", mostAlternatives),
		})
	}
	q.Cursor = inner.used.Get(cursorParameter)
	switch inner.used.Get(totalParameter) {
	case "", "accurate", "estimate":
	case "none":
		q.Total = false
	default:
		return Query{}, malformedValue(totalParameter)
	}
	return q, nil
}

// mostAlternatives bounds the values of a search: each is compared with everything that there is.
const mostAlternatives = 200

// alternatives counts the values of all criteria.
func alternatives(criteria url.Values) int {
	n := 0
	for _, values := range criteria {
		for _, value := range values {
			n += strings.Count(value, ",") + 1
		}
	}
	return n
}

// One returns the only value of a criterion that takes one, without alternatives; "" where it is
// not given.
func (q Query) One(name string) (string, error) {
	values := q.Criteria[name]
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", repeated(name)
	case values[0] == "" || strings.Contains(values[0], ","):
		return "", malformedValue(name)
	}
	return values[0], nil
}

// Codes returns the codes of which one must match, without the systems before the bars; nothing
// where the criterion is not given.
func (q Query) Codes(name string) ([]string, error) {
	values := q.Criteria[name]
	if len(values) > 1 {
		return nil, repeated(name)
	}
	if len(values) == 0 {
		return nil, nil
	}
	var all []string
	for one := range strings.SplitSeq(values[0], ",") {
		if code(one) == "" {
			return nil, malformedValue(name)
		}
		all = append(all, code(one))
	}
	return all, nil
}

// Matches reports whether every criterion holds, each of which holds for one of its values.
func (q Query) Matches(holds func(name, value string) (bool, error)) (bool, error) {
	return search{used: q.Criteria}.all(holds)
}

// Links are those of the page: itself, and the next one where next is not empty. Base is the
// address of the API.
func (q Query) Links(base, next string) []Link {
	links := []Link{{"self", q.inner.link(base, 0)}}
	if next == "" {
		return links
	}
	own := search{path: q.inner.path, used: url.Values{}, count: q.Count, sized: q.inner.sized}
	for name, values := range q.inner.used {
		own.used[name] = values
	}
	own.used.Set(cursorParameter, next)
	return append(links, Link{"next", own.link(base, 0)})
}

// DateMatches compares what a resource says, from one instant to the first that is no longer part
// of it, with a date of a search, as http://hl7.org/fhir/R4/search.html#date has it.
func DateMatches(name, value string, from, to time.Time) (bool, error) {
	return dateMatches(name, value, span{from, to})
}

// Malformed is the refusal of a value of a parameter.
func Malformed(name string) error { return malformedValue(name) }
