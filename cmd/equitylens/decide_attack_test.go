package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/equitylens/equitylens/auth/authtest"
)

// bureau is a program at which three people review, two of them each event, by pages and by tokens.
type bureau struct {
	*lens
	// event is the id of a review that nobody has begun.
	event string
}

// decideScope is all that somebody needs who reviews and improves.
const decideScope = "equitylens/review equitylens/narrative equitylens/improve"

// canaryWords stand in the free text of a first opinion.
const canaryWords = "Zebulon Quark was not understood"

func openBureau(t *testing.T) *bureau {
	t.Helper()
	s, key := openHospital(t, "")
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	const reviewers = "equity-reviewer: [patient-safety"
	s.write(t, strings.Replace(string(text), reviewers, reviewers+", clinicians", 1))
	s.add(t, fmt.Sprintf(`    - {id: desk, public: true, redirect_uris: [%q], scopes: [%s]}
    - {id: tool, jwks_file: %s, scopes: [%s]}
reviews: {two_person: all}
`, boardRedirect, commaed(decideScope), filepath.Join(s.folder, "office.jwks"), commaed(decideScope)))
	b := &bureau{lens: s.open(t, key)}
	at := b.person(t, reviewerUser).get(lensURL + "/reviews?state=open")
	found := regexp.MustCompile(`/reviews/([0-9a-f]{40})`).FindStringSubmatch(at.body)
	if found == nil {
		t.Fatalf("the worklist is %d: %s", at.status, at.body)
	}
	b.event = found[1]
	return b
}

// person is somebody who has signed in.
func (b *bureau) person(t *testing.T, user string) *visitor {
	t.Helper()
	if err := b.ehr.SignInAs(user); err != nil {
		t.Fatal(err)
	}
	v := b.visitor(t)
	v.get(lensURL + "/signin/ehr")
	return v
}

// personal is a token of somebody through the program without a key.
func (b *bureau) personal(t *testing.T, user string) string {
	t.Helper()
	if err := b.ehr.SignInAs(user); err != nil {
		t.Fatal(err)
	}
	form := boardForm(decideScope)
	form.Set("client_id", "desk")
	code := b.visitor(t).authorize(form).Get("code")
	answer := b.post(t, "/oauth/token", authtest.CodeForm("desk", boardRedirect, code))
	token, _ := answer.Body["access_token"].(string)
	if token == "" {
		t.Fatalf("token: %d %v", answer.Status, answer.Body)
	}
	return token
}

// send submits a form of one of our pages, from a site that the browser names.
func (v *visitor) send(path string, form url.Values, site string) sight {
	v.t.Helper()
	request := v.request(http.MethodPost, lensURL+path, form)
	request.Header.Set("Sec-Fetch-Site", site)
	if site == "same-origin" {
		request.Header.Set("Origin", lensURL)
	}
	answer, err := v.client.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return sight{at: request.URL, status: answer.StatusCode, header: answer.Header, body: string(body)}
}

// give sends a body to a resource upon a version.
func (b *bureau) give(method, path, token, version, body string) (status int, text string) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, lensURL+"/fhir/"+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/fhir+json")
	if version != "" {
		request.Header.Set("If-Match", `W/"`+version+`"`)
	}
	answer, err := b.serving.client.Do(request)
	if err != nil {
		b.t.Error(err)
		return 0, ""
	}
	defer func() { _ = answer.Body.Close() }()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Error(err)
	}
	return answer.StatusCode, string(said)
}

// opinion is the event as a token gets it, with another answer in it.
func (b *bureau) opinion(token, answer string) string {
	b.t.Helper()
	status, text := b.give(http.MethodGet, "AdverseEvent/"+b.event, token, "", "")
	var event map[string]any
	if err := json.Unmarshal([]byte(text), &event); err != nil || status != http.StatusOK {
		b.t.Fatalf("the event is %d: %v", status, err)
	}
	concept := func(system, code string) map[string]any {
		return map[string]any{"coding": []any{map[string]any{
			"system": "https://equitylens.org/fhir/CodeSystem/" + system, "code": code,
		}}}
	}
	event["extension"] = []any{
		map[string]any{
			"url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-AdverseEvent.contributingFactor",
			"extension": []any{map[string]any{
				"url": "item", "valueCodeableConcept": concept("inequity-contribution", answer),
			}},
		},
		map[string]any{
			"url":                  "https://equitylens.org/fhir/StructureDefinition/event-detection",
			"valueCodeableConcept": concept("event-detection", "reported"),
		},
	}
	sent, err := json.Marshal(event)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(sent)
}

// is fails unless the Task of the review says a state.
func (b *bureau) is(token, state string) {
	b.t.Helper()
	status, text := b.give(http.MethodGet, "Task/"+b.event, token, "", "")
	if status != http.StatusOK || !strings.Contains(text, `"code":"`+state+`"`) {
		b.t.Errorf("the Task is %d and not %s: %s", status, state, text)
	}
}

// TestOnePersonIsOneReviewerAtEveryDoor has somebody answer on a page, by a token and through a program,
// and another one look for what they answered before answering themselves.
func TestOnePersonIsOneReviewerAtEveryDoor(t *testing.T) {
	t.Parallel()
	b := openBureau(t)
	first := b.person(t, reviewerUser)
	page := "/reviews/" + b.event
	form := url.Values{
		"task": {"answer"}, "version": {"0"}, "answer": {"yes"}, "factors": {"bias"}, "detection": {"reported"},
		"evidence": {canaryWords},
	}
	if got := first.send(page, form, "same-origin"); got.status != http.StatusSeeOther {
		t.Fatalf("the first answer is %d: %s", got.status, got.body)
	}
	own, other := b.personal(t, reviewerUser), b.personal(t, clinicianUser)
	tool := b.token("tool", b.office, decideScope)
	if status, text := b.give(http.MethodPut, "AdverseEvent/"+b.event, own, "1", b.opinion(own, "yes")); status != http.StatusUnprocessableEntity {
		t.Errorf("a yes without what it rests on is %d: %s", status, text)
	}
	if status, text := b.give(http.MethodPut, "AdverseEvent/"+b.event, own, "1", b.opinion(own, "no")); status != http.StatusOK {
		t.Fatalf("the same person by a token is %d: %s", status, text)
	}
	b.is(own, "waiting")
	if status, text := b.give(http.MethodPut, "AdverseEvent/"+b.event, tool, "2", b.opinion(tool, "no")); status != http.StatusForbidden {
		t.Errorf("a program as the second is %d: %s", status, text)
	}
	b.is(own, "waiting")
	second := b.person(t, clinicianUser)
	b.tellsNothing(t, second, other)
	settle := url.Values{
		"task": {"settle"}, "version": {"2"}, "answer": {"no"}, "detection": {"reported"}, "evidence": {"as I say"},
	}
	if got := second.send(page, settle, "same-origin"); got.status != http.StatusConflict {
		t.Errorf("who has not answered settles: %d", got.status)
	}
	b.is(own, "waiting")
	if status, text := b.give(http.MethodPut, "AdverseEvent/"+b.event, other, "2", b.opinion(other, "undetermined")); status != http.StatusOK {
		t.Fatalf("the second answer is %d: %s", status, text)
	}
	b.is(own, "disagreed")
	settle.Set("version", "3")
	for _, party := range []*visitor{first, second} {
		if got := party.send(page, settle, "same-origin"); got.status != http.StatusConflict {
			t.Errorf("a party settles: %d", got.status)
		}
	}
	b.is(own, "disagreed")
	b.end()
	if log := b.log.String(); strings.Contains(log, "Zebulon") || strings.Contains(log, "as I say") {
		t.Error("the log holds what somebody wrote")
	}
}

// tellsNothing looks for a first opinion wherever the second reviewer may look.
func (b *bureau) tellsNothing(t *testing.T, second *visitor, token string) {
	t.Helper()
	words := regexp.MustCompile(`Zebulon|"code":"(yes|no|bias|reported)"`)
	for _, path := range []string{
		"AdverseEvent/" + b.event, "AdverseEvent/" + b.event + "/_history", "Task/" + b.event,
		"Task/" + b.event + "/_history",
	} {
		if status, text := b.give(http.MethodGet, path, token, "", ""); status != http.StatusOK || words.MatchString(text) {
			t.Errorf("%s is %d and tells %q", path, status, words.FindString(text))
		}
	}
	for _, search := range []string{"AdverseEvent?inequity=yes", "AdverseEvent?inequity=no", "AdverseEvent?review-state=settled"} {
		if _, text := b.give(http.MethodGet, search, token, "", ""); strings.Contains(text, b.event) {
			t.Errorf("%s finds the event", search)
		}
	}
	for _, filter := range []string{"answer=yes", "answer=no", "detection=reported", "state=settled"} {
		if at := second.get(lensURL + "/reviews?" + filter); at.status != http.StatusOK || strings.Contains(at.body, b.event) {
			t.Errorf("the worklist by %s is %d, and has the event or none", filter, at.status)
		}
	}
	for _, path := range []string{"/reviews", "/reviews/" + b.event, "/reviews/clusters?least=1"} {
		if at := second.get(lensURL + path); at.status != http.StatusOK || strings.Contains(at.body, "Zebulon") {
			t.Errorf("%s is %d, or tells what the first wrote", path, at.status)
		}
	}
	if at := second.get(lensURL + "/reviews/clusters?least=1"); strings.Contains(at.body, b.event) {
		t.Error("a cluster holds an event that is not settled")
	}
}

// TestOfManyAnswersOnOneVersionOneCounts sends fifty at once on each of three versions.
func TestOfManyAnswersOnOneVersionOneCounts(t *testing.T) {
	t.Parallel()
	b := openBureau(t)
	token := b.personal(t, reviewerUser)
	for version, answer := range []string{"no", "undetermined", "no"} {
		body := b.opinion(token, answer)
		const many = 50
		got := make([]int, many)
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				got[i], _ = b.give(http.MethodPut, "AdverseEvent/"+b.event, token, fmt.Sprint(version), body)
			})
		}
		all.Wait()
		count := map[int]int{}
		for _, status := range got {
			count[status]++
		}
		if count[http.StatusOK] != 1 || count[http.StatusPreconditionFailed] != many-1 {
			t.Errorf("of %d on version %d: %v, want one 200 and the rest 412", many, version, count)
		}
	}
	b.end()
}

// TestFormsOfOtherSitesDecideNothing sends each form from elsewhere, and with the cookie of a chart.
func TestFormsOfOtherSitesDecideNothing(t *testing.T) {
	t.Parallel()
	b := openBureau(t)
	person := b.person(t, reviewerUser)
	if err := b.ehr.SignInAs(clinicianUser); err != nil {
		t.Fatal(err)
	}
	chart := b.visitor(t)
	if at := chart.get(b.launch(t)); at.status != http.StatusOK {
		t.Fatalf("the chart is %d", at.status)
	}
	answer := url.Values{"task": {"answer"}, "version": {"0"}, "answer": {"no"}, "detection": {"reported"}}
	for path, form := range map[string]url.Values{
		"/reviews/" + b.event: answer,
		"/actions/new":        {"version": {"0"}, "measure": {"length-of-stay"}},
		"/actions/conditions": {"name": {"x"}, "start": {"2025-01-01"}},
	} {
		for _, site := range []string{"cross-site", "same-site"} {
			if got := person.send(path, form, site); got.status != http.StatusForbidden {
				t.Errorf("%s from %s is %d", path, site, got.status)
			}
		}
		if got := chart.send(path, form, "same-origin"); got.status != http.StatusSeeOther ||
			!strings.Contains(got.header.Get("Location"), "/signin") {
			t.Errorf("%s with the cookie of a chart is %d to %s", path, got.status, got.header.Get("Location"))
		}
	}
	if at := person.get(lensURL + "/reviews/" + b.event); !strings.Contains(at.body, `name="version" value="0"`) {
		t.Error("somebody has answered")
	}
	b.end()
}

// TestConditionsThatLeaveNothingToCompare asks for every measure where each day is inside, and where none
// is.
func TestConditionsThatLeaveNothingToCompare(t *testing.T) {
	t.Parallel()
	b := openBureau(t)
	person := b.person(t, reviewerUser)
	form := url.Values{"name": {`=1+1 <i>x</i>`}, "start": {"2020-01-01"}}
	if got := person.send("/actions/conditions", form, "same-origin"); got.status != http.StatusSeeOther {
		t.Fatalf("the condition is %d: %s", got.status, got.body)
	}
	for _, period := range []string{"2025", "2019", "2025-03", ""} {
		for _, id := range []string{"length-of-stay", "interpreter-documented", "harm-per-1000-days", "race-recorded"} {
			at := person.get(lensURL + "/actions/conditions?by=language_group&measure=" + id + "&period=" + period)
			if at.status >= http.StatusInternalServerError || strings.Contains(at.body, "<i>x") {
				t.Errorf("%s in %q is %d", id, period, at.status)
			}
		}
	}
	b.end()
}

// TestWhatIsSentIsBounded sends what is no resource to every route that writes.
func TestWhatIsSentIsBounded(t *testing.T) {
	t.Parallel()
	b := openBureau(t)
	token := b.personal(t, reviewerUser)
	bodies := map[string]string{
		"nothing": "", "no JSON": "{", "null": "null", "a list": "[]", "a number": "1e999",
		"a bomb":          strings.Repeat("[", 200_000),
		"deep objects":    strings.Repeat(`{"extension":[`, 20_000),
		"a repeated key":  `{"resourceType":"Task","resourceType":"AdverseEvent"}`,
		"no UTF-8":        "{\"resourceType\":\"\xff\xfe\"}",
		"half a pair":     `{"resourceType":"\ud800"}`,
		"a large body":    `{"resourceType":"` + strings.Repeat("x", 4<<20) + `"}`,
		"another kind":    `{"resourceType":"Patient","name":[{"family":"Quark"}]}`,
		"an escaped kind": `{"resourceType":"..\/..\/etc\u0000"}`,
	}
	for _, to := range []string{
		"PUT AdverseEvent/" + b.event, "PUT Task/" + strings.Repeat("0", 24), "POST Task",
		"PUT QuestionnaireResponse/readiness-2025",
	} {
		method, path, _ := strings.Cut(to, " ")
		for name, body := range bodies {
			status, text := b.give(method, path, token, "0", body)
			if status < http.StatusBadRequest || status >= http.StatusInternalServerError {
				t.Errorf("%s with %s is %d: %.200s", to, name, status, text)
			}
			if strings.Contains(text, "Quark") {
				t.Errorf("%s with %s repeats it", to, name)
			}
		}
	}
	b.end()
}
