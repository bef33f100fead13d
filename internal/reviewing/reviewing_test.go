package reviewing_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/reviewing"
	"github.com/equitylens/equitylens/server/page/pagetest"
	"github.com/equitylens/equitylens/store/decisions"
)

func TestNewWantsWhatItNeeds(t *testing.T) {
	t.Parallel()
	if _, err := reviewing.New(reviewing.Config{}); err == nil {
		t.Error("New of an empty Config is no error")
	}
}

// addresses are every page, of the sample.
func addresses() []string {
	return []string{"/reviews", "/reviews/clusters", "/reviews/codes", "/reviews/" + idOf(canaryEvent)}
}

func TestEveryRouteIsForReviewersAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	for _, r := range append(role.All(), "") {
		roles := []role.Role{r}
		want, sent := http.StatusForbidden, http.StatusForbidden
		switch r {
		case "":
			roles, want, sent = nil, http.StatusSeeOther, http.StatusSeeOther
		case role.Reviewer:
			want, sent = http.StatusOK, http.StatusUnprocessableEntity
		case role.Analyst, role.Clinician, role.Engineer, role.Administrator:
		}
		b := w.as(t, person{"ann", roles})
		for _, address := range addresses() {
			if got := b.get(address); got.status != want {
				t.Errorf("%q: GET %s: status %d, want %d", r, address, got.status, want)
			} else if want != http.StatusOK && strings.Contains(got.body, "Medication mishap") {
				t.Errorf("%q: GET %s shows an event", r, address)
			}
		}
		form := url.Values{"task": {"answer"}, "version": {"0"}}
		if got := b.post("/reviews/"+idOf(canaryEvent), form); got.status != sent {
			t.Errorf("%q: POST: status %d, want %d", r, got.status, sent)
		}
	}
	if _, err := w.records.Get(t.Context(), decisions.Review, idOf(canaryEvent)); err == nil {
		t.Error("something was written")
	}
}

func TestAnAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	b, id := w.reviewer(t, "ann"), idOf(canaryEvent)
	before := b.open("/reviews/" + id)
	before.Sound()
	before.Says("Medication mishap", "Severe", "Riverside Hospital", "Black or African American", "Vietnamese",
		"Patient.extension(us-core-race)", "An interpreter was needed, and none is documented.",
		"Reported harm is not harm.", "Did inequity contribute?")
	if got := before.Field("answer", "version"); got != "0" {
		t.Errorf("the form holds version %q", got)
	}
	b.must(id, yes(0))
	if event := w.trail.last(); !strings.Contains(event, `"review-answer"`) || !strings.Contains(event, "AdverseEvent/"+id) ||
		!strings.Contains(event, "Patient/"+canaryPatient) || !strings.Contains(event, "subject-ann") {
		t.Errorf("the trail holds %s", event)
	}
	after := b.open("/reviews/" + id + "?done=answer")
	after.Sound()
	after.Says("Your answer has been written down.", "Inequity contributed: Yes (Language access).", "Language access",
		"It becomes part of the figures with the next sync.", "The consent form was in English alone.",
		"ann (you)", "Open the review again")
	act := after.All(func(n *html.Node) bool { return strings.HasPrefix(pagetest.Attribute(n, "href"), "/actions/new?") })
	if len(act) != 1 || pagetest.Attribute(act[0], "href") != "/actions/new?cause=language-access&review="+id {
		t.Errorf("the review leads to no action")
	}
	document, err := w.records.Get(t.Context(), decisions.Review, id)
	if err != nil || document.Version != 1 || document.By != "subject-ann" {
		t.Errorf("the store holds %+v, %v", document, err)
	}
}

func TestAFormThatIsNotComplete(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ö", review.MaxText)
	for _, test := range []struct {
		name   string
		change url.Values
		faults []string
	}{
		{"nothing", url.Values{"answer": nil, "factors": nil, "detection": nil, "evidence": nil},
			[]string{"answer-answer", "answer-detection"}},
		{"a yes without a factor", url.Values{"factors": nil}, []string{"answer-factors"}},
		{"a yes without evidence", url.Values{"evidence": {" \r\n"}}, []string{"answer-evidence"}},
		{"a no with a factor", url.Values{"answer": {"no"}}, []string{"answer-factors"}},
		{"an answer that is none", url.Values{"answer": {"perhaps"}}, []string{"answer-answer"}},
		{"a text that is too long", url.Values{"evidence": {long}}, []string{"answer-evidence"}},
		{"bytes that are no text", url.Values{"else": {"a\xff"}}, []string{"answer-else"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, review.OneReviewer)
			form := yes(0)
			form.Set("else", "Two nurses were on leave.")
			for name, values := range test.change {
				form[name] = values
			}
			got := w.reviewer(t, "ann").post("/reviews/"+idOf(canaryEvent), form)
			if got.status != http.StatusUnprocessableEntity {
				t.Fatalf("status %d", got.status)
			}
			page := pagetest.LeafOf(t, got.body)
			page.Sound()
			var led []string
			for _, a := range page.All(func(n *html.Node) bool {
				return n.Data == "a" && strings.HasPrefix(pagetest.Attribute(n, "href"), "#answer-") && pagetest.Attribute(n, "href") != "#answer-wrong"
			}) {
				led = append(led, pagetest.Attribute(a, "href")[1:])
			}
			if !slices.Equal(led, test.faults) {
				t.Errorf("the summary leads to %q, want %q", led, test.faults)
			}
			for _, id := range test.faults {
				control := page.ID(id)
				for control != nil && !strings.Contains(pagetest.Attribute(control, "aria-describedby"), id+"-fault") {
					control = control.Parent // Of a group it is the fieldset that is described.
				}
				if control == nil || pagetest.Text(page.ID(id+"-fault")) == "" {
					t.Errorf("%s is not described by what is wrong with it", id)
				}
			}
			if _, changed := test.change["else"]; !changed && page.Field("answer", "else") != "Two nurses were on leave." {
				t.Errorf("what was written is gone: %q", page.Field("answer", "else"))
			}
			if !strings.Contains(w.trail.last(), `"outcome":"4"`) {
				t.Errorf("the trail holds %s", w.trail.last())
			}
			if _, err := w.records.Get(t.Context(), decisions.Review, idOf(canaryEvent)); err == nil {
				t.Error("something was written")
			}
		})
	}
}

func TestAFormThatIsNoneOfOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	b, id := w.reviewer(t, "ann"), idOf(canaryEvent)
	for _, test := range []struct {
		name string
		form url.Values
		want int
	}{
		{"without a version", url.Values{"task": {"answer"}}, 400},
		{"without a task", url.Values{"version": {"0"}}, 400},
		{"with another task", url.Values{"version": {"0"}, "task": {"delete"}}, 400},
		{"with another field", url.Values{"version": {"0"}, "task": {"answer"}, "state": {"settled"}}, 400},
		{"that is too large", url.Values{"version": {"0"}, "task": {"answer"}, "else": {strings.Repeat("x", 70_000)}}, 413},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := b.post("/reviews/"+id, test.form); got.status != test.want {
				t.Errorf("status %d, want %d", got.status, test.want)
			}
		})
	}
	for _, address := range []string{"/reviews/" + strings.Repeat("0", 40), "/reviews/" + id + "0", "/reviews/" + canaryEvent} {
		if got := b.get(address); got.status != http.StatusNotFound {
			t.Errorf("GET %s: status %d", address, got.status)
		}
	}
}

func TestTwoBrowsersOnOneEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	ann, ben, id := w.reviewer(t, "ann"), w.reviewer(t, "ben"), idOf(canaryEvent)
	ann.open("/reviews/" + id)
	ben.open("/reviews/" + id)
	ann.must(id, yes(0))
	mine := no(0)
	mine.Set("evidence", "Ben saw the pump.")
	got := ben.post("/reviews/"+id, mine)
	if got.status != http.StatusConflict {
		t.Fatalf("status %d", got.status)
	}
	page := pagetest.LeafOf(t, got.body)
	page.Sound()
	page.Says("Somebody else wrote something down", "The consent form was in English alone.", "What you wrote, which was not saved",
		"Ben saw the pump.", "A pump failed.", "Inequity contributed: Yes (Language access).")
	if !strings.Contains(w.trail.last(), `"outcome":"4"`) {
		t.Errorf("the trail holds %s", w.trail.last())
	}
	history, err := w.desk.History(t.Context(), id, "subject-ben")
	if err != nil || len(history) != 1 || len(history[0].Opinions) != 1 {
		t.Errorf("the store holds %+v, %v", history, err)
	}
}

func TestTwoBrowsersWhereTwoAreAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.TwoForEachOne)
	ann, ben, id := w.reviewer(t, "ann"), w.reviewer(t, "ben"), idOf(canaryEvent)
	ann.must(id, yes(0))
	got := ben.post("/reviews/"+id, no(0))
	page := pagetest.LeafOf(t, got.body)
	if got.status != http.StatusConflict {
		t.Fatalf("status %d", got.status)
	}
	page.Says("Somebody else answered while you were writing.", "Your own words are still in the form.", "Somebody else has answered. You will see what")
	page.Silent("The consent form was in English alone.", "ann (")
	for name, want := range map[string]string{"answer": "no", "detection": "triggered", "else": "A pump failed.", "version": "1"} {
		if field := page.Field("answer", name); field != want {
			t.Errorf("the form holds %s %q, want %q", name, field, want)
		}
	}
	ben.must(id, no(1))
	both := ben.open("/reviews/" + id)
	both.Sound()
	both.Says("Answers differ", "The consent form was in English alone.", "Either of you may change theirs")
}

func TestTheSecondReviewerSeesTheFirstOpinionAfterTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.TwoIfSevere)
	ann, ben, id := w.reviewer(t, "ann"), w.reviewer(t, "ben"), idOf(canaryEvent)
	ann.must(id, yes(0))
	before := ben.open("/reviews/" + id)
	before.Says("Two people review this event", "Somebody else has answered.", "An answer of somebody else")
	before.Silent("The consent form", "ann")
	own := ann.open("/reviews/" + id)
	own.Says("The consent form was in English alone.", "Change your answer")
	own.Silent("Somebody else has answered.")
	same := yes(1)
	same.Set("evidence", "The interpreter line was closed.")
	ben.must(id, same)
	after := ben.open("/reviews/" + id)
	after.Says("Two reviewers agreed; the second was ben (you)", "The consent form", "The interpreter line was closed.")
}

func TestADisagreementIsSettledByAThird(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.TwoForEachOne)
	ann, ben, cleo, id := w.reviewer(t, "ann"), w.reviewer(t, "ben"), w.reviewer(t, "cleo"), idOf(canaryEvent)
	ann.must(id, yes(0))
	ben.must(id, no(1))
	settle := yes(2)
	settle.Set("task", "settle")
	if got := ann.post("/reviews/"+id, settle); got.status != http.StatusConflict {
		t.Errorf("one of the two settled it: status %d", got.status)
	} else {
		pagetest.LeafOf(t, got.body).Says("One of two who differ cannot settle it.", "What you wrote, which was not saved")
	}
	page := cleo.open("/reviews/" + id)
	page.Sound()
	page.Says("Settle what two reviewers differ about", "A pump failed.", "The consent form was in English alone.")
	settle.Set("evidence", "Both were heard.")
	cleo.must(id, settle)
	done := ben.open("/reviews/" + id)
	done.Says("Two reviewers differed, and cleo settled it", "Both were heard.")
	if got := ben.post("/reviews/"+id, no(3)); got.status != http.StatusConflict {
		t.Errorf("a settled review was answered: status %d", got.status)
	}
}

func TestAReviewIsOpenedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	ann, ben, id := w.reviewer(t, "ann"), w.reviewer(t, "ben"), idOf(canaryEvent)
	ann.must(id, yes(0))
	form := url.Values{"task": {"reopen"}, "version": {"1"}}
	if got := ben.post("/reviews/"+id, form); got.status != http.StatusUnprocessableEntity ||
		!strings.Contains(got.body, `href="#reopen-reason"`) {
		t.Errorf("without a reason: status %d", got.status)
	}
	form.Set("reason", "The interpreter has been found.")
	ben.must(id, form)
	page := ann.open("/reviews/" + id)
	page.Sound()
	page.Says("Opened again: The interpreter has been found.", "Before the review was opened again; it counts no more.")
	if got := page.Field("answer", "version"); got != "2" {
		t.Errorf("the form holds version %q", got)
	}
	ben.must(id, no(2))
	ben.open("/reviews/" + id).Says("Inequity contributed: No.")
}

func TestFreeTextNeedsAScopeOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	id := idOf(canaryEvent)
	w.reviewer(t, "ann").must(id, yes(0))
	ben := w.reviewer(t, "ben", scope.Narrative)
	page := ben.open("/reviews/" + id)
	page.Sound()
	page.Says("There is text, which your role does not open.", "Language access")
	page.Silent("The consent form", "<textarea")
	if got := ben.post("/reviews/"+id, url.Values{"task": {"reopen"}, "version": {"1"}}); got.status != http.StatusForbidden {
		t.Errorf("reopened without words: status %d", got.status)
	}
	other := idOf("e-2")
	open := ben.open("/reviews/" + other)
	open.Says("Your role does not open free text.")
	if got := ben.post("/reviews/"+other, yes(0)); got.status != http.StatusForbidden {
		t.Errorf("evidence was taken: status %d", got.status)
	}
	silent := yes(0)
	silent.Del("evidence")
	if got := ben.post("/reviews/"+other, silent); got.status != http.StatusUnprocessableEntity ||
		!strings.Contains(got.body, "needs evidence in words, which your role does not open") {
		t.Errorf("a yes without evidence: status %d", got.status)
	}
	plain := no(0)
	plain.Del("else")
	ben.must(other, plain)
}

func TestNothingIsShownOrAcknowledgedWithoutATrail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	b := w.reviewer(t, "ann")
	w.trail.broken = true
	for _, address := range addresses() {
		got := b.get(address)
		if got.status != http.StatusInternalServerError || strings.Contains(got.body, "Medication mishap") ||
			strings.Contains(got.body, errTrail.Error()) {
			t.Errorf("GET %s: status %d: %s", address, got.status, got.body)
		}
	}
	if got := b.post("/reviews/"+idOf(canaryEvent), yes(0)); got.status != http.StatusInternalServerError ||
		got.header.Get("Location") != "" {
		t.Errorf("POST: status %d to %q", got.status, got.header.Get("Location"))
	}
}

func TestWithoutASnapshot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	w.empty = true
	b := w.reviewer(t, "ann")
	for _, address := range addresses() {
		want := http.StatusServiceUnavailable
		if address == reviewing.CodesPath {
			want = http.StatusOK
		}
		if got := b.get(address); got.status != want {
			t.Errorf("GET %s: status %d, want %d", address, got.status, want)
		}
	}
}

func TestAnEventThatItsSourceWithdrew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, review.OneReviewer)
	b, id := w.reviewer(t, "ann"), idOf(canaryEvent)
	b.must(id, yes(0))
	w.events = w.events[1:]
	page := b.open("/reviews/" + id)
	page.Sound()
	page.Says("Its source does not hold this event any more.", "Medication mishap", "Inequity contributed: Yes (Language access).")
	page.Silent("Vietnamese", canaryPatient)
	b.open("/reviews").Says("withdrawn by its source", "1 settled event has been withdrawn")
}
