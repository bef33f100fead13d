package dashboard_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
)

// wait is the question about the planted world.
const wait = "/compare?measure=ed-stay-over-8h&period=2025&by=language_group&a=spanish&b=english"

func TestTheWarningWhenPoolingTurnsAGapAround(t *testing.T) {
	t.Parallel()
	r := newRig(t, planted)
	l := r.open(t, wait)
	l.sound()
	warning := said(l.part("warning"))
	for _, want := range []string{"points the wrong way", "Spanish", "English", "other way round"} {
		if !strings.Contains(warning, want) {
			t.Errorf("the warning does not say %q: %s", want, warning)
		}
	}
	// Of 100 at either site, and all together: Spanish, then English.
	table := rows(l.part("warning"))
	for _, want := range [][2]string{{"10", "20"}, {"80", "90"}, {"68", "32"}} {
		if !slices.ContainsFunc(table, func(row []string) bool {
			return len(row) > 4 && strings.HasPrefix(row[2], want[0]) && strings.HasPrefix(row[4], want[1])
		}) {
			t.Errorf("the table of the warning holds no row of %v: %q", want, table)
		}
	}
	// The warning stands before every figure.
	if strings.Index(l.body, `id="warning"`) > strings.Index(l.body, `id="pair"`) {
		t.Error("the warning comes after the figures")
	}
	if text := r.open(t, wait+"&lang=es").part("warning"); !strings.Contains(said(text), "dirección equivocada") {
		t.Errorf("in Spanish it says: %s", said(text))
	}
	// At one site there is nothing to warn of, and the figure is the other way round.
	one := r.open(t, wait+"&where.site=S2")
	if one.id("warning") != nil {
		t.Error("one site has a warning about sites")
	}
	if text := said(one.part("pair")); !strings.Contains(text, "10 fewer in 100") {
		t.Errorf("at one site it says: %s", text)
	}
}

// TestPairIsWhatTheEngineSays asks the engine the same and compares.
func TestPairIsWhatTheEngineSays(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	result := r.ask(t, measure.Question{
		Measure: "readmission-30-day", Period: period(t, "2025"), By: []string{"language_group"},
	}, release.Internal)
	want, err := gap.Compare(result, "", "language_group", gap.Options{Reference: "english"})
	if err != nil {
		t.Fatal(err)
	}
	l := r.open(t, "/compare?measure=readmission-30-day&period=2025&by=language_group&a=spanish&b=english")
	l.sound()
	table := rows(l.part("pair"))
	if len(table) != 3 {
		t.Fatalf("%d rows, want everybody and two groups: %q", len(table), table)
	}
	counts := func(c gap.Compared) (n, events string) {
		return strconv.FormatFloat(c.N, 'f', -1, 64), strconv.FormatFloat(*c.Events, 'f', -1, 64)
	}
	for _, one := range append([]gap.Compared{want.All}, want.Groups...) {
		name := one.Label
		if one.Code == "" && one.State == "" {
			name = "Everybody"
		}
		for _, row := range table {
			if row[0] != name {
				continue
			}
			n, events := counts(one)
			if strings.ReplaceAll(row[1], ",", "") != n || strings.ReplaceAll(row[2], ",", "") != events {
				t.Errorf("%s: %s of %s, want %s of %s", name, row[2], row[1], events, n)
			}
		}
	}
}

func TestPeriodsAreWhatTheEngineSays(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	var results []measure.Result
	for _, p := range []string{"2024", "2025"} {
		results = append(results, r.ask(t, measure.Question{
			Measure: "telehealth-share", Period: period(t, p), By: []string{"sex"},
		}, release.Internal))
	}
	l := r.open(t, "/compare?kind=periods&measure=telehealth-share&by=sex&a=2024&b=2025")
	l.sound()
	table := rows(l.part("periods"))
	if len(table) < 3 || table[0][0] != "Everybody" {
		t.Fatalf("the table is %q", table)
	}
	for i, column := range []int{1, 4} {
		want := strconv.FormatFloat(results[i].Groups[0].Populations[measure.Denominator], 'f', -1, 64)
		if got := strings.ReplaceAll(table[0][column], ",", ""); got != want {
			t.Errorf("%s are counted in period %d, want %s", got, i, want)
		}
	}
	// The earlier is first, whichever was asked for first.
	swapped := r.open(t, "/compare?kind=periods&measure=telehealth-share&by=sex&a=2025&b=2024")
	if said(swapped.part("periods")) != said(l.part("periods")) {
		t.Error("the order of the periods in the address changes the figure")
	}
}

// comparisons are one page of each kind, for those inside and for the public.
func comparisons() []string {
	var out []string
	for _, kind := range []string{"groups", "sites", "periods"} {
		for _, audience := range []string{"internal", "public"} {
			out = append(out, "/compare?period=2025&measure=telehealth-share&by=race&kind="+kind+
				"&audience="+audience)
		}
	}
	return append(out, "/compare", "/compare?measure=length-of-stay", "/compare?by=language&policy=spd15_2024",
		"/compare?by=race&policy=alone_or_in_combination", "/compare?kind=periods&a=2025-Q1&b=2025-Q3",
		"/compare?measure=real-completeness&by=race")
}

func TestComparisonsLeadSomewhere(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	for _, address := range comparisons() {
		r.open(t, address).sound()
	}
	for _, address := range []string{
		"/compare?by=sex&measure=readmission-30-day", "/compare?kind=sites&audience=public&period=2025",
	} {
		r.open(t, address).resolves(r)
	}
}

func TestComparisonsThatThereAreNot(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	for _, c := range []struct {
		name, query string
		want        int
		says        string
	}{
		{"an unknown measure", "measure=nothing", http.StatusNotFound, ""},
		{"an unknown rate", "measure=telehealth-share&rate=x", http.StatusBadRequest, "main"},
		{"an unknown kind", "kind=x", http.StatusBadRequest, "periods"},
		{"an unknown dimension", "by=shoe_size", http.StatusBadRequest, "language_group"},
		{"a cross of groups", "by=race*sex&measure=telehealth-share", http.StatusOK, "Race × sex"},
		{"a cross of one with itself", "by=race*race", http.StatusBadRequest, "language_group"},
		{"a cross for the public", "by=race*sex&audience=public", http.StatusOK, "one kind of group"},
		{"a cross in two periods", "by=race*sex&kind=periods", http.StatusOK, ""},
		{"an unknown audience", "audience=x", http.StatusBadRequest, "public"},
		{"a period that is none", "period=x", http.StatusBadRequest, "2025-Q1"},
		{"a group that there is not is told, and another shown", "by=race&a=zz", http.StatusOK, "zz"},
		{"a group beside itself", "by=sex&a=female&b=female", http.StatusOK, "itself"},
		{"a period without anybody", "period=1999", http.StatusOK, ""},
		{"a side that is no period", "kind=periods&a=x&b=2025", http.StatusOK, "no period"},
		{"periods that overlap", "kind=periods&a=2025&b=2025-Q1", http.StatusOK, "overlap"},
		{"periods of other lengths", "kind=periods&a=2024&b=2025-Q1", http.StatusOK, "equally long"},
		{"a filter for the public", "audience=public&period=2025&where.site=x", http.StatusOK, "filtered"},
		{"a quarter for the public", "audience=public&period=2025-Q1", http.StatusOK, "calendar years"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := r.get("/compare?" + c.query)
			if text := said(tree(t, got.body)); got.status != c.want || !strings.Contains(text, c.says) {
				t.Errorf("status %d, want %d with %q: %s", got.status, c.want, c.says, text)
			}
			if got.status == http.StatusOK {
				r.open(t, "/compare?"+c.query).sound()
			}
		})
	}
}

// english finds words of English in a text of ours.
var english = regexp.MustCompile(`(?i)\b(the|of|is|are|was|were|and|or|not|with|for|this|that|which|you|` +
	`your|here|record(ed)?|visits?|patient|need(s|ed)?|to|by|it|its|unknown|missing|other|none|group|` +
	`chance|difference|gap|below|above|within)\b`)

func TestComparisonsInSpanishHoldNoEnglish(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	for _, address := range comparisons() {
		separator := "&"
		if !strings.Contains(address, "?") {
			separator = "?"
		}
		l := r.open(t, address+separator+"lang=es")
		for n := range l.root.Descendants() {
			if n.Type != html.TextNode || n.Parent.DataAtom == atom.Script || foreign(n) {
				continue
			}
			text := strings.NewReplacer("EquityLens", "", "FHIR MeasureReport", "", "length-of-stay", "").Replace(n.Data)
			if found := english.FindString(text); found != "" {
				t.Errorf("%s: %q in %q", address, found, text)
			}
		}
	}
}

// foreign reports whether a text is somebody else's, or marked as of another language.
func foreign(n *html.Node) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if lang := attribute(p, "lang"); lang != "" {
			return !strings.HasPrefix(lang, "es")
		}
		if p.DataAtom == atom.Dd || p.DataAtom == atom.Option && strings.Contains(said(p), "Hospital") {
			return true
		}
	}
	return false
}

func TestHostileNamesAreInertOnAComparison(t *testing.T) {
	t.Parallel()
	r := newRig(t, planted)
	for _, address := range []string{
		wait, wait + "&kind=sites", wait + "&kind=periods", wait + "&audience=public",
		"/compare?measure=vendor&by=site&period=2025", "/compare?measure=vendor&kind=sites&period=2025",
		wait + "&a=" + url.QueryEscape(hostile[0]), wait + "&where.site=" + url.QueryEscape(hostile[1]),
	} {
		got := r.get(address)
		root := tree(t, got.body)
		for _, tag := range []atom.Atom{atom.Script, atom.Iframe} {
			if len(all(root, tag)) > 0 {
				t.Errorf("%s: the page holds <%v>", address, tag)
			}
		}
		for _, sign := range []string{"\u202e", "\u2066", "\x00"} {
			if strings.Contains(got.body, sign) {
				t.Errorf("%s: the page holds %+q", address, sign)
			}
		}
	}
}
