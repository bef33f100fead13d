package facts_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// hospital is what a source holds: the twin of a snapshot, resource by resource.
type hospital struct {
	patients   map[string]mapping.Patient
	encounters map[string]mapping.Encounter
	events     map[string]mapping.AdverseEvent
	issues     map[string][]mapping.Issue
}

// odd are the issues that the dice choose from; some differ by a code alone.
var odd = []mapping.Issue{
	{Kind: mapping.UnmappedCode, Element: "class", System: "urn:oid:1.2", Code: "5"},
	{Kind: mapping.UnmappedCode, Element: "class", System: "urn:oid:1.2", Code: "6"},
	{Kind: mapping.UnmappedCode, Element: "race", System: "urn:local", Code: "5"},
	{Kind: mapping.TextWithoutCode, Element: "race"},
	{Kind: mapping.ContradictoryCodes, Element: "race"},
	{Kind: mapping.DateFallback, Element: "detected"},
}

func pick[T any](d *rand.Rand, from ...T) T { return from[d.IntN(len(from))] }

// admit makes n people, with their encounters and events, under ids that start anew at each call, so
// that a second call changes some of them. A tenth of what names a patient names one who is not here.
func (h *hospital) admit(d *rand.Rand, n int) Batch {
	b := Batch{Issues: map[string][]mapping.Issue{}}
	note := func(id string) {
		b.Issues[id] = nil
		for range max(0, d.IntN(5)-2) {
			b.Issues[id] = append(b.Issues[id], pick(d, odd...))
		}
	}
	states := mapping.States()
	for i := range n {
		id := fmt.Sprint("p", i)
		b.Patients = append(b.Patients, Patient(id, func(p *mapping.Patient) {
			p.Race, p.Language = State(pick(d, states...)), State(pick(d, states...))
			p.Site = pick(d, Site("H1"), Site("H2"), mapping.Site{Value: State(mapping.Missing)})
			p.InterpreterNeed = pick(d, Known("yes"), State(mapping.Missing), State(mapping.AskedDeclined),
				State(mapping.Conflicting))
			if i%10 == 9 {
				p.ReplacedBy = phi.New(fmt.Sprint("p", i-1))
			}
		}))
		note(id)
	}
	for i := range 3 * n {
		id, patient := fmt.Sprint("e", i), fmt.Sprint("p", d.IntN(n+n/10))
		end := pick(d, "2026-01-05", "2026-01-05", "")
		b.Encounters = append(b.Encounters, Encounter(id, patient, "AMB", "2026-01-05", end,
			heldAt(pick(d, "H1", "H2", "H3")), needs(pick(d, Known("yes"), State(mapping.Missing), State(mapping.Missing)))))
		note(id)
	}
	for i := range n {
		at := d.IntN(len(b.Encounters))
		id, e := fmt.Sprint("a", i), b.Encounters[at]
		date := pick(d, "2026-01-05", "")
		b.Events = append(b.Events, Event(id, e.Patient.Reveal(), date, func(a *mapping.AdverseEvent) {
			if a.Encounter = e.ID; d.IntN(2) == 0 {
				a.Encounter = phi.New("nobody's")
			}
		}))
		note(id)
	}
	for _, p := range b.Patients {
		h.patients[p.ID.Reveal()] = p
	}
	for _, e := range b.Encounters {
		h.encounters[e.ID.Reveal()] = e
	}
	for _, a := range b.Events {
		h.events[a.ID.Reveal()] = a
	}
	maps.Copy(h.issues, b.Issues)
	return b
}

// whose finds out in whom somebody counts.
func (h *hospital) whose(id phi.ID) (string, bool) {
	p, ok := h.patients[id.Reveal()]
	if ok && !p.ReplacedBy.Empty() {
		if _, here := h.patients[p.ReplacedBy.Reveal()]; here {
			return p.ReplacedBy.Reveal(), true
		}
	}
	return id.Reveal(), ok
}

// encounterOf finds the encounter of an event.
func (h *hospital) encounterOf(a mapping.AdverseEvent) (mapping.Encounter, bool) {
	e, ok := h.encounters[a.Encounter.Reveal()]
	mine, here := h.whose(a.Patient)
	theirs, _ := h.whose(e.Patient)
	return e, ok && here && mine == theirs
}

// siteOf is the site of an event.
func (h *hospital) siteOf(a mapping.AdverseEvent) string {
	if e, ok := h.encounterOf(a); ok {
		return facts.Key(e.Site.Value)
	}
	return "~missing"
}

// wantIssues counts issues one resource after the other.
func (h *hospital) wantIssues(site string, kinds ...mapping.IssueKind) []facts.Issue {
	type key struct {
		resourceType string
		mapping.Issue
	}
	counts, people := map[key]int64{}, map[key]map[string]bool{}
	add := func(resourceType, id, at string, patient phi.ID) {
		for _, i := range h.issues[id] {
			if site != "" && site != at || len(kinds) > 0 && !slices.Contains(kinds, i.Kind) {
				continue
			}
			k := key{resourceType, i}
			counts[k]++
			if people[k] == nil {
				people[k] = map[string]bool{}
			}
			if who, here := h.whose(patient); here {
				people[k][who] = true
			}
		}
	}
	for id, p := range h.patients {
		add("Patient", id, facts.Key(p.Site.Value), p.ID)
	}
	for id, e := range h.encounters {
		add("Encounter", id, facts.Key(e.Site.Value), e.Patient)
	}
	for id, a := range h.events {
		add("AdverseEvent", id, h.siteOf(a), a.Patient)
	}
	var out []facts.Issue
	for k, n := range counts {
		out = append(out, facts.Issue{
			Site: site, Type: k.resourceType, Issue: k.Issue, Count: n, People: int64(len(people[k])),
		})
	}
	slices.SortFunc(out, func(a, b facts.Issue) int {
		return cmp.Or(cmp.Compare(b.People, a.People), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Type, b.Type), cmp.Compare(a.Element, b.Element), cmp.Compare(a.System, b.System),
			cmp.Compare(a.Code, b.Code))
	})
	return out
}

// wantCompleteness counts people one after the other.
func (h *hospital) wantCompleteness() map[facts.Completeness]int64 {
	stated := map[string]bool{}
	for _, e := range h.encounters {
		who, _ := h.whose(e.Patient)
		stated[who] = stated[who] || e.InterpreterNeed.State == mapping.Known && e.End.Precision != fhir.NoDate
	}
	out := map[facts.Completeness]int64{}
	for id, p := range h.patients {
		if who, _ := h.whose(p.ID); who != id {
			continue
		}
		need := p.InterpreterNeed.State
		if stated[id] && (need == mapping.Missing || need == mapping.AskedDeclined) {
			need = mapping.Known
		}
		for field, state := range map[string]mapping.State{
			"race": p.Race.State, "ethnicity": p.Ethnicity.State, "language": p.Language.State,
			"interpreter_need": need, "sex": p.Sex.State,
		} {
			out[facts.Completeness{Source: Source, Site: facts.Key(p.Site.Value), Field: field, State: state}]++
		}
	}
	return out
}

// wantLoose counts loose ends one after the other.
func (h *hospital) wantLoose() map[facts.Loose]int64 {
	out := map[facts.Loose]int64{}
	add := func(site, resourceType string, what facts.LooseEnd, is bool) {
		if is {
			out[facts.Loose{Source: Source, Site: site, Type: resourceType, What: what}]++
		}
	}
	for id, p := range h.patients {
		who, _ := h.whose(p.ID)
		add(facts.Key(h.patients[who].Site.Value), "Patient", facts.MergedAway, who != id)
	}
	for _, e := range h.encounters {
		_, here := h.whose(e.Patient)
		add(facts.Key(e.Site.Value), "Encounter", facts.Orphan, !here)
		add(facts.Key(e.Site.Value), "Encounter", facts.Undated, here && e.End.Precision == fhir.NoDate)
	}
	for _, a := range h.events {
		_, here := h.whose(a.Patient)
		_, linked := h.encounterOf(a)
		add(h.siteOf(a), "AdverseEvent", facts.Orphan, !here)
		add(h.siteOf(a), "AdverseEvent", facts.Undated, here && a.Date.Precision == fhir.NoDate)
		add(h.siteOf(a), "AdverseEvent", facts.Unlinked, here && !linked)
	}
	return out
}

// check holds a snapshot against the twin.
func (h *hospital) check(t *testing.T, s *facts.Snapshot) {
	t.Helper()
	q, err := s.Quality(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	completeness, loose := map[facts.Completeness]int64{}, map[facts.Loose]int64{}
	for _, c := range q.Completeness {
		n := c.People
		c.People = 0
		completeness[c] += n
	}
	for _, l := range q.Loose {
		n := l.Count
		l.Count = 0
		loose[l] += n
	}
	if d := gocmp.Diff(h.wantCompleteness(), completeness); d != "" {
		t.Errorf("completeness (-want +got):\n%s", d)
	}
	if d := gocmp.Diff(h.wantLoose(), loose); d != "" {
		t.Errorf("loose ends (-want +got):\n%s", d)
	}
	for _, f := range []facts.IssueFilter{
		{}, {Site: "H1"}, {Site: "H3"}, {Site: "~missing"}, {Site: "nowhere"},
		{Kinds: []mapping.IssueKind{mapping.UnmappedCode, mapping.TextWithoutCode}},
	} {
		got, total, err := s.Issues(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		want := h.wantIssues(f.Site, f.Kinds...)
		if d := gocmp.Diff(want, got); d != "" || total != len(want) {
			t.Errorf("Issues(%+v) = %d of %d (-want +got):\n%s", f, len(got), total, d)
		}
	}
}

// TestQualityIsThatOfAllThatTheSnapshotHolds counts what random records hold, one by one, over a full
// load and increments that change, add and delete.
func TestQualityIsThatOfAllThatTheSnapshotHolds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			d := rand.New(rand.NewPCG(seed, 7)) // #nosec G404 -- a test's dice
			h := &hospital{
				map[string]mapping.Patient{}, map[string]mapping.Encounter{}, map[string]mapping.AdverseEvent{},
				map[string][]mapping.Issue{},
			}
			dir := Open(t)
			Load(t, dir, h.admit(d, 60))
			h.check(t, Current(t, dir))
			for range 2 {
				b := h.admit(d, 20)
				b.Merge.Loads = Increment(Source)
				gone := []string{"p3", "p38", "e2", "e33", "e50", "a1"}
				b.Deleted = map[string][]string{"Patient": gone[:2], "Encounter": gone[2:5], "AdverseEvent": gone[5:]}
				for _, id := range gone {
					delete(h.patients, id)
					delete(h.encounters, id)
					delete(h.events, id)
				}
				Load(t, dir, b)
				h.check(t, Current(t, dir))
			}
		})
	}
}

// TestStatesAddUpToThePeople holds the sums of every field against each other and against the people
// that measures count.
func TestStatesAddUpToThePeople(t *testing.T) {
	t.Parallel()
	h := &hospital{
		map[string]mapping.Patient{}, map[string]mapping.Encounter{}, map[string]mapping.AdverseEvent{},
		map[string][]mapping.Issue{},
	}
	dir := Open(t)
	Load(t, dir, h.admit(rand.New(rand.NewPCG(3, 3)), 200)) // #nosec G404 -- a test's dice
	s := Current(t, dir)
	q, err := s.Quality(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]int64{}
	for _, c := range q.Completeness {
		sums[c.Field+" at "+c.Site] += c.People
		sums[c.Field] += c.People
	}
	for name, n := range sums {
		_, site, _ := strings.Cut(name, " at ")
		want := Rows(t, s, `SELECT count(*) FROM unit.patient p JOIN unit.site s ON s.no = p.site_no
			WHERE ? IN ('', s.site)`, site)[0]
		if fmt.Sprint(n) != want {
			t.Errorf("%s: the states add up to %d people, want %s", name, n, want)
		}
	}
	if len(sums) != 5*4 {
		t.Errorf("there are sums %v, want one of each of five fields at each of three sites", sums)
	}
}

// TestIssuesOfTwoSources has two systems tell of the same people.
func TestIssuesOfTwoSources(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	unmapped := []mapping.Issue{odd[0]}
	Load(t, dir, Batch{
		Patients:   []mapping.Patient{Patient("p"), Patient("q")},
		Encounters: []mapping.Encounter{Encounter("e", "p", "AMB", "2026-01-05", "2026-01-05")},
		Issues:     map[string][]mapping.Issue{"e": unmapped, "q": {odd[3]}},
	})
	Load(t, dir, Batch{
		Source: "other",
		Encounters: []mapping.Encounter{
			Encounter("f", "p", "AMB", "2026-01-06", "2026-01-06", heldAt("H2")),
			Encounter("g", "q", "AMB", "2026-01-06", "2026-01-06", heldAt("H2")),
			Encounter("h", "stranger", "AMB", "2026-01-06", "2026-01-06", heldAt("H2")),
		},
		Issues: map[string][]mapping.Issue{"f": unmapped, "g": unmapped, "h": unmapped},
	})
	s := Current(t, dir)
	row := func(source, site string, count, people int64) []facts.Issue {
		return []facts.Issue{{
			Source: source, Site: site, Type: "Encounter", Issue: odd[0], Count: count, People: people,
		}}
	}
	for _, c := range []struct {
		name string
		in   facts.IssueFilter
		want []facts.Issue
	}{
		{"somebody whom two sources touch counts once", facts.IssueFilter{Limit: 1}, row("", "", 4, 2)},
		{"one source", facts.IssueFilter{Source: Source, Kinds: []mapping.IssueKind{mapping.UnmappedCode}},
			row(Source, "", 1, 1)},
		{"the other, with an orphan that touches nobody", facts.IssueFilter{Source: "other"},
			row("other", "", 3, 2)},
		{"a source at a site", facts.IssueFilter{Source: "other", Site: "H2"}, row("other", "H2", 3, 2)},
		{"a source where it has nothing", facts.IssueFilter{Source: "other", Site: "H1"}, nil},
	} {
		got, total, err := s.Issues(t.Context(), c.in)
		if err != nil {
			t.Fatal(err)
		}
		if d := gocmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: Issues(%+v) (-want +got):\n%s", c.name, c.in, d)
		}
		if wantTotal := len(c.want); c.in.Limit == 0 && total != wantTotal {
			t.Errorf("%s: total %d, want %d", c.name, total, wantTotal)
		}
	}
	if _, total, _ := s.Issues(t.Context(), facts.IssueFilter{Limit: 1}); total != 2 {
		t.Errorf("with a limit of 1 the total is %d, want 2", total)
	}
}

// TestTooManyCodesAreCountedWithoutThem loads an export in which nearly every resource has a code of its
// own.
func TestTooManyCodesAreCountedWithoutThem(t *testing.T) {
	t.Parallel()
	const people, codes = 300, 100
	dir := Open(t)
	b := Batch{Issues: map[string][]mapping.Issue{}}
	for i := range people {
		id := fmt.Sprint("p", i)
		b.Patients = append(b.Patients, Patient(id))
		for k := range codes {
			b.Issues[id] = append(b.Issues[id], mapping.Issue{
				Kind: mapping.UnmappedCode, Element: "race", System: "urn:local", Code: fmt.Sprint(i, ".", k),
			})
		}
	}
	Load(t, dir, b)
	issues, total, err := Current(t, dir).Issues(t.Context(), facts.IssueFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var count int64
	for _, i := range issues {
		count += i.Count
	}
	if count != people*codes || total != facts.MostIssues+1 {
		t.Errorf("%d occurrences of %d issues are left, want %d of %d", count, total, people*codes,
			facts.MostIssues+1)
	}
	if rest := issues[0]; rest.Code != "" || rest.System != "" || rest.People < people/3-1 {
		t.Errorf("the most frequent issue is %+v, want that without a code", rest)
	}
}

func TestQualityOfAnotherSchema(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("a")}})
	id, _ := dir.Current()
	facts.SetSchemaVersion(t, dir, id, facts.OldestSchema-1)
	s := Current(t, dir)
	if _, err := s.Quality(t.Context()); !errors.Is(err, facts.ErrSchema) {
		t.Errorf("Quality() = %v, want ErrSchema", err)
	}
	if _, _, err := s.Issues(t.Context(), facts.IssueFilter{}); !errors.Is(err, facts.ErrSchema) {
		t.Errorf("Issues() = %v, want ErrSchema", err)
	}
}
