package figure_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

// constants lists the values of the string constants of a type in a file.
func constants(t *testing.T, file, of string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatalf("parse %s: %v", file, err)
	}
	var values []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == of {
			for _, v := range spec.Values {
				text, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatalf("a constant of %s: %v", file, err)
				}
				if text != "" {
					values = append(values, text)
				}
			}
		}
		return true
	})
	if len(values) == 0 {
		t.Fatalf("%s has no constants of type %s", file, of)
	}
	return values
}

// TestEveryReasonHasWords proves that what the packages below can say has words here.
func TestEveryReasonHasWords(t *testing.T) {
	t.Parallel()
	const gaps, stats = "../../measure/gap/", "../../measure/stat/"
	var keys []string
	add := func(family string, values []string) {
		for _, v := range values {
			keys = append(keys, family+"."+v)
		}
	}
	reasons := constants(t, gaps+"reason.go", "Reason")
	add("figure.refused", reasons)
	add("figure.cell", reasons)
	add("figure.why", constants(t, stats+"reliability.go", "Reason"))
	add("figure.reliability", constants(t, stats+"reliability.go", "Reliability"))
	add("figure.layer", gap.LayerDimensions())
	add("figure.parts", gap.LayerDimensions())
	for _, a := range measure.Aggregates() {
		keys = append(keys, "figure.aggregate."+string(a))
	}
	for _, u := range []measure.Unit{measure.PatientUnit, measure.EncounterUnit, measure.StayUnit, measure.EventUnit} {
		keys = append(keys, "figure.counted."+string(u))
	}
	for _, s := range []gap.Standard{gap.Own, gap.US2000} {
		keys = append(keys, "figure.same-ages."+string(s), "figure.same-ages.alike."+string(s), "figure.note.standard."+string(s))
	}
	for _, tag := range words.Languages() {
		w := speaks(t, tag).Words()
		for _, key := range keys {
			if !w.Has(key) {
				t.Errorf("%s is not in %v", key, tag)
			}
		}
	}
}

// TestWordsNameNoCause proves that no sentence can say why, and that Spanish is Spanish.
func TestWordsNameNoCause(t *testing.T) {
	t.Parallel()
	causes := regexp.MustCompile(`(?i)because|due to|leads? to|caus|thanks to|results? (from|in)|explain|effect|` +
		`impact|porque|debid|provoca|gracias a|a causa|conduce|efecto|impacto|explica|a raíz|ocasiona|consecuencia`)
	place := regexp.MustCompile(`%\[\d\]s`)
	english, err := words.Catalogue(language.English, "figure")
	if err != nil {
		t.Fatal(err)
	}
	spanish, err := words.Catalogue(language.Spanish, "figure")
	if err != nil {
		t.Fatal(err)
	}
	for key, en := range english {
		es := spanish[key]
		for _, text := range []string{en.One, en.Other, es.One, es.Other} {
			if found := causes.FindString(text); found != "" {
				t.Errorf("%s says %q", key, found)
			}
		}
		if left := place.ReplaceAllString(en.Other, ""); en.Other == es.Other && regexp.MustCompile(`\pL{2}`).MatchString(left) {
			t.Errorf("%s is the same in both languages: %q", key, en.Other)
		}
	}
}

// random draws a comparison by language, of either scoring.
func random(t *testing.T, rt *rapid.T, tag language.Tag) (figure.Measure, gap.Comparison) {
	t.Helper()
	m := interpreter(tag)
	if rapid.Bool().Draw(rt, "rate") {
		m = harm(tag)
	}
	m.Improvement = rapid.SampledFrom([]measure.Improvement{measure.Increase, measure.Decrease, measure.Context}).
		Draw(rt, "improvement")
	codes := []string{"en", "es", "zh", "so", "vi"}
	var strata []counts
	for _, code := range codes[:rapid.IntRange(1, len(codes)).Draw(rt, "groups")] {
		of := rapid.SampledFrom([]int{0, 7, 30, 61, 400, 5003}).Draw(rt, code)
		strata = append(strata, counts{code, code, "", float64(rapid.IntRange(0, of).Draw(rt, code+" events")), float64(of)})
	}
	for _, state := range []mapping.State{mapping.Missing, mapping.AskedDeclined} {
		of := rapid.SampledFrom([]int{0, 3, 90}).Draw(rt, string(state))
		strata = append(strata, counts{"", "", string(state), float64(of / 3), float64(of)})
	}
	r := resultOf(t, m, "language", strata...)
	all := 0.0
	for _, s := range strata {
		all += s.of
	}
	if all == 0 {
		for i := range r.Groups[0].Strata["language"] {
			r.Groups[0].Strata["language"][i].Share = nil
		}
	}
	o := gap.Options{Reference: rapid.SampledFrom([]gap.Reference{gap.Best, gap.Largest, gap.Overall}).Draw(rt, "reference")}
	return m, compare(t, r, "language", o)
}

// everything that is made of a comparison, as its readers see it.
func everything(t *testing.T, s *figure.Teller, m figure.Measure, c gap.Comparison) string {
	t.Helper()
	bySite := c
	bySite.Dimension = mapping.DimensionSite
	var out strings.Builder
	for _, f := range []figure.Figure{
		s.Groups(c, m), s.Funnel(bySite, m),
		s.Heat("language", []figure.Told{{Comparison: c, Measure: m}}),
	} {
		out.WriteString(text(f))
		out.WriteString(pictures(t, f))
	}
	return out.String()
}

// TestHiddenFiguresChangeNothing proves that a figure that is marked as suppressed enters nothing,
// not even an axis: whatever it is, the same is said and drawn.
func TestHiddenFiguresChangeNothing(t *testing.T) {
	t.Parallel()
	s := speaks(t, language.English)
	rapid.Check(t, func(rt *rapid.T) {
		m, c := random(t, rt, language.English)
		c.Reference, c.GapsRefused = nil, &gap.Refused{Reason: gap.Hidden}
		hidden := rapid.IntRange(0, len(c.Groups)-1).Draw(rt, "hidden")
		all := rapid.Bool().Draw(rt, "everybody")
		with := func(n float64) gap.Comparison {
			out := c
			out.Groups = slices.Clone(c.Groups)
			hide := func(one *gap.Compared) {
				score, events, share := n/10007*m.Per, n, n/20011
				one.Suppressed, one.N, one.Score, one.Events, one.Share = true, n*3, &score, &events, &share
				one.Interval = &[2]float64{score / 2, score * 2}
				one.Gap, one.Reliability, one.Why = nil, "unreliable", "few-units"
			}
			hide(&out.Groups[hidden])
			if all {
				hide(&out.All)
			}
			return out
		}
		first, second := everything(t, s, m, with(17)), everything(t, s, m, with(9001))
		if diff := cmp.Diff(first, second); diff != "" {
			rt.Fatalf("a hidden figure is seen:\n%s", diff)
		}
	})
}

// written are the forms in which a number of a comparison may stand.
func written(s *figure.Teller, c gap.Comparison) map[string]bool {
	allowed := map[string]bool{"2025": true}
	add := func(v float64) {
		for d := range 4 {
			for _, times := range []float64{1, 100} {
				allowed[s.Words().Number(math.Abs(times*v), d)] = true
			}
		}
	}
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Float64:
			add(v.Float())
		case reflect.Int:
			add(float64(v.Int()))
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[measure.Period]() || v.Type().PkgPath() == "time" {
				return
			}
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		case reflect.Slice, reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		default:
		}
	}
	walk(reflect.ValueOf(c))
	// How many there are of something, the level of intervals, and the bounds that notes name.
	for n := range len(c.Groups) + 3 {
		add(float64(n))
	}
	for _, v := range []float64{95, 99.8, 100, 1000, 30, 20, 500, 5, 0.05, 0.001} {
		add(v)
	}
	unknown := 0.0
	for _, one := range c.Groups {
		if one.State != string(mapping.Known) && one.Share != nil {
			unknown += *one.Share
		}
	}
	add(unknown)
	return allowed
}

// TestNumbersAreThoseOfTheInput proves that no sentence and no cell holds a number that the
// comparison does not.
func TestNumbersAreThoseOfTheInput(t *testing.T) {
	t.Parallel()
	number := regexp.MustCompile(`\d[\d,]*(\.\d+)?`)
	tellers := map[language.Tag]*figure.Teller{}
	for _, tag := range words.Languages() {
		tellers[tag] = speaks(t, tag)
	}
	rapid.Check(t, func(rt *rapid.T) {
		tag := rapid.SampledFrom(words.Languages()).Draw(rt, "language")
		s := tellers[tag]
		m, c := random(t, rt, tag)
		allowed := written(s, c)
		for _, f := range []figure.Figure{s.Groups(c, m), s.Heat("language", []figure.Told{{Comparison: c, Measure: m}})} {
			for _, found := range number.FindAllString(text(f), -1) {
				if !allowed[strings.TrimRight(found, ",")] {
					rt.Fatalf("%s holds %s, which is not in the comparison:\n%s", f.ID, found, text(f))
				}
			}
		}
	})
}

// TestUnknownSharesAddUp proves that the parts of those of no known group are what they are said to
// be together.
func TestUnknownSharesAddUp(t *testing.T) {
	t.Parallel()
	m := interpreter(language.English)
	r := resultOf(t, m, "language", counts{"es", "Spanish", "", 30, 60}, counts{"zh", "Chinese", "", 11, 31},
		counts{"", "", "missing", 1, 4}, counts{"", "", "unknown", 1, 3}, counts{"", "", "asked-declined", 1, 2})
	f := speaks(t, language.English).Groups(compare(t, r, "language", gap.Options{}), m)
	want := "Of 100 in the measure, 9 have no known preferred language (Not recorded: 4; Unknown: 3; Asked, declined " +
		"to answer: 2) and are compared with nobody."
	if last := f.Sentences[len(f.Sentences)-1]; last != want {
		t.Errorf("it says %q, want %q", last, want)
	}
	r.Groups[0].Strata["language"][3].Cell = measure.Cell{Suppressed: true}
	r.Groups[0].Strata["language"][3].Share = nil
	f = speaks(t, language.English).Groups(compare(t, r, "language", gap.Options{}), m)
	want = "Of 100 in the measure, at least 6 have no known preferred language (Not recorded: 4; Asked, declined to " +
		"answer: 2; others are suppressed) and are compared with nobody."
	if last := f.Sentences[len(f.Sentences)-1]; last != want {
		t.Errorf("it says %q, want %q", last, want)
	}
}

// TestSuppressedNoDataAndZeroDiffer proves that the three are three.
func TestSuppressedNoDataAndZeroDiffer(t *testing.T) {
	t.Parallel()
	m := interpreter(language.English)
	r := resultOf(t, m, "language", counts{"en", "English", "", 50, 100}, counts{"es", "Spanish", "", 0, 100},
		counts{"zh", "Chinese", "", 0, 0}, counts{"so", "Somali", "", 5, 11})
	r.Groups[0].Strata["language"][3].Cell = measure.Cell{Suppressed: true}
	f := speaks(t, language.English).Groups(compare(t, r, "language", gap.Options{}), m)
	var got []string
	for _, row := range f.Table.Rows[2:] {
		got = append(got, fmt.Sprint(row.Cells[1].Text, " ", row.Cells[3].Text, " ", row.Cells[4].Text, " ", row.Kind))
	}
	want := []string{"100 0 0 to 4 ", "0 no data  ", "suppressed suppressed suppressed suppressed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func FuzzPlaces(f *testing.F) {
	for _, label := range []string{"North", `<script>alert(1)</script>`, "\u202eevil", `"><img src=x onerror=1>`,
		"a\x00b", "=cmd()", "%[1]s %d %!", "{n}", strings.Repeat("é", 400), "\xff\xfe", "", "a*b × c"} {
		f.Add(label)
	}
	english, spanish := speaks(f, language.English), speaks(f, language.Spanish)
	f.Fuzz(func(t *testing.T, label string) {
		for _, s := range []*figure.Teller{english, spanish} {
			m := interpreter(language.English)
			m = s.MeasureOf(measure.Definition{ID: label, Title: label, Imported: true},
				measure.Group{ID: "main", Title: label, Scoring: m.Scoring, Improvement: m.Improvement, Per: 1})
			m.ID = label
			r := crossedWith(t, m, "language", "site",
				[]counts{{"es", "Spanish", "", 300, 800}, {"zh", "Chinese", "", 500, 800}},
				map[string][]counts{
					"es": {{"n", label, "", 100, 400}, {label + "s", label, "", 200, 400}},
					"zh": {{"n", label, "", 250, 400}, {label + "s", label, "", 250, 400}},
				})
			r.Measure, r.Version, r.Snapshot = label, label, label
			c := compare(t, r, "language", gap.Options{})
			for _, one := range []figure.Figure{
				s.Groups(c, m), s.Sites(r, c, "", m), s.Funnel(compare(t, r, "site", gap.Options{}), m),
				s.Groups(compare(t, r, "site", gap.Options{}), m),
				s.Heat("language", []figure.Told{{Comparison: c, Measure: m}}),
			} {
				sane(t, one.ID, text(one))
				found := elements(t, pictures(t, one))
				if found["script"] || found["style"] || found["image"] || found["a"] {
					t.Fatalf("%s is made of %v", one.ID, found)
				}
			}
		}
	})
}
