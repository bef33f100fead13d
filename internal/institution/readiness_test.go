package institution_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/internal/institution"
	"github.com/equitylens/equitylens/server/page/pagetest"
	"github.com/equitylens/equitylens/store/decisions"
)

const path = "/readiness?period=2025"

func TestNewWantsWhatItNeeds(t *testing.T) {
	t.Parallel()
	if _, err := institution.New(institution.Config{}); err == nil {
		t.Error("New of an empty Config is no error")
	}
}

func TestEachRoleOnEachRoute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	version := 0
	for _, r := range append(role.All(), "") {
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
		for _, address := range []string{"/readiness", path, "/network"} {
			if got := b.get(address); got.status != want {
				t.Errorf("%q: GET %s: status %d, want %d", r, address, got.status, want)
			}
		}
		got := b.post(path, answering(t, version, "culture", "begun", "comment-people-taught", "by "+string(r)))
		if got.status != sent {
			t.Errorf("%q: POST: status %d, want %d", r, got.status, sent)
		}
		if want == http.StatusOK {
			version++
		}
		document, err := w.records.Get(t.Context(), decisions.Assessment, "readiness-2025")
		if version > 0 && (err != nil || document.Version != version) || version == 0 && err == nil {
			t.Errorf("%q: the store holds %+v, %v", r, document, err)
		}
	}
}

func TestNothingIsShownOrAcknowledgedWithoutATrail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.analyst(t, "ann")
	w.trail.broken = true
	for _, address := range []string{path, "/network"} {
		if got := b.get(address); got.status != http.StatusInternalServerError || strings.Contains(got.body, "Established") ||
			strings.Contains(got.body, errTrail.Error()) {
			t.Errorf("GET %s: status %d", address, got.status)
		}
	}
	if got := b.post(path, answering(t, 0, "culture", "begun")); got.status != http.StatusInternalServerError ||
		got.header.Get("Location") != "" {
		t.Errorf("POST: status %d to %q", got.status, got.header.Get("Location"))
	}
}

// TestFromQuestionsToAPlan answers everything, reads the plan, makes it final and opens it again.
func TestFromQuestionsToAPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.analyst(t, "ann")
	page := b.open("/readiness")
	page.Sound()
	page.Says("Readiness, 2025", "Nobody has answered anything", "There is no total", "Answered by the data", "Answered by people",
		"items wait for people", "There is no assessment of the period before.", "It becomes final when")
	if page.ID("finish") != nil {
		t.Error("it can become final")
	}
	done := b.must(path, answering(t, 0, "culture", "not-begun", "comment-people-taught", "Two wards so far.\r\nMore in May."))
	done.Sound()
	done.Says("The answers are written down.", "Two wards so far.", "ann (you), March 10, 2026")
	if event := w.trail.last(); !strings.Contains(event, "route") {
		t.Errorf("the trail holds %s", event)
	}
	if got := done.Field("answer-culture", "level-people-taught"); got != "not-begun" {
		t.Errorf("the form has %q", got)
	}
	b.must(path, answering(t, 1, "culture", "not-begun", "comment-people-taught", "Two wards so far.\r\nMore in May.")).
		Says("There was nothing new to write down.")
	version := 1
	for _, domain := range []string{"data", "analysis", "action", "community", "access"} {
		b.must(path, answering(t, version, domain, "established"))
		version++
	}
	ready := b.open(path)
	ready.Says("What to do next", "Not begun")
	act := ready.All(func(n *html.Node) bool { return strings.HasPrefix(pagetest.Attribute(n, "href"), "/actions/new?") })
	q, err := shippedQuestions()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := w.register.Get(t.Context(), "readiness-2025")
	if err != nil {
		t.Fatal(err)
	}
	data, err := w.figures(t.Context(), periodOf(t, "2025"))
	if err != nil {
		t.Fatal(err)
	}
	steps := q.Plan(kept, readiness.FiguresOf(data), "en")
	if len(act) != len(steps) || len(steps) < 5 {
		t.Fatalf("%d links to actions for %d steps", len(act), len(steps))
	}
	for i, s := range steps {
		address, err := url.Parse(pagetest.Attribute(act[i], "href"))
		if err != nil || address.Query().Get("cause") != s.Cause ||
			s.Aim != nil && (address.Query().Get("measure") != s.Aim.Measure || address.Query().Get("by") != s.Aim.Dimension) {
			t.Errorf("step %d (%s) leads to %s, %v", i, s.Item, address, err)
		}
	}
	final := b.must(path, url.Values{"task": {"finish"}, "version": {"6"}})
	final.Sound()
	final.Says("The assessment is final.", "It keeps the figures of the day")
	if final.ID("answer-culture") != nil {
		t.Error("what is final can be answered")
	}
	short := b.post(path, url.Values{"task": {"reopen"}, "version": {"7"}})
	if short.status != http.StatusUnprocessableEntity || !strings.Contains(short.body, `href="#reopen-why"`) {
		t.Errorf("opened again without a reason: status %d", short.status)
	}
	again := b.must(path, url.Values{"task": {"reopen"}, "version": {"7"}, "why": {"A ward was forgotten."}})
	again.Sound()
	again.Says("The assessment is a draft again.", "A ward was forgotten.")
	next := b.open("/readiness?period=2026")
	next.Says("Against 2025, levels rose:", "The assessment of 2025 is a draft", "has no level now")
	b.all("/readiness?period=2026", "routine")
	changed := b.open("/readiness?period=2026")
	changed.Sound()
	changed.Says("rose", "Other periods")
}

func TestAnAssessmentThatIsNotComplete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.analyst(t, "ann")
	long := strings.Repeat("ö", 5000)
	got := b.post(path, answering(t, 0, "culture", "begun", "comment-people-taught", long, "level-people-taught", "perfect"))
	page := pagetest.LeafOf(t, got.body)
	page.Sound()
	if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `href="#answer-culture-comment-people-taught"`) ||
		!strings.Contains(got.body, `href="#answer-culture-level-people-taught"`) {
		t.Errorf("status %d: %s", got.status, page.Said())
	}
	if page.Field("answer-culture", "comment-people-taught") != long {
		t.Error("what was written is gone")
	}
	if got := b.post(path, url.Values{"task": {"finish"}, "version": {"0"}}); got.status != http.StatusUnprocessableEntity {
		t.Errorf("it became final without answers: status %d", got.status)
	} else {
		pagetest.LeafOf(t, got.body).Says("It cannot become final yet: items wait for people.")
	}
	if _, err := w.records.Get(t.Context(), decisions.Assessment, "readiness-2025"); err == nil {
		t.Error("something was written")
	}
	for _, test := range []struct {
		address string
		form    url.Values
		want    int
	}{
		{"/readiness?period=soon", nil, 400}, {"/readiness?period=2025-01-01/2025-02-10", nil, 400}, {"/readiness?q=1", nil, 400},
		{"/network?period=soon", nil, 400}, {"/network?by=shoe-size", nil, 400}, {"/network?member=m1", nil, 400},
		{path, url.Values{"task": {"answer"}}, 400}, {path, url.Values{"task": {"delete"}, "version": {"0"}}, 400},
		{path, url.Values{"task": {"answer"}, "version": {"0"}, "domain": {"weather"}}, 400},
		{path, answering(t, 0, "data", "begun", "level-race-recorded", "routine"), 400},
		{path, url.Values{"task": {"reopen"}, "version": {"0"}, "why": {"x"}}, 409},
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

func TestTwoBrowsersOnOneDomain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann, ben := w.analyst(t, "ann"), w.analyst(t, "ben")
	ann.must(path, answering(t, 0, "culture", "begun"))
	ben.must(path, answering(t, 1, "culture", "begun", "level-committee-looks", "routine"))
	got := ann.post(path, answering(t, 1, "culture", "begun", "comment-people-taught", "Ann counted them."))
	if got.status != http.StatusConflict {
		t.Fatalf("status %d", got.status)
	}
	page := pagetest.LeafOf(t, got.body)
	page.Sound()
	page.Says("Somebody else has changed the assessment", "Sending the form again writes what differs.")
	for name, want := range map[string]string{
		"version": "2", "comment-people-taught": "Ann counted them.", "level-committee-looks": "routine",
	} {
		if got := page.Field("answer-culture", name); got != want {
			t.Errorf("the form holds %s %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(w.trail.last(), `"outcome":"4"`) {
		t.Errorf("the trail holds %s", w.trail.last())
	}
	ann.must(path, answering(t, 2, "culture", "begun", "comment-people-taught", "Ann counted them.", "level-committee-looks", "routine"))
	a, err := w.register.Get(t.Context(), "readiness-2025")
	if err != nil || *a.Answers["committee-looks"].Level != readiness.Routine || a.Answers["people-taught"].Comment != "Ann counted them." {
		t.Errorf("the store holds %+v, %v", a, err)
	}
	if by := a.Answers["committee-looks"].By.Subject; by != "subject-ben" {
		t.Errorf("what Ben answered is of %s", by)
	}
}

func TestAnAssessmentThatBecameFinalMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann, ben := w.analyst(t, "ann"), w.analyst(t, "ben")
	version := ben.all(path, "begun")
	ben.must(path, url.Values{"task": {"finish"}, "version": {"6"}})
	got := ann.post(path, answering(t, version, "culture", "begun", "comment-people-taught", "Ann counted them."))
	if got.status != http.StatusConflict {
		t.Fatalf("status %d", got.status)
	}
	page := pagetest.LeafOf(t, got.body)
	page.Sound()
	page.Says("The assessment has become final.", "What you wrote, which was not saved", "Ann counted them.")
}

// hostile are texts that would do something if a page took them for anything but text.
func hostile() []string {
	return []string{
		`<script>alert(1)</script>`, `<iframe src="https://evil.example"></iframe>`, `<img src=x onerror=alert(1)>`,
		`</textarea><script>alert(2)</script>`, `{{.Secret}}`, "=cmd|' /C calc'!A0", `%[1]s %d %v`, "</title><base href=//evil.example>",
	}
}

func TestHostileTextsAreText(t *testing.T) {
	t.Parallel()
	for i, evil := range hostile() {
		if raceDetector && i%3 != 0 {
			continue // It takes ten times as long, and nothing goes on at once here.
		}
		t.Run(evil, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.analyst(t, "ann "+evil)
			inert(t, b.must(path, answering(t, 0, "culture", "begun", "comment-people-taught", evil+"\u202e")))
			inert(t, pagetest.LeafOf(t, b.post(path, answering(t, 0, "culture", "begun", "comment-people-taught", evil)).body))
			if strings.Contains(w.log.String(), evil) {
				t.Error("the log holds free text")
			}
		})
	}
}

// inert holds a page to have nothing but what its template and its pictures have.
func inert(t *testing.T, l *pagetest.Leaf) {
	t.Helper()
	l.Sound()
	for _, n := range l.All(func(*html.Node) bool { return true }) {
		switch n.DataAtom {
		case atom.Script, atom.Iframe, atom.Base, atom.Object, atom.Embed:
			t.Errorf("there is a <%s>", n.Data)
		case atom.Img:
			if !strings.HasPrefix(pagetest.Attribute(n, "src"), "/assets/") {
				t.Errorf("there is a picture of %s", pagetest.Attribute(n, "src"))
			}
		default:
		}
	}
	l.Silent("%!", "EXTRA", "MISSING", "\u202e")
}
