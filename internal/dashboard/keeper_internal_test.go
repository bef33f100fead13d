package dashboard

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestTheKeeperKeepsToItsRoom: whatever is asked for, addresses of any length included.
func TestTheKeeperKeepsToItsRoom(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 500).Draw(t, "limit")
		k := newKeeper(limit)
		for range rapid.IntRange(1, 60).Draw(t, "asked") {
			key := strings.Repeat("k", rapid.IntRange(0, 120).Draw(t, "key"))
			w := &written{body: make([]byte, rapid.IntRange(0, 300).Draw(t, "body"))}
			k.put(key, w)
			if len(key)+w.size() <= limit && k.get(key) == nil {
				t.Fatalf("what was put last is not there")
			}
			held := 0
			for key, e := range k.held {
				held += len(key) + len(e.Value.(*entry).answer.body)
			}
			if held != k.size || held > limit || k.order.Len() != len(k.held) {
				t.Fatalf("%d bytes are held, %d are counted, %d may be", held, k.size, limit)
			}
		}
	})
}

// TestAnAnswerIsTheSameHoweverItGoesOut: compressed for whoever takes that, plain for the others.
func TestAnAnswerIsTheSameHoweverItGoesOut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a gap of 3 in 100; ", 200)
	for _, c := range []struct {
		name, kind, text, accept string
		zipped                   bool
	}{
		{"a browser", "text/html", long, "gzip, deflate, br", true},
		{"a wish with a weight", "text/html", long, "br;q=1.0, GZIP;q=0.5", true},
		{"a refusal", "text/html", long, "gzip;q=0, br", false},
		{"nothing said", "image/svg+xml", long, "", false},
		{"another word", "text/html", long, "xgzip", false},
		{"a short text", "text/html", "short", "gzip", false},
		{"a picture", "image/png", long, "gzip", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			made := &written{header: http.Header{"Content-Type": {c.kind}}, body: []byte(c.text)}
			if err := made.zip(); err != nil {
				t.Fatal(err)
			}
			for range 2 { // What goes out twice is not changed by the first.
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				r.Header.Set("Accept-Encoding", c.accept)
				w := httptest.NewRecorder()
				made.send(w, r)
				if got := w.Header().Values("Vary"); len(got) != 1 {
					t.Errorf("Vary is %q", got)
				}
				if got := w.Header().Get("Content-Length"); got != strconv.Itoa(w.Body.Len()) {
					t.Errorf("Content-Length is %s of %d", got, w.Body.Len())
				}
				var body io.Reader = w.Body
				if zipped := w.Header().Get("Content-Encoding") == "gzip"; zipped != c.zipped {
					t.Fatalf("compressed: %v, want %v", zipped, c.zipped)
				}
				if c.zipped {
					var err error
					if body, err = gzip.NewReader(w.Body); err != nil {
						t.Fatal(err)
					}
				}
				if text, err := io.ReadAll(body); err != nil || string(text) != c.text {
					t.Errorf("%d bytes came, %v", len(text), err)
				}
			}
		})
	}
}
