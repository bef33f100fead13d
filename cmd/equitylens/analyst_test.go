package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/fhir/r4"
)

// anyPatient returns the id of the nth patient of a population.
func anyPatient(t *testing.T, who *population.Population, n int) string {
	t.Helper()
	file, err := os.Open(filepath.Join(exported(t, who, 1, false), "Patient.000.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var patient struct{ ID string }
		parse(t, lines.Text(), &patient)
		if n--; n < 0 {
			return patient.ID
		}
	}
	t.Fatal("the population has no such patient")
	return ""
}

// copied is the shared data directory, to be changed.
func copied(t *testing.T) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(data, os.DirFS(loadedData(t))); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEvaluateForThePublic(t *testing.T) {
	t.Parallel()
	data := copied(t)
	settings := filepath.Join(write(t, map[string]string{
		"c.yaml": "disclosure: {public_measures: [telehealth-share]}\n",
	}), "c.yaml")
	o := must(t, "evaluate", "telehealth-share", "--period", "2025", "--by", "language", "--audience",
		"public", "--format", "json", "--config", settings, "--data", data)
	var answer struct {
		Audience string
		Groups   []struct {
			Strata map[string][]struct {
				Populations map[string]float64
				Score       *float64
				Suppressed  bool
			}
		}
	}
	parse(t, o.out, &answer)
	hidden := 0
	for _, s := range answer.Groups[0].Strata["language"] {
		for population, size := range s.Populations {
			if size >= 1 && size <= 10 {
				t.Errorf("%s of %g is shown", population, size)
			}
		}
		if s.Suppressed {
			hidden++
		}
	}
	if answer.Audience != "public" || hidden == 0 {
		t.Errorf("audience %q, %d strata hidden; want the public, and some", answer.Audience, hidden)
	}
	table := must(t, "evaluate", "telehealth-share", "--period", "2025", "--by", "language", "--audience",
		"public", "--config", settings, "--data", data)
	if !strings.Contains(table.out, "hidden") {
		t.Errorf("the table does not say what is hidden:\n%s", table.out)
	}
	if o := equitylens(t, "evaluate", "language-recorded", "--period", "2025", "--audience", "public",
		"--config", settings, "--data", data); o.code == exitOK || !strings.Contains(o.err, "public_measures") {
		t.Errorf("a measure of the same encounters: exit %d, %s", o.code, o.err)
	}
	for name, args := range map[string][]string{
		"a filter":       {"--where", "sex=male"},
		"another cross":  {"--by", "race*sex"},
		"another period": {"--period", "2025-03"},
	} {
		all := append([]string{"evaluate", "telehealth-share", "--period", "2025", "--audience", "public",
			"--config", settings, "--data", data}, args...)
		if o := equitylens(t, all...); o.code == exitOK || !strings.Contains(o.err, "not public") {
			t.Errorf("%s: exit %d, %s", name, o.code, o.err)
		}
	}
}

func TestEvaluateIntoFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	files := map[string]string{}
	for _, format := range []string{"csv", "xlsx", "parquet"} {
		path := filepath.Join(folder, "figures."+format)
		o := must(t, "evaluate", "all", "--period", "2025", "--by", "race", "--reference", "largest", "--format",
			format, "--out", path, "--data", loadedData(t))
		text, err := os.ReadFile(path)
		if err != nil || o.out != "" {
			t.Fatalf("%s: %v, and on standard output %q", format, err, o.out)
		}
		files[format] = string(text)
	}
	// What is in each is for the tests of measure/export; here each must be what it is called.
	if !strings.HasPrefix(files["parquet"], "PAR1") || !strings.HasSuffix(files["parquet"], "PAR1") {
		t.Error("the Parquet file has no magic number")
	}
	if !strings.HasPrefix(files["xlsx"], "PK") || !strings.Contains(files["xlsx"], "xl/worksheets/") {
		t.Error("the workbook is none")
	}
	rows, err := csv.NewReader(strings.NewReader(files["csv"])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rule, difference, compared := slices.Index(rows[0], "reference_rule"), slices.Index(rows[0], "difference"), 0
	for _, row := range rows[1:] {
		if row[rule] == "largest" && row[difference] != "" {
			compared++
		}
	}
	if compared == 0 {
		t.Error("no row was compared with the largest group")
	}
	if o := equitylens(t, "evaluate", "all", "--period", "2025", "--format", "frob", "--data",
		loadedData(t)); o.code != exitUsage {
		t.Errorf("--format frob: exit %d", o.code)
	}
}

func TestExplainNamesAndNotes(t *testing.T) {
	t.Parallel()
	data := copied(t)
	who := population.New(population.Config{Patients: 500, Seed: 6})
	patient := anyPatient(t, who, 7)
	program, out, complaints := newProgram()
	program.in = strings.NewReader("Patient/" + patient + "\n")
	if code := program.run(t.Context(), []string{"explain", "language-recorded", "--period", "2025",
		"--patient", "-", "--json", "--data", data}); code != exitOK {
		t.Fatalf("explain = %d: %s", code, complaints.String())
	}
	var found explanationView
	parse(t, out.String(), &found)
	fields := map[string]bool{}
	for _, f := range found.Fields {
		fields[f.Field] = true
	}
	if found.Patient != patient || !fields["race"] || !fields["language"] || !fields["interpreter_need"] {
		t.Errorf("the explanation is of %s with the fields %v", found.Patient, fields)
	}
	if strings.Contains(complaints.String(), patient) {
		t.Errorf("the id stands on standard error: %s", complaints.String())
	}
	if o := must(t, "audit", "verify", "--data", data); !strings.Contains(o.out, "1 events") {
		t.Errorf("audit verify says %q, want one event", o.out)
	}
	files, err := filepath.Glob(filepath.Join(data, "audit", "*.ndjson"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the audit trail has the files %v, %v", files, err)
	}
	line, err := os.ReadFile(files[0])
	if err != nil || !bytes.Contains(line, []byte(patient)) {
		t.Errorf("the audit trail is %q, %v; want an event about the patient", line, err)
	}
	var noted struct{ Event json.RawMessage }
	parse(t, string(line), &noted)
	if resource, err := r4.Unmarshal(noted.Event); err != nil || resource.GetAuditEvent() == nil {
		t.Errorf("the audit trail holds no AuditEvent: %v", err)
	}
	if err := os.WriteFile(files[0], bytes.Replace(line, []byte(patient), []byte("somebody"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := equitylens(t, "audit", "verify", "--data", data); o.code != exitFailed || !strings.Contains(o.err, "tampered") {
		t.Errorf("audit verify of a changed trail = %d, %s", o.code, o.err)
	}
	o := equitylens(t, "explain", "language-recorded", "--period", "2025", "--patient", "nobody-here",
		"--data", data)
	if o.code == exitOK || strings.Contains(o.err, "nobody-here") {
		t.Errorf("explain of nobody = %d, %s; want a failure that repeats no id", o.code, o.err)
	}
}

// TestWhatAnotherEngineComputedIsStratifiedAlike takes individual reports out of one server and brings
// them into another as if an engine elsewhere had made them: the strata are the same.
func TestWhatAnotherEngineComputedIsStratifiedAlike(t *testing.T) {
	t.Parallel()
	site := openSite(t, population.New(population.Config{Patients: 60, Seed: 4}), nil)
	key, _ := site.clients(t)
	must(t, "sync", "--config", site.config)
	s := serve(t, site.config, http.DefaultClient)
	token := s.token("full", key, strings.Join([]string{"system/Measure.rs", "system/MeasureReport.rs",
		"equitylens/unsuppressed", "equitylens/patients", "equitylens/import"}, " "))
	for query, total := range map[string]int{
		"date=2026-11-22": 12, "date=lt2026": 0, "period=ge2027": 12, "version=1.0.0": 12, "version=9": 0,
	} {
		var found struct{ Total int }
		_, body := s.do("GET", "/fhir/Measure?"+query, token, "")
		if parse(t, body, &found); found.Total != total {
			t.Errorf("Measure?%s finds %d, want %d", query, found.Total, total)
		}
	}
	const measureID = "ed-left-without-being-seen"
	evaluate := "/fhir/Measure/" + measureID + "/$evaluate-measure?periodStart=2025&periodEnd=2025"
	status, list := s.do("GET", evaluate+"&reportType=subject-list&stratifier=race", token, "")
	if status != 200 {
		t.Fatalf("subject-list = %d %s", status, list)
	}
	patients := patientsOf(t, list)
	if len(patients) < 10 {
		t.Fatalf("%d patients are in the list; that is no test", len(patients))
	}
	var reports []string
	for _, id := range patients {
		status, report := s.do("GET", evaluate+"&subject=Patient/"+id, token, "")
		if status != 200 {
			t.Fatalf("subject = %d %s", status, report)
		}
		var line bytes.Buffer
		if err := json.Compact(&line, []byte(report)); err != nil {
			t.Fatal(err)
		}
		reports = append(reports, line.String())
	}
	status, body := s.do("POST", "/fhir/MeasureReport/$import", token, reports[0])
	if status != 200 && status != 415 {
		t.Errorf("$import of one report = %d %s", status, body)
	}
	file := filepath.Join(t.TempDir(), "reports.ndjson")
	if err := os.WriteFile(file, []byte(strings.Join(reports, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := must(t, "import-reports", file, "--config", site.config)
	for _, id := range patients {
		if strings.Contains(o.out+o.err, id) {
			t.Fatal("import-reports prints the id of a patient")
		}
	}
	s.end()
	own := must(t, "evaluate", measureID, "--period", "2025", "--by", "race,sex", "--format", "json",
		"--config", site.config)
	theirs := must(t, "evaluate", measureID+"-imported", "--period", "2025", "--by", "race,sex", "--format",
		"json", "--config", site.config)
	if a, b := strata(t, own.out), strata(t, theirs.out); a != b {
		t.Errorf("our strata and those of the import differ:\n%s\n%s", a, b)
	}
	if o := equitylens(t, "evaluate", measureID+"-imported", "--period", "2024", "--config",
		site.config); o.code != exitUsage {
		t.Errorf("another period of an import: exit %d, %s", o.code, o.err)
	}
}

// patientsOf lists who is in the initial population of a subject list.
func patientsOf(t *testing.T, report string) []string {
	t.Helper()
	var found struct {
		Contained []struct {
			Entry []struct{ Item struct{ Reference string } }
		}
	}
	parse(t, report, &found)
	seen := map[string]bool{}
	var ids []string
	for _, list := range found.Contained {
		for _, entry := range list.Entry {
			id := entry.Item.Reference[strings.LastIndexByte(entry.Item.Reference, '/')+1:]
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// strata writes the figures of a result in one line.
func strata(t *testing.T, document string) string {
	t.Helper()
	var found struct {
		Groups []struct {
			Populations map[string]float64
			Score       *float64
			Strata      map[string][]struct {
				Code, State string
				Populations map[string]float64
				Score       *float64
			}
		}
	}
	parse(t, document, &found)
	text, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestGapsListsWhereToLookFirst(t *testing.T) {
	t.Parallel()
	o := must(t, "gaps", "--period", "2025", "--json", "--data", loadedData(t))
	var found struct {
		Gaps []struct {
			Measure  string
			AtLeast  float64 `json:"at_least"`
			Q        *float64
			Within   []struct{ By string }
			Sentence string
		}
	}
	parse(t, o.out, &found)
	if len(found.Gaps) == 0 || len(found.Gaps) > 20 {
		t.Fatalf("%d gaps, want up to twenty", len(found.Gaps))
	}
	within := 0
	for i, g := range found.Gaps {
		if i > 0 && g.AtLeast > found.Gaps[i-1].AtLeast {
			t.Errorf("gap %d is larger than the one before", i)
		}
		if g.Sentence == "" {
			t.Errorf("gap %d has no sentence", i)
		}
		within += len(g.Within)
	}
	if within == 0 {
		t.Error("no gap was looked at within sites or age bands")
	}
	for _, args := range [][]string{
		{"--reference", "zodiac"}, {"--where", "zodiac=leo"}, {"--where", "frob"}, {"--by", "zodiac"},
		{"--race-policy", "zodiac"},
	} {
		all := append([]string{"gaps", "--period", "2025", "--data", loadedData(t)}, args...)
		if o := equitylens(t, all...); o.code != exitUsage {
			t.Errorf("gaps %v: exit %d, %s", args, o.code, o.err)
		}
	}
	if text := fmt.Sprint(must(t, "gaps", "--period", "2025", "--data", loadedData(t)).out); !strings.Contains(text,
		"AT LEAST") {
		t.Errorf("the table is\n%s", text)
	}
}
