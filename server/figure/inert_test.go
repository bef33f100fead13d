package figure_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

// pictures are those of a figure, as they are sent.
func pictures(t interface {
	Helper()
	Fatalf(string, ...any)
}, f figure.Figure, widths ...int,
) string {
	t.Helper()
	if f.Chart == nil {
		return ""
	}
	var b bytes.Buffer
	for _, width := range widths {
		if err := chart.SVG(&b, f.Chart, chart.Options{Width: width}); err != nil {
			t.Fatalf("chart.SVG of %s = %v", f.ID, err)
		}
	}
	return b.String()
}

// timely are all figures of this kind that can be made of months of results by a dimension; those of one
// result are made of the month of an index.
func timely(t interface {
	Helper()
	Fatalf(string, ...any)
}, s *figure.Teller, m figure.Measure, months []measure.Result, dimension string, at int,
) []figure.Figure {
	t.Helper()
	r, err := gap.Trend(months, "", dimension, gap.Options{})
	if err != nil {
		t.Fatalf("gap.Trend = %v", err)
	}
	figures := append(s.All(r, m), s.Gaps(r, m)...)
	c, err := gap.Compare(months[at], "", dimension, gap.Options{})
	if err != nil {
		t.Fatalf("gap.Compare = %v", err)
	}
	cross, err := s.Cross(months[at], dimension, m)
	if err != nil {
		t.Fatalf("Cross = %v", err)
	}
	figures = append(figures, s.Unknowns(months[at], c, m), s.Completeness(months[at], m), cross,
		s.Population(months[at], measure.Definition{ID: m.ID, Unit: m.Unit, Imported: true}, m))
	last := len(months) - 1
	months[last].Period = months[0].Period
	return append(figures, s.Changed(figure.Standing{Snapshot: "s-1", Results: months[:1]},
		figure.Standing{Snapshot: "s-2", Results: months[last:]}, []figure.Measure{m}))
}

// No sentence says why.
func TestNoSentenceNamesACause(t *testing.T) {
	t.Parallel()
	causes := regexp.MustCompile(`(?i)because|due to|leads? to|caus|thanks to|result(s|ed)? in|explain|` +
		`effect|impact|porque|debid|provoca|gracias a|a causa|conduce|efecto|impacto|explica|a raíz`)
	for _, tag := range words.Languages() {
		forms, err := words.Catalogue(tag, "time")
		if err != nil {
			t.Fatalf("words.Catalogue(%v) = %v", tag, err)
		}
		for key, form := range forms {
			if found := causes.FindString(form.One + " " + form.Other); found != "" {
				t.Errorf("%s says %q in %v", key, found, tag)
			}
		}
	}
}

// What is suppressed stands nowhere, and nothing that follows from it by subtraction.
func TestSuppressedFiguresStandNowhere(t *testing.T) {
	t.Parallel()
	s := speaks(t, language.English)
	m := interpreter(language.English)
	number := regexp.MustCompile(`[0-9][0-9,.]*`)
	rapid.Check(t, func(rt *rapid.T) {
		const n = 3
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		keys := []string{"english", "spanish", "chinese", "~missing", "~asked-declined"}
		hide := rapid.SampledFrom(keys).Draw(rt, "hidden")
		at := rapid.IntRange(0, 1).Draw(rt, "month")
		var secret, told []float64
		var months []measure.Result
		for i := range n {
			var strata []counts
			for j, key := range keys {
				c := coding(key)
				// Each is unlike any other, so that it is found wherever it stands.
				least := 20011 + 2003*(len(keys)*i+j)
				one := counts{c.Code, c.Label, c.State, 0, float64(least + random.IntN(1900))}
				one.events = float64(10007 + random.IntN(least-10010))
				if c.State == string(mapping.Known) {
					one.state = ""
				}
				strata = append(strata, one)
				if i == at && key == hide {
					secret = []float64{one.of, one.events, one.of - one.events}
				} else {
					told = append(told, one.of, one.events)
				}
			}
			r := resultOf(t, m, "language", strata...)
			r.Period = period(t, "2024-0"+string(rune('1'+i)))
			told = append(told, r.Groups[0].Populations[measure.Denominator], r.Groups[0].Populations[measure.Numerator])
			all := r.Groups[0].Strata["language"]
			if i == at {
				j := slices.Index(keys, hide)
				all[j].Cell, all[j].Share = measure.Cell{Suppressed: true}, nil
			}
			months = append(months, r)
		}
		if slices.ContainsFunc(secret, func(v float64) bool { return slices.Contains(told, v) }) {
			rt.Skip("what is suppressed is equal to what is told")
		}
		var written []string
		for _, v := range secret {
			written = append(written, s.N(v))
		}
		figures := timely(t, s, m, months, "language", at)
		drawn := rapid.IntRange(0, len(figures)-1).Draw(rt, "drawn")
		for i, f := range figures {
			shown := text(f)
			if i == drawn {
				shown += pictures(t, f, chart.Wide)
			}
			for _, found := range number.FindAllString(shown, -1) {
				if slices.Contains(written, strings.TrimRight(found, ",.")) {
					rt.Fatalf("%s shows %s, which is suppressed:\n%s", f.ID, found, text(f))
				}
			}
		}
	})
}

// key is that of a sentence that is not there.
var key = regexp.MustCompile(`\b(time|figure|group|population|state)\.[a-z][a-z.-]*`)

// sane fails where a text holds what is no text, or the key of a sentence in its place.
func sane(t *testing.T, what, text string) {
	t.Helper()
	if found := key.FindString(text); found != "" {
		t.Fatalf("%s says the key %s", what, found)
	}
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			t.Fatalf("%s holds %U", what, r)
		}
	}
}

// elements lists what elements a picture is made of, and fails where it is no XML.
func elements(t *testing.T, picture string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	d := xml.NewDecoder(strings.NewReader(picture))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("a picture is no XML: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok {
			found[e.Name.Local] = true
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" || a.Name.Local == "href" {
					t.Fatalf("a picture has the attribute %s", a.Name.Local)
				}
			}
		}
	}
}

// safeID is what stands in an address or the name of a file as it is.
var safeID = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,80}$`)

func FuzzLabels(f *testing.F) {
	for _, label := range []string{"North", `<script>alert(1)</script>`, "\u202eevil", `"><img src=x onerror=1>`, "a\x00b",
		"../../etc/passwd", "=cmd()", "%[1]s %d %!", "{n}", strings.Repeat("é", 400), "\xff\xfe", ""} {
		f.Add(label)
	}
	english, spanish := speaks(f, language.English), speaks(f, language.Spanish)
	f.Fuzz(func(t *testing.T, label string) {
		for _, s := range []*figure.Teller{english, spanish} {
			m := interpreter(language.English)
			var months []measure.Result
			for i := range 3 {
				r := resultOf(t, m, "site", counts{"s-" + label, label, "", 40 + float64(i), 90},
					counts{label, label + "2", "", 35, 80}, counts{"", "", "missing", 3, 8})
				r.Period = period(t, "2024-0"+string(rune('1'+i)))
				r.Measure, r.Version, r.Snapshot = label, label, label
				months = append(months, r)
			}
			for _, one := range timely(t, s, m, months, "site", 0) {
				sane(t, one.ID, text(one))
				if !safeID.MatchString(one.ID) && one.ID != "cross-site" {
					t.Fatalf("the ID %q is not safe", one.ID)
				}
				picture := pictures(t, one, chart.Wide, chart.Narrow)
				sane(t, "the picture of "+one.ID, picture)
				found := elements(t, picture)
				if found["script"] || found["style"] || found["image"] || found["a"] {
					t.Fatalf("%s is made of %v", one.ID, found)
				}
			}
		}
	})
}
