package dashboard_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

// catalogued are the measures that the tests' worlds have.
func catalogued(t testing.TB) []measure.Definition {
	t.Helper()
	list, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// speaker says figures in a language.
func speaker(t testing.TB, lang string) *figure.Teller {
	t.Helper()
	for _, tag := range words.Languages() {
		if tag.String() == lang {
			w, err := words.New(tag, nil)
			if err != nil {
				t.Fatal(err)
			}
			return figure.New(w)
		}
	}
	t.Fatalf("there are no words in %s", lang)
	return nil
}

// example is the file that the catalogue shows to those who write one.
func example(t testing.TB, l *leaf) string {
	t.Helper()
	pre := all(l.root, atom.Pre)
	if len(pre) != 1 {
		t.Fatalf("%s holds %d examples", l.address, len(pre))
	}
	var out strings.Builder
	for n := range pre[0].Descendants() {
		if n.Type == html.TextNode {
			out.WriteString(n.Data)
		}
	}
	return out.String()
}

func TestTheExampleIsAMeasure(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	d, err := measure.ParseDefinition([]byte(example(t, r.open(t, "/measures"))))
	if err != nil {
		t.Fatal(err)
	}
	list, err := measure.Combine(catalogued(t), []measure.Definition{d})
	if err != nil {
		t.Fatal(err)
	}
	err = r.hold(func(s dashboard.Snapshot) error {
		e := measure.NewEngine(s.Facts(), list)
		if err := e.Check(t.Context()); err != nil {
			return err
		}
		result, err := e.Evaluate(t.Context(), measure.Question{Measure: d.ID, Period: period(t, "2025")})
		if err == nil && (result.Groups[0].Score == nil || *result.Groups[0].Score <= 0) {
			t.Error("the example counts nobody")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if spanish := d.Words("es"); spanish.Title == d.Title || spanish.Caution == d.Caution {
		t.Errorf("the example says nothing in Spanish: %v", spanish)
	}
}

func TestTheCatalogueHoldsEveryMeasure(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	for _, lang := range []string{"en", "es"} {
		l := r.open(t, "/measures?lang="+lang)
		l.sound()
		for _, d := range catalogued(t) {
			entry := l.part(d.ID)
			text := said(entry)
			want := []string{d.Words(lang).Title, d.Words(lang).Says, d.Words(lang).Caution, d.Source, d.Version, d.ID}
			for _, rate := range d.Rates() {
				want = append(want, rate.Words(lang).Says, rate.Words(lang).Caution)
				for _, sql := range rate.Populations {
					if sql != "true" {
						want = append(want, sql)
					}
				}
				for _, by := range rate.NotBy {
					want = append(want, speaker(t, lang).Words().Dimension(by))
				}
			}
			for _, sql := range d.Observe {
				want = append(want, sql)
			}
			for _, one := range want {
				if one = strings.Join(strings.Fields(one), " "); !strings.Contains(text, one) {
					t.Errorf("%s in %s does not say %q", d.ID, lang, one)
				}
			}
			links := (&leaf{t: t, root: entry}).links()
			if !slices.Contains(links, "/measures/"+d.ID+"?audience=internal&lang="+lang) ||
				!slices.Contains(links, "/fhir/Measure/"+d.ID) {
				t.Errorf("%s leads to %v", d.ID, links)
			}
		}
		if lang == "es" {
			l.resolves(r)
		}
	}
}

func TestTheCatalogueInSpanishHoldsNoEnglish(t *testing.T) {
	t.Parallel()
	l := newRig(t, madeUp).open(t, "/measures?lang=es")
	l.spanish()
}

// spanish checks that no word of a page is English, apart from what is somebody else's.
func (l *leaf) spanish() {
	l.t.Helper()
	for n := range l.root.Descendants() {
		if n.Type != html.TextNode || foreign(n) || n.Parent.DataAtom == atom.Code {
			continue
		}
		text := strings.NewReplacer("EquityLens", "", "FHIR MeasureReport", "", "FHIR Measure", "",
			"not_by", "").Replace(n.Data)
		if found := english.FindString(text); found != "" {
			l.t.Errorf("%s: %q in %q", l.address, found, text)
		}
	}
}

func TestTheCatalogueMarksWhatAnotherEngineCounts(t *testing.T) {
	t.Parallel()
	l := newRig(t, planted).open(t, "/measures")
	if len(all(l.root, atom.P, class("badge"))) != 1 {
		t.Error("the imported measure is not marked as one")
	}
	if len(all(l.root, atom.Script)) > 0 || len(all(l.part("vendor"), atom.Img)) > 0 ||
		strings.ContainsAny(l.body, "\u202e\u2066\x00") {
		t.Error("the title of an imported measure is not inert")
	}
}
