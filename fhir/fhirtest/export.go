package fhirtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// kickOff is what an export request asks for.
type kickOff struct {
	types   []string
	since   time.Time
	format  string
	lenient bool
	// compartment is set at the Patient and the Group level.
	compartment bool
	request     string
}

const mostParameters = 1 << 20

// serveExport starts a job: https://hl7.org/fhir/uv/bulkdata/STU2/export.html
func (s *Server) serveExport(w http.ResponseWriter, r *http.Request) {
	g, ok := s.program(w, r)
	if !ok {
		return
	}
	if group := r.PathValue("group"); group != "" && group != s.config.GroupID {
		refuse(w, http.StatusNotFound, "not-found", "no such Group")
		return
	}
	prefer := strings.Join(r.Header.Values("Prefer"), ",")
	if !strings.Contains(prefer, "respond-async") {
		refuse(w, http.StatusBadRequest, "invalid", "Prefer: respond-async is required")
		return
	}
	k, err := readKickOff(w, r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid", err.Error())
		return
	}
	k.compartment = r.URL.Path != s.config.BasePath+"/$export"
	k.lenient = strings.Contains(prefer, "handling=lenient")
	k.request = s.origin(r) + r.URL.RequestURI()
	if s.faults[RelativeURLs] {
		k.request = r.URL.RequestURI()
	}
	types, err := s.exportTypes(k, g)
	if err != nil {
		refuse(w, http.StatusBadRequest, "not-supported", err.Error())
		return
	}
	j := s.startJob(g.client, types, k)
	if j == nil {
		s.askPatience(w)
		refuse(w, http.StatusTooManyRequests, "throttled", "an export of this client is in progress")
		return
	}
	w.Header().Set("Content-Location", s.link(r, "/bulkstatus/"+j.id))
	answer(w, http.StatusAccepted, fhirJSON, issue("information", "informational",
		"the export has begun"))
}

// link is the URL of a path below the base, relative where the fault asks for it.
func (s *Server) link(r *http.Request, path string) string {
	if s.faults[RelativeURLs] {
		return s.config.BasePath + path
	}
	return s.base(r) + path
}

func readKickOff(w http.ResponseWriter, r *http.Request) (kickOff, error) {
	var k kickOff
	values := r.URL.Query()
	if r.Method == http.MethodPost {
		var err error
		if values, err = readParameters(http.MaxBytesReader(w, r.Body, mostParameters)); err != nil {
			return k, err
		}
	}
	for _, list := range values["_type"] {
		for _, t := range strings.Split(list, ",") {
			if t = strings.TrimSpace(t); t != "" && !slices.Contains(k.types, t) {
				k.types = append(k.types, t)
			}
		}
	}
	if since := values.Get("_since"); since != "" {
		at, err := time.Parse(time.RFC3339Nano, since)
		if err != nil {
			return k, errors.New("_since is not an instant")
		}
		k.since = at
	}
	k.format = values.Get("_outputFormat")
	if !slices.Contains([]string{"", "ndjson", ndjson, "application/ndjson"}, k.format) {
		return k, errors.New("_outputFormat is not ndjson")
	}
	return k, nil
}

// readParameters reads a FHIR Parameters resource into the form of a query.
func readParameters(body interface{ Read([]byte) (int, error) }) (url.Values, error) {
	var parameters struct {
		ResourceType string
		Parameter    []map[string]any
	}
	if err := json.NewDecoder(body).Decode(&parameters); err != nil {
		return nil, errors.New("the body is not JSON")
	}
	if parameters.ResourceType != "Parameters" {
		return nil, errors.New("the body is not a Parameters resource")
	}
	values := url.Values{}
	for _, p := range parameters.Parameter {
		name, _ := p["name"].(string)
		for key, value := range p {
			if text, ok := value.(string); ok && strings.HasPrefix(key, "value") {
				values.Add(name, text)
			}
		}
	}
	return values, nil
}

// exportTypes resolves _type against what is offered and what the token allows. A type of FHIR that
// nobody here has gives no file; a type that is refused in bulk is an error unless the client asked
// for leniency.
func (s *Server) exportTypes(k kickOff, g grant) ([]population.Type, error) {
	bulk := []population.Type{population.Patient, population.Encounter}
	if s.config.BulkAdverseEvents && !s.faults[NoAdverseEvent] {
		bulk = append(bulk, population.AdverseEvent)
	}
	if s.faults[IgnoresType] {
		return append(bulk, population.Organization), nil
	}
	if len(k.types) == 0 {
		if !k.compartment {
			bulk = append(bulk, population.Organization)
		}
		return slices.DeleteFunc(bulk, func(t population.Type) bool {
			return !g.allows(t.String(), "r")
		}), nil
	}
	bulk = append(bulk, population.Organization)
	var out []population.Type
	for _, name := range k.types {
		t, ok := population.ParseType(name)
		offered := ok && slices.Contains(bulk, t)
		switch {
		case !offered && !k.lenient && (ok || !emptyType(name)):
			return nil, fmt.Errorf("type %q is not offered in bulk", name)
		case !offered:
		case !g.allows(name, "r"):
			return nil, fmt.Errorf("the token has no scope for type %q", name)
		default:
			out = append(out, t)
		}
	}
	return out, nil
}

// emptyType says that the type is offered but that nobody has one.
func emptyType(name string) bool {
	return slices.Contains([]string{"Condition", "Group", "Location", "Observation", "Practitioner",
		"PractitionerRole", "Procedure", "RelatedPerson"}, name)
}

// startJob registers a job; nil means that the client has one already and may not have two.
func (s *Server) startJob(client string, types []population.Type, k kickOff) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults[OneJob] {
		for _, j := range s.jobs {
			if j.client == client {
				return nil
			}
		}
	}
	s.started++
	j := &job{id: s.secret(), number: s.started, client: client, types: types, since: k.since,
		request: k.request, population: s.population.Load()}
	s.jobs[j.id] = j
	return j
}
