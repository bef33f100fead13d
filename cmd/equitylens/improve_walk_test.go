package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/worldtest"
)

// course is the way of one event from the sync to an effect that was shown: one demonstration, a browser,
// other people at browsers of theirs, and commands on the same data. Its steps follow each other.
type course struct {
	*walk
	data   string
	token  string
	second reader
	// unasked are the reviews of events of 2025 that harmed somebody and came without an answer, by severity.
	unasked map[string][]string
	// event is the review of the course; action the action that is made in it, improved the one that was
	// there.
	event, action, improved string
	// answered counts the reviews that are settled, by answer.
	answered map[string]int
	// said is all that commands have printed.
	said strings.Builder
}

// courseYear is that of the events which the demonstration reviews.
const courseYear = "2025"

const coursePatients = 1500

// TestFromAnEventToItsEffect walks the way of one harm event: asked about by two people, counted after the
// next sync, answered by an action, of which the figures show whether the gap is smaller, and handed on
// without a word of what people wrote.
func TestFromAnEventToItsEffect(t *testing.T) {
	t.Parallel()
	withoutRaceDetector(t)
	began := time.Now()
	c := newCourse(t)
	t.Logf("the demonstration invites after %v", time.Since(began).Round(time.Millisecond))
	for _, leg := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"events are listed and filtered", c.listsAndFilters},
		{"two people answer, the second not knowing of the first", c.answersByKeyboard},
		{"who is too late keeps their text", c.meetsInTwoBrowsers},
		{"a third person settles what two differ about", c.settlesADifference},
		{"the next sync counts what was answered", c.countsAnswers},
		{"events of an incident system come beside", c.importsEvents},
		{"a gap becomes an action", c.makesAnAction},
		{"the figures show whether it helped", c.seesWhetherItHelped},
		{"an analyst sees no review", c.keepsAnalystsOut},
		{"all of it over FHIR", c.speaksFHIR},
		{"evidence is packed and a submission made", c.handsOn},
		{"what was typed is nowhere else", c.staysSilent},
	} {
		now := time.Now()
		c.step(t, leg.name, leg.run)
		t.Logf("%-60s %v", leg.name, time.Since(now).Round(time.Millisecond))
		if t.Failed() {
			return
		}
	}
	t.Logf("from the event to its effect: %v", time.Since(began).Round(time.Millisecond))
}

func newCourse(t *testing.T) *course {
	t.Helper()
	data := t.TempDir()
	c := &course{
		walk: newWalk(t, "--improves", "2025-01-01", "--data", data), data: data, unasked: map[string][]string{},
		answered: map[string]int{},
	}
	var ok bool
	if c.token, ok = c.demo.token(); !ok {
		t.Fatalf("the demonstration gives no token:\n%s", c.demo.out)
	}
	c.second = reader{signIn(t, c.demo, secondReviewer)}
	for _, severity := range []string{"severe", "mild", "moderate"} {
		c.unasked[severity] = idsOf(t, c.api(t, c.token, "AdverseEvent?review-state=open&inequity=not-asked&actuality=actual"+
			"&_count=200&date=ge2025-01-01&date=lt2026-01-01&severity="+severity, http.StatusOK))
		if len(c.unasked[severity]) < 2 {
			t.Fatalf("there are %d %s events about which nobody has asked", len(c.unasked[severity]), severity)
		}
	}
	var all []struct{ ID string }
	parse(t, c.command(t, "actions", "list", "--json"), &all)
	if len(all) != 1 {
		t.Fatalf("there are %d actions, want that of the demonstration", len(all))
	}
	c.improved = all[0].ID
	return c
}

// command runs a command on the data of the course and returns what it printed.
func (c *course) command(t *testing.T, args ...string) string {
	t.Helper()
	o := must(t, append(args, "--data", c.data)...)
	c.said.WriteString(o.out + o.err)
	return o.out
}

// api reads from the API of the demonstration.
func (c *course) api(t *testing.T, token, path string, want int) string {
	t.Helper()
	s := serving{t: t, url: c.demo.url, client: http.DefaultClient, log: c.demo.log}
	status, body := s.do(http.MethodGet, "/fhir/"+path, token, "")
	if status != want {
		t.Fatalf("GET %s = %d, want %d: %s", path, status, want, body)
	}
	return body
}

// idsOf are the ids of the entries of a searchset.
func idsOf(t *testing.T, bundle string) []string {
	t.Helper()
	var b struct {
		Entry []struct{ Resource struct{ ID string } }
	}
	parse(t, bundle, &b)
	var out []string
	for _, e := range b.Entry {
		out = append(out, e.Resource.ID)
	}
	return out
}

// valid holds a Bundle, and each resource of it, to R4.
func valid(t *testing.T, what string, text []byte) {
	t.Helper()
	v, err := r4.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Validate(text); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	var b struct {
		ResourceType string
		Entry        []struct{ Resource json.RawMessage }
	}
	if err := json.Unmarshal(text, &b); err != nil || b.ResourceType == "Bundle" && len(b.Entry) == 0 {
		t.Errorf("%s is no bundle, or an empty one: %v", what, err)
	}
	for i, e := range b.Entry {
		if err := v.Validate(e.Resource); err != nil {
			t.Errorf("%s, entry %d: %v", what, i, err)
		}
	}
}

// asking is how many events were asked about, and of how many inequity was found to have contributed.
type asking struct{ Events, Asked, Yes float64 }

// figure evaluates the measure of the question.
func (c *course) figure(t *testing.T) (out asking, snapshot string) {
	t.Helper()
	var answer struct {
		Snapshot string
		Groups   []struct {
			ID          string
			Populations struct{ Denominator, Numerator float64 }
		}
	}
	parse(t, c.command(t, "evaluate", "inequity-factor-captured", "--period", courseYear, "--format", "json"), &answer)
	for _, g := range answer.Groups {
		switch g.ID {
		case "main":
			out.Events, out.Asked = g.Populations.Denominator, g.Populations.Numerator
		case "yes":
			out.Yes = g.Populations.Numerator
		}
	}
	return out, answer.Snapshot
}

// shows waits until a page of the dashboard is of a snapshot.
func (c *course) shows(t *testing.T, address, snapshot string) {
	t.Helper()
	c.until(t, "the page of "+snapshot, func() bool {
		c.open(t, address)
		return strings.Contains(c.text(t, ".provenance"), snapshot)
	})
}

// countsAnswers syncs while the program serves: a figure changes by what was answered, and not before.
func (c *course) countsAnswers(t *testing.T) {
	before, old := c.figure(t)
	const address = "/measures/inequity-factor-captured?period=" + courseYear
	c.shows(t, address, old)
	was := c.text(t, "main")
	c.command(t, "sync", "--reviews")
	after, snapshot := c.figure(t)
	settled := 0
	for _, n := range c.answered {
		settled += n
	}
	want := asking{before.Events, before.Asked + float64(settled), before.Yes + float64(c.answered["yes"])}
	if after != want || snapshot == old || settled == 0 {
		t.Errorf("after %v the figure is %+v, want %+v; it was %+v", c.answered, after, want, before)
	}
	c.shows(t, address, snapshot)
	for _, said := range []struct {
		text string
		in   asking
	}{{was, before}, {c.text(t, "main"), after}} {
		row := fmt.Sprintf("Everybody\t%.0f\t%.0f\t", said.in.Events, said.in.Asked)
		if !strings.Contains(said.text, row) {
			t.Errorf("the page has no row %q:\n%s", row, said.text)
		}
	}
	t.Logf("asked about %.0f of %.0f events before, %.0f after", before.Asked, before.Events, after.Asked)
}

// stays are inpatient stays of the population of the course.
func stays(t *testing.T, n int) (out []stay) {
	t.Helper()
	day, err := time.Parse(time.DateOnly, "2025-01-01")
	if err != nil {
		t.Fatal(err)
	}
	who := population.New(population.Config{
		Patients: coursePatients, Seed: 1, Improves: population.Improvement{From: day, Share: demoImproved},
	})
	for line := range who.Lines(t.Context(), population.Query{Type: population.Encounter}) {
		var e struct {
			ID, Status string
			Class      struct{ Code string }
			Subject    struct{ Reference string }
			Period     struct{ Start, End string }
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if e.Status != "finished" || e.Class.Code != "IMP" || !strings.HasPrefix(e.Period.Start, courseYear+"-0") ||
			!strings.HasPrefix(e.Period.End, courseYear) || len(e.Period.Start) < len(time.DateOnly) {
			continue
		}
		patient := strings.TrimPrefix(e.Subject.Reference, "Patient/")
		if slices.ContainsFunc(out, func(s stay) bool { return s.patient == patient }) {
			continue
		}
		if out = append(out, stay{patient, e.ID, e.Period.Start[:len(time.DateOnly)]}); len(out) == n {
			return out
		}
	}
	t.Fatalf("the population has %d such stays, want %d", len(out), n)
	return nil
}

// stay is one of them.
type stay struct{ patient, encounter, day string }

// importsEvents brings in a table of an incident system: tried, done, and done again.
func (c *course) importsEvents(t *testing.T) {
	s := stays(t, 3)
	const header = "id,patient,encounter,date,harm\n"
	row := func(id int, s stay, harm string) string {
		return fmt.Sprintf("R-%d,%s,%s,%s,%s\n", id, s.patient, s.encounter, s.day, harm)
	}
	good := header + row(1, s[0], "E") + row(2, s[1], "F") + row(3, s[2], "A")
	harm := func() float64 {
		var answer struct {
			Groups []struct {
				Populations struct{ Numerator *float64 }
			}
		}
		text := c.command(t, "evaluate", "harm-per-1000-days", "--period", courseYear, "--format", "json")
		parse(t, text, &answer)
		if len(answer.Groups) == 0 || answer.Groups[0].Populations.Numerator == nil {
			t.Fatalf("the figure has no numerator:\n%s", text)
		}
		return *answer.Groups[0].Populations.Numerator
	}
	listed := func() int {
		var list reviewList
		parse(t, c.command(t, "reviews", "list", "--json", "--limit", "1"), &list)
		return list.Total
	}
	events, before := listed(), harm()
	o := equitylens(t, "import-events", reportsOf(t, good+row(4, s[0], "Z")), "--dry-run", "--data", c.data)
	c.said.WriteString(o.out + o.err)
	if o.code != exitFailed || !strings.Contains(o.out, "row 5, harm") || !strings.Contains(o.out, "nothing was stored") {
		t.Errorf("a dry run = %d: %s%s", o.code, o.out, o.err)
	}
	if n := listed(); n != events {
		t.Errorf("after a dry run there are %d events, want %d", n, events)
	}
	file := reportsOf(t, good)
	c.command(t, "import-events", file)
	after := harm()
	if n := listed(); n != events+3 || after != before+2 {
		t.Errorf("of 3 events, 1 a near miss, %d are listed and %.0f counted", n-events, after-before)
	}
	var again struct {
		New, Changed, Unchanged int
		Sync                    struct{ Snapshot string }
	}
	parse(t, c.command(t, "import-events", file, "--json"), &again)
	if now := harm(); again.New+again.Changed != 0 || again.Unchanged != 3 || now != after || listed() != events+3 {
		t.Errorf("the second time it is %+v, and %.0f are counted", again, now-after)
	}
	if again.Sync.Snapshot == "" {
		t.Fatal("nobody says which snapshot holds the events")
	}
	c.shows(t, "/measures/harm-per-1000-days?period="+courseYear, again.Sync.Snapshot)
	found := idsOf(t, c.api(t, c.token, "AdverseEvent?_count=200&review-state=open&date="+s[0].day, http.StatusOK))
	if len(found) == 0 {
		t.Fatal("the event is not found by its day")
	}
	c.open(t, reviewPath(found[len(found)-1]))
}

// keepsAnalystsOut holds the pages of reviews shut to who sees their answers as figures alone.
func (c *course) keepsAnalystsOut(t *testing.T) {
	wen := reader{signIn(t, c.demo, analystUser)}
	for path, want := range map[string]int{
		"/reviews": http.StatusForbidden, reviewPath(c.event): http.StatusForbidden,
		"/actions": http.StatusOK, "/actions/" + c.action: http.StatusOK,
	} {
		status, body := wen.get(path)
		if status != want {
			t.Errorf("an analyst gets %d for %s, want %d", status, path, want)
		}
		hides(t, path, body, "Quillfeather", "Marrowgate", "Osierbrook", "Wrenfallow")
	}
	if status, _ := wen.post(reviewPath(c.event), sheet{"2"}.no()); status != http.StatusForbidden {
		t.Errorf("an analyst who answers gets %d", status)
	}
}

var tokenLine = regexp.MustCompile(`(?m)^  TOKEN=(\S+)$`)

// token is that of the program of the demonstration.
func (d demonstration) token() (string, bool) {
	m := tokenLine.FindStringSubmatch(d.out.String())
	if m == nil {
		return "", false
	}
	return m[1], true
}

// handsOn makes the evidence pack and the submission, which say what was done and not what was written.
func (c *course) handsOn(t *testing.T) {
	settings := filepath.Join(write(t, map[string]string{"equitylens.yaml": fmt.Sprintf(`data: %s
disclosure:
  public_measures: [interpreter-documented]
network:
  coordinator:
    url: http://127.0.0.1:1
    member: river-valley
    client_id: program-of-river-valley
    algorithm: ES384
    loopback: true
`, c.data)}), "equitylens.yaml")
	texts := typed()
	for _, audience := range []string{"internal", "public"} {
		out := filepath.Join(t.TempDir(), "pack")
		o := must(t, "evidence", "--period", courseYear, "--audience", audience, "--out", out, "--config", settings)
		c.said.WriteString(o.out + o.err)
		files, err := os.ReadDir(out)
		if err != nil || len(files) != 5 {
			t.Fatalf("the pack holds %v, %v", files, err)
		}
		for _, f := range files {
			text := packFile(t, out, f.Name())
			barren(t, audience+" "+f.Name(), string(text))
			never := []string{"Quillfeather", "Marrowgate", "Osierbrook", "Wrenfallow", "Tansyhollow", "Sedgewarren"}
			if audience == "public" {
				never = append(texts, "Somebody to call", "Interpreters by telephone")
			}
			hides(t, audience+" "+f.Name(), string(text), never...)
		}
		valid(t, audience+" bundle", packFile(t, out, "bundle.json"))
	}
	o := must(t, "network", "submit", "--period", courseYear, "--dry-run", "--config", settings)
	c.said.WriteString(o.out + o.err)
	barren(t, "the submission", o.out)
	hides(t, "the submission", o.out, append(texts, "Somebody to call", "Interpreters by telephone", "Language services",
		"Patient services", "Patient/", "display", c.event)...)
	if !strings.Contains(o.out, `"valueCode": "reduced"`) {
		t.Errorf("the submission does not say that an action was closed as reduced:\n%s", o.out)
	}
}

// staysSilent greps all that was written, said and shown for what people typed. The store of decisions
// holds it; nothing else does.
func (c *course) staysSilent(t *testing.T) {
	texts := typed()
	held := 0
	err := filepath.WalkDir(c.data, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path) // #nosec G304 G122 -- made by this test
		if err != nil {
			return err
		}
		if strings.HasPrefix(filepath.Base(path), decisionsFile) {
			for _, word := range texts {
				if strings.Contains(string(text), word) {
					held++
				}
			}
			return nil
		}
		hides(t, path, path+string(text), texts...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if held < len(texts)-1 { // What came too late was never taken.
		t.Errorf("the store of decisions holds %d of %d texts", held, len(texts))
	}
	for what, log := range map[string]*worldtest.Log{"the log": c.demo.log, "the output": c.demo.out} {
		hides(t, what, log.String(), texts...)
		barren(t, what, log.String())
	}
	kept, err := chromedp.Call(c.ctx, cdpage.GetNavigationHistory, cdp.Empty{})
	if err != nil || len(kept.Entries) < 10 {
		t.Fatalf("the browser remembers %+v, %v", kept.Entries, err)
	}
	for _, at := range kept.Entries {
		address, err := url.QueryUnescape(at.URL)
		if err != nil {
			t.Fatal(err)
		}
		hides(t, "an address", address, texts...)
		barren(t, "an address", address)
	}
	hides(t, "what commands said", c.said.String(), texts...)
	barren(t, "what commands said", c.said.String())
}
