package form_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

func marshal(t testing.TB, resource proto.Message) []byte {
	t.Helper()
	text, err := r4.Marshal(resource)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// refusedAt holds an error against the path at which it should refuse; empty is no error.
func refusedAt(t *testing.T, err error, path string) {
	t.Helper()
	var invalid *form.InvalidError
	switch {
	case path == "" && err != nil:
		t.Fatalf("refused: %v", err)
	case path == "":
	case !errors.As(err, &invalid):
		t.Fatalf("error %v, want a refusal at %s", err, path)
	case invalid.Faults[0].Path != path:
		t.Errorf("refused at %q (%v), want %q", invalid.Faults[0].Path, err, path)
	}
	if err != nil && strings.Contains(err.Error(), "Canary") {
		t.Errorf("the refusal repeats what was sent: %v", err)
	}
}

func TestReadAdverseEvent(t *testing.T) {
	t.Parallel()
	served := string(marshal(t, open().AdverseEvent(event(), reviewOf(event(), settled))))
	masked := string(marshal(t, form.Writer{}.AdverseEvent(event(), reviewOf(event(), settled))))
	standing := form.FindingOf(event(), reviewOf(event(), settled))
	const factors = `"system":"https://equitylens.org/fhir/CodeSystem/inequity-factor"`
	tests := []struct {
		name, sent string
		change     []string // old and new text
		path       string
		unchanged  bool
	}{
		{"as it is served", served, nil, "", true},
		{"as it is served without free text", masked, nil, "", true},
		{"another answer", served, []string{`"code":"yes"`, `"code":"undetermined"`}, "", false},
		{"another factor", served, []string{`"code":"data"`, `"code":"bias"`}, "", false},
		{"another detection", served, []string{`"code":"reported"`, `"code":"review"`}, "", false},
		{"other evidence", served, []string{"The daughter", "The son"}, "", false},
		{"without a display", served, []string{`,"display":"Yes"`, "", `"display":"Yes",`, ""}, "", true},
		{"another version", served, []string{`"versionId":"1"`, `"versionId":"9"`}, "", true},
		{"another severity", served, []string{`"code":"severe"`, `"code":"mild"`}, "AdverseEvent.severity.coding[0].code", false},
		{"another patient", served, []string{"Patient/p-1", "Patient/Canary"}, "AdverseEvent.subject.reference", false},
		{"another day", served, []string{`"date":"2026-02-03"`, `"date":"2026-02-05"`}, "AdverseEvent.date", false},
		{"no encounter", served, []string{`"encounter":{"reference":"Encounter/e-1"},`, ""}, "AdverseEvent.encounter", false},
		{"a location", served, []string{`"encounter"`, `"location":{"display":"Canary"},"encounter"`}, "AdverseEvent.location", false},
		{"another id", served, []string{`"id":"f3`, `"id":"e3`}, "AdverseEvent.id", false},
		{"an extension that nobody knows", served, []string{`"extension":[{"extension"`,
			`"extension":[{"url":"http://x/canary","valueString":"Canary"},{"extension"`}, "AdverseEvent.extension[0]", false},
		{"a factor of another system", served, []string{factors, `"system":"http://x/Canary"`},
			"AdverseEvent.extension[1]", false},
		{"two answers", served, []string{factors, `"system":"https://equitylens.org/fhir/CodeSystem/inequity-contribution"`},
			"AdverseEvent.extension[1]", false},
		{"another type", `{"resourceType":"Basic","code":{"text":"Canary"}}`, nil, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sent := tt.sent
			for i := 0; i+1 < len(tt.change); i += 2 {
				sent = strings.Replace(sent, tt.change[i], tt.change[i+1], 1)
			}
			if len(tt.change) > 0 && sent == tt.sent {
				t.Fatalf("%q is not in the resource", tt.change[0])
			}
			_, unchanged, err := form.ReadAdverseEvent([]byte(sent),
				open().AdverseEvent(event(), reviewOf(event(), settled)), standing)
			if tt.name == "another type" {
				var invalid *form.InvalidError
				if !errors.As(err, &invalid) || !invalid.Unreadable {
					t.Fatalf("another type is %v", err)
				}
				return
			}
			refusedAt(t, err, tt.path)
			if unchanged != tt.unchanged {
				t.Errorf("unchanged is %t, want %t", unchanged, tt.unchanged)
			}
		})
	}
}

func finding() *rapid.Generator[form.Finding] {
	return rapid.Custom(func(t *rapid.T) form.Finding {
		f := form.Finding{
			Answer:    rapid.SampledFrom([]review.Answer{review.Yes, review.No, review.Undetermined}).Draw(t, "answer"),
			Detection: rapid.SampledFrom([]review.Detection{review.Reported, review.Triggered, review.FoundInReview}).Draw(t, "detection"),
			Evidence:  rapid.StringMatching(`([a-zA-Zñü<>&"\\]{1,8} ?){0,4}[a-z]`).Draw(t, "evidence"),
			Else:      rapid.SampledFrom([]string{"", "a busy shift", `"; <b>`}).Draw(t, "else"),
		}
		if f.Answer == review.Yes {
			var codes []review.Factor
			for _, c := range review.Factors() {
				codes = append(codes, review.Factor(c.Code))
			}
			f.Factors = rapid.SliceOfNDistinct(rapid.SampledFrom(codes), 1, 4, rapid.ID).Draw(t, "factors")
		}
		return f
	})
}

func standing(f form.Finding) func(*review.Review) {
	return func(r *review.Review) {
		settled(r)
		r.Opinions[0].Answer, r.Opinions[0].Factors, r.Opinions[0].Detection = f.Answer, f.Factors, f.Detection
		r.Opinions[0].Evidence, r.Opinions[0].Else = f.Evidence, f.Else
		r.Settlement.Answer, r.Settlement.Factors, r.Settlement.Detection = f.Answer, f.Factors, f.Detection
	}
}

// What is written is read as it was meant: an answer that was served, sent against another one that
// stands, is the answer.
func TestAnswersSurviveTheWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		was, becomes := finding().Draw(rt, "was"), finding().Draw(rt, "becomes")
		stands := reviewOf(event(), standing(was))
		sent := marshal(t, open().AdverseEvent(event(), reviewOf(event(), standing(becomes))))
		got, unchanged, err := form.ReadAdverseEvent(sent, open().AdverseEvent(event(), stands),
			form.FindingOf(event(), stands))
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(becomes, got); diff != "" {
			rt.Fatalf("read (-sent +got):\n%s", diff)
		}
		slices.Sort(was.Factors)
		slices.Sort(becomes.Factors)
		if unchanged != cmp.Equal(was, becomes) {
			rt.Fatalf("unchanged is %t of %+v and %+v", unchanged, was, becomes)
		}
	})
}

// What is served is mapped by the sync of another EquityLens as it is known here.
func TestServedEventsAreMappedAlike(t *testing.T) {
	t.Parallel()
	states := []string{"~missing", "~unknown"}
	key := func(codes ...string) *rapid.Generator[string] {
		return rapid.SampledFrom(append(slices.Clone(states), codes...))
	}
	mapper, err := mapping.New(mapping.Config{})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		e := event(func(e *facts.Event) {
			e.Actuality = rapid.SampledFrom([]string{"actual", "potential"}).Draw(rt, "actuality")
			e.Category = key("wrong-dose", "device", "~text-only").Draw(rt, "category")
			// A severity is bound to its codes, so that a reason why there is none is not read.
			e.Severity = rapid.SampledFrom([]string{"~missing", "mild", "severe"}).Draw(rt, "severity")
			e.Seriousness = key("Non-serious", "SeriousResultsInDeath").Draw(rt, "seriousness")
			e.Outcome = key("fatal", "resolvedWithSequelae").Draw(rt, "outcome")
			e.DateFrom = rapid.SampledFrom([]string{
				"AdverseEvent.date", "AdverseEvent.detected", "AdverseEvent.recordedDate",
			}).Draw(rt, "date from")
			e.Recorded = key("yes", "no", "undetermined", "not-asked").Draw(rt, "recorded")
			switch e.DateFrom {
			case "AdverseEvent.detected":
				e.Date = e.Detected
			case "AdverseEvent.recordedDate":
				e.Detected = at("0001-01-01")
			}
		})
		r := reviewOf(e)
		if rapid.Bool().Draw(rt, "reviewed") {
			r = reviewOf(e, standing(finding().Draw(rt, "finding")))
		}
		resource, err := fhir.NewDecoder().Decode(marshal(t, open().AdverseEvent(e, r)))
		if err != nil {
			rt.Fatal(err)
		}
		got, issues := mapper.AdverseEvent(resource.AdverseEvent, nil)
		for _, issue := range issues {
			if issue.Kind != mapping.DateFallback {
				rt.Fatalf("mapping says %+v", issue)
			}
		}
		wantInequity := string(form.FindingOf(e, r).Answer)
		if wantInequity == "" {
			wantInequity = "not-asked"
		}
		have := map[string]string{
			"id": got.ID.Reveal(), "patient": got.Patient.Reveal(), "encounter": got.Encounter.Reveal(),
			"actuality": got.Actuality, "from": got.DateFrom, "category": facts.Key(got.Category),
			"severity": facts.Key(got.Severity), "seriousness": facts.Key(got.Seriousness),
			"outcome": facts.Key(got.Outcome), "inequity": facts.Key(got.Inequity),
		}
		want := map[string]string{
			"id": r.ID, "patient": "p-1", "encounter": "e-1", "actuality": e.Actuality, "from": e.DateFrom,
			"category": e.Category, "severity": e.Severity, "seriousness": e.Seriousness,
			"outcome": e.Outcome, "inequity": wantInequity,
		}
		if diff := cmp.Diff(want, have); diff != "" {
			rt.Fatalf("mapped (-served +mapped):\n%s", diff)
		}
		if days := int64(got.Date.Days); days != e.Date.Unix()/86400 {
			rt.Fatalf("the date is day %d of %s", days, e.Date)
		}
	})
}

func anyAction() *rapid.Generator[*action.Action] {
	return rapid.Custom(func(t *rapid.T) *action.Action {
		return act(func(a *action.Action) {
			a.Title = rapid.StringMatching(`[a-zA-Z<>"&]{1,20}`).Draw(t, "title")
			a.What = rapid.StringMatching(`([a-z]{1,9}\n?){0,3}[a-z]|`).Draw(t, "what")
			a.Finding.Kind = rapid.SampledFrom(action.FindingKinds()).Draw(t, "kind")
			a.Finding.Reviews = rapid.SliceOfNDistinct(rapid.StringMatching(`[a-f0-9]{4}`), 0, 3, rapid.ID).Draw(t, "reviews")
			a.Aim.Groups = rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9\-]{1,6}`), 1, 3, rapid.ID).Draw(t, "groups")
			a.Aim.Reference = rapid.SampledFrom([]string{"", "best", "english"}).Draw(t, "reference")
			a.Aim.Sites = rapid.SliceOfNDistinct(rapid.StringMatching(`H[0-9]`), 0, 2, rapid.ID).Draw(t, "sites")
			a.State = rapid.SampledFrom(action.States()).Draw(t, "state")
			if a.Aim.Target = nil; rapid.Bool().Draw(t, "target") {
				target := rapid.Float64Range(0, 100).Draw(t, "score")
				a.Aim.Target = &target
			}
			if a.Closed() {
				outcome := rapid.SampledFrom(action.Outcomes()).Draw(t, "outcome")
				a.Result = &action.Result{Outcome: outcome, Summary: "how it went"}
			}
		})
	})
}

func orNil(a *action.Action) {
	for _, list := range []*[]string{&a.Finding.Reviews, &a.Aim.Groups, &a.Aim.Sites} {
		if len(*list) == 0 {
			*list = nil
		}
	}
}

// An action that was served, and is sent in the place of another one, is that action.
func TestActionsSurviveTheWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		old, next := anyAction().Draw(rt, "old"), anyAction().Draw(rt, "next")
		old.Result = nil
		got, err := open().ReadActionTask(marshal(t, open().ActionTask(next)), old)
		if err != nil {
			rt.Fatal(err)
		}
		want := *next
		orNil(&want)
		orNil(&got)
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("read (-sent +got):\n%s", diff)
		}
	})
}

func TestReadActionTask(t *testing.T) {
	t.Parallel()
	served := string(marshal(t, open().ActionTask(act())))
	tests := []struct {
		name string
		old  string
		new  string
		path string
	}{
		{"as it is served", "{", "{", ""},
		{"another title", "at night", "by day", ""},
		{"another day", "2026-09-30", "2026-10-30", ""},
		{"another id", `"id":"0f`, `"id":"1f`, "Task.id"},
		{"the Task of a review", `"code":"equity-action"`, `"code":"equity-review"`, "Task.code"},
		{"a status that an action has not", `"status":"in-progress"`, `"status":"on-hold"`, "Task.status"},
		{"a patient", `"intent"`, `"for":{"reference":"Patient/Canary"},"intent"`, "Task.for"},
		{"a priority", `"intent"`, `"priority":"urgent","intent"`, "Task.priority"},
		{"a narrative", `"intent"`, `"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">Canary</div>"},"intent"`,
			"Task.text"},
		{"an end", `"executionPeriod":{`, `"executionPeriod":{"end":"2026-04-01",`, "Task.executionPeriod.end"},
		{"two notes", `"note":[`, `"note":[{"text":"Canary"},`, "Task.note[0].text"},
		{"an input that is none", `"code":"measure"`, `"code":"measures"`, "Task.input[5]"},
		{"a target that is text", `"valueDecimal":0.05`, `"valueString":"Canary"`, "Task.input[12]"},
		{"another focus", `Goal/0f`, `Goal/1f`, "Task.focus.reference"},
		{"an extension", `"intent"`, `"extension":[{"url":"http://x","valueString":"Canary"}],"intent"`, "Task.extension[0]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sent := strings.Replace(served, tt.old, tt.new, 1)
			if sent == served && tt.name != "as it is served" {
				t.Fatalf("%q is not in the resource", tt.old)
			}
			_, err := open().ReadActionTask([]byte(sent), act())
			refusedAt(t, err, tt.path)
		})
	}
	for _, broken := range []string{"", "{", `{"resourceType":"Task"}`, `{"resourceType":"Goal"}`, "[]"} {
		if _, err := open().ReadActionTask([]byte(broken), nil); err == nil {
			t.Errorf("ReadActionTask(%s) took it", broken)
		}
	}
}

func TestReadQuestionnaireResponse(t *testing.T) {
	t.Parallel()
	q, stands := questionnaire(t), assessment(t)
	served := string(marshal(t, open().QuestionnaireResponse(q, stands)))
	tests := []struct {
		name    string
		old     string
		new     string
		path    string
		changed []string
		finish  bool
	}{
		{"as it is served", "{", "{", "", nil, false},
		{"a comment", "As of April.", "As of May.", "", []string{"accountable-leader"}, false},
		{"a level", `"code":"begun","display":"Begun"`, `"code":"routine"`, "", []string{"accountable-leader"}, false},
		{"final", `"in-progress"`, `"completed"`, "", nil, true},
		{"stopped", `"in-progress"`, `"stopped"`, "QuestionnaireResponse.status", nil, false},
		{"another questionnaire", "Questionnaire/readiness|", "Questionnaire/Canary|", "QuestionnaireResponse.questionnaire", nil, false},
		{"another version of it", "readiness|1", "readiness|9", "QuestionnaireResponse.questionnaire", nil, false},
		{"another period", `"id":"readiness-2026"`, `"id":"readiness-2027"`, "QuestionnaireResponse.id", nil, false},
		{"a figure that has moved on, or one of one's own", `"valueDecimal":0.75`, `"valueDecimal":0.99`, "", nil, false},
		{"words in the place of a figure", `"valueDecimal":0.75`, `"valueString":"Canary"`, "QuestionnaireResponse.item[1].item[0].answer[0].item[0].answer[0].valueString", nil, false},
		{"an item that is none", `"linkId":"accountable-leader"`, `"linkId":"Canary"`, "QuestionnaireResponse.item[0].item[0].linkId", nil, false},
		{"an item of another group", `"linkId":"culture"`, `"linkId":"action"`, "QuestionnaireResponse.item[0].item[0].linkId", nil, false},
		{"an author", `"status"`, `"author":{"display":"Canary"},"status"`, "QuestionnaireResponse.author", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sent := strings.Replace(served, tt.old, tt.new, 1)
			if sent == served && tt.name != "as it is served" {
				t.Fatalf("%q is not in the resource: %s", tt.old, served)
			}
			got, err := form.ReadQuestionnaireResponse([]byte(sent), q, stands)
			refusedAt(t, err, tt.path)
			if tt.path != "" {
				return
			}
			var ids []string
			for _, reply := range got.Changed {
				ids = append(ids, reply.Item)
			}
			if diff := cmp.Diff(tt.changed, ids); diff != "" || got.Finish != tt.finish {
				t.Errorf("changed (-want +got), finish %t:\n%s", got.Finish, diff)
			}
		})
	}
}

// Whatever people answered, sent against an empty draft, comes back as replies of just that.
func TestAssessmentsSurviveTheWay(t *testing.T) {
	t.Parallel()
	q := questionnaire(t)
	rapid.Check(t, func(rt *rapid.T) {
		want := map[string]readiness.Reply{}
		full := readiness.Assessment{
			ID: "readiness-2026", Period: "2026", Questionnaire: q.Version, State: readiness.Draft,
			Answers: map[string]readiness.Answer{},
		}
		empty := full
		for _, item := range q.Items() {
			if item.FromData() || rapid.Bool().Draw(rt, "left out") {
				continue
			}
			level := readiness.Level(rapid.IntRange(0, 3).Draw(rt, "level"))
			reply := readiness.Reply{Item: item.ID, Level: &level, Comment: rapid.SampledFrom([]string{"", "a <b> & c"}).Draw(rt, "comment")}
			want[item.ID] = reply
			full.Answers[item.ID] = readiness.Answer{Item: item.ID, Level: &level, Comment: reply.Comment}
		}
		empty.Answers = map[string]readiness.Answer{}
		got, err := form.ReadQuestionnaireResponse(marshal(t, open().QuestionnaireResponse(q, &full)), q, &empty)
		if err != nil {
			rt.Fatal(err)
		}
		have := map[string]readiness.Reply{}
		for _, reply := range got.Changed {
			have[reply.Item] = reply
		}
		if diff := cmp.Diff(want, have); diff != "" || len(have) != len(got.Changed) {
			rt.Fatalf("replies (-want +got):\n%s", diff)
		}
		back, err := form.ReadQuestionnaireResponse(marshal(t, open().QuestionnaireResponse(q, &empty)), q, &full)
		if err != nil || len(back.Changed) != len(want) {
			rt.Fatalf("taken back are %d of %d, %v", len(back.Changed), len(want), err)
		}
	})
}
