package bedside_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
)

func bytesOf(t testing.TB, document any) []byte {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestNeed(t *testing.T) {
	t.Parallel()
	who := patient()
	who["extension"] = []object{needed("no")}
	said := object{"status": "in-progress", "extension": []object{needed("yes")}}
	others := object{"subject": object{"reference": "Patient/somebody-else"}}
	tests := []struct {
		name    string
		patient object
		visit   object
		change  func(*bedside.Access)
		want    string
		err     error
	}{
		{"what the encounter says", who, visit(visitID, day(0), said), nil, "yes", nil},
		{"else what the patient says", who, visit(visitID, day(0), nil), nil, "no", nil},
		{"no encounter", who, nil, nil, "", bedside.ErrNoEncounter},
		{"none is open", who, visit(visitID, day(0), said),
			func(a *bedside.Access) { a.Encounter = phi.ID{} }, "", bedside.ErrNoEncounter},
		{"one that never was", who, visit(visitID, day(0), object{"status": "entered-in-error"}), nil, "",
			bedside.ErrNoEncounter},
		{"an encounter of another", who, visit(visitID, day(0), others), nil, "",
			bedside.ErrOtherPatient},
		{"an encounter that is not R4", who, visit(visitID, day(0), object{"status": "odd"}), nil, "",
			bedside.ErrUnreadable},
		{"no scope for encounters", who, visit(visitID, day(0), said),
			func(a *bedside.Access) { a.Scopes = a.Scopes[:3] }, "", bedside.ErrRefused},
		{"no patient", nil, visit(visitID, day(0), said), nil, "", bedside.ErrNoPatient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEHR(t)
			e.patient = tt.patient
			if tt.visit != nil {
				e.encounters = []object{tt.visit}
			}
			a := e.access(t)
			a.Encounter = phi.New(visitID)
			if tt.change != nil {
				tt.change(&a)
			}
			r, _ := reader(t, nil)
			got, err := r.Need(t.Context(), a)
			if !errors.Is(err, tt.err) || got.Code != tt.want {
				t.Errorf("Need = %+v, %v, want %q, %v", got, err, tt.want, tt.err)
			}
			if tt.patient == nil || tt.visit == nil || tt.change != nil {
				return
			}
			// The same two documents say the same when they come by another way.
			twin, err := r.NeedOf(a, bytesOf(t, tt.patient), bytesOf(t, tt.visit))
			if diff := cmp.Diff(got, twin); diff != "" || !errors.Is(err, tt.err) {
				t.Errorf("NeedOf = %v, want %v (-Need +NeedOf):\n%s", err, tt.err, diff)
			}
		})
	}
}

// answers are the statements of the tests and the states that they stand for.
func answers() map[string]mapping.Value {
	return map[string]mapping.Value{
		"":          {State: mapping.Missing},
		"yes":       {State: mapping.Known, Code: "yes"},
		"no":        {State: mapping.Known, Code: "no"},
		"UNK":       {State: mapping.Unknown},
		"ASKU":      {State: mapping.AskedNoAnswer},
		"not-there": {State: mapping.Unmapped},
	}
}

// TestNeedAgainstATwin compares the need of the view, and of every visit, with a twin that knows
// the rules as sentences alone.
func TestNeedAgainstATwin(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	r, _ := reader(t, nil)
	names := slices.Sorted(maps.Keys(answers()))
	rapid.Check(t, func(rt *rapid.T) {
		own := rapid.SampledFrom(names).Draw(rt, "patient")
		says := rapid.SliceOfN(rapid.SampledFrom(names), 0, 3).Draw(rt, "encounters")
		current := rapid.IntRange(-1, len(says)-1).Draw(rt, "current")
		e.patient = patient()
		if own != "" {
			e.patient["extension"] = []object{needed(own)}
		}
		e.encounters = many(len(says))
		for i, said := range says {
			if said != "" {
				e.encounters[i]["extension"] = []object{needed(said)}
			}
		}
		a := e.access(t)
		if current >= 0 {
			a.Encounter = phi.New(e.encounters[current]["id"].(string))
		}
		got, err := r.Read(t.Context(), a)
		if err != nil {
			rt.Fatal(err)
		}
		whole := naivePatient(own, says)
		want := whole
		if current >= 0 {
			want = naiveVisit(says[current], own)
		}
		checkNeed(rt, "interpreter", got.Interpreter.Value, want)
		checkNeed(rt, "field", got.Fields[3].Value, whole)
		stated := 0
		for i, v := range got.Visits {
			checkNeed(rt, "visit", v.Need, naiveVisit(says[i], own))
			if says[i] != "" {
				stated++
			}
		}
		if own != "" {
			stated++
		}
		if len(got.Visits) != len(says) || len(got.Interpreter.Sources) != stated {
			rt.Fatalf("%d visits and %d sources, want %d and %d", len(got.Visits),
				len(got.Interpreter.Sources), len(says), stated)
		}
	})
}

func checkNeed(t *rapid.T, what string, got mapping.Value, want mapping.Value) {
	t.Helper()
	if got.State != want.State || got.Code != want.Code {
		t.Fatalf("%s: need %s %s, want %s %s", what, got.State, got.Code, want.State, want.Code)
	}
}

func noAnswer(said string) bool { return said == "" || said == "UNK" || said == "ASKU" }

// naiveVisit is the ruling: the encounter's statement, then the patient's; "unknown" passes on.
func naiveVisit(said, own string) mapping.Value {
	if noAnswer(said) && own != "" || said == "" {
		return answers()[own]
	}
	return answers()[said]
}

// naivePatient is the ruling: the patient's own, else any encounter's; two answers are conflicting.
func naivePatient(own string, says []string) mapping.Value {
	if !noAnswer(own) {
		return answers()[own]
	}
	all := append([]string{own}, says...)
	yes, no := slices.Contains(all, "yes"), slices.Contains(all, "no")
	if yes && no {
		return mapping.Value{State: mapping.Conflicting}
	}
	for _, said := range []string{"yes", "no", "not-there", "ASKU", "UNK"} {
		if slices.Contains(all, said) {
			return answers()[said]
		}
	}
	return mapping.Value{State: mapping.Missing}
}

func FuzzNeedOf(f *testing.F) {
	f.Add(bytesOf(f, patient()), bytesOf(f, visit(visitID, "2026-01-01", nil)))
	f.Add([]byte(`{"resourceType":"Patient","id":"x"}`), []byte(`{}`))
	f.Add([]byte("null"), []byte("[]"))
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		f.Fatal(err)
	}
	r, err := bedside.New(bedside.Config{Mapper: mapper, Now: now})
	if err != nil {
		f.Fatal(err)
	}
	a := bedside.Access{Patient: phi.New(patientID), Encounter: phi.New(visitID)}
	f.Fuzz(func(t *testing.T, patient, encounter []byte) {
		need, err := r.NeedOf(a, patient, encounter)
		if err != nil {
			return
		}
		var head struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(patient, &head) == nil && head.ID != patientID {
			t.Errorf("the need of another patient: %+v", need)
		}
	})
}
