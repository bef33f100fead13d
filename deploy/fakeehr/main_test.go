package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRunServesUntilItIsToldToEnd(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-listen", "127.0.0.1:0", "-patients", "3", "-faults", "job-404,bad-line"}, out, time.Now)
	}()
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatalf("read what it says: %v", err)
	}
	var people int
	var base string
	if _, err := fmt.Sscanf(line, "%d people at %s", &people, &base); err != nil || people != 3 {
		t.Fatalf("it says %q", line)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/metadata", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("GET metadata: %v", err)
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(body), "CapabilityStatement") {
		t.Errorf("GET metadata = %d %.80s (%v)", answer.StatusCode, body, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run = %v after it was told to end", err)
	}
}

func TestRunOpensAnApp(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-listen", "127.0.0.1:0", "-patients", "500", "-app", "lens",
			"-app-launch", "https://lens.example.org/launch", "-app-redirect", "https://lens.example.org/callback",
			"-app-auth", "client_secret_basic", "-app-secret-file", secret, "-sign-in-as", "theo-marsh"}, out, time.Now)
	}()
	lines := bufio.NewReader(said)
	_, _ = lines.ReadString('\n')
	line, err := lines.ReadString('\n')
	charts, ok := strings.CutPrefix(strings.TrimSpace(line), "charts at ")
	if err != nil || !ok {
		t.Fatalf("it says %q, %v", line, err)
	}
	for path, want := range map[string]string{"": "Open chart", "/chart/nothing-to-report": "<iframe"} {
		if body := get(t, charts+path); !strings.Contains(body, want) {
			t.Errorf("GET %s lacks %q: %.80s", path, want, body)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run = %v after it was told to end", err)
	}
}

func get(t *testing.T, target string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestHelpNamesEveryFlag(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), []string{"-help"}, &out, time.Now); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("run(-help) = %v", err)
	}
	for _, want := range []string{"-app-launch URL", "-public-url origin", "-listen address", "rosa-delmar", "Usage: fakeehr"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the help lacks %q:\n%s", want, &out)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"an unknown fault", []string{"-faults", "meteor"}, `fault "meteor" is none of`},
		{"an unknown flag", []string{"-colour"}, "flag provided but not defined"},
		{"an address that cannot be", []string{"-listen", "nowhere"}, "fake EHR"},
		{"a launch without an address for the answer", []string{"-app-launch", "https://x/launch"}, "needs -app-redirect"},
		{"a secret that is not there", []string{"-app-redirect", "https://x/cb", "-app-secret-file", "/nowhere"}, "read the app's secret"},
		{"a way that nobody knows", []string{"-app-redirect", "https://x/cb", "-app-auth", "mtls"}, "unknown"},
		{"somebody nobody knows", []string{"-sign-in-as", "ghost"}, "ghost"},
		{"a client without a name", []string{"-client", ""}, "lacks an id"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := run(t.Context(), test.args, io.Discard, time.Now)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("run(%q) = %v, want %q in it", test.args, err, test.want)
			}
		})
	}
}
