package population_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// files writes the population and returns the content of each file by name.
func files(t *testing.T, p *population.Population, parts int, compress bool) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if err := p.WriteNDJSON(t.Context(), dir, parts, compress); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(content)
	}
	return out
}

func TestEqualSeedsMakeEqualBytes(t *testing.T) {
	t.Parallel()
	c := population.Config{Patients: 200, Seed: 11}
	for _, compress := range []bool{false, true} {
		if d := cmp.Diff(files(t, population.New(c), 2, compress), files(t, population.New(c), 2,
			compress)); d != "" {
			t.Errorf("compress %v: two runs differ:\n%s", compress, d)
		}
	}
	one := files(t, population.New(c), 1, false)
	c.Seed = 12
	if cmp.Equal(one, files(t, population.New(c), 1, false)) {
		t.Error("another seed makes the same bytes")
	}
}

func TestPartsHoldTheSameLines(t *testing.T) {
	t.Parallel()
	p := population.New(population.Config{Patients: 200, Seed: 11})
	one, three := files(t, p, 1, false), files(t, p, 3, false)
	for _, kind := range []string{"Patient", "Encounter", "AdverseEvent"} {
		joined := three[kind+".000.ndjson"] + three[kind+".001.ndjson"] + three[kind+".002.ndjson"]
		if d := cmp.Diff(one[kind+".000.ndjson"], joined); d != "" {
			t.Errorf("%s (-one +three):\n%s", kind, d)
		}
	}
}

// all returns the lines of one type.
func all(t *testing.T, p *population.Population, q population.Query) []string {
	t.Helper()
	var out []string
	for line := range p.Lines(t.Context(), q) {
		out = append(out, string(line))
	}
	if n := p.Count(t.Context(), q); n != len(out) {
		t.Errorf("Count(%+v) = %d, there are %d lines", q, n, len(out))
	}
	return out
}

func TestLinesAreWhatIsWritten(t *testing.T) {
	t.Parallel()
	p := population.New(population.Config{Patients: 300, Seed: 2})
	written := files(t, p, 1, false)
	for _, kind := range population.Types() {
		lines := all(t, p, population.Query{Type: kind})
		if d := cmp.Diff(written[kind.String()+".000.ndjson"], strings.Join(lines, "\n")+"\n"); d != "" {
			t.Errorf("%s (-written +lines):\n%s", kind, d)
		}
		backwards := all(t, p, population.Query{Type: kind, Reverse: true})
		slices.Sort(lines)
		slices.Sort(backwards)
		if d := cmp.Diff(lines, backwards); d != "" {
			t.Errorf("%s backwards:\n%s", kind, d)
		}
	}
}

type head struct {
	ID   string
	Meta struct {
		VersionID   string
		LastUpdated time.Time
	}
}

func headOf(t *testing.T, line string) head {
	t.Helper()
	var h head
	if err := json.Unmarshal([]byte(line), &h); err != nil {
		t.Fatalf("line %s: %v", line, err)
	}
	return h
}

// current returns the newest version of each resource, by id.
func current(t *testing.T, p *population.Population, kind population.Type) map[string]string {
	t.Helper()
	out, updated := map[string]string{}, map[string]time.Time{}
	for _, line := range all(t, p, population.Query{Type: kind}) {
		h := headOf(t, line)
		if h.Meta.LastUpdated.After(p.AsOf()) {
			t.Errorf("%s %s was updated after the data ends", kind, h.ID)
		}
		if at, ok := updated[h.ID]; !ok || at.Before(h.Meta.LastUpdated) {
			out[h.ID], updated[h.ID] = line, h.Meta.LastUpdated
		}
	}
	return out
}

func TestAnyResourceCanBeMadeAgain(t *testing.T) {
	t.Parallel()
	p := population.New(population.Config{Patients: 300, Seed: 2})
	for _, kind := range population.Types() {
		paged := map[string]string{}
		for from, more := (population.Cursor{}), true; more; {
			var lines [][]byte
			lines, from, more = p.Page(kind, time.Time{}, from, 7)
			for _, line := range lines {
				paged[headOf(t, string(line)).ID] = string(line)
			}
		}
		want := current(t, p, kind)
		if d := cmp.Diff(want, paged); d != "" {
			t.Errorf("%s by page (-lines +pages):\n%s", kind, d)
		}
		for id, line := range want {
			got, standing := p.Read(kind, id)
			if standing != population.Current || string(got) != line {
				t.Errorf("Read(%s) = %s, %v", kind, got, standing)
			}
		}
	}
	for _, id := range []string{"", "1", strings.Repeat("x", 36),
		"ca9a1100-0000-4000-8000-00000000ffff", "ca9a1200-0000-4000-8000-zzzzzzzzzzzz"} {
		for _, kind := range population.Types() {
			if _, standing := p.Read(kind, id); standing != population.Unknown {
				t.Errorf("Read(%s, %q) = %v, want Unknown", kind, id, standing)
			}
		}
	}
}

// TestNextIsADelta shows that what changed since, and what was deleted since, is all that tells one
// day's population from a later one.
func TestNextIsADelta(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		p := population.New(population.Config{Patients: 40, Seed: rapid.Uint64().Draw(r, "seed")})
		days := rapid.IntRange(0, 500).Draw(r, "days")
		next := p.Next(p.AsOf().AddDate(0, 0, days))
		deleted := map[string]bool{}
		for kind, id := range next.Deletions(t.Context(), p.AsOf()) {
			deleted[kind.String()+id] = true
		}
		for _, kind := range []population.Type{population.Patient, population.Encounter,
			population.AdverseEvent} {
			state := current(t, p, kind)
			for _, line := range all(t, next, population.Query{Type: kind, Since: p.AsOf()}) {
				state[headOf(t, line).ID] = line
			}
			for id := range state {
				if deleted[kind.String()+id] {
					delete(state, id)
				}
			}
			if d := cmp.Diff(current(t, next, kind), state); d != "" {
				r.Fatalf("%s after %d days (-later +delta applied):\n%s", kind, days, d)
			}
		}
	})
}

func TestNextNeverGoesBack(t *testing.T) {
	t.Parallel()
	p := population.New(population.Config{Patients: 10})
	if got := p.Next(p.AsOf().AddDate(-1, 0, 0)).AsOf(); !got.Equal(p.AsOf()) {
		t.Errorf("AsOf() = %v, want %v", got, p.AsOf())
	}
}

func TestSomethingHappensOverTime(t *testing.T) {
	t.Parallel()
	p := population.New(population.Config{Patients: 2500, Seed: 9})
	next := p.Next(p.AsOf().AddDate(0, 6, 0))
	old := current(t, p, population.Patient)
	added, updated, deleted := 0, 0, map[population.Type]int{}
	for _, line := range all(t, next, population.Query{Type: population.Patient, Since: p.AsOf()}) {
		if was, ok := old[headOf(t, line).ID]; !ok {
			added++
		} else if was != line {
			updated++
		}
	}
	for kind := range next.Deletions(t.Context(), p.AsOf()) {
		deleted[kind]++
	}
	if added == 0 || updated == 0 || deleted[population.Encounter] == 0 ||
		deleted[population.AdverseEvent] == 0 {
		t.Errorf("%d patients added, %d updated, deleted %v", added, updated, deleted)
	}
}

func TestNewestRecordTellsTheMomentOfTheData(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		p := population.New(population.Config{Patients: 30, Seed: seed})
		newest := time.Time{}
		for _, line := range all(t, p, population.Query{Type: population.Patient}) {
			if at := headOf(t, line).Meta.LastUpdated; at.After(newest) {
				newest = at
			}
		}
		if !newest.Equal(p.AsOf()) {
			t.Errorf("seed %d: the newest patient is of %v, the data of %v", seed, newest, p.AsOf())
		}
	}
}

func TestEveryPersonIsACanary(t *testing.T) {
	t.Parallel()
	p := population.New(population.Config{Patients: 100, Seed: 4})
	for kind, canaries := range map[population.Type][]string{
		population.Patient: {population.CanaryName, population.CanaryMRN, population.CanaryStreet,
			population.CanaryPatientID},
		population.Encounter: {population.CanaryVisit, population.CanaryEncounterID,
			population.CanaryPatientID},
		population.AdverseEvent: {population.CanaryEventID},
	} {
		for _, line := range all(t, p, population.Query{Type: kind}) {
			for _, c := range canaries {
				if !strings.Contains(line, c) {
					t.Errorf("%s without %q: %s", kind, c, line)
				}
			}
		}
	}
	for _, line := range all(t, p, population.Query{Type: population.Organization}) {
		for _, c := range population.Canaries() {
			if strings.Contains(line, c) {
				t.Errorf("an Organization holds %q", c)
			}
		}
	}
}

// TestMess looks for a piece of each messy shape, which a clean population must not have.
func TestMess(t *testing.T) {
	t.Parallel()
	c := population.Config{Patients: 3000, Seed: 6, EncountersPerPatient: 5}
	messy := everything(t, population.New(c))
	c.Clean = true
	clean := everything(t, population.New(c))
	for _, piece := range []string{
		`"asked-declined"`, `"code":"ASKU"`, `v3-NullFlavor","code":"UNK"`, `CodeSystem/v3-Race"`,
		`CodeSystem/v3-Ethnicity"`,
		`"http://hl7.org/fhir/StructureDefinition/us-core-race","valueCodeableConcept"`,
		`us-core-race","extension":[{"url":"text"`, `us-core-race","extension":[{"url":"detailed"`,
		`urn:oid:1.2.840.114350.1.13.999.1.7.4.698084.250","code":"98"`,
		`us-core-race","extension":[{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2135-2"`,
		`"code":"und"`, `"code":"sgn-US"`, `"code":"en-US"`, `"code":"spa"`, `{"language":{"text":`,
		`"preferred":false`,
		`"code":"315594003"`, `patient-interpreterRequired","valueBoolean":true`,
		`patient-interpreterRequired","valueBoolean":false`,
		`696784.13260","code":"101"`, `"code":"9999"`, `PatDischargeStatus","code":"01"`,
		`patient-discharge","code":"1"`,
		`698084.18888","code":"D70"`, `"status":"cancelled"`, `"status":"planned"`,
		`"status":"entered-in-error"`,
		`"reference":"https://ehr.example.org/fhir/Patient/`, `"reference":"urn:uuid:`, `/_history/2"`,
		`"type":"replaced-by"`,
		`"type":"replaces"`, `"versionId":"1","lastUpdated":"2025`, `"reference":"Group/ward-7"`,
		`"subject":{"reference":"Practitioner/`,
		`"detected":"2025`, `"gender":"unknown"`, `"period":{"end":"`,
	} {
		if !bytes.Contains(messy, []byte(piece)) {
			t.Errorf("the mess has no %s", piece)
		}
		if bytes.Contains(clean, []byte(piece)) && piece != `"versionId":"1","lastUpdated":"2025` {
			t.Errorf("the clean population has %s", piece)
		}
	}
}

func everything(t *testing.T, p *population.Population) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, kind := range population.Types() {
		for line := range p.Lines(t.Context(), population.Query{Type: kind}) {
			b.Write(line)
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

func TestEncountersPerPatient(t *testing.T) {
	t.Parallel()
	for _, mean := range []float64{4, 10, 25} {
		p := population.New(population.Config{Patients: 3000, Seed: 1, EncountersPerPatient: mean,
			Clean: true,
			AsOf:  time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
		got := float64(p.Count(t.Context(), population.Query{Type: population.Encounter})) / 3000
		if got < 0.85*mean || got > 1.15*mean {
			t.Errorf("%.2f encounters a patient, want about %v", got, mean)
		}
	}
}

// TestPlantedComeOutAsIntended holds what one seed realises against the parameters of the package
// documentation. The tolerance is four and a half standard errors, and two points for the mess.
func TestPlantedComeOutAsIntended(t *testing.T) {
	t.Parallel()
	intended := map[string][2]float64{
		"real-completeness/race by site":                       {0.76, 0.95},
		"real-completeness/ethnicity by site":                  {0.78, 0.94},
		"real-completeness/language by race":                   {0.80, 0.95},
		"real-completeness/interpreter-need by language_group": {0.70, 0.90},
		"language-recorded/main by race":                       {0.80, 0.95},
		"interpreter-documented/main by language_group":        {0.36, 0.62},
		"telehealth-share/main by language_group":              {0.14, 0.28},
		"ed-left-without-being-seen/main by race":              {0.068, 0.03},
		"ed-stay-over-8h/main by ethnicity":                    {0.24, 0.15},
		"ed-boarding-over-4h/main by interpreter_need":         {0.48, 0.28},
		"readmission-30-day/main by race":                      {0.22, 0.13},
		"length-of-stay/main by language_group":                {5, 4},
		"harm-per-1000-days/main by language_group":            {48, 22},
		"reporting-ratio/main by language_group":               {0.18, 0.42},
		"inequity-factor-captured/main by site":                {0.25, 0.60},
		"inequity-factor-captured/yes by race":                 {0.55 * 0.53, 0.22 * 0.53},
	}
	p := population.New(population.Config{Patients: 20000, Seed: 1})
	year := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	planted := p.Planted(year, year.AddDate(1, 0, -1))
	for _, q := range planted {
		key := fmt.Sprintf("%s/%s by %s", q.Measure, q.Group, q.Dimension)
		want, ok := intended[key]
		if !ok {
			if key != "telehealth-share/main by age_band" || q.Expected > -0.05 {
				t.Errorf("%s came out at %.3f and is not in the table", key, q.Expected)
			}
			continue
		}
		scale, mess := 1.0, 0.045
		switch q.Measure {
		case "length-of-stay":
			scale, mess = 0, 0.001
		case "harm-per-1000-days":
			scale, mess = 1000, 5
		}
		for i, got := range []float64{q.Score, q.ReferenceScore} {
			counted := []float64{q.Counted, q.ReferenceCounted}[i]
			tolerance := mess + 4.5*scale*math.Sqrt(want[i]/max(scale, 1)/counted)
			if got < want[i]-tolerance || got > want[i]+tolerance {
				t.Errorf("%s, side %d: %.4f of %.0f, want %.3f ± %.3f", key, i, got, counted, want[i],
					tolerance)
			}
		}
		delete(intended, key)
	}
	if len(intended) > 0 {
		t.Errorf("not planted: %v", intended)
	}
}
