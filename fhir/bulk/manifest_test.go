package bulk

import (
	"encoding/json"
	"errors"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// update rewrites the goldens.
var update = flag.Bool("update", false, "rewrite golden files")

// TestManifestsOfEveryVersion reads a manifest as each version writes it.
func TestManifestsOfEveryVersion(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/manifest/*.json")
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d manifests, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			t.Parallel()
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			manifest, err := ParseManifest(body, mustParse(t, "https://ehr.example.org/manifest/1"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(manifest, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(path, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
				t.Errorf("manifest (-want +got):\n%s", diff)
			}
		})
	}
}

// TestManifestsThatAreRefused lists answers that are no manifest, and types and URLs that could lead
// out of the run folder or off the web.
func TestManifestsThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in string }{
		{"nothing", ""}, {"not JSON", "<html>"}, {"an array", "[]"}, {"an empty object", "{}"},
		{"an OperationOutcome", `{"resourceType":"OperationOutcome","output":[]}`},
		{"output that is no list", `{"transactionTime":"2026-01-01T00:00:00Z","output":{}}`},
		{"a path for a type", `{"output":[{"type":"../../etc/passwd","url":"https://e/1"}]}`},
		{"a type in lower case", `{"output":[{"type":"patient","url":"https://e/1"}]}`},
		{"a file without a URL", `{"output":[{"type":"Patient"}]}`},
		{"a file on this disk", `{"output":[{"type":"Patient","url":"file:///etc/passwd"}]}`},
		{"a broken URL", `{"output":[{"type":"Patient","url":"https://[secret"}]}`},
		{"a broken next", `{"output":[],"link":[{"relation":"next","url":"https://[secret"}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseManifest([]byte(tt.in), mustParse(t, "https://ehr.example.org/"))
			if !errors.Is(err, ErrManifest) || strings.Contains(err.Error(), "secret") {
				t.Errorf("ParseManifest(%s) = %v, %v; want ErrManifest", tt.in, got, err)
			}
		})
	}
}

// FuzzParseManifest looks for a file that could be written outside the folder, fetched by anything
// but http, or listed twice.
func FuzzParseManifest(f *testing.F) {
	for _, path := range []string{"v1", "v2", "v3", "v4", "local_time"} {
		body, err := os.ReadFile("testdata/manifest/" + path + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte("\xef\xbb\xbf" + `{"output":[{"type":"A","url":"//x/y"}]}`))
	from := &url.URL{Scheme: "https", Host: "ehr.example.org", Path: "/job/1"}
	f.Fuzz(func(t *testing.T, body []byte) {
		manifest, err := ParseManifest(body, from)
		if err != nil {
			if !errors.Is(err, ErrManifest) {
				t.Errorf("ParseManifest = %v, want ErrManifest", err)
			}
			return
		}
		seen := map[string]bool{}
		for i, item := range manifest.Items {
			u, err := url.Parse(item.URL)
			if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				t.Errorf("item %d leads to %q", i, item.URL)
			}
			if !ownName.MatchString(fileName(i, item)) || filepath.Base(fileName(i, item)) != fileName(i, item) {
				t.Errorf("item %d would be written to %q", i, fileName(i, item))
			}
			if key := string(item.Kind) + item.URL; seen[key] {
				t.Errorf("item %d is listed twice", i)
			} else {
				seen[key] = true
			}
			if item.Count != nil && *item.Count < 0 {
				t.Errorf("item %d counts %d lines", i, *item.Count)
			}
		}
	})
}
