package exchange_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/store/facts"
)

// Every role at every route: what nobody granted is refused before anything is looked at.
func TestRolesAtRoutes(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{})
	event, task := "AdverseEvent/"+idOf("1"), "Task/"+idOf("1")
	reads := []role.Role{role.Reviewer}
	improves := []role.Role{role.Reviewer, role.Analyst}
	tests := []struct {
		method, path, body string
		may                []role.Role
		want               int
	}{
		{"GET", "AdverseEvent", "", reads, 200},
		{"GET", event, "", reads, 200},
		{"GET", event + "/_history", "", reads, 200},
		{"PUT", event, "{}", reads, 428},
		{"POST", "AdverseEvent", `{"identifier":{"value":"r1"}}`, []role.Role{role.Engineer}, 201},
		{"GET", "Task", "", improves, 200},
		{"GET", task, "", reads, 200},
		{"GET", task + "/_history", "", improves, 404},
		{"PUT", task, "{}", improves, 428},
		{"POST", "Task", "{}", improves, 400},
		{"GET", "Goal", "", improves, 200},
		{"GET", "Flag", "", improves, 200},
		{"GET", "QuestionnaireResponse", "", improves, 200},
		{"GET", "QuestionnaireResponse/readiness-2026", "", improves, 200},
		{"PUT", "QuestionnaireResponse/readiness-2026", "{}", improves, 428},
		{"GET", "Questionnaire", "", role.All(), 200},
		{"GET", "Questionnaire/readiness", "", role.All(), 200},
		{"GET", "CodeSystem/inequity-factor", "", role.All(), 200},
		{"GET", "ValueSet/inequity-factor", "", role.All(), 200},
	}
	for _, tt := range tests {
		for _, one := range role.All() {
			t.Run(string(one)+" "+tt.method+" "+tt.path, func(t *testing.T) {
				t.Parallel()
				want := http.StatusForbidden
				if slices.Contains(tt.may, one) {
					want = tt.want
				} else if tt.path == task && tt.method == "GET" && one == role.Analyst {
					want = http.StatusNotFound // Of reviews an analyst does not even learn which there are.
				}
				w := f.call(tt.method, tt.path, "someone+"+string(one), tt.body, "")
				if w.Code != want {
					t.Errorf("%s %s = %d, want %d: %s", tt.method, tt.path, w.Code, want, w.Body)
				}
			})
		}
	}
	if w := f.call("GET", event, "", "", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("without a token it is %d", w.Code)
	}
}

func TestSearchEvents(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{})
	served := f.get(t, "AdverseEvent/"+idOf("2"), reviewer)
	w := f.call("PUT", "AdverseEvent/"+idOf("2"), reviewer,
		answered(t, served.Body.String(), "undetermined", "detection=reported"), `W/"0"`)
	if w.Code != http.StatusOK {
		t.Fatalf("PUT = %d: %s", w.Code, w.Body)
	}
	one, two, three := idOf("1"), idOf("2"), idOf("3")
	tests := []struct {
		query string
		want  []string
	}{
		{"", []string{one, two, three}},
		{"_id=" + two, []string{two}},
		{"_id=" + two + "," + one, []string{one, two}},
		{"date=2026-03-01", []string{two}},
		{"date=ge2026-03-01", []string{two, three}},
		{"date=ge2026-02&date=lt2026-03", []string{one}},
		{"date=2026", []string{one, two, three}},
		{"actuality=potential", []string{three}},
		{"category=http://terminology.hl7.org/CodeSystem/adverse-event-category|wrong-dose", []string{one, two, three}},
		{"category=device", nil},
		{"severity=severe,mild", []string{one, two}},
		{"inequity=not-asked", []string{one}},
		{"inequity=undetermined", []string{two}},
		{"inequity=no", []string{three}},
		{"review-state=open", []string{one, three}},
		{"review-state=settled", []string{two}},
		{"colour=red", []string{one, two, three}},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			t.Parallel()
			got, total, _ := ids(t, f.get(t, "AdverseEvent?"+tt.query, reviewer))
			if diff := cmp.Diff(tt.want, got); diff != "" || total != len(tt.want) {
				t.Errorf("%s finds %d (-want +got):\n%s", tt.query, total, diff)
			}
		})
	}
	for query, want := range map[string]int{
		"date=yesterday": 400, "_count=x": 400, "_cursor=" + strings.Repeat("0", 40): 400, "_total=some": 400,
	} {
		if w := f.call("GET", "AdverseEvent?"+query, reviewer, "", ""); w.Code != want {
			t.Errorf("%s = %d, want %d: %s", query, w.Code, want, w.Body)
		}
	}
	w = f.call("GET", "AdverseEvent?colour=red", reviewer, "", "", "Prefer: handling=strict")
	if _, text := refused(t, w); w.Code != 400 || !strings.Contains(text, "colour") {
		t.Errorf("an unknown parameter is %d: %s", w.Code, text)
	}
	if _, total, _ := ids(t, f.get(t, "AdverseEvent?_total=none", reviewer)); total != -1 {
		t.Errorf("a total that nobody asked for is %d", total)
	}
	if got, total, next := ids(t, f.get(t, "AdverseEvent?_count=0", reviewer)); len(got) > 0 || total != 3 || next != "" {
		t.Errorf("a count of none is %v of %d, next %q", got, total, next)
	}
}

// Pages of any size, one after the other, hold every event once and in the order of one page.
func TestPagesHoldEveryEventOnce(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{})
	for i := range 6 {
		one := event(fmt.Sprintf("x%d", i), "2026-01-01", []string{"mild", "severe"}[i%2])
		f.snapshot.events = append(f.snapshot.events, one)
	}
	for _, query := range []string{"", "&severity=mild", "&actuality=potential"} {
		for _, count := range []int{1, 2, 4, 9, 200} {
			want, total, _ := ids(t, f.get(t, "AdverseEvent?_count=200"+query, reviewer))
			path := fmt.Sprintf("AdverseEvent?_count=%d%s", count, query)
			var got []string
			for path != "" {
				page, all, next := ids(t, f.get(t, path, reviewer))
				if all != total || len(page) == 0 || len(page) > count {
					t.Fatalf("%s has %d of %d", path, len(page), all)
				}
				got, path = append(got, page...), next
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pages of %d%s (-one +several):\n%s", count, query, diff)
			}
		}
	}
}

func TestAnswerAnEvent(t *testing.T) {
	t.Parallel()
	const yes = "yes"
	whole := []string{"factor=language-access", "detection=reported", "evidence=what the daughter said", "else=a busy shift"}
	tests := []struct {
		name, token, answer, tag string
		more                     []string
		change                   []string
		want                     int
		expression               string
	}{
		{name: "yes with all that belongs to it", token: reviewer, answer: yes, more: whole, tag: `W/"0"`, want: 200},
		{name: "by a program", token: "tool@equitylens/review,equitylens/narrative", answer: yes, more: whole,
			tag: `W/"0"`, want: 200},
		{name: "no, without free text, by who may write none", token: "tool@equitylens/review", answer: "no",
			more: []string{"detection=triggered"}, tag: `W/"0"`, want: 200},
		{name: "free text by who may write none", token: "tool@equitylens/review", answer: yes, more: whole,
			tag: `W/"0"`, want: 403},
		{name: "no tag", token: reviewer, answer: "no", more: whole[1:2], want: 428},
		{name: "another version", token: reviewer, answer: "no", more: whole[1:2], tag: `W/"1"`, want: 412},
		{name: "no detection", token: reviewer, answer: "no", tag: `W/"0"`, want: 422,
			expression: "AdverseEvent.extension('https://equitylens.org/fhir/StructureDefinition/event-detection')"},
		{name: "yes without a factor", token: reviewer, answer: yes, more: whole[1:3], tag: `W/"0"`, want: 422,
			expression: "AdverseEvent.extension('http://hl7.org/fhir/5.0/StructureDefinition/extension-AdverseEvent.contributingFactor')"},
		{name: "an answer that is none", token: reviewer, answer: "maybe", more: whole[1:2], tag: `W/"0"`, want: 422,
			expression: "AdverseEvent.extension('http://hl7.org/fhir/5.0/StructureDefinition/extension-AdverseEvent.contributingFactor')"},
		{name: "a factor that is none", token: reviewer, answer: yes,
			more: []string{"factor=weather", "detection=reported", "evidence=x"}, tag: `W/"0"`, want: 422,
			expression: "AdverseEvent.extension('http://hl7.org/fhir/5.0/StructureDefinition/extension-AdverseEvent.contributingFactor')"},
		{name: "another severity beside", token: reviewer, answer: "no", more: whole[1:2], tag: `W/"0"`,
			change: []string{`"severe"`, `"mild"`}, want: 422, expression: "AdverseEvent.severity.coding[0].code"},
		{name: "what is no JSON", token: reviewer, answer: "no", tag: `W/"0"`, change: []string{"{", "["}, want: 400},
		{name: "another resource", token: reviewer, answer: "no", tag: `W/"0"`,
			change: []string{`"AdverseEvent"`, `"Basic"`}, want: 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newRig(t, options{})
			path := "AdverseEvent/" + idOf("1")
			sent := answered(t, f.get(t, path, tt.token).Body.String(), tt.answer, tt.more...)
			for i := 0; i+1 < len(tt.change); i += 2 {
				sent = strings.Replace(sent, tt.change[i], tt.change[i+1], 1)
			}
			w := f.call("PUT", path, tt.token, sent, tt.tag)
			if w.Code != tt.want {
				t.Fatalf("PUT = %d, want %d: %s", w.Code, tt.want, w.Body)
			}
			if tt.want != http.StatusOK {
				expression, text := refused(t, w)
				if expression != tt.expression && tt.want == 422 {
					t.Errorf("refused at %q (%s), want %q", expression, text, tt.expression)
				}
				if strings.Contains(w.Body.String(), "canary") || strings.Contains(w.Body.String(), "daughter") {
					t.Errorf("the refusal repeats what was sent: %s", w.Body)
				}
				if got := f.get(t, path, tt.token).Header().Get("ETag"); got != `W/"0"` {
					t.Errorf("after a refusal the version is %s", got)
				}
				return
			}
			if tag := w.Header().Get("ETag"); tag != `W/"1"` {
				t.Errorf("the version is %s", tag)
			}
			// What is served now, sent as it is, changes nothing.
			now := f.get(t, path, tt.token)
			again := f.call("PUT", path, tt.token, now.Body.String(), `W/"1"`)
			if again.Code != http.StatusOK || again.Header().Get("ETag") != `W/"1"` ||
				again.Body.String() != now.Body.String() {
				t.Errorf("as it stands it is %d, %s: %s", again.Code, again.Header().Get("ETag"), again.Body)
			}
			// Another answer to what is settled is a conflict.
			other := answered(t, now.Body.String(), "undetermined", "detection=review")
			if w := f.call("PUT", path, tt.token, other, `W/"1"`); w.Code != http.StatusConflict {
				t.Errorf("another answer to a settled review is %d: %s", w.Code, w.Body)
			}
			if w := f.call("PUT", path, tt.token, other, `W/"0"`); w.Code != http.StatusPreconditionFailed {
				t.Errorf("another answer to an older version is %d: %s", w.Code, w.Body)
			}
		})
	}
}

// Two who answer a review of two, one after the other, and a third who settles it. Nobody sees the
// first answer before the second is there.
func TestReviewsOfTwoOverFHIR(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{rule: review.TwoForEachOne})
	path := "AdverseEvent/" + idOf("1")
	put := func(token, tag string, want int, answer string, more ...string) {
		t.Helper()
		sent := answered(t, f.get(t, path, token).Body.String(), answer, more...)
		if w := f.call("PUT", path, token, sent, tag); w.Code != want {
			t.Fatalf("PUT by %s = %d, want %d: %s", token, w.Code, want, w.Body)
		}
	}
	state := func(want string) {
		t.Helper()
		body := f.get(t, "Task/"+idOf("1"), second).Body.String()
		if !strings.Contains(body, `"code":"`+want+`"`) {
			t.Errorf("the Task is not %s: %s", want, body)
		}
	}
	put(reviewer, `W/"0"`, 200, "yes", "factor=bias", "detection=reported", "evidence=first-words")
	state("waiting")
	for _, place := range []string{path, path + "/_history", "Task/" + idOf("1") + "/_history", "AdverseEvent"} {
		body := f.get(t, place, second).Body.String()
		if strings.Contains(body, "first-words") || strings.Contains(body, `"yes"`) || strings.Contains(body, "bias") {
			t.Errorf("%s shows the first answer to the second reviewer: %s", place, body)
		}
	}
	put(second, `W/"1"`, 200, "no", "detection=reported")
	state("disagreed")
	put(third, `W/"2"`, 200, "yes", "factor=bias", "detection=reported", "evidence=third-words")
	state("settled")
	body := f.get(t, path, second).Body.String()
	if !strings.Contains(body, "third-words") || !strings.Contains(body, `"bias"`) {
		t.Errorf("the settlement is not served: %s", body)
	}
	history := f.get(t, path+"/_history", second).Body.String()
	for _, tag := range []string{`W/\"3\"`, `W/\"2\"`, `W/\"1\"`, `W/\"0\"`} {
		if !strings.Contains(history, tag) {
			t.Errorf("the history lacks %s: %s", tag, history)
		}
	}
}

// A program answers where one reviewer is asked for, and is neither of two.
func TestAProgramIsNoSecondReviewer(t *testing.T) {
	t.Parallel()
	const tool = "tool@equitylens/review,equitylens/improve"
	path := "AdverseEvent/" + idOf("1")
	sent := func(f *rig) string {
		return answered(t, f.get(t, path, tool).Body.String(), "no", "detection=reported")
	}
	one := newRig(t, options{})
	if w := one.call("PUT", path, tool, sent(one), `W/"0"`); w.Code != http.StatusOK {
		t.Fatalf("PUT by a program where one is asked = %d: %s", w.Code, w.Body)
	}
	two := newRig(t, options{rule: review.TwoForEachOne})
	if w := two.call("PUT", path, tool, sent(two), `W/"0"`); w.Code != http.StatusForbidden {
		t.Fatalf("PUT by a program as the first of two = %d: %s", w.Code, w.Body)
	}
	for i, by := range []string{reviewer, second} {
		answer := []string{"yes", "no"}[i]
		more := [][]string{{"factor=bias", "detection=reported", "evidence=why"}, {"detection=reported"}}[i]
		text := answered(t, two.get(t, path, by).Body.String(), answer, more...)
		if w := two.call("PUT", path, by, text, fmt.Sprintf(`W/"%d"`, i)); w.Code != http.StatusOK {
			t.Fatalf("PUT by %s = %d: %s", by, w.Code, w.Body)
		}
		tag := fmt.Sprintf(`W/"%d"`, i+1)
		if w := two.call("PUT", path, tool, sent(two), tag); w.Code != http.StatusForbidden {
			t.Errorf("PUT by a program after %d answers = %d: %s", i+1, w.Code, w.Body)
		}
	}
	if body := two.get(t, path, reviewer).Body.String(); strings.Contains(body, `"code":"yes"`) {
		t.Errorf("what two differ about is settled: %s", body)
	}
}

// Free text is served to whom it is for, and masked else; ids are in no log.
func TestFreeTextAndIdentifiers(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{})
	path := "AdverseEvent/" + idOf("1")
	sent := answered(t, f.get(t, path, reviewer).Body.String(), "yes", "factor=data", "detection=review",
		"evidence=canary evidence", "else=canary else")
	if w := f.call("PUT", path, reviewer, sent, `W/"0"`); w.Code != http.StatusOK {
		t.Fatalf("PUT = %d: %s", w.Code, w.Body)
	}
	const tool = "tool@equitylens/review,equitylens/improve"
	for _, place := range []string{path, "AdverseEvent", path + "/_history", "Task", "Task/" + idOf("1")} {
		body := f.get(t, place, tool).Body.String()
		if strings.Contains(body, "canary evidence") || strings.Contains(body, "canary else") {
			t.Errorf("%s shows free text: %s", place, body)
		}
	}
	if body := f.get(t, path, tool).Body.String(); strings.Count(body, `"masked"`) != 2 {
		t.Errorf("it does not say that two texts are masked: %s", body)
	}
	if body := f.get(t, path, reviewer).Body.String(); !strings.Contains(body, "canary evidence") {
		t.Errorf("a reviewer does not see it: %s", body)
	}
	f.get(t, path, reviewer)
	if last := f.trail.last(); !strings.Contains(last, "Patient/patient-canary-1") || strings.Contains(last, "canary evidence") {
		t.Errorf("the trail holds %s", last)
	}
	f.get(t, "AdverseEvent?_count=2", reviewer)
	last := f.trail.last()
	if !strings.Contains(last, "patient-canary-1") || !strings.Contains(last, "patient-canary-2") ||
		strings.Contains(last, "patient-canary-3") {
		t.Errorf("the trail does not name who is on the page: %s", last)
	}
	if f.log.String() == "" || strings.Contains(f.log.String(), "canary") {
		t.Errorf("the log holds %s", f.log)
	}
}

func TestEventsThatAreGone(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{})
	path := "AdverseEvent/" + idOf("1")
	sent := answered(t, f.get(t, path, reviewer).Body.String(), "no", "detection=review")
	if w := f.call("PUT", path, reviewer, sent, `W/"0"`); w.Code != http.StatusOK {
		t.Fatalf("PUT = %d: %s", w.Code, w.Body)
	}
	f.snapshot.events = slices.DeleteFunc(f.snapshot.events, func(e facts.Event) bool { return e.Severity == "severe" })
	for _, place := range []string{path, path + "/_history"} {
		if w := f.call("GET", place, reviewer, "", ""); w.Code != http.StatusGone {
			t.Errorf("GET %s = %d, want 410: %s", place, w.Code, w.Body)
		}
	}
	if got, total, _ := ids(t, f.get(t, "AdverseEvent", reviewer)); len(got) != 2 || total != 2 {
		t.Errorf("a search finds %d of %d", len(got), total)
	}
	f.get(t, "Task/"+idOf("1"), reviewer)
	if w := f.call("GET", "AdverseEvent/"+strings.Repeat("0", 40), reviewer, "", ""); w.Code != http.StatusNotFound {
		t.Errorf("an event that never was is %d", w.Code)
	}
	f.snapshot.fails = errors.New("the disk of patient-canary is gone")
	w := f.call("GET", "AdverseEvent", reviewer, "", "")
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "canary") {
		t.Errorf("a fault of ours is %d: %s", w.Code, w.Body)
	}
}

func TestAcceptEvents(t *testing.T) {
	t.Parallel()
	f := newRig(t, options{})
	const token = "incidents@equitylens/import"
	tests := []struct {
		name, body string
		want       int
		says       string
	}{
		{"a new one", `{"identifier":{"value":"r-canary"}}`, 201, "next sync"},
		{"the same again", `{"identifier":{"value":"r-canary"}}`, 200, "already"},
		{"another version of it", `{"identifier":{"value":"r-canary"},"x":1}`, 200, "new version"},
		{"none", `{}`, 422, "is missing"},
	}
	for _, tt := range tests {
		w := f.call("POST", "AdverseEvent", token, tt.body, "")
		_, text := refused(t, w)
		if w.Code != tt.want || !strings.Contains(text, tt.says) {
			t.Errorf("%s = %d, want %d: %s", tt.name, w.Code, tt.want, w.Body)
		}
		location := w.Header().Get("Location")
		if tt.want != 422 && (!strings.HasPrefix(location, base+"/AdverseEvent/") || strings.Contains(location, "canary")) {
			t.Errorf("%s is at %q", tt.name, location)
		}
	}
	if w := f.call("GET", "AdverseEvent", token, "", ""); w.Code != http.StatusForbidden {
		t.Errorf("who hands events in reads them: %d", w.Code)
	}
}

// FuzzAnswerAnEvent: whatever is sent is taken or refused, and nothing of it is repeated.
func FuzzAnswerAnEvent(f *testing.F) {
	rig := newRig(f, options{})
	path := "AdverseEvent/" + idOf("1")
	served := rig.get(f, path, reviewer).Body.String()
	f.Add(served)
	f.Add(answered(f, served, "yes", "factor=bias", "detection=reported", "evidence=x"))
	f.Add(strings.Replace(served, `"severe"`, `"canary-7f3a"`, 1))
	f.Add(`{"resourceType":"AdverseEvent","canary-7f3a":1}`)
	f.Add("")
	f.Fuzz(func(t *testing.T, sent string) {
		if sent == "" {
			return
		}
		tag := rig.get(t, path, reviewer).Header().Get("ETag")
		w := rig.call("PUT", path, reviewer, sent, tag)
		if w.Code == http.StatusOK {
			return
		}
		if w.Code >= 500 || w.Code < 400 {
			t.Errorf("PUT = %d: %s", w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "canary-7f3a") || strings.Contains(w.Body.String(), "event-canary") {
			t.Errorf("the refusal repeats what was sent: %s", w.Body)
		}
	})
}
