package bedside_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/mapping"
)

// TestTotals holds that whatever the EHR sends is shown, counted, or said to be more than is shown.
func TestTotals(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	r, _ := reader(t, func(c *bedside.Config) { c.Visits, c.Events = 2, 1 })
	other := object{"subject": object{"reference": "Patient/somebody-else"}}
	rapid.Check(t, func(rt *rapid.T) {
		kinds := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 5).Draw(rt, "encounters")
		harms := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 4).Draw(rt, "events")
		e.encounters, e.events = nil, nil
		want := map[string]int{}
		for i, kind := range kinds {
			id, at := fmt.Sprintf("e%d", i), day(rapid.IntRange(0, 900).Draw(rt, "day"))
			switch kind {
			case 0, 1:
				e.encounters = append(e.encounters, visit(id, at, nil))
				want["visits"]++
			case 2:
				e.encounters = append(e.encounters, visit(id, at, other))
				want["Encounter other-patient"]++
			case 3:
				e.encounters = append(e.encounters, visit(id, "not a date", nil))
				want["Encounter unreadable"]++
			}
		}
		for i, kind := range harms {
			id, at := fmt.Sprintf("a%d", i), day(rapid.IntRange(0, 900).Draw(rt, "day"))
			switch kind {
			case 0, 1:
				e.events = append(e.events, harmed(id, at, nil))
				want["events"]++
			case 2:
				e.events = append(e.events, harmed(id, at, other))
				want["AdverseEvent other-patient"]++
			case 3:
				e.events = append(e.events, harmed(id, at, object{"actuality": "odd"}))
				want["AdverseEvent unreadable"]++
			case 4:
				e.events = append(e.events, harmed(id, day(2000), nil))
				want["old"]++
			}
		}
		got, err := r.Read(t.Context(), e.access(t))
		if err != nil {
			rt.Fatal(err)
		}
		checkTotals(rt, got, want)
	})
}

func checkTotals(t *rapid.T, got bedside.View, want map[string]int) {
	t.Helper()
	if len(got.Visits) != min(2, want["visits"]) || got.More != (want["visits"] > 2) {
		t.Fatalf("%d visits, more %v, of %d", len(got.Visits), got.More, want["visits"])
	}
	if len(got.Events) != min(1, want["events"]) ||
		got.MoreEvents != (want["events"] > 1 || want["old"] > 0) {
		t.Fatalf("%d events, more %v, of %d and %d old", len(got.Events), got.MoreEvents,
			want["events"], want["old"])
	}
	for _, n := range got.Notices {
		name := n.Resource + " " + string(n.Kind)
		if n.Count != want[name] || n.Count == 0 {
			t.Fatalf("%s: %d, want %d", name, n.Count, want[name])
		}
		delete(want, name)
	}
	for name, n := range want {
		if strings.Contains(name, " ") {
			t.Fatalf("%d of %s are not counted", n, name)
		}
	}
	newestFirst := func(a, b fhir.DateTime) int { return int(b.Days - a.Days) }
	if !slices.IsSortedFunc(got.Visits, func(a, b bedside.Visit) int { return newestFirst(a.Start, b.Start) }) ||
		!slices.IsSortedFunc(got.Events, func(a, b bedside.Event) int { return newestFirst(a.Date, b.Date) }) {
		t.Fatalf("not the newest first: %+v %+v", got.Visits, got.Events)
	}
	for i, name := range []string{"race", "ethnicity", "language", "interpreter_need"} {
		if got.Fields[i].Name != name || !slices.Contains(mapping.States(), got.Fields[i].State) {
			t.Fatalf("field %d is %+v, want %s with a state", i, got.Fields[i], name)
		}
	}
}

func TestLaterCopyCounts(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	older := visit("x", day(1), object{"meta": object{"lastUpdated": "2020-01-01T00:00:00Z"}})
	e.encounters = []object{visit("x", day(1), object{"participant": translated()}), older}
	r, _ := reader(t, nil)
	got, err := r.Read(t.Context(), e.access(t))
	if err != nil || len(got.Visits) != 1 || got.Visits[0].Use != mapping.Documented {
		t.Errorf("Read = %+v, %v", got.Visits, err)
	}
}

func TestBannerNames(t *testing.T) {
	t.Parallel()
	name := func(use, text string) object { return object{"use": use, "text": text} }
	tests := []struct {
		name string
		in   []object
		want string
	}{
		{"none", nil, ""},
		{"official before usual", []object{name("usual", "A"), name("official", "B")}, "B"},
		{"usual before a nickname", []object{name("nickname", "A"), name("usual", "B")}, "B"},
		{"the first of equals", []object{name("usual", "A"), name("usual", "B")}, "A"},
		{"no use before a maiden name", []object{name("maiden", "A"), {"text": "B"}}, "B"},
		{"a former official name comes last", []object{{"use": "official", "text": "A",
			"period": object{"end": "2020-01-01"}}, name("temp", "B")}, "B"},
		{"a name that ends in the future", []object{{"use": "official", "text": "A",
			"period": object{"end": "2030-01-01"}}, name("usual", "B")}, "A"},
		{"parts", []object{{"use": "usual", "family": "Núñez", "given": []string{"Ana", "Sofía"}}},
			"Ana Sofía Núñez"},
		{"an empty name is passed over", []object{{"use": "official"}, name("usual", "B")}, "B"},
		{"what turns the direction of writing", []object{name("official", "A\u202eB\u2066C\u200fD")}, "ABCD"},
		{"white space", []object{name("official", "A \u00a0  B\tC")}, "A B C"},
		{"very long", []object{name("official", strings.Repeat("ñ", 500))}, strings.Repeat("ñ", 200)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEHR(t)
			e.patient["name"] = tt.in
			if tt.in == nil {
				delete(e.patient, "name")
			}
			r, _ := reader(t, nil)
			a := e.access(t)
			a.Banner = true
			got, err := r.Read(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			if got.Banner == nil || got.Banner.Name != tt.want {
				t.Errorf("banner = %+v, want %q", got.Banner, tt.want)
			}
			a.Banner = false
			if got, err := r.Read(t.Context(), a); err != nil || got.Banner != nil {
				t.Errorf("without asking: %+v, %v", got.Banner, err)
			}
		})
	}
}
