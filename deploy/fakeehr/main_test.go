package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
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
