package server

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/gorilla/mux"
	"google.golang.org/protobuf/proto"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	mpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_go_proto"

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

// canonical is what a search looks at of a Measure or a Library.
type canonical struct {
	id, url, version, title, status string
	date                            *dpb.DateTime
	effective                       *dpb.Period
}

// canonicalParameters are those of a Measure and of a Library; period is another word for
// effective.
func canonicalParameters() []string {
	return []string{"_id", "url", "version", "title", "status", "date", "effective", "period"}
}

func (s *Server) searchMeasures(r *http.Request) (proto.Message, error) {
	asked, err := readSearch(r, "/Measure", canonicalParameters())
	if err != nil {
		return nil, err
	}
	var entries []*rpb.Bundle_Entry
	for _, d := range s.cfg.Measures.Definitions() {
		m, err := s.measure(d)
		if err != nil {
			return nil, err
		}
		match, err := asked.all(canonical{
			id: d.ID, url: m.GetUrl().GetValue(), version: m.GetVersion().GetValue(),
			title: m.GetTitle().GetValue(), status: "active", date: m.Date, effective: m.EffectivePeriod,
		}.holds)
		if err != nil {
			return nil, err
		}
		if match {
			entries = append(entries, found(s.cfg.BaseURL+"/Measure/"+d.ID, &rpb.ContainedResource{
				OneofResource: &rpb.ContainedResource_Measure{Measure: m},
			}))
		}
	}
	return s.paged(asked, entries), nil
}

// paged makes the page that was asked for of matches that are all at hand.
func (s *Server) paged(asked search, entries []*rpb.Bundle_Entry) *rpb.Bundle {
	bundle := asked.bundle(s.cfg.BaseURL, len(entries))
	from, to := asked.page(len(entries))
	bundle.Entry = entries[from:to]
	return bundle
}

// holds compares one value of a search parameter.
func (c canonical) holds(name, value string) (bool, error) {
	switch name {
	case "_id":
		return value == c.id, nil
	case "url":
		return value == c.url, nil
	case "version":
		return token(value, c.version), nil
	case "status":
		return token(value, c.status), nil
	case "title":
		return strings.HasPrefix(strings.ToLower(c.title), strings.ToLower(value)), nil
	case "date":
		have, ok := momentSpan(c.date)
		met, err := dateMatches(name, value, have)
		return ok && met, err
	}
	start, begins := momentSpan(c.effective.GetStart())
	end, ends := momentSpan(c.effective.GetEnd())
	if !ends {
		end.to = forever() // R4: a period without an end goes on.
	}
	met, err := dateMatches(name, value, span{start.from, end.to})
	return begins && met, err
}
