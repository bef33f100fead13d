package dashboard_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/internal/live"
	"github.com/equitylens/equitylens/internal/worldtest"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/store/facts"
	"github.com/equitylens/equitylens/store/facts/factstest"
	"github.com/equitylens/equitylens/store/ledger"
)

// corpus is what somebody might have typed for a name, where a browser, a spreadsheet, a header, a picture
// or a template would take it for more than a name.
func corpus() []string {
	return []string{
		`<script>alert(1)</script>`,
		`"><iframe src="https://evil.example/"></iframe>`,
		`x" onmouseover="alert(1)" style="display:none`,
		`x' onfocus='alert(1)' autofocus='`,
		`</bdi></td></table></main></select></option><h1>`,
		`<!-- --!> <![CDATA[ ]]>`,
		`</title></text></svg><svg onload=alert(1)>`,
		`&lt;script&gt; &amp &#x3c;b&#x3e;`,
		`{{.}} {{say "site.footer"}} ${7*7}`,
		`%s %[9]d %!v %00`,
		"abc \u202egnp.exe\u2066\u2067 \u202d",
		"a\x1b[31mc\r\nSet-Cookie: a=b\u0085e",
		`=HYPERLINK("http://evil.example","x")`, "+cmd|' /C calc'!A0", "-2+3+cmd", "@SUM(A1)", "\t=1+1", "\r=1+1",
		"javascript:alert(1)", strings.Repeat("Wolfeschlegelsteinhausen ", 40),
	}
}

// harmless are as many names that are nothing but names.
func harmless() []string {
	var out []string
	for i := range corpus() {
		out = append(out, fmt.Sprintf("Name %02d", i))
	}
	return out
}

// canary begins the id of every resource of the named worlds. No page or file holds one.
const canary = "canary"

// namedWorld is a world in which everything that has a name of somebody else's has one of a list: sites,
// imported measures and their rates, the measure of a site, and codes that nobody knows.
func namedWorld(names []string) (*world, error) {
	ctx, asOf := context.Background(), time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	batch := factstest.Batch{Issues: map[string][]mapping.Issue{}}
	var members []measure.ImportedMember
	const each = 24
	for i, name := range names {
		for j := range each {
			id := fmt.Sprintf("%s-%02d-%02d", canary, i, j)
			long := j%(2+i%3) == 0
			at := mapping.Site{Value: factstest.Known(fmt.Sprintf("S%02d", i)), Label: name}
			p := factstest.Patient(id, func(p *mapping.Patient) {
				if p.Site = at; j%2 == 0 {
					p.Language, p.LanguageGroup = factstest.Known("en"), factstest.Known(mapping.English)
				}
			})
			end := "2025-03-01T10:00:00Z"
			if long {
				end = "2025-03-01T18:30:00Z"
			}
			batch.Patients = append(batch.Patients, p)
			batch.Encounters = append(batch.Encounters, factstest.Encounter(canary+"e"+id, id, "EMER",
				"2025-03-01T08:00:00Z", end, func(e *mapping.Encounter) { e.Site = at }))
			member := measure.ImportedMember{Patient: p.ID, Rate: "1",
				In: []measure.Population{measure.InitialPopulation, measure.Denominator}}
			if long {
				member.In = append(member.In, measure.Numerator)
			}
			if members = append(members, member); j < 2 {
				batch.Issues[id] = []mapping.Issue{{
					Kind: mapping.UnmappedCode, Element: "Patient.extension(us-core-race).ombCategory",
					System: name, Code: name,
				}}
			}
		}
	}
	batch.Merge.Loads = factstest.Full(factstest.Source)
	for i := range batch.Merge.Loads {
		batch.Merge.Loads[i].TransactionTime = asOf
	}
	folder, err := os.MkdirTemp("", "data")
	if err != nil {
		return nil, err
	}
	dir, err := facts.Open(folder, worldtest.At(asOf).Now)
	if err != nil {
		return nil, err
	}
	list, err := measure.Load(catalog.Files())
	if err != nil {
		return nil, err
	}
	own, err := ownMeasures(names)
	if err != nil {
		return nil, err
	}
	if _, err = factstest.TryLoad(ctx, dir, batch); err != nil {
		return nil, err
	}
	kept, err := ledger.Open(filepath.Join(folder, "releases"))
	if err != nil {
		return nil, err
	}
	desk, err := release.New(release.Config{Ledger: kept, Now: worldtest.At(asOf).Now})
	if err != nil {
		return nil, err
	}
	engine, err := live.New(ctx, live.Config{
		Dir: dir, Definitions: append(own, list...), Desk: desk, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	return &world{live: engine, asOf: asOf}, engine.Import(ctx, vendors(names, members))
}

// sparse is of how many names one becomes a measure of the site, and another one of an engine: each measure
// is a row of the first page.
const sparse = 4

// ownMeasures are those that a site has written, as far as one may be read with such a name.
func ownMeasures(names []string) ([]measure.Definition, error) {
	var out []measure.Definition
	for i, name := range names {
		if i%sparse != 0 {
			continue
		}
		text, err := json.Marshal(map[string]any{
			"id": fmt.Sprintf("own-%02d", i), "version": "1", "title": name, "unit": "encounter",
			"scoring": "proportion", "improvement": "decrease", "dated_by": "end",
			"needs": []string{"Patient", "Encounter"}, "source": name, "says": name, "caution": name,
			"reads": "{n} of 100 " + name,
			"populations": map[string]string{
				"initial-population": "class = 'EMER'", "denominator": "true", "numerator": "minutes >= 481",
			},
		})
		if err != nil {
			return nil, err
		}
		list, err := measure.Load(fstest.MapFS{"own.yaml": {Data: text}})
		if err == nil {
			out = append(out, list...)
		}
	}
	return out, nil
}

// vendors are measures of another engine.
func vendors(names []string, members []measure.ImportedMember) []measure.Import {
	year := measure.Period{
		Start: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC),
	}
	var out []measure.Import
	for i, name := range names {
		if i%sparse != 1 {
			continue
		}
		out = append(out, measure.Import{
			Measure: fmt.Sprintf("vendor-%02d", i), Version: name, Title: name, URL: name,
			Scoring: measure.Proportion, Improvement: measure.Decrease, Unit: measure.PatientUnit, Period: year,
			Rates: []measure.GroupDefinition{{ID: "1", Title: names[len(names)-1-i]}}, Members: members,
		})
	}
	return out
}

var (
	hostileWorld  = sync.OnceValues(func() (*world, error) { return namedWorld(corpus()) })
	harmlessWorld = sync.OnceValues(func() (*world, error) { return namedWorld(harmless()) })
)

// namedRig is a dashboard of a named world, whose sync and person have such names too.
func namedRig(t *testing.T, of func() (*world, error), names []string) *rig {
	t.Helper()
	at := time.Date(2026, 1, 10, 1, 0, 0, 0, time.UTC)
	var records []ingest.RunRecord
	var shares []ingest.Share
	for i, name := range names {
		records = append(records, ingest.RunRecord{ID: fmt.Sprintf("run-%d", i), Source: name, Started: at,
			Ended: at.Add(time.Minute), Outcome: ingest.Outcome("failed"), Failure: name})
		shares = append(shares, ingest.Share{Source: name, Outcome: ingest.Outcome(name), Failure: name})
	}
	return attacked(t, of, func(c *dashboard.Config) {
		c.Runs = func(int) ([]ingest.RunRecord, error) { return records, nil }
		c.Quarantine = func(string) (ingest.Quarantined, error) {
			q := ingest.Quarantined{Lines: int64(len(names))}
			for i, name := range names {
				q.Reasons = append(q.Reasons, ingest.RefusedFor{Reason: fhir.Reason(name), Element: name, Count: int64(i + 1)})
				q.First = append(q.First, ingest.Place{File: name, Reason: fhir.Reason(name), Element: name})
			}
			return q, nil
		}
		c.Syncer = &syncing{told: []ingest.Status{{
			Started: at, Ended: at, Sources: shares, Failure: names[0],
		}}}
	})
}

// shapes are what a page or a picture is made of, apart from its words: elements with the names of their
// attributes, and the addresses that it leads to.
func shapes(root *html.Node) (elements, addresses map[string]bool) {
	elements, addresses = map[string]bool{}, map[string]bool{}
	for n := range root.Descendants() {
		switch n.Type {
		case html.CommentNode:
			elements["comment"] = true
		case html.ElementNode:
			for _, a := range n.Attr {
				elements[n.Data+" "+a.Key] = true
				if slices.Contains([]string{"href", "src", "action", "formaction", "srcset", "data", "content"}, a.Key) {
					addresses[n.Data+" "+a.Key+" "+a.Val] = true
				}
			}
			elements[n.Data] = true
		default:
		}
	}
	return elements, addresses
}

// inert checks that an answer is made of nothing that one with harmless names is not made of, and holds
// nothing that turns text around or that no page may hold.
func inert(t *testing.T, address string, got, plain answer) {
	t.Helper()
	if got.status != plain.status {
		t.Errorf("%s: status %d, and %d with harmless names", address, got.status, plain.status)
	}
	elements, addresses := shapes(tree(t, got.body))
	known, _ := shapes(tree(t, plain.body))
	for e := range elements {
		if !known[e] {
			t.Errorf("%s: there is <%s>, which there is not with harmless names", address, e)
		}
	}
	for a := range addresses {
		leads(t, address, a)
	}
	quiet(t, address, got.body)
}

// quiet checks that a text holds no sign that turns it around or rules a terminal.
func quiet(t *testing.T, address, body string) {
	t.Helper()
	if !utf8.ValidString(body) {
		t.Errorf("%s: it is no UTF-8", address)
	}
	for _, sign := range []string{"\u202e", "\u202d", "\u2066", "\u2067", "\x00", "\x1b", "\u0085", canary + "-"} {
		if at := strings.Index(body, sign); at >= 0 {
			t.Errorf("%s: it holds %+q: …%+q…", address, sign, body[max(0, at-60):min(len(body), at+60)])
		}
	}
}

// namedPages are those that show names of somebody else's.
func namedPages(of *rig, t *testing.T) []string {
	t.Helper()
	out := []string{"/", "/measures", "/quality", "/quality?run=run-3", "/quality?site=S00", "/?lang=es&by=site&period=2025", "/quality?lang=es&run=run-0", "/?audience=public&period=2025&by=site"}
	for i, id := range measures(t, of) {
		switch {
		case i%2 == 0 && strings.HasPrefix(id, "own-"), i%2 == 0 && strings.HasPrefix(id, "vendor-"):
			out = append(out, "/measures/"+id+"?period=2025&by=sex")
		}
	}
	for _, id := range []string{"own-00", "vendor-01"} {
		out = append(out, "/compare?period=2025&kind=sites&measure="+id, "/measures/"+id+"?by=language&period=2025&view=print",
			"/compare?period=2025&by=language&measure="+id, "/measures/"+id+"?by=site&period=2025&group=S03&where.site=S00")
	}
	return append(out, "/measures/ed-stay-over-8h?by=site&audience=public&period=2025")
}

func TestNamesAreNothingButNamesInPagesAndFiles(t *testing.T) {
	t.Parallel()
	bad, plain := namedRig(t, hostileWorld, corpus()), namedRig(t, harmlessWorld, harmless())
	kinds, own := map[string]int{}, 0
	for _, address := range thinned(namedPages(bad, t)) {
		if strings.Contains(address, "own-") {
			own++
		}
		got := bad.get(address)
		inert(t, address, got, plain.get(address))
		if got.status != http.StatusOK {
			t.Errorf("%s: status %d", address, got.status)
			continue
		}
		l := &leaf{t: t, address: address, body: got.body, root: tree(t, got.body)}
		for _, file := range l.filesOf() {
			path, _, _ := strings.Cut(file, "?")
			const enough = 6
			if kinds[path]++; kinds[path] > 1 || kinds[ending(file)] > enough {
				continue
			}
			kinds[ending(file)]++
			inertFile(t, file, bad.get(file), plain.get(file))
		}
	}
	for _, want := range []string{"csv", "xlsx", "svg", "png", "json", "parquet"} {
		if kinds[want] == 0 && !thin() {
			t.Errorf("no file is a %s", want)
		}
	}
	if own < 3 && !thin() {
		t.Errorf("%d measures of a site have such names, so that none is under test", own)
	}
	quiet(t, "the log", bad.log.String())
	if text := bad.log.String(); text != "" {
		t.Errorf("something went wrong: %s", text)
	}
}

// inertFile checks a file and its headers.
func inertFile(t *testing.T, address string, got, plain answer) {
	t.Helper()
	if got.status != http.StatusOK || plain.status != http.StatusOK {
		t.Errorf("%s: status %d, and %d with harmless names", address, got.status, plain.status)
		return
	}
	named(t, address, got.header)
	switch ending(address) {
	case "csv":
		quiet(t, address, got.body)
		lines, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
		if err != nil {
			t.Errorf("%s: %v", address, err)
		}
		for _, cell := range slices.Concat(lines...) {
			if runs(cell) {
				t.Errorf("%s: a spreadsheet would run %q", address, cell)
			}
		}
	case "xlsx":
		checkBook(t, address, got.body)
	case "svg":
		inert(t, address, got, plain)
		for d := xml.NewDecoder(strings.NewReader(got.body)); ; {
			if _, err := d.Token(); err != nil {
				if err.Error() != "EOF" {
					t.Errorf("%s: %v", address, err)
				}
				break
			}
		}
	case "json":
		if !json.Valid([]byte(got.body)) {
			t.Errorf("%s is no JSON", address)
		}
	case "png":
		for _, sign := range []string{"\u202e", "\u2066", canary + "-"} {
			if bytes.Contains([]byte(got.body), []byte(sign)) {
				t.Errorf("%s holds %+q", address, sign)
			}
		}
	}
}

// named checks that the headers of a file name it in letters that no system minds, and say nothing else.
func named(t *testing.T, address string, h http.Header) {
	t.Helper()
	kind, as, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if err != nil || kind != "attachment" || len(as) != 1 ||
		strings.Trim(strings.ToLower(as["filename"]), "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		t.Errorf("%s: Content-Disposition: %q, %v", address, h.Get("Content-Disposition"), err)
	}
	headers(t, address, h)
}

// headers checks that no header holds what could begin another one.
func headers(t *testing.T, address string, h http.Header) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if strings.ContainsAny(value, "\r\n\x00") || name == "Set-Cookie" {
				t.Errorf("%s: %s: %q", address, name, value)
			}
		}
	}
}

// TestParametersAreNothingButText puts every name of the corpus into every parameter of every page, and
// looks for it in what comes back. Nothing of it may be more than text there, whatever the status is.
func TestParametersAreNothingButText(t *testing.T) {
	t.Parallel()
	r := newRig(t, planted)
	pages := map[string][]string{
		"/": nil, "/measures": nil, "/quality": {"source", "site", "field", "run", "start"},
		"/measures/ed-stay-over-8h": {"of", "with", "span", "view"}, "/compare": {"measure", "kind", "a", "b"},
		"/compare/files/pair.svg": {"measure", "a", "b"}, "/measures/ed-stay-over-8h/files/groups.csv": {"of", "span"},
	}
	common := []string{"period", "rate", "by", "reference", "group", "policy", "audience", "lang", "where.site",
		"where.practitioner", "where.language", "utm_source"}
	texts := append(corpus(), "no \xff UTF-8", "\x00", "//evil.example/", "https://evil.example/")
	seen, shown := 0, 0
	for path, own := range pages {
		plain, _ := shapes(tree(t, r.get(path).body))
		for j, name := range append(own, common...) {
			for i, text := range texts {
				// Every text is in every parameter of some page, and every page has every text in some.
				if (i+j+len(path))%5 != 0 {
					continue
				}
				address := path + "?" + url.Values{name: {text}}.Encode()
				if i%2 == 0 { // As the name of a parameter too.
					address += "&" + url.QueryEscape(text) + "=1"
				}
				got := r.get(address, "Accept-Language: "+strings.ToValidUTF8(strings.Map(visible, text), ""))
				if got.status >= http.StatusInternalServerError || got.status == http.StatusSeeOther {
					t.Errorf("%s: status %d", address, got.status)
				}
				headers(t, address, got.header)
				if strings.Contains(path, "/files/") && got.status == http.StatusOK {
					named(t, address, got.header)
					continue
				}
				quiet(t, address, got.body)
				elements, addresses := shapes(tree(t, got.body))
				for e := range elements {
					if got.status == http.StatusOK && !plain[e] && strings.ContainsAny(e, "\"'<") ||
						strings.HasPrefix(e, "iframe") || strings.HasPrefix(e, "script") && path != "/quality" ||
						strings.Contains(e, " on") || strings.HasSuffix(e, " style") {
						t.Errorf("%s: there is <%s>", address, e)
					}
				}
				for a := range addresses {
					seen++
					leads(t, address, a)
				}
				if strings.Contains(got.body, "Wolfeschlegel") {
					shown++
				}
			}
		}
	}
	if seen == 0 || shown == 0 {
		t.Error("nothing comes back, so that nothing is under test")
	}
}

// visible keeps what the value of a header may hold.
func visible(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}

// leads checks that an address of a page stays with us.
func leads(t *testing.T, page, shape string) {
	t.Helper()
	parts := strings.SplitN(shape, " ", 3)
	if parts[0] == "meta" {
		return
	}
	to, err := url.Parse(parts[2])
	if err != nil || to.Host != "" && to.Host != "github.com" || to.Scheme != "" && to.Scheme != "https" || to.Opaque != "" {
		t.Errorf("%s leads away: %s", page, shape)
	}
}
