package review_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

func TestIDOf(t *testing.T) {
	t.Parallel()
	key := review.Key{Source: "ehr", ID: phi.New("event-1")}
	// printf 'ehr\0event-1' | sha256sum | cut -c-40
	const want = "aebd476845b03f8bb9d1d42723ec579e1dd93e88"
	if got := review.IDOf(key); got != want {
		t.Errorf("IDOf() = %s, want %s", got, want)
	}
	if !regexp.MustCompile(`^[A-Za-z0-9.-]{1,64}$`).MatchString(review.IDOf(key)) {
		t.Errorf("%s is no FHIR id", review.IDOf(key))
	}
	// What divides source and id is in neither, so that no two keys read alike.
	for _, other := range []review.Key{
		{Source: "ehre", ID: phi.New("vent-1")}, {Source: "", ID: phi.New("ehrevent-1")}, {Source: "ehr2", ID: key.ID},
	} {
		if review.IDOf(other) == review.IDOf(key) {
			t.Errorf("an event of source %q has the id of another", other.Source)
		}
	}
}

// TestBody is what other programs, and older versions of this one, find in the store.
func TestBody(t *testing.T) {
	t.Parallel()
	shelf := newShelf()
	desk := open(t, &snapshot{events: []facts.Event{event("v", "2026-06-01")}}, review.Config{Records: shelf})
	if _, err := desk.Answer(t.Context(), idOf("v"), 0, by("ana", review.Yes, review.Data)); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Reopen(t.Context(), idOf("v"), 1, review.Reviewer{Subject: "bo"}, "a witness"); err != nil {
		t.Fatal(err)
	}
	got := shelf.versions[idOf("v")][1]
	const at = `"2026-06-15T14:30:00.123456Z"`
	const want = `{"format":"equitylens-review/1","source":"ehr","event":"v","needed":1,` +
		`"seen":{"date":"2026-06-01","actuality":"actual","category":"wrong-dose","severity":"severe",` +
		`"outcome":"resolved","site":"H1"},` +
		`"opinions":[{"reviewer":{"subject":"ana","name":"ANA"},"at":` + at + `,"answer":"yes",` +
		`"factors":["data"],"detection":"reported","evidence":"what the daughter said","else":"a busy shift"}],` +
		`"reopenings":[{"by":{"subject":"bo"},"at":` + at + `,"reason":"a witness",` +
		`"before":{"answer":"yes","factors":["data"],"detection":"reported","at":` + at + `,"how":"single",` +
		`"by":{"subject":"ana","name":"ANA"}},"opinions":1}]}`
	if d := gocmp.Diff(want, string(got.Body)); d != "" {
		t.Errorf("body (-want +got):\n%s", d)
	}
	if d := gocmp.Diff(map[string]string{"state": "open", "needed": "1"}, got.Terms); d != "" {
		t.Errorf("terms (-want +got):\n%s", d)
	}
	if got.By != "bo" || !got.At.Equal(clock().Truncate(1000)) {
		t.Errorf("written by %s at %s", got.By, got.At)
	}
}

func TestBodiesThatAreNoReview(t *testing.T) {
	t.Parallel()
	const secret = "what the daughter said"
	body := `{"format":"equitylens-review/1","source":"ehr","event":"v","opinions":[]`
	for _, tt := range []struct{ name, body string }{
		{"no JSON", `{"opinions":"` + secret},
		{"another type", `{"opinions":"` + secret + `"}`},
		{"another form", `{"format":"equitylens-review/2","evidence":"` + secret + `"}`},
		{"of another event", strings.Replace(body, `"v"`, `"`+secret+`"`, 1) + `}`},
		{"opinions that are gone", body + `,"reopenings":[{"opinions":1}]}`},
		{"fewer than none", body + `,"reopenings":[{"opinions":-1}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := review.Read(&decisions.Document{ID: idOf("v"), Body: []byte(tt.body)})
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("Read() = %v, want an error that quotes nothing", err)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"format":"equitylens-review/1","source":"ehr","event":"v","needed":2,"opinions":[` +
		`{"reviewer":{"subject":"a"},"answer":"no"},{"reviewer":{"subject":"b"},"answer":"yes"}],` +
		`"reopenings":[{"opinions":1},{"opinions":2}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := review.Read(&decisions.Document{ID: idOf("v"), Body: body, Version: 3})
		if err != nil {
			return
		}
		// Whatever it holds can be shown, and is the same after it was written.
		_, _ = r.For("a")
		_ = r.WithoutNarrative()
		document, err := review.Document(r)
		if err != nil {
			return // A time that RFC 3339 has no form for.
		}
		document.Version = 3
		again, err := review.Read(&document)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(r) {
			t.Errorf("Read(Document(%+v)) = %+v, %v", r, again, err)
		}
	})
}

func TestWithoutNarrative(t *testing.T) {
	t.Parallel()
	s := &snapshot{events: []facts.Event{event("v", "2026-06-01")}}
	desk := open(t, s, review.Config{TwoPerson: review.TwoForEachOne})
	id := idOf("v")
	disagree := func(version int) {
		t.Helper()
		if _, err := desk.Answer(t.Context(), id, version, by("ana", review.Yes, review.Data)); err != nil {
			t.Fatal(err)
		}
		if _, err := desk.Answer(t.Context(), id, version+1, by("bo", review.No)); err != nil {
			t.Fatal(err)
		}
		if _, err := desk.Settle(t.Context(), id, version+2, verdict("cy", review.Yes, review.Bias)); err != nil {
			t.Fatal(err)
		}
	}
	disagree(0)
	if _, err := desk.Reopen(t.Context(), id, 3, review.Reviewer{Subject: "di"}, "a busy witness"); err != nil {
		t.Fatal(err)
	}
	disagree(4)
	r, err := desk.Review(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := json.Marshal(r)
	bare, _ := json.Marshal(r.WithoutNarrative())
	after, _ := json.Marshal(r)
	if string(before) != string(after) || !strings.Contains(string(before), "daughter") {
		t.Error("WithoutNarrative changed what it was asked of")
	}
	for _, words := range []string{"daughter", "busy", `"evidence"`, `"else"`, `"reason"`} {
		if strings.Contains(string(bare), words) {
			t.Errorf("without free text it still holds %s: %s", words, bare)
		}
	}
	if strings.Contains(string(before), `"v"`) {
		t.Error("a review as JSON holds the id of its event")
	}
}
