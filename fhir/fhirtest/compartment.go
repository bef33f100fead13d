package fhirtest

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// practitioner is the type of the users, which no population holds.
const practitioner = "Practitioner"

// subjectParams are the search parameters that name the patient. R4 has no patient for
// AdverseEvent.
func (s *Server) subjectParams(t population.Type) []string {
	switch t {
	case population.Encounter:
		return []string{"patient", "subject"}
	case population.AdverseEvent:
		if s.faults[EventsByPatient] {
			return []string{"patient"}
		}
		return []string{"subject"}
	case population.Patient, population.Organization:
	}
	return nil
}

// searchChart is the search in one patient's chart: by patient or subject, _id, status, _sort and
// _count, with pages by next links. A parameter that it does not know is an error, so that nobody
// takes more for less.
func (s *Server) searchChart(w http.ResponseWriter, r *http.Request, t population.Type,
	confined string) {
	query := r.URL.Query()
	patient, err := s.patientAsked(r, t, query)
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid", err.Error())
		return
	}
	if confined != "" && patient != "" && patient != confined {
		refuse(w, http.StatusForbidden, "forbidden", "the token is for another patient")
		return
	}
	patient = cmp.Or(patient, confined)
	wanted := func(name, value string) bool {
		return !query.Has(name) || slices.Contains(strings.Split(query.Get(name), ","), value)
	}
	var found []chartEntry
	for _, line := range s.population.Load().About(t, patient) {
		if c := chartEntryOf(line); wanted("_id", c.ID) && wanted("status", c.Status) {
			found = append(found, c)
		}
	}
	if err := s.sortChart(found, query.Get("_sort")); err != nil {
		refuse(w, http.StatusBadRequest, "invalid", err.Error())
		return
	}
	lines := make([][]byte, 0, len(found))
	for _, c := range found {
		lines = append(lines, c.line)
	}
	s.answerPage(w, r, t, s.slipIn(lines, t, patient))
}

// patientAsked reads whom the query asks for; "" means that it does not say.
func (s *Server) patientAsked(r *http.Request, t population.Type, query url.Values) (string,
	error) {
	known := append(s.subjectParams(t), "_id", "_sort", "_count", "_offset", "_format")
	if t == population.Encounter {
		known = append(known, "status")
	}
	patient := ""
	for name, values := range query {
		if !slices.Contains(known, name) {
			return "", errors.New("the search parameter " + strconv.Quote(name) + " is unknown here")
		}
		if !slices.Contains(s.subjectParams(t), name) {
			continue
		}
		for _, value := range values {
			id := strings.TrimPrefix(strings.TrimPrefix(value, s.base(r)+"/"), "Patient/")
			if patient != "" && patient != id {
				return "", errors.New("two patients are asked for")
			}
			patient = id
		}
	}
	return patient, nil
}

// chartEntry is what a search reads of a resource.
type chartEntry struct {
	ResourceType string
	ID           string
	Status       string
	Subject      struct{ Reference string }
	Period       struct{ Start string }
	Date         string
	Detected     string
	RecordedDate string
	Meta         struct{ LastUpdated string }
	line         []byte
}

func chartEntryOf(line []byte) chartEntry {
	c := chartEntry{line: line}
	_ = json.Unmarshal(line, &c)
	return c
}

// subjectOf is the id of the patient that a resource is about.
func subjectOf(line []byte) string {
	c := chartEntryOf(line)
	if c.ResourceType == population.Patient.String() {
		return c.ID
	}
	reference, _, _ := strings.Cut(c.Subject.Reference, "/_history/")
	return reference[strings.LastIndexAny(reference, "/:")+1:]
}

// sortChart orders by date, _lastUpdated or _id; "-" in front turns it round.
func (s *Server) sortChart(entries []chartEntry, by string) error {
	name, down := strings.CutPrefix(by, "-")
	var compare func(a, b chartEntry) int
	switch name {
	case "":
		return nil
	case "date":
		compare = func(a, b chartEntry) int { return moment(a.date()).Compare(moment(b.date())) }
	case "_lastUpdated":
		compare = func(a, b chartEntry) int {
			return moment(a.Meta.LastUpdated).Compare(moment(b.Meta.LastUpdated))
		}
	case "_id":
		compare = func(a, b chartEntry) int { return cmp.Compare(a.ID, b.ID) }
	default:
		return errors.New("_sort is none of date, _lastUpdated and _id")
	}
	if s.faults[Unsorted] {
		return nil
	}
	slices.SortStableFunc(entries, func(a, b chartEntry) int {
		order := compare(a, b)
		if down {
			return -order
		}
		return order
	})
	return nil
}

// date is when it began, or happened, as far as the record says.
func (c chartEntry) date() string {
	return cmp.Or(c.Period.Start, c.Date, c.Detected, c.RecordedDate)
}

// moment reads a dateTime; a date alone begins at midnight in the hospitals' zone. What cannot be
// read comes before everything.
func moment(text string) time.Time {
	for _, form := range []string{time.RFC3339, "2006-01-02-07:00"} {
		if at, err := time.Parse(form, text); err == nil {
			return at
		}
		text += "-07:00"
	}
	return time.Time{}
}

// slipIn applies StrangersResource and InvalidResource. What is slipped in comes first, where even
// the shortest page holds it.
func (s *Server) slipIn(lines [][]byte, t population.Type, patient string) [][]byte {
	if s.faults[StrangersResource] {
		if other := s.stranger(t, patient); other != nil {
			lines = slices.Insert(lines, 0, other)
		}
	}
	if s.faults[InvalidResource] {
		lines = slices.Insert(lines, 0, []byte(`{"resourceType":"`+t.String()+`","id":"not-valid",`+
			`"status":"no such status","subject":{"reference":"Patient/`+patient+`"},"colour":"green"}`))
	}
	return lines
}

// stranger is a resource of the type about somebody else.
func (s *Server) stranger(t population.Type, patient string) []byte {
	p := s.population.Load()
	for from, more := (population.Cursor{}), true; more; {
		var lines [][]byte
		lines, from, more = p.Page(t, time.Time{}, from, 1)
		if len(lines) == 1 && subjectOf(lines[0]) != patient {
			return lines[0]
		}
	}
	return nil
}

// answerPage answers with one page of the lines.
func (s *Server) answerPage(w http.ResponseWriter, r *http.Request, t population.Type,
	lines [][]byte) {
	query := r.URL.Query()
	total := len(lines)
	offset, _ := strconv.Atoi(query.Get("_offset"))
	offset = min(max(offset, 0), total)
	end := min(offset+pageSize(query), total)
	target := s.base(r) + "/" + t.String() + "?"
	links := []object{{"relation": "self", "url": target + query.Encode()}}
	if end < total {
		query.Set("_offset", strconv.Itoa(end))
		links = append(links, object{"relation": "next", "url": target + query.Encode()})
	}
	answer(w, http.StatusOK, fhirJSON, object{"resourceType": "Bundle", "type": "searchset",
		"total": total, "link": links, "entry": s.entries(r, t, lines[offset:end])})
}

// servePractitioner reads a user, as fhirUser names them. Whoever may know that somebody signed in
// may read it, with a scope for the type or as the one who signed in.
func (s *Server) servePractitioner(w http.ResponseWriter, r *http.Request) {
	g, ok := s.bearer(w, r)
	if !ok {
		return
	}
	id := r.PathValue("id")
	own := g.visit != nil && g.visit.user.ID == id && slices.Contains(g.scopes, "fhirUser")
	if _, reached := g.reach(practitioner, "r"); !reached && !own {
		refuse(w, http.StatusForbidden, "forbidden", "the token has no scope for the type")
		return
	}
	user, ok := s.user(id)
	if !ok {
		refuse(w, http.StatusNotFound, "not-found", "no such resource")
		return
	}
	answer(w, http.StatusOK, fhirJSON, s.practitioner(user))
}

// practitioner is a user as a resource.
func (s *Server) practitioner(u User) object {
	return object{"resourceType": practitioner, "id": u.ID, "active": true,
		"name":          []object{{"text": u.Name}},
		"qualification": []object{{"code": object{"text": u.Job}}}}
}
