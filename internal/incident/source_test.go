package incident_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	. "github.com/equitylens/equitylens/internal/incident"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
	"github.com/equitylens/equitylens/store/facts/factstest"
)

// place is a data directory beside a store of decisions.
type place struct {
	dir   *facts.Dir
	store *decisions.Database
	path  string
	log   *bytes.Buffer
}

// openPlace has the people p0 to p9 of the EHR, each with an encounter, and one event of the EHR.
func openPlace(t *testing.T) *place {
	t.Helper()
	p := &place{dir: factstest.Open(t), path: filepath.Join(t.TempDir(), "decisions.db"), log: &bytes.Buffer{}}
	store, err := decisions.Open(t.Context(), decisions.Config{Path: p.path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	p.store = store
	b := factstest.Batch{Events: []mapping.AdverseEvent{factstest.Event("of-the-ehr", "p0", "2026-03-01")}}
	for i := range 10 {
		id := fmt.Sprint("p", i)
		b.Patients = append(b.Patients, factstest.Patient(id))
		b.Encounters = append(b.Encounters, factstest.Encounter("e"+id[1:], id, "IMP", "2026-03-01", "2026-03-09"))
	}
	factstest.Load(t, p.dir, b)
	return p
}

// bring imports a table and syncs its source.
func (p *place) bring(t *testing.T, text string) ingest.Report {
	t.Helper()
	bring(t, p.store, text)
	return p.sync(t)
}

func (p *place) sync(t *testing.T) ingest.Report {
	t.Helper()
	report, err := p.trySync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func (p *place) trySync(ctx context.Context) (ingest.Report, error) {
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		return ingest.Report{}, err
	}
	source := Source{ID: "safety", Open: func(ctx context.Context) (decisions.Store, error) {
		return decisions.Open(ctx, decisions.Config{Path: p.path})
	}}
	return ingest.Sync(ctx, ingest.Config{
		Dir: p.dir, Mapper: mapper, Strict: true, MaxShrink: 0.2, MaxRefused: 0,
		Logger: slog.New(slog.NewJSONHandler(p.log, nil)),
	}, source)
}

// events are those of the view, by their patients.
func (p *place) events(t *testing.T) []string {
	t.Helper()
	return factstest.Rows(t, factstest.Current(t, p.dir), `SELECT b.source, b.patient, v.actuality, v.severity,
		v.date::VARCHAR, v.linked FROM event v JOIN base.adverse_event b ON b.rowid = v.no ORDER BY b.source, b.patient, v.date`)
}

func TestIncidentsWalkIntoASnapshot(t *testing.T) {
	t.Parallel()
	p := openPlace(t)
	const ehr = "ehr p0 actual mild 2026-03-01 true"
	before := factstest.Current(t, p.dir).Info
	report := p.bring(t, header+"1,p1,,2026-03-05,actual,,mild\n2,p2,e2,2026-03-06,near miss\n3,p3,,2026-05-01,,,,,I\n"+
		"4,nobody,,2026-03-05,actual\n5,p5,e6,2026-03-05,actual\n")
	if got := report.Types["AdverseEvent"]; got.Read != 5 || got.Stored != 5 || report.Orphans != 1 || !report.Complete {
		t.Errorf("the report is %+v", report)
	}
	want := []string{
		ehr, "safety p1 actual mild 2026-03-05 true", "safety p2 potential ~missing 2026-03-06 true",
		"safety p3 actual severe 2026-05-01 false", "safety p5 actual ~missing 2026-03-05 false",
	}
	if d := cmp.Diff(want, p.events(t)); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	if again := p.sync(t); !again.Unchanged {
		t.Errorf("a second sync of the same events changes the snapshot: %+v", again)
	}
	// All but one are taken back, by far more than a source of another kind may lose.
	p.bring(t, header+"1,,,,,,,,,,,withdrawn\n2,,,,,,,,,,,withdrawn\n4,,,,,,,,,,,withdrawn\n5,,,,,,,,,,,withdrawn\n"+
		"3,p4,,2026-03-07,,,,,F\n")
	if d := cmp.Diff([]string{ehr, "safety p4 actual moderate 2026-03-07 true"}, p.events(t)); d != "" {
		t.Errorf("events after some were taken back (-want +got):\n%s", d)
	}
	p.bring(t, header+"3,,,,,,,,,,,withdrawn\n")
	if d := cmp.Diff([]string{ehr}, p.events(t)); d != "" {
		t.Errorf("events after all were taken back (-want +got):\n%s", d)
	}
	if after := factstest.Current(t, p.dir).Info; len(after.Loads) != len(before.Loads)+1 {
		t.Errorf("the snapshot holds %d loads, want those of the EHR and one", len(after.Loads))
	}
}

func TestASourceReadsTheStoreAnew(t *testing.T) {
	t.Parallel()
	p := openPlace(t)
	bring(t, p.store, header+"1,p1,,2026-03-05,actual\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.trySync(ctx); err == nil {
		t.Fatal("a sync that is cancelled ends well")
	}
	// What the run that failed left behind is not what the events are now.
	report := p.bring(t, header+"1,p1,,2026-03-05,actual,,severe\n2,p2,,2026-03-05,actual\n")
	if got := report.Types["AdverseEvent"].Read; got != 2 {
		t.Errorf("read %d events, want 2", got)
	}
}

func TestASourceWhoseStoreIsGone(t *testing.T) {
	t.Parallel()
	p := openPlace(t)
	cause := errors.New("no store")
	source := Source{ID: "safety", Open: func(context.Context) (decisions.Store, error) { return nil, cause }}
	folder := t.TempDir()
	if _, err := source.Fetch(t.Context(), folder, nil, func(ingest.Progress) {}); !errors.Is(err, cause) {
		t.Errorf("Fetch = %v, want %v", err, cause)
	}
	source.Open = func(ctx context.Context) (decisions.Store, error) {
		return decisions.Open(ctx, decisions.Config{Path: p.path})
	}
	if _, err := source.Fetch(t.Context(), filepath.Join(folder, "none"), nil, func(ingest.Progress) {}); err == nil {
		t.Error("Fetch into a folder that is not there ends well")
	}
}

// TestNothingNamesAPatient puts ids into every column of a row, and looks for them in all that is said.
func TestNothingNamesAPatient(t *testing.T) {
	t.Parallel()
	const canary = "CANARY4711QX"
	p := openPlace(t)
	said := &strings.Builder{}
	for column := range 12 {
		for _, cell := range []string{canary, "Maria " + canary, canary + strings.Repeat("x", 60)} {
			cells := strings.Split("7,p1,,2026-03-05,actual,,,,,,,", ",")
			cells[column] = cell
			sheet, err := Read(strings.NewReader(header+strings.Join(cells, ",")+"\n"), plain, World{Now: now})
			_, _ = fmt.Fprintln(said, err, sheet.Refused)
		}
	}
	for _, table := range []string{canary + "\n", header + canary + strings.Repeat(","+canary, 20), header + `"` + canary} {
		sheet, err := Read(strings.NewReader(table), plain, World{Now: now})
		_, _ = fmt.Fprintln(said, err, sheet.Refused)
	}
	report := p.bring(t, header+canary+","+canary+","+canary+",2026-03-05,actual\n")
	_, _ = fmt.Fprintf(said, "%+v", report)
	sheet := read(t, header+canary+"x,"+canary+","+canary+",2026-03-05,actual\n", plain)
	_, _ = fmt.Fprintf(said, "%v %+v %#v", sheet.Good[0].Event.Patient, sheet.Good[0].Event.Patient, sheet.Good[0].Event.Encounter)
	i := &Intake{Records: p.store, By: "test", Unknown: factstest.Current(t, p.dir).Unknown}
	plan, err := i.Plan(t.Context(), sheet)
	if err != nil || len(plan.UnknownPatients) != 1 {
		t.Fatalf("Plan = %+v, %v", plan.UnknownPatients, err)
	}
	_, _ = fmt.Fprintf(said, "%v %v %v", plan.Refused, plan.UnknownPatients, plan.UnknownEncounters)
	for _, body := range []string{
		`{"resourceType":"AdverseEvent","identifier":{"value":"1"},"actuality":"actual","date":"2026-03-01","subject":{"reference":"` +
			canary + ` ` + canary + `"}}`,
		`{"resourceType":"AdverseEvent","` + canary + `":"` + canary + `"}`,
		`{"resourceType":"` + canary + `"`, `{"actuality":["` + canary + `"]}`,
	} {
		_, err := i.Accept(t.Context(), "safety", &mapping.Mapper{}, []byte(body), now)
		_, _ = fmt.Fprintln(said, err)
	}
	text := said.String() + p.log.String()
	if at := strings.Index(text, "4711QX"); at >= 0 {
		t.Errorf("somebody is named: …%s…", text[max(0, at-200):min(len(text), at+50)])
	}
	if !strings.Contains(text, "is no FHIR id") {
		t.Error("nothing was refused, so that nothing is under test")
	}
	err = filepath.WalkDir(p.dir.Path(), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "facts.duckdb" {
			return err
		}
		raw, err := os.ReadFile(path)
		if strings.Contains(path+string(raw), "4711QX") {
			t.Errorf("%s names somebody", entry.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := phi.New(canary).String(); strings.Contains(got, canary) {
		t.Error("an id prints itself")
	}
}

func TestAnEventIsHandedIn(t *testing.T) {
	t.Parallel()
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		t.Fatal(err)
	}
	store := openStore(t)
	i := &Intake{Records: store, By: "client"}
	accept := func(body string) (Receipt, error) { return i.Accept(t.Context(), "api", mapper, []byte(body), now) }
	const event = `{"resourceType":"AdverseEvent","id":"theirs","meta":{"versionId":"4"},"identifier":{"system":"urn:x","value":"7"},
		"actuality":"actual","subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e1"},
		"date":"2026-03-05T10:00:00Z",
		"severity":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/adverse-event-severity","code":"Moderate","display":"x"}]},
		"extension":[{"url":"https://equitylens.org/fhir/StructureDefinition/event-detection","valueCodeableConcept":{"coding":[
		{"system":"https://equitylens.org/fhir/CodeSystem/event-detection","code":"triggered"}]}},
		{"url":"https://equitylens.org/fhir/StructureDefinition/event-harm","valueCodeableConcept":{"coding":[
		{"system":"https://equitylens.org/fhir/CodeSystem/ncc-merp-index","code":"F"}]}}]}`
	id := IDOf("api", "7")
	steps := []struct {
		name, in string
		want     Receipt
	}{
		{"the first time", event, Receipt{ID: id, Version: 1, Created: true}},
		{"once more", event, Receipt{ID: id, Version: 1}},
		{"otherwise", strings.Replace(event, "Moderate", "severe", 1), Receipt{ID: id, Version: 2, Changed: true}},
	}
	for _, s := range steps {
		got, err := accept(s.in)
		if d := cmp.Diff(s.want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", s.name, err, d)
		}
	}
	document, err := store.Get(t.Context(), decisions.Incident, id)
	if err != nil || document.By != "client" {
		t.Fatalf("the document is by %q: %v", document.By, err)
	}
	for _, words := range []string{`"Patient/p1"`, `"severe"`, `"triggered"`, `"F"`, "SeriousResultsInHospitalization"} {
		if !bytes.Contains(document.Body, []byte(words)) {
			t.Errorf("the document lacks %s: %s", words, document.Body)
		}
	}
	for _, words := range []string{"theirs", "versionId", `"x"`} {
		if bytes.Contains(document.Body, []byte(words)) {
			t.Errorf("the document holds %s: %s", words, document.Body)
		}
	}
	refused := []struct{ name, old, by, element string }{
		{"free text", `"actuality"`, `"text":{"div":"x"},"actuality"`, "AdverseEvent.text"},
		{"text beside a code", `"coding":[{"system":"http://term`, `"text":"x","coding":[{"system":"http://term`,
			"AdverseEvent.severity.text"},
		{"a repeated key", `"actuality"`, `"actuality":"actual","actuality"`, ""},
		{"no identifier", `"value":"7"`, `"value":""`, "AdverseEvent.identifier.value"},
		{"an identifier with a sign that nobody sees", `"value":"7"`, `"value":"7\u200b"`, "AdverseEvent.identifier.value"},
		{"another type", `"AdverseEvent"`, `"Observation"`, "AdverseEvent.resourceType"},
		{"another subject", `Patient/p1`, `Group/p1`, "AdverseEvent.subject"},
		{"a code that nobody knows", `Moderate`, `terrible`, "AdverseEvent.severity"},
		{"no date", `"date":"2026-03-05T10:00:00Z",`, ``, "AdverseEvent.date"},
		{"a date that is none", `2026-03-05T10:00:00Z`, `March`, "AdverseEvent.date"},
		{"the future", `2026-03-05T10:00:00Z`, `2027-03-05`, "AdverseEvent.date"},
		{"an extension of another", `event-detection"`, `event-colour"`, "AdverseEvent.extension"},
		{"harm of what did not happen", `"actual"`, `"potential"`, "AdverseEvent.extension"},
		{"another type of an element", `"actuality":"actual"`, `"actuality":["actual"]`, "AdverseEvent.actuality"},
	}
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			body := strings.Replace(event, c.old, c.by, 1)
			_, err := accept(body)
			var fault *ElementError
			if !errors.As(err, &fault) || fault.Element != c.element {
				t.Errorf("Accept = %v, want a fault of %q", err, c.element)
			}
		})
	}
	if _, err := accept(`{` + strings.Repeat(" ", 70_000) + `}`); err == nil {
		t.Error("a resource of any size is taken")
	}
	if _, err := i.Accept(t.Context(), "../x", mapper, []byte(event), now); err == nil {
		t.Error("a source of any name is taken")
	}
	if got := versions(t, store); len(got) != 1 {
		t.Errorf("documents = %v, want one", got)
	}
}

func FuzzAccept(f *testing.F) {
	f.Add([]byte(`{"resourceType":"AdverseEvent","identifier":{"value":"7"},"actuality":"actual","subject":{"reference":"Patient/p1"},"date":"2026-03-05"}`))
	f.Add([]byte(`{"resourceType":"AdverseEvent","extension":[{"url":"x"}]}`))
	f.Add([]byte(`{"category":[{"coding":[null]}],"meta":{}}`))
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		store := &memory{documents: map[string]decisions.Document{}}
		i := &Intake{Records: store, By: "fuzz"}
		first, err := i.Accept(t.Context(), "api", mapper, body, time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
		if err != nil {
			var fault *ElementError
			if !errors.As(err, &fault) || len(store.documents) > 0 {
				t.Errorf("Accept = %v with %d documents", err, len(store.documents))
			}
			return
		}
		again, err := i.Accept(t.Context(), "api", mapper, body, now)
		if err != nil || again.Created || again.Changed || again.ID != first.ID {
			t.Errorf("once more: %+v, %v", again, err)
		}
	})
}
