package dashboard_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/store/facts"
	"github.com/equitylens/equitylens/store/facts/factstest"
)

// crowd is a part of a cohort: people who are alike but for how long they stayed. Of a twin, long is
// what the other world has.
type crowd struct {
	n, long int
	change  func(*mapping.Patient)
}

// small are pairs of groups that trade places between the twins: of language, site, race and sex. The last
// pair is as large in both, and differs in the few of them who stayed long.
var small = map[string][2]string{
	"language": {"zh", "fr"}, "site": {"S3", "S4"}, "race": {"1002-5", "2076-8"}, "sex": {"male", "other"},
}

// twin is one of two worlds whose releases are the same, and whose small groups are not: what is true of
// one of a pair in the first is true of the other in the second. Nothing that the public sees may tell
// them apart.
func twin(second bool) (*world, error) {
	asOf := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	of := func(dimension string, i int) string {
		if second {
			i = 1 - i
		}
		return small[dimension][i]
	}
	speaks := func(code, group string) func(*mapping.Patient) {
		return func(p *mapping.Patient) {
			p.Language, p.LanguageGroup = factstest.Known(code), factstest.Known(group)
		}
	}
	groups := map[string]string{"zh": mapping.Chinese, "fr": mapping.Other}
	at := func(site string) func(*mapping.Patient) {
		return func(p *mapping.Patient) {
			p.Site = mapping.Site{Value: factstest.Known(site), Label: "Hospital " + site}
		}
	}
	is := func(code string) func(*mapping.Patient) {
		return func(p *mapping.Patient) {
			p.Race, p.RaceEthnicity = factstest.Known(code), factstest.Known(code)
			p.Races, p.SPD15 = mapping.AmericanIndian, mapping.SPD15AmericanIndian
			if code == "2076-8" {
				p.Races, p.SPD15 = mapping.PacificIslander, mapping.SPD15PacificIslander
			}
		}
	}
	sex := func(code string) func(*mapping.Patient) {
		return func(p *mapping.Patient) { p.Sex = factstest.Known(code) }
	}
	batch := factstest.Batch{}
	for i, c := range []crowd{
		{200, 60, nil}, {150, 40, speaks("es", mapping.Spanish)}, {200, 50, at("S2")},
		{100, 20, func(p *mapping.Patient) { p.Birth = factstest.At("1990-05-05") }},
		{150, 50, func(p *mapping.Patient) {
			p.Race, p.RaceEthnicity = factstest.Known("2106-3"), factstest.Known("2106-3")
			p.Races, p.SPD15 = mapping.White, mapping.SPD15White
		}},
		{40, 15, func(p *mapping.Patient) {
			p.Language, p.LanguageGroup = factstest.State(mapping.Missing), factstest.State(mapping.Missing)
		}},
		{7, 3, speaks(of("language", 0), groups[of("language", 0)])},
		{6, 2, speaks(of("language", 1), groups[of("language", 1)])},
		{9, 4, at(of("site", 0))}, {5, 1, at(of("site", 1))},
		{4, 1, is(of("race", 0))}, {8, 3, is(of("race", 1))},
		{60, 4, sex(of("sex", 0))}, {60, 9, sex(of("sex", 1))},
	} {
		for j := range c.n {
			joins(&batch, fmt.Sprintf("%02d-%03d", i, j), j, j < c.long, c.change)
		}
	}
	batch.Merge.Loads = factstest.Full(factstest.Source)
	for i := range batch.Merge.Loads {
		batch.Merge.Loads[i].TransactionTime = asOf
	}
	return newWorld(asOf, func(ctx context.Context, dir *facts.Dir, _ []measure.Definition) error {
		_, err := factstest.TryLoad(ctx, dir, batch)
		return err
	})
}

// joins adds somebody to a cohort, with an emergency visit in each of two years and a stay. Who stays long
// is harmed as well.
func joins(batch *factstest.Batch, id string, i int, long bool, change func(*mapping.Patient)) {
	p := factstest.Patient(id, func(p *mapping.Patient) {
		p.Language, p.LanguageGroup = factstest.Known("en"), factstest.Known(mapping.English)
		p.Site = mapping.Site{Value: factstest.Known("H1"), Label: "Hospital H1"}
		if change != nil {
			change(p)
		}
	})
	batch.Patients = append(batch.Patients, p)
	there := func(e *mapping.Encounter) {
		e.Site = p.Site
		if i%3 == 0 {
			e.InterpreterUse = mapping.Documented
		}
	}
	end, days := "10:00:00Z", 1+i%5
	if long {
		end, days = "18:30:00Z", 12
	}
	for _, year := range []string{"2024", "2025"} {
		batch.Encounters = append(batch.Encounters,
			factstest.Encounter("e"+year+id, id, "EMER", year+"-03-01T08:00:00Z", year+"-03-01T"+end, there),
			factstest.Encounter("s"+year+id, id, "IMP", year+"-06-01T08:00:00Z",
				fmt.Sprintf("%s-06-%02dT09:00:00Z", year, 1+days), there))
		if long && i%2 == 0 {
			batch.Events = append(batch.Events, factstest.Event("a"+year+id, id, year+"-06-03"))
		}
	}
}

var (
	firstTwin  = sync.OnceValues(func() (*world, error) { return twin(false) })
	secondTwin = sync.OnceValues(func() (*world, error) { return twin(true) })
)

// TestTwinsHaveOneRelease is what the attacks below rest on: of both worlds the release is the same, and
// inside they differ.
func TestTwinsHaveOneRelease(t *testing.T) {
	t.Parallel()
	a, b := newRig(t, firstTwin), newRig(t, secondTwin)
	released := 0
	for _, id := range measures(t, a) {
		asked := measure.Question{Measure: id, Period: period(t, "2025"), By: measure.Dimensions()}
		var of [2][2]measure.Result
		var public bool
		for i, r := range []*rig{a, b} {
			err := r.hold(func(s dashboard.Snapshot) (err error) {
				if of[i][0], err = s.Answer(t.Context(), asked, release.Internal); err != nil {
					return err
				}
				of[i][1], err = s.Answer(t.Context(), asked, release.Public)
				public = err == nil
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !public {
			continue
		}
		released++
		if d := diff.Diff(of[0][1], of[1][1]); d != "" {
			t.Errorf("the releases of %s differ, so that they are no twins: %s", id, d)
		}
		for dimension, pair := range small {
			for _, s := range of[0][1].Groups[0].Strata[dimension] {
				if slices.Contains(pair[:], s.Code) && !s.Suppressed && dimension != "sex" {
					t.Errorf("%s by %s: %s is not hidden", id, dimension, s.Code)
				}
			}
		}
		if id == "ed-stay-over-8h" && diff.Equal(of[0][0], of[1][0]) {
			t.Errorf("%s is the same inside, so that nothing is hidden that could show", id)
		}
	}
	if released < 3 {
		t.Errorf("%d measures are public, want several", released)
	}
}

// measures lists all of a world.
func measures(t *testing.T, r *rig) []string {
	t.Helper()
	var out []string
	err := r.hold(func(s dashboard.Snapshot) error {
		for _, d := range s.Definitions() {
			out = append(out, d.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// publicPages are what somebody would open who looks for what is hidden.
func publicPages(list []string) []string {
	var out []string
	add := func(path string, values ...string) {
		q := url.Values{"audience": {"public"}, "period": {"2025"}}
		for i := 0; i+1 < len(values); i += 2 {
			q.Set(values[i], values[i+1])
		}
		out = append(out, path+"?"+q.Encode())
	}
	dimensions := measure.Dimensions()
	add("/measures")
	add("/quality")
	for d := range small {
		add("/", "by", d)
		add("/", "by", d, "reference", "overall", "lang", "es")
	}
	for _, policy := range []string{"alone_or_in_combination", "spd15_2024", "ncqa_separate"} {
		add("/", "policy", policy)
		add("/measures/ed-stay-over-8h", "by", "race", "policy", policy)
		add("/compare", "measure", "ed-stay-over-8h", "by", "race", "policy", policy)
	}
	for _, id := range list {
		add("/measures/" + id)
		add("/measures/"+id, "view", "print")
	}
	for _, d := range dimensions {
		const id = "ed-stay-over-8h"
		add("/measures/"+id, "by", d)
		add("/compare", "measure", id, "by", d)
		for _, code := range small[d] {
			add("/measures/"+id, "by", d, "group", code, "lang", "es")
			add("/measures/"+id, "by", d, "reference", code)
			add("/compare", "measure", id, "by", d, "a", code)
		}
	}
	for d := range small {
		add("/compare", "measure", "ed-stay-over-8h", "by", d, "kind", "periods", "a", "2024", "b", "2025")
		add("/measures/length-of-stay", "by", d, "reference", "overall")
		add("/measures/harm-per-1000-days", "by", d)
		add("/measures/real-completeness", "by", d)
	}
	add("/compare", "measure", "length-of-stay", "kind", "sites", "a", "S3", "b", "S4")
	// What would tell more if it were listened to.
	for _, more := range []string{"with=site", "where.site=S3", "where.language=zh", "period=2025-Q1",
		"period=2025-03", "span=2025-03-01/2025-03-31", "where.practitioner=p1", "period=2024",
	} {
		key, value, _ := strings.Cut(more, "=")
		add("/measures/ed-stay-over-8h", "by", "language", key, value)
		if !strings.HasPrefix(more, "with") && !strings.HasPrefix(more, "span") {
			add("/compare", "measure", "ed-stay-over-8h", "by", "language", key, value)
			add("/", key, value)
		}
	}
	return out
}

// TestThePublicCannotTellTwinsApart opens every page and every file of both worlds, and compares every byte
// of every answer: no total, order, axis, sentence, option, size or name depends on what is hidden.
func TestThePublicCannotTellTwinsApart(t *testing.T) {
	t.Parallel()
	a, b := newRig(t, firstTwin), newRig(t, secondTwin)
	pages := thinned(publicPages(measures(t, a)))
	seen, files, pictures, answers := map[string]bool{}, map[string]int{}, map[string]int{}, map[int]int{}
	for len(pages) > 0 {
		address := pages[0]
		if pages = pages[1:]; seen[address] {
			continue
		}
		seen[address] = true
		first, second := a.get(address), b.get(address)
		if answers[first.status]++; first.status == http.StatusOK && first.body == "" {
			t.Errorf("%s: nothing came", address)
		}
		alike(t, address, first, second)
		if strings.Contains(address, "/files/") {
			pictures[ending(address)]++
			continue
		}
		l := &leaf{t: t, address: address, body: first.body, root: tree(t, first.body)}
		for _, file := range l.filesOf() {
			path, _, _ := strings.Cut(file, "?")
			// A file of one name is the same for most addresses of a page.
			if files[path]++; files[path] == 1 {
				pages = append(pages, file)
			}
		}
	}
	for _, want := range []string{"csv", "xlsx", "parquet", "json", "svg", "png"} {
		if pictures[want] == 0 && !thin() {
			t.Errorf("no file is a %s: %v", want, pictures)
		}
	}
	t.Logf("%d addresses, answered with %v; files: %v", len(seen), answers, pictures)
	wanted := 100
	if thin() {
		wanted = 30
	}
	if answers[http.StatusOK] < wanted {
		t.Errorf("only %d pages and files were there", answers[http.StatusOK])
	}
	// Inside, the same addresses tell them apart, so that the comparison can fail.
	const inside = "/measures/ed-stay-over-8h?by=language&period=2025"
	if a.get(inside).body == b.get(inside).body {
		t.Error("the twins are the same inside, so that nothing is under test")
	}
}

// alike compares two answers.
func alike(t *testing.T, address string, first, second answer) {
	t.Helper()
	if first.status != second.status {
		t.Errorf("%s: status %d and %d", address, first.status, second.status)
	}
	if first.status >= 500 {
		t.Errorf("%s: status %d", address, first.status)
	}
	for _, name := range slices.Sorted(maps.Keys(first.header)) {
		if cmp.Compare(first.header.Get(name), second.header.Get(name)) != 0 && name != "Date" {
			t.Errorf("%s: the header %s is %q and %q", address, name, first.header.Get(name), second.header.Get(name))
		}
	}
	if first.body == second.body {
		return
	}
	at := 0
	for at < min(len(first.body), len(second.body)) && first.body[at] == second.body[at] {
		at++
	}
	part := func(s string) string { return s[max(0, at-120):min(len(s), at+120)] }
	t.Errorf("%s: the public can tell the twins apart:\n…%q…\n…%q…", address, part(first.body), part(second.body))
}
