package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/incident"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// fewPeople is an export of the patients p0 to p9, each with a stay in March 2026.
func fewPeople(t *testing.T) string {
	t.Helper()
	var people, stays strings.Builder
	for i := range 10 {
		_, _ = fmt.Fprintf(&people, `{"resourceType":"Patient","id":"p%d","gender":"female"}`+"\n", i)
		_, _ = fmt.Fprintf(&stays, `{"resourceType":"Encounter","id":"e%d","status":"finished","class":{"code":"IMP",`+
			`"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode"},"subject":{"reference":"Patient/p%d"},`+
			`"period":{"start":"2026-03-01","end":"2026-03-20"}}`+"\n", i, i)
	}
	return write(t, map[string]string{"Patient.ndjson": people.String(), "Encounter.ndjson": stays.String()})
}

// reportsOf writes a table and returns its path.
func reportsOf(t *testing.T, text string) string {
	t.Helper()
	return filepath.Join(write(t, map[string]string{"reports.csv": text}), "reports.csv")
}

const importContract = `{"source":"","rows":0,"new":0,"changed":0,"unchanged":0,"withdrawn":0,
	"refused":[{"row":0,"column":"","reason":""}],"refused_rows":0,"unknown_patients":[0],"unknown_encounters":[0],
	"compared":true,"stored":true,"dry_run":true,"sync":{"snapshot":"","complete":true,"types":{"*":{"stored":0}}}}`

func TestImportEvents(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	must(t, "sync", "--from", fewPeople(t), "--data", data)
	const header = "id,patient,encounter,date,harm,status\n"
	first := reportsOf(t, header+"1,p1,,2026-03-05,E,\n2,p2,e2,2026-03-05,B,\n3,nobody,e9,2026-03-05,I,\n")
	steps := []struct {
		name, file string
		want       map[string]any
		stored     int64
	}{
		{"the first time", first, map[string]any{"new": 3.0, "changed": 0.0, "unchanged": 0.0, "withdrawn": 0.0}, 3},
		{"the second time", first, map[string]any{"new": 0.0, "changed": 0.0, "unchanged": 3.0, "withdrawn": 0.0}, 3},
		{"what changed and what was taken back", reportsOf(t, header+"1,p1,,2026-03-06,F,\n2,,,,,withdrawn\n3,,,,,void\n"),
			map[string]any{"new": 0.0, "changed": 1.0, "unchanged": 0.0, "withdrawn": 2.0}, 1},
	}
	for _, s := range steps {
		o := must(t, "import-events", s.file, "--json", "--data", data)
		checkContract(t, strings.Replace(strings.Replace(importContract, `[{"row":0,"column":"","reason":""}]`, "[]", 1),
			`"unknown_patients":[0],"unknown_encounters":[0]`, `"unknown_patients":[],"unknown_encounters":[]`, 1), o.out)
		var got map[string]any
		parse(t, o.out, &got)
		for key, want := range s.want {
			if got[key] != want {
				t.Errorf("%s: %s = %v, want %v", s.name, key, got[key], want)
			}
		}
		var report struct {
			Sync struct {
				Source string
				Types  map[string]struct{ Stored int64 }
			}
		}
		parse(t, o.out, &report)
		if got := report.Sync; got.Source != "incidents" || got.Types["AdverseEvent"].Stored != s.stored {
			t.Errorf("%s: the sync is %+v, want %d events", s.name, got, s.stored)
		}
	}
	// Every sync of all sources brings them along, and one of the events alone is named by their source.
	for _, args := range [][]string{{"sync"}, {"sync", "--source", "incidents"}, {"sync", "--reviews"}} {
		o := must(t, append(args, "--json", "--data", data)...)
		if !strings.Contains(o.out, `"source":"incidents"`) || !strings.Contains(o.out, `"unchanged":true`) {
			t.Errorf("%v = %s", args, o.out)
		}
	}
	if o := equitylens(t, "sync", "--source", "nobody", "--data", data); o.code != exitFailed {
		t.Errorf("a sync of no source = %d", o.code)
	}
}

func TestRowsThatAreRefusedStopAnImport(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	must(t, "sync", "--from", fewPeople(t), "--data", data)
	file := reportsOf(t, "id,patient,encounter,date,harm\n1,p1,,2026-03-05,E\n2,Maria Lopez,,never,K\n3,p77,e77,2026-03-05,A\n")
	said := []string{"row 3, patient: is no FHIR id", "row 3, date: is no date", `row 3, harm: "K" means none of A`,
		"3 rows: 2 new, 0 changed, 0 unchanged, 0 withdrawn, 1 refused", "1 rows name patients", "figures until their patients are here: 4"}
	steps := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"a dry run", []string{"--dry-run"}, exitFailed, "dry run: nothing was stored"},
		{"one that takes the good", []string{"--dry-run", "--accept-good"}, exitPartial, "dry run: nothing was stored"},
		{"a real one", nil, exitFailed, "nothing was stored"},
	}
	for _, s := range steps {
		o := equitylens(t, append([]string{"import-events", file, "--data", data}, s.args...)...)
		if o.code != s.code {
			t.Errorf("%s = %d, want %d: %s", s.name, o.code, s.code, o.err)
		}
		for _, words := range append(said, s.says) {
			if !strings.Contains(o.out, words) {
				t.Errorf("%s does not say %q:\n%s", s.name, words, o.out)
			}
		}
		if strings.Contains(o.out+o.err, "Lopez") {
			t.Errorf("%s names somebody:\n%s%s", s.name, o.out, o.err)
		}
		if got := storedEvents(t, data); got != 0 {
			t.Errorf("%s stored %d events", s.name, got)
		}
	}
	o := equitylens(t, "import-events", file, "--accept-good", "--no-sync", "--data", data)
	if o.code != exitPartial || !strings.Contains(o.out, "stored; they come with the next sync") || storedEvents(t, data) != 2 {
		t.Errorf("with the good rows = %d, %d events:\n%s%s", o.code, storedEvents(t, data), o.out, o.err)
	}
}

// storedEvents counts the documents of a data directory.
func storedEvents(t *testing.T, data string) int {
	t.Helper()
	path := filepath.Join(data, "decisions.db")
	if _, err := os.Stat(path); err != nil {
		return 0
	}
	store, err := decisions.Open(t.Context(), decisions.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	all, err := store.Find(t.Context(), decisions.Query{Kind: decisions.Incident})
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestADryRunLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	must(t, "import-events", reportsOf(t, "id,patient,date,harm\n1,p1,2026-03-05,E\n"), "--dry-run", "--data", data)
	if _, err := os.Stat(filepath.Join(data, "decisions.db")); !os.IsNotExist(err) {
		t.Errorf("there is a store of decisions: %v", err)
	}
	must(t, "sync", "--from", fewPeople(t), "--data", data)
	if _, err := os.Stat(filepath.Join(data, "decisions.db")); !os.IsNotExist(err) {
		t.Errorf("a sync made a store of decisions: %v", err)
	}
}

func TestEventsComeWithTheFirstSync(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	o := must(t, "import-events", reportsOf(t, "id,patient,date,harm\n1,p1,2026-03-05,E\n"), "--data", data)
	if !strings.Contains(o.out, "they come with the first sync of an EHR") {
		t.Errorf("it says\n%s", o.out)
	}
	if o := equitylens(t, "sync", "--reviews", "--data", t.TempDir()); o.code != exitFailed ||
		!strings.Contains(o.err, "make the live snapshot again") {
		t.Errorf("a refresh of nothing = %d: %s", o.code, o.err)
	}
	folder := write(t, map[string]string{"equitylens.yaml": "data: " + data + "\nsources:\n  - name: ehr\n    folder: " +
		fewPeople(t) + "\n"})
	o = must(t, "sync", "--json", "--config", filepath.Join(folder, "equitylens.yaml"))
	sources := regexp.MustCompile(`"source":"(\w+)"`).FindAllStringSubmatch(o.out, -1)
	if len(sources) != 2 || sources[0][1] != "ehr" || sources[1][1] != "incidents" {
		t.Errorf("the sync asked %v", sources)
	}
}

func TestEventsAreStoredWhileAnotherSyncGoesOn(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	must(t, "sync", "--from", fewPeople(t), "--data", data)
	dir, err := facts.Open(data, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	run, err := dir.Begin("ehr")
	if err != nil {
		t.Fatal(err)
	}
	file := reportsOf(t, "id,patient,date,harm\n1,p1,2026-03-05,E\n")
	o := equitylens(t, "import-events", file, "--data", data)
	if o.code != exitFailed || !strings.Contains(o.err, "stored and come with the next sync") ||
		storedEvents(t, data) != 1 || len(factsOf(t, data)) != 0 {
		t.Errorf("import = %d, %d stored: %s", o.code, storedEvents(t, data), o.err)
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	must(t, "sync", "--data", data)
	if got := factsOf(t, data); len(got) != 1 {
		t.Errorf("after the next sync there are %d events, want 1", len(got))
	}
}

func TestWhichSystemATableIsOf(t *testing.T) {
	t.Parallel()
	one, two := incident.Mapping{Name: "rl"}, incident.Mapping{Name: "datix"}
	cases := []struct {
		name, in string
		known    []incident.Mapping
		want     string
		says     string
	}{
		{"of none, where none is configured", "", nil, incident.DefaultName, ""},
		{"of that by its name", incident.DefaultName, nil, incident.DefaultName, ""},
		{"of the only one", "", []incident.Mapping{one}, "rl", ""},
		{"of the one that is named", "datix", []incident.Mapping{one, two}, "datix", ""},
		{"of one of several", "", []incident.Mapping{one, two}, "", "name one by --source, of rl, datix"},
		{"of one that nobody knows", "x", []incident.Mapping{one}, "", "has no incident system"},
		{"of one where none is configured", "x", nil, "", "has no incident system"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := incidentMapping(c.known, c.in)
			if c.says == "" && (err != nil || got.Name != c.want) {
				t.Errorf("incidentMapping(%s) = %s, %v, want %s", c.in, got.Name, err, c.want)
			}
			if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("incidentMapping(%s) = %v, want %q", c.in, err, c.says)
			}
		})
	}
}

// settle answers the review of an event, as one or as two people, and settles it if they agree.
func settle(t *testing.T, data, source, id string, rule review.Rule, reviewers ...string) {
	t.Helper()
	store, err := decisions.Open(t.Context(), decisions.Config{Path: filepath.Join(data, "decisions.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	dir, err := facts.Open(data, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	desk, err := review.New(review.Config{
		Records: store, TwoPerson: rule, Now: time.Now,
		Hold: func(use func(review.Events) error) error {
			current, err := dir.Current()
			if err != nil {
				return err
			}
			s, err := dir.Snapshot(context.Background(), current)
			if err != nil {
				return err
			}
			defer func() { _ = s.Close() }()
			return use(s)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	of := review.IDOf(review.Key{Source: source, ID: phi.New(id)})
	for _, who := range reviewers {
		now, err := desk.Review(t.Context(), of)
		if err != nil {
			t.Fatal(err)
		}
		_, err = desk.Answer(t.Context(), of, now.Version, review.Opinion{
			Reviewer: review.Reviewer{Subject: who}, Answer: review.Yes, Factors: []review.Factor{review.LanguageAccess},
			Detection: review.Reported, Evidence: "No interpreter was called.",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestAnswersReachTheMeasure walks from a table over a review of two people to the figure.
func TestAnswersReachTheMeasure(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	must(t, "sync", "--from", fewPeople(t), "--data", data)
	must(t, "import-events", reportsOf(t, "id,patient,date,harm\n1,p1,2026-03-05,E\n2,p2,2026-03-06,F\n3,p3,2026-03-06,B\n"),
		"--data", data)
	figures := func() string {
		t.Helper()
		o := must(t, "evaluate", "inequity-factor-captured", "--period", "2026", "--format", "json", "--data", data)
		var result struct {
			Groups []struct {
				ID          string
				Populations map[string]float64
			}
		}
		if err := json.Unmarshal([]byte(o.out), &result); err != nil {
			t.Fatalf("%v in %s", err, o.out)
		}
		text := ""
		for _, g := range result.Groups {
			text += fmt.Sprintf("%s %g/%g ", g.ID, g.Populations["numerator"], g.Populations["denominator"])
		}
		return strings.TrimSpace(text)
	}
	ids := factsOf(t, data)
	if d := cmp.Diff("main 0/2 yes 0/2", figures()); d != "" {
		t.Fatalf("before anybody was asked (-want +got):\n%s", d)
	}
	settle(t, data, "incidents", ids["2026-03-05"], review.TwoForEachOne, "ada")
	must(t, "sync", "--reviews", "--data", data)
	if d := cmp.Diff("main 0/2 yes 0/2", figures()); d != "" {
		t.Errorf("while a review of two waits (-want +got):\n%s", d)
	}
	settle(t, data, "incidents", ids["2026-03-05"], review.TwoForEachOne, "grace")
	if d := cmp.Diff("main 0/2 yes 0/2", figures()); d != "" {
		t.Errorf("before the next sync (-want +got):\n%s", d)
	}
	must(t, "sync", "--reviews", "--data", data)
	if d := cmp.Diff("main 1/2 yes 1/2", figures()); d != "" {
		t.Errorf("after it (-want +got):\n%s", d)
	}
	must(t, "sync", "--from", fewPeople(t), "--data", data)
	if d := cmp.Diff("main 1/2 yes 1/2", figures()); d != "" {
		t.Errorf("after a sync of the EHR (-want +got):\n%s", d)
	}
}

// factsOf finds the ids of the events of the live snapshot by their days.
func factsOf(t *testing.T, data string) map[string]string {
	t.Helper()
	dir, err := facts.Open(data, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	id, err := dir.Current()
	if err != nil {
		t.Fatal(err)
	}
	s, err := dir.Snapshot(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	heads, err := s.EventHeads(t.Context(), facts.EventFilter{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for i := range heads {
		out[heads[i].Date.Format(time.DateOnly)] = heads[i].ID.Reveal()
	}
	return out
}

// TestTheDocumentedTableIsRead runs the example of docs/incidents.md.
func TestTheDocumentedTableIsRead(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/incidents.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(name string) string {
		m := regexp.MustCompile("(?s)<!-- example: " + name + " -->\n```\\w*\n(.*?)```").FindSubmatch(text)
		if m == nil {
			t.Fatalf("docs/incidents.md has no example %q", name)
		}
		return string(m[1])
	}
	folder := write(t, map[string]string{"equitylens.yaml": block("mapping"), "reports.csv": block("table")})
	config, reports := filepath.Join(folder, "equitylens.yaml"), filepath.Join(folder, "reports.csv")
	data := t.TempDir()
	o := equitylens(t, "import-events", reports, "--dry-run", "--config", config, "--data", data)
	if d := cmp.Diff(block("dry run"), o.out); d != "" || o.code != exitFailed {
		t.Errorf("dry run = %d (-documented +printed):\n%s%s", o.code, d, o.err)
	}
	must(t, "sync", "--from", fewPeople(t), "--data", data)
	o = equitylens(t, "import-events", reports, "--accept-good", "--config", config, "--data", data)
	if o.code != exitPartial || len(factsOf(t, data)) != 2 {
		t.Errorf("import = %d, with %d events:\n%s%s", o.code, len(factsOf(t, data)), o.out, o.err)
	}
	if o := equitylens(t, "import-events", reports, "--source", "other", "--config", config, "--data", data); o.code != exitFailed {
		t.Errorf("an unknown system = %d", o.code)
	}
}

// TestAnImportNamesNobody greps all that is said and written while ids stand everywhere.
func TestAnImportNamesNobody(t *testing.T) {
	t.Parallel()
	const canary = "QZCANARY4711"
	data := t.TempDir()
	must(t, "sync", "--from", fewPeople(t), "--data", data)
	said := ""
	for _, text := range []string{
		canary + ",x\n", "id,patient,date,harm,MRN\n1," + canary + ",2026-03-05,E,x\n",
		"id,patient,encounter,date,harm\n1," + canary + "," + canary + ",2026-03-05,E\n2," + canary + " x,y y," + canary + "," + canary + "\n",
		"id,patient,date,harm\n1,\"" + canary,
	} {
		for _, args := range [][]string{{"--dry-run"}, {"--accept-good"}, {"--accept-good", "--json"}} {
			o := equitylens(t, append([]string{"import-events", reportsOf(t, text), "--data", data}, args...)...)
			said += o.out + o.err
		}
	}
	o := must(t, "sync", "--data", data)
	said += o.out + o.err
	if strings.Contains(said, "4711") || !strings.Contains(said, "is no FHIR id") || !strings.Contains(said, "1 rows name patients") {
		t.Errorf("it says\n%s", said)
	}
	err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "facts.duckdb" || strings.HasPrefix(entry.Name(), "decisions.db") {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(path+string(text), canary) {
			t.Errorf("%s names somebody", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
