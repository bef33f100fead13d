package exchange_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/internal/exchange"
)

// replied is a QuestionnaireResponse that answers every item of people at a level.
func replied(t testing.TB, id, status string, level readiness.Level, left ...string) string {
	t.Helper()
	q, err := readiness.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	var groups []any
	for _, domain := range q.Domains {
		var items []any
		for _, item := range domain.Items {
			if item.FromData() || len(left) > 0 && item.ID == left[0] {
				continue
			}
			items = append(items, map[string]any{"linkId": item.ID, "answer": []any{map[string]any{
				"valueCoding": map[string]any{"system": form.SystemLevel, "code": level.Code()},
			}}})
		}
		if len(items) > 0 {
			groups = append(groups, map[string]any{"linkId": domain.ID, "item": items})
		}
	}
	text, err := json.Marshal(map[string]any{
		"resourceType": "QuestionnaireResponse", "id": id, "status": status,
		"questionnaire": form.QuestionnaireURL, "item": groups,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// An assessment from an empty draft to the end.
func TestAnAssessmentOverFHIR(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{})
	const path = "QuestionnaireResponse/readiness-2026"
	if tag := f.get(t, path, analyst).Header().Get("ETag"); tag != `W/"0"` {
		t.Fatalf("an empty draft is version %s", tag)
	}
	if got, _, _ := ids(t, f.get(t, "QuestionnaireResponse", analyst)); len(got) > 0 {
		t.Errorf("an empty draft is found: %v", got)
	}
	q, err := readiness.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	first := ""
	for _, item := range q.Items() {
		if !item.FromData() && first == "" {
			first = item.ID
		}
	}
	steps := []struct {
		name, body, tag string
		want            int
	}{
		{"no tag", replied(t, "readiness-2026", "in-progress", readiness.Begun), "", 428},
		{"all but one", replied(t, "readiness-2026", "in-progress", readiness.Begun, first), `W/"0"`, 200},
		{"the version before", replied(t, "readiness-2026", "in-progress", readiness.Begun), `W/"0"`, 412},
		{"the end too early", replied(t, "readiness-2026", "completed", readiness.Begun, first), `W/"1"`, 409},
		{"answers and the end at once", replied(t, "readiness-2026", "completed", readiness.Routine), `W/"1"`, 422},
		{"the last one", replied(t, "readiness-2026", "in-progress", readiness.Begun), `W/"1"`, 200},
		{"nothing new", replied(t, "readiness-2026", "in-progress", readiness.Begun), `W/"2"`, 200},
		{"the end", replied(t, "readiness-2026", "completed", readiness.Begun), `W/"2"`, 200},
		{"the end again", replied(t, "readiness-2026", "completed", readiness.Begun), `W/"3"`, 200},
		{"another answer after the end", replied(t, "readiness-2026", "completed", readiness.Routine), `W/"3"`, 409},
		{"a draft after the end", replied(t, "readiness-2026", "in-progress", readiness.Begun), `W/"3"`, 422},
		{"another period", replied(t, "readiness-2027", "in-progress", readiness.Begun), `W/"3"`, 422},
		{"another resource", `{"resourceType":"Basic","code":{"text":"x"}}`, `W/"3"`, 400},
	}
	for _, step := range steps {
		if w := f.call("PUT", path, analyst, step.body, step.tag); w.Code != step.want {
			t.Fatalf("%s = %d, want %d: %s", step.name, w.Code, step.want, w.Body)
		}
	}
	for query, want := range map[string]int{
		"": 1, "status=completed": 1, "status=in-progress": 0, "identifier=2026": 1, "identifier=2025": 0,
		"authored=2026-06-15": 1, "authored=2025": 0, "questionnaire=" + form.QuestionnaireURL: 1,
		"questionnaire=" + form.QuestionnaireURL + "|9.9.9": 0, "_id=readiness-2026": 1,
	} {
		if got, _, _ := ids(t, f.get(t, "QuestionnaireResponse?"+query, analyst)); len(got) != want {
			t.Errorf("%s finds %v, want %d", query, got, want)
		}
	}
}

func TestPeriodsThatAreNone(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{})
	for id, want := range map[string]int{
		"readiness-2026": 200, "readiness-2026-Q1": 200, "readiness-2026-03": 200, "readiness-": 404,
		"readiness-2026-13": 404, "readiness-2026-01-01": 404, "other-2026": 404, "2026": 404,
	} {
		if w := f.call("GET", "QuestionnaireResponse/"+id, analyst, "", ""); w.Code != want {
			t.Errorf("%s = %d, want %d: %s", id, w.Code, want, w.Body)
		}
	}
}

// Without figures an assessment is answered and not finished, and items from data are left open.
func TestAssessmentsWithoutFigures(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{change: func(c *exchange.Config) { c.Figures = nil }})
	const path = "QuestionnaireResponse/readiness-2026"
	if body := f.get(t, path, analyst).Body.String(); strings.Contains(body, "figure") {
		t.Errorf("there are figures: %s", body)
	}
	var codes []int
	for tag, status := range []string{"in-progress", "completed"} {
		body := replied(t, "readiness-2026", status, readiness.Begun)
		codes = append(codes, f.call("PUT", path, analyst, body, fmt.Sprintf(`W/"%d"`, tag)).Code)
	}
	if diff := cmp.Diff([]int{http.StatusOK, http.StatusNotImplemented}, codes); diff != "" {
		t.Errorf("an answer and the end (-want +got):\n%s", diff)
	}
}
