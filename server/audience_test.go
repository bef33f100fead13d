package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/server"
)

func TestWhoSeesWhat(t *testing.T) {
	t.Parallel()
	const cross = "&stratifier=race*sex"
	tests := []struct {
		name, scopes, query string
		want                int
		code                string
		// audience is whom the release was asked for; internal is nobody.
		audience string
	}{
		{"a plain token gets the public release", reportScope, "", 200, "", "public"},
		{"a token of more may ask for less", internalScope, "&audience=public", 200, "", "public"},
		{"a token of more gets every figure", internalScope, "", 200, "", "internal"},
		{"for the inside", internalScope, "&audience=internal", 200, "", "internal"},
		{"for a regulator", internalScope, "&audience=regulator", 200, "", "regulator"},
		{"a plain token does not get every figure", reportScope, "&audience=internal",
			403, "FORBIDDEN", ""},
		{"a plain token does not get a regulator's", reportScope, "&audience=regulator",
			403, "FORBIDDEN", ""},
		{"a token for patients is none for small groups", reportScope + ",equitylens/patients",
			"&audience=internal", 403, "FORBIDDEN", ""},
		{"what is not public is refused", reportScope, cross, 403, "SUPPRESSED", ""},
		{"a filter is not public", reportScope, "&filter=sex:female", 403, "SUPPRESSED", ""},
		{"inside it is answered", internalScope, cross, 200, "", "internal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			w := f.get(edOf2018+tt.query, tt.scopes)
			if w.Code != tt.want {
				t.Fatalf("GET %s = %d, want %d: %s", tt.query, w.Code, tt.want, w.Body)
			}
			if tt.want != http.StatusOK {
				if code, _ := outcome(t, w.Body.Bytes()); code != tt.code {
					t.Errorf("the code is %s, want %s", code, tt.code)
				}
				if got := w.Header().Get("WWW-Authenticate"); !strings.Contains(got,
					`scope="equitylens/unsuppressed", error="insufficient_scope"`) {
					t.Errorf("WWW-Authenticate is %q", got)
				}
				return
			}
			said := strings.Contains(w.Body.String(), `"valueCode":"`+tt.audience+`"`) ||
				strings.Contains(w.Body.String(), `"valueString":"`+tt.audience+`"`)
			if tt.audience != "internal" && !said {
				t.Errorf("the report does not say that it is %s: %s", tt.audience, w.Body)
			}
		})
	}
}

// TestAKeptAnswerIsForItsAudience asks one question for two audiences, one after the other.
func TestAKeptAnswerIsForItsAudience(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for range 2 {
		inside, outside := f.get(edOf2018, internalScope), f.get(edOf2018, reportScope)
		if inside.Body.String() == outside.Body.String() ||
			inside.Header().Get("ETag") == outside.Header().Get("ETag") {
			t.Errorf("both audiences get %s", inside.Header().Get("ETag"))
		}
	}
	if f.measures.times() != 2 {
		t.Errorf("%d evaluations, want one an audience", f.measures.times())
	}
}

func TestWithoutReleasesNothingIsPublic(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *server.Config) { c.Releases = nil })
	for _, tt := range []struct {
		name, scopes, query string
		want                int
	}{
		{"the public", reportScope, "", 501},
		{"a regulator", internalScope, "&audience=regulator", 501},
		{"the inside", internalScope, "", 200},
	} {
		if w := f.get(edOf2018+tt.query, tt.scopes); w.Code != tt.want {
			t.Errorf("%s = %d, want %d: %s", tt.name, w.Code, tt.want, w.Body)
		}
	}
	if f.measures.times() != 1 {
		t.Errorf("%d evaluations, want that of the inside alone", f.measures.times())
	}
}
