//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/worldtest"
)

const (
	// servedUntilKilled names the environment variable by which this test program, started a second time,
	// is told to serve: a configuration and an address, divided by a space.
	servedUntilKilled = "EQUITYLENS_TEST_SERVED"
	// serveKills is how often it is killed.
	serveKills = 5
)

// TestServeUntilKilled is the program that the next test kills. By itself it does nothing.
func TestServeUntilKilled(t *testing.T) {
	config, address, ok := strings.Cut(os.Getenv(servedUntilKilled), " ")
	if !ok {
		t.Skip("it is started by another test")
	}
	p := &program{in: strings.NewReader(""), out: os.Stdout, err: os.Stderr, now: time.Now, version: "test"}
	if code := p.run(context.Background(), []string{"serve", "--config", config, "--listen", address}); code != exitOK {
		t.Fatalf("serve ended with %d", code)
	}
}

// child is a process that serves.
type child struct {
	command *exec.Cmd
	log     *worldtest.Log
}

// spawn starts a process and waits until it says that it listens.
func spawn(t *testing.T, config, address string) *child {
	t.Helper()
	c := &child{log: &worldtest.Log{}}
	// #nosec G204 -- this program
	c.command = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServeUntilKilled$")
	c.command.Env = append(os.Environ(), servedUntilKilled+"="+config+" "+address)
	c.command.Stdout, c.command.Stderr = c.log, c.log
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		for line := range strings.Lines(c.log.String()) {
			var said struct{ Msg string }
			if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "listening" {
				return true
			}
		}
		if c.command.Process.Signal(syscall.Signal(0)) != nil {
			t.Fatalf("serve ended: %s", c.log)
		}
		return false
	})
	return c
}

// kill ends a process as nothing else does, and waits until it has gone.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.command.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.command.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("the process ended by itself: %v\n%s", err, c.log)
	}
}

// TestAReviewOutlivesAKill kills the program at the moment at which it has acknowledged an answer, and
// starts it again: the answer is there, with every one before it, and so is the look in the audit trail.
func TestAReviewOutlivesAKill(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := openWard(t, copied(t), "", "")
	address := s.address
	var open reviewList
	parse(t, must(t, "reviews", "list", "--state", "open", "--json", "--config", s.config).out, &open)
	if len(open.Reviews) < serveKills {
		t.Fatalf("there are %d events to review", len(open.Reviews))
	}
	d := demonstration{url: "http://" + address}
	answered := map[string]string{}
	var log strings.Builder
	for round := range serveKills {
		c := spawn(t, s.config, address)
		who := reader{signIn(t, d, firstReviewer)}
		who.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		for id, evidence := range answered {
			if status, body := who.get(reviewPath(id)); status != http.StatusOK || !strings.Contains(body, evidence) {
				t.Errorf("round %d: what was acknowledged has gone: %d", round, status)
			}
		}
		id, evidence := open.Reviews[round].ID, fmt.Sprintf("Quillfeather %d: said before the kill.", round)
		form := who.page(id).yes(evidence)
		status, body := who.post(reviewPath(id), form)
		c.kill(t)
		if status != http.StatusSeeOther {
			t.Fatalf("round %d: the answer is %d: %s", round, status, body)
		}
		answered[id] = evidence
		log.WriteString(c.log.String())
	}
	var settled reviewList
	parse(t, must(t, "reviews", "list", "--state", "settled", "--json", "--limit", "0", "--config", s.config).out, &settled)
	for _, r := range settled.Reviews {
		if answered[r.ID] == "" || r.Answer != review.Yes || r.Version != 1 {
			t.Errorf("settled is %+v", r)
		}
	}
	if len(settled.Reviews) != len(answered) {
		t.Errorf("%d of %d acknowledged answers are there", len(settled.Reviews), len(answered))
	}
	hides(t, "the log of what was killed", log.String(), "Quillfeather")
	barren(t, "the log of what was killed", log.String())
	trail, err := filepath.Glob(filepath.Join(s.data, "audit", "*"))
	if err != nil || len(trail) == 0 {
		t.Fatalf("the audit trail is %v, %v", trail, err)
	}
	noted := 0
	for _, path := range trail {
		text, err := os.ReadFile(path) // #nosec G304 -- made by this test
		if err != nil {
			t.Fatal(err)
		}
		hides(t, path, string(text), "Quillfeather")
		noted += strings.Count(string(text), `"review-answer"`)
	}
	if noted != len(answered) {
		t.Errorf("the audit trail notes %d answers, want %d", noted, len(answered))
	}
	t.Logf("%d kills, each after an acknowledged answer: all %d answers are there; %v", serveKills, len(settled.Reviews),
		time.Since(began).Round(time.Millisecond))
}
