package bulk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/equitylens/equitylens/fhir/client"
	"github.com/equitylens/equitylens/internal/phi"
)

// Level says whose data an export covers.
type Level string

// The levels of http://hl7.org/fhir/uv/bulkdata/export.html.
const (
	System  Level = "system"
	Group   Level = "group"
	Patient Level = "patient"
)

// Request is what to ask for. Its zero value is a system export of every type by GET.
type Request struct {
	// Level is System if empty.
	Level Level
	// GroupID names the cohort of a Group export. Servers were seen to use more than FHIR's 64
	// characters.
	GroupID string
	// Types are resource types, in _type. None means all that the server gives.
	Types []string
	// Since is the transactionTime of an earlier export. Zero asks for everything.
	Since time.Time
	// TypeFilters are search URLs such as "Encounter?status=finished". A server may ignore them.
	TypeFilters []string
	// OutputFormat is sent as _outputFormat. Empty leaves it out: the default is NDJSON everywhere.
	OutputFormat string
	// Patients narrows a POST to these; Oracle Health's patient-level export demands a list.
	Patients []phi.ID

	// Post sends the kick-off as Parameters. The 4.0 ballot knows no other way; version 2 need not
	// know this one.
	Post bool
	// RepeatTypes sends _type once a type and not as one comma list. The 4.0 ballot demands it, Oracle
	// Health refuses it.
	RepeatTypes bool
	// Lenient adds Prefer: handling=lenient, so that a server ignores parameters unknown to it.
	Lenient bool
	// Params are further parameters of the kick-off, such as _elements or includeAssociatedData.
	Params url.Values
	// Header is added to the kick-off.
	Header http.Header
}

// outputFormat is what a file is asked for as.
const outputFormat = "application/fhir+ndjson"

// instantLayout writes an instant in UTC with milliseconds, the form that every server reads.
const instantLayout = "2006-01-02T15:04:05.000Z"

// check returns every fault of the request at once.
func (r Request) check() error {
	var faults []error
	switch r.Level {
	case System, Patient, "":
		if r.GroupID != "" {
			faults = append(faults, errors.New("group_id: only a group export has one"))
		}
	case Group:
		if r.GroupID == "" || strings.ContainsAny(r.GroupID, "/?#%\\") || r.GroupID[0] == '.' {
			faults = append(faults, errors.New("group_id: missing, or not an id"))
		}
	default:
		faults = append(faults, fmt.Errorf("level: %q is none of system, group, patient", r.Level))
	}
	for _, t := range r.Types {
		if !resourceType(t) {
			faults = append(faults, fmt.Errorf("types: %q is not a resource type", t))
		}
	}
	if len(r.Patients) > 0 && !r.Post {
		// By GET their ids would stand in a URL, and so in every access log.
		faults = append(faults, errors.New("patients: a list of patients needs post"))
	}
	return errors.Join(faults...)
}

// kickOff returns the HTTP request that starts the export.
func (r Request) kickOff(c *client.Client) (client.Request, error) {
	u := c.URL("$export")
	switch r.Level {
	case Group:
		u = c.URL("Group", r.GroupID, "$export")
	case Patient:
		u = c.URL("Patient", "$export")
	case System:
	}
	request := client.Request{Op: "kick off export", URL: u, Header: r.Header.Clone(), Tries: 1}
	if request.Header == nil {
		request.Header = make(http.Header)
	}
	request.Header.Set("Accept", "application/fhir+json")
	// Two header lines: some servers compare the first with respond-async as a whole.
	request.Header.Set("Prefer", "respond-async")
	if r.Lenient {
		request.Header.Add("Prefer", "handling=lenient")
	}
	if !r.Post {
		u.RawQuery = r.query().Encode()
		return request, nil
	}
	body, err := r.parameters()
	if err != nil {
		return client.Request{}, err
	}
	request.Method, request.Body = http.MethodPost, body
	request.Header.Set("Content-Type", "application/fhir+json")
	return request, nil
}

// query returns the parameters of a GET.
func (r Request) query() url.Values {
	q := maps.Clone(r.Params)
	if q == nil {
		q = make(url.Values)
	}
	if r.OutputFormat != "" {
		q.Set("_outputFormat", r.OutputFormat)
	}
	if !r.Since.IsZero() {
		q.Set("_since", r.Since.UTC().Format(instantLayout))
	}
	if types := r.types(); len(types) > 0 {
		q["_type"] = types
	}
	if len(r.TypeFilters) > 0 {
		q["_typeFilter"] = r.TypeFilters
	}
	return q
}

// types returns the values of _type.
func (r Request) types() []string {
	if r.RepeatTypes || len(r.Types) == 0 {
		return r.Types
	}
	return []string{strings.Join(r.Types, ",")}
}

// parameter is one entry of a Parameters resource.
type parameter struct {
	Name         string     `json:"name"`
	ValueString  string     `json:"valueString,omitempty"`
	ValueInstant string     `json:"valueInstant,omitempty"`
	Reference    *reference `json:"valueReference,omitempty"`
}

// reference is a literal Reference.
type reference struct {
	Reference string `json:"reference"`
}

// parameters returns the body of a POST: http://hl7.org/fhir/R4/parameters.html.
func (r Request) parameters() ([]byte, error) {
	doc := struct {
		ResourceType string      `json:"resourceType"`
		Parameter    []parameter `json:"parameter,omitempty"`
	}{ResourceType: "Parameters"}
	add := func(p parameter) { doc.Parameter = append(doc.Parameter, p) }
	if r.OutputFormat != "" {
		add(parameter{Name: "_outputFormat", ValueString: r.OutputFormat})
	}
	if !r.Since.IsZero() {
		add(parameter{Name: "_since", ValueInstant: r.Since.UTC().Format(instantLayout)})
	}
	for _, t := range r.types() {
		add(parameter{Name: "_type", ValueString: t})
	}
	for _, f := range r.TypeFilters {
		add(parameter{Name: "_typeFilter", ValueString: f})
	}
	for _, id := range r.Patients {
		add(parameter{Name: "patient", Reference: &reference{"Patient/" + id.Reveal()}})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Params)) {
		for _, value := range r.Params[name] {
			add(parameter{Name: name, ValueString: value})
		}
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("write Parameters: %w", err)
	}
	return bytes.TrimSpace(body.Bytes()), nil
}

// fingerprint tells requests apart, so that a run is never gone on with as another. It is a hash:
// the parameters may name patients.
func (r Request) fingerprint(c *client.Client) (string, error) {
	request, err := r.kickOff(c)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, part := range [][]byte{[]byte(request.Method), []byte(request.URL.String()), request.Body} {
		hash.Write(strconv.AppendInt(nil, int64(len(part)), 10))
		hash.Write([]byte{':'})
		hash.Write(part)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// resourceType reports whether s can be the name of a resource type. What passes is safe in a file
// name.
func resourceType(s string) bool {
	if s == "" || len(s) > 64 || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
}
