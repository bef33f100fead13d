package measure_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

func documentation(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/measures.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// section returns the text below a heading, up to the next one.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n"+heading+"\n")
	if !ok {
		t.Fatalf("docs/measures.md has no heading %q", heading)
	}
	if end := regexp.MustCompile(`(?m)^##`).FindStringIndex(rest); end != nil {
		rest = rest[:end[0]]
	}
	return rest
}

var tableRow = regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\| ([^|]+) \\|(.*)\\|$")

// TestTheDocumentedColumnsAreThoseOfTheViews holds docs/measures.md against an empty snapshot:
// every column with its type and, of a code, every value.
func TestTheDocumentedColumnsAreThoseOfTheViews(t *testing.T) {
	t.Parallel()
	s := scratch(t)
	text := documentation(t)
	for unit, view := range map[string]string{
		"patient": "patient_in(DATE '2026-01-01', DATE '2026-12-31')", "encounter": "encounter",
		"stay": "stay", "event": "event",
	} {
		documented := map[string]string{}
		rows := section(t, text, "### In every view") + section(t, text, "### `"+unit+"`")
		for _, m := range tableRow.FindAllStringSubmatch(rows, -1) {
			documented[m[1]] = m[2]
		}
		columns := map[string]string{}
		for _, row := range Rows(t, s, "SELECT column_name, column_type FROM (DESCRIBE FROM "+view+")") {
			name, kind, _ := strings.Cut(row, " ")
			columns[name] = typeInWords(kind)
			for _, value := range enumerated.FindAllStringSubmatch(kind, -1) {
				known := value[1] != "" && value[1][0] != '~'
				if known &&
					!regexp.MustCompile("(?m)^\\| `"+name+"` .*`"+value[1]+"`").MatchString(rows) {
					t.Errorf("%s: the value %s of %s is not documented", unit, value[1], name)
				}
			}
		}
		if d := cmp.Diff(columns, documented); d != "" {
			t.Errorf("columns of %s (-view +documented):\n%s", unit, d)
		}
	}
}

var enumerated = regexp.MustCompile(`'([^']*)'`)

func typeInWords(kind string) string {
	switch {
	case strings.HasPrefix(kind, "ENUM"):
		return "code"
	case kind == "BIGINT" || kind == "INTEGER":
		return "number"
	}
	return map[string]string{"BOOLEAN": "true or false", "DATE": "date", "TIMESTAMP": "moment",
		"VARCHAR": "text"}[kind]
}

func TestEveryMeasureAndKeyIsDocumented(t *testing.T) {
	t.Parallel()
	text := documentation(t)
	twelve := section(t, text, "## The twelve")
	for _, d := range shipped(t) {
		if !strings.Contains(twelve, "\n| `"+d.ID+"` |") {
			t.Errorf("%s is not among the twelve", d.ID)
		}
	}
	own := section(t, text, "## A measure of your own")
	definition := reflect.TypeFor[measure.Definition]()
	for i := range definition.NumField() {
		key := definition.Field(i).Tag.Get("yaml")
		if key != "-" && !strings.Contains(own, "\n| `"+key+"` |") {
			t.Errorf("the key %s is not documented", key)
		}
	}
}

// TestTheDocumentedExampleRuns takes the YAML out of the page.
func TestTheDocumentedExampleRuns(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(documentation(t), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	d, err := measure.ParseDefinition([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if err := measure.NewEngine(scratch(t), []measure.Definition{d}).Check(t.Context()); err != nil {
		t.Error(err)
	}
	b := clinic()
	for i, end := range []string{"2026-04-03T10:00:00Z", "2026-04-03T10:01:00Z", "2026-04-04"} {
		b.Encounters = append(b.Encounters,
			Encounter(fmt.Sprint("o", i), "a", "OBSENC", "2026-04-01T10:00:00Z", end))
	}
	dir := Open(t)
	Load(t, dir, b)
	year, _ := measure.ParsePeriod("2026")
	result, err := measure.NewEngine(Current(t, dir), []measure.Definition{d}).
		Evaluate(t.Context(), measure.Question{Measure: d.ID, Period: year})
	if err != nil {
		t.Fatal(err)
	}
	want := map[measure.Population]float64{measure.InitialPopulation: 3, measure.Denominator: 3,
		measure.DenominatorExclusion: 1, measure.Numerator: 1}
	if diff := cmp.Diff(want, result.Groups[0].Populations); diff != "" {
		t.Errorf("populations (-want +got):\n%s", diff)
	}
}

func TestEveryOptionIsDocumented(t *testing.T) {
	t.Parallel()
	text := documentation(t)
	for _, p := range mapping.Policies() {
		if !strings.Contains(section(t, text, "### Race policies"), "\n| `"+string(p)+"` |") {
			t.Errorf("the policy %s is not documented", p)
		}
	}
	scores := section(t, text, "### Populations and scores")
	for _, s := range []measure.Scoring{measure.Proportion, measure.Ratio, measure.ContinuousVariable,
		measure.Cohort} {
		if !strings.Contains(scores, "\n| `"+string(s)+"` |") {
			t.Errorf("the scoring %s is not documented", s)
		}
	}
	own := section(t, text, "## A measure of your own")
	for _, a := range measure.Aggregates() {
		if !strings.Contains(own, "`"+string(a)+"`") {
			t.Errorf("the aggregate %s is not documented", a)
		}
	}
	for _, p := range []measure.Population{measure.NumeratorInitial, measure.DenominatorException,
		measure.NumeratorExclusion} {
		if !strings.Contains(own, "`"+string(p)+"`") {
			t.Errorf("the population %s is not documented", p)
		}
	}
}
