package dashboard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html/atom"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
)

// hostileSite is what somebody called a clinic.
const hostileSite = "<script>alert(1)</script>\u202e\"'=cmd()"

// oddPeople are a few patients of two sources whose codes nobody knows, at a site of a hostile name.
var oddPeople = sync.OnceValues(func() (*world, error) {
	asOf := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return newWorld(asOf, func(ctx context.Context, dir *facts.Dir, _ []measure.Definition) error {
		for _, source := range []string{"north", "south"} {
			if err := syncOdd(ctx, dir, source, mapping.Config{}, asOf); err != nil {
				return err
			}
		}
		return nil
	})
})

// syncOdd syncs the odd patients of a source, as a site with a configuration maps them.
func syncOdd(ctx context.Context, dir *facts.Dir, source string, site mapping.Config, at time.Time) error {
	mapper, err := mapping.New(site)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "odd")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "Patient.ndjson"), oddPatients(source), 0o600); err != nil {
		return err
	}
	_, err = ingest.Sync(ctx, ingest.Config{Dir: dir, Mapper: mapper, MaxShrink: 1, MaxRefused: 1},
		dated{Folder: ingest.Folder{Path: folder, ID: source}, at: at})
	return err
}

// oddPatients are lines of patients: every third has a race and a language of the site's own, every fourth
// a sex that is none, and the last line is no JSON.
func oddPatients(source string) []byte {
	var out bytes.Buffer
	const race = `{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[` +
		`{"url":"ombCategory","valueCoding":{"system":"urn:site:%s","code":"R%d"}}]}`
	name, _ := json.Marshal(hostileSite)
	for i := range 24 {
		more := ""
		if i%3 == 0 {
			more = fmt.Sprintf(`,"extension":[`+race+`],"communication":[{"language":{"coding":[`+
				`{"system":"urn:site:%s","code":"L1"}]}}]`, source, i%2, source)
		}
		if i%4 == 0 {
			more += `,"gender":"W"`
		}
		_, _ = fmt.Fprintf(&out, `{"resourceType":"Patient","id":"%s-%d","managingOrganization":{"reference":`+
			`"Organization/o-%s","display":%s}%s}`+"\n", source, i, source, name, more)
	}
	out.WriteString("{\"resourceType\":\"Patient\",\"id\":\"Esperanza\n")
	return out.Bytes()
}

// TestEveryCodeHasItsEntry compares the list of codes with the store, in the order of whom they touch.
func TestEveryCodeHasItsEntry(t *testing.T) {
	t.Parallel()
	r := newRig(t, oddPeople, role.Engineer)
	_, codes, _ := qualityOf(t, r.world)
	if len(codes) < 6 {
		t.Fatalf("%d codes are not known, so that nothing is under test", len(codes))
	}
	page := r.open(t, "/quality")
	page.sound()
	table := rows(page.part("codes"))
	for i, c := range codes {
		row := table[i]
		if row[0] != c.Code || row[1] != c.System || !strings.Contains(row[2], c.Element) ||
			number(t, row[3]) != c.Count || number(t, row[4]) != c.People {
			t.Errorf("row %d is %q, want %+v", i, row, c)
		}
		if i > 0 && number(t, table[i-1][4]) < number(t, row[4]) {
			t.Errorf("row %d touches more people than the one before", i)
		}
	}
	var groups int
	for _, pre := range all(page.part("codes"), atom.Pre) {
		groups++
		text := `{"resourceType":"ConceptMap","group":[` + said(pre) + `]}`
		if _, err := mapping.ParseConceptMap("x", strings.NewReader(text)); err == nil ||
			!strings.Contains(err.Error(), "code is missing") {
			t.Errorf("an entry without its target: %v: %s", err, text)
		}
		filled := strings.Replace(text, `"code": ""`, `"code": "x"`, 1)
		if cm, err := mapping.ParseConceptMap("x", strings.NewReader(filled)); err != nil || len(cm.Translations) != 1 {
			t.Errorf("an entry with a target: %+v, %v", cm, err)
		}
	}
	if groups != len(codes) {
		t.Errorf("%d entries, want %d", groups, len(codes))
	}
}

// TestASkeletonThatIsFilledInHasEverythingRead takes the file, writes a target for each code, syncs again
// with it, and finds no unknown code any more.
func TestASkeletonThatIsFilledInHasEverythingRead(t *testing.T) {
	t.Parallel()
	r := newRig(t, oddPeople, role.Engineer)
	got := r.get("/quality/files/unmapped.json?source=north")
	if got.status != http.StatusOK || !strings.Contains(got.header.Get("Content-Disposition"), "quality-north-unmapped.json") {
		t.Fatalf("status %d, %v: %s", got.status, got.header, got.body)
	}
	empty, err := mapping.ParseConceptMap("unmapped.json", strings.NewReader(got.body))
	if err != nil || len(empty.Translations) != 0 {
		t.Fatalf("as it comes: %+v, %v, want a map that translates nothing", empty, err)
	}
	if strings.Contains(got.body, "urn:site:south") {
		t.Error("the file of one source has codes of the other")
	}
	targets := map[string]string{
		mapping.SystemCDCREC: "2054-5", mapping.SystemBCP47: "es", mapping.SystemGender: "female",
	}
	var form map[string]any
	if err := json.Unmarshal([]byte(got.body), &form); err != nil {
		t.Fatal(err)
	}
	codes := 0
	for _, g := range form["group"].([]any) {
		group := g.(map[string]any)
		for _, e := range group["element"].([]any) {
			target := e.(map[string]any)["target"].([]any)[0].(map[string]any)
			target["code"], target["equivalence"] = targets[group["target"].(string)], "equivalent"
			codes++
		}
	}
	text, err := json.Marshal(form)
	if err != nil {
		t.Fatal(err)
	}
	filled, err := mapping.ParseConceptMap("unmapped.json", bytes.NewReader(text))
	if err != nil || len(filled.Translations) != codes || codes != 4 {
		t.Fatalf("filled in: %+v, %v, want %d translations", filled, err, codes)
	}
	dir, err := facts.Open(t.TempDir(), func() time.Time { return r.asOf })
	if err != nil {
		t.Fatal(err)
	}
	site := mapping.Config{ConceptMaps: []mapping.ConceptMap{filled}}
	if err := syncOdd(t.Context(), dir, "north", site, r.asOf); err != nil {
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
	_, left, err := s.Issues(t.Context(), facts.IssueFilter{Kinds: []mapping.IssueKind{mapping.UnmappedCode}})
	if err != nil || left != 0 {
		t.Errorf("%d codes are still unknown, %v", left, err)
	}
}

// TestWhatCodesCanStandForIsAdmissible holds every target that the page or its file names against the
// mapping.
func TestWhatCodesCanStandForIsAdmissible(t *testing.T) {
	t.Parallel()
	r := newRig(t, oddPeople, role.Engineer)
	page := r.open(t, "/quality")
	checked := 0
	for _, details := range all(page.part("codes"), atom.Details, class("targets")) {
		for _, row := range rows(details) {
			checked++
			_, err := mapping.New(mapping.Config{ConceptMaps: []mapping.ConceptMap{{Translations: []mapping.Translation{{
				Source: fhir.Coding{System: "urn:x", Code: "x"}, Target: fhir.Coding{System: row[2], Code: row[0]},
			}}}}})
			if err != nil || row[1] == "" {
				t.Errorf("%q: %v", row, err)
			}
		}
	}
	if checked < 40 {
		t.Errorf("%d targets are offered, so that little is under test", checked)
	}
	file := r.get("/quality/files/targets.csv")
	if lines := strings.Count(file.body, "\n"); file.status != http.StatusOK || lines < 1500 {
		t.Errorf("status %d, %d lines, want all codes of races and languages", file.status, lines)
	}
}

// TestNamesOfTheDataAreInert puts what somebody called a clinic through the page and its files.
func TestNamesOfTheDataAreInert(t *testing.T) {
	t.Parallel()
	r := newRig(t, oddPeople, role.Engineer)
	for _, address := range []string{"/quality", "/quality?site=o-north", "/quality?lang=es&source=south"} {
		page := r.open(t, address)
		page.sound()
		for _, script := range all(page.root, atom.Script) {
			if !strings.HasPrefix(attribute(script, "src"), "/assets/live.") || script.FirstChild != nil {
				t.Errorf("%s: a script %v", address, script.Attr)
			}
		}
		if strings.Contains(page.body, "\u202e") || strings.Contains(page.body, "Esperanza") {
			t.Errorf("%s: the page turns around, or names somebody", address)
		}
		if !strings.Contains(page.text(), "alert(1)") {
			t.Errorf("%s: the name is not there, so that nothing is under test", address)
		}
	}
	for _, name := range []string{"completeness-site.csv", "completeness-site.svg", "loose.csv", "loads.csv", "codes.csv"} {
		got := r.get("/quality/files/" + name)
		if strings.Contains(got.body, "<script") && strings.HasSuffix(name, "svg") || strings.Contains(got.body, "\u202e") {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}
