package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	mpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_go_proto"
	"github.com/gorilla/mux"
	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

func (s *Server) readMeasure(r *http.Request) (proto.Message, error) {
	id := mux.Vars(r)["id"]
	for _, d := range s.cfg.Measures.Definitions() {
		if d.ID == id {
			return s.measure(d)
		}
	}
	return nil, measure.ErrUnknownMeasure
}

func (s *Server) measure(d measure.Definition) (*mpb.Measure, error) {
	m, err := s.reports.Measure(d, measure.Dimensions())
	if err != nil {
		return nil, fmt.Errorf("serve measure: %w", err)
	}
	return m, nil
}

// searchMeasures answers a search by _id and url with every match on one page. A parameter that it
// does not know is passed over and left out of the self link, or refused where the caller prefers
// strict handling (http://hl7.org/fhir/R4/search.html#errors).
func (s *Server) searchMeasures(r *http.Request) (proto.Message, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, malformedQuery()
	}
	used := url.Values{}
	for name, values := range query {
		switch name {
		case "_id", "url":
			used[name] = values
		case "_format", "_pretty", "_count":
		default:
			if strings.Contains(r.Header.Get("Prefer"), "handling=strict") {
				return nil, unknownSearch(name)
			}
		}
	}
	self := s.cfg.BaseURL + "/Measure"
	if len(used) > 0 {
		self += "?" + used.Encode()
	}
	bundle := &rpb.Bundle{
		Type: &rpb.Bundle_TypeCode{Value: cpb.BundleTypeCode_SEARCHSET},
		Link: []*rpb.Bundle_Link{{Relation: r4.Text("self"), Url: r4.URI(self)}},
	}
	for _, d := range s.cfg.Measures.Definitions() {
		if !s.matches(d, used) {
			continue
		}
		m, err := s.measure(d)
		if err != nil {
			return nil, err
		}
		bundle.Entry = append(bundle.Entry, &rpb.Bundle_Entry{
			FullUrl: r4.URI(s.cfg.BaseURL + "/Measure/" + d.ID),
			Resource: &rpb.ContainedResource{
				OneofResource: &rpb.ContainedResource_Measure{Measure: m},
			},
			Search: &rpb.Bundle_Entry_Search{Mode: &rpb.Bundle_Entry_Search_ModeCode{
				Value: cpb.SearchEntryModeCode_MATCH,
			}},
		})
	}
	bundle.Total = &dpb.UnsignedInt{Value: uint32(len(bundle.Entry))} // #nosec G115 -- a handful
	return bundle, nil
}

// matches reports whether d is among every parameter's values: a comma means or, a repeat and.
func (s *Server) matches(d measure.Definition, query url.Values) bool {
	for name, values := range query {
		own := d.ID
		if name == "url" {
			own = s.reports.MeasureURL(d.ID)
		}
		for _, value := range values {
			if !slices.Contains(strings.Split(value, ","), own) {
				return false
			}
		}
	}
	return true
}
