package server_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/server"
)

const improve = "equitylens/improve"

// tasks are the routes of somebody else who keeps one Task, 7, at version 3.
func tasks() []server.Resource {
	read := func(r *http.Request) (server.Answer, error) {
		if r.PathValue("id") != "7" {
			return server.Answer{}, server.Refuse(server.Refusal{Status: 404, Text: "there is no such Task here"})
		}
		server.About(r, phi.New("patient-canary"))
		return server.Answer{
			Resource: r4.Outcome(r4.Issue{Text: server.Caller(r.Context()).Subject}), Version: 3, Versioned: true,
			Modified: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		}, nil
	}
	change := func(r *http.Request) (server.Answer, error) {
		version, err := server.IfMatch(r)
		if err != nil {
			return server.Answer{}, err
		}
		text, err := server.Body(r)
		if err != nil {
			return server.Answer{}, err
		}
		switch {
		case version != 3:
			return server.Answer{}, server.Refuse(server.Refusal{Status: 412, Text: "it is another version"})
		case strings.Contains(string(text), "secret"):
			return server.Answer{}, server.Demand(r.Context(), "equitylens/narrative")
		case strings.Contains(string(text), "wrong"):
			return server.Answer{}, server.Refuse(server.Refusal{
				Status: 422, Expression: "Task.status", Text: "it is none",
				More: []server.Refusal{{Expression: "Task.code", Text: "it is missing"}},
			})
		case strings.Contains(string(text), "broken"):
			return server.Answer{}, errors.New("the disk is full of canary-words")
		}
		return server.Answer{Status: 201, Location: "https://quality.example.org/fhir/Task/8"}, nil
	}
	return []server.Resource{
		{Method: "GET", Path: "/fhir/Task/{id}", Scope: improve, Does: audit.Read,
			Handler: server.Responder(read), Type: "Task"},
		{Method: "PUT", Path: "/fhir/Task/{id}", Scope: improve, Does: server.Update, Body: 64,
			Handler: server.Responder(change), Type: "Task",
			Search: []server.SearchParameter{{Name: "code", Definition: "Task-code", Kind: "token"}}},
		{Method: "GET", Path: "/fhir/CodeSystem/{id}", Public: "a code holds no data", Does: audit.Read,
			Handler: server.Responder(read), Type: "CodeSystem"},
	}
}

func withTasks(c *server.Config) { c.Resources = tasks() }

func TestResourcesPassWhatEveryRoutePasses(t *testing.T) {
	t.Parallel()
	const asked, kind = "Authorization: Bearer " + improve, "Content-Type: application/fhir+json"
	const three = `If-Match: W/"3"`
	tests := []struct {
		name, method, path, body string
		headers                  []string
		want                     int
		expression               string
	}{
		{"a read", "GET", "/fhir/Task/7", "", []string{asked}, 200, ""},
		{"no token", "GET", "/fhir/Task/7", "", nil, 401, ""},
		{"another scope", "GET", "/fhir/Task/7", "", []string{"Authorization: Bearer " + measureScope}, 403, ""},
		{"no XML", "GET", "/fhir/Task/7", "", []string{asked, "Accept: application/fhir+xml"}, 406, ""},
		{"one that is not there", "GET", "/fhir/Task/8", "", []string{asked}, 404, ""},
		{"an id that is none", "GET", "/fhir/Task/a_b", "", []string{asked}, 404, ""},
		{"another method", "DELETE", "/fhir/Task/7", "", []string{asked}, 405, ""},
		{"public without a token", "GET", "/fhir/CodeSystem/7", "", nil, 200, ""},
		{"a change", "PUT", "/fhir/Task/7", "{}", []string{asked, kind, three}, 201, ""},
		{"a strong tag", "PUT", "/fhir/Task/7", "{}", []string{asked, kind, `If-Match: "3"`}, 201, ""},
		{"a change of nobody knows what", "PUT", "/fhir/Task/7", "{}", []string{asked, kind}, 428, ""},
		{"a tag that is none", "PUT", "/fhir/Task/7", "{}", []string{asked, kind, "If-Match: *"}, 412, ""},
		{"a tag without quotes", "PUT", "/fhir/Task/7", "{}", []string{asked, kind, "If-Match: 3"}, 412, ""},
		{"a tag below zero", "PUT", "/fhir/Task/7", "{}", []string{asked, kind, `If-Match: W/"-3"`}, 412, ""},
		{"another version", "PUT", "/fhir/Task/7", "{}", []string{asked, kind, `If-Match: W/"2"`}, 412, ""},
		{"a form", "PUT", "/fhir/Task/7", "a=b",
			[]string{asked, three, "Content-Type: application/x-www-form-urlencoded"}, 415, ""},
		{"too long", "PUT", "/fhir/Task/7", strings.Repeat(" ", 65), []string{asked, kind, three}, 413, ""},
		{"a further scope", "PUT", "/fhir/Task/7", "secret", []string{asked, kind, three}, 403, ""},
		{"what cannot be taken", "PUT", "/fhir/Task/7", "wrong", []string{asked, kind, three}, 422, "Task.status"},
		{"a fault of ours", "PUT", "/fhir/Task/7", "broken", []string{asked, kind, three}, 500, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, withTasks).call(tt.method, tt.path, tt.body, tt.headers...)
			if w.Code != tt.want {
				t.Fatalf("%s %s = %d, want %d: %s", tt.method, tt.path, w.Code, tt.want, w.Body)
			}
			if w.Code < 400 {
				return
			}
			if strings.Contains(w.Body.String(), "canary") {
				t.Errorf("the answer repeats what is ours: %s", w.Body)
			}
			resource, err := r4.Unmarshal(w.Body.Bytes())
			if err != nil || resource.GetOperationOutcome() == nil {
				t.Fatalf("not an OperationOutcome: %s", w.Body)
			}
			issues := resource.GetOperationOutcome().GetIssue()
			if tt.expression != "" && (len(issues) != 2 ||
				issues[0].GetExpression()[0].GetValue() != tt.expression) {
				t.Errorf("the issues are %v", issues)
			}
		})
	}
}

func TestHeadersOfAResource(t *testing.T) {
	t.Parallel()
	f := newFixture(t, withTasks)
	w := f.get("/fhir/Task/7", "reporter+ana@"+improve)
	got := map[string]string{}
	for _, name := range []string{"ETag", "Last-Modified", "Content-Type", "Cache-Control"} {
		got[name] = w.Header().Get(name)
	}
	want := map[string]string{
		"ETag": `W/"3"`, "Last-Modified": "Sun, 01 Mar 2026 00:00:00 GMT",
		"Content-Type": "application/fhir+json; charset=utf-8", "Cache-Control": "no-store",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the headers of a read (-want +got):\n%s", diff)
	}
	if _, said := outcome(t, w.Body.Bytes()); said != "ana" {
		t.Errorf("the handler took the caller for %q, want ana", said)
	}
	w = f.call("PUT", "/fhir/Task/7", "{}", "Authorization: Bearer "+improve,
		"Content-Type: application/fhir+json", `If-Match: W/"3"`)
	if w.Code != 201 || w.Header().Get("Location") != "https://quality.example.org/fhir/Task/8" || w.Body.Len() > 0 {
		t.Errorf("a creation is %d at %q: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
}

// Whom a handler names is in the trail and nowhere else.
func TestResourcesAreRecorded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, withTasks)
	f.get("/fhir/Task/7", improve)
	f.get("/fhir/CodeSystem/7", "")
	all := f.records(t)
	if len(all) != 1 {
		t.Fatalf("there are %d records, want that of the read with a token alone", len(all))
	}
	named := false
	for _, entity := range all[0].Entity {
		named = named || entity.What.Reference == "Patient/patient-canary"
	}
	if !named || all[0].Subtype[0].Code != "read" {
		t.Errorf("the record is %+v", all[0])
	}
	if strings.Contains(f.log.String(), "canary") {
		t.Errorf("the log names the patient: %s", f.log)
	}
	f.call("PUT", "/fhir/Task/7", "{}", "Authorization: Bearer "+improve, "Content-Type: application/fhir+json",
		`If-Match: W/"2"`)
	changed := f.records(t)[1]
	if changed.Subtype[0].Code != "update" || changed.Outcome != "4" {
		t.Errorf("a change that was refused is recorded as %+v", changed)
	}
}

func TestCapabilityOfResources(t *testing.T) {
	t.Parallel()
	f := newFixture(t, withTasks)
	rest := read(t, f, "/fhir/metadata").GetCapabilityStatement().GetRest()[0]
	for _, one := range rest.GetResource() {
		if one.GetType().GetValue().String() != "TASK" {
			continue
		}
		var codes []string
		for _, interaction := range one.GetInteraction() {
			codes = append(codes, interaction.GetCode().GetValue().String())
		}
		if diff := cmp.Diff([]string{"READ", "UPDATE"}, codes); diff != "" {
			t.Errorf("interactions (-want +got):\n%s", diff)
		}
		if one.GetVersioning().GetValue().String() != "VERSIONED_UPDATE" ||
			len(one.GetSearchParam()) != 1 || one.GetSearchParam()[0].GetName().GetValue() != "code" {
			t.Errorf("the capability of Task is %v", one)
		}
		return
	}
	t.Error("Task is not in the CapabilityStatement")
}

func TestResourcesThatNobodyDecidedAbout(t *testing.T) {
	t.Parallel()
	plain := server.Responder(func(*http.Request) (server.Answer, error) { return server.Answer{}, nil })
	good := server.Resource{
		Method: "GET", Path: "/fhir/Task/{id}", Scope: improve, Does: audit.Read, Handler: plain, Type: "Task",
	}
	tests := []struct {
		name   string
		change func(*server.Resource)
		want   string
	}{
		{"no scope and no reason", func(r *server.Resource) { r.Scope = "" }, "neither a scope"},
		{"both", func(r *server.Resource) { r.Public = "why" }, "more than one"},
		{"a scope that is none", func(r *server.Resource) { r.Scope = "everything" }, "neither a system scope"},
		{"no handler", func(r *server.Resource) { r.Handler = nil }, "no handler"},
		{"no word for the trail", func(r *server.Resource) { r.Does = "" }, "audit trail"},
		{"a type that is none", func(r *server.Resource) { r.Type = "Tusk" }, "no resource type"},
		{"a parameter of no kind", func(r *server.Resource) {
			r.Search = []server.SearchParameter{{Name: "code", Kind: "tokin"}}
		}, "has no kind"},
		{"a route of ours again", func(r *server.Resource) { r.Path = "/fhir/Measure" }, "twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			one := good
			tt.change(&one)
			_, err := server.New(server.Config{
				Measures: &fakeMeasures{}, Snapshots: fakeSnapshots{}, Authorizer: fakeAuthorizer{},
				OAuth:   server.OAuth{Token: said("a"), Keys: said("b"), SMART: said("c")},
				BaseURL: "https://quality.example.org/fhir", Now: now, Resources: []server.Resource{one},
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New = %v, want an error about %q", err, tt.want)
			}
		})
	}
}

func query(t testing.TB, target string, headers ...string) (server.Query, error) {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	return server.ReadQuery(r, "Task", "code", "status")
}

func TestReadQuery(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, target, header string
		refused              bool
		links                []server.Link
	}{
		{"nothing asked", "/fhir/Task", "", false, []server.Link{{Relation: "self", URL: "http://x/Task"}}},
		{"criteria, a size and a page", "/fhir/Task?code=a&_count=2&_cursor=9", "", false, []server.Link{
			{Relation: "self", URL: "http://x/Task?_count=2&_cursor=9&code=a"},
			{Relation: "next", URL: "http://x/Task?_count=2&_cursor=n&code=a"},
		}},
		{"an unknown parameter is left out", "/fhir/Task?colour=red", "", false,
			[]server.Link{{Relation: "self", URL: "http://x/Task"}}},
		{"unless that is asked for", "/fhir/Task?colour=red", "Prefer: handling=strict", true, nil},
		{"a size that is none", "/fhir/Task?_count=-1", "", true, nil},
		{"two pages at once", "/fhir/Task?_cursor=1&_cursor=2", "", true, nil},
		{"a total of another kind", "/fhir/Task?_total=most", "", true, nil},
		{"what cannot be read", "/fhir/Task?code=%zz", "", true, nil},
		{"more values than are compared", "/fhir/Task?code=a" + strings.Repeat(",a", 150) + "&status=b" +
			strings.Repeat(",b", 50), "", true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q, err := query(t, tt.target, "X-None: 1", tt.header+" ")
			if (err != nil) != tt.refused {
				t.Fatalf("ReadQuery(%s) = %v, refused should be %t", tt.target, err, tt.refused)
			}
			next := ""
			if len(tt.links) > 1 {
				next = "n"
			}
			if diff := cmp.Diff(tt.links, q.Links("http://x", next)); err == nil && diff != "" {
				t.Errorf("Links (-want +got):\n%s", diff)
			}
		})
	}
}

// A tag is read as what an ETag was made of, and nothing else is read at all.
func TestIfMatchReadsWhatAnETagSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.IntRange(0, 1<<30).Draw(t, "version")
		w := httptest.NewRecorder()
		server.Responder(func(*http.Request) (server.Answer, error) {
			return server.Answer{Version: version, Versioned: true}, nil
		}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/fhir/Task/7", nil))
		r := httptest.NewRequest(http.MethodPut, "/fhir/Task/7", nil)
		r.Header.Set("If-Match", w.Header().Get("ETag"))
		if got, err := server.IfMatch(r); err != nil || got != version {
			t.Fatalf("IfMatch(%s) = %d, %v; want %d", r.Header.Get("If-Match"), got, err, version)
		}
	})
}

// FuzzIfMatch: whatever is read is written the same way again.
func FuzzIfMatch(f *testing.F) {
	for _, seed := range []string{`W/"3"`, `"3"`, `3`, `*`, `W/"03"`, `W/"-0"`, `W/""3""`, `"1", "2"`, `W/3`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		r := httptest.NewRequest(http.MethodPut, "/fhir/Task/7", nil)
		r.Header["If-Match"] = []string{tag}
		version, err := server.IfMatch(r)
		if err != nil {
			return
		}
		plain := `"` + strings.Trim(tag, `W/"`) + `"`
		if version < 0 || strings.TrimPrefix(tag, "W/") != plain {
			t.Errorf("IfMatch(%q) = %d", tag, version)
		}
	})
}
