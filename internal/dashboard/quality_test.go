package dashboard_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html/atom"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/store/facts"
)

// qualityOf is how good the data of a world are, as the store has it.
func qualityOf(t testing.TB, w *world) (q facts.Quality, codes []facts.Issue, sites map[string]string) {
	t.Helper()
	err := w.hold(func(s dashboard.Snapshot) (err error) {
		if q, err = s.Facts().Quality(t.Context()); err != nil {
			return err
		}
		sites = s.Facts().Sites
		codes, _, err = s.Facts().Issues(t.Context(), facts.IssueFilter{Kinds: []mapping.IssueKind{mapping.UnmappedCode}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return q, codes, sites
}

// number reads a count as English writes it, without what stands behind it.
func number(t testing.TB, cell string) int64 {
	t.Helper()
	text, _, _ := strings.Cut(cell, " ")
	n, err := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, 64)
	if err != nil {
		t.Fatalf("%q is no count", cell)
	}
	return n
}

// TestWhatIsOnRecordAddsUp holds the tables against the rows of the store, and the parts against the whole.
func TestWhatIsOnRecordAddsUp(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp, role.Engineer)
	quality, _, sites := qualityOf(t, r.world)
	fields := []string{"race", "ethnicity", "language", "interpreter_need", "sex"}
	keys := []string{""}
	for _, c := range quality.Completeness {
		if !slices.Contains(keys, c.Site) {
			keys = append(keys, c.Site)
		}
	}
	if len(keys) < 3 || len(sites) == 0 {
		t.Fatalf("the sites are %v, so that nothing is under test", keys)
	}
	for _, site := range keys {
		page := r.open(t, "/quality?field=race&"+url.Values{"site": {site}}.Encode())
		page.sound()
		table := rows(page.part("completeness"))
		for i, field := range fields {
			total := int64(0)
			for j, state := range mapping.States() {
				want := int64(0)
				for _, c := range quality.Completeness {
					if c.Field == field && c.State == state && (site == "" || c.Site == site) {
						want += c.People
					}
				}
				total += want
				if got := number(t, table[i][3+j]); got != want {
					t.Errorf("site %q: %s %s: %d, want %d", site, field, state, got, want)
				}
			}
			if got := number(t, table[i][1]); got != total {
				t.Errorf("site %q: %s: %d in all, want %d", site, field, got, total)
			}
		}
		if site != "" {
			if page.id("completeness-site") != nil {
				t.Errorf("one site is shown by site")
			}
			continue
		}
		bySite := rows(page.part("completeness-site"))
		last := bySite[len(bySite)-1]
		for column := 1; column < len(last); column++ {
			if column == 2 {
				continue // Of 100.
			}
			sum := int64(0)
			for _, row := range bySite[:len(bySite)-1] {
				sum += number(t, row[column])
			}
			if whole := number(t, last[column]); sum != whole || whole != number(t, table[0][column]) {
				t.Errorf("column %d: the sites add up to %d, the whole is %s, the field %s", column, sum,
					last[column], table[0][column])
			}
		}
	}
}

func TestTheDataPageLeadsSomewhere(t *testing.T) {
	t.Parallel()
	for _, who := range []role.Role{role.Analyst, role.Engineer} {
		for _, address := range []string{"/quality", "/quality?lang=es&field=language"} {
			t.Run(string(who)+" at "+address, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, madeUp, who)
				page := r.open(t, address)
				page.sound()
				page.resolves(r)
			})
		}
	}
}

// TestAStateSaysWhatItCallsFor holds that a refusal is no fault, and that nobody having asked is one.
func TestAStateSaysWhatItCallsFor(t *testing.T) {
	t.Parallel()
	page := newRig(t, madeUp).open(t, "/quality")
	calls := rows(page.part("calls"))
	if len(calls) != len(mapping.States()) {
		t.Fatalf("%d states, want %d", len(calls), len(mapping.States()))
	}
	for _, row := range calls {
		switch {
		case row[0] == "Chose not to answer" && !strings.Contains(row[2], "no fault"),
			row[0] == "Recorded as unknown" && !strings.Contains(row[2], "not to have asked is a fault"):
			t.Errorf("%s calls for: %s", row[0], row[2])
		}
	}
}

func TestTheDataPageRefusesWhatThereIsNot(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	for address, says := range map[string]string{
		"/quality?source=nowhere":               "source: want one of",
		"/quality?site=nowhere":                 "site: want one of",
		"/quality?field=age_band":               "field: want one of race",
		"/quality?run=1":                        "",
		"/quality?where.sex=female":             "not filtered",
		"/quality?colour=red":                   "colour",
		"/quality?source=a&source=b":            "twice",
		"/quality?period=yesterday":             "period",
		"/quality/files/unmapped.json?source=x": "source: want one of",
	} {
		got := r.get(address)
		if says == "" {
			continue
		}
		if got.status != http.StatusBadRequest || !strings.Contains(got.body, says) {
			t.Errorf("%s: status %d, want 400 that says %q: %s", address, got.status, says, said(tree(t, got.body)))
		}
	}
	for _, path := range []string{"/quality/files/other.json", "/quality/files/figures.csv", "/quality/files/x.svg"} {
		if got := r.get(path); got.status != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, got.status)
		}
	}
}

// TestThePublicSeesSharesOfAReleaseAlone holds what everybody may see against the release.
func TestThePublicSeesSharesOfAReleaseAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	page := r.open(t, "/quality?audience=public&period=2025")
	page.sound()
	page.resolves(r)
	want := r.ask(t, measure.Question{
		Measure: "real-completeness", Period: period(t, "2025"),
	}, release.Public)
	table := rows(page.part("published"))
	if len(table) != len(want.Groups) || len(table) != 4 {
		t.Fatalf("%d fields, want %d", len(table), len(want.Groups))
	}
	for i, g := range want.Groups {
		if g.Score == nil {
			t.Fatalf("%s has no score, so that nothing is under test", g.ID)
		}
		got, err := strconv.ParseFloat(table[i][1], 64)
		if err != nil || got < 100**g.Score-0.5 || got > 100**g.Score+0.5 {
			t.Errorf("%s: %s of 100, want %.3f", g.ID, table[i][1], 100**g.Score)
		}
	}
	for _, id := range []string{"completeness", "codes", "issues", "loose", "loads", "runs", "run"} {
		if page.id(id) != nil {
			t.Errorf("the public is shown %s", id)
		}
	}
	if len(all(page.root, atom.Script)) > 0 {
		t.Error("the public is given a script")
	}
	for _, more := range []string{"source=x", "site=x", "run=x"} {
		asked := r.open(t, "/quality?audience=public&period=2025&"+more)
		if !strings.Contains(asked.text(), "nothing is public: this is of all") {
			t.Errorf("with %s the public is told: %s", more, asked.text())
		}
	}
	none := r.open(t, "/quality?audience=public&period=2026")
	if !strings.Contains(none.text(), "nothing about the data has been made public") {
		t.Errorf("of 2026 the public is told: %s", none.text())
	}
}

// TestTheDataPageIsSpanish looks for English words in the Spanish page, but for what stands as English.
func TestTheDataPageIsSpanish(t *testing.T) {
	t.Parallel()
	page := newRig(t, madeUp, role.Engineer).open(t, "/quality?lang=es")
	for n := range page.root.Descendants() {
		if attribute(n, "lang") == "en" || n.DataAtom == atom.Code || n.DataAtom == atom.A {
			for c := n.FirstChild; c != nil; c = n.FirstChild {
				n.RemoveChild(c)
			}
		}
	}
	text := " " + strings.ToLower(page.text()) + " "
	for _, word := range []string{"the", "of", "and", "is", "not", "people", "record", "patient"} {
		if at := strings.Index(text, " "+word+" "); at >= 0 {
			t.Errorf("the Spanish page holds %q: …%s…", word, text[max(0, at-60):min(len(text), at+60)])
		}
	}
}
