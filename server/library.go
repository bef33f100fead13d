package server

import (
	"fmt"
	"net/http"

	"github.com/gorilla/mux"
	"google.golang.org/protobuf/proto"

	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	lpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/library_go_proto"

	"github.com/equitylens/equitylens/measure"
)

// libraries are those of the measures, each the SQL of one. An imported measure has none.
func (s *Server) libraries() ([]*lpb.Library, error) {
	var all []*lpb.Library
	for _, d := range s.cfg.Measures.Definitions() {
		if d.Imported {
			continue
		}
		library, err := s.library(d)
		if err != nil {
			return nil, err
		}
		all = append(all, library)
	}
	return all, nil
}

func (s *Server) library(d measure.Definition) (*lpb.Library, error) {
	library, err := s.reports.Library(d)
	if err != nil {
		return nil, fmt.Errorf("serve library: %w", err)
	}
	return library, nil
}

func (s *Server) readLibrary(r *http.Request) (proto.Message, error) {
	all, err := s.libraries()
	if err != nil {
		return nil, err
	}
	for _, library := range all {
		if library.GetId().GetValue() == mux.Vars(r)["id"] {
			return library, nil
		}
	}
	return nil, errNoLibrary
}

func (s *Server) searchLibraries(r *http.Request) (proto.Message, error) {
	asked, err := readSearch(r, "/Library", canonicalParameters())
	if err != nil {
		return nil, err
	}
	all, err := s.libraries()
	if err != nil {
		return nil, err
	}
	var entries []*rpb.Bundle_Entry
	for _, library := range all {
		id := library.GetId().GetValue()
		match, err := asked.all(canonical{
			id: id, url: library.GetUrl().GetValue(), version: library.GetVersion().GetValue(),
			title: library.GetTitle().GetValue(), status: "active", date: library.Date,
			effective: library.EffectivePeriod,
		}.holds)
		if err != nil {
			return nil, err
		}
		if match {
			entries = append(entries, found(s.cfg.BaseURL+"/Library/"+id, &rpb.ContainedResource{
				OneofResource: &rpb.ContainedResource_Library{Library: library},
			}))
		}
	}
	return s.paged(asked, entries), nil
}
