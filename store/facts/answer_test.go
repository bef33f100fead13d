package facts_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// answered is a load of events of which the source has each kind of answer on record.
func answered() Batch {
	recorded := func(v mapping.Value) func(*mapping.AdverseEvent) {
		return func(a *mapping.AdverseEvent) { a.Inequity = v }
	}
	b := Batch{Patients: []mapping.Patient{Patient("p")}}
	for id, v := range map[string]mapping.Value{
		"a-missing": State(mapping.Missing), "b-not-asked": Known("not-asked"), "c-no": Known("no"),
		"d-conflicting": State(mapping.Conflicting), "e-yes": Known("yes"),
	} {
		b.Events = append(b.Events, Event(id, "p", "2026-03-05", recorded(v)))
	}
	return b
}

// loadAnswers brings a batch and, unless nil, answers to the live snapshot.
func loadAnswers(t *testing.T, dir *facts.Dir, b Batch, answers []facts.Answer) facts.Merged {
	t.Helper()
	if b.Source == "" {
		b.Source = Source
	}
	run := begin(t, dir, b.Source)
	defer func() { _ = run.Close() }()
	if err := run.Stage(t.Context()); err != nil {
		t.Fatal(err)
	}
	if answers != nil {
		if err := run.SetAnswers(t.Context(), answers); err != nil {
			t.Fatal(err)
		}
	}
	w, err := run.Writer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.Patients {
		err = errors.Join(err, w.Patient(&b.Patients[i], int64(i)))
	}
	for i := range b.Events {
		err = errors.Join(err, w.AdverseEvent(&b.Events[i], int64(i)))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	merged, err := run.Merge(t.Context(), facts.Merge{Loads: b.Merge.Loads, MaxShrink: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Publish(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := run.Discard(); err != nil {
		t.Fatal(err)
	}
	return merged
}

// inequities lists the answers of the events, by their ids.
func inequities(t *testing.T, dir *facts.Dir) []string {
	t.Helper()
	return Rows(t, Current(t, dir), `SELECT b.id, v.inequity, coalesce(v.inequity_from, '-')
		FROM event v JOIN base.adverse_event b ON b.rowid = v.no ORDER BY b.id`)
}

func answer(source, id, code string) facts.Answer {
	return facts.Answer{Source: source, ID: phi.New(id), Answer: code}
}

var asRecorded = []string{
	"a-missing ~missing -", "b-not-asked not-asked record", "c-no no record",
	"d-conflicting ~conflicting -", "e-yes yes record",
}

func TestAnswersOfReviews(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		in   []facts.Answer
		want []string
	}{
		{"none leave what is on record", []facts.Answer{}, asRecorded},
		{
			"one wins over what is on record, whatever that is",
			[]facts.Answer{
				answer(Source, "a-missing", "yes"), answer(Source, "b-not-asked", "no"),
				answer(Source, "c-no", "yes"), answer(Source, "d-conflicting", "undetermined"),
				answer(Source, "e-yes", "no"),
			},
			[]string{"a-missing yes review", "b-not-asked no review", "c-no yes review",
				"d-conflicting undetermined review", "e-yes no review"},
		},
		{
			"one of an event that is not here, or of another source, does nothing",
			[]facts.Answer{answer(Source, "gone", "yes"), answer("other", "a-missing", "yes")},
			asRecorded,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := Open(t)
			loadAnswers(t, dir, withLoads(answered(), Full(Source)), c.in)
			if d := cmp.Diff(c.want, inequities(t, dir)); d != "" {
				t.Errorf("answers (-want +got):\n%s", d)
			}
		})
	}
}

func withLoads(b Batch, loads []facts.Load) Batch {
	b.Merge.Loads = loads
	return b
}

func TestAnswersStayUntilTheyAreReplaced(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	first := loadAnswers(t, dir, withLoads(answered(), Full(Source)),
		[]facts.Answer{answer(Source, "a-missing", "yes"), answer(Source, "later", "no")})
	later := Batch{Events: []mapping.AdverseEvent{Event("later", "p", "2026-04-01")}}
	loadAnswers(t, dir, withLoads(later, Increment(Source)), nil)
	want := []string{"a-missing yes review", "b-not-asked not-asked record", "c-no no record",
		"d-conflicting ~conflicting -", "e-yes yes record", "later no review"}
	if d := cmp.Diff(want, inequities(t, dir)); d != "" {
		t.Errorf("after a run that is not told (-want +got):\n%s", d)
	}
	kept := loadAnswers(t, dir, withLoads(Batch{}, []facts.Load{}), nil)
	if !kept.Unchanged || kept.Digest == first.Digest {
		t.Errorf("a run that changes nothing: unchanged %t, digest %s", kept.Unchanged, kept.Digest)
	}
	emptied := loadAnswers(t, dir, withLoads(Batch{}, []facts.Load{}), []facts.Answer{})
	if emptied.Unchanged || emptied.Digest == kept.Digest {
		t.Errorf("a run that takes answers away: unchanged %t, digest %s", emptied.Unchanged, emptied.Digest)
	}
	if d := cmp.Diff(append(asRecorded, "later ~missing -"), inequities(t, dir)); d != "" {
		t.Errorf("after all were taken away (-want +got):\n%s", d)
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	t.Parallel()
	const secret = "id-of-an-event"
	cases := []struct {
		name string
		in   []facts.Answer
		want error
	}{
		{"another word", []facts.Answer{answer(Source, secret, "not-asked")}, facts.ErrAnswer},
		{"no word", []facts.Answer{answer(Source, secret, "")}, facts.ErrAnswer},
		{"no event", []facts.Answer{answer(Source, "", "yes")}, facts.ErrAnswer},
		{"no source", []facts.Answer{answer("", secret, "yes")}, facts.ErrAnswer},
		{"two of one event", []facts.Answer{answer(Source, secret, "yes"), answer(Source, secret, "yes")},
			facts.ErrTwoAnswers},
	}
	dir := Open(t)
	run := begin(t, dir, Source)
	if err := run.SetAnswers(t.Context(), nil); !errors.Is(err, facts.ErrNotStaged) {
		t.Errorf("SetAnswers before Stage = %v, want ErrNotStaged", err)
	}
	if err := run.Stage(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := run.SetAnswers(t.Context(), c.in)
			if !errors.Is(err, c.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("SetAnswers = %v, want %v without the id", err, c.want)
			}
		})
	}
}

func TestASnapshotOfTheVersionBeforeIsAddedTo(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	loadAnswers(t, dir, withLoads(answered(), Full(Source)), nil)
	old, _ := dir.Current()
	facts.MakeOldest(t, dir, old)
	loadAnswers(t, dir, withLoads(Batch{}, []facts.Load{}), []facts.Answer{answer(Source, "c-no", "yes")})
	want := append([]string{}, asRecorded...)
	want[2] = "c-no yes review"
	if d := cmp.Diff(want, inequities(t, dir)); d != "" {
		t.Errorf("answers (-want +got):\n%s", d)
	}
	if got := Current(t, dir).Info.SchemaVersion; got != facts.SchemaVersion {
		t.Errorf("the new snapshot has schema %d, want %d", got, facts.SchemaVersion)
	}
	if got := Snapshot(t, dir, old).Info.SchemaVersion; got != facts.OldestSchema {
		t.Errorf("the old snapshot has schema %d, want it as it was", got)
	}
}

func TestWhoIsUnknown(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, Batch{
		Patients: []mapping.Patient{
			Patient("here"),
			Patient("survivor", func(p *mapping.Patient) { p.Replaces = []phi.ID{phi.New("retired"), phi.New("older")} }),
		},
		Encounters: []mapping.Encounter{Encounter("visit", "here", "AMB", "2026-03-01", "2026-03-01")},
	})
	cases := []struct {
		name               string
		in                 facts.Whom
		patient, encounter bool
	}{
		{"both are here", facts.Whom{Patient: phi.New("here"), Encounter: phi.New("visit")}, false, false},
		{"no encounter is named", facts.Whom{Patient: phi.New("here")}, false, false},
		{"a retired record is that of its survivor", facts.Whom{Patient: phi.New("older")}, false, false},
		{"nobody", facts.Whom{Patient: phi.New("nobody")}, true, false},
		{"no such encounter", facts.Whom{Patient: phi.New("here"), Encounter: phi.New("x")}, false, true},
		{"neither", facts.Whom{Patient: phi.New("x"), Encounter: phi.New("here")}, true, true},
	}
	whom := make([]facts.Whom, 0, len(cases))
	for _, c := range cases {
		whom = append(whom, c.in)
	}
	s := Current(t, dir)
	patients, encounters, err := s.Unknown(t.Context(), whom)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		if patients[i] != c.patient || encounters[i] != c.encounter {
			t.Errorf("%s: unknown %t, %t, want %t, %t", c.name, patients[i], encounters[i], c.patient, c.encounter)
		}
	}
	if patients, encounters, err := s.Unknown(t.Context(), nil); len(patients)+len(encounters) > 0 || err != nil {
		t.Errorf("Unknown(none) = %v, %v, %v", patients, encounters, err)
	}
}
