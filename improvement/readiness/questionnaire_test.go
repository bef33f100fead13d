package readiness_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
)

func shipped(t testing.TB) *readiness.Questionnaire {
	t.Helper()
	q, err := readiness.Shipped()
	if err != nil {
		t.Fatalf("Shipped() = %v", err)
	}
	return q
}

func TestShippedHasSixDomainsOfFourToSixItems(t *testing.T) {
	t.Parallel()
	q := shipped(t)
	var ids []string
	for _, d := range q.Domains {
		ids = append(ids, d.ID)
		if n := len(d.Items); n < 4 || n > 6 {
			t.Errorf("domain %s has %d items", d.ID, n)
		}
	}
	want := []string{"culture", "data", "analysis", "action", "community", "access"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
}

// Every text that a person reads is there in each language, and no two of them say the same: what was
// copied and not translated would.
func TestItemsAreSaidInEveryLanguage(t *testing.T) {
	t.Parallel()
	q := shipped(t)
	for _, i := range q.Items() {
		for _, l := range readiness.Levels() {
			seen := map[string]bool{}
			for _, language := range measure.Languages() {
				text := q.Means(i, l, language)
				if strings.TrimSpace(text) == "" || strings.ContainsAny(text, "{}") || seen[text] {
					t.Errorf("Means(%s, %d, %s) = %q", i.ID, l, language, text)
				}
				seen[text] = true
			}
		}
		texts := []readiness.Text{i.Asks, i.Evidence, i.Owner}
		for _, g := range i.Steps {
			texts = append(texts, g.Next)
		}
		for _, text := range texts {
			if text.In("en") == "" || text.In("es") == "" || text.In("en") == text.In("es") {
				t.Errorf("%s: %q is not said in both languages", i.ID, text.In("en"))
			}
		}
	}
}

func TestTextInAnotherLanguageIsEnglish(t *testing.T) {
	t.Parallel()
	text := readiness.Text{"en": "yes", "es": "sí"}
	for language, want := range map[string]string{"en": "yes", "es": "sí", "fr": "yes"} {
		if got := text.In(language); got != want {
			t.Errorf("In(%s) = %q, want %q", language, got, want)
		}
	}
}

// What an item names must exist: its cause among the factors, its aim in the catalogue.
func TestItemsNameWhatExists(t *testing.T) {
	t.Parallel()
	definitions, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	rated := func(a readiness.Aim) bool {
		return slices.ContainsFunc(definitions, func(d measure.Definition) bool {
			return d.ID == a.Measure && slices.ContainsFunc(d.Rates(), func(g measure.GroupDefinition) bool {
				return g.ID == a.Rate && !slices.Contains(g.NotBy, a.Dimension)
			})
		})
	}
	figures := map[readiness.FigureID]bool{}
	for _, i := range shipped(t).Items() {
		if !slices.ContainsFunc(review.Factors(), func(c review.Concept) bool { return c.Code == string(i.Cause) }) {
			t.Errorf("%s: cause %q is no factor", i.ID, i.Cause)
		}
		if i.Aim != nil && (!rated(*i.Aim) || !slices.Contains(measure.Dimensions(), i.Aim.Dimension)) {
			t.Errorf("%s: %+v is no figure of the catalogue", i.ID, *i.Aim)
		}
		if i.Rule != nil {
			figures[i.Rule.Figure] = true
		}
	}
	for _, id := range readiness.FigureIDs() {
		if !figures[id] {
			t.Errorf("the figure %s answers no item", id)
		}
	}
}

func TestRangesSayTheThresholds(t *testing.T) {
	t.Parallel()
	q := shipped(t)
	cases := []struct {
		name, item string
		level      readiness.Level
		language   string
		want       string
	}{
		{
			"below the first", "race-recorded", readiness.NotBegun, "en",
			"Patients with an answer about their race on record: below 60%.",
		},
		{
			"between two", "race-recorded", readiness.Established, "en",
			"Patients with an answer about their race on record: between 80% and 95%.",
		},
		{
			"from the last", "race-recorded", readiness.Routine, "es",
			"Pacientes con una respuesta sobre su raza registrada: el 95 % o más.",
		},
		{"a falling rule begins at the top", "data-fresh", readiness.NotBegun, "en", "Age of the data: more than 30 days."},
		{"a falling rule between two", "data-fresh", readiness.Begun, "es", "Antigüedad de los datos: entre 7 días y 30 días."},
		{"a falling rule ends at the bottom", "data-fresh", readiness.Routine, "en", "Age of the data: 48 hours at most."},
		{
			"a count", "actions-begun", readiness.Begun, "en",
			"Actions that have begun and were not given up: from 1 to fewer than 2.",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			item, _, ok := q.Item(c.item)
			if !ok {
				t.Fatalf("Item(%s) is not there", c.item)
			}
			if got := q.Means(item, c.level, c.language); got != c.want {
				t.Errorf("Means(%s, %d) = %q, want %q", c.item, c.level, got, c.want)
			}
		})
	}
}

func TestLevelOfAFigure(t *testing.T) {
	t.Parallel()
	q := shipped(t)
	cases := []struct {
		name, item string
		in         float64
		want       readiness.Level
	}{
		{"nothing", "race-recorded", 0, readiness.NotBegun},
		{"just below", "race-recorded", 0.5999, readiness.NotBegun},
		{"at the threshold", "race-recorded", 0.6, readiness.Begun},
		{"all", "race-recorded", 1, readiness.Routine},
		{"falling, new", "data-fresh", 0, readiness.Routine},
		{"falling, at the threshold", "data-fresh", 48, readiness.Routine},
		{"falling, just above", "data-fresh", 48.01, readiness.Established},
		{"falling, old", "data-fresh", 1e6, readiness.NotBegun},
		{"nothing is overdue", "actions-on-time", 0, readiness.Routine},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			item, _, _ := q.Item(c.item)
			if got := item.Rule.Level(c.in); got != c.want {
				t.Errorf("Level(%v) of %s = %d, want %d", c.in, c.item, got, c.want)
			}
		})
	}
}

func TestParseLevel(t *testing.T) {
	t.Parallel()
	for _, l := range readiness.Levels() {
		got, err := readiness.ParseLevel(l.Code())
		if err != nil || got != l {
			t.Errorf("ParseLevel(%s) = %d, %v", l.Code(), got, err)
		}
	}
	for _, text := range []string{"", "4", "-1", "0.5", "Routine", "nobody"} {
		if got, err := readiness.ParseLevel(text); err == nil {
			t.Errorf("ParseLevel(%q) = %d", text, got)
		}
	}
	if code := readiness.Level(7).Code(); code != "" {
		t.Errorf("Level(7).Code() = %q", code)
	}
}

const small = `
version: 1.0.0
title: {en: a, es: b}
purpose: {en: a, es: b}
levels: {not-begun: {en: a, es: b}, begun: {en: a, es: b}, established: {en: a, es: b}, routine: {en: a, es: b}}
ranges:
  share: {below: {en: a, es: b}, between: {en: a, es: b}, from: {en: a, es: b}}
  count: {below: {en: a, es: b}, between: {en: a, es: b}, from: {en: a, es: b}}
  hours: {below: {en: a, es: b}, between: {en: a, es: b}, from: {en: a, es: b}}
reasons: {no-snapshot: {en: a, es: b}, no-measure: {en: a, es: b}, not-loaded: {en: a, es: b}, nobody: {en: a, es: b},
  hidden: {en: a, es: b}, no-actions: {en: a, es: b}, no-records: {en: a, es: b}}
domains:
  - id: d
    title: {en: a, es: b}
    about: {en: a, es: b}
    items:
      - id: i
        asks: {en: a, es: b}
        evidence: {en: a, es: b}
        owner: {en: a, es: b}
        cause: data
        steps:
          - {means: {en: a, es: b}, next: {en: a, es: b}}
          - {means: {en: a, es: b}, next: {en: a, es: b}}
          - {means: {en: a, es: b}, next: {en: a, es: b}}
          - {means: {en: a, es: b}, next: {en: a, es: b}}
`

func TestParseSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	if _, err := readiness.Parse([]byte(small)); err != nil {
		t.Fatalf("Parse(small) = %v", err)
	}
	cases := []struct{ name, from, to, want string }{
		{"an unknown key", "cause: data", "cause: data\n        weight: 3", "weight"},
		{"no version", "version: 1.0.0", "version: one", "version"},
		{"a language is missing", "asks: {en: a, es: b}", "asks: {en: a}", "i.asks: it is not said in es"},
		{"a language of nobody", "asks: {en: a, es: b}", "asks: {en: a, es: b, fr: c}", "none of our languages"},
		{"an id that is none", "id: i", "id: I i", "lower-case words"},
		{"an id twice", "id: i", "id: d", "d is there twice"},
		{"a level too few", "          - {means: {en: a, es: b}, next: {en: a, es: b}}\n", "", "there are 3"},
		{"from nowhere", "cause: data", "cause: data\n        from: people", "is not data"},
		{"from data without a rule", "cause: data", "cause: data\n        from: data", "has a rule"},
		{
			"thresholds out of order", "cause: data",
			"cause: data\n        from: data\n        rule: {figure: data-age, unit: hours, at: [1, 3, 2], says: {en: a, es: b}, because: {en: a, es: b}}",
			"not in the order",
		},
		{
			"a figure that is none", "cause: data",
			"cause: data\n        from: data\n        rule: {figure: luck, unit: hours, at: [1, 2, 3], says: {en: a, es: b}, because: {en: a, es: b}}",
			"is no figure",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(small, c.from, c.to, 1)
			_, err := readiness.Parse([]byte(text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Parse() = %v, want an error about %q", err, c.want)
			}
		})
	}
}
