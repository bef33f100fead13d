package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/mux"
	"google.golang.org/protobuf/proto"

	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"
	mrpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/measure_report_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

// longestName is the length up to which the id of a measure is part of that of its reports: a FHIR
// id has 64 characters, of which two days and two dots take 18.
const longestName = 46

// reportID is the id of a stored report: its measure and its period. It is the same in every
// snapshot, because the next one answers the same question anew.
func reportID(name string, p measure.Period) string {
	if len(name) > longestName {
		digest := sha256.Sum256([]byte(name))
		name = hex.EncodeToString(digest[:])[:longestName]
	}
	const day = "20060102"
	return name + "." + p.Start.Format(day) + "." + p.End.Format(day)
}

// storedFor lists the stored reports that an audience may read.
func (s *Server) storedFor(ctx context.Context, audience string) ([]Stored, error) {
	if s.cfg.Reports == nil {
		return nil, notConfigured("no reports are stored here; ask $evaluate-measure")
	}
	all, err := s.cfg.Reports.Stored(ctx, audience)
	if err != nil {
		return nil, fmt.Errorf("list stored reports: %w", err)
	}
	return all, nil
}

// audienceOf reads the one parameter of ours that a read or search of reports takes.
func audienceOf(r *http.Request) (string, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", malformedQuery()
	}
	return askedAudience(parameters{"audience": query["audience"]}, principalOf(r.Context()))
}

// readReport answers with one stored report.
func (s *Server) readReport(w http.ResponseWriter, r *http.Request) {
	audience, err := audienceOf(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	id := mux.Vars(r)["id"]
	s.answer(w, r, task{
		key: s.readKey(id, audience),
		do: func(ctx context.Context, _ func(int, int)) (proto.Message, error) {
			all, err := s.storedFor(ctx, audience)
			if err != nil {
				return nil, err
			}
			for _, one := range all {
				if reportID(one.Measure, one.Period) == id {
					return s.stored(ctx, one, audience)
				}
			}
			return nil, errNoReport
		},
	})
}

// readKey tells one stored report from every other; empty where its measure is not to be seen from
// the id, or has gone.
func (s *Server) readKey(id, audience string) string {
	for _, d := range s.cfg.Measures.Definitions() {
		if strings.HasPrefix(id, d.ID+".") {
			text, err := inquiry{}.named(d)
			if err != nil {
				return ""
			}
			return strings.Join([]string{"stored", audience, id, text}, "\n")
		}
	}
	return ""
}

// stored makes a stored report, by every single dimension.
func (s *Server) stored(
	ctx context.Context, one Stored, audience string,
) (*mrpb.MeasureReport, error) {
	result, err := s.result(ctx, measure.Question{
		Measure: one.Measure, Period: one.Period, By: measure.Dimensions(),
	}, audience)
	if err != nil {
		return nil, failed(one.Measure, err)
	}
	made := s.reports.MeasureReport(result)
	made.Id = &dpb.Id{Value: reportID(one.Measure, one.Period)}
	if !one.Date.IsZero() {
		made.Date = r4.Moment(one.Date)
	}
	return made, nil
}

// searchReports answers a search of the stored reports. Only those on the page are made.
func (s *Server) searchReports(r *http.Request) (proto.Message, error) {
	asked, err := readSearch(r, "/MeasureReport",
		[]string{"_id", "measure", "period", "date", "status", "type", "audience"})
	if err != nil {
		return nil, err
	}
	audience, err := audienceOf(r)
	if err != nil {
		return nil, err
	}
	if text, ok := asked.used["audience"]; ok {
		asked.own["audience"] = text
		delete(asked.used, "audience")
	}
	all, err := s.storedFor(r.Context(), audience)
	if err != nil {
		return nil, err
	}
	var matches []Stored
	for _, one := range all {
		match, err := asked.all(func(name, value string) (bool, error) {
			return s.holds(one, name, value)
		})
		if err != nil {
			return nil, err
		}
		if match {
			matches = append(matches, one)
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.EvaluateTimeout)
	defer cancel()
	bundle := asked.bundle(s.cfg.BaseURL, len(matches))
	from, to := asked.page(len(matches))
	for _, one := range matches[from:to] {
		made, err := s.stored(ctx, one, audience)
		if err != nil {
			return nil, err
		}
		bundle.Entry = append(bundle.Entry, found(
			s.cfg.BaseURL+"/MeasureReport/"+made.GetId().GetValue(), &rpb.ContainedResource{
				OneofResource: &rpb.ContainedResource_MeasureReport{MeasureReport: made},
			}))
	}
	return bundle, nil
}

// holds compares one value of a search parameter with a stored report.
func (s *Server) holds(one Stored, name, value string) (bool, error) {
	switch name {
	case "_id":
		return value == reportID(one.Measure, one.Period), nil
	case "measure":
		d, ok := s.definition(value)
		return ok && d.ID == one.Measure, nil
	case "status":
		status := "complete"
		if !one.Complete {
			status = "error"
		}
		return token(value, status), nil
	case "type":
		return token(value, string(summary)), nil
	case "period":
		return dateMatches(name, value, daysSpan(one.Period.Start, one.Period.End))
	}
	at := one.Date.UTC()
	met, err := dateMatches(name, value, span{at, at.Add(1)})
	return met && !one.Date.IsZero(), err
}
