package facts_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// bare compares ids by what they hold.
func bare() gocmp.Option {
	return gocmp.Comparer(func(a, b phi.ID) bool { return a == b })
}

func midnight(text string) time.Time {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return day
}

func keyOf(id string) facts.EventKey { return facts.EventKey{Source: Source, ID: phi.New(id)} }

// ward is a load in which each event is another kind of case.
func ward() Batch {
	return Batch{
		Patients: []mapping.Patient{
			Patient("ana", func(p *mapping.Patient) {
				p.Race.From, p.Language.From = "Patient.extension(us-core-race)", "Patient.communication"
				p.InterpreterNeed.From = "Patient.extension(needed)"
			}),
			Patient("old", replacedBy("ana")),
			Patient("bo", func(p *mapping.Patient) {
				p.InterpreterNeed, p.Race = State(mapping.Missing), State(mapping.AskedDeclined)
			}),
		},
		Encounters: []mapping.Encounter{
			Encounter("e1", "ana", "IMP", "2026-01-01", "2026-01-09", func(e *mapping.Encounter) {
				e.InterpreterUse = mapping.Documented
			}),
			Encounter("e2", "bo", "EMER", "2026-02-01", "2026-02-02", heldAt("H2"), needs(Known("no"))),
			Encounter("e3", "bo", "VR", "2026-02-05", "2026-02-05", func(e *mapping.Encounter) {
				e.Telehealth = true
			}),
		},
		Events: []mapping.AdverseEvent{
			Event("a", "old", "2026-01-05", of("e1"), func(a *mapping.AdverseEvent) {
				a.DateFrom, a.Detected = "AdverseEvent.date", At("2026-01-07")
				a.Category, a.Severity, a.Outcome = Known("wrong-dose"), Known("severe"), Known("fatal")
				a.Inequity = Known("yes")
			}),
			Event("b", "bo", "2026-02-01", func(a *mapping.AdverseEvent) {
				a.Actuality, a.Category = mapping.Potential, Known("wrong-dose")
			}),
			Event("c", "bo", "2026-02-05", of("e3")),
			Event("d", "bo", "", of("e1")),
			Event("e", "nobody", "2026-03-01"),
		},
	}
}

func TestEventsHaveWhatTheirPatientsAndEncountersHave(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, ward())
	events, err := Current(t, dir).Events(t.Context(), facts.EventFilter{})
	if err != nil {
		t.Fatal(err)
	}
	groups := func(race, need, age, site string) map[string]string {
		return map[string]string{
			"race": race, "ethnicity": "2186-5", "race_ethnicity": "2054-5", "language": "es",
			"language_group": "spanish", "interpreter_need": need, "sex": "female", "age_band": age, "site": site,
		}
	}
	head := func(id, date, site string) facts.EventHead {
		h := facts.EventHead{
			Source: Source, ID: phi.New(id), Actuality: "actual", DateFrom: "date",
			Category: "~missing", Severity: "mild", Seriousness: "~missing", Outcome: "~unknown",
			Recorded: "~missing", Site: site,
		}
		if date != "" {
			h.Date = midnight(date)
		}
		return h
	}
	want := map[string]facts.Event{
		"a": {
			EventHead: facts.EventHead{
				Source: Source, ID: phi.New("a"), Actuality: "actual", Date: midnight("2026-01-05"),
				DateFrom: "AdverseEvent.date", Detected: midnight("2026-01-07"), Category: "wrong-dose",
				Severity: "severe", Seriousness: "~missing", Outcome: "fatal", Recorded: "yes", Site: "H1",
			},
			Patient: phi.New("ana"), Known: true, Encounter: phi.New("e1"), Linked: true, Class: "IMP",
			Start: midnight("2026-01-01"), End: midnight("2026-01-09"),
			Need: "yes", NeedFrom: "Patient.extension(needed)", Use: mapping.Documented,
			Groups: groups("2054-5", "yes", "65-74", "H1"),
			From: map[string]string{
				"race": "Patient.extension(us-core-race)", "race_ethnicity": "Patient.extension(us-core-race)",
				"language": "Patient.communication", "language_group": "Patient.communication",
				"interpreter_need": "Patient.extension(needed)",
			},
		},
		"b": {
			Patient: phi.New("bo"), Known: true, Encounter: phi.New("e2"), Linked: true, Class: "EMER",
			Start: midnight("2026-02-01"), End: midnight("2026-02-02"),
			Need: "no", NeedFrom: "Encounter", Use: mapping.NoneDocumented,
			Groups: groups("~asked-declined", "no", "65-74", "H2"),
			From:   map[string]string{"interpreter_need": "Encounter"},
		},
		"c": {
			EventHead: head("c", "2026-02-05", "H1"),
			Patient:   phi.New("bo"), Known: true, Encounter: phi.New("e3"), Linked: true, Class: "VR",
			Start: midnight("2026-02-05"), End: midnight("2026-02-05"), Telehealth: true,
			Need: "~missing", Use: mapping.NoneDocumented,
			Groups: groups("~asked-declined", "~missing", "65-74", "H1"), From: map[string]string{},
		},
		"d": {
			EventHead: head("d", "", "~missing"),
			Patient:   phi.New("bo"), Known: true, Encounter: phi.New("e1"), Need: "~missing",
			Groups: groups("~asked-declined", "~missing", "~missing", "~missing"), From: map[string]string{},
		},
		"e": {EventHead: head("e", "2026-03-01", "~missing"), Patient: phi.New("nobody"), Need: "~missing"},
	}
	b := want["b"]
	b.EventHead = head("b", "2026-02-01", "H2")
	b.Actuality, b.Category = "potential", "wrong-dose"
	want["b"] = b
	got := map[string]facts.Event{}
	for _, e := range events {
		got[e.ID.Reveal()] = e
	}
	if d := gocmp.Diff(want, got, bare()); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
}

func TestEventFilter(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, ward())
	s := Current(t, dir)
	for _, tt := range []struct {
		name string
		in   facts.EventFilter
		want string
	}{
		{"nothing asked is all", facts.EventFilter{}, "a b c d e"},
		{"from a day on", facts.EventFilter{From: midnight("2026-02-01")}, "b c e"},
		{"to a day", facts.EventFilter{To: midnight("2026-02-01")}, "a b"},
		{"a day and what has none", facts.EventFilter{From: midnight("2026-03-01"), Undated: true}, "d e"},
		{"near misses", facts.EventFilter{Actuality: mapping.Potential}, "b"},
		{"a category", facts.EventFilter{Category: "wrong-dose"}, "a b"},
		{"a category that is not recorded", facts.EventFilter{Category: "~missing", Sites: []string{"H1"}}, "c"},
		{"sites", facts.EventFilter{Sites: []string{"H2", "~missing"}}, "b d e"},
		{"by key", facts.EventFilter{Keys: []facts.EventKey{keyOf("c"), keyOf("a"), keyOf("z")}}, "a c"},
		{"the key of another source", facts.EventFilter{Keys: []facts.EventKey{{Source: "x", ID: phi.New("a")}}}, ""},
		{"an empty list of keys is none", facts.EventFilter{Keys: []facts.EventKey{}}, ""},
		{"a page", facts.EventFilter{Limit: 2}, "a b"},
		{"the next page", facts.EventFilter{After: keyOf("b"), Limit: 2}, "c d"},
		{"the page after the last", facts.EventFilter{After: keyOf("e"), Limit: 2}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			heads, err := s.EventHeads(t.Context(), tt.in)
			if err != nil {
				t.Fatal(err)
			}
			events, err := s.Events(t.Context(), tt.in)
			if err != nil {
				t.Fatal(err)
			}
			var ids, same []string
			for i := range heads {
				ids = append(ids, heads[i].ID.Reveal())
			}
			for i := range events {
				same = append(same, events[i].ID.Reveal())
				if d := gocmp.Diff(heads[i], events[i].EventHead, bare()); d != "" {
					t.Errorf("the head of an event is another (-EventHeads +Events):\n%s", d)
				}
			}
			if got := strings.Join(ids, " "); got != tt.want || strings.Join(same, " ") != tt.want {
				t.Errorf("EventHeads(%+v) = %s, Events = %s; want %s", tt.in, got, same, tt.want)
			}
		})
	}
}

func TestDaysBefore1970(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, Batch{
		Patients: []mapping.Patient{Patient("p")},
		Events:   []mapping.AdverseEvent{Event("a", "p", "1969-12-31"), Event("b", "p", "1969-12-30")},
	})
	heads, err := Current(t, dir).EventHeads(t.Context(), facts.EventFilter{From: midnight("1969-12-31")})
	if err != nil || len(heads) != 1 || !heads[0].Date.Equal(midnight("1969-12-31")) {
		t.Errorf("events from 1969-12-31 on = %v, %v; want the one of that day", heads, err)
	}
}

// wantAlike counts events that are alike, one after the other.
func wantAlike(b *Batch, of mapping.AdverseEvent) map[string]facts.Alike {
	out := map[string]facts.Alike{}
	if of.Date.Precision == fhir.NoDate || of.Category.State != mapping.Known {
		return out
	}
	day := func(a mapping.AdverseEvent) time.Time { return time.Unix(int64(a.Date.Days)*24*60*60, 0).UTC() }
	for _, a := range b.Events {
		if a.ID == of.ID || a.Actuality != of.Actuality || a.Category != of.Category ||
			a.Date.Precision == fhir.NoDate ||
			day(a).Before(day(of).AddDate(0, -6, 0)) || day(a).After(day(of).AddDate(0, 6, 0)) {
			continue
		}
		at := slices.IndexFunc(b.Patients, func(p mapping.Patient) bool { return p.ID == a.Patient })
		if at < 0 {
			continue
		}
		key := facts.Key(b.Patients[at].Language)
		counted := out[key]
		counted.Dimension, counted.Key = mapping.DimensionLanguage, key
		counted.Events++
		if a.Inequity.State == mapping.Known && a.Inequity.Code != "not-asked" {
			counted.Answered++
		}
		if a.Inequity.Code == mapping.Yes {
			counted.Yes++
		}
		out[key] = counted
	}
	return out
}

func TestAlike(t *testing.T) {
	t.Parallel()
	d := rand.New(rand.NewPCG(5, 5)) // #nosec G404 -- a test's dice
	b := Batch{}
	for i := range 12 {
		b.Patients = append(b.Patients, Patient(fmt.Sprint("p", i), func(p *mapping.Patient) {
			p.Language = pick(d, Known("es"), Known("en"), State(mapping.Missing))
		}))
	}
	for i := range 200 {
		// Days of which a month earlier or later always is one, so that both calendars agree.
		date := pick(d, "", fmt.Sprintf("202%d-%02d-%02d", 4+d.IntN(3), 1+d.IntN(12), 1+d.IntN(28)))
		b.Events = append(b.Events, Event(fmt.Sprint("v", i), fmt.Sprint("p", d.IntN(13)), date,
			func(a *mapping.AdverseEvent) {
				a.Actuality = pick(d, mapping.Actual, mapping.Potential)
				a.Category = pick(d, Known("device"), Known("wrong-dose"), State(mapping.Missing))
				a.Inequity = pick(d, Known("yes"), Known("no"), Known("undetermined"), Known("not-asked"),
					State(mapping.Missing))
			}))
	}
	dir := Open(t)
	Load(t, dir, b)
	s := Current(t, dir)
	found := 0
	for _, a := range b.Events[:60] {
		all, err := s.Alike(t.Context(), facts.EventKey{Source: Source, ID: a.ID})
		if err != nil {
			t.Fatal(err)
		}
		got, sums := map[string]facts.Alike{}, map[string]int{}
		for _, x := range all {
			if x.Dimension == mapping.DimensionLanguage {
				got[x.Key] = x
			}
			sums[x.Dimension] += x.Events
		}
		if d := gocmp.Diff(wantAlike(&b, a), got); d != "" {
			t.Fatalf("events like one (-want +got):\n%s", d)
		}
		for dimension, n := range sums {
			if n != sums[mapping.DimensionLanguage] {
				t.Errorf("by %s there are %d events alike, by language %d", dimension, n, sums[mapping.DimensionLanguage])
			}
		}
		if len(got) > 0 {
			found++
			if len(sums) != len(facts.EventDimensions()) {
				t.Errorf("events alike are counted by %d dimensions, want %d", len(sums), len(facts.EventDimensions()))
			}
		}
	}
	if found == 0 || found == 60 {
		t.Errorf("%d of 60 events have others alike; the dice are bad", found)
	}
}
