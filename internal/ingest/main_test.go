package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/fhir/client"
	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/store/facts"
)

// childVariable holds the order of a child process as JSON. A test starts its own binary with it
// where something has to happen to a whole process.
const childVariable = "EQUITYLENS_TEST_CHILD"

func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		os.Exit(runChild(text))
	}
	os.Exit(runTests(m))
}

// runTests gives the tests a folder that is gone with them, for what they share.
func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "ingest")
	if err == nil {
		err = os.Setenv("TMPDIR", folder)
	}
	if err != nil {
		return childFailed(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	return m.Run()
}

// order is what a child process has to do: one sync, and what befalls it.
type order struct {
	Data string
	// Base and Key make the source a server, Folder makes it a folder.
	Base   string
	Key    *jose.JSONWebKey
	Folder string
	// At is the step of the progress, counted from 1, where the child stops: for good if Hang, else
	// until it is told to go on.
	At   int
	Hang bool
	// FileSize bounds every file that the child writes, as a full disk would.
	FileSize uint64
}

// The last line of a child says how it ended.
const (
	saidDone  = "done "
	saidError = "error "
	saidPeak  = "peak "
)

func runChild(text string) int {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return childFailed(err)
	}
	if o.FileSize > 0 {
		// Without this the kernel ends the process at the first write too many.
		signal.Ignore(syscall.SIGXFSZ)
		limit := syscall.Rlimit{Cur: o.FileSize, Max: o.FileSize}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return childFailed(err)
		}
	}
	report, err := o.sync(context.Background(), o.progress())
	if err != nil {
		return childFailed(err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return childFailed(err)
	}
	for line := range strings.Lines(string(status)) {
		if peak, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			say(saidPeak + strings.TrimSpace(peak))
		}
	}
	say(saidDone + report.Digest)
	return 0
}

func childFailed(err error) int {
	name := ""
	switch {
	case errors.Is(err, facts.ErrFenced):
		name = "fenced: "
	case errors.Is(err, facts.ErrLocked):
		name = "locked: "
	}
	say(saidError + name + strings.ReplaceAll(err.Error(), "\n", "; "))
	return 1
}

func say(line string) { _, _ = fmt.Fprintln(os.Stdout, line) }

func (o order) sync(ctx context.Context, progress func(ingest.Progress)) (ingest.Report, error) {
	dir, err := facts.Open(o.Data, time.Now)
	if err != nil {
		return ingest.Report{}, err
	}
	mapper, err := newSiteMapper()
	if err != nil {
		return ingest.Report{}, err
	}
	source, err := o.source()
	if err != nil {
		return ingest.Report{}, err
	}
	return ingest.Sync(ctx, ingest.Config{
		Dir: dir, Mapper: mapper, MaxShrink: 0.2, MaxRefused: 0.05, Progress: progress,
	}, source)
}

func (o order) source() (ingest.Source, error) {
	if o.Folder != "" {
		return ingest.Folder{Path: o.Folder, ID: "ehr"}, nil
	}
	c, err := client.New(client.Config{
		BaseURL: o.Base, ClientID: "test", Key: *o.Key, AllowLoopback: true, Now: time.Now,
		Sleep:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Scopes: []string{"system/Patient.rs", "system/Encounter.rs", "system/AdverseEvent.rs"},
	})
	if err != nil {
		return nil, err
	}
	return ingest.Server{ID: "ehr", Client: c, Types: ingest.AllAuto(), Full: true}, nil
}

// progress prints each step and stops at the one that was ordered.
func (o order) progress() func(ingest.Progress) {
	var mu sync.Mutex
	step := 0
	return func(p ingest.Progress) {
		mu.Lock()
		defer mu.Unlock()
		step++
		say(fmt.Sprintf("step %d %s %s", step, p.Phase, p.Note))
		if step != o.At {
			return
		}
		if o.Hang {
			select {}
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
}
