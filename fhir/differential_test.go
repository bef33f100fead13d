package fhir_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/fhir/r4"
)

// equateEmpty: an element that is absent and one that is empty are read alike.
func equateEmpty() cmp.Option { return cmpopts.EquateEmpty() }

// judged is what the two decoders made of a line.
type judged struct {
	// ours and theirs say that fhir.Decoder, and jsonformat, accepted it.
	ours, theirs bool
}

// agree reads a line with our decoder and with jsonformat, and fails the test if both accept it and
// do not read it alike. jsonformat's reading is had by writing what it read, and reading that with
// encoding/json, whose names are those of our structs but for the case.
func agree(t *testing.T, d *fhir.Decoder, line []byte) judged {
	t.Helper()
	got, err := d.Decode(line)
	ours := err == nil
	if ours && (!json.Valid(line) || !utf8.Valid(line)) {
		t.Errorf("a line was accepted that is no JSON in UTF-8: %q", line)
	}
	var refused *fhir.RefusedError
	if !ours && !errors.As(err, &refused) {
		t.Errorf("Decode = %v, which is no RefusedError", err)
	}
	resource, err := r4.Unmarshal(line)
	if err != nil {
		return judged{ours: ours}
	}
	if !ours {
		return judged{theirs: true}
	}
	contained := resource.ProtoReflect()
	field := contained.WhichOneof(contained.Descriptor().Oneofs().ByName("oneof_resource"))
	written, err := r4.Marshal(contained.Get(field).Message().Interface())
	if err != nil {
		t.Fatalf("jsonformat cannot write what it read: %v", err)
	}
	var diff string
	switch {
	case got.Patient != nil:
		diff = compare(t, *got.Patient, written, func(p *fhir.Patient) {
			plain(&p.Meta.LastUpdated, &p.BirthDate, &p.DeceasedDateTime)
		})
	case got.Encounter != nil:
		diff = compare(t, *got.Encounter, written, func(e *fhir.Encounter) {
			plain(&e.Meta.LastUpdated, &e.Period.Start, &e.Period.End)
			for i := range e.Participant {
				plain(&e.Participant[i].Period.Start, &e.Participant[i].Period.End)
			}
		})
	case got.AdverseEvent != nil:
		diff = compare(t, *got.AdverseEvent, written, func(a *fhir.AdverseEvent) {
			plain(&a.Meta.LastUpdated, &a.Date, &a.Detected, &a.RecordedDate)
		})
	}
	if diff != "" {
		t.Errorf("the two read differently (-jsonformat +ours):\n%s\nof %s", diff, line)
	}
	return judged{true, true}
}

func compare[T any](t *testing.T, ours T, written []byte, settle func(*T)) string {
	t.Helper()
	// The strings of ours belong to the decoder and may be shared; the fields are ours to change.
	var theirs T
	if err := json.Unmarshal(written, &theirs); err != nil {
		t.Fatalf("what jsonformat wrote cannot be read: %v", err)
	}
	settle(&ours)
	settle(&theirs)
	return cmp.Diff(theirs, ours, equateEmpty())
}

// plain writes dates in one way: jsonformat may write Z for +00:00 and more digits of a second.
func plain(texts ...*string) {
	for _, text := range texts {
		if d, err := fhir.ParseDateTime(*text); err == nil {
			*text = fmt.Sprintf("%+v", d)
		}
	}
}

// TestDecodeAgreesWithJSONFormat goes through the messy lines of a made-up population.
func TestDecodeAgreesWithJSONFormat(t *testing.T) {
	t.Parallel()
	who := population.New(population.Config{Patients: 250, Seed: 17, EncountersPerPatient: 5})
	for _, kind := range []population.Type{population.Patient, population.Encounter,
		population.AdverseEvent} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			d := fhir.NewDecoder()
			lines, both := 0, 0
			for line := range who.Lines(t.Context(), population.Query{Type: kind}) {
				lines++
				j := agree(t, d, line)
				if j.ours && j.theirs {
					both++
				}
				if !j.ours {
					t.Errorf("a line of the population is refused: %s", line)
				}
			}
			t.Logf("%d of %d lines are read by both", both, lines)
			if both*10 < lines*8 || both == 0 {
				t.Errorf("only %d of %d lines are read by both, too few to compare", both, lines)
			}
		})
	}
}

// TestDecodeAgreesOnRealData does so with what real systems wrote.
func TestDecodeAgreesOnRealData(t *testing.T) {
	t.Parallel()
	const folder = "../../shared/data"
	files, err := filepath.Glob(filepath.Join(folder, "*", "*.*json"))
	if err != nil || len(files) == 0 {
		t.Skipf("%s holds no real exports on this machine", folder)
	}
	for _, path := range files {
		t.Run(filepath.Base(filepath.Dir(path))+" "+filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines := bytes.Split(text, []byte("\n"))
			if filepath.Ext(path) == ".json" {
				lines = [][]byte{text}
			}
			d := fhir.NewDecoder()
			both := 0
			for i, line := range lines {
				if fhir.PeekType(line) == "" {
					continue // A log, or a blank line.
				}
				j := agree(t, d, line)
				if j.theirs && !j.ours {
					t.Errorf("line %d is refused although jsonformat accepts it", i+1)
				}
				if j.ours && j.theirs {
					both++
				}
			}
			t.Logf("%d lines are read by both", both)
		})
	}
}

// TestDecodeAgreesOnPractitioners does so with who is answerable for a patient and for an encounter,
// which a made-up population says in one way only.
func TestDecodeAgreesOnPractitioners(t *testing.T) {
	t.Parallel()
	patient := func(list string) string {
		return `{"resourceType":"Patient","id":"p","generalPractitioner":[` + list + `]}`
	}
	encounter := func(list string) string {
		return `{"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"AMB"},` +
			`"participant":[` + list + `]}`
	}
	lines := []string{
		patient(`{"reference":"Practitioner/1"}`),
		patient(`{"reference":"Organization/1","display":"West"},{"reference":"Practitioner/2/_history/3"}`),
		patient(`{"reference":"https://ehr.example/fhir/PractitionerRole/1"},{"display":"A name"}`),
		patient(`{"reference":"urn:uuid:6f1b6d0c-8d2f-4c52-9a3e-0d9f4f0f7a11"}`),
		patient(`{"identifier":{"system":"http://hl7.org/fhir/sid/us-npi","value":"99"}}`),
		encounter(`{"individual":{"reference":"Practitioner/1"}}`),
		encounter(`{"type":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType",` +
			`"code":"ATND"}]},{"text":"attends"}],"individual":{"reference":"Practitioner/1","display":"A name"}},` +
			`{"individual":{"identifier":{"value":"99"}},"period":{"start":"2026-01-01"}}`),
	}
	for _, line := range lines {
		if j := agree(t, fhir.NewDecoder(), []byte(line)); !j.ours || !j.theirs {
			t.Errorf("ours accepts: %t, jsonformat accepts: %t: %s", j.ours, j.theirs, line)
		}
	}
}

// FuzzDecode looks for a line that breaks the decoder, or that it reads otherwise than jsonformat.
func FuzzDecode(f *testing.F) {
	who := population.New(population.Config{Patients: 6, Seed: 17})
	for _, kind := range []population.Type{population.Patient, population.Encounter,
		population.AdverseEvent} {
		n := 0
		for line := range who.Lines(f.Context(), population.Query{Type: kind}) {
			if n++; n > 8 {
				break
			}
			f.Add(bytes.Clone(line))
		}
	}
	for _, seed := range []string{
		"", "{}", "[]", `{"resourceType":"Patient","id":"p","id":"q"}`,
		`{"resourceType":"Patient","id":"\ud800"}`,
		`{"resourceType":"Encounter","id":"e","class":{"code":"AMB"},"status":"finished","length":{"value":1e999999}}`,
		`{"resourceType":"Patient","id":"p","x":01}`, `{"resourceType":"Patient","id":"p"} {}`,
		"{\"resourceType\":\"Patient\",\"id\":\"\x00\"}",
		`{"resourceType":"Patient","id":"p","generalPractitioner":[{"reference":"Practitioner/1"},{}]}`,
		`{"resourceType":"AdverseEvent","id":"a","actuality":"actual","subject":{"reference":"Patient/p/_history/3"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) { agree(t, fhir.NewDecoder(), line) })
}
