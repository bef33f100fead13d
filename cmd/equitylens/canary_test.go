package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// barren fails the test if a text holds what identifies a person of the population.
func barren(t *testing.T, what, text string) {
	t.Helper()
	for _, canary := range population.Canaries() {
		if i := strings.Index(text, canary); i >= 0 {
			t.Errorf("%s holds %q: …%s…", what, canary, text[max(0, i-80):min(len(text), i+80)])
		}
	}
}

// TestNothingNamesAPerson greps all that the program says, at its most talkative, while everything
// goes wrong that can go wrong with a line: row 44. Only the snapshot and the quarantine may hold a
// person.
func TestNothingNamesAPerson(t *testing.T) {
	t.Parallel()
	who := population.New(population.Config{Patients: 120, Seed: 31})
	site := openSite(t, who, func(c *fhirtest.Config) { c.BulkAdverseEvents = true },
		fhirtest.BadLine, fhirtest.HugeLine, fhirtest.DeepJSON, fhirtest.DuplicateKeys, fhirtest.OddText,
		fhirtest.WrongVersion, fhirtest.TruncatedLastLine, fhirtest.Duplicates,
		fhirtest.BOMCRLFBlankLines,
		fhirtest.Transient500, fhirtest.ResetMidFile)
	key, narrow := site.clients(t)

	said := must(t, "sync", "--config", site.config)
	barren(t, "sync", said.out+said.err)
	document := must(t, "sync", "--json", "--full", "--config", site.config)
	barren(t, "sync --json", document.out+document.err)
	strict := equitylens(t, "sync", "--strict", "--full", "--config", site.config)
	barren(t, "sync --strict", strict.out+strict.err)
	for _, format := range []string{"table", "json", "csv", "fhir"} {
		o := must(t, "evaluate", "all", "--period", "2025", "--format", format, "--config", site.config)
		barren(t, "evaluate --format "+format, o.out+o.err)
	}
	barren(t, "snapshot list", must(t, "snapshot", "list", "--json", "--config", site.config).out)

	s := serve(t, site.config, http.DefaultClient)
	token := s.token("full", key, "system/Measure.rs system/MeasureReport.rs equitylens/unsuppressed")
	little := s.token("narrow", narrow, "system/Measure.rs")
	canaries := population.Canaries()
	for _, path := range []string{
		"/metrics", "/readyz", "/healthz", "/fhir/metadata", "/fhir/Measure", evaluatePath,
		evaluatePath + "&stratifier=zodiac",
		"/fhir/Measure/frob/$evaluate-measure?periodStart=2025&periodEnd=2025",
	} {
		for _, t2 := range []string{token, little, ""} {
			_, body := s.do("GET", path, t2, "")
			barren(t, path, body)
		}
	}
	// A caller who writes a name into a URL does not find it in log, metrics or answer.
	for _, canary := range canaries {
		_, body := s.do("GET", "/fhir/Patient/"+strings.ReplaceAll(canary, " ", "%20"), token, "")
		barren(t, "the answer to a path with a name in it", body)
		_, body = s.do("GET", evaluatePath+"&subject="+strings.ReplaceAll(canary, " ", "%20"), token, "")
		barren(t, "the answer to a query with a name in it", body)
	}
	_, metrics := s.do("GET", "/metrics", "", "")
	barren(t, "/metrics", metrics)
	s.end()
	barren(t, "the log of serve", s.log.String())
	barrenFiles(t, site.data)
}

// barrenFiles reads every file of the data directory but those that may hold a person.
func barrenFiles(t *testing.T, data string) {
	t.Helper()
	quarantines := 0
	err := filepath.WalkDir(data, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if filepath.Base(filepath.Dir(path)) == "audit" {
			return nil // The audit trail says who was asked about; that is its use.
		}
		switch filepath.Base(path) {
		case "facts.duckdb":
			return nil
		case "quarantine.ndjson":
			quarantines++
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		barren(t, path, path+string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if quarantines == 0 {
		t.Error("there is no quarantine, so that nothing was refused and nothing is under test")
	}
}

// TestDemoNamesNobody does the same for the demonstration.
func TestDemoNamesNobody(t *testing.T) {
	t.Parallel()
	o := must(t, "demo", "--once", "--json", "--patients", "300", "--seed", "3", "--data", t.TempDir())
	barren(t, "demo --json", o.out+o.err)
	o = must(t, "demo", "--once", "--patients", "300", "--seed", "3", "--data", t.TempDir())
	barren(t, "demo", o.out+o.err)
}
