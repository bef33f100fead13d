package incident_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	. "github.com/equitylens/equitylens/internal/incident"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

func openStore(t testing.TB) *decisions.Database {
	t.Helper()
	store, err := decisions.Open(t.Context(), decisions.Config{Path: filepath.Join(t.TempDir(), "decisions.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// tally is what a plan counts.
type tally struct{ New, Changed, Unchanged, Withdrawn, RefusedRows int }

func tallyOf(p Plan) tally { return tally{p.New, p.Changed, p.Unchanged, p.Withdrawn, p.RefusedRows} }

// bring imports a table.
func bring(t *testing.T, records Records, text string) tally {
	t.Helper()
	i := &Intake{Records: records, By: "test"}
	plan, err := i.Plan(t.Context(), read(t, text, plain))
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Apply(t.Context(), &plan, true); err != nil {
		t.Fatal(err)
	}
	return tallyOf(plan)
}

// versions lists the documents with their versions and states.
func versions(t *testing.T, store *decisions.Database) map[string]int {
	t.Helper()
	all, err := store.Find(t.Context(), decisions.Query{Kind: decisions.Incident})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, d := range all {
		out[d.ID+" "+d.Terms["state"]] = d.Version
	}
	return out
}

func TestImportingIsIdempotent(t *testing.T) {
	t.Parallel()
	store := openStore(t)
	const first = header + "1,p1,,2026-03-01,actual\n2,p2,e2,2026-03-02,actual,,mild\n3,p3,,2026-03-03,potential\n"
	one, two, three, four := IDOf("safety", "1"), IDOf("safety", "2"), IDOf("safety", "3"), IDOf("safety", "4")
	steps := []struct {
		name, in string
		want     tally
		after    map[string]int
	}{
		{"the first time", first, tally{New: 3},
			map[string]int{one + " active": 1, two + " active": 1, three + " active": 1}},
		{"the second time", first, tally{Unchanged: 3},
			map[string]int{one + " active": 1, two + " active": 1, three + " active": 1}},
		{"one that changed, one that was taken back, and one that was never here",
			header + "2,p2,e2,2026-03-02,actual,,severe\n3,,,,,,,,,,,withdrawn\n4,,,,,,,,,,,withdrawn\n",
			tally{Changed: 1, Withdrawn: 2},
			map[string]int{one + " active": 1, two + " active": 2, three + " withdrawn": 2, four + " withdrawn": 1}},
		{"taken back once more", header + "3,,,,,,,,,,,withdrawn\n4,,,,,,,,,,,void\n", tally{Unchanged: 2},
			map[string]int{one + " active": 1, two + " active": 2, three + " withdrawn": 2, four + " withdrawn": 1}},
		{"good rows beside bad ones", header + "3,p3,,2026-03-03,potential\n1,p1,,never,actual\n", tally{Changed: 1, RefusedRows: 1},
			map[string]int{one + " active": 1, two + " active": 2, three + " active": 3, four + " withdrawn": 1}},
	}
	for _, s := range steps {
		if d := cmp.Diff(s.want, bring(t, store, s.in)); d != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, d)
		}
		if d := cmp.Diff(s.after, versions(t, store)); d != "" {
			t.Errorf("%s: documents (-want +got):\n%s", s.name, d)
		}
	}
	history, err := store.History(t.Context(), decisions.Incident, three)
	if err != nil || len(history) != 3 || !bytes.Contains(history[1].Body, []byte(`"Patient/p3"`)) {
		t.Errorf("what was taken back does not say any more what it was: %d versions, %v", len(history), err)
	}
	for _, d := range history {
		if d.By != "test" || d.At.IsZero() {
			t.Errorf("version %d is by %q at %v", d.Version, d.By, d.At)
		}
	}
}

func TestNothingIsTakenWhereRowsAreRefused(t *testing.T) {
	t.Parallel()
	store := openStore(t)
	i := &Intake{Records: store, By: "test"}
	plan, err := i.Plan(t.Context(), read(t, header+"1,p1,,2026-03-01,actual\n2,,,2026-03-01,actual\n", plain))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(tally{New: 1, RefusedRows: 1}, tallyOf(plan)); d != "" {
		t.Errorf("plan (-want +got):\n%s", d)
	}
	if err := i.Apply(t.Context(), &plan, false); !errors.Is(err, ErrRefused) || plan.Stored {
		t.Errorf("Apply = %v, stored %t, want ErrRefused", err, plan.Stored)
	}
	if got := versions(t, store); len(got) > 0 {
		t.Errorf("documents are there: %v", got)
	}
}

func TestTwoImportsAtOnceDoNotOverwrite(t *testing.T) {
	t.Parallel()
	store := openStore(t)
	i := &Intake{Records: store, By: "test"}
	sheet := read(t, header+"1,p1,,2026-03-01,actual\n2,p1,,2026-03-01,actual\n", plain)
	late, err := i.Plan(t.Context(), sheet)
	if err != nil {
		t.Fatal(err)
	}
	bring(t, store, header+"2,p1,,2026-03-02,actual\n")
	if err := i.Apply(t.Context(), &late, false); !errors.Is(err, ErrOvertaken) {
		t.Errorf("Apply = %v, want ErrOvertaken", err)
	}
	if d := cmp.Diff(map[string]int{IDOf("safety", "2") + " active": 1}, versions(t, store)); d != "" {
		t.Errorf("documents (-want +got):\n%s", d)
	}
}

func TestWhoIsNotInTheSnapshot(t *testing.T) {
	t.Parallel()
	unknown := func(_ context.Context, of []facts.Whom) (patients, encounters []bool, err error) {
		for _, w := range of {
			patients = append(patients, w.Patient.Reveal() != "p1")
			encounters = append(encounters, w.Encounter.Reveal() == "gone")
		}
		return patients, encounters, nil
	}
	i := &Intake{Records: openStore(t), By: "test", Unknown: unknown}
	plan, err := i.Plan(t.Context(), read(t, header+"1,p1,,2026-03-01,actual\n2,,,,,,,,,,,void\n3,p2,,2026-03-01,actual\n"+
		"4,p1,gone,2026-03-01,actual\n5,p1,e1,2026-03-01,actual\n", plain))
	if err != nil {
		t.Fatal(err)
	}
	if !plan.Compared || !slices.Equal(plan.UnknownPatients, []int{4}) || !slices.Equal(plan.UnknownEncounters, []int{5}) {
		t.Errorf("plan = %+v, want that row 4 names an unknown patient and row 5 an unknown encounter", plan)
	}
	cause := errors.New("no snapshot")
	i.Unknown = func(context.Context, []facts.Whom) ([]bool, []bool, error) { return nil, nil, cause }
	if _, err := i.Plan(t.Context(), Sheet{Source: "safety"}); !errors.Is(err, cause) {
		t.Errorf("Plan = %v, want %v", err, cause)
	}
}

// twin is the store of a naive import: what each event is, and how often that changed.
type twin map[string]struct {
	event   Event
	version int
}

// bring imports events one by one.
func (w twin) bring(events []Event) (out tally) {
	for _, e := range events {
		old := w[e.Number]
		if e.Withdrawn {
			gone := old.event
			gone.Number, gone.Withdrawn = e.Number, true
			e = gone
		}
		switch {
		case old.version > 0 && old.event == e:
			out.Unchanged++
			continue
		case e.Withdrawn:
			out.Withdrawn++
		case old.version == 0:
			out.New++
		default:
			out.Changed++
		}
		old.event = e
		old.version++
		w[e.Number] = old
	}
	return out
}

func TestImportsAgreeWithANaiveOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		store := &memory{documents: map[string]decisions.Document{}}
		naive := twin{}
		pool := make([]Event, 0, 8)
		for n := range 4 {
			number := string(rune('a' + n))
			pool = append(pool, anEvent(rt, number), anEvent(rt, number))
		}
		for range rapid.IntRange(1, 4).Draw(rt, "imports") {
			var events []Event
			for n := range 4 {
				e := pool[2*n+rapid.IntRange(0, 1).Draw(rt, "which")]
				switch rapid.IntRange(0, 3).Draw(rt, "how") {
				case 0:
					continue
				case 1:
					e = Event{Source: e.Source, Number: e.Number, Withdrawn: true}
				}
				events = append(events, e)
			}
			got := bring(t, store, export(t, events, Columns(), ',', false))
			if d := cmp.Diff(naive.bring(events), got); d != "" {
				rt.Errorf("counts (-naive +got):\n%s", d)
			}
		}
		for number, want := range naive {
			d := store.documents[IDOf("safety", number)]
			if d.Version != want.version || (d.Terms["state"] == "withdrawn") != want.event.Withdrawn {
				rt.Errorf("%s is version %d, %s, want %d, withdrawn %t", number, d.Version, d.Terms["state"], want.version,
					want.event.Withdrawn)
			}
		}
	})
}

// memory is a store of a test that writes thousands of times; the real one is in the other tests.
type memory struct{ documents map[string]decisions.Document }

func (m *memory) Get(_ context.Context, _ decisions.Kind, id string) (decisions.Document, error) {
	d, ok := m.documents[id]
	if !ok {
		return d, decisions.ErrNotFound
	}
	return d, nil
}

func (m *memory) Find(_ context.Context, q decisions.Query) (out []decisions.Document, err error) {
	for _, d := range m.documents {
		if d.ID > q.After && (q.Terms == nil || slices.Contains(q.Terms["source"], d.Terms["source"])) {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b decisions.Document) int { return strings.Compare(a.ID, b.ID) })
	if q.Limit > 0 && len(out) > q.Limit {
		out = out[:q.Limit]
	}
	return out, nil
}

func (m *memory) Write(_ context.Context, changes ...decisions.Change) (out []decisions.Document, err error) {
	for _, c := range changes {
		if m.documents[c.ID].Version != c.Expect {
			return nil, decisions.ErrConflict
		}
	}
	for _, c := range changes {
		c.Version = c.Expect + 1
		m.documents[c.ID] = c.Document
		out = append(out, c.Document)
	}
	return out, nil
}

func TestSources(t *testing.T) {
	t.Parallel()
	store := openStore(t)
	none, err := Sources(t.Context(), store)
	if err != nil || len(none) > 0 {
		t.Errorf("Sources of an empty store = %v, %v", none, err)
	}
	i := &Intake{Records: store, By: "test"}
	for _, name := range []string{"b", "a", "b"} {
		sheet := read(t, header+"1,p1,,2026-03-01,actual\n", Mapping{Name: name})
		plan, err := i.Plan(t.Context(), sheet)
		if err == nil {
			err = i.Apply(t.Context(), &plan, false)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := Sources(t.Context(), store)
	if d := cmp.Diff([]string{"a", "b"}, got); d != "" || err != nil {
		t.Errorf("Sources (-want +got):\n%s%v", d, err)
	}
}

func TestADocumentOfANewerProgram(t *testing.T) {
	t.Parallel()
	store := openStore(t)
	_, err := store.Write(t.Context(), decisions.Change{Document: decisions.Document{
		Kind: decisions.Incident, ID: "x", By: "test", Body: []byte(`{"v":2,"source":"safety"}`),
		Terms: map[string]string{"source": "safety"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&Intake{Records: store, By: "test"}).Plan(t.Context(), Sheet{Source: "safety"}); err == nil ||
		!strings.Contains(err.Error(), "version of the program") {
		t.Errorf("Plan = %v, want that the form is not known", err)
	}
}
