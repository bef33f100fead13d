package ingest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/ingest"
)

// TestPlacesAreThoseOfTheQuarantine holds what may be shown against what is kept, line by line.
func TestPlacesAreThoseOfTheQuarantine(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	h := openHospital(t, people(), nil, fhirtest.BadLine, fhirtest.DeepJSON, fhirtest.DuplicateKeys,
		fhirtest.OddText)
	report := s.sync(t, h.source)
	got, err := ingest.SnapshotQuarantine(s.Dir, report.Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	kept := readQuarantine(t, report.Quarantine)
	if got.Lines != int64(len(kept)) || len(got.First) != len(kept) || len(kept) < 4 {
		t.Fatalf("%d lines are counted and %d listed, of %d that are kept", got.Lines, len(got.First), len(kept))
	}
	reasons := map[fhir.Reason]int64{}
	for _, k := range kept {
		reasons[k.Reason]++
		want := ingest.Place{
			File: k.File, Line: k.Line, Offset: k.Offset, Length: k.Length, Reason: k.Reason, Element: k.Element,
		}
		if !slices.Contains(got.First, want) {
			t.Errorf("%+v is kept and not listed", want)
		}
	}
	for _, r := range got.Reasons {
		reasons[r.Reason] -= r.Count
	}
	for reason, n := range reasons {
		if n != 0 {
			t.Errorf("%s: %d lines are not counted", reason, n)
		}
	}
	ofRun, err := ingest.RunQuarantine(s.Dir, s.runs(t)[0].ID)
	if err != nil || ofRun.Lines != got.Lines {
		t.Errorf("RunQuarantine() = %d lines, %v; want %d", ofRun.Lines, err, got.Lines)
	}
}

// TestPlacesSayNothingOfWhatALineHolds refuses lines that hold a name wherever a name fits.
func TestPlacesSayNothingOfWhatALineHolds(t *testing.T) {
	t.Parallel()
	const name = "Esperanza"
	lines := []string{
		`{"resourceType":"` + name + `","id":"1","meta":"x"}`,
		`{"resourceType":"` + name + `","id":"` + name + ` ` + name + `"}`,
		`{"resourceType":"Patient","id":"` + name + `","name":"` + name + `","birthDate":{"` + name + `":1}}`,
		`{"resourceType":"Patient","id":"2","gender":["` + name + `"]}`,
		`{"resourceType":"Patient","id":"3","` + name + `":1,"` + name + `":2}`,
		`{"` + name + `":`,
	}
	files := writeFiles(t, map[string]string{
		"Patient.ndjson": patients(50, 0) + strings.Join(lines, "\n"),
		name + ".json":   `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"a b"}}]}`,
	})
	s := openStore(t)
	s.config.MaxRefused = 1
	report := s.sync(t, ingest.Folder{Path: files, ID: "ehr"})
	got, err := ingest.SnapshotQuarantine(s.Dir, report.Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	remembered, err := s.Records(0)
	if err != nil {
		t.Fatal(err)
	}
	if got.Lines < 4 {
		t.Errorf("only %d lines were refused: %s", got.Lines, text)
	}
	for what, said := range map[string]string{"the listing": string(text), "the history": string(remembered[0].Data)} {
		if strings.Contains(said, name) {
			t.Errorf("%s holds the name: %s", what, said)
		}
	}
}

// TestPlacesAreBounded refuses more lines than are listed.
func TestPlacesAreBounded(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	s.config.MaxRefused = 1
	const bad = 450
	from := ingest.Folder{Path: writeFiles(t, map[string]string{"Patient.ndjson": patients(2*bad, 2)}), ID: "ehr"}
	report := s.sync(t, from)
	got, err := ingest.SnapshotQuarantine(s.Dir, report.Snapshot)
	if err != nil || got.Lines != bad || len(got.First) != 200 || len(got.Reasons) == 0 {
		t.Errorf("%d lines are counted and %d listed, for %v; want %d and 200; %v", got.Lines, len(got.First),
			got.Reasons, bad, err)
	}
}

// TestTheQuarantineOfARunThatPublishedNothing is there until the next run of its source.
func TestTheQuarantineOfARunThatPublishedNothing(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	bad := ingest.Folder{Path: writeFiles(t, map[string]string{"Patient.ndjson": patients(300, 2)}), ID: "ehr"}
	for night := range 2 {
		if _, err := ingest.Sync(t.Context(), s.config, bad); !errors.Is(err, ingest.ErrRefused) {
			t.Fatalf("night %d: Sync = %v, want ErrRefused", night, err)
		}
	}
	other := ingest.Folder{Path: writeFiles(t, map[string]string{"Patient.ndjson": patients(10, 0)}), ID: "other"}
	s.sync(t, other)
	runs := s.runs(t)
	for at, want := range []string{"0 lines", "150 lines", "nothing"} {
		said := "nothing"
		q, err := ingest.RunQuarantine(s.Dir, runs[at].ID)
		if err == nil {
			said = fmt.Sprint(q.Lines, " lines")
		}
		if err != nil && !errors.Is(err, ingest.ErrNoQuarantine) || said != want {
			t.Errorf("the quarantine of run %d before last: %s, %v; want %s", at, said, err, want)
		}
	}
	for _, id := range []string{"", "../runs", "20270701T020000Z-9999"} {
		if _, err := ingest.RunQuarantine(s.Dir, id); !errors.Is(err, ingest.ErrNoQuarantine) {
			t.Errorf("RunQuarantine(%q) = %v, want ErrNoQuarantine", id, err)
		}
		if _, err := ingest.SnapshotQuarantine(s.Dir, id); !errors.Is(err, ingest.ErrNoQuarantine) {
			t.Errorf("SnapshotQuarantine(%q) = %v, want ErrNoQuarantine", id, err)
		}
	}
}

// TestHistoryNamesNobody greps what is remembered of runs over what is refused or goes wrong.
func TestHistoryNamesNobody(t *testing.T) {
	t.Parallel()
	for _, fault := range []fhirtest.Fault{
		fhirtest.BadLine, fhirtest.WrongVersion, fhirtest.TwoObjectsPerLine, fhirtest.PartialExport,
		fhirtest.CountMismatch,
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			h := openHospital(t, population.New(population.Config{Patients: 40, Seed: 5}), nil, fault)
			s := openStore(t)
			_, err := ingest.Sync(t.Context(), s.config, h.source)
			records, unread := s.Records(0)
			q, missing := ingest.RunQuarantine(s.Dir, s.runs(t)[0].ID)
			if unread != nil || len(records) != 1 || missing != nil {
				t.Fatalf("Sync = %v, records %d, %v, quarantine %v", err, len(records), unread, missing)
			}
			said := fmt.Sprintf("%s %+v", records[0].Data, q)
			for _, canary := range population.Canaries() {
				if strings.Contains(said, canary) {
					t.Errorf("%q is in what is remembered of a sync with %s: %s", canary, fault, said)
				}
			}
		})
	}
}
