package bedside_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/internal/phi"
)

// paged serves encounters in pages of a size, in the order given.
func (e *ehr) paged(all []object, size int) {
	e.instead["Encounter"] = func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("from"))
		to := min(from+size, len(all))
		next := ""
		if to < len(all) {
			next = fmt.Sprintf("%s/fhir/Encounter?from=%d", e.URL, to)
		}
		send(w, searchset(all[from:to], next))
	}
}

// pages is how often a type was asked for.
func (e *ehr) pages(kind string) (n int) {
	for _, path := range e.requests() {
		if strings.HasPrefix(path, "/fhir/"+kind+"?") {
			n++
		}
	}
	return n
}

func starts(v bedside.View) (out []int32) {
	for _, visit := range v.Visits {
		out = append(out, visit.Start.Days)
	}
	return out
}

func TestPages(t *testing.T) {
	t.Parallel()
	descending := many(1000)
	ascending := slices.Clone(descending[:120])
	slices.Reverse(ascending)
	mixed := make([]object, len(descending))
	for i := range mixed {
		mixed[i] = descending[i*617%len(descending)]
	}
	tests := []struct {
		name    string
		in      []object
		size    int
		pages   int
		more    bool
		partial bool
	}{
		{"one page that is not full", descending[:4], 50, 1, false, false},
		{"as many as are shown", descending[:10], 50, 1, false, false},
		{"the newest first, as asked", descending, 50, 1, true, false},
		{"small pages", descending, 4, 3, true, false},
		{"the oldest first", ascending, 50, 3, true, false},
		{"no order and no end", mixed, 50, 8, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEHR(t)
			e.paged(tt.in, tt.size)
			r, _ := reader(t, nil)
			got, err := r.Read(t.Context(), e.access(t))
			if err != nil {
				t.Fatal(err)
			}
			partial := slices.Contains(got.Notices, bedside.Notice{Kind: bedside.Partial, Resource: "Encounter"})
			if n := e.pages("Encounter"); n != tt.pages || got.More != tt.more || partial != tt.partial {
				t.Errorf("%d pages, more %v, partial %v; want %d, %v, %v", n, got.More, partial, tt.pages,
					tt.more, tt.partial)
			}
			want := []int32{}
			for i := range min(10, len(tt.in)) {
				want = append(want, date(t, day(i)).Days)
			}
			if diff := cmp.Diff(want, starts(got)); diff != "" && !tt.partial {
				t.Errorf("visits (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPageThatFailsLater(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	e.instead["Encounter"] = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("from") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		send(w, searchset(many(3), e.URL+"/fhir/Encounter?from=3"))
	}
	r, _ := reader(t, nil)
	got, err := r.Read(t.Context(), e.access(t))
	want := []bedside.Notice{{Kind: bedside.Unreachable, Resource: "Encounter"}}
	if diff := cmp.Diff(want, got.Notices); diff != "" || err != nil || len(got.Visits) != 3 || !got.More {
		t.Errorf("%d visits, more %v, %v; notices (-want +got):\n%s", len(got.Visits), got.More, err, diff)
	}
}

func TestCurrentEncounterIsAlwaysShown(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	all := many(40)
	e.paged(all, 20)
	e.encounters = all
	r, _ := reader(t, nil)
	a := e.access(t)
	a.Encounter = phi.New("e30")
	got, err := r.Read(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	last := got.Visits[len(got.Visits)-1]
	if len(got.Visits) != 10 || !last.Current || last.Start != date(t, day(30)) || !got.More {
		t.Errorf("visits = %+v", got.Visits)
	}
	for _, v := range got.Visits[:9] {
		if v.Current {
			t.Errorf("%+v is current too", v)
		}
	}
}

func TestCurrentEncounterOfTheSearchIsEnough(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	e.encounters = many(2)
	e.instead["Encounter/e1"] = status(http.StatusNotFound)
	r, _ := reader(t, nil)
	a := e.access(t)
	a.Encounter = phi.New("e1")
	got, err := r.Read(t.Context(), a)
	if err != nil || len(got.Notices) != 0 || len(got.Visits) != 2 || !got.Visits[1].Current {
		t.Errorf("Read = %+v, %v", got, err)
	}
}

func TestWaysOfAsking(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		kind string
		// understands is the query that the EHR does not refuse.
		understands string
	}{
		{"in order", "Encounter", "_count=50&_sort=-date&patient=" + patientID},
		{"without order", "Encounter", "patient=" + patientID},
		{"by subject alone", "Encounter", "subject=Patient%2F" + patientID},
		{"in order", "AdverseEvent", "_count=50&_sort=-date&subject=Patient%2F" + patientID},
		{"without order", "AdverseEvent", "subject=Patient%2F" + patientID},
		{"by a bare id", "AdverseEvent", "subject=" + patientID},
		{"by patient alone", "AdverseEvent", "patient=" + patientID},
	}
	for _, tt := range tests {
		t.Run(tt.kind+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEHR(t)
			e.instead[tt.kind] = func(w http.ResponseWriter, r *http.Request) {
				if r.URL.RawQuery != tt.understands {
					w.WriteHeader(http.StatusBadRequest)
					send(w, outcome("not-supported"))
					return
				}
				resources := many(1)
				if tt.kind == "AdverseEvent" {
					resources = []object{harmed("x", day(1), nil)}
				}
				send(w, searchset(resources, ""))
			}
			r, _ := reader(t, nil)
			got, err := r.Read(t.Context(), e.access(t))
			if err != nil || len(got.Notices) != 0 || len(got.Visits)+len(got.Events) != 1 {
				t.Errorf("Read = %+v, %v; asked %v", got, err, e.requests())
			}
		})
	}
}

func TestTokenStaysAtItsOrigin(t *testing.T) {
	t.Parallel()
	var strayed atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		strayed.Add(1)
		send(w, searchset(many(5), ""))
	}))
	t.Cleanup(elsewhere.Close)
	// The same host by another name is another origin too.
	alias := strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)
	for _, to := range []string{elsewhere.URL, alias, "http://user@" + strings.TrimPrefix(elsewhere.URL, "http://")} {
		e := newEHR(t)
		e.instead["Encounter"] = func(w http.ResponseWriter, _ *http.Request) {
			send(w, searchset(many(3), to+"/fhir/Encounter?from=3"))
		}
		e.instead["AdverseEvent"] = func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, to+"/fhir/AdverseEvent", http.StatusTemporaryRedirect)
		}
		r, _ := reader(t, nil)
		got, err := r.Read(t.Context(), e.access(t))
		if err != nil {
			t.Fatal(err)
		}
		want := []bedside.Notice{{Kind: bedside.Unreachable, Resource: "AdverseEvent"}}
		if diff := cmp.Diff(want, got.Notices); diff != "" || len(got.Visits) != 3 || !got.More {
			t.Errorf("%d visits, more %v; notices (-want +got):\n%s", len(got.Visits), got.More, diff)
		}
	}
	if n := strayed.Load(); n != 0 {
		t.Errorf("another origin was asked %d times", n)
	}
}

func TestRedirectWithinTheOriginIsFollowed(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	e.instead["Encounter"] = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/fhir/elsewhere", http.StatusTemporaryRedirect)
	}
	e.instead["elsewhere"] = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Referer") != "" {
			t.Error("a redirect tells where it came from")
		}
		send(w, searchset(many(2), ""))
	}
	e.instead["AdverseEvent"] = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/fhir/AdverseEvent", http.StatusTemporaryRedirect)
	}
	r, _ := reader(t, nil)
	got, err := r.Read(t.Context(), e.access(t))
	want := []bedside.Notice{{Kind: bedside.Unreachable, Resource: "AdverseEvent"}}
	if diff := cmp.Diff(want, got.Notices); diff != "" || err != nil || len(got.Visits) != 2 {
		t.Errorf("%d visits, %v; notices (-want +got):\n%s", len(got.Visits), err, diff)
	}
}

func TestPackedAnswers(t *testing.T) {
	t.Parallel()
	e := newEHR(t)
	e.instead["Encounter"] = func(w http.ResponseWriter, _ *http.Request) {
		packed := gzip.NewWriter(w) // Without saying so in the header.
		_ = json.NewEncoder(packed).Encode(searchset(many(2), ""))
		_ = packed.Close()
	}
	e.instead["AdverseEvent"] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		packed, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
		zeros := make([]byte, 1<<20)
		for range 33 { // More than a page may hold, in a few kilobytes.
			_, _ = packed.Write(zeros)
		}
		_ = packed.Close()
	}
	r, _ := reader(t, nil)
	got, err := r.Read(t.Context(), e.access(t))
	want := []bedside.Notice{{Kind: bedside.Unreachable, Resource: "AdverseEvent"}}
	if diff := cmp.Diff(want, got.Notices); diff != "" || err != nil || len(got.Visits) != 2 {
		t.Errorf("%d visits, %v; notices (-want +got):\n%s", len(got.Visits), err, diff)
	}
}
