package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/report"
)

// foreign writes an individual report as other engines do, without anything that is ours. Populations
// are written as "code:count", or "code:count:link".
func foreign(patient string, change func(string) string, populations ...string) string {
	var list []string
	for _, p := range populations {
		part := strings.Split(p, ":")
		id := ""
		if len(part) > 2 {
			id = fmt.Sprintf(`"id":%q,`, part[2])
		}
		list = append(list, fmt.Sprintf(`{%s"code":{"coding":[{"system":`+
			`"http://terminology.hl7.org/CodeSystem/measure-population","code":%q}]},"count":%s}`,
			id, part[0], part[1]))
	}
	text := `{"resourceType":"MeasureReport","extension":[{"url":"http://hl7.org/fhir/us/davinci-deqm/` +
		`StructureDefinition/extension-measureScoring","valueCodeableConcept":{"coding":[{"code":` +
		`"proportion"}]}}],"status":"complete","type":"individual",` +
		`"measure":"https://madie.cms.gov/Measure/CMS165|14.0.000","subject":{"reference":"Patient/` +
		patient + `"},"period":{"start":"2018-01-01","end":"2018-12-31"},"group":[{"population":[` +
		strings.Join(list, ",") + `]}]}`
	if change != nil {
		text = change(text)
	}
	return text
}

func replaced(old, with string) func(string) string {
	return func(text string) string { return strings.Replace(text, old, with, 1) }
}

// counted are the populations of one who is in the numerator.
func counted() []string {
	return []string{"initial-population:1", "denominator:1", "denominator-exclusion:0", "numerator:1"}
}

const inNumerator = "[initial-population denominator numerator]"

// TestReportsOfOtherEngines holds the ways in which engines differ to one reading.
func TestReportsOfOtherEngines(t *testing.T) {
	t.Parallel()
	encounters := `"period":`
	tests := []struct {
		name string
		in   string
		cfg  report.ReadConfig
		want []string
	}{
		{
			"one report, a group without an id", foreign("ana", nil, counted()...),
			report.ReadConfig{}, []string{"ana  main " + inNumerator + " map[]"},
		},
		{
			"a subject by an absolute reference",
			foreign("ana", replaced("Patient/ana", "https://ehr.example/fhir/Patient/ana/_history/2"),
				counted()...),
			report.ReadConfig{}, []string{"ana  main " + inNumerator + " map[]"},
		},
		{
			"a subject by the urn of its Bundle",
			`{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:1f2e","resource":` +
				`{"resourceType":"Patient","id":"ana"}},{"resource":` +
				foreign("ana", replaced("Patient/ana", "urn:uuid:1f2e"), counted()...) + `}]}`,
			report.ReadConfig{}, []string{"ana  main " + inNumerator + " map[]"},
		},
		{
			"other resources in a searchset",
			`{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":` +
				`"Organization","type":[{"text":"x"}]}},{"resource":` + foreign("ana", nil, counted()...) +
				`},{"search":{"mode":"outcome"}}]}`,
			report.ReadConfig{}, []string{"ana  main " + inNumerator + " map[]"},
		},
		{
			"lines with a byte order mark and Windows ends",
			"\xef\xbb\xbf" + foreign("ana", nil, counted()...) + "\r\n\r\n" +
				foreign("ben", nil, "initial-population:0", "denominator:0", "numerator:0") + "\r\n",
			report.ReadConfig{}, []string{"ana  main " + inNumerator + " map[]"},
		},
		{
			"one report over several lines",
			strings.ReplaceAll(foreign("ana", nil, counted()...), `,`, ",\n"),
			report.ReadConfig{}, []string{"ana  main " + inNumerator + " map[]"},
		},
		{
			"an exclusion wins over the numerator",
			foreign("ana", nil, "initial-population:1", "denominator:1", "denominator-exclusion:1",
				"numerator:1", "denominator-exception:1", "numerator-exclusion:1"),
			report.ReadConfig{},
			[]string{"ana  main [initial-population denominator denominator-exclusion] map[]"},
		},
		{
			"a code that is only an id",
			foreign("ana", func(s string) string {
				return strings.Replace(s, `"code":{"coding":[{"system":"http://terminology.hl7.org/`+
					`CodeSystem/measure-population","code":"numerator"}]}`, `"id":"numerator"`, 1)
			}, counted()...),
			report.ReadConfig{}, []string{"ana  main " + inNumerator + " map[]"},
		},
		{
			"counts of encounters",
			foreign("ana", nil, "initial-population:3", "denominator:3", "denominator-exclusion:1",
				"numerator:1", "denominator-exception:1"),
			report.ReadConfig{}, []string{
				"ana  main [initial-population denominator denominator-exception] map[]",
				"ana  main [initial-population denominator denominator-exclusion] map[]",
				"ana  main " + inNumerator + " map[]",
			},
		},
		{
			"one encounter that was counted and looked at",
			foreign("ana", replaced(encounters, `"evaluatedResource":[{"reference":"Condition/c"},`+
				`{"reference":"Encounter/e1"}],`+encounters), counted()...),
			report.ReadConfig{Unit: measure.EncounterUnit},
			[]string{"ana e1 main " + inNumerator + " map[]"},
		},
		{
			"an encounter that was looked at, where patients are counted",
			foreign("ana", replaced(encounters, `"evaluatedResource":[{"reference":"Encounter/e1"}],`+
				encounters), counted()...),
			report.ReadConfig{}, []string{"ana  main " + inNumerator + " map[]"},
		},
		{
			"more encounters looked at than counted",
			foreign("ana", replaced(encounters, `"evaluatedResource":[{"reference":"Encounter/e1"},`+
				`{"reference":"Encounter/e2"}],`+encounters), counted()...),
			report.ReadConfig{Unit: measure.EncounterUnit},
			[]string{"ana  main " + inNumerator + " map[]"},
		},
		{
			"encounters that name their populations",
			foreign("ana", replaced(encounters, `"evaluatedResource":[{"reference":"Encounter/e1",`+
				`"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/cqf-criteriaReference",`+
				`"valueString":"i"},{"url":"http://hl7.org/fhir/us/davinci-deqm/StructureDefinition/`+
				`extension-populationReference","valueString":"d"}]},{"reference":"Encounter/e2",`+
				`"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/cqf-criteriaReference",`+
				`"valueString":"i"}]}],`+encounters),
				"initial-population:2:i", "denominator:1:d", "numerator:0:n"),
			report.ReadConfig{}, []string{
				"ana e1 main [initial-population denominator] map[]",
				"ana e2 main [initial-population] map[]",
			},
		},
		{
			"encounters whose populations contradict each other",
			foreign("ana", replaced(encounters, `"evaluatedResource":[{"reference":"Encounter/e1",`+
				`"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/cqf-criteriaReference",`+
				`"valueString":"n"}]},{"reference":"Encounter/e2","extension":[{"url":"http://hl7.org/`+
				`fhir/StructureDefinition/cqf-criteriaReference","valueString":"i"},{"url":"http://hl7.org/`+
				`fhir/StructureDefinition/cqf-criteriaReference","valueString":"d"}]}],`+encounters),
				"initial-population:1:i", "denominator:1:d", "numerator:1:n"),
			report.ReadConfig{Unit: measure.EncounterUnit},
			[]string{"ana  main " + inNumerator + " map[]"},
		},
		{
			"fewer encounters named than counted",
			foreign("ana", replaced(encounters, `"evaluatedResource":[{"reference":"Encounter/e1",`+
				`"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/cqf-criteriaReference",`+
				`"valueString":"i"}]}],`+encounters),
				"initial-population:2:i", "denominator:0:d", "numerator:0:n"),
			report.ReadConfig{}, []string{
				"ana  main [initial-population] map[]", "ana  main [initial-population] map[]",
			},
		},
		{
			"a scoring that is given",
			foreign("ana", replaced("extension-measureScoring", "x"), counted()...),
			report.ReadConfig{Scoring: measure.Ratio}, []string{"ana  main " + inNumerator + " map[]"},
		},
		{
			"a continuous variable with its observation",
			foreign("ana", func(s string) string {
				s = strings.Replace(s, `"proportion"`, `"continuous-variable"`, 1)
				return strings.Replace(s, encounters, `"contained":[{"resourceType":"Observation","id":"o",`+
					`"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/cqf-measureInfo",`+
					`"extension":[{"url":"populationId","valueString":"MeasureObservation"}]}],`+
					`"status":"final","code":{"text":"x"},"valueQuantity":{"value":20.5}},`+
					`{"resourceType":"Observation","id":"sde","status":"final","code":{"text":"x"},`+
					`"valueInteger":1}],"evaluatedResource":[{"reference":"#o"}],`+encounters, 1)
			}, "initial-population:1", "measure-population:1", "measure-observation:1"),
			report.ReadConfig{},
			[]string{"ana  main [initial-population measure-population] map[measure-population:20.5]"},
		},
		{
			"two initial populations of a ratio",
			foreign("ana", replaced(`"proportion"`, `"ratio"`), "initial-population:2",
				"initial-population:1", "denominator:2", "numerator:1"),
			report.ReadConfig{}, []string{
				"ana  main [initial-population denominator numerator-initial-population numerator] map[]",
				"ana  main [initial-population denominator] map[]",
			},
		},
		{
			"a count as a quantity",
			foreign("ana", replaced(`"count":1`, `"extension":[{"url":"http://hl7.org/fhir/`+
				`StructureDefinition/measurereport-countQuantity","valueQuantity":{"value":1.0}}]`),
				counted()...),
			report.ReadConfig{}, []string{"ana  main " + inNumerator + " map[]"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			imports, err := report.Read(strings.NewReader(tt.in), tt.cfg)
			if err != nil {
				t.Fatalf("Read: %v\n%s", err, tt.in)
			}
			if len(imports) != 1 {
				t.Fatalf("%d imports", len(imports))
			}
			if diff := cmp.Diff(tt.want, flat(imports[0].Members)); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
			got := imports[0]
			if got.Measure != "CMS165" || got.Version != "14.0.000" || got.Period.String() != "2018" &&
				got.Period.String() != "2018-01-01/2018-12-31" || got.Improvement != measure.Context {
				t.Errorf("the import is of %s %s %s %s", got.Measure, got.Version, got.Period, got.Improvement)
			}
		})
	}
}

// TestSeveralMeasuresAndPeriods come apart, and partial dates and times of day are of their days.
func TestSeveralMeasuresAndPeriods(t *testing.T) {
	t.Parallel()
	lines := []string{
		foreign("ana", nil, counted()...),
		foreign("ana", func(s string) string {
			s = strings.Replace(s, `"2018-01-01"`, `"2019"`, 1)
			return strings.Replace(s, `"2018-12-31"`, `"2019-02"`, 1)
		}, counted()...),
		foreign("ana", func(s string) string {
			s = strings.Replace(s, "CMS165|14.0.000", "CMS2", 1)
			s = strings.Replace(s, `"2018-01-01"`, `"2018-01-01T00:00:00+05:00"`, 1)
			return strings.Replace(s, `"2018-12-31"`, `"2018-12-31T23:59:59-05:00"`, 1)
		}, counted()...),
		foreign("ben", nil, counted()...),
	}
	imports, err := report.Read(strings.NewReader(strings.Join(lines, "\n")), report.ReadConfig{
		Improvement: measure.Increase,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range imports {
		got = append(got, fmt.Sprint(i.Measure, " ", i.Version, " ", i.Period.Start.Format("2006-01-02"), " ",
			i.Period.End.Format("2006-01-02"), " ", i.Improvement, " ", len(i.Members)))
	}
	want := []string{
		"CMS165 14.0.000 2018-01-01 2018-12-31 increase 2",
		"CMS165 14.0.000 2019-01-01 2019-02-28 increase 1",
		"CMS2 unversioned 2018-01-01 2018-12-31 increase 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("imports (-want +got):\n%s", diff)
	}
}

// TestFaultsOfReports names each by place, element and cause, and never the person.
func TestFaultsOfReports(t *testing.T) {
	t.Parallel()
	good := foreign("ben", nil, counted()...)
	tests := []struct {
		name string
		in   string
		want []string
	}{
		{"nothing", "", []string{"that is no JSON"}},
		{"no object", `[1]`, []string{"that is no resource"}},
		{"no type", `{}`, []string{"resourceType: there is none"}},
		{"no report", `{"resourceType":"Patient","id":"canary"}`,
			[]string{"there is no individual MeasureReport"}},
		{"a broken line", good + "\n{\"canary\n" + good, []string{
			"line 2: that is no JSON",
			"line 3: MeasureReport.subject: the same subject and unit were reported in line 1",
		}},
		{"elements that R4 refuses",
			foreign("canary", replaced(`"status":"complete"`, `"status":"canary"`), "numerator:true"),
			[]string{
				"MeasureReport.group[0].population[0].count: expected integer",
				"MeasureReport.status: code type mismatch",
			}},
		{"a Bundle of no use", `{"resourceType":"Bundle","type":"history","entry":[]}`,
			[]string{"Bundle.type: one of collection, transaction, batch and searchset is wanted"}},
		{"a Bundle in a Bundle", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":` +
			`{"resourceType":"Bundle","type":"collection"}}]}`,
			[]string{"entry 1: Bundle: that is no list of entries, or is in another Bundle"}},
		{"a summary in a Bundle in Parameters",
			`{"resourceType":"Parameters","parameter":[{"name":"a"},{"name":"return","resource":` +
				`{"resourceType":"Bundle","type":"collection","entry":[{"resource":` +
				foreign("canary", replaced(`"individual"`, `"summary"`), counted()...) + `}]}}]}`,
			[]string{"parameter 2, entry 1: MeasureReport.type: only individual reports say who is in " +
				"which population"}},
		{"pending, for nobody, over an open period, without groups",
			`{"resourceType":"MeasureReport","status":"pending","type":"individual","measure":"|1",` +
				`"period":{"start":"2018"}}`,
			[]string{
				"MeasureReport.status: the report is not complete",
				"MeasureReport.measure: there is no canonical URL",
				"MeasureReport.period: start and end are wanted",
				"MeasureReport.subject: there is no reference to a Patient",
				"MeasureReport.extension: the scoring is not said (deqm-measureScoring), nor given",
				"MeasureReport.group: there is none",
			}},
		{"a Group as its subject", foreign("canary", replaced("Patient/", "Group/"), counted()...),
			[]string{"MeasureReport.subject: it is no Patient"}},
		{"a period that ends before it starts",
			foreign("canary", replaced("2018-12-31", "2017-12-31"), counted()...),
			[]string{"MeasureReport.period: it ends before it starts"}},
		{"a scoring that is none", foreign("canary", replaced(`"proportion"`, `"composite"`), counted()...),
			[]string{"MeasureReport.extension: the scoring is none of proportion, ratio, " +
				"continuous-variable and cohort"}},
		{"populations that are none, twice and without a number",
			foreign("canary", replaced(`"count":7`, `"_count":{"extension":[{"url":"http://hl7.org/fhir/`+
				`StructureDefinition/data-absent-reason","valueCode":"masked"}]}`),
				"canary:1", "initial-population:1", "denominator:1", "denominator:1", "numerator:7",
				"numerator-exclusion:-1", "denominator-exclusion:10001"),
			[]string{
				"MeasureReport.group[0].population[0].code: it is no measure-population",
				"MeasureReport.group[0].population[3]: the group has this population already",
				"MeasureReport.group[0].population[4].count: there is none",
				"MeasureReport.group[0].population[5].count: it is no number of members",
				"MeasureReport.group[0].population[6].count: more than 10000 units of one patient",
			}},
		{"no numerator", foreign("canary", nil, "initial-population:1", "denominator:1"),
			[]string{"MeasureReport.group[0]: no numerator, which a proportion has"}},
		{"a denominator larger than its initial population",
			foreign("canary", nil, "initial-population:0", "denominator:1", "numerator:0"),
			[]string{"MeasureReport.group[0]: denominator of 1 is larger than the initial population, 0"}},
		{"encounters that cannot be told apart",
			foreign("canary", nil, "initial-population:3", "denominator:3", "denominator-exclusion:2",
				"numerator:2"),
			[]string{"MeasureReport.group[0]: numerator of 2 is larger than the denominator without its " +
				"exclusions, 1"}},
		{"two initial populations of a proportion",
			foreign("canary", nil, "initial-population:1", "initial-population:1", "denominator:1",
				"numerator:1"),
			[]string{"MeasureReport.group[0]: two initial populations of a proportion"}},
		{"a continuous variable without observations",
			foreign("canary", replaced(`"proportion"`, `"continuous-variable"`), "initial-population:1",
				"measure-population:1"),
			[]string{"MeasureReport.contained: no report of the measure says what was observed, of which a " +
				"continuous-variable is made"}},
		{"another scoring than the report before",
			good + "\n" + foreign("canary", replaced(`"proportion"`, `"ratio"`), counted()...),
			[]string{"line 2: MeasureReport: its scoring or direction is not that of the first report of " +
				"the measure"}},
		{"two measures of one name",
			good + "\n" + foreign("canary", replaced("madie.cms.gov", "example.org"), counted()...),
			[]string{"line 1: MeasureReport.measure: another measure of the input has the same last part " +
				"of its URL"}},
		{"several patients in one count",
			foreign("canary", replaced(`"extension":[`, `"extension":[{"url":"http://hl7.org/fhir/us/`+
				`cqfmeasures/StructureDefinition/cqfm-populationBasis","valueCode":"boolean"},`),
				"initial-population:2", "denominator:2", "numerator:0"),
			[]string{"MeasureReport.group[0]: it counts more than one where the unit is the patient"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			imports, err := report.Read(strings.NewReader(tt.in), report.ReadConfig{})
			var faults *report.ReadError
			if !errors.As(err, &faults) || imports != nil {
				t.Fatalf("Read = %v, %v, want a ReadError and nothing else", imports, err)
			}
			var got []string
			for _, fault := range faults.Faults {
				got = append(got, fault.String())
			}
			if tt.name == "elements that R4 refuses" {
				// jsonformat goes through the elements in no order.
				got = sorted(got)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("a fault repeats what it is about: %v", err)
			}
		})
	}
}

func sorted(words []string) []string {
	slices.Sort(words)
	return words
}

func TestFaultsAndBytesAreBounded(t *testing.T) {
	t.Parallel()
	lines := strings.Repeat("{\n{}\n", 30)
	_, err := report.Read(strings.NewReader("{}\n"+lines), report.ReadConfig{MaxFaults: 3})
	var faults *report.ReadError
	if !errors.As(err, &faults) || len(faults.Faults) != 3 || faults.More != 58 ||
		!strings.HasSuffix(err.Error(), "\nand 58 more") {
		t.Errorf("Read of 61 broken lines: %v", err)
	}
	_, err = report.Read(bytes.NewReader(make([]byte, 100)), report.ReadConfig{MaxBytes: 99})
	if !errors.Is(err, report.ErrTooLarge) {
		t.Errorf("Read of 100 bytes where 99 are allowed: %v", err)
	}
}
