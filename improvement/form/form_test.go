package form_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/store/facts"
)

var update = flag.Bool("update", false, "write the golden files")

// written marshals a resource, after holding it against every rule of R4 that jsonformat knows.
func written(t testing.TB, resource proto.Message) []byte {
	t.Helper()
	text, err := r4.MarshalIndent(resource)
	if err != nil {
		t.Fatal(err)
	}
	validator, err := r4.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	if err := validator.Validate(text); err != nil {
		t.Fatalf("not a valid resource: %v\n%s", err, text)
	}
	return append(text, '\n')
}

func golden(t *testing.T, name string, resource proto.Message) {
	t.Helper()
	got, path := written(t, resource), filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Space is not ours: jsonformat varies it.
	if diff := cmp.Diff(parsed(t, want), parsed(t, got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func parsed(t testing.TB, text []byte) any {
	t.Helper()
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func at(text string) time.Time {
	moment, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return moment
}

const (
	narrative = "The daughter, Ana Canary, said that nobody called an interpreter."
	otherwise = "A busy shift; room Canary."
)

func event(changes ...func(*facts.Event)) *facts.Event {
	e := &facts.Event{
		EventHead: facts.EventHead{
			Source: "ehr", ID: phi.New("ae-1"), Actuality: "actual", Date: at("2026-02-03"),
			DateFrom: "AdverseEvent.date", Detected: at("2026-02-04"), Category: "wrong-dose",
			Severity: "severe", Seriousness: "SeriousIsLifeThreatening", Outcome: "resolved",
			Recorded: "~missing", Site: "H1",
		},
		Patient: phi.New("p-1"), Known: true, Encounter: phi.New("e-1"), Linked: true,
	}
	for _, change := range changes {
		change(e)
	}
	return e
}

// reviewOf is the review of an event that nobody has begun, changed.
func reviewOf(e *facts.Event, changes ...func(*review.Review)) *review.Review {
	key := review.Key{Source: e.Source, ID: e.ID}
	r := &review.Review{ID: review.IDOf(key), Key: key, Needed: 1, State: review.Open}
	for _, change := range changes {
		change(r)
	}
	return r
}

func settled(r *review.Review) {
	when := time.Date(2026, 3, 1, 10, 20, 30, 0, time.UTC)
	who := review.Reviewer{Subject: "pseudonym-1", Name: "Ana Canary"}
	r.State, r.Version = review.Settled, 1
	r.Opinions = []review.Opinion{{
		Reviewer: who, At: when, Answer: review.Yes, Detection: review.Reported, Evidence: narrative,
		Else: otherwise, Factors: []review.Factor{review.LanguageAccess, review.Data},
	}}
	r.Settlement = &review.Settlement{
		Answer: review.Yes, Factors: []review.Factor{review.LanguageAccess, review.Data},
		Detection: review.Reported, At: when, How: review.Single, By: who,
	}
}

func act(changes ...func(*action.Action)) *action.Action {
	target := 0.05
	a := &action.Action{
		ID: "0f1e2d3c4b5a69788796a5b4", Title: "Interpreters on call at night",
		What: "A video interpreter within five minutes.\nNurses are shown how.", Cause: review.LanguageAccess,
		Owner: "Interpreter services",
		Finding: action.Finding{
			Kind: action.Gap, Snapshot: "20260201T030405Z-1f2e", Period: "2025",
			Reviews: []string{"aa11", "bb22"},
		},
		Aim: action.Aim{
			Measure: "harm-per-1000-days", Rate: "main", Dimension: "language_group",
			Groups: []string{"spanish", "chinese"}, Reference: "english", Sites: []string{"H1"}, Target: &target,
		},
		Start: "2026-03-01", Due: "2026-09-30", State: action.InProgress,
		Created: time.Date(2026, 2, 20, 8, 0, 0, 0, time.UTC),
		Changed: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Version: 2,
	}
	for _, change := range changes {
		change(a)
	}
	return a
}

func closed(a *action.Action) {
	a.State, a.Version = action.Completed, 3
	a.Result = &action.Result{
		Outcome: action.Reduced, Summary: "The gap is half of what it was.", Snapshot: "20261001T030405Z-9a8b",
		At: time.Date(2026, 10, 2, 9, 0, 0, 0, time.UTC),
		By: review.Reviewer{Subject: "pseudonym-2", Name: "Ivo Canary"},
	}
}

func questionnaire(t testing.TB) *readiness.Questionnaire {
	t.Helper()
	q, err := readiness.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// assessment answers the first item of people, comments on it, and has one figure and one that is
// missing.
func assessment(t testing.TB) *readiness.Assessment {
	t.Helper()
	q := questionnaire(t)
	a := &readiness.Assessment{
		ID: "readiness-2026", Period: "2026", Questionnaire: q.Version, State: readiness.Draft,
		Answers: map[string]readiness.Answer{}, At: time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC), Version: 4,
	}
	level, data := readiness.Begun, 0
	for _, item := range q.Items() {
		switch {
		case !item.FromData() && len(a.Answers) == 0:
			a.Answers[item.ID] = readiness.Answer{
				Item: item.ID, Level: &level, Comment: "As of April.", By: review.Reviewer{Subject: "p-1", Name: "Ana Canary"},
			}
		case item.FromData() && data == 0:
			data++
			grown := item.Rule.Level(0.75)
			a.Answers[item.ID] = readiness.Answer{
				Item: item.ID, Level: &grown, Figure: &readiness.Figure{Value: 0.75, Of: 120},
			}
		case item.FromData() && data == 1:
			data++
			a.Answers[item.ID] = readiness.Answer{
				Item: item.ID, Figure: &readiness.Figure{Missing: readiness.NotLoaded}, Comment: "It will be.",
			}
		}
	}
	return a
}

func open() form.Writer { return form.Writer{Organization: "Example Health", Narrative: true} }

func TestGoldenForms(t *testing.T) {
	t.Parallel()
	condition := &action.Condition{
		ID: "c1", Name: "Crisis standards of care", Site: "H1", Start: "2026-01-10", End: "2026-02-20", Version: 2,
	}
	tests := map[string]proto.Message{
		"event-open":     open().AdverseEvent(event(), reviewOf(event())),
		"event-settled":  open().AdverseEvent(event(), reviewOf(event(), settled)),
		"event-masked":   form.Writer{}.AdverseEvent(event(), reviewOf(event(), settled)),
		"review-open":    open().ReviewTask(reviewOf(event()), at("2026-03-06")),
		"review-settled": open().ReviewTask(reviewOf(event(), settled), time.Time{}),
		"action":         open().ActionTask(act()),
		"action-closed":  open().ActionTask(act(closed)),
		"action-masked":  form.Writer{}.ActionTask(act(closed)),
		"goal":           open().Goal(act()),
		"goal-closed":    open().Goal(act(closed)),
		"flag":           open().Flag(condition, at("2026-02-01")),
		"response":       open().QuestionnaireResponse(questionnaire(t), assessment(t)),
	}
	for name, resource := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, name, resource)
		})
	}
}

func TestTerminologyGolden(t *testing.T) {
	t.Parallel()
	for _, one := range form.CodeSystems() {
		t.Run(one.GetId().GetValue(), func(t *testing.T) {
			t.Parallel()
			golden(t, "codesystem-"+one.GetId().GetValue(), one)
		})
	}
	for _, one := range form.ValueSets() {
		written(t, one)
	}
}

// Everything that is published is complete: a code has words, its table is counted, its value set
// says the same system, and the tables of the reviews have an example in both languages.
func TestTerminologyIsWhole(t *testing.T) {
	t.Parallel()
	sets := map[string]string{}
	for _, one := range form.ValueSets() {
		sets[one.GetUrl().GetValue()] = one.GetCompose().GetInclude()[0].GetSystem().GetValue()
	}
	seen := map[string]bool{}
	for _, one := range form.CodeSystems() {
		url := one.GetUrl().GetValue()
		if seen[url] || sets[one.GetValueSet().GetValue()] != url ||
			int(one.GetCount().GetValue()) != len(one.GetConcept()) || len(one.GetConcept()) == 0 {
			t.Errorf("%s is not whole", url)
		}
		seen[url] = true
		codes := map[string]bool{}
		for _, c := range one.GetConcept() {
			code := c.GetCode().GetValue()
			if codes[code] || c.GetDisplay().GetValue() == "" {
				t.Errorf("%s of %s is there twice, or has no display", code, url)
			}
			codes[code] = true
			examples := 0
			for _, p := range c.GetProperty() {
				if strings.HasPrefix(p.GetCode().GetValue(), "example") {
					examples++
				}
			}
			asked := []string{review.SystemAnswer, review.SystemFactor, review.SystemDetection}
			if slices.Contains(asked, url) && (examples != 2 || len(c.GetDesignation()) != 1 ||
				c.GetDefinition().GetValue() == "") {
				t.Errorf("%s of %s lacks an example, a definition or its words in Spanish", code, url)
			}
		}
	}
}

func TestQuestionnaireIsValid(t *testing.T) {
	t.Parallel()
	q := questionnaire(t)
	made := form.Questionnaire(q)
	written(t, made)
	ids := map[string]bool{}
	for _, group := range made.GetItem() {
		for _, item := range group.GetItem() {
			id := item.GetLinkId().GetValue()
			of, _, ok := q.Item(id)
			if !ok || ids[id] || len(item.GetAnswerOption()) != len(readiness.Levels()) ||
				item.GetReadOnly().GetValue() != of.FromData() {
				t.Errorf("the item %s is not that of the questionnaire: %v", id, item)
			}
			ids[id] = true
			for i, option := range item.GetAnswerOption() {
				coding := option.GetValue().GetCoding()
				if coding.GetDisplay().GetValue() != q.Means(of, readiness.Level(i), "en") ||
					coding.GetCode().GetValue() != readiness.Level(i).Code() || len(coding.GetDisplay().GetExtension()) != 1 {
					t.Errorf("level %d of %s is %v", i, id, coding)
				}
			}
		}
	}
	if len(ids) != len(q.Items()) {
		t.Errorf("%d items are written, want %d", len(ids), len(q.Items()))
	}
}

// Nobody's name is written, and without the right to free text nothing of it is.
func TestWhatIsNotWritten(t *testing.T) {
	t.Parallel()
	all := func(w form.Writer) string {
		var text strings.Builder
		for _, one := range []proto.Message{
			w.AdverseEvent(event(), reviewOf(event(), settled)), w.ReviewTask(reviewOf(event(), settled), time.Time{}),
			w.ActionTask(act(closed)), w.Goal(act(closed)), w.QuestionnaireResponse(questionnaire(t), assessment(t)),
			w.Flag(&action.Condition{ID: "c", Name: "Crisis Canary", Start: "2026-01-01"}, at("2026-01-02")),
		} {
			text.Write(written(t, one))
		}
		return text.String()
	}
	shown, masked := all(open()), all(form.Writer{})
	for _, text := range []string{narrative, otherwise, "half of what it was", "five minutes", "As of April."} {
		if !strings.Contains(shown, text[:12]) {
			t.Errorf("with the right to free text %q is not there", text)
		}
		if strings.Contains(masked, text[:12]) {
			t.Errorf("without the right to free text %q is there", text)
		}
	}
	if strings.Contains(masked, "Canary") || strings.Contains(shown, "Ivo Canary") || strings.Contains(shown, "pseudonym") {
		t.Error("somebody's name is written")
	}
}

func TestStatusOfAFlag(t *testing.T) {
	t.Parallel()
	ended := action.Condition{ID: "c", Name: "n", Start: "2026-01-10", End: "2026-02-20"}
	going := action.Condition{ID: "c", Name: "n", Start: "2026-01-10"}
	withdrawn := action.Condition{ID: "c", Name: "n", Start: "2026-01-10", Withdrawn: true}
	tests := []struct {
		name string
		of   action.Condition
		on   string
		want string
	}{
		{"before it", ended, "2026-01-09", "inactive"},
		{"its first day", ended, "2026-01-10", "active"},
		{"its last day", ended, "2026-02-20", "active"},
		{"after it", ended, "2026-02-21", "inactive"},
		{"without an end", going, "2030-01-01", "active"},
		{"withdrawn", withdrawn, "2026-01-11", "entered-in-error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := form.FlagStatus(&tt.of, at(tt.on)); got != tt.want {
				t.Errorf("FlagStatus on %s = %s, want %s", tt.on, got, tt.want)
			}
			written(t, open().Flag(&tt.of, at(tt.on)))
		})
	}
}

func TestBundles(t *testing.T) {
	t.Parallel()
	entry := form.Entry{URL: "https://q.example.org/fhir/Goal/1", Resource: open().Goal(act())}
	page, err := form.Searchset([]form.Entry{entry, {Resource: form.CodeSystems()[0]}},
		[]form.Link{{Relation: "self", URL: "https://q.example.org/fhir/Goal"}}, 7)
	if err != nil {
		t.Fatal(err)
	}
	written(t, page)
	if page.GetTotal().GetValue() != 7 || page.GetEntry()[0].GetResource().GetGoal() == nil {
		t.Errorf("the page is %v", page)
	}
	unknown, err := form.Searchset(nil, nil, -1)
	if err != nil || unknown.GetTotal() != nil {
		t.Errorf("a total that nobody knows is %v, %v", unknown.GetTotal(), err)
	}
	collection, err := form.Collection(at("2026-01-02"), entry, form.Entry{Resource: open().ActionTask(act())})
	if err != nil {
		t.Fatal(err)
	}
	written(t, collection)
	history, err := form.History("Goal/1", []form.Past{
		{Entry: entry, Version: 2, At: at("2026-01-02")}, {Entry: entry, Version: 1},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	written(t, history)
	for _, wrong := range []proto.Message{nil, r4.Text("no resource")} {
		if _, err := form.Collection(at("2026-01-02"), form.Entry{Resource: wrong}); err == nil {
			t.Error("what is no resource was contained")
		}
	}
}

// The extensions of the golden files are those of the table, and the other way round.
func TestExtensionsOfFormsAreDocumented(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(document), "Their extensions, below the same base:")
	table, _, _ = strings.Cut(table, "\n## ")
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(table, -1) {
		documented[m[1]] = true
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	own := regexp.MustCompile(regexp.QuoteMeta(r4.Own) + `([a-z-]+)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range own.FindAllStringSubmatch(string(text), -1) {
			used[m[1]] = true
		}
	}
	if diff := cmp.Diff(used, documented); diff != "" {
		t.Errorf("documented (-used +documented):\n%s", diff)
	}
}
