package acting_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/internal/acting"
	"github.com/equitylens/equitylens/server/page/pagetest"
	"github.com/equitylens/equitylens/store/decisions"
)

func TestNewWantsWhatItNeeds(t *testing.T) {
	t.Parallel()
	if _, err := acting.New(acting.Config{}); err == nil {
		t.Error("New of an empty Config is no error")
	}
}

// compared holds a measure inside of conditions against outside.
const compared = "/actions/conditions?measure=interpreter-documented&by=language_group"

// about is a draft about a figure.
const about = "/actions/new?measure=interpreter-documented&by=language_group&group=other&period=2025"

// addresses are every page and file of a world with an action and a condition.
func addresses(one string) []string {
	return []string{
		"/actions", "/actions/new", about, "/actions/conditions", compared, one, one + "/edit", one + "/effect",
		one + "/effect?view=print", one + "/effect/files/evidence.json",
	}
}

// forms are what can be sent, by where to.
func forms(one, condition string) map[string]url.Values {
	return map[string]url.Values{
		"/actions/new": anAction(nil), one: step("start", 1), one + "/edit": anAction(url.Values{"version": {"1"}}),
		"/actions/conditions": crisis("Flood"), condition: {"task": {"withdraw"}, "version": {"1"}},
	}
}

// settled is a world with an action and a condition, and their addresses.
func settled(t testing.TB) (w *world, one, condition string) {
	t.Helper()
	w = newWorld(t)
	b := w.analyst(t, "ann")
	one = b.began(nil)
	b.must("/actions/conditions", crisis("Crisis standards of care"))
	all, err := w.register.Conditions(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return w, one, "/actions/conditions/" + all[0].ID
}

func TestEachRoleOnEachRoute(t *testing.T) {
	t.Parallel()
	for _, r := range append(role.All(), "") {
		t.Run("role "+string(r), func(t *testing.T) {
			t.Parallel()
			w, one, condition := settled(t)
			roles := []role.Role{r}
			want, sent := http.StatusForbidden, http.StatusForbidden
			switch r {
			case "":
				roles, want, sent = nil, http.StatusSeeOther, http.StatusSeeOther
			case role.Reviewer, role.Analyst:
				want, sent = http.StatusOK, http.StatusSeeOther
			case role.Clinician, role.Engineer, role.Administrator:
			}
			b := w.as(t, person{"bea", roles})
			for _, address := range addresses(one) {
				if got := b.get(address); got.status != want {
					t.Errorf("GET %s: status %d, want %d", address, got.status, want)
				} else if want != http.StatusOK && strings.Contains(got.body, "Interpreters at triage") {
					t.Errorf("GET %s shows an action", address)
				}
			}
			before := w.written(t)
			for address, form := range forms(one, condition) {
				if address == one+"/edit" && want == http.StatusOK {
					continue // Starting it has taken its version.
				}
				if got := b.post(address, form); got.status != sent {
					t.Errorf("POST %s: status %d, want %d", address, got.status, sent)
				}
			}
			if changed := w.written(t) != before; changed != (want == http.StatusOK) {
				t.Errorf("something was written: %t", changed)
			}
		})
	}
}

// written counts the versions of all that there is.
func (w *world) written(t testing.TB) (n int) {
	t.Helper()
	for _, kind := range []decisions.Kind{decisions.Action, decisions.Condition} {
		all, err := w.records.Find(t.Context(), decisions.Query{Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			n += one.Version
		}
	}
	return n
}

func TestNothingIsShownOrAcknowledgedWithoutATrail(t *testing.T) {
	t.Parallel()
	w, one, condition := settled(t)
	w.trail.broken = true
	b := w.analyst(t, "ann")
	for _, address := range addresses(one) {
		got := b.get(address)
		if got.status != http.StatusInternalServerError || strings.Contains(got.body, "Interpreters at triage") ||
			strings.Contains(got.body, errTrail.Error()) {
			t.Errorf("GET %s: status %d", address, got.status)
		}
	}
	for address, form := range forms(one, condition) {
		if got := b.post(address, form); got.status < 400 || got.header.Get("Location") != "" {
			t.Errorf("POST %s: status %d to %q", address, got.status, got.header.Get("Location"))
		}
	}
}

func TestWithoutASnapshot(t *testing.T) {
	t.Parallel()
	w, one, _ := settled(t)
	w.empty = true
	b := w.analyst(t, "ann")
	for _, test := range []struct {
		address string
		want    int
	}{
		{"/actions", http.StatusOK}, {one, http.StatusOK}, {"/actions/conditions", http.StatusOK},
		{"/actions/new", http.StatusServiceUnavailable}, {one + "/effect", http.StatusServiceUnavailable},
	} {
		if got := b.get(test.address); got.status != test.want {
			t.Errorf("GET %s: status %d, want %d", test.address, got.status, test.want)
		}
	}
	b.must(one, step("start", 1))
}

// TestFromAFindingToAResult walks an action from where it was found to what came of it.
func TestFromAFindingToAResult(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.analyst(t, "ann")
	b.open("/actions").Says("There is none here yet.")
	draft := b.open(about)
	draft.Sound()
	if got := draft.Field("write", "groups"); got != "other" {
		t.Errorf("the form has chosen %q", got)
	}
	if got := draft.Field("write", "period"); got != "2025" {
		t.Errorf("the form holds the period %q", got)
	}
	one := b.began(url.Values{"period": {"2025"}})
	if event := w.trail.last(); !strings.Contains(event, `"action-save"`) || !strings.Contains(event, "Task/"+one[len("/actions/"):]) {
		t.Errorf("the trail holds %s", event)
	}
	page := b.open(one + "?done=save")
	page.Sound()
	page.Says("The action is written down.", "Interpreters at triage", "Ask each patient, and call one.", "Language access",
		"80.0%", "Planned", "It should show from January 1, 2025 and has not been started.", "ann (you)")
	list := b.open("/actions")
	list.Sound()
	list.Says("One action is written down; closed: 0", "has not been started", "It is due on March 20, 2026.")
	b.must(one, step("start", 1))
	w.clock.Advance(91 * 24 * time.Hour)
	b.open(one).Says("In progress", "It was due on March 20, 2026 and is still open.",
		"Nobody has looked at its figures for 90 days.")
	b.must(one, step("look", 2))
	b.open(one).Silent("Nobody has looked")
	to := b.must(one, step("close", 3, "outcome", "reduced", "summary", "Every triage asks now."))
	done := b.open(strings.TrimSuffix(to, "#content"))
	done.Sound()
	done.Says("The action is closed.", "The gap got smaller", "Every triage asks now.", "This is the judgement of who closed",
		"Open it again")
	b.open("/actions?state=completed").Says("Interpreters at triage", "closed: 1, of these with a gap that got smaller")
	b.open("/actions?state=planned").Says("There is none here yet.")
	if got := b.get(one + "/edit"); got.status != http.StatusConflict {
		t.Errorf("a closed action can be changed: status %d", got.status)
	}
	b.must(one, step("reopen", 4))
	again := b.open(one)
	again.Says("In progress")
	history, err := w.register.History(t.Context(), one[len("/actions/"):])
	if err != nil || len(history) != 5 || history[3].Result == nil {
		t.Errorf("the history holds %+v, %v", history, err)
	}
}

func TestNothingClosesWithoutAResult(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		start bool
		form  url.Values
		fault string
	}{
		{"without anything", true, step("close", 2), "close-outcome"},
		{"without words", true, step("close", 2, "outcome", "reduced", "summary", " \r\n"), "close-summary"},
		{"without an outcome", true, step("close", 2, "summary", "Done."), "close-outcome"},
		{"with an outcome that is none", true, step("close", 2, "outcome", "perfect", "summary", "Done."), "close-outcome"},
		{"with words that are too long", true,
			step("close", 2, "outcome", "reduced", "summary", strings.Repeat("ö", action.MostText)), "close-summary"},
		{"before it was started, as if it had been", false,
			step("close", 1, "outcome", "reduced", "summary", "Done."), "close-outcome"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.analyst(t, "ann")
			one := b.began(nil)
			if test.start {
				b.must(one, step("start", 1))
			}
			got := b.post(one, test.form)
			if got.status != http.StatusUnprocessableEntity {
				t.Fatalf("status %d", got.status)
			}
			page := pagetest.LeafOf(t, got.body)
			page.Sound()
			if !strings.Contains(got.body, `href="#`+test.fault+`"`) || pagetest.Text(page.ID(test.fault+"-fault")) == "" {
				t.Errorf("the page does not lead to %s", test.fault)
			}
			if want := strings.TrimSpace(test.form.Get("summary")); page.Field("close", "summary") != want {
				t.Error("what was written is gone")
			}
			found, err := w.register.Get(t.Context(), one[len("/actions/"):])
			if err != nil || found.Closed() || found.Result != nil {
				t.Errorf("it is %+v, %v", found, err)
			}
			if !strings.Contains(w.trail.last(), `"outcome":"4"`) {
				t.Errorf("the trail holds %s", w.trail.last())
			}
		})
	}
}

func TestADraftThatIsNotComplete(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change url.Values
		faults []string
	}{
		{"nothing", url.Values{"title": nil, "owner": nil, "cause": nil, "groups": nil, "start": nil, "due": nil},
			[]string{"write-title", "write-cause", "write-owner", "write-groups", "write-start", "write-due"}},
		{"an end before the start", url.Values{"due": {"2024-12-31"}}, []string{"write-due"}},
		{"a day that is none", url.Values{"start": {"2025-02-30"}}, []string{"write-start"}},
		{"a group that is its own reference", url.Values{"groups": {"spanish"}}, []string{"write-reference"}},
		{"a group that is none", url.Values{"groups": {"martian"}}, []string{"write-groups"}},
		{"a target that is no share", url.Values{"target": {"180"}}, []string{"write-target"}},
		{"a target that is no number", url.Values{"target": {"NaN"}}, []string{"write-target"}},
		{"a title that is too long", url.Values{"title": {strings.Repeat("x", action.MostTitle+1)}}, []string{"write-title"}},
		{"a site that is none", url.Values{"sites": {"nowhere"}}, []string{"write-sites"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			got := w.analyst(t, "ann").post("/actions/new", anAction(test.change))
			if got.status != http.StatusUnprocessableEntity {
				t.Fatalf("status %d", got.status)
			}
			page := pagetest.LeafOf(t, got.body)
			page.Sound()
			var led []string
			for _, a := range page.All(func(n *html.Node) bool {
				return n.Data == "a" && strings.HasPrefix(pagetest.Attribute(n, "href"), "#write-")
			}) {
				led = append(led, pagetest.Attribute(a, "href")[1:])
			}
			if diff := cmp.Diff(test.faults, led); diff != "" {
				t.Errorf("the summary leads to (-want +got):\n%s", diff)
			}
			if got := page.Field("write", "what"); got != "Ask each patient, and call one." {
				t.Errorf("what was written is gone: %q", got)
			}
			if n := w.written(t); n != 0 {
				t.Error("something was written")
			}
		})
	}
}

func TestAnAddressOrAFormThatMeansNothing(t *testing.T) {
	t.Parallel()
	w, one, condition := settled(t)
	b := w.analyst(t, "ann")
	for _, test := range []struct {
		address string
		form    url.Values
		want    int
	}{
		{"/actions?state=nice", nil, 400}, {"/actions?q=1", nil, 400}, {"/actions?state=planned&state=planned", nil, 400},
		{"/actions/new?measure=none&by=sex", nil, 400}, {"/actions/new?measure=language-access&by=shoe-size", nil, 400},
		{"/actions/new?measure=interpreter-documented&by=sex&rate=none", nil, 400},
		{"/actions/new?measure=interpreter-documented&by=sex&period=soon", nil, 400},
		{one + "/effect?view=poster", nil, 400}, {one + "/effect/files/effect.exe", nil, 404},
		{"/actions/conditions?measure=none&by=sex", nil, 400}, {"/actions/conditions?by=shoe-size", nil, 400},
		{compared + "&period=soon", nil, 400},
		{"/actions/" + strings.Repeat("0", 24), nil, 404}, {"/actions/" + strings.Repeat("0", 24) + "/effect", nil, 404},
		{condition, nil, 303},
		{one, url.Values{"task": {"start"}}, 400}, {one, step("delete", 1), 400},
		{one, step("start", 1, "state", "completed"), 400}, {one, step("close", 1, "summary", strings.Repeat("x", 70_000)), 413},
		{"/actions/new", anAction(url.Values{"version": {"3"}}), 400},
		{"/actions/new", anAction(url.Values{"measure": {"none"}}), 400},
		{"/actions/new", anAction(url.Values{"review": {"<b>"}}), 400},
		{condition, url.Values{"version": {"1"}}, 400}, {condition, url.Values{"version": {"1"}, "task": {"end"}}, 422},
		{"/actions/conditions", url.Values{"name": {"x"}, "start": {"2025-02-01"}, "end": {"2025-01-01"}}, 422},
		{"/actions/conditions", url.Values{"name": {"x"}, "start": {"2025-02-01"}, "site": {"nowhere"}}, 422},
	} {
		got := answer{}
		if test.form == nil {
			got = b.get(test.address)
		} else {
			got = b.post(test.address, test.form)
		}
		if got.status != test.want {
			t.Errorf("%s: status %d, want %d", test.address, got.status, test.want)
		}
	}
}
