package main

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report/reporttest"
)

const evaluateContract = `{"measure":"","version":"","snapshot":"","data_as_of":"","complete":true,
	"period":{"start":"2018-01-01","end":"2018-12-31"},
	"groups":[{"id":"","scoring":"","improvement":"","populations":{"*":0.0},
		"strata":{"*":[{"state":"","populations":{"*":0.0}}]}}]}`

// result is what of a document these tests look at more closely.
type result struct {
	Measure string          `json:"measure"`
	Groups  []measure.Group `json:"groups"`
}

// TestEvaluateJSON holds the document of every measure against the contract.
func TestEvaluateJSON(t *testing.T) {
	t.Parallel()
	all := must(t, "evaluate", "all", "--period", "2025", "--format", "json", "--data", loadedData(t))
	checkContract(t, "["+evaluateContract+"]", all.out)
	one := must(t, "evaluate", "length-of-stay", "--period", "2025-01-01/2025-06-30", "--format",
		"json", "--data", loadedData(t))
	checkContract(t, evaluateContract, one.out)

	var results []result
	parse(t, all.out, &results)
	if len(results) != 12 {
		t.Errorf("%d measures are evaluated, want 12", len(results))
	}
	for _, r := range results {
		for _, g := range r.Groups {
			checkScore(t, r.Measure, g, g.Cell)
			if len(g.Strata) != len(measure.Dimensions()) {
				t.Errorf("%s %s has %d dimensions, want %d", r.Measure, g.ID, len(g.Strata),
					len(measure.Dimensions()))
			}
			for dimension, strata := range g.Strata {
				checkStrata(t, r.Measure+" by "+dimension, g, strata)
			}
		}
	}
}

// checkScore: a score and its interval are absent, not 0, where the effective denominator is 0.
func checkScore(t *testing.T, what string, g measure.Group, c measure.Cell) {
	t.Helper()
	effective := c.Populations[measure.Denominator] - c.Populations[measure.DenominatorExclusion]
	if g.Scoring == measure.ContinuousVariable {
		effective = c.Populations[measure.MeasurePopulation] - c.Populations[measure.MeasureExclusion]
	}
	if (c.Score == nil) != (effective <= 0) {
		t.Errorf("%s: score %v of an effective denominator of %g", what, c.Score, effective)
	}
	if c.Interval != nil && c.Score != nil &&
		(*c.Score < c.Interval[0]-1e-12 || *c.Score > c.Interval[1]+1e-12) {
		t.Errorf("%s: the score %g is outside its interval %v", what, *c.Score, *c.Interval)
	}
	if c.Interval != nil && c.Score == nil {
		t.Errorf("%s: an interval without a score", what)
	}
}

// checkStrata: they add up to the group, and one that is no category has its state and no code.
func checkStrata(t *testing.T, what string, g measure.Group, strata []measure.Stratum) {
	t.Helper()
	states := []string{"unknown", "asked-no-answer", "asked-declined", "missing", "conflicting",
		"unmapped", "text-only"}
	sums := map[measure.Population]float64{}
	for _, s := range strata {
		checkScore(t, what+" "+s.Label, g, s.Cell)
		for p, n := range s.Populations {
			sums[p] += n
		}
		if s.State == "known" {
			if s.Code == "" {
				t.Errorf("%s: %q is known and has no code", what, s.Label)
			}
			continue
		}
		if !slices.Contains(states, s.State) || s.Code != "" {
			t.Errorf("%s: state %q with code %q", what, s.State, s.Code)
		}
	}
	for p, n := range g.Populations {
		if math.Abs(sums[p]-n) > 1e-9 {
			t.Errorf("%s: the strata have %g in %s, the group %g", what, sums[p], p, n)
		}
	}
}

func TestScoreIsAbsentWithoutADenominator(t *testing.T) {
	t.Parallel()
	o := must(t, "evaluate", "readmission-30-day", "--period", "1999", "--format", "json", "--data",
		loadedData(t))
	var document map[string]any
	parse(t, o.out, &document)
	group, _ := document["groups"].([]any)[0].(map[string]any)
	for _, key := range []string{"score", "interval"} {
		if value, there := group[key]; there {
			t.Errorf("%s is %v of nobody, want none", key, value)
		}
	}
}

func TestCross(t *testing.T) {
	t.Parallel()
	o := must(t, "evaluate", "telehealth-share", "--period", "2025", "--by", "race*sex", "--format",
		"json", "--data", loadedData(t))
	var r result
	parse(t, o.out, &r)
	strata := r.Groups[0].Strata["race*sex"]
	if len(strata) < 4 {
		t.Fatalf("race*sex has %d strata", len(strata))
	}
	var sum float64
	for _, s := range strata {
		sum += s.Populations[measure.Denominator]
		if len(s.Components) != 2 {
			t.Errorf("a stratum of a cross has components %v", s.Components)
		}
	}
	if want := r.Groups[0].Populations[measure.Denominator]; sum != want || want == 0 {
		t.Errorf("the strata add up to %g, the group has %g", sum, want)
	}
}

func TestEvaluateFHIR(t *testing.T) {
	t.Parallel()
	all := must(t, "evaluate", "all", "--period", "2025-Q4", "--format", "fhir", "--data",
		loadedData(t))
	resource, err := r4.Unmarshal([]byte(all.out))
	if err != nil {
		t.Fatalf("the Bundle is not valid FHIR: %v", err)
	}
	entries := resource.GetBundle().GetEntry()
	if len(entries) != 12 {
		t.Errorf("the Bundle has %d entries, want 12", len(entries))
	}
	for _, entry := range entries {
		if err := reporttest.Check(entry.GetResource().GetMeasureReport()); err != nil {
			t.Errorf("%s: %v", entry.GetFullUrl().GetValue(), err)
		}
	}
	one := must(t, "evaluate", "harm-per-1000-days", "--period", "2025", "--format", "fhir", "--data",
		loadedData(t))
	if resource, err = r4.Unmarshal([]byte(one.out)); err != nil ||
		resource.GetMeasureReport() == nil {
		t.Fatalf("one measure is no valid MeasureReport: %v", err)
	}
	if err := reporttest.Check(resource.GetMeasureReport()); err != nil {
		t.Error(err)
	}
}

func TestEvaluateCSV(t *testing.T) {
	t.Parallel()
	o := must(t, "evaluate", "all", "--period", "2025", "--by", "language_group,site", "--format",
		"csv", "--data", loadedData(t))
	rows, err := csv.NewReader(strings.NewReader(o.out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"measure", "version", "snapshot", "data_as_of", "complete", "period_start",
		"period_end", "group"}
	if !slices.Equal(rows[0][:len(want)], want) {
		t.Errorf("the columns are %v", rows[0])
	}
	measures := map[string]bool{}
	for _, row := range rows[1:] {
		measures[row[0]] = true
		if row[2] == "" || row[5] != "2025-01-01" {
			t.Errorf("a row lacks its provenance: %v", row)
		}
	}
	if len(measures) != 12 {
		t.Errorf("%d measures are in the file, want 12", len(measures))
	}
}

func TestEvaluateTable(t *testing.T) {
	t.Parallel()
	o := must(t, "evaluate", "ed-left-without-being-seen", "--period", "2025", "--by", "race",
		"--data", loadedData(t))
	for _, want := range []string{"ed-left-without-being-seen", "DENOMINATOR", "95 % INTERVAL",
		"White", " %"} {
		if !strings.Contains(o.out, want) {
			t.Errorf("the table lacks %q:\n%s", want, o.out)
		}
	}
}

func TestMeasures(t *testing.T) {
	t.Parallel()
	o := must(t, "measures", "--json")
	checkContract(t,
		`[{"id":"","version":"","title":"","says":"","unit":"","scoring":"","improvement":""}]`, o.out)
	var list []struct {
		ID string `json:"id"`
	}
	parse(t, o.out, &list)
	table := must(t, "measures")
	for _, m := range list {
		if !strings.Contains(table.out, m.ID) {
			t.Errorf("the table lacks %s", m.ID)
		}
	}
	if len(list) != 12 {
		t.Errorf("%d measures ship, want 12", len(list))
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if o := must(t, "version"); !strings.HasPrefix(o.out, "equitylens test (go1.") {
		t.Errorf("version = %q", o.out)
	}
}

func TestSnapshots(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	var ids []string
	for n := range 3 {
		o := must(t, "sync", "--json", "--from",
			write(t, map[string]string{"Patient.ndjson": patientLines(10 + n)}), "--data", data)
		var report struct {
			Snapshot string `json:"snapshot"`
		}
		parse(t, o.out, &report)
		ids = append(ids, report.Snapshot)
	}
	if o := must(t, "snapshot", "use", ids[0], "--data", data); !strings.Contains(o.out,
		ids[0]+" is live") {
		t.Errorf("use says %q", o.out)
	}
	if o := must(t, "snapshot", "prune", "--keep", "1", "--data",
		data); o.out != "removed "+ids[1]+"\n" {
		t.Errorf("prune says %q, want that %s alone is removed: the live one and the newest stay", o.out,
			ids[1])
	}
	var list []listed
	parse(t, must(t, "snapshot", "list", "--json", "--data", data).out, &list)
	if len(list) != 2 || list[0].ID != ids[0] || !list[0].Live || list[1].ID != ids[2] ||
		list[1].Live {
		t.Errorf("list = %+v", list)
	}
	if o := must(t, "snapshot", "list", "--data", data); !strings.Contains(o.out, "live") {
		t.Errorf("the table does not say which is live:\n%s", o.out)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good := write(t, map[string]string{"equitylens.yaml": `server: {tls: {cert_file: none.crt, key_file: none.key}}
decisions: {postgres_url_file: none.url}
network: {coordinator: {url: "https://n.example.org", member: a, client_id: a, ca_file: none.pem}}
`})
	o := must(t, "check", "--config", good+"/equitylens.yaml")
	for _, want := range []string{
		"server.tls: ", "decisions.postgres_url_file: ", "network.coordinator.ca_file: ",
	} {
		if !strings.Contains(o.err, "not on this machine, and needed to serve: "+want) {
			t.Errorf("check does not say %q: %q", want, o.err)
		}
	}
	if !strings.Contains(o.out, "12 measures compile") {
		t.Errorf("check says %q", o.out)
	}
	own := write(t, map[string]string{"own.yaml": `id: own
version: 1.0.0
title: Own
unit: encounter
scoring: proportion
improvement: increase
dated_by: end
needs: [Patient, Encounter]
populations:
  initial-population: "true"
  denominator: clas = 'EMER'
  numerator: "true"
source: ours
says: Something.
`})
	cases := []struct {
		name  string
		files map[string]string
		says  []string
	}{
		{
			"every fault at once",
			map[string]string{"equitylens.yaml": "timezone: Mars/Base\nsync: {schedule: nightly, max_shrink: 2}\nserver: {listen: \"0.0.0.0:80\"}\n"},
			[]string{"timezone", "sync.schedule", "sync.max_shrink", "server.listen"},
		},
		{"an unknown key", map[string]string{"equitylens.yaml": "serverr: {}\n"}, []string{"serverr"}},
		{
			"a measure that does not compile",
			map[string]string{"equitylens.yaml": "measures: " + own + "\n"}, []string{"own", "clas"},
		},
		{
			"a ConceptMap that is none", map[string]string{"equitylens.yaml": "concept_maps: maps\n"},
			[]string{"concept_maps"},
		},
		{
			"keys of a client that are none",
			map[string]string{"c.jwks": "{}",
				"equitylens.yaml": "server: {clients: [{id: c, jwks_file: c.jwks, scopes: [system/Measure.rs]}]}\n"},
			[]string{"client c", "JWKS"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := equitylens(t, "check", "--config", write(t, c.files)+"/equitylens.yaml")
			if o.code != exitFailed {
				t.Errorf("check = %d, %s", o.code, o.out)
			}
			for _, want := range c.says {
				if !strings.Contains(o.err, want) {
					t.Errorf("the complaint lacks %q: %s", want, o.err)
				}
			}
		})
	}
}

// TestDocumentsAreStable decodes every document into what its readers were told, without a field
// that has another type.
func TestDocumentsAreStable(t *testing.T) {
	t.Parallel()
	o := must(t, "evaluate", "telehealth-share", "--period", "2025", "--by", "race", "--format",
		"json", "--data", loadedData(t))
	var r struct {
		Groups []struct {
			Populations map[string]float64 `json:"populations"`
			Score       float64            `json:"score"`
			Interval    [2]float64         `json:"interval"`
			Strata      map[string][]struct {
				Code   string  `json:"code"`
				System string  `json:"system"`
				Label  string  `json:"label"`
				State  string  `json:"state"`
				Score  float64 `json:"score"`
			} `json:"strata"`
		} `json:"groups"`
	}
	if err := json.Unmarshal([]byte(o.out), &r); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"initial-population", "denominator", "denominator-exclusion",
		"numerator"} {
		if _, there := r.Groups[0].Populations[name]; !there {
			t.Errorf("populations lack %s: %v", name, r.Groups[0].Populations)
		}
	}
	i := slices.IndexFunc(r.Groups[0].Strata["race"], func(s struct {
		Code   string  `json:"code"`
		System string  `json:"system"`
		Label  string  `json:"label"`
		State  string  `json:"state"`
		Score  float64 `json:"score"`
	}) bool {
		return s.Code == "2106-3" && s.System == "urn:oid:2.16.840.1.113883.6.238" &&
			s.Label == "White" && s.State == "known"
	})
	if i < 0 {
		t.Errorf("no stratum is White as the contract writes it: %+v", r.Groups[0].Strata["race"])
	}
}
