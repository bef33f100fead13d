package dashboard_test

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
)

// everything asks all measures by all dimensions.
func everything(t testing.TB, r *rig, year string) []measure.Result {
	t.Helper()
	var out []measure.Result
	for _, d := range catalogued(t) {
		out = append(out, r.ask(t, measure.Question{
			Measure: d.ID, Period: period(t, year), By: measure.Dimensions(),
		}, release.Internal))
	}
	return out
}

// titled is a gap, and what its rate is called.
type titled struct {
	gap.Gap
	title   string
	counted bool
}

// likely are the gaps by who people are of which chance is no likely reason, found without the page.
func likely(t testing.TB, results []measure.Result) []titled {
	t.Helper()
	gaps, err := gap.Of(results, gap.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out []titled
	for _, g := range gaps {
		for _, d := range catalogued(t) {
			for _, rate := range d.Rates() {
				if d.ID != g.Measure || rate.ID != g.Rate || rate.Improvement == measure.Context || !g.Clear ||
					g.Q != nil && *g.Q > 0.05 || g.Reliability == "unreliable" ||
					!slices.Contains([]string{"race_ethnicity", "language", "interpreter_need", "sex"}, g.Dimension) {
					continue
				}
				out = append(out, titled{g, rate.Words("en").Title,
					d.Scoring != measure.ContinuousVariable && g.Affected >= 1})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b titled) int {
		switch {
		case a.counted == b.counted:
			return 0
		case a.counted:
			return -1
		}
		return 1
	})
	return out
}

func TestTheOverviewListsTheLargestGaps(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	found := likely(t, everything(t, r, "2025"))
	l := r.open(t, "/")
	lead := said(all(l.root, atom.P, class("leadin"))[0])
	if want := fmt.Sprintf("In 2025, there are %d gaps", len(found)); !strings.HasPrefix(lead, want) {
		t.Errorf("the page begins with %q, want %q", lead, want)
	}
	var want []titled
	for _, g := range found {
		same := func(other titled) bool { return other.title == g.title }
		if len(want) < 5 && !slices.ContainsFunc(want, same) {
			want = append(want, g)
		}
	}
	shown := all(l.root, atom.Li, class("finding"))
	if len(shown) != len(want) || len(shown) < 3 {
		t.Fatalf("%d gaps are listed, want %d", len(shown), len(want))
	}
	for i, g := range want {
		link := (&leaf{t: t, root: shown[i]}).links()[0]
		to, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		q := to.Query()
		got := []string{to.Path, q.Get("by"), q.Get("group"), q.Get("period")}
		if diff := cmp.Diff([]string{"/measures/" + g.Measure, g.Dimension, g.Code, "2025"}, got); diff != "" {
			t.Errorf("finding %d leads to %s (-want +got):\n%s", i+1, link, diff)
		}
		text := said(shown[i])
		if g.counted && !strings.Contains(text, fmt.Sprintf("(at least %d)", int(math.Round(g.AtLeast)))) {
			t.Errorf("finding %d does not say that at least %v are affected: %s", i+1, g.AtLeast, text)
		}
		for _, part := range []string{g.title, "clear of chance"} {
			if !strings.Contains(text, part) {
				t.Errorf("finding %d does not say %q: %s", i+1, part, text)
			}
		}
		if len(all(shown[i], atom.Svg)) != 1 {
			t.Errorf("finding %d has no picture of its months", i+1)
		}
	}
}

// TestTheMapIsWhatTheEngineSays holds each cell of the map against a comparison made without the page.
func TestTheMapIsWhatTheEngineSays(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	tell := speaker(t, "en")
	for _, by := range []string{"race_ethnicity", "language", "site"} {
		l := r.open(t, "/?period=2025&by="+by)
		table := all(l.part("overview"), atom.Table)[0]
		var columns []string
		for _, head := range all(all(table, atom.Thead)[0], atom.Th) {
			columns = append(columns, said(head))
		}
		lines, i, cells := rows(l.part("overview")), 0, 0
		for _, result := range everything(t, r, "2025") {
			for _, g := range result.Groups {
				c, err := gap.Compare(result, g.ID, by, gap.Options{})
				if err != nil {
					t.Fatal(err)
				}
				m := tell.MeasureOf(definition(t, result.Measure), g)
				line := lines[i]
				i++
				for _, group := range c.Groups {
					at := slices.Index(columns, tell.Words().Group(by, measure.Coding{
						Code: group.Code, State: group.State, Label: group.Label,
					}))
					if at < 0 || group.Gap == nil {
						continue
					}
					cells++
					want := tell.Difference(m, group.Gap.Difference, group.Gap.Interval)
					if !strings.HasPrefix(line[at], want+" ") && line[at] != want {
						t.Errorf("%s by %s: %s is %q, want %q", line[0], by, columns[at], line[at], want)
					}
				}
			}
		}
		if i != len(lines) || cells < 10 {
			t.Errorf("by %s %d rows were compared of %d, and %d cells", by, i, len(lines), cells)
		}
	}
}

func definition(t testing.TB, id string) measure.Definition {
	t.Helper()
	for _, d := range catalogued(t) {
		if d.ID == id {
			return d
		}
	}
	t.Fatalf("no measure is called %s", id)
	return measure.Definition{}
}

func TestTheOverviewLeadsSomewhere(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	for _, address := range []string{"/", "/?audience=public"} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			l := r.open(t, address)
			l.sound()
			// The map leads to a page for each of its cells, and the form to one for each of many periods:
			// some of them are followed.
			var few []*html.Node
			for n := range l.part("overview").Descendants() {
				if n.DataAtom == atom.Td {
					drop(n, address)
				}
			}
			for i, o := range all(l.part("choice-period"), atom.Option) {
				if i > 1 && !has(o, "selected") {
					few = append(few, o)
				}
			}
			for _, o := range few {
				o.Parent.RemoveChild(o)
			}
			l.resolves(r)
		})
	}
	for _, address := range []string{
		"/?lang=es&by=site", "/?period=2025-11&reference=overall", "/?period=2024-12-15/2025-02-15&by=sex",
		"/?policy=ncqa_separate&by=race_ethnicity", "/?policy=spd15_2024&by=race", "/?reference=en&by=language",
		"/?period=2026",
		"/?audience=public&policy=spd15_2024", "/?audience=public&period=2025-Q1", "/?audience=public&by=site",
	} {
		r.open(t, address).sound()
	}
}

// drop takes the links from most cells.
func drop(cell *html.Node, seed string) {
	at := len(seed)
	for n := cell; n != nil; n = n.PrevSibling {
		at++
	}
	for n := cell.Parent; n != nil; n = n.PrevSibling {
		at += 3
	}
	const kept = 23
	for _, a := range all(cell, atom.A) {
		if at%kept != 0 {
			a.Attr = []html.Attribute{{Key: "href", Val: "/account"}}
		}
	}
}

func TestWhatTheOverviewRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	for _, c := range []struct{ name, address, want string }{
		{"a dimension that there is not", "/?by=shoe", "race_ethnicity"},
		{"a cross", "/?by=race*sex", "want one of"},
		{"a reference that there is not", "/?reference=klingon", "best, largest, overall"},
		{"a filter", "/?where.sex=female", "can be filtered"},
		{"a period that is none", "/?period=soon", "2025-Q1"},
		{"a parameter that there is not", "/?zoom=3", "zoom"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := r.get(c.address)
			text := said(tree(t, got.body))
			if got.status != http.StatusBadRequest || !strings.Contains(text, c.want) {
				t.Errorf("status %d, want 400 and %q: %s", got.status, c.want, text)
			}
		})
	}
}

func TestAPeriodWithoutAnybodySaysSo(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	for _, c := range []struct{ address, want string }{
		{"/?period=1999", "There are no figures of 1999."},
		{"/?period=1999&lang=es", "No hay cifras de 1999."},
		{"/?period=2026&audience=public", "Nothing of 2026 has been made public"},
		{"/?period=2025-03&audience=public", "Nothing of March 2025 has been made public"},
	} {
		l := r.open(t, c.address)
		l.sound()
		if text := l.text(); !strings.Contains(text, c.want) || l.id("overview") != nil ||
			len(all(l.root, atom.Form)) != 1 {
			t.Errorf("%s: want %q and a form: %s", c.address, c.want, text)
		}
	}
}

func TestTheOverviewInSpanishHoldsNoEnglish(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	for _, address := range []string{"/?lang=es", "/?lang=es&by=site&policy=spd15_2024", "/?lang=es&audience=public"} {
		r.open(t, address).spanish()
	}
}

func TestHostileNamesAreInertOnTheOverview(t *testing.T) {
	t.Parallel()
	r := newRig(t, planted)
	for _, address := range []string{"/?by=site", "/?by=language", "/?by=site&lang=es", "/?audience=public&by=site"} {
		l := r.open(t, address)
		if !strings.Contains(l.text(), "HYPERLINK") && address == "/?by=site" {
			t.Error("the hostile name is not on the page, so that nothing was tried")
		}
		if len(all(l.root, atom.Script)) > 0 || strings.ContainsAny(l.body, "\u202e\u2066\x00") {
			t.Errorf("%s: a name of a site is not inert", address)
		}
	}
}

// The page says what the snapshot before this one said: that is of a month before.
func TestTheOverviewSaysWhatChanged(t *testing.T) {
	t.Parallel()
	l := newRig(t, madeUp).open(t, "/")
	if text := said(l.part("change")); !strings.Contains(text, "January 1, 2026") {
		t.Errorf("what changed is not held against the data of January 1: %s", text)
	}
	lines := rows(l.part("fresh"))
	if len(lines) != 3 || !slices.ContainsFunc(lines, func(line []string) bool {
		return slices.Contains(line, "Patients") && slices.Contains(line, "complete")
	}) {
		t.Errorf("the loads are %v", lines)
	}
	if text := said(newRig(t, planted).open(t, "/").part("change")); !strings.Contains(text, "no earlier snapshot") {
		t.Errorf("a first snapshot is held against %s", text)
	}
}

// TestWhatIsHiddenIsOnNoOverview holds the public page against the release: a figure that it hides is a word
// there, and a gap that rests on one is absent.
func TestWhatIsHiddenIsOnNoOverview(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	tell := speaker(t, "en")
	hidden := 0
	for _, by := range []string{"race_ethnicity", "language", "site"} {
		l := r.open(t, "/?audience=public&period=2025&by="+by)
		table := all(l.part("overview"), atom.Table)[0]
		heads := all(all(table, atom.Thead)[0], atom.Th)
		lines, i := rows(l.part("overview")), 0
		for _, d := range catalogued(t) {
			var result measure.Result
			var err error
			_ = r.hold(func(s snapshot) error {
				result, err = s.Answer(t.Context(), measure.Question{
					Measure: d.ID, Period: period(t, "2025"), By: []string{by},
				}, release.Public)
				return nil
			})
			if err != nil {
				continue // It is withheld.
			}
			for _, g := range result.Groups {
				line := lines[i]
				i++
				for at, head := range heads[1:] {
					for _, s := range g.Strata[by] {
						if !s.Suppressed || tell.Words().Stratum(by, s) != said(head) {
							continue
						}
						if hidden++; line[at+1] != "suppressed" {
							t.Errorf("%s of %s by %s is hidden, and the page says %q", said(head), line[0], by, line[at+1])
						}
					}
				}
			}
		}
		if i != len(lines) {
			t.Errorf("by %s %d rows were compared of %d", by, i, len(lines))
		}
	}
	if hidden == 0 {
		t.Error("nothing is hidden, so that nothing was tried")
	}
}
