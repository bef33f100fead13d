package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/ingest"
)

func patientLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"resourceType":"Patient","id":"p%d","gender":"female"}`+"\n", i)
	}
	return b.String()
}

const syncContract = `{"snapshot":"","source":"","complete":true,
	"types":{"Patient":{"read":0,"stored":0,"refused":0,"deleted":0},"*":{"read":0,"stored":0,"refused":0,"deleted":0}},
	"orphans":0,"issues":[{"kind":"","count":0}]}`

func TestSyncFromAFolder(t *testing.T) {
	t.Parallel()
	who := population.New(population.Config{Patients: 120, Seed: 9})
	reports := map[string]ingest.Report{}
	for name, folder := range map[string]string{
		"plain": exported(t, who, 1, false), "packed in five files a type": exported(t, who, 5, true),
	} {
		o := must(t, "sync", "--json", "--from", folder, "--data", t.TempDir())
		checkContract(t, syncContract, o.out)
		var report ingest.Report
		parse(t, o.out, &report)
		reports[name] = report
		if !report.Complete || report.Source != "folder" || report.Types["AdverseEvent"].Stored == 0 {
			t.Errorf("%s: %+v", name, report)
		}
	}
	if a, b := reports["plain"].Digest, reports["packed in five files a type"].Digest; a != b {
		t.Errorf("the digests differ: %s, %s", a, b)
	}
}

func TestSyncFromSingleResources(t *testing.T) {
	t.Parallel()
	folder := write(t, map[string]string{
		"a.json": "{\n \"resourceType\": \"Patient\",\n \"id\": \"a\"\n}",
		"all.json": `{"resourceType":"Bundle","type":"collection","entry":[
			{"resource":{"resourceType":"Patient","id":"b"}},
			{"resource":{"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"AMB"},
				"subject":{"reference":"Patient/b"},"period":{"start":"2025-03-01","end":"2025-03-01"}}}]}`,
	})
	data := t.TempDir()
	o := must(t, "sync", "--from", folder, "--data", data)
	for _, want := range []string{"Patient", "Encounter", "orphans 0", "snapshot "} {
		if !strings.Contains(o.out, want) {
			t.Errorf("the report lacks %q:\n%s", want, o.out)
		}
	}
	listed := must(t, "snapshot", "list", "--json", "--data", data)
	checkContract(t, `[{"id":"","live":true,"data_as_of":"","complete":true,"holds":""}]`, listed.out)
}

func TestDryRunPublishesNothing(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	o := must(t, "sync", "--dry-run", "--from",
		write(t, map[string]string{"Patient.ndjson": patientLines(3)}), "--data", data)
	if !strings.Contains(o.out, "dry run: nothing was published") {
		t.Errorf("the report does not say so:\n%s", o.out)
	}
	if left := must(t, "snapshot", "list", "--json", "--data",
		data); strings.TrimSpace(left.out) != "[]" {
		t.Errorf("snapshots are there: %s", left.out)
	}
}

func TestStrictSync(t *testing.T) {
	t.Parallel()
	folder := write(t, map[string]string{"Patient.ndjson": patientLines(3) +
		`{"resourceType":"Patient","id":"x","gender":"femail"}` + "\n"})
	o := must(t, "sync", "--strict", "--json", "--from", folder, "--data", t.TempDir())
	var report ingest.Report
	parse(t, o.out, &report)
	if got := report.Types["Patient"]; got.Refused != 1 || got.Stored != 3 || report.Validated != 4 {
		t.Errorf("Patient = %+v, validated %d, want 1 of 4 refused", got, report.Validated)
	}
	if _, err := os.Stat(report.Quarantine); err != nil {
		t.Errorf("the quarantine is not where the report says: %v", err)
	}
}

func TestShrinkingIsRefusedUntilAllowed(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	must(t, "sync", "--from", write(t, map[string]string{"Patient.ndjson": patientLines(90)}),
		"--data", data)
	fewer := write(t, map[string]string{"Patient.ndjson": patientLines(30)})
	o := equitylens(t, "sync", "--from", fewer, "--data", data)
	if o.code != exitFailed {
		t.Errorf("sync = %d, want %d", o.code, exitFailed)
	}
	for _, want := range []string{"from 90 to 30", "nothing was published", "--allow-shrink"} {
		if !strings.Contains(o.err, want) {
			t.Errorf("the complaint lacks %q: %s", want, o.err)
		}
	}
	must(t, "sync", "--allow-shrink", "--from", fewer, "--data", data)
}

// TestExitCodes tells misuse, failure and a partial load apart.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	cases := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"no such command", []string{"frobnicate"}, exitUsage, "unknown command"},
		{"no such flag", []string{"sync", "--frob"}, exitUsage, "sync --help"},
		{"two sources", []string{"sync", "--from", "a", "--source", "b"}, exitUsage, "from source"},
		{"an argument too many", []string{"version", "x"}, exitUsage, "x"},
		{"no measure", []string{"evaluate", "--period", "2025"}, exitUsage, "name one measure, or all"},
		{"no period", []string{"evaluate", "all"}, exitUsage, "period"},
		{"a period that is none", []string{"evaluate", "all", "--period", "2025-Q5"}, exitUsage,
			"2018-Q1"},
		{"a format that is none", []string{"evaluate", "all", "--period", "2025", "--format", "xml"},
			exitUsage, "table, json, csv, fhir"},
		{"no people", []string{"demo", "--patients", "0"}, exitUsage, "number of people"},
		{"no data yet", []string{"evaluate", "all", "--period", "2025", "--data", empty}, exitFailed,
			"equitylens sync makes one"},
		{"no such snapshot", []string{"snapshot", "use", "20250101T000000Z-0001", "--data", empty},
			exitFailed, "no such snapshot"},
		{"no such folder", []string{"sync", "--from", filepath.Join(empty, "none"), "--data", empty},
			exitFailed, "open folder"},
		{"nothing to sync from", []string{"sync", "--data", empty}, exitFailed, "--from DIR"},
		{"no such source", []string{"sync", "--source", "x", "--data", empty}, exitFailed,
			`no source "x"`},
		{"no such configuration", []string{"check", "--config", filepath.Join(empty, "none.yaml")},
			exitFailed, "read configuration"},
		{
			"no such measure", []string{"evaluate", "frob", "--period", "2025", "--data",
				loadedData(t)}, exitUsage, "frob",
		},
		{
			"no such dimension",
			[]string{"evaluate", "telehealth-share", "--period", "2025", "--by", "zodiac", "--data",
				loadedData(t)}, exitUsage, "zodiac",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := equitylens(t, c.args...)
			if o.code != c.code || !strings.Contains(o.err, c.says) {
				t.Errorf("equitylens %s = %d, %q, want %d and %q", strings.Join(c.args, " "), o.code, o.err,
					c.code, c.says)
			}
			if o.out != "" {
				t.Errorf("a complaint went to standard output: %s", o.out)
			}
		})
	}
}

// TestSyncFromAServer syncs a source of the configuration; what is partial exits with 3 and can be
// served all the same.
func TestSyncFromAServer(t *testing.T) {
	t.Parallel()
	who := population.New(population.Config{Patients: 80, Seed: 12})
	good := openSite(t, who, nil)
	o := must(t, "sync", "--json", "--source", "ehr", "--config", good.config)
	checkContract(t, syncContract, o.out)
	var full ingest.Report
	parse(t, o.out, &full)
	if diff := cmp.Diff("ehr", full.Source); diff != "" || !full.Complete {
		t.Errorf("%+v", full)
	}

	bad := openSite(t, who, nil, fhirtest.PartialExport)
	o = equitylens(t, "sync", "--config", bad.config)
	if o.code != exitPartial || !strings.Contains(o.err, "equitylens snapshot use ") {
		t.Fatalf("sync = %d, %s", o.code, o.err)
	}
	if !strings.Contains(o.out, "incomplete: Encounter: ") {
		t.Errorf("the report does not say what is missing:\n%s", o.out)
	}
	if o := equitylens(t, "evaluate", "all", "--period", "2025", "--config",
		bad.config); o.code != exitFailed {
		t.Errorf("evaluate = %d although nothing is live", o.code)
	}
	id := strings.Fields(o.err[strings.Index(o.err, "snapshot use ")+len("snapshot use "):])[0]
	must(t, "snapshot", "use", id, "--config", bad.config)
	told := must(t, "evaluate", "language-recorded", "--period", "2025", "--config", bad.config)
	if !strings.Contains(told.out, "INCOMPLETE: ") {
		t.Errorf("the table does not say that it is incomplete:\n%s", told.out)
	}
}

// realData is where real exports lie on machines that have them.
const realData = "../../../shared/data"

func TestRealExport(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(realData); err != nil {
		t.Skipf("%s holds no real exports on this machine", realData)
	}
	data := t.TempDir()
	o := must(t, "sync", "--json", "--from", filepath.Join(realData, "synthea-bulk-10"), "--data",
		data)
	var report ingest.Report
	parse(t, o.out, &report)
	want := map[string]ingest.TypeReport{"Patient": {Read: 13, Stored: 13},
		"Encounter": {Read: 1215, Stored: 1215}}
	if diff := cmp.Diff(want, report.Types); diff != "" {
		t.Errorf("types differ (-want +got):\n%s", diff)
	}
	answered := must(t, "evaluate", "language-recorded", "--period", "2018", "--data", data)
	if !strings.Contains(answered.out, "language-recorded") {
		t.Errorf("evaluate answers\n%s", answered.out)
	}
}
