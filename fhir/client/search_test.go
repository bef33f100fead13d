package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// collect runs a search and returns its entries as text.
func collect(ctx context.Context, c *Client, q Query) ([]string, Totals, error) {
	var entries []string
	totals, err := c.Search(ctx, q, func(_ context.Context, page Page) error {
		for _, entry := range page.Entries {
			entries = append(entries, string(entry))
		}
		return nil
	})
	return entries, totals, err
}

// TestSearchReadsEveryPage follows next links in the forms servers write them, and keeps entries as
// they are but for line breaks.
func TestSearchReadsEveryPage(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	var queries []string
	e.mux.HandleFunc("GET /fhir/AdverseEvent", func(w http.ResponseWriter, r *http.Request) {
		if !e.authorised(w, r) {
			return
		}
		queries = append(queries, r.URL.RawQuery)
		w.Header().Set("Date", "Sun, 01 Mar 2026 02:00:05 GMT")
		switch page, _ := strconv.Atoi(r.URL.Query().Get("page")); page {
		case 0:
			fmt.Fprintf(w, `{"resourceType":"Bundle","type":"searchset","total":3,
				"link":[{"relation":"self","url":"x"},{"relation":"next","url":"%s/fhir/AdverseEvent?page=1"}],
				"entry":[{"resource":{"resourceType":"AdverseEvent",
					"id": "a", "n": 1.50, "text": "two\nlines"},"search":{"mode":"match"}}]}`, e.URL)
		case 1:
			e.refuse("secret-token-1") // The token ends between two pages.
			_, _ = io.WriteString(w, `{"resourceType":"Bundle","link":[{"relation":"next","url":"?page=2"}]}`)
		case 2:
			_, _ = io.WriteString(w, `{"resourceType":"Bundle","link":[{"relation":"next","url":"AdverseEvent?page=3"}],
				"entry":[{"resource":{"resourceType":"Patient","id":"p"},"search":{"mode":"include"}},
				{"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"not-supported"}]},
				 "search":{"mode":"outcome"}},
				{"resource":{"resourceType":"AdverseEvent","id":"b"}}]}`)
		default:
			_, _ = io.WriteString(w, `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"AdverseEvent","id":"c"}}]}`)
		}
	})
	entries, totals, err := collect(t.Context(), e.client(t), Query{
		Type: "AdverseEvent", Params: url.Values{"actuality": {"actual"}}, Count: 500,
		Since: time.Date(2026, 2, 1, 1, 2, 3, 4_000_000, time.FixedZone("", 3600)),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"resourceType":"AdverseEvent","id":"a","n":1.50,"text":"two\nlines"}`,
		`{"resourceType":"AdverseEvent","id":"b"}`, `{"resourceType":"AdverseEvent","id":"c"}`,
	}
	if diff := cmp.Diff(want, entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	said := int64(3)
	wantTotals := Totals{
		Pages: 4, Entries: 3, Included: 1, Said: &said, Started: time.Date(2026, 3, 1, 2, 0, 5, 0, time.UTC),
		Issues: map[Issue]int64{{"warning", "not-supported"}: 1},
	}
	if diff := cmp.Diff(wantTotals, totals); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	if want := "_count=500&_lastUpdated=ge2026-02-01T00%3A02%3A03.004Z&actuality=actual"; queries[0] != want {
		t.Errorf("first query = %s, want %s", queries[0], want)
	}
	if e.tokens() != 2 {
		t.Errorf("%d tokens, want 2", e.tokens())
	}
}

// TestSearchStaysAtHome refuses a next link to another origin and sends nothing there.
func TestSearchStaysAtHome(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		next string // HERE is the server itself, PORT another one of the same host
		want error
	}{
		{"another port", "PORT/fhir/Patient?page=2", ErrOrigin},
		{"another name of the host", "LOCALHOST/fhir/Patient?page=2", ErrOrigin},
		{"another scheme", "TLS/fhir/Patient?page=2", ErrOrigin},
		{"another host", "https://ehr.example.org.evil/fhir/Patient", ErrOrigin},
		{"without a scheme", "//ehr.example.org/fhir/Patient", ErrURL},
		{"a file", "file:///etc/passwd", ErrURL},
		{"a host as user", "http://ehr@127.0.0.1/fhir/Patient", ErrURL},
		{"no URL", "http://[", ErrURL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEHR(t)
			var seen headers
			other := serve(t, func(_ http.ResponseWriter, r *http.Request) { seen.note(r) })
			e.mux.HandleFunc("GET /fhir/Patient", func(w http.ResponseWriter, r *http.Request) {
				if r.URL.RawQuery != "" {
					seen.note(r)
				}
				next := strings.NewReplacer(
					"PORT", other.URL, "HERE", e.URL,
					"LOCALHOST", strings.Replace(e.URL, "127.0.0.1", "localhost", 1),
					"TLS", strings.Replace(e.URL, "http:", "https:", 1),
				).Replace(tt.next)
				fmt.Fprintf(w, `{"resourceType":"Bundle","link":[{"relation":"next","url":%q}]}`, next)
			})
			_, totals, err := collect(t.Context(), e.client(t), Query{Type: "Patient"})
			if !errors.Is(err, tt.want) || totals.Pages != 1 || seen.all() != "" {
				t.Errorf("Search = %d pages, %v, then sent %q; want 1, %v, nothing", totals.Pages, err, seen.all(), tt.want)
			}
		})
	}
}

// TestSearchEnds stops at a page that was read before, and at a chain of pages without end.
func TestSearchEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		next  func(page int) int
		pages int
	}{
		{"a page that names itself", func(page int) int { return page }, 2},
		{"a ring of three", func(page int) int { return page%3 + 1 }, 4},
		{"no end", func(page int) int { return page + 1 }, 50},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				page, _ := strconv.Atoi(r.URL.Query().Get("page"))
				fmt.Fprintf(w, `{"resourceType":"Bundle","link":[{"relation":"next","url":"?page=%d"}]}`, tt.next(page))
			})
			_, totals, err := collect(t.Context(), open(t, server, newClock()), Query{Type: "Patient", MaxPages: 50})
			if !errors.Is(err, ErrLoop) || totals.Pages != tt.pages {
				t.Errorf("Search = %d pages, %v; want %d and ErrLoop", totals.Pages, err, tt.pages)
			}
		})
	}
}

// TestSearchStopsAtTheFirstError hands through an error of the receiver and of the server.
func TestSearchStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	body := `{"resourceType":"Bundle","link":[{"relation":"next","url":"?page=2"}]}`
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "2" {
			w.WriteHeader(http.StatusGone)
			return
		}
		_, _ = io.WriteString(w, body)
	})
	c := open(t, server, newClock())
	full := errors.New("disk full")
	_, err := c.Search(t.Context(), Query{Type: "Patient"}, func(context.Context, Page) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("Search = %v, want %v", err, full)
	}
	_, _, err = collect(t.Context(), c, Query{Type: "Patient"})
	if want := "search Patient, page 2: status 410 Gone"; err == nil || err.Error() != want {
		t.Errorf("Search = %v, want %s", err, want)
	}
	for _, name := range []string{"", "patient", "Patient/1", "../x", "Patient?x"} {
		if _, _, err := collect(t.Context(), c, Query{Type: name}); err == nil {
			t.Errorf("Search of type %q succeeds", name)
		}
	}
}

// TestCapability reads what a server offers, without a token unless it insists.
func TestCapability(t *testing.T) {
	t.Parallel()
	for _, insists := range []bool{false, true} {
		t.Run(fmt.Sprintf("token wanted %t", insists), func(t *testing.T) {
			t.Parallel()
			e := newEHR(t)
			e.mux.HandleFunc("GET /fhir/metadata", func(w http.ResponseWriter, r *http.Request) {
				if !insists || e.authorised(w, r) {
					_, _ = io.WriteString(w, `{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1",
						"software":{"name":"EHR","version":"7"},"rest":[{"mode":"client","resource":[{"type":"Task"}]},
						{"mode":"server","operation":[{"name":"export","definition":"x"}],"resource":[
						{"type":"Patient","interaction":[{"code":"read"}],"operation":[{"name":"export"}]},
						{"type":"Encounter","interaction":[{"code":"read"},{"code":"search-type"}],
						 "searchParam":[{"name":"_lastUpdated","type":"date"},7]}]}]}`)
				}
			})
			got, err := e.client(t).Capability(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if (e.tokens() == 1) != insists {
				t.Errorf("%d tokens were asked for", e.tokens())
			}
			for what, is := range map[string]bool{
				"version":            got.FHIRVersion == "4.0.1" && got.Software == "EHR 7",
				"Patient is offered": got.Offers("Patient"), "and not searchable": !got.Searchable("Patient"),
				"Encounter is searchable":          got.Searchable("Encounter"),
				"by _lastUpdated":                  got.Param("Encounter", "_lastUpdated"),
				"Patient is not":                   !got.Param("Patient", "_lastUpdated"),
				"AdverseEvent is not there":        !got.Offers("AdverseEvent") && !got.Searchable("AdverseEvent"),
				"what the client may do is not":    !got.Offers("Task"),
				"export of the system":             got.Operation("", "export"),
				"export of Patient":                got.Operation("Patient", "export"),
				"export of Encounter is not there": !got.Operation("Encounter", "export"),
			} {
				if !is {
					t.Errorf("not so: %s", what)
				}
			}
		})
	}
}
