//go:build unix

package decisions_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/decisions/decisionstest"
)

const (
	// killedConfig names the environment variable by which this test program, started a second time, is
	// told which store to write into until it is killed.
	killedConfig = "EQUITYLENS_TEST_KILLED"
	// killRounds names the variable that asks for more rounds than the tests do by themselves.
	killRounds = "EQUITYLENS_KILL_ROUNDS"
	fewRounds  = 20
)

// TestWhatWasAcknowledgedOutlivesAKill lets a process write change sets, kills it at a moment that nobody
// chose, opens the store again and looks: every version that was acknowledged is there, no change set is
// there by half, no history has a hole. The next round writes upon what is there.
func TestWhatWasAcknowledgedOutlivesAKill(t *testing.T) {
	t.Parallel()
	rounds := fewRounds
	if text := os.Getenv(killRounds); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", killRounds, err)
		}
	}
	onBoth(t, func(t *testing.T, c decisions.Config) {
		seed := uint64(time.Now().UnixNano()) // #nosec G115 -- any number will do
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0)) // #nosec G404 -- moments, no secrets
		all, surplus, cut := map[string]int{}, 0, 0
		for round := range rounds {
			acknowledged := writeUntilKilled(t, c, round, random)
			awaitQuiet(t, c)
			for id, version := range acknowledged {
				all[id] = max(all[id], version)
			}
			more := outlived(t, c, all)
			surplus += more
			if more > 0 {
				cut++
			}
		}
		versions := 0
		for _, v := range all {
			versions += v
		}
		t.Logf("%d kills; %d versions of %d documents stand; %d kills came between a commit and its "+
			"acknowledgement, with %d versions", rounds, versions, len(all), cut, surplus)
		if versions == 0 {
			t.Error("nothing was ever acknowledged")
		}
	})
}

// writeUntilKilled returns the newest version of each document that the process has acknowledged.
func writeUntilKilled(t *testing.T, c decisions.Config, round int, random *rand.Rand) map[string]int {
	t.Helper()
	told, err := json.Marshal([]string{c.Path, c.URL, strconv.Itoa(round)})
	if err != nil {
		t.Fatal(err)
	}
	// #nosec G204 -- this program
	self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWriteUntilKilled$")
	self.Env = append(os.Environ(), killedConfig+"="+string(told))
	out, err := self.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[string]int{}
	lines := bufio.NewScanner(out)
	// It is killed a moment after so many lines.
	patience := 1 + random.IntN(40)
	delay := time.Duration(random.IntN(4000)) * time.Microsecond
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), "ack ")
		if !ok {
			t.Fatalf("the process says: %s", lines.Text())
		}
		// A line that the kill has cut off is none.
		if set, whole := strings.CutSuffix(text, "."); whole {
			for change := range strings.FieldsSeq(set) {
				id, version, _ := strings.Cut(change, ":")
				if acknowledged[id], err = strconv.Atoi(version); err != nil {
					t.Fatalf("the process says: %s", lines.Text())
				}
			}
		}
		if patience--; patience == 0 {
			time.AfterFunc(delay, func() { _ = self.Process.Signal(syscall.SIGKILL) })
		}
	}
	var exit *exec.ExitError
	if err := self.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("the process ended by itself: %v", err)
	}
	return acknowledged
}

// awaitQuiet waits until the server has noticed that nobody is there any more: it may be committing what
// it was told last.
func awaitQuiet(t *testing.T, c decisions.Config) {
	t.Helper()
	if c.URL == "" {
		return
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for postgres.SQL(t, c.URL, `select count(*) from pg_stat_activity
		where datname = current_database() and pid <> pg_backend_pid()`) != "0" {
		<-tick.C
	}
}

// outlived opens the store and fails the test unless all that is in want is there, in whole change sets.
// It notes in want what is there beyond it, and returns how many versions that are.
func outlived(t *testing.T, c decisions.Config, want map[string]int) (surplus int) {
	t.Helper()
	store, err := decisions.Open(t.Context(), c)
	if err != nil {
		t.Fatalf("Open() after a kill: %v", err)
	}
	defer func() { _ = store.Close() }()
	sets := map[string]int{}
	newest, err := store.Find(t.Context(), decisions.Query{Kind: decisions.Review})
	if err != nil {
		t.Fatalf("Find() after a kill: %v", err)
	}
	there := map[string]int{}
	for _, document := range newest {
		history, err := store.History(t.Context(), decisions.Review, document.ID)
		if err != nil {
			t.Fatalf("History() after a kill: %v", err)
		}
		for i, d := range history {
			if d.Version != i+1 {
				t.Fatalf("after a kill version %d of %s is in the place of %d", d.Version, d.ID, i+1)
			}
			var of struct {
				Set  string
				Size int
			}
			if err := json.Unmarshal(d.Body, &of); err != nil || of.Set != d.Terms["set"] {
				t.Fatalf("after a kill version %d of %s holds %s, %v", d.Version, d.ID, d.Body, err)
			}
			if _, ok := sets[of.Set]; !ok {
				sets[of.Set] = of.Size
			}
			sets[of.Set]--
		}
		there[document.ID] = len(history)
	}
	for set, missing := range sets {
		if missing != 0 {
			t.Fatalf("after a kill %d documents of change set %s are missing", missing, set)
		}
	}
	for id, version := range want {
		if there[id] < version {
			t.Fatalf("after a kill %s is at version %d; %d was acknowledged", id, there[id], version)
		}
	}
	for id, version := range there {
		surplus += version - want[id]
		want[id] = version
	}
	return surplus
}

// TestWhatWasAcknowledgedOutlivesACrashOfTheServer writes while the server of PostgreSQL is ended in the
// middle of everything, and looks as after a kill. The server is one of this test's own.
func TestWhatWasAcknowledgedOutlivesACrashOfTheServer(t *testing.T) {
	t.Parallel()
	server := decisionstest.Postgres{Synced: true}
	t.Cleanup(server.Stop)
	c := decisions.Config{URL: server.URL(t)}
	all := map[string]int{}
	for round := range 4 {
		store, err := decisions.Open(t.Context(), c)
		if err != nil {
			t.Fatalf("Open(): %v", err)
		}
		at := maps.Clone(all)
		ended := make(chan error)
		enough := make(chan struct{})
		go func() {
			for n := 0; ; n++ {
				if n == 10 {
					close(enough)
				}
				if _, err := writeSet(t.Context(), store, fmt.Sprint(round, "-", n), at); err != nil {
					ended <- err
					return
				}
			}
		}()
		<-enough
		server.Crash(t)
		t.Logf("the writer was told: %v", <-ended)
		_ = store.Close() // Its connections are gone.
		for id, version := range at {
			all[id] = max(all[id], version)
		}
		outlived(t, c, all)
	}
}

// TestWriteUntilKilled is the second process of TestWhatWasAcknowledgedOutlivesAKill.
func TestWriteUntilKilled(t *testing.T) {
	told := os.Getenv(killedConfig)
	if told == "" {
		t.Skip("a part of TestWhatWasAcknowledgedOutlivesAKill, which starts it")
	}
	var where []string
	if err := json.Unmarshal([]byte(told), &where); err != nil {
		t.Fatal(err)
	}
	store, err := decisions.Open(t.Context(), decisions.Config{Path: where[0], URL: where[1]})
	if err != nil {
		fmt.Println(err)
		t.Fatal(err)
	}
	at := map[string]int{}
	newest, err := store.Find(t.Context(), decisions.Query{Kind: decisions.Review})
	if err != nil {
		fmt.Println(err)
		t.Fatal(err)
	}
	for _, d := range newest {
		at[d.ID] = d.Version
	}
	for n := 0; ; n++ {
		line, err := writeSet(t.Context(), store, where[2]+"-"+strconv.Itoa(n), at)
		if err != nil {
			fmt.Println(err)
			t.Fatal(err)
		}
		// One write of a pipe, so that a line is there or not.
		_, _ = os.Stdout.WriteString(line)
	}
}

// writeSet writes one to four documents of eight at once, and returns the line of their acknowledgement.
func writeSet(ctx context.Context, store decisions.Store, set string, at map[string]int) (string, error) {
	size := 1 + rand.IntN(4) // #nosec G404 -- any will do
	var changes []decisions.Change
	for _, i := range rand.Perm(8)[:size] {
		id := "d" + strconv.Itoa(i)
		body := fmt.Sprintf(`{"set": %q, "size": %d, "text": %q}`, set, size, strings.Repeat("x", rand.IntN(9000)))
		changes = append(changes, decisions.Change{Expect: at[id], Document: decisions.Document{
			Kind: decisions.Review, ID: id, By: "writer", Terms: map[string]string{"set": set}, Body: []byte(body),
		}})
	}
	written, err := store.Write(ctx, changes...)
	if err != nil {
		return "", err
	}
	line := "ack"
	for _, d := range written {
		at[d.ID] = d.Version
		line += " " + d.ID + ":" + strconv.Itoa(d.Version)
	}
	return line + " .\n", nil
}
