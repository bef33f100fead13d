package population_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// The recount reads an export as an outsider would: from its JSON and ConceptMap, slowly, knowing
// nothing of the generator.

type coding struct{ System, Code string }

type concept struct {
	Coding []coding
	Text   string
}

type extension struct {
	URL                  string
	ValueCoding          *coding
	ValueCodeableConcept *concept
	ValueBoolean         *bool
	Extension            []extension
}

type reference struct{ Reference string }

// id is the last part of a reference in any of its forms.
func (r reference) id() string {
	ref, _, _ := strings.Cut(r.Reference, "/_history/")
	ref = strings.TrimPrefix(ref, "urn:uuid:")
	return ref[strings.LastIndex(ref, "/")+1:]
}

type resource struct {
	ResourceType, ID     string
	Meta                 struct{ LastUpdated time.Time }
	Extension            []extension
	BirthDate            string
	DeceasedBoolean      bool
	DeceasedDateTime     string
	ManagingOrganization reference
	Link                 []struct {
		Other reference
		Type  string
	}
	Communication []struct {
		Language  concept
		Preferred *bool
	}

	Status      string
	Class       coding
	Priority    concept
	Subject     reference
	Participant []struct {
		Type       []concept
		Individual reference
	}
	Period          struct{ Start, End string }
	Hospitalization struct{ DischargeDisposition concept }
	ServiceProvider reference

	Actuality, Date, Detected, RecordedDate string
	Encounter                               reference
}

// export is what the recount knows.
type export struct {
	local      map[coding]string
	patients   map[string]resource
	encounters []resource
	byPatient  map[string][]*resource
	byID       map[string]*resource
	events     []resource
}

func readExport(t *testing.T, p *population.Population) *export {
	t.Helper()
	dir := t.TempDir()
	if err := p.WriteNDJSON(t.Context(), dir, 2, false); err != nil {
		t.Fatal(err)
	}
	x := &export{local: localCodes(t), patients: map[string]resource{},
		byPatient: map[string][]*resource{},
		byID:      map[string]*resource{}}
	newest := map[string]resource{}
	for _, file := range glob(t, dir) {
		for _, line := range readLines(t, file) {
			var r resource
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatalf("line %s: %v", line, err)
			}
			if old, ok := newest[r.ID]; !ok || old.Meta.LastUpdated.Before(r.Meta.LastUpdated) {
				newest[r.ID] = r
			}
		}
	}
	ids := make([]string, 0, len(newest))
	for id := range newest {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		switch r := newest[id]; r.ResourceType {
		case "Patient":
			x.patients[id] = r
		case "Encounter":
			x.encounters = append(x.encounters, r)
		case "AdverseEvent":
			x.events = append(x.events, r)
		}
	}
	for i := range x.encounters {
		e := &x.encounters[i]
		owner := x.survivor(e.Subject.id())
		x.byPatient[owner] = append(x.byPatient[owner], e)
		x.byID[e.ID] = e
	}
	return x
}

func glob(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.ndjson"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	return files
}

func readLines(t *testing.T, file string) [][]byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out [][]byte
	s := bufio.NewScanner(f)
	for s.Scan() {
		out = append(out, []byte(s.Text()))
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func localCodes(t *testing.T) map[coding]string {
	t.Helper()
	raw, err := population.ConceptMap()
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Group []struct {
			Source  string
			Element []struct {
				Code   string
				Target []struct{ Code string }
			}
		}
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	out := map[coding]string{}
	for _, g := range m.Group {
		for _, e := range g.Element {
			out[coding{g.Source, e.Code}] = e.Target[0].Code
		}
	}
	return out
}

func (x *export) survivor(id string) string {
	for _, l := range x.patients[id].Link {
		if l.Type == "replaced-by" {
			return l.Other.id()
		}
	}
	return id
}

// translate gives a code its standard meaning; a local one that nobody knows becomes "".
func (x *export) translate(c coding) string {
	if code, ok := x.local[c]; ok {
		return code
	}
	if strings.HasPrefix(c.System, "urn:oid:1.2.840.114350.") {
		return ""
	}
	return c.Code
}

func (x *export) class(e *resource) string { return x.translate(e.Class) }

// disposition reads THO, NUBC and local codes into the words of THO.
func (x *export) disposition(e *resource) string {
	codings := e.Hospitalization.DischargeDisposition.Coding
	if len(codings) == 0 {
		return ""
	}
	code := x.translate(codings[0])
	if strings.Contains(codings[0].System, "nubc") {
		return map[string]string{"7": "aadvice", "20": "exp"}[strings.TrimLeft(code, "0")]
	}
	return code
}

func ofURL(list []extension, urls ...string) []extension {
	var out []extension
	for _, e := range list {
		if slices.Contains(urls, e.URL) {
			out = append(out, e)
		}
	}
	return out
}

const usCore = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"

// roll takes the detailed codes that the generator knows to their category.
var roll = map[string]string{"2108-9": "2106-3", "2058-6": "2054-5", "2034-7": "2028-9",
	"1004-1": "1002-5",
	"2079-2": "2076-8", "2148-5": "2135-2"}

// categories are the distinct category codes below extensions, nulls left out.
func (x *export) categories(list []extension) []string {
	var out []string
	add := func(c coding) {
		code := x.translate(c)
		if top, ok := roll[code]; ok {
			code = top
		}
		if code != "" && !slices.Contains([]string{"UNK", "ASKU", "asked-declined"}, code) &&
			!slices.Contains(out, code) {
			out = append(out, code)
		}
	}
	for _, e := range list {
		if e.ValueCodeableConcept != nil {
			add(e.ValueCodeableConcept.Coding[0])
		}
		for _, inner := range e.Extension {
			if inner.ValueCoding != nil {
				add(*inner.ValueCoding)
			}
		}
	}
	return out
}

func declined(list []extension) bool {
	for _, e := range list {
		for _, inner := range e.Extension {
			if inner.ValueCoding != nil && inner.ValueCoding.Code == "asked-declined" {
				return true
			}
		}
	}
	return false
}

// race and ethnicity return the code, "declined" or "".
func (x *export) race(p resource) string {
	list := ofURL(p.Extension, usCore+"race", "http://hl7.org/fhir/StructureDefinition/us-core-race")
	codes := slices.DeleteFunc(x.categories(list), func(c string) bool { return c == "2135-2" })
	switch {
	case len(codes) > 1:
		return "two-or-more"
	case len(codes) == 1:
		return codes[0]
	case declined(list):
		return "declined"
	}
	return ""
}

func (x *export) ethnicity(p resource) string {
	amongRaces := slices.Contains(x.categories(ofURL(p.Extension, usCore+"race")), "2135-2")
	list := ofURL(p.Extension, usCore+"ethnicity")
	codes := x.categories(list)
	switch {
	case len(codes) == 1 && codes[0] == "2186-5" && amongRaces:
		return ""
	case len(codes) == 1:
		return codes[0]
	case declined(list):
		return "declined"
	case amongRaces:
		return "2135-2"
	}
	return ""
}

// languageGroup is the group of the one preferred language, or "".
func languageGroup(p resource) string {
	var preferred, silent []string
	for _, c := range p.Communication {
		code := ""
		if len(c.Language.Coding) > 0 {
			code = c.Language.Coding[0].Code
		}
		switch {
		case c.Preferred == nil:
			silent = append(silent, code)
		case *c.Preferred:
			preferred = append(preferred, code)
		}
	}
	if len(preferred) == 0 && len(silent) == 1 && len(p.Communication) == 1 {
		preferred = silent
	}
	if len(preferred) != 1 {
		return ""
	}
	primary, _, _ := strings.Cut(preferred[0], "-")
	switch primary {
	case "", "und":
		return ""
	case "en", "eng":
		return "english"
	case "es", "spa":
		return "spanish"
	case "zh", "zho", "cmn", "yue":
		return "chinese"
	case "sgn", "ase":
		return "sign"
	}
	return "other"
}

// needs are the distinct answers of one level: yes, no.
func needs(list []extension) []string {
	var out []string
	for _, e := range list {
		answer := ""
		switch {
		case e.ValueBoolean != nil && *e.ValueBoolean:
			answer = "yes"
		case e.ValueBoolean != nil:
			answer = "no"
		case e.URL == usCore+"interpreter-needed":
			answer = map[string]string{"373066001": "yes", "315594003": "yes", "373067005": "no",
				"315595002": "no"}[e.ValueCoding.Code]
		}
		if answer != "" && !slices.Contains(out, answer) {
			out = append(out, answer)
		}
	}
	return out
}

// need resolves the need for one encounter.
func (x *export) need(p resource, e *resource) string {
	answers := needs(e.Extension)
	if len(answers) == 0 {
		answers = needs(p.Extension)
	}
	if len(answers) == 1 {
		return answers[0]
	}
	return ""
}
