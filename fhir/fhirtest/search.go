package fhirtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

const (
	usualPage = 100
	mostPage  = 500
)

// searchType resolves the type of the path against what is offered and what the token allows.
// confined is the one patient whose resources the token reaches, "" everybody's.
func (s *Server) searchType(w http.ResponseWriter, r *http.Request,
	right string) (t population.Type, confined string, ok bool) {
	g, ok := s.bearer(w, r)
	if !ok {
		return 0, "", false
	}
	t, ok = population.ParseType(r.PathValue("type"))
	if !ok || !slices.Contains(s.offered(), t) {
		refuse(w, http.StatusNotFound, "not-supported", "the type is not offered")
		return 0, "", false
	}
	confined, ok = g.reach(t.String(), right)
	if !ok || (t == population.AdverseEvent && s.faults[ForbidsAdverseEvent]) {
		refuse(w, http.StatusForbidden, "forbidden", "the token has no scope for the type")
		return 0, "", false
	}
	return t, confined, true
}

// serveSearch is http://hl7.org/fhir/R4/http.html#search. Without a patient it knows _id,
// _lastUpdated, _count and _summary=count; other parameters are ignored, as FHIR lets a server do.
// The search in one patient's chart is searchChart.
func (s *Server) serveSearch(w http.ResponseWriter, r *http.Request) {
	t, confined, ok := s.searchType(w, r, "s")
	if !ok {
		return
	}
	query := r.URL.Query()
	inChart := confined != "" || query.Has("patient") || query.Has("subject")
	if inChart && t != population.Organization {
		s.searchChart(w, r, t, confined)
		return
	}
	since, err := lastUpdated(query["_lastUpdated"])
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid", err.Error())
		return
	}
	p := s.population.Load()
	if query.Get("_summary") == "count" {
		total := 0
		for from, more := (population.Cursor{}), true; more; {
			var lines [][]byte
			lines, from, more = p.Page(t, since, from, mostPage)
			total += len(lines)
		}
		answer(w, http.StatusOK, fhirJSON, object{"resourceType": "Bundle", "type": "searchset",
			"total": total})
		return
	}
	links := []object{{"relation": "self", "url": s.base(r) + "/" + t.String() + "?" + query.Encode()}}
	var lines [][]byte
	if id := query.Get("_id"); id != "" {
		if line, standing := p.Read(t, id); standing == population.Current {
			lines = append(lines, line)
		}
	} else {
		var next population.Cursor
		var more bool
		lines, next, more = p.Page(t, since, cursorOf(query), pageSize(query))
		if more {
			links = append(links, object{"relation": "next", "url": s.next(r, t, query, next)})
		}
	}
	answer(w, http.StatusOK, fhirJSON, object{"resourceType": "Bundle", "type": "searchset",
		"link": links, "entry": s.entries(r, t, lines)})
}

func (s *Server) next(r *http.Request, t population.Type, query url.Values,
	at population.Cursor) string {
	query.Set("_cursor", fmt.Sprintf("%d.%d", at.Person, at.Skip))
	return s.base(r) + "/" + t.String() + "?" + query.Encode()
}

func cursorOf(query url.Values) population.Cursor {
	person, skip, _ := strings.Cut(query.Get("_cursor"), ".")
	var c population.Cursor
	c.Person, _ = strconv.Atoi(person)
	c.Skip, _ = strconv.Atoi(skip)
	return c
}

func pageSize(query url.Values) int {
	n, err := strconv.Atoi(query.Get("_count"))
	if err != nil || n < 1 {
		return usualPage
	}
	return min(n, mostPage)
}

// lastUpdated reads _lastUpdated with the prefix ge or gt. A second of the same minute is not told
// apart: the records here change on the minute.
func lastUpdated(values []string) (time.Time, error) {
	var since time.Time
	for _, v := range values {
		rest, ok := strings.CutPrefix(v, "ge")
		if !ok {
			rest, ok = strings.CutPrefix(v, "gt")
		}
		at, err := time.Parse(time.RFC3339Nano, rest)
		if err != nil {
			at, err = time.Parse("2006-01-02", rest)
		}
		if !ok || err != nil {
			return since, fmt.Errorf("_lastUpdated is not ge or gt and an instant")
		}
		since = at
	}
	return since, nil
}

func (s *Server) entries(r *http.Request, t population.Type, lines [][]byte) []object {
	out := make([]object, 0, len(lines))
	for _, line := range lines {
		var named struct {
			ID string `json:"id"`
		}
		_ = json.Unmarshal(line, &named)
		out = append(out, object{"fullUrl": s.base(r) + "/" + t.String() + "/" + named.ID,
			"resource": json.RawMessage(line), "search": object{"mode": "match"}})
	}
	return out
}

// serveRead is http://hl7.org/fhir/R4/http.html#read: a deleted resource is 410. What the token
// does not reach does not exist.
func (s *Server) serveRead(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("type") == practitioner {
		s.servePractitioner(w, r)
		return
	}
	t, confined, ok := s.searchType(w, r, "r")
	if !ok {
		return
	}
	line, standing := s.population.Load().Read(t, r.PathValue("id"))
	if confined != "" && t != population.Organization && subjectOf(line) != confined {
		standing = population.Unknown
	}
	switch standing {
	case population.Current:
		answer(w, http.StatusOK, fhirJSON, json.RawMessage(line))
	case population.Deleted:
		refuse(w, http.StatusGone, "deleted", "the resource is deleted")
	default:
		refuse(w, http.StatusNotFound, "not-found", "no such resource")
	}
}
