package dashboard_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html/atom"

	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

// shipped are the measures that come with the program.
func shipped(t testing.TB) []measure.Definition {
	t.Helper()
	list, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// teller says figures in a language.
func teller(t testing.TB, lang string) *figure.Teller {
	t.Helper()
	for _, tag := range words.Languages() {
		if base, _ := tag.Base(); base.String() == lang {
			w, err := words.New(tag, nil)
			if err != nil {
				t.Fatal(err)
			}
			return figure.New(w)
		}
	}
	t.Fatalf("there is no language %s", lang)
	return nil
}

// TestAMeasureByEveryDimension walks every measure that ships by every dimension, in both languages.
func TestAMeasureByEveryDimension(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	for i, d := range shipped(t) {
		t.Run(d.ID, func(t *testing.T) {
			t.Parallel()
			for j, by := range thinned(measure.Dimensions()) {
				rates := d.Rates()
				rate := rates[(i+j)%len(rates)].ID
				lang := []string{"en", "es"}[(i+j)%2]
				l := r.open(t, fmt.Sprintf("/measures/%s?by=%s&rate=%s&lang=%s", d.ID, by, rate, lang))
				l.sound()
				first := all(l.part("groups"), atom.P, class("saidfirst"))
				if len(first) != 1 || len(said(first[0])) < 20 {
					t.Errorf("%s does not begin with a sentence", l.address)
				}
			}
		})
	}
}

// released is a measure that is among what is made public of a year: of those that count some of the same
// people otherwise only one is.
func (r *rig) released(t testing.TB, year string) string {
	t.Helper()
	for _, d := range shipped(t) {
		asked := measure.Question{Measure: d.ID, Period: period(t, year), By: []string{"language"}}
		err := r.hold(func(s dashboard.Snapshot) error {
			_, err := s.Answer(t.Context(), asked, release.Public)
			return err
		})
		if err == nil {
			return d.ID
		}
	}
	t.Fatalf("nothing is public of %s", year)
	return ""
}

// TestTheTableOfAMeasure holds the table of the page against the engine, asked directly.
func TestTheTableOfAMeasure(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	public := r.released(t, "2025")
	for _, c := range []struct {
		name, measure, rate, by, period string
		where                           measure.Filter
		reference                       gap.Reference
		audience                        release.Audience
	}{
		{"a proportion", "interpreter-documented", "main", "language", "2025", nil, "", release.Internal},
		{"against the largest", "telehealth-share", "main", "age_band", "2025", nil, gap.Largest, release.Internal},
		{"against everybody", "readmission-30-day", "main", "race", "2025", nil, gap.Overall, release.Internal},
		{"against a group", "telehealth-share", "main", "sex", "2024", nil, "male", release.Internal},
		{"of a quarter", "ed-stay-over-8h", "main", "ethnicity", "2025-Q2", nil, "", release.Internal},
		{"a ratio", "harm-per-1000-days", "main", "language_group", "2025", nil, "", release.Internal},
		{"a median", "length-of-stay", "main", "race_ethnicity", "2025", nil, "", release.Internal},
		{"of some only", "telehealth-share", "main", "language", "2025",
			measure.Filter{"sex": {"female"}, "age_band": {"18-44", "45-64"}}, "", release.Internal},
		{"what is public", public, "", "language", "2025", nil, "", release.Public},
		{"about the dimension", "language-recorded", "main", "language", "2025", nil, "", release.Internal},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := url.Values{"by": {c.by}, "rate": {c.rate}, "period": {c.period},
				"reference": {string(c.reference)}, "audience": {string(c.audience)}}
			for key, values := range c.where {
				q["where."+key] = values
			}
			l := r.open(t, "/measures/"+c.measure+"?"+q.Encode())
			asked := measure.Question{
				Measure: c.measure, Period: period(t, c.period), By: []string{c.by}, Where: c.where,
			}
			if c.audience == release.Internal {
				asked.By = append(asked.By, gap.CrossesFor(asked.By)...)
			}
			result := r.ask(t, asked, c.audience)
			compared, err := gap.Compare(result, c.rate, c.by, gap.Options{Reference: c.reference})
			if err != nil {
				t.Fatal(err)
			}
			tell := teller(t, "en")
			list := shipped(t)
			d := list[slices.IndexFunc(list, func(d measure.Definition) bool { return d.ID == c.measure })]
			g := result.Groups[slices.IndexFunc(result.Groups, func(g measure.Group) bool {
				return g.ID == compared.Rate
			})]
			want := tell.Groups(compared, tell.MeasureOf(d, g))
			var cells [][]string
			for _, row := range want.Table.Rows {
				var line []string
				for _, cell := range row.Cells {
					line = append(line, strings.Join(strings.Fields(cell.Text+" "+cell.Note), " "))
				}
				cells = append(cells, line)
			}
			if diff := cmp.Diff(cells, rows(l.part("groups"))); diff != "" {
				t.Errorf("the table is not that of the engine (-engine +page):\n%s", diff)
			}
			if got := said(all(l.part("groups"), atom.P, class("saidfirst"))[0]); got != want.Sentences[0] {
				t.Errorf("the page begins with %q, want %q", got, want.Sentences[0])
			}
		})
	}
}

// TestWhereAMeasureLeads follows every link and sends every choice of a page.
func TestWhereAMeasureLeads(t *testing.T) {
	t.Parallel()
	public := newRig(t, madeUp).released(t, "2025")
	for name, address := range map[string]string{
		"as it opens":           "/measures/interpreter-documented",
		"with all that it has":  "/measures/telehealth-share?by=race_ethnicity&with=sex&where.site=org-main&reference=2106-3&group=2054-5",
		"what is public":        "/measures/" + public + "?by=language&audience=public",
		"of a measure about it": "/measures/real-completeness?by=race&rate=race",
		"in Spanish":            "/measures/length-of-stay?lang=es&by=site",
		"as it is printed":      "/measures/harm-per-1000-days?by=language&view=print",
		"with several races":    "/measures/telehealth-share?by=race&policy=alone_or_in_combination",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, madeUp)
			if name == "with all that it has" {
				sites := r.ask(t, measure.Question{Measure: "telehealth-share", Period: period(t, "2025"),
					By: []string{"site"}}, release.Internal).Groups[0].Strata["site"]
				address = strings.Replace(address, "org-main", sites[0].Code, 1)
			}
			l := r.open(t, address)
			l.sound()
			l.resolves(r)
		})
	}
}

func TestWhatAMeasureRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	for _, c := range []struct {
		name, query string
		status      int
		says        []string
	}{
		{"a measure that there is not", "/measures/none", http.StatusNotFound, nil},
		{"a rate that there is not", "/measures/length-of-stay?rate=x", http.StatusBadRequest, []string{"main"}},
		{"a dimension that there is not", "/measures/length-of-stay?by=colour", http.StatusBadRequest,
			[]string{"race_ethnicity", "age_band"}},
		{"a cross with what there is not", "/measures/length-of-stay?by=race*colour", http.StatusBadRequest,
			[]string{"race_ethnicity"}},
		{"a reference that there is not", "/measures/telehealth-share?by=sex&reference=x", http.StatusBadRequest,
			[]string{"best", "largest", "overall", "female"}},
		{"a group that there is not", "/measures/telehealth-share?by=sex&group=x", http.StatusBadRequest,
			[]string{"female", "male"}},
		{"a span that is none", "/measures/telehealth-share?span=soon", http.StatusBadRequest, []string{"2025-Q1"}},
		{"a period that is none", "/measures/telehealth-share?period=soon", http.StatusBadRequest,
			[]string{"2025-Q1"}},
		{"a filter by what there is not", "/measures/telehealth-share?where.colour=red", http.StatusBadRequest, nil},
		{"a parameter that there is not", "/measures/telehealth-share?kind=x", http.StatusBadRequest,
			[]string{"kind"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := r.get(c.query)
			if got.status != c.status {
				t.Fatalf("status %d, want %d", got.status, c.status)
			}
			text := said(tree(t, got.body))
			for _, says := range c.says {
				if !strings.Contains(text, says) {
					t.Errorf("it does not say %q: %s", says, text)
				}
			}
		})
	}
}

func TestAMeasureSaysWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	public := "/measures/" + r.released(t, "2025")
	for _, c := range []struct {
		name, address string
		says, not     []string
	}{
		{"a period without data", "/measures/telehealth-share?by=sex&period=2012",
			[]string{"no data", "There are no data of these months."}, nil},
		{"what is filtered", "/measures/telehealth-share?by=language&where.sex=female",
			[]string{"only Female", "only sex: Female"}, nil},
		{"the public has no months and no filters",
			public + "?by=language&where.sex=female&audience=public&with=sex",
			[]string{"no months, no filters", "Figures of months are not made public."},
			[]string{"only Female", "What the unknown could change"}},
		{"a month is not public", public + "?by=language&period=2025-03&audience=public",
			[]string{"No figures", "This is not part of what is made public.", "2025"}, []string{"Denominator"}},
		{"the measure is about it", "/measures/language-recorded?by=language",
			[]string{"Preferred language recorded"}, []string{"Compared with"}},
		{"a group that nobody is counted in",
			"/measures/telehealth-share?by=language&group=is&reference=eo",
			[]string{"Nobody of the group “Icelandic” is counted here.", "“Esperanto”"}, nil},
		{"two at once", "/measures/telehealth-share?by=race*sex", []string{"Two at once"}, nil},
		{"the dimension is chosen where none is", "/measures/telehealth-share", []string{"by "}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := r.open(t, c.address).text()
			for _, says := range c.says {
				if !strings.Contains(text, says) {
					t.Errorf("%s does not say %q: %s", c.address, says, text)
				}
			}
			for _, not := range c.not {
				if strings.Contains(text, not) {
					t.Errorf("%s says %q", c.address, not)
				}
			}
		})
	}
}

// TestThePrintOfAMeasure: what is printed is the first part, with its table, and nothing behind a word.
func TestThePrintOfAMeasure(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	l := r.open(t, "/measures/interpreter-documented?by=language&view=print")
	l.sound()
	if n := len(all(l.root, atom.Form)) + len(all(l.root, atom.Details)); n > 0 {
		t.Errorf("%d forms and folded parts are printed", n)
	}
	if n := len(all(l.root, atom.Section)); n != 2 {
		t.Errorf("%d parts, want the groups and where they come from", n)
	}
	whole := r.open(t, "/measures/interpreter-documented?by=language")
	if diff := cmp.Diff(rows(whole.part("groups")), rows(l.part("groups"))); diff != "" {
		t.Errorf("the print holds other figures (-page +print):\n%s", diff)
	}
	if !slices.Contains(whole.links(), l.address) && !slices.ContainsFunc(whole.links(), func(a string) bool {
		return strings.Contains(a, "view=print") && r.get(a).status == http.StatusOK
	}) {
		t.Error("the page does not lead to its print")
	}
	for _, n := range all(whole.root, atom.Section, class("part")) {
		if attribute(n, "id") != "groups" && !class("beyond")(n) {
			t.Errorf("the part %s is printed too", attribute(n, "id"))
		}
	}
}

// TestTheGroupOfAMeasure: all that is told of one group is of the group that is asked for, against the
// reference that is.
func TestTheGroupOfAMeasure(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	l := r.open(t, "/measures/telehealth-share?by=race_ethnicity&group=2054-5&reference=2106-3")
	for _, id := range []string{"gap-2054-5", "time-2054-5", "sites"} {
		if text := said(l.part(id)); !strings.Contains(text, "Black or African American") {
			t.Errorf("the part %s is not about the group: %s", id, text)
		}
	}
	compare := ""
	for _, href := range l.links() {
		if strings.HasPrefix(href, dashboard.ComparePath+"?") && strings.Contains(href, "kind=groups") {
			compare = href
		}
	}
	u, err := url.Parse(compare)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{u.Query().Get("measure"), u.Query().Get("a"), u.Query().Get("b"), u.Query().Get("by")}
	if diff := cmp.Diff([]string{"telehealth-share", "2054-5", "2106-3", "race_ethnicity"}, got); diff != "" {
		t.Errorf("the page leads to another comparison (-want +got):\n%s", diff)
	}
}

// TestAnImportedMeasure: it opens with the period that was imported, and of another it says which there are.
func TestAnImportedMeasure(t *testing.T) {
	t.Parallel()
	r := newRig(t, planted)
	l := r.open(t, "/measures/vendor?by=language")
	l.sound()
	if got := rows(l.part("groups")); len(got) < 4 || got[0][1] != "967" {
		t.Errorf("the table does not count all of the import: %q", got)
	}
	if text := l.text(); !strings.Contains(text, "not month by month") {
		t.Errorf("the page does not say why there are no months: %s", text)
	}
	other := r.open(t, "/measures/vendor?by=language&period=2024")
	other.sound()
	if text := said(other.part("refused")); !strings.Contains(text, "not for this period") {
		t.Errorf("the page says %q", text)
	}
	links := all(other.part("refused"), atom.A)
	if len(links) != 1 || !strings.Contains(attribute(links[0], "href"), "period=2025") {
		t.Errorf("the page leads to %d periods", len(links))
	}
	other.resolves(r)
}
