package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/equitylens/equitylens/server/page/pagetest"
)

// The reviewers of the demonstration: the first sits at the browser, the others send forms as a browser
// does that runs no script.
const (
	firstReviewer  = "ines-kallio"
	secondReviewer = "noor-haddad"
	thirdReviewer  = "jonas-weller"
)

// What people type in the course. Each text holds a word that is nowhere else, by which it is found again.
const (
	firstEvidence  = "Quillfeather: nobody called an interpreter, a daughter of eleven stood in."
	firstElse      = "Marrowgate: the pump had been set twice that night."
	secondEvidence = "Osierbrook: the consent form was there in English alone."
	lateEvidence   = "Tansyhollow: read on the ward while somebody else answered."
	adjudication   = "Wrenfallow: neither the record nor the ward can tell."
	programWords   = "Sedgewarren: handed in by the tool of the department."
	plannedWords   = "Larkmeadow: tablets at the desk, and a list of who is on call."
	closingWords   = "Foxglovemoor: an interpreter is documented at most visits now."
)

// typed are the words by which those texts are found.
func typed() []string {
	var out []string
	for _, text := range []string{firstEvidence, firstElse, secondEvidence, lateEvidence, adjudication, programWords,
		plannedWords, closingWords} {
		word, _, _ := strings.Cut(text, ":")
		out = append(out, word)
	}
	return out
}

// reply takes steps that lead to a page with a status of its own.
func (w *walk) reply(t *testing.T, want int, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	got, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		t.Fatalf("%v at %s\n%s", err, w.at(t), w.demo.log)
	}
	if got == nil || int(got.Status) != want {
		t.Fatalf("the answer at %s is %+v, want status %d: %s", w.at(t), got, want, w.text(t, "main"))
	}
	for _, said := range w.says.Take() {
		if !strings.Contains(said, fmt.Sprintf("status of %d", want)) {
			t.Errorf("the browser says: %s", said)
		}
	}
}

// press presses keys where the focus is.
func (w *walk) press(t *testing.T, keys string) {
	t.Helper()
	w.do(t, chromedp.KeyEvent(keys))
}

// reach goes to a control by the key Tab alone.
func (w *walk) reach(t *testing.T, selector string) {
	t.Helper()
	if err := pagetest.Reach(w.ctx, selector); err != nil {
		t.Fatal(err)
	}
}

// put gives a control of a form its value, as a choice from a list or of a calendar does.
func (w *walk) put(t *testing.T, selector, value string) {
	t.Helper()
	if got := ask[string](t, w, fmt.Sprintf(`(e => { e.value = %q; return e.value })(document.querySelector(%q))`,
		value, selector)); got != value {
		t.Fatalf("%s does not take %q", selector, value)
	}
}

// reviewPath is the address of a review.
func reviewPath(id string) string { return "/reviews/" + id }

// listsAndFilters opens the worklist, asks for severe events, and finds the one of the course.
func (c *course) listsAndFilters(t *testing.T) {
	c.signIn(t, firstReviewer)
	c.measure = "/measures/inequity-factor-captured"
	c.to(t, chromedp.Click(chromedp.CSS(`nav.main a[href^="/reviews"]`)))
	all := ask[int](t, c.walk, `document.querySelectorAll("#list tbody tr").length`)
	pagetest.Picture(c.ctx, t, "improve-worklist")
	c.reach(t, `form.choices select[name="severity"]`)
	c.press(t, "Sev")
	c.reach(t, `form.choices button[type=submit]`)
	c.to(t, chromedp.KeyEvent(kb.Enter))
	if got := c.asked(t, "severity"); got != "severe" {
		t.Fatalf("the list is of the severity %q", got)
	}
	rows := ask[[]string](t, c.walk, `[...document.querySelectorAll("#list tbody tr")].map(e => e.innerText)`)
	if len(rows) == 0 || len(rows) >= all {
		t.Fatalf("%d of %d events on the page are severe", len(rows), all)
	}
	for _, row := range rows {
		if !strings.Contains(row, "Severe") {
			t.Errorf("one of the severe events is %q", row)
		}
	}
	// An event at which somebody needed an interpreter, if there is one.
	ids := ask[[]string](t, c.walk, `[...document.querySelectorAll("#list tbody tr")].sort((a, b) =>
		b.innerText.includes("Interpreter needed") - a.innerText.includes("Interpreter needed")).map(
			e => e.querySelector("a").getAttribute("href").match(/[0-9a-f]{40}/)[0])`)
	i := slices.IndexFunc(ids, func(id string) bool { return slices.Contains(c.unasked["severe"], id) })
	if i < 0 {
		t.Fatal("each of the severe events came with an answer")
	}
	c.event = ids[i]
	c.to(t, chromedp.Click(chromedp.CSS(`#list a[href*="`+c.event+`"]`)))
	if at := c.at(t); !strings.HasPrefix(at, reviewPath(c.event)) {
		t.Errorf("the event leads to %s", at)
	}
}

// answersByKeyboard reads need against use, and answers without a mouse. The second reviewer has opened
// the page before, and does not learn what the first one says.
func (c *course) answersByKeyboard(t *testing.T) {
	early := c.second.page(c.event)
	for selector, want := range map[string]string{
		"#event": "Severe", "#patient": "Preferred language", "#interpreter": "terpreter",
		"main": "Two people review this event",
	} {
		if got := c.text(t, selector); !strings.Contains(got, want) {
			t.Errorf("%s does not say %q: %s", selector, want, got)
		}
	}
	pagetest.Picture(c.ctx, t, "improve-review")
	c.reach(t, `#answer input[name=answer]`)
	c.press(t, " ")
	c.reach(t, "#answer-factors")
	c.press(t, " ")
	c.reach(t, "#answer input[name=detection]")
	c.press(t, " ")
	c.reach(t, "#answer-evidence")
	c.press(t, firstEvidence)
	c.reach(t, "#answer-else")
	c.press(t, firstElse)
	c.reach(t, "#answer .answers button")
	c.to(t, chromedp.KeyEvent(kb.Enter))
	if got := c.asked(t, "done"); got != "answer" {
		t.Errorf("the answer leads to %s", c.at(t))
	}
	if got := c.text(t, "#opinions"); !strings.Contains(got, firstEvidence) || !strings.Contains(got, firstElse) {
		t.Errorf("the reviewer does not see what they wrote: %s", got)
	}

	_, now := c.second.get(reviewPath(c.event))
	hides(t, "the page of the second reviewer", now, "Quillfeather", "Marrowgate")
	if !strings.Contains(now, `id="opinions"`) {
		t.Error("the second reviewer is not told that somebody has answered")
	}
	// Their page was older than the first answer, so that it is not taken; their text stays.
	form := early.yes(secondEvidence)
	status, body := c.second.post(reviewPath(c.event), form)
	if status != http.StatusConflict || !strings.Contains(body, secondEvidence) {
		t.Fatalf("an answer to a page that is older than another answer is %d:\n%s", status, body)
	}
	hides(t, "the page that says so", body, "Quillfeather", "Marrowgate")
	form.Set("version", formVersion(t, body))
	if status, body = c.second.post(reviewPath(c.event), form); status != http.StatusOK {
		t.Fatalf("the same answer to the newer page is %d:\n%s", status, body)
	}
	c.open(t, reviewPath(c.event))
	if got := c.text(t, "#came"); !strings.Contains(got, "Yes (Language access)") {
		t.Errorf("two equal answers came to %q", got)
	}
	for _, text := range []string{firstEvidence, firstElse, secondEvidence} {
		if !strings.Contains(c.text(t, "#opinions"), text) {
			t.Errorf("%q is not there when both have answered", text)
		}
	}
	if n := ask[int](t, c.walk, `document.querySelectorAll("#history tbody tr").length`); n != 2 {
		t.Errorf("the review has %d versions, want 2", n)
	}
	c.answered["yes"]++
}

// meetsInTwoBrowsers answers an event that another browser has just settled: the text comes back.
func (c *course) meetsInTwoBrowsers(t *testing.T) {
	id := c.unasked["mild"][0]
	c.open(t, reviewPath(id))
	form := c.second.page(id).no()
	if status, body := c.second.post(reviewPath(id), form); status != http.StatusOK {
		t.Fatalf("the answer of the first browser is %d:\n%s", status, body)
	}
	c.answered["no"]++
	c.reach(t, `#answer input[name=answer]`)
	c.press(t, " ")
	c.reach(t, "#answer-factors")
	c.press(t, " ")
	c.reach(t, "#answer input[name=detection]")
	c.press(t, " ")
	c.reach(t, "#answer-evidence")
	c.press(t, lateEvidence)
	c.reach(t, "#answer .answers button")
	c.reply(t, http.StatusConflict, chromedp.KeyEvent(kb.Enter))
	if got := c.text(t, "#kept"); !strings.Contains(got, lateEvidence) || !strings.Contains(got, "Language access") {
		t.Errorf("what was typed has gone: %s", got)
	}
	if got := c.text(t, "#came"); !strings.Contains(got, "Inequity contributed: No") {
		t.Errorf("what stands is %q", got)
	}
}

// settlesADifference lets two differ and a third person settle it.
func (c *course) settlesADifference(t *testing.T) {
	i := slices.IndexFunc(c.unasked["severe"], func(id string) bool { return id != c.event })
	id := c.unasked["severe"][i]
	if status, body := c.second.post(reviewPath(id), c.second.page(id).yes(secondEvidence)); status != http.StatusOK {
		t.Fatalf("the first answer is %d:\n%s", status, body)
	}
	third := reader{signIn(t, c.demo, thirdReviewer)}
	first := reader{signIn(t, c.demo, firstReviewer)}
	if status, body := first.post(reviewPath(id), first.page(id).no()); status != http.StatusOK {
		t.Fatalf("another answer is %d:\n%s", status, body)
	}
	form := third.page(id).no()
	form.Set("task", "settle")
	form.Set("answer", "undetermined")
	form.Set("evidence", adjudication)
	if status, body := first.post(reviewPath(id), form); status == http.StatusOK {
		t.Errorf("one of the two settled it alone:\n%s", body)
	}
	if status, body := third.post(reviewPath(id), form); status != http.StatusOK {
		t.Fatalf("the settlement is %d:\n%s", status, body)
	}
	c.open(t, reviewPath(id))
	if got := c.text(t, "#came"); !strings.Contains(got, "Undetermined") || !strings.Contains(got, adjudication) {
		t.Errorf("a third person settled it as %q", got)
	}
	c.answered["undetermined"]++
	c.open(t, "/reviews")
	if got := c.text(t, "#agreement"); !strings.Contains(got, "2 events were answered by two reviewers") {
		t.Errorf("of the agreement it is said: %s", got)
	}
}

// makesAnAction goes from the largest gap of the overview to an action that has begun.
func (c *course) makesAnAction(t *testing.T) {
	c.open(t, "/")
	group := c.text(t, "#findings li .next a[href^='/actions/new'] .heard")
	c.to(t, chromedp.Click(chromedp.CSS(`#findings li .next a[href^="/actions/new"]`)))
	if got := c.text(t, "#found"); got == "" {
		t.Errorf("the form does not say what was found of %s", group)
	}
	if n := ask[int](t, c.walk, `document.querySelectorAll("#write input[name=groups]:checked").length`); n != 1 {
		t.Errorf("%d groups are chosen, want that of the gap", n)
	}
	c.do(t, chromedp.SendKeys(chromedp.CSS("#write-title"), "Somebody to call at every desk"),
		chromedp.SendKeys(chromedp.CSS("#write-what"), plannedWords),
		chromedp.SendKeys(chromedp.CSS("#write-owner"), "Patient services"))
	c.put(t, "#write-start", "2026-01-01")
	c.put(t, "#write-due", "2026-06-30")
	c.reply(t, http.StatusUnprocessableEntity, chromedp.Click(chromedp.CSS("#write .answers button")))
	if got := c.text(t, "#write-wrong"); !strings.Contains(got, "Root cause") {
		t.Errorf("of an action without a root cause it is said: %s", got)
	}
	c.put(t, "#write-cause", "policy-triage")
	c.to(t, chromedp.Click(chromedp.CSS("#write .answers button")))
	c.action = strings.TrimPrefix(strings.SplitN(c.at(t), "?", 2)[0], "/actions/")
	if got := c.text(t, "#facts"); !strings.Contains(got, plannedWords) || !strings.Contains(got, "Planned") {
		t.Errorf("the action is %s", got)
	}
	c.to(t, chromedp.Click(chromedp.CSS("#start .answers button")))
	if got := c.text(t, "#facts"); !strings.Contains(got, "In progress") {
		t.Errorf("after its start the action is %s", got)
	}
}

// seesWhetherItHelped opens what the figures show of the action of the demonstration, prints it, takes its
// files, and closes it, which needs a result.
func (c *course) seesWhetherItHelped(t *testing.T) {
	c.open(t, "/actions")
	c.to(t, chromedp.Click(chromedp.CSS(`main a[href^="/actions/`+c.improved+`"]`)))
	action := "/actions/" + c.improved
	c.to(t, chromedp.Click(chromedp.CSS(`#facts a[href^="`+action+`/effect"]`)))
	if got := c.text(t, "#verdict .tone-ok"); !strings.Contains(got, "smaller") {
		t.Errorf("the verdict is %q", got)
	}
	if got := c.text(t, "#verdict"); !strings.Contains(got, "does not show that the action is why") {
		t.Errorf("the page claims more than it can: %s", got)
	}
	pagetest.Picture(c.ctx, t, "improve-evidence")
	c.takesEvidence(t)
	c.open(t, action+"/effect?view=print")
	for name, paper := range map[string]chromedp.PaperSize{"A4": chromedp.PaperA4, "Letter": chromedp.PaperLetter} {
		pdf, pages, err := pagetest.Print(c.ctx, paper)
		if err != nil {
			t.Fatal(err)
		}
		pagetest.Keep(t, "improve-effect-"+name+".pdf", pdf)
		if pages != 1 {
			t.Errorf("on %s it takes %d pages", name, pages)
		}
	}
	c.open(t, action)
	c.do(t, chromedp.Click(chromedp.CSS(`details:has(#close) > summary`)),
		chromedp.Click(chromedp.CSS(`#close input[value="reduced"]`)))
	c.reply(t, http.StatusUnprocessableEntity, chromedp.Click(chromedp.CSS("#close .answers button")))
	if n := ask[int](t, c.walk, `document.querySelectorAll('#close input[value="reduced"]:checked').length`); n != 1 {
		t.Error("the outcome that was chosen has gone")
	}
	c.do(t, chromedp.SendKeys(chromedp.CSS("#close-summary"), closingWords))
	c.to(t, chromedp.Click(chromedp.CSS("#close .answers button")))
	if got := c.text(t, "#came"); !strings.Contains(got, closingWords) {
		t.Errorf("the action closed with %q", got)
	}
}

// takesEvidence takes the files of the page that is open.
func (c *course) takesEvidence(t *testing.T) {
	kinds := map[string]int{}
	for _, link := range ask[[]string](t, c.walk, `[...document.querySelectorAll('a[href*="/effect/files/"]')].map(
		e => e.getAttribute("href"))`) {
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		kind := u.Path[strings.LastIndexByte(u.Path, '.'):]
		kinds[kind]++
		got := c.fetch(t, link)
		if got.status != http.StatusOK {
			t.Errorf("%s answers %d", link, got.status)
			continue
		}
		if err := isFile(kind, got); err != nil {
			t.Errorf("%s is no file of its kind: %v", link, err)
		}
		if kind == ".json" {
			valid(t, link, got.body)
			hides(t, "the bundle of the evidence", string(got.body), typed()...)
		}
		barren(t, link, string(got.body))
	}
	for _, kind := range []string{".svg", ".csv", ".json"} {
		if kinds[kind] == 0 {
			t.Errorf("the evidence offers no file %s", kind)
		}
	}
}

// reader is somebody who reviews in a browser of their own.
type reader struct{ caller }

func (r reader) get(path string) (int, string) {
	r.t.Helper()
	return r.send(http.MethodGet, r.d.url+path, nil)
}

func (r reader) post(path string, form url.Values) (int, string) {
	r.t.Helper()
	return r.send(http.MethodPost, r.d.url+path, form)
}

// sheet is the form of a review as a reader has opened it.
type sheet struct{ version string }

var versionField = regexp.MustCompile(`name="version" value="(\d+)"`)

// formVersion is the version that the form of a page names.
func formVersion(t *testing.T, body string) string {
	t.Helper()
	m := versionField.FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("there is no form on the page:\n%s", body)
	}
	return m[1]
}

// page opens a review.
func (r reader) page(id string) sheet {
	r.t.Helper()
	status, body := r.get(reviewPath(id))
	if status != http.StatusOK {
		r.t.Fatalf("the page of a review is %d:\n%s", status, body)
	}
	return sheet{formVersion(r.t, body)}
}

// yes is the form of an answer with evidence, no that of one without.
func (s sheet) yes(evidence string) url.Values {
	return url.Values{
		"task": {"answer"}, "version": {s.version}, "answer": {"yes"}, "factors": {"language-access"},
		"detection": {"reported"}, "evidence": {evidence}, "else": {""},
	}
}

func (s sheet) no() url.Values {
	return url.Values{
		"task": {"answer"}, "version": {s.version}, "answer": {"no"}, "detection": {"reported"}, "evidence": {""},
	}
}

// hides fails the test if a text holds what it must not.
func hides(t *testing.T, what, text string, never ...string) {
	t.Helper()
	for _, word := range never {
		if i := strings.Index(text, word); i >= 0 {
			t.Errorf("%s holds %q: …%s…", what, word, text[max(0, i-80):min(len(text), i+80)])
		}
	}
}
