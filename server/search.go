package server

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
)

// Sizes of a page. A search for more is given the most.
const (
	defaultPage = 50
	maxPage     = 200
)

// The parameters of a page. The offset is ours; a client takes it from the links.
const (
	countParameter  = "_count"
	offsetParameter = "_offset"
)

// search is a search of one resource type, as it was understood.
type search struct {
	// path is that of the type below the base.
	path string
	// used are the criteria that were understood; a repeat is an and, a comma an or.
	used url.Values
	// own are parameters that are no criteria and belong into the links all the same.
	own    url.Values
	count  int
	offset int
	// sized says that the caller chose the size of the page.
	sized bool
}

// readSearch reads the query of a search. A parameter that is not known is passed over and left out
// of the links, or refused where the caller prefers strict handling
// (http://hl7.org/fhir/R4/search.html#errors).
func readSearch(r *http.Request, path string, known []string) (search, error) {
	out := search{path: path, used: url.Values{}, own: url.Values{}, count: defaultPage}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return out, malformedQuery()
	}
	for name, values := range query {
		switch {
		case slices.Contains(known, name):
			out.used[name] = values
		case name == "_format" || name == "_pretty":
		case name == countParameter:
			if out.count, err = number(name, values); err != nil {
				return out, err
			}
			out.count, out.sized = min(out.count, maxPage), true
		case name == offsetParameter:
			if out.offset, err = number(name, values); err != nil {
				return out, err
			}
		case prefers(r, "handling=strict"):
			return out, unknownSearch(strings.TrimPrefix(path, "/"), name)
		}
	}
	return out, nil
}

func number(name string, values []string) (int, error) {
	if len(values) != 1 {
		return 0, repeated(name)
	}
	n, err := strconv.Atoi(values[0])
	if err != nil || n < 0 {
		return 0, malformedValue(name)
	}
	return n, nil
}

// all reports whether every criterion holds, each of which holds for one of its values.
func (f search) all(holds func(name, value string) (bool, error)) (bool, error) {
	for name, values := range f.used {
		for _, value := range values {
			if ok, err := oneOf(name, value, holds); err != nil || !ok {
				return false, err
			}
		}
	}
	return true, nil
}

func oneOf(name, value string, holds func(name, value string) (bool, error)) (bool, error) {
	met := false
	for alternative := range strings.SplitSeq(value, ",") {
		ok, err := holds(name, alternative)
		if err != nil {
			return false, err
		}
		met = met || ok
	}
	return met, nil
}

// token compares a code, which may be written with the bar of a system before it.
func token(value, code string) bool {
	return value[strings.LastIndexByte(value, '|')+1:] == code
}

// page returns the part of n matches that is on the page.
func (f search) page(n int) (from, to int) {
	from = min(f.offset, n)
	return from, min(from+f.count, n)
}

// bundle makes the searchset of a page of n matches, without its entries.
func (f search) bundle(base string, n int) *rpb.Bundle {
	bundle := &rpb.Bundle{
		Type:  &rpb.Bundle_TypeCode{Value: cpb.BundleTypeCode_SEARCHSET},
		Total: &dpb.UnsignedInt{Value: uint32(n)}, // #nosec G115 -- there are far fewer
	}
	link := func(relation string, offset int) {
		bundle.Link = append(bundle.Link,
			&rpb.Bundle_Link{Relation: r4.Text(relation), Url: r4.URI(f.link(base, offset))})
	}
	link("self", f.offset)
	if f.count == 0 || n <= f.count && f.offset == 0 {
		return bundle
	}
	link("first", 0)
	if f.offset > 0 {
		link("previous", max(0, f.offset-f.count))
	}
	if f.offset+f.count < n {
		link("next", f.offset+f.count)
	}
	link("last", max(0, (n-1)/f.count*f.count))
	return bundle
}

// link is the address of a page of the same search.
func (f search) link(base string, offset int) string {
	query := url.Values{}
	for name, values := range f.used {
		query[name] = values
	}
	for name, values := range f.own {
		query[name] = values
	}
	if f.sized {
		query.Set(countParameter, strconv.Itoa(f.count))
	}
	if offset > 0 {
		query.Set(offsetParameter, strconv.Itoa(offset))
	}
	if len(query) == 0 {
		return base + f.path
	}
	return base + f.path + "?" + query.Encode()
}

// found makes the entry of a match.
func found(url string, resource *rpb.ContainedResource) *rpb.Bundle_Entry {
	return &rpb.Bundle_Entry{
		FullUrl:  r4.URI(url),
		Resource: resource,
		Search: &rpb.Bundle_Entry_Search{Mode: &rpb.Bundle_Entry_Search_ModeCode{
			Value: cpb.SearchEntryModeCode_MATCH,
		}},
	}
}
