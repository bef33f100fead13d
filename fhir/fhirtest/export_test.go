package fhirtest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

func tlsConfig(pool *x509.CertPool) *tls.Config {
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func TestExportGivesThePopulationWhole(t *testing.T) {
	t.Parallel()
	c := start(t, Config{BulkAdverseEvents: true, FilesPerType: 3, Polls: 2})
	m := c.export("/$export?_type=Patient,Encounter&_type=AdverseEvent,Organization")
	if m.TransactionTime != "2026-02-01T07:00:00Z" || !m.RequiresAccessToken {
		t.Errorf("manifest = %+v", m)
	}
	p := c.server.population.Load()
	for _, kind := range population.Types() {
		var got, want []string
		for _, f := range m.of(kind.String()) {
			_, header, body := c.get(f.URL)
			if header.Get("Content-Type") != ndjson {
				t.Errorf("%s: Content-Type %q", kind, header.Get("Content-Type"))
			}
			part := lines(body)
			if len(part) != f.Count {
				t.Errorf("%s: %d lines, the manifest says %d", kind, len(part), f.Count)
			}
			got = append(got, part...)
		}
		for line := range p.Lines(t.Context(), population.Query{Type: kind}) {
			want = append(want, string(line))
		}
		if d := cmp.Diff(want, got); d != "" || len(got) == 0 {
			t.Errorf("%s lines differ, or there are none (-want +got):\n%s", kind, d)
		}
	}
}

func TestExportLevelsAndForms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, method, target, body string
		status                     int
		types                      []string
	}{
		{"system by GET without types", "GET", "/$export", "", 202, []string{"Patient", "Encounter",
			"Organization"}},
		{"Patient level leaves the organisations out", "GET", "/Patient/$export", "", 202,
			[]string{"Patient", "Encounter"}},
		{"Group level", "GET", "/Group/all/$export?_type=Patient", "", 202, []string{"Patient"}},
		{"a Group that is not there", "GET", "/Group/other/$export", "", 404, nil},
		{"POST with Parameters", "POST", "/$export", `{"resourceType":"Parameters","parameter":[
			{"name":"_type","valueString":"Encounter"},{"name":"_since","valueInstant":"2020-01-01T00:00:00Z"}]}`,
			202, []string{"Encounter"}},
		{"POST of something else", "POST", "/$export", `{"resourceType":"Patient"}`, 400, nil},
		{"POST of no JSON", "POST", "/$export", `_type=Patient`, 400, nil},
		{"a type that nobody has gives no file", "GET", "/$export?_type=Patient,Procedure", "", 202,
			[]string{"Patient"}},
		{"a type that is not of FHIR", "GET", "/$export?_type=Patience", "", 400, nil},
		{"AdverseEvent is not offered in bulk", "GET", "/$export?_type=AdverseEvent", "", 400, nil},
		{"_since that is no instant", "GET", "/$export?_since=yesterday", "", 400, nil},
		{"an output format that is not ndjson", "GET", "/$export?_outputFormat=csv", "", 400, nil},
	}
	c := start(t, Config{FilesPerType: 1})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request := c.request(tt.method, tt.target, strings.NewReader(tt.body))
			request.Header.Set("Prefer", "respond-async")
			status, header, body := c.send(request)
			if status != tt.status {
				t.Fatalf("%s %s: status %d, want %d: %s", tt.method, tt.target, status, tt.status, body)
			}
			if status != http.StatusAccepted {
				if !strings.Contains(string(body), `"OperationOutcome"`) {
					t.Errorf("body = %s, want an OperationOutcome", body)
				}
				return
			}
			var types []string
			for _, f := range c.finish(header.Get("Content-Location")).Output {
				types = append(types, f.Type)
			}
			if d := cmp.Diff(tt.types, types); d != "" {
				t.Errorf("types (-want +got):\n%s", d)
			}
		})
	}
}

func TestExportIsLenientWhenAsked(t *testing.T) {
	t.Parallel()
	c := start(t, Config{})
	request := c.request("GET", "/$export?_type=Organization,AdverseEvent", nil)
	request.Header.Set("Prefer", "respond-async, handling=lenient")
	status, header, body := c.send(request)
	if status != http.StatusAccepted {
		t.Fatalf("status %d: %s", status, body)
	}
	if m := c.finish(header.Get("Content-Location")); len(m.Output) != 1 ||
		m.Output[0].Type != "Organization" {
		t.Errorf("output = %+v", m.Output)
	}
	if status, _, _ := c.get("/$export"); status != http.StatusBadRequest {
		t.Errorf("without Prefer: status %d, want 400", status)
	}
}

func TestExportSinceGivesChangesAndDeletions(t *testing.T) {
	t.Parallel()
	first := population.New(population.Config{Patients: 1500, Seed: 5})
	c := start(t, Config{Population: first, BulkAdverseEvents: true})
	later := first.Next(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))
	c.server.SetPopulation(later)
	since := first.AsOf()
	m := c.export("/$export?_type=Patient,Encounter,AdverseEvent&_since=" + since.Format(time.RFC3339))
	if m.TransactionTime != "2026-05-01T07:00:00Z" {
		t.Errorf("transactionTime = %s", m.TransactionTime)
	}
	changed := 0
	for _, f := range m.Output {
		_, _, body := c.get(f.URL)
		for _, line := range lines(body) {
			var r struct {
				Meta struct{ LastUpdated time.Time }
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			if r.Meta.LastUpdated.Before(since) {
				t.Fatalf("a %s of %s came back since %s", f.Type, r.Meta.LastUpdated, since)
			}
			changed++
		}
	}
	var got, want []string
	for _, f := range m.Deleted {
		_, _, body := c.get(f.URL)
		if n := len(lines(body)); n != f.Count {
			t.Errorf("%d Bundles, the manifest says %d", n, f.Count)
		}
		for _, line := range lines(body) {
			var b struct {
				ResourceType, Type string
				Entry              []struct {
					Request struct{ Method, URL string }
				}
			}
			if err := json.Unmarshal([]byte(line), &b); err != nil ||
				b.ResourceType+b.Type != "Bundletransaction" {
				t.Fatalf("deleted line %s: %v", line, err)
			}
			for _, e := range b.Entry {
				got = append(got, e.Request.Method+" "+e.Request.URL)
			}
		}
	}
	for kind, id := range later.Deletions(t.Context(), since) {
		want = append(want, fmt.Sprintf("DELETE %s/%s", kind, id))
	}
	if d := cmp.Diff(want, got); d != "" || changed == 0 || len(got) == 0 {
		t.Errorf("%d changes; deletions (-want +got):\n%s", changed, d)
	}
}

func TestStatusAndDelete(t *testing.T) {
	t.Parallel()
	c := start(t, Config{Polls: 2, RetryAfter: 3 * time.Second})
	status := c.kickOff("/$export")
	for range 2 {
		code, header, _ := c.get(status)
		if code != http.StatusAccepted || header.Get("Retry-After") != "3" ||
			header.Get("X-Progress") == "" {
			t.Errorf("poll: status %d, %v", code, header)
		}
	}
	m := c.finish(status)
	if code, _, _ := c.send(c.request("DELETE", status, nil)); code != http.StatusAccepted {
		t.Errorf("DELETE: status %d", code)
	}
	for _, url := range []string{status, m.Output[0].URL} {
		if code, _, body := c.get(url); code != http.StatusNotFound || !strings.Contains(string(body),
			"not-found") {
			t.Errorf("after DELETE: status %d, %s", code, body)
		}
	}
	if started, open := c.server.Jobs(); started != 1 || open != 0 {
		t.Errorf("Jobs() = %d, %d", started, open)
	}
}

func TestManifestVersions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		version      int
		has, hasNot  []string
		severalPages bool
	}{
		{1, []string{"transactionTime", "request", "requiresAccessToken", "output", "error"},
			[]string{"deleted", "link", "outcome"}, false},
		{2, []string{"request", "deleted", "error", "extension"}, []string{"link", "outcome"}, false},
		{3, []string{"request", "deleted", "error", "outputOrganizedBy", "link"}, []string{"outcome"},
			true},
		{4, []string{"deleted", "outcome", "outputOrganizedBy", "link"}, []string{"error", "request"},
			true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("version %d", tt.version), func(t *testing.T) {
			t.Parallel()
			c := start(t, Config{ManifestVersion: tt.version})
			m := c.export("/$export")
			for _, key := range tt.has {
				if _, ok := m.raw[key]; !ok {
					t.Errorf("no %s in %v", key, m.raw)
				}
			}
			for _, key := range tt.hasNot {
				if _, ok := m.raw[key]; ok {
					t.Errorf("%s in %v", key, m.raw)
				}
			}
			files := m.Output
			if tt.severalPages {
				next := c.finish(m.Link[0].URL)
				if len(next.Link) != 0 {
					t.Errorf("a third page: %+v", next.Link)
				}
				files = append(files, next.Output...)
			}
			if len(files) != 5 {
				t.Errorf("%d files, want 2 of Patient, 2 of Encounter, 1 of Organization", len(files))
			}
		})
	}
}

func TestFilesNeedTheTokenUnlessOpen(t *testing.T) {
	t.Parallel()
	for _, open := range []bool{false, true} {
		c := start(t, Config{OpenFiles: open})
		m := c.export("/$export")
		c.token = ""
		want := map[bool]int{false: http.StatusUnauthorized, true: http.StatusOK}[open]
		if status, _, _ := c.get(m.Output[0].URL); status != want || m.RequiresAccessToken == open {
			t.Errorf("open %v: status %d, requiresAccessToken %v", open, status, m.RequiresAccessToken)
		}
	}
}

func TestJobsOfOthersDoNotExist(t *testing.T) {
	t.Parallel()
	key := ecKey(t)
	other := ecKey(t)
	c := startWithoutToken(t, Config{Clients: []Client{
		{ID: "nightly", Keys: publicKeys(key)}, {ID: "other", Keys: publicKeys(other)}}})
	c.key = key
	c.login("system/*.rs")
	status := c.kickOff("/$export")
	m := c.finish(status)
	claims := c.claims()
	claims.Issuer, claims.Subject = "other", "other"
	_, out := c.ask(tokenForm(c.assertion(other, "ES384", claims), "system/*.rs"))
	c.token = out["access_token"].(string)
	for _, url := range []string{status, m.Output[0].URL} {
		if code, _, _ := c.get(url); code != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", url, code)
		}
	}
}

func TestCompressedFiles(t *testing.T) {
	t.Parallel()
	c := start(t, Config{Compress: true})
	m := c.export("/$export?_type=Organization")
	plain, _, want := c.get(m.Output[0].URL)
	request := c.request("GET", m.Output[0].URL, nil)
	request.Header.Set("Accept-Encoding", "gzip")
	packed, header, body := c.send(request)
	if plain != 200 || packed != 200 || header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("status %d, %d, %v", plain, packed, header)
	}
	if d := cmp.Diff(string(want), string(gunzip(t, body))); d != "" {
		t.Errorf("unpacked (-plain +packed):\n%s", d)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	c := start(t, Config{TLS: true})
	if !strings.HasPrefix(c.base, "https://127.0.0.1:") {
		t.Fatalf("base = %s", c.base)
	}
	if m := c.export("/$export"); !strings.HasPrefix(m.Output[0].URL, "https://") {
		t.Errorf("output = %+v", m.Output)
	}
}

func TestSearchPages(t *testing.T) {
	t.Parallel()
	c := start(t, Config{Population: population.New(population.Config{Patients: 300, Seed: 3})})
	p := c.server.population.Load()
	for _, kind := range population.Types() {
		var want, got []string
		all, _, _ := p.Page(kind, time.Time{}, population.Cursor{}, 1<<20)
		for _, line := range all {
			want = append(want, string(line))
		}
		pages := 0
		for next := "/" + kind.String() + "?_count=4"; next != ""; pages++ {
			var b bundle
			status, _, body := c.get(next)
			if err := json.Unmarshal(body, &b); err != nil || status != http.StatusOK {
				t.Fatalf("%s: status %d, %v", next, status, err)
			}
			for _, e := range b.Entry {
				got = append(got, string(e.Resource))
			}
			next = b.link("next")
			if kind != population.Organization && pages > 200 {
				break
			}
		}
		if pages <= 200 {
			if d := cmp.Diff(want, got); d != "" || pages < 2 {
				t.Errorf("%s in %d pages (-want +got):\n%s", kind, pages, d)
			}
		} else if !slices.Equal(want[:len(got)], got) {
			t.Errorf("%s: the first %d differ", kind, len(got))
		}
	}
}

type bundle struct {
	Total int
	Link  []struct{ Relation, URL string }
	Entry []struct {
		FullURL  string
		Resource json.RawMessage
	}
}

func (b bundle) link(relation string) string {
	for _, l := range b.Link {
		if l.Relation == relation {
			return l.URL
		}
	}
	return ""
}

func TestSearchParametersAndRead(t *testing.T) {
	t.Parallel()
	c := start(t, Config{})
	ask := func(target string) (int, bundle) {
		var b bundle
		status, _, body := c.get(target)
		_ = json.Unmarshal(body, &b)
		return status, b
	}
	_, all := ask("/Encounter?_count=500")
	_, counted := ask("/Encounter?_summary=count")
	if counted.Total != len(all.Entry) || counted.Total == 0 {
		t.Errorf("_summary=count gives %d of %d", counted.Total, len(all.Entry))
	}
	_, since := ask("/Encounter?_count=500&_lastUpdated=ge2025-10-01")
	if n := len(since.Entry); n == 0 || n >= len(all.Entry) {
		t.Errorf("_lastUpdated gives %d of %d", n, len(all.Entry))
	}
	if status, _ := ask("/Encounter?_lastUpdated=soon"); status != http.StatusBadRequest {
		t.Errorf("_lastUpdated=soon: status %d", status)
	}
	one := all.Entry[7]
	id := one.FullURL[strings.LastIndex(one.FullURL, "/")+1:]
	if _, b := ask("/Encounter?_id=" + id); len(b.Entry) != 1 ||
		string(b.Entry[0].Resource) != string(one.Resource) {
		t.Errorf("_id gives %+v", b.Entry)
	}
	if _, _, body := c.get(one.FullURL); string(body) != string(one.Resource) {
		t.Errorf("read gives %s", body)
	}
	for target, want := range map[string]int{
		"/Encounter/" + id + "0": 404, "/Procedure": 404, "/Procedure/1": 404, "/Patient/none": 404,
	} {
		if status, _ := ask(target); status != want {
			t.Errorf("%s: status %d, want %d", target, status, want)
		}
	}
}

func TestDeletedResourceIsGone(t *testing.T) {
	t.Parallel()
	p := population.New(population.Config{Patients: 1500, Seed: 5})
	c := start(t, Config{Population: p})
	n := 0
	for kind, id := range p.Deletions(t.Context(), time.Time{}) {
		if n++; n > 20 {
			break
		}
		if status, _, _ := c.get("/" + kind.String() + "/" + id); status != http.StatusGone {
			t.Errorf("a deleted %s: status %d, want 410", kind, status)
		}
	}
	if n == 0 {
		t.Error("nothing was ever deleted")
	}
}
