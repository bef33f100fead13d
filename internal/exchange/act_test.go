package exchange_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/exchange"
)

func draft(changes ...func(*action.Action)) *action.Action {
	a := &action.Action{
		Title: "Interpreters at night", What: "One within five minutes.", Cause: review.LanguageAccess,
		Owner: "Interpreter services", Finding: action.Finding{Kind: action.Gap, Snapshot: "s1", Period: "2025"},
		Aim: action.Aim{
			Measure: "harm-per-1000-days", Dimension: "language_group", Groups: []string{"spanish"},
			Reference: "english",
		},
		Start: "2026-03-01", Due: "2026-09-30", State: action.Planned,
	}
	for _, change := range changes {
		change(a)
	}
	return a
}

// taskOf is a draft as somebody would send it: without an id.
func taskOf(t testing.TB, a *action.Action) string {
	t.Helper()
	one := *a
	one.ID = "x"
	text, err := r4.Marshal(form.Writer{Narrative: true}.ActionTask(&one))
	if err != nil {
		t.Fatal(err)
	}
	var in map[string]any
	if err := json.Unmarshal(text, &in); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"id", "meta", "focus", "requester"} {
		delete(in, name)
	}
	out, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// added writes a draft down over FHIR and returns its id.
func (f *rig) added(t testing.TB, a *action.Action) string {
	t.Helper()
	w := f.call("POST", "Task", analyst, taskOf(t, a), "")
	if w.Code != http.StatusCreated || w.Header().Get("ETag") != `W/"1"` {
		t.Fatalf("POST Task = %d: %s", w.Code, w.Body)
	}
	id, ok := strings.CutPrefix(w.Header().Get("Location"), base+"/Task/")
	if !ok {
		t.Fatalf("the new Task is at %s", w.Header().Get("Location"))
	}
	return id
}

// sent is a resource that was served, with texts in the place of others.
func sent(t testing.TB, served string, change ...string) string {
	t.Helper()
	out := served
	for i := 0; i+1 < len(change); i += 2 {
		out = strings.Replace(out, change[i], change[i+1], 1)
		if out == served {
			t.Fatalf("%q is not in %s", change[i], served)
		}
	}
	return out
}

const ended = `"status":"completed","output":[{"type":{"coding":[{"system":"https://equitylens.org/fhir/CodeSystem/task-detail",` +
	`"code":"outcome"}]},"valueCodeableConcept":{"coding":[{"system":"https://equitylens.org/fhir/CodeSystem/action-outcome",` +
	`"code":"reduced"}]}},{"type":{"coding":[{"system":"https://equitylens.org/fhir/CodeSystem/task-detail","code":"summary"}]},` +
	`"valueString":"half of what it was"}]`

// An action from its first word to its end: each step is a version, and what does not follow is
// refused.
func TestAnActionOverFHIR(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{})
	id := f.added(t, draft())
	path := "Task/" + id
	step := func(name, tag string, want int, change ...string) {
		t.Helper()
		w := f.call("PUT", path, analyst, sent(t, f.get(t, path, analyst).Body.String(), change...), tag)
		if w.Code != want {
			t.Fatalf("%s = %d, want %d: %s", name, w.Code, want, w.Body)
		}
		if want == http.StatusOK {
			return
		}
		if _, text := refused(t, w); text == "" || strings.Contains(w.Body.String(), "five minutes") {
			t.Errorf("%s is refused with %s", name, w.Body)
		}
	}
	const planned, going = `"status":"requested"`, `"status":"in-progress"`
	step("as it stands", `W/"1"`, 200)
	step("another version", `W/"7"`, 412, "night", "day")
	step("another title", `W/"1"`, 200, "night", "day")
	step("a status and a title at once", `W/"2"`, 422, planned, going, "day", "dusk")
	step("an end before the start", `W/"2"`, 409, planned, ended)
	step("a due day before the start", `W/"2"`, 422, "2026-09-30", "2026-01-30")
	step("a cause that is none", `W/"2"`, 422, `"language-access"`, `"weather"`)
	step("its start", `W/"2"`, 200, planned, going)
	step("an end without a result", `W/"3"`, 422, going, `"status":"completed"`)
	step("an end without a summary", `W/"3"`, 422, going, strings.Replace(ended, `"half of what it was"`, `" "`, 1))
	step("given up with another outcome", `W/"3"`, 422, going, strings.Replace(ended, `"completed"`, `"cancelled"`, 1))
	step("its end", `W/"3"`, 200, going, ended)
	step("another title of what is closed", `W/"4"`, 409, "day", "dusk")
	step("another result of what is closed", `W/"4"`, 422, "half of", "none of")
	stands, err := f.actions.Get(t.Context(), id)
	if err != nil || stands.State != action.Completed || stands.Result.By.Subject != "dee" ||
		stands.Result.Outcome != action.Reduced || stands.Title != "Interpreters at day" {
		t.Errorf("the register has %+v, %v", stands, err)
	}
	goal := f.get(t, "Goal/"+id, analyst).Body.String()
	if !strings.Contains(goal, `"lifecycleStatus":"completed"`) || !strings.Contains(goal, `"improving"`) {
		t.Errorf("the Goal is %s", goal)
	}
	step("opened again", `W/"4"`, 200, `"status":"completed"`, going)
	history := f.get(t, path+"/_history", analyst).Body.String()
	if strings.Count(history, `"fullUrl"`) != 5 || !strings.Contains(history, `W/\"5\"`) {
		t.Errorf("the history is %s", history)
	}
}

func TestNewActions(t *testing.T) {
	t.Parallel()
	whole := taskOf(t, draft())
	tests := []struct {
		name   string
		change []string
		want   int
		at     string
	}{
		{"a whole one", nil, 201, ""},
		{"one that has begun", []string{`"requested"`, `"in-progress"`}, 201, ""},
		{"one that is over", []string{`"status":"requested"`, ended}, 422, "Task.output"},
		{"without a title", []string{`"Interpreters at night"`, `" "`}, 422, "Task.description"},
		{"without an owner", []string{`"Interpreter services"`, `" "`}, 422, "Task.owner.display"},
		{"of another kind", []string{`"equity-action"`, `"equity-review"`}, 422, "Task.code"},
		{"about a patient", []string{`"intent"`, `"for":{"reference":"Patient/canary"},"intent"`}, 422, "Task.for"},
		{"without an intent", []string{`"intent":"plan",`, ""}, 400, "Task"},
		{"no JSON", []string{"{", "["}, 400, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newRig(t, options{})
			body := whole
			if tt.change != nil {
				body = sent(t, whole, tt.change...)
			}
			w := f.call("POST", "Task", analyst, body, "")
			if w.Code != tt.want {
				t.Fatalf("POST = %d, want %d: %s", w.Code, tt.want, w.Body)
			}
			if w.Code == 201 {
				return
			}
			if at, _ := refused(t, w); at != tt.at || strings.Contains(w.Body.String(), "canary") {
				t.Errorf("refused at %q, want %q: %s", at, tt.at, w.Body)
			}
			if got, _, _ := ids(t, f.get(t, "Task", analyst)); len(got) > 0 {
				t.Errorf("after a refusal there are %v", got)
			}
		})
	}
}

func TestSearchTasksAndGoals(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{})
	early := f.added(t, draft(func(a *action.Action) { a.Due = "2026-05-01" }))
	late := f.added(t, draft(func(a *action.Action) {
		a.Owner, a.State, a.Start, a.Aim.Measure = "Emergency", action.InProgress, "2026-06-01", "ed-lwbs"
	}))
	one, two, three := idOf("1"), idOf("2"), idOf("3")
	tests := []struct {
		query, token string
		want         []string
	}{
		{"Task", reviewer, []string{one, two, three, early, late}},
		{"Task", analyst, []string{early, late}},
		{"Task?code=equity-review", reviewer, []string{one, two, three}},
		{"Task?code=equity-action", reviewer, []string{early, late}},
		{"Task?code=equity-review", analyst, nil},
		{"Task?status=requested", reviewer, []string{one, two, three, early}},
		{"Task?status=in-progress", reviewer, []string{late}},
		{"Task?business-status=open", reviewer, []string{one, two, three}},
		{"Task?focus=AdverseEvent/" + one, reviewer, []string{one}},
		{"Task?focus=" + base + "/AdverseEvent/" + one, reviewer, []string{one}},
		{"Task?focus=Goal/" + late, analyst, []string{late}},
		{"Task?owner-role=Emergency", analyst, []string{late}},
		{"Task?due=lt2026-04-15", reviewer, []string{one, two}},
		{"Task?due=2026-05-01", reviewer, []string{three, early}},
		{"Task?period=ge2026-06", analyst, []string{early, late}},
		{"Task?period=sa2026-05", analyst, []string{late}},
		{"Task?_id=" + one + "," + late, reviewer, []string{one, late}},
		{"Goal", analyst, []string{early, late}},
		{"Goal?lifecycle-status=active", analyst, []string{late}},
		{"Goal?measure=ed-lwbs", analyst, []string{late}},
		{"Goal?target-date=le2026-05-01", analyst, []string{early}},
		{"Goal?start-date=2026-06", analyst, []string{late}},
		{"Goal?_id=" + early, analyst, []string{early}},
	}
	for _, tt := range tests {
		t.Run(tt.query+" by "+tt.token, func(t *testing.T) {
			t.Parallel()
			got, total, _ := ids(t, f.get(t, tt.query, tt.token))
			if diff := cmp.Diff(tt.want, got); diff != "" || total != len(tt.want) {
				t.Errorf("it finds %d (-want +got):\n%s", total, diff)
			}
		})
	}
	w := f.call("PUT", "Task/"+one, reviewer, f.get(t, "Task/"+one, reviewer).Body.String(), `W/"0"`)
	if at, text := refused(t, w); w.Code != 422 || at != "Task.code" || !strings.Contains(text, "AdverseEvent") {
		t.Errorf("a write to the Task of a review is %d: %s", w.Code, w.Body)
	}
	for _, path := range []string{"Task/none", "Task/none/_history", "Goal/none", "Flag/none"} {
		if w := f.call("GET", path, reviewer, "", ""); w.Code != http.StatusNotFound {
			t.Errorf("GET %s = %d: %s", path, w.Code, w.Body)
		}
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{})
	who := review.Reviewer{Subject: "dee"}
	save := func(c action.Condition) string {
		made, err := f.actions.SaveCondition(t.Context(), c, who)
		if err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	past := save(action.Condition{Name: "Crisis", Site: "H1", Start: "2026-01-10", End: "2026-02-20"})
	going := save(action.Condition{Name: "Downtime", Start: "2026-06-01"})
	tests := []struct {
		query string
		want  []string
	}{
		{"", []string{past, going}},
		{"status=active", []string{going}},
		{"status=inactive", []string{past}},
		{"site=H1", []string{past}},
		{"date=ap2026-02-15", []string{past}},
		{"date=ge2027", []string{going}},
		{"date=lt2026-01-11", []string{past}},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			t.Parallel()
			got, _, _ := ids(t, f.get(t, "Flag?"+tt.query, analyst))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Flag?%s (-want +got):\n%s", tt.query, diff)
			}
		})
	}
	if tag := f.get(t, "Flag/"+past, analyst).Header().Get("ETag"); tag != `W/"1"` {
		t.Errorf("the version of a Flag is %s", tag)
	}
}

func TestWhatIsPublished(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{})
	for query, want := range map[string]int{
		"CodeSystem":                                 len(form.CodeSystems()),
		"ValueSet":                                   len(form.ValueSets()),
		"CodeSystem?url=" + review.SystemFactor:      1,
		"CodeSystem?name=inequity":                   2,
		"CodeSystem?version=0.1.0":                   0,
		"CodeSystem?status=active,draft":             len(form.CodeSystems()),
		"ValueSet?_id=event-detection":               1,
		"Questionnaire?url=" + form.QuestionnaireURL: 1,
		"Questionnaire?status=draft":                 0,
	} {
		if got, total, _ := ids(t, f.get(t, query, "")); len(got) != want || total != want {
			t.Errorf("%s finds %d of %d, want %d", query, len(got), total, want)
		}
	}
	if w := f.call("GET", "CodeSystem/none", "", "", ""); w.Code != http.StatusNotFound {
		t.Errorf("a code system that is not there is %d", w.Code)
	}
}

// Every search parameter that the CapabilityStatement names is known, and every route of a type is
// in it.
func TestTheCapabilityStatementSaysWhatIsServed(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{})
	resource, err := r4.Unmarshal(f.get(t, "metadata", "").Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	value := map[string]string{"DATE": "2026", "TOKEN": "x", "URI": "urn:x", "STRING": "x", "REFERENCE": "x"}
	names := map[string]string{
		"ADVERSE_EVENT": "AdverseEvent", "TASK": "Task", "GOAL": "Goal", "FLAG": "Flag",
		"CODE_SYSTEM": "CodeSystem", "VALUE_SET": "ValueSet", "QUESTIONNAIRE": "Questionnaire",
		"QUESTIONNAIRE_RESPONSE": "QuestionnaireResponse",
	}
	claimed := map[string]int{}
	for _, one := range resource.GetCapabilityStatement().GetRest()[0].GetResource() {
		kind := names[one.GetType().GetValue().String()]
		if kind == "" {
			continue
		}
		claimed[kind] = len(one.GetInteraction())
		for _, p := range one.GetSearchParam() {
			target := kind + "?" + p.GetName().GetValue() + "=" + value[p.GetType().GetValue().String()]
			w := f.call("GET", target, reviewer, "", "", "Prefer: handling=strict")
			if w.Code != http.StatusOK {
				t.Errorf("GET %s = %d: %s", target, w.Code, w.Body)
			}
		}
	}
	served := map[string]int{}
	for _, route := range f.Routes() {
		rest, _ := strings.CutPrefix(route.Path, "/fhir/")
		kind, _, _ := strings.Cut(rest, "/")
		if _, ours := claimed[kind]; ours {
			served[kind]++
		}
	}
	if diff := cmp.Diff(served, claimed); diff != "" || len(claimed) != len(names) {
		t.Errorf("claimed (-served +claimed):\n%s", diff)
	}
}

func TestNewExchange(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*exchange.Config)
		want   bool
	}{
		{"nothing but an address and a clock", func(c *exchange.Config) { *c = exchange.Config{BaseURL: base, Now: clock} }, true},
		{"no clock", func(c *exchange.Config) { c.Now = nil }, false},
		{"no address", func(c *exchange.Config) { c.BaseURL = "" }, false},
		{"reviews without events", func(c *exchange.Config) { c.Hold = nil }, false},
		{"actions that cannot be changed", func(c *exchange.Config) { c.Acts = nil }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			snapshot := &snapshot{}
			register := action.New(action.Config{})
			cfg := exchange.Config{
				Hold: snapshot.hold, Actions: register, Acts: register, BaseURL: base, Now: clock,
				Reviews: (*review.Desk)(nil),
			}
			tt.change(&cfg)
			made, err := exchange.New(cfg)
			if (err == nil) != tt.want {
				t.Fatalf("New = %v, want one: %t", err, tt.want)
			}
			if err == nil {
				for _, route := range made.Resources() {
					if route.Type != "CodeSystem" && route.Type != "ValueSet" {
						t.Errorf("there is a route %s %s", route.Method, route.Path)
					}
				}
			}
		})
	}
}

// FuzzChangeATask: whatever is sent is taken or refused as the caller's fault.
func FuzzChangeATask(f *testing.F) {
	rig := newRig(f, options{})
	id := rig.added(f, draft())
	served := rig.get(f, "Task/"+id, analyst).Body.String()
	f.Add(served)
	f.Add(strings.Replace(served, "night", "day", 1))
	f.Add(strings.Replace(served, `"status":"requested"`, ended, 1))
	f.Fuzz(func(t *testing.T, sent string) {
		if sent == "" {
			return
		}
		for _, method := range []string{"PUT", "POST"} {
			path, tag := "Task", ""
			if method == "PUT" {
				path = "Task/" + id
				tag = rig.get(t, path, analyst).Header().Get("ETag")
			}
			if w := rig.call(method, path, analyst, sent, tag); w.Code >= 500 {
				t.Errorf("%s = %d: %s", method, w.Code, w.Body)
			}
		}
	})
}
