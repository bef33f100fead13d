package ingest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/store/facts"
)

// TestTruncatedLastLineIsKept loses the end of every file: row 15. The half lines are kept, all
// others are loaded.
func TestTruncatedLastLineIsKept(t *testing.T) {
	t.Parallel()
	h := openHospital(t, people(), nil, fhirtest.TruncatedLastLine)
	got := openStore(t).sync(t, h.source)
	want := []ingest.RefusalReport{
		{Type: "Encounter", Reason: fhir.NotJSON, Count: 2}, {Type: "Patient", Reason: fhir.NotJSON,
			Count: 2},
	}
	if diff := cmp.Diff(want, got.Refusals); diff != "" {
		t.Errorf("refusals differ (-want +got):\n%s", diff)
	}
	for _, k := range readQuarantine(t, got.Quarantine) {
		k.check(t)
	}
}

// TestAbsentEventsAreNotZeroHarm has a server without AdverseEvent: row 10.
func TestAbsentEventsAreNotZeroHarm(t *testing.T) {
	t.Parallel()
	h := openHospital(t, people(), nil, fhirtest.NoAdverseEvent)
	s := openStore(t)
	report := s.sync(t, h.source)
	if _, there := report.Types["AdverseEvent"]; there {
		t.Error("the report counts AdverseEvent, which the server does not offer")
	}
	if len(report.Skipped) != 1 || report.Skipped[0].Name != "AdverseEvent" {
		t.Errorf("Skipped = %v, want that AdverseEvent is not available", report.Skipped)
	}
	result := s.evaluate(t, report.Snapshot, "harm-per-1000-days", "2025")
	if result.Complete || len(result.Incomplete) == 0 {
		t.Errorf("harm says complete = %v, %v", result.Complete, result.Incomplete)
	}
	for _, g := range result.Groups {
		if g.Score != nil {
			t.Errorf("harm %s has the score %g of events that nobody has given", g.ID, *g.Score)
		}
	}
	if stay := s.evaluate(t, report.Snapshot, "ed-stay-over-8h", "2025"); !stay.Complete {
		t.Errorf("a measure that needs no events is incomplete: %v", stay.Incomplete)
	}
}

// TestHTTPIsNotFollowedFromHTTPS redirects files to plain HTTP: row 4.
func TestHTTPIsNotFollowedFromHTTPS(t *testing.T) {
	t.Parallel()
	h := openHospital(t, people(), func(c *fhirtest.Config) { c.TLS = true }, fhirtest.RedirectHTTP)
	s := openStore(t)
	report, err := ingest.Sync(t.Context(), s.config, h.source)
	if !errors.Is(err, ingest.ErrPartial) {
		t.Fatalf("Sync = %v, want ErrPartial", err)
	}
	if report.Types["Patient"].Read > 0 || s.live(t) != "" {
		t.Errorf("Patient = %+v over plain HTTP, live %q", report.Types["Patient"], s.live(t))
	}
	if h.LeakedTokens() > 0 {
		t.Errorf("the token went over plain HTTP %d times", h.LeakedTokens())
	}
}

// writeFiles writes a folder of NDJSON.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// patients is n lines of small patients, of which every bad-th is no JSON.
func patients(n, bad int) string {
	var b strings.Builder
	for i := range n {
		line := fmt.Sprintf(`{"resourceType":"Patient","id":"p%d","gender":"female"}`, i)
		if bad > 0 && i%bad == 0 {
			line = line[:len(line)-1]
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// TestTooManyRefusedLinesFailClosed passes the threshold of row 15: nothing is published, and what
// was refused can be looked at.
func TestTooManyRefusedLinesFailClosed(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	source := ingest.Folder{Path: writeFiles(t,
		map[string]string{"Patient.ndjson": patients(2000, 10)})}
	report, err := ingest.Sync(t.Context(), s.config, source)
	if !errors.Is(err, ingest.ErrRefused) {
		t.Fatalf("Sync = %v, want ErrRefused", err)
	}
	if ids, _ := s.IDs(); len(ids) > 0 || s.live(t) != "" {
		t.Errorf("snapshots %v are there, %q is live", ids, s.live(t))
	}
	if left := s.leftovers(t); len(left) != 1 {
		t.Errorf("runs %v are kept, want one", left)
	}
	if kept := readQuarantine(t, report.Quarantine); len(kept) != 200 {
		t.Errorf("the quarantine holds %d lines, want 200", len(kept))
	}
	want := map[string]ingest.TypeReport{"Patient": {Read: 2000, Refused: 200}}
	if diff := cmp.Diff(want, report.Types); diff != "" {
		t.Errorf("types differ (-want +got):\n%s", diff)
	}
}

// TestTypeWithoutAReadableLineIsIncomplete refuses every line of a type. That must not read as
// none.
func TestTypeWithoutAReadableLineIsIncomplete(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	report, err := ingest.Sync(t.Context(), s.config,
		ingest.Folder{Path: writeFiles(t, map[string]string{
			"Patient.ndjson":      patients(20, 0),
			"Encounter.ndjson":    `{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"EMER"}}`,
			"AdverseEvent.ndjson": `{"resourceType":"AdverseEvent","id":"a1","actuality":"actual"`,
		})})
	if !errors.Is(err, ingest.ErrPartial) || s.live(t) != "" {
		t.Fatalf("Sync = %v with %q live, want ErrPartial", err, s.live(t))
	}
	result := s.evaluate(t, report.Snapshot, "harm-per-1000-days", "2025")
	if result.Complete {
		t.Error("harm is complete although no event could be read")
	}
}

// TestRefusedDeletionsAreKeptAndCounted has a file of deletions of which some lines delete nothing.
func TestRefusedDeletionsAreKeptAndCounted(t *testing.T) {
	t.Parallel()
	const bad = `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Patient?name=x"}}]}`
	s := openStore(t)
	report := s.sync(t, ingest.Folder{Path: writeFiles(t, map[string]string{
		"Patient.ndjson": patients(20, 0),
		"deleted.ndjson": `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Patient/p3"}}]}` +
			"\n" + bad + "\nnot a Bundle\n",
	})})
	want := map[string]ingest.TypeReport{
		"Patient": {Read: 20, Stored: 19, Deleted: 1}, "Bundle": {Read: 2, Refused: 2},
	}
	if diff := cmp.Diff(want, report.Types); diff != "" {
		t.Errorf("types differ (-want +got):\n%s", diff)
	}
	var texts []string
	for _, k := range readQuarantine(t, report.Quarantine) {
		k.check(t)
		texts = append(texts, fmt.Sprintf("%s:%d %s", k.File, k.Line, k.Text))
	}
	if diff := cmp.Diff([]string{"deleted.ndjson:2 " + bad, "deleted.ndjson:3 not a Bundle"},
		texts); diff != "" {
		t.Errorf("kept lines differ (-want +got):\n%s", diff)
	}
}

// TestShrunkenTypeStops loses a third of the patients: nothing is published until that is allowed.
func TestShrunkenTypeStops(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	before := s.sync(t, ingest.Folder{Path: writeFiles(t,
		map[string]string{"Patient.ndjson": patients(90, 0)})})
	fewer := ingest.Folder{Path: writeFiles(t, map[string]string{"Patient.ndjson": patients(60, 0)})}
	_, err := ingest.Sync(t.Context(), s.config, fewer)
	var shrunk *facts.ShrunkError
	if !errors.As(err, &shrunk) || shrunk.Before != 90 || shrunk.After != 60 {
		t.Fatalf("Sync = %v, want that Patient would shrink from 90 to 60", err)
	}
	if s.live(t) != before.Snapshot {
		t.Errorf("%s is live, want %s", s.live(t), before.Snapshot)
	}
	s.config.MaxShrink = 0.5
	after := s.sync(t, fewer)
	if got := after.Types["Patient"]; got.Stored != 60 || got.Deleted != 30 {
		t.Errorf("Patient = %+v, want 60 stored and 30 deleted", got)
	}
}

// TestStrictRefusesWhatBreaksARule reads the same folder leniently and strictly.
func TestStrictRefusesWhatBreaksARule(t *testing.T) {
	t.Parallel()
	folder := writeFiles(t, map[string]string{"Patient.ndjson": `{"resourceType":"Patient","id":"a","gender":"female"}
{"resourceType":"Patient","id":"b","gender":"femail"}
{"resourceType":"Patient","id":"c","birthDate":"1990-02-31x"}
`})
	lenient := openStore(t).sync(t, ingest.Folder{Path: folder})
	if got := lenient.Types["Patient"]; got.Stored != 3 || got.Refused != 0 {
		t.Errorf("leniently, Patient = %+v, want 3 stored", got)
	}
	s := openStore(t)
	s.config.Strict = true
	strict := s.sync(t, ingest.Folder{Path: folder})
	if got := strict.Types["Patient"]; got.Stored != 1 || got.Refused != 2 {
		t.Errorf("strictly, Patient = %+v, want 1 stored and 2 refused", got)
	}
	for _, k := range readQuarantine(t, strict.Quarantine) {
		if k.Reason != fhir.NotValid || k.Diagnosis == "" {
			t.Errorf("line %d: %s, diagnosis %q", k.Line, k.Reason, k.Diagnosis)
		}
	}
}

// TestRefusedLinesNameNobody greps report, log and error of runs over what is refused or goes
// wrong.
func TestRefusedLinesNameNobody(t *testing.T) {
	t.Parallel()
	for _, fault := range []fhirtest.Fault{
		fhirtest.BadLine, fhirtest.DeepJSON, fhirtest.DuplicateKeys, fhirtest.OddText,
		fhirtest.WrongVersion,
		fhirtest.TruncatedLastLine, fhirtest.TwoObjectsPerLine, fhirtest.PartialExport,
		fhirtest.CountMismatch,
		fhirtest.NestedGzip, fhirtest.ResetMidFile, fhirtest.RedirectHTTP,
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			who := population.New(population.Config{Patients: 40, Seed: 5})
			h := openHospital(t, who, nil, fault)
			s := openStore(t)
			report, err := ingest.Sync(t.Context(), s.config, h.source)
			said := fmt.Sprintf("%+v %v %s", report, err, s.log)
			for _, canary := range population.Canaries() {
				if strings.Contains(said, canary) {
					t.Errorf("%q is in what a sync with %s says: %s", canary, fault, said)
				}
			}
		})
	}
}
