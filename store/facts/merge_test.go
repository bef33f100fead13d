package facts_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// baseRows is all that a snapshot holds but for the order of reading.
func baseRows(t *testing.T, s *facts.Snapshot) []string {
	t.Helper()
	var out []string
	for _, table := range []string{"patient", "encounter", "adverse_event"} {
		out = append(out, table)
		out = append(out, Rows(t, s, "SELECT * EXCLUDE (seq) FROM base."+table+" ORDER BY id")...)
	}
	return out
}

// version is a copy of a resource whose language says which.
func version(p mapping.Patient, updated, number int64) mapping.Patient {
	p.Version = mapping.Version{Updated: updated, Number: number}
	p.Language = Known(fmt.Sprintf("v%d.%d", updated, number))
	return p
}

// TestEveryOrderOfDeliveryEndsAlike replays the versions of forty resources of each kind: shuffled,
// with duplicates, and split over increments. Whatever the order, the newest version of each is
// left.
func TestEveryOrderOfDeliveryEndsAlike(t *testing.T) {
	t.Parallel()
	history := histories(rand.New(rand.NewPCG(11, 12))) // #nosec G404 -- a test's dice
	dir := Open(t)
	want := Load(t, dir, newestOf(history))
	wantRows := baseRows(t, Current(t, dir))
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("order ", seed), func(t *testing.T) {
			t.Parallel()
			d := rand.New(rand.NewPCG(seed, 1)) // #nosec G404 -- a test's dice
			dir := Open(t)
			var last facts.Merged
			for i, b := range deliveries(d, history) {
				if i > 0 {
					b.Merge.Loads = Increment(Source)
				}
				last = Load(t, dir, b)
			}
			if last.Digest != want.Digest {
				t.Errorf("digest %s, want %s", last.Digest, want.Digest)
			}
			if d := cmp.Diff(wantRows, baseRows(t, Current(t, dir))); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
		})
	}
}

// histories makes up to five versions of each resource. No two versions of one are equally new:
// which of such a pair wins depends on the order in which they are read, by design.
func histories(d *rand.Rand) Batch {
	var b Batch
	for i := range 40 {
		id := fmt.Sprint(i)
		for v := range 1 + d.IntN(5) {
			updated, number := int64(v/2)*1_000_000, int64(v%2)
			b.Patients = append(b.Patients, version(Patient(id), updated, number))
			e := Encounter(id, fmt.Sprint(d.IntN(40)), "IMP", "2026-03-01", fmt.Sprintf("2026-03-%02d", 2+v))
			e.Version = mapping.Version{Updated: updated, Number: number}
			b.Encounters = append(b.Encounters, e)
			a := Event(id, fmt.Sprint(d.IntN(40)), fmt.Sprintf("2026-03-%02d", 2+v))
			a.Version = e.Version
			b.Events = append(b.Events, a)
		}
	}
	return b
}

// newestOf keeps the last version of each resource, which histories wrote in order.
func newestOf(b Batch) Batch {
	var out Batch
	for i, p := range b.Patients {
		if i+1 == len(b.Patients) || b.Patients[i+1].ID != p.ID {
			out.Patients = append(out.Patients, p)
			out.Encounters = append(out.Encounters, b.Encounters[i])
			out.Events = append(out.Events, b.Events[i])
		}
	}
	return out
}

// deliveries deals every version, some of them twice, to three runs.
func deliveries(d *rand.Rand, b Batch) []Batch {
	out := make([]Batch, 3)
	out[0].Patients = deal(d, b.Patients, out,
		func(x *Batch) *[]mapping.Patient { return &x.Patients })
	out[0].Encounters = deal(d, b.Encounters, out,
		func(x *Batch) *[]mapping.Encounter { return &x.Encounters })
	out[0].Events = deal(d, b.Events, out, func(x *Batch) *[]mapping.AdverseEvent { return &x.Events })
	return out
}

func deal[T any](d *rand.Rand, records []T, to []Batch, of func(*Batch) *[]T) []T {
	all := slices.Clone(records)
	for range len(records) / 3 {
		all = append(all, records[d.IntN(len(records))])
	}
	d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, r := range all {
		list := of(&to[d.IntN(len(to))])
		*list = append(*list, r)
	}
	return *of(&to[0])
}

func TestWhichCopyWins(t *testing.T) {
	t.Parallel()
	p := func(language string, updated, number int64) mapping.Patient {
		v := version(Patient("a"), updated, number)
		v.Language = Known(language)
		return v
	}
	tests := []struct {
		name string
		runs [][]mapping.Patient
		want string
	}{
		{"the later lastUpdated", [][]mapping.Patient{{p("new", 2, 1), p("old", 1, 9)}}, "new"},
		{"then the higher versionId", [][]mapping.Patient{{p("new", 1, 3), p("old", 1, 2)}}, "new"},
		{"then the copy read last", [][]mapping.Patient{{p("old", 1, 1), p("new", 1, 1)}}, "new"},
		{"a later run that is newer", [][]mapping.Patient{{p("old", 1, 1)}, {p("new", 2, 1)}}, "new"},
		{"a later run that is older", [][]mapping.Patient{{p("new", 2, 1)}, {p("old", 1, 1)}}, "new"},
		{"a later run that is equally new", [][]mapping.Patient{{p("old", 1, 1)}, {p("new", 1, 1)}},
			"new"},
		{"without any version the later run", [][]mapping.Patient{{p("old", 0, 0)}, {p("new", 0, 0)}},
			"new"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := Open(t)
			for i, patients := range test.runs {
				b := Batch{Patients: patients}
				if i > 0 {
					b.Merge.Loads = Increment(Source)
				}
				Load(t, dir, b)
			}
			got := Rows(t, Current(t, dir), "SELECT language FROM base.patient")
			if d := cmp.Diff([]string{test.want}, got); d != "" {
				t.Errorf("patients (-want +got):\n%s", d)
			}
		})
	}
}

func ids(t *testing.T, dir *facts.Dir) []string {
	t.Helper()
	return Rows(t, Current(t, dir), "SELECT id FROM base.patient ORDER BY id")
}

func TestFullLoadsAndIncrements(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	all := []mapping.Patient{Patient("a"), Patient("b"), Patient("c")}
	first := Load(t, dir, Batch{Patients: all})
	if l := first.Loads[0]; l.Stored != 3 || l.Deleted != 0 {
		t.Errorf("first load: stored %d, deleted %d; want 3 and 0", l.Stored, l.Deleted)
	}
	// Deletions count after what was delivered, and only once.
	merged := Load(t, dir, Batch{Patients: []mapping.Patient{Patient("d"), Patient("a")},
		Deleted: map[string][]string{"Patient": {"a", "b", "nobody", "b"}, "Group": {"g"}},
		Merge:   facts.Merge{Loads: Increment(Source)}})
	if l := merged.Loads[0]; l.Stored != 1 || l.Deleted != 2 {
		t.Errorf("increment: stored %d, deleted %d; want 1 and 2", l.Stored, l.Deleted)
	}
	if d := cmp.Diff([]string{"c", "d"}, ids(t, dir)); d != "" {
		t.Errorf("after the increment (-want +got):\n%s", d)
	}
	// An id that comes back is a resource again.
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("a"), Patient("b")},
		Merge: facts.Merge{Loads: Increment(Source)}})
	merged = Load(t, dir, Batch{Patients: all})
	if d := cmp.Diff([]string{"a", "b", "c"}, ids(t, dir)); d != "" {
		t.Errorf("after another full load (-want +got):\n%s", d)
	}
	if l := merged.Loads[0]; l.Stored != 3 || l.Deleted != 1 || merged.Digest != first.Digest {
		t.Errorf("full load: stored %d, deleted %d, digest %s; want 3, 1 and %s",
			l.Stored, l.Deleted, merged.Digest, first.Digest)
	}
}

func TestAFullLoadKeepsWhatOtherSourcesGave(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("a"), Patient("b")}})
	events := []facts.Load{{Source: "incidents", Type: "AdverseEvent", Complete: true, Full: true}}
	Load(t, dir, Batch{Source: "incidents", Events: []mapping.AdverseEvent{Event("v", "a",
		"2026-03-01")},
		Merge: facts.Merge{Loads: events}})
	Load(t, dir, Batch{Source: "other", Patients: []mapping.Patient{Patient("o")},
		Merge: facts.Merge{Loads: Full("other")[:1]}})
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("b"), Patient("c")}})
	s := Current(t, dir)
	got := Rows(t, s, `SELECT id, source FROM base.patient
		UNION ALL SELECT id, source FROM base.adverse_event ORDER BY id`)
	want := []string{"b ehr", "c ehr", "o other", "v incidents"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("resources (-want +got):\n%s", d)
	}
	var loaded []string
	for _, l := range s.Info.Loads {
		loaded = append(loaded, l.Source+" "+l.Type)
	}
	want = []string{"ehr AdverseEvent", "ehr Encounter", "ehr Patient", "incidents AdverseEvent",
		"other Patient"}
	if d := cmp.Diff(want, loaded); d != "" {
		t.Errorf("loads (-want +got):\n%s", d)
	}
}

func TestATypeThatShrinksTooMuchStopsTheRun(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	var ten []mapping.Patient
	for i := range 10 {
		ten = append(ten, Patient(fmt.Sprint(i)))
	}
	Load(t, dir, Batch{Patients: ten})
	before, _ := dir.Current()
	for name, b := range map[string]Batch{
		"a full load that holds less": {Patients: ten[:8]},
		"an increment that deletes": {Deleted: map[string][]string{"Patient": {"0", "1"}},
			Merge: facts.Merge{Loads: Increment(Source)}},
	} {
		b.Merge.MaxShrink = 0.1
		_, err := TryLoad(t.Context(), dir, b)
		var shrunk *facts.ShrunkError
		if !errors.As(err, &shrunk) || shrunk.Type != "Patient" || shrunk.Before != 10 ||
			shrunk.After != 8 {
			t.Errorf("%s: %v, want that Patient shrinks from 10 to 8", name, err)
		}
	}
	snapshots, err := dir.IDs()
	if now, _ := dir.Current(); now != before || err != nil || len(snapshots) != 1 {
		t.Errorf("current %s, snapshots %v, %v; want %s alone", now, snapshots, err, before)
	}
	Load(t, dir, Batch{Patients: ten[:9], Merge: facts.Merge{MaxShrink: 0.1}})
	if got := len(ids(t, dir)); got != 9 {
		t.Errorf("%d patients after a loss of just a tenth, want 9", got)
	}
}

func TestMomentOfTheData(t *testing.T) {
	t.Parallel()
	moment := func(day int) time.Time { return time.Date(2026, 6, day, 3, 0, 0, 0, time.UTC) }
	stamped := func(days ...int) facts.Merge {
		m := facts.Merge{Loads: Full(Source)}
		for i, day := range days {
			if day > 0 {
				m.Loads[i].TransactionTime = moment(day)
			}
		}
		return m
	}
	updated := Patient("a")
	updated.Version.Updated = moment(20).UnixMicro()
	tests := []struct {
		name string
		b    Batch
		want time.Time
	}{
		{"the oldest transactionTime", Batch{Patients: []mapping.Patient{updated}, Merge: stamped(12, 11,
			13)}, moment(11)},
		{"of what a server gave", Batch{Merge: stamped(12, 0, 13)}, moment(12)},
		{"else the newest lastUpdated", Batch{Patients: []mapping.Patient{updated, Patient("b")},
			Encounters: []mapping.Encounter{Encounter("1", "a", "AMB", "2026-06-25", "2026-06-25")}},
			moment(20)},
		{"else the newest date of what happened", Batch{Patients: []mapping.Patient{Patient("a")},
			Encounters: []mapping.Encounter{
				Encounter("1", "a", "AMB", "2026-06-02T03:00:00Z", "2026-06-03T03:00:00Z"),
				Encounter("2", "a", "AMB", "2026-12-24", "2026-12-24", status("planned")),
			}}, moment(3)},
		{"an event that is later", Batch{Patients: []mapping.Patient{Patient("a")},
			Encounters: []mapping.Encounter{Encounter("1", "a", "AMB", "2026-06-02", "2026-06-03")},
			Events:     []mapping.AdverseEvent{Event("v", "a", "2026-06-04T03:00:00Z")}}, moment(4)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := Open(t)
			merged := Load(t, dir, test.b)
			s := Current(t, dir)
			if !merged.DataAsOf.Equal(test.want) || !s.Info.DataAsOf.Equal(test.want) {
				t.Errorf("data as of %s and %s, want %s", merged.DataAsOf, s.Info.DataAsOf, test.want)
			}
		})
	}
}

// TestAnIncrementDoesNotCompleteAPartialLoad: what was missing is still missing.
func TestAnIncrementDoesNotCompleteAPartialLoad(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	partial := facts.Merge{Loads: Full(Source)}
	partial.Loads[1].Complete, partial.Loads[1].Reason = false, "one file was not delivered"
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("a")}, Merge: partial})
	merged := Load(t, dir, Batch{Merge: facts.Merge{Loads: Increment(Source)}})
	present, complete, reason := Current(t, dir).Holds("Encounter")
	if !present || complete || reason != "one file was not delivered" || merged.Loads[1].Complete {
		t.Errorf("Holds(Encounter) = %t, %t, %q after an increment", present, complete, reason)
	}
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("a")}})
	if present, complete, _ := Current(t, dir).Holds("Encounter"); !present || !complete {
		t.Errorf("Holds(Encounter) = %t, %t after a full load", present, complete)
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	m := facts.Merge{Loads: Full(Source)[:2]}
	m.Loads[1].Complete, m.Loads[1].Reason = false, "cut short"
	Load(t, dir, Batch{Merge: m})
	s := Current(t, dir)
	for name, want := range map[string]string{
		"Patient": "true true ", "Encounter": "true false cut short", "AdverseEvent": "false false ",
	} {
		present, complete, reason := s.Holds(name)
		if got := fmt.Sprint(present, complete, " ", reason); got != want {
			t.Errorf("Holds(%s) = %s, want %s", name, got, want)
		}
	}
}

// TestEveryValueOfTheMappingFits stages each code and state that the mapping can give.
func TestEveryValueOfTheMappingFits(t *testing.T) {
	t.Parallel()
	var values []mapping.Value
	for _, code := range []string{"AMB", "EMER", "FLD", "HH", "IMP", "ACUTE", "NONAC", "OBSENC",
		"PRENC", "SS", "VR"} {
		values = append(values, Known(code))
	}
	var b Batch
	for _, s := range append(mapping.States()[1:], "") {
		values = append(values, State(s))
	}
	dispositions := []string{"home", "alt-home", "other-hcf", "hosp", "long", "aadvice", "exp", "psy",
		"rehab",
		"snf", "oth", "lwbs"}
	statuses := []string{"planned", "arrived", "triaged", "in-progress", "onleave", "finished",
		"cancelled",
		"entered-in-error", "unknown", "", "made-up"}
	uses := []mapping.InterpreterUse{mapping.Documented, mapping.Arranged, mapping.AdHoc,
		mapping.NoneDocumented}
	for i := range 40 {
		e := Encounter(fmt.Sprint(i), "a", "IMP", "", "")
		e.Class = values[i%len(values)]
		e.Disposition = append(values[11:], Known(dispositions[i%12]))[i%9]
		e.Status = statuses[i%len(statuses)]
		e.Modality = []string{"", mapping.Video, mapping.Audio}[i%3]
		e.InterpreterUse = uses[i%4]
		e.InterpreterNeed = append(values[11:], Known(mapping.Yes), Known(mapping.No))[i%10]
		b.Encounters = append(b.Encounters, e)
	}
	for _, d := range dispositions {
		b.Encounters = append(b.Encounters, Encounter("d"+d, "a", "IMP", "", "", disposed(d)))
	}
	dir := Open(t)
	if merged := Load(t, dir, b); merged.Loads[1].Stored != 52 {
		t.Errorf("stored %d encounters, want 52", merged.Loads[1].Stored)
	}
}
