package ingest_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/ingest"
)

func pack(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFolder(t *testing.T) {
	t.Parallel()
	const (
		patient   = `{"resourceType":"Patient","id":"p1","gender":"female"}`
		second    = `{"resourceType":"Patient","id":"p2","gender":"male"}`
		encounter = `{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p1"}}`
	)
	cases := []struct {
		name  string
		files map[string]string
		want  map[string]ingest.TypeReport
		// skipped names the files that are passed over.
		skipped []string
	}{
		{
			"several files a type, plain and packed",
			map[string]string{"1.Patient.ndjson": patient + "\n",
				"2.Patient.ndjson.gz": pack(t, second+"\n"), "enc.jsonl": encounter},
			map[string]ingest.TypeReport{"Patient": {Read: 2, Stored: 2},
				"Encounter": {Read: 1, Stored: 1}}, nil,
		},
		{
			"a packed file that is not called so",
			map[string]string{"Patient.ndjson": pack(t, patient+"\n"+second+"\n")},
			map[string]ingest.TypeReport{"Patient": {Read: 2, Stored: 2}}, nil,
		},
		{
			"single resources over several lines",
			map[string]string{"a.json": strings.ReplaceAll(patient, ",", ",\n  "), "b.json": second},
			map[string]ingest.TypeReport{"Patient": {Read: 2, Stored: 2}}, nil,
		},
		{
			"a Bundle of both types",
			map[string]string{"all.json": `{"resourceType":"Bundle","type":"collection","entry":[
				{"resource":` + patient + `},{"resource":` + encounter + `},{"fullUrl":"urn:x"}]}`},
			map[string]ingest.TypeReport{"Patient": {Read: 1, Stored: 1},
				"Encounter": {Read: 1, Stored: 1}}, nil,
		},
		{
			"lines in a .json file",
			map[string]string{"Patient.json": patient + "\n" + second + "\n"},
			map[string]ingest.TypeReport{"Patient": {Read: 2, Stored: 2}}, nil,
		},
		{
			"types and files that no measure uses",
			map[string]string{
				"Patient.ndjson": patient, "Location.ndjson": `{"resourceType":"Location","id":"l"}`,
				"log.ndjson": `{"level":"info"}`, "README.txt": "hello", "empty.ndjson": "",
			},
			map[string]ingest.TypeReport{"Patient": {Read: 1, Stored: 1}},
			[]string{"Location.ndjson", "empty.ndjson", "log.ndjson"},
		},
		{
			"an empty file of a type is none of it, which is known",
			map[string]string{"Patient.ndjson": patient, "AdverseEvent.ndjson": ""},
			map[string]ingest.TypeReport{"Patient": {Read: 1, Stored: 1}, "AdverseEvent": {}}, nil,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			report := openStore(t).sync(t, ingest.Folder{Path: writeFiles(t, c.files)})
			if diff := cmp.Diff(c.want, report.Types); diff != "" {
				t.Errorf("types differ (-want +got):\n%s", diff)
			}
			var skipped []string
			for _, s := range report.Skipped {
				skipped = append(skipped, s.Name)
			}
			if diff := cmp.Diff(c.skipped, skipped); diff != "" {
				t.Errorf("skipped files differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFolderRefuses(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	if _, err := ingest.Sync(t.Context(), s.config,
		ingest.Folder{Path: filepath.Join(t.TempDir(), "none")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Sync of no folder = %v, want fs.ErrNotExist", err)
	}
	_, err := ingest.Sync(t.Context(), s.config,
		ingest.Folder{Path: writeFiles(t, map[string]string{"a.txt": "x"})})
	if err == nil || !strings.Contains(err.Error(), "holds no .ndjson") {
		t.Errorf("Sync of a folder without resources = %v", err)
	}
	_, err = ingest.Sync(t.Context(), s.config, ingest.Folder{Path: writeFiles(t, map[string]string{
		"Patient.ndjson": pack(t, strings.Repeat(" ", 64<<20)),
	})})
	if err == nil || s.live(t) != "" {
		t.Errorf("Sync of a gzip bomb = %v, live %q", err, s.live(t))
	}
	_, err = ingest.Sync(t.Context(), s.config, ingest.Folder{Path: writeFiles(t, map[string]string{
		"Patient.ndjson.gz": pack(t, pack(t, patients(3, 0))),
	})})
	if err == nil || s.live(t) != "" {
		t.Errorf("Sync of a file packed twice = %v, live %q", err, s.live(t))
	}
}

// TestWorkersAndFilesDoNotMatter reads one population in several ways that must all come to one.
func TestWorkersAndFilesDoNotMatter(t *testing.T) {
	t.Parallel()
	want := clean(t)
	for _, c := range []struct {
		name           string
		files, workers int
		packed         bool
	}{
		{"one worker, one file", 1, 1, false},
		{"seven workers, one file", 1, 7, true},
		{"three workers, thirteen files", 13, 3, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if err := people().WriteNDJSON(t.Context(), folder, c.files, c.packed); err != nil {
				t.Fatal(err)
			}
			s := openStore(t)
			s.config.Workers = c.workers
			got := s.sync(t, ingest.Folder{Path: folder, ID: "ehr"})
			if got.Digest != want.Digest {
				t.Errorf("Digest = %s, want %s", got.Digest, want.Digest)
			}
			if diff := cmp.Diff(want.Issues, got.Issues); diff != "" {
				t.Errorf("issues differ (-want +got):\n%s", diff)
			}
		})
	}
}

// realData is where real exports lie on machines that have them.
const realData = "../../../shared/data"

// TestRealData loads what real systems wrote. Nothing may be refused without a reason.
func TestRealData(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(realData); err != nil {
		t.Skipf("%s holds no real exports on this machine", realData)
	}
	cases := []struct {
		folder string
		want   map[string]ingest.TypeReport
	}{
		{"synthea-bulk-10", map[string]ingest.TypeReport{"Patient": {Read: 13, Stored: 13},
			"Encounter": {Read: 1215, Stored: 1215}}},
		{"hl7-r4-examples", nil},
		{"us-core-examples", map[string]ingest.TypeReport{"Patient": {Read: 4, Stored: 4},
			"Encounter": {Read: 1, Stored: 1}}},
	}
	for _, c := range cases {
		t.Run(c.folder, func(t *testing.T) {
			t.Parallel()
			report := openStore(t).sync(t, ingest.Folder{Path: filepath.Join(realData, c.folder)})
			if len(report.Refusals) > 0 {
				t.Errorf("refused %v", report.Refusals)
			}
			if diff := cmp.Diff(c.want, report.Types); c.want != nil && diff != "" {
				t.Errorf("types differ (-want +got):\n%s", diff)
			}
			for _, name := range []string{"Patient", "Encounter"} {
				if report.Types[name].Stored == 0 {
					t.Errorf("no %s was stored of %+v", name, report.Types[name])
				}
			}
		})
	}
}

// TestSyncNeedsResources has a Bundle of a type that no measure uses.
func TestSyncNeedsResources(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	_, err := ingest.Sync(t.Context(), s.config, ingest.Folder{Path: writeFiles(t, map[string]string{
		"all.json": `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Location","id":"l"}}]}`,
	})})
	if err == nil || s.live(t) != "" {
		t.Errorf("Sync = %v with %q live, want an error", err, s.live(t))
	}
}

// TestPopulationOfTheseTestsHasEverything makes sure that the population used above has all three
// types.
func TestPopulationOfTheseTestsHasEverything(t *testing.T) {
	t.Parallel()
	for _, kind := range []population.Type{population.Patient, population.Encounter,
		population.AdverseEvent} {
		if n := people().Count(t.Context(), population.Query{Type: kind}); n == 0 {
			t.Errorf("the population has no %s", kind)
		}
	}
}
