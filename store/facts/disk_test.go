//go:build unix

package facts_test

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// fullDiskIn names the environment variable by which this test program, started a second time, is
// told which data directory to sync into on a disk that is full.
const fullDiskIn = "EQUITYLENS_TEST_FULL_DISK"

// TestAFullDiskLeavesWhatIsServed syncs on disks that end at ever larger sizes. A limit on the size
// of a file stands for the end of the disk; it holds for a whole process, hence the second one.
func TestAFullDiskLeavesWhatIsServed(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("old")}})
	before, _ := dir.Current()
	// #nosec G204 -- this program
	self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSyncOnAFullDisk$")
	self.Env = append(os.Environ(), fullDiskIn+"="+dir.Path())
	if out, err := self.CombinedOutput(); err != nil {
		t.Fatalf("sync on a full disk: %v\n%s", err, out)
	}
	if now, err := dir.Current(); now != before || err != nil {
		t.Errorf("Current() = %s, %v; want %s", now, err, before)
	}
	if d := cmp.Diff([]string{"old"}, ids(t, dir)); d != "" {
		t.Errorf("patients (-want +got):\n%s", d)
	}
	// Once there is room the next run finishes.
	Load(t, dir, Batch{Patients: []mapping.Patient{Patient("new")}})
	if d := cmp.Diff([]string{"new"}, ids(t, dir)); d != "" {
		t.Errorf("patients (-want +got):\n%s", d)
	}
}

// TestSyncOnAFullDisk is the second process of TestAFullDiskLeavesWhatIsServed.
func TestSyncOnAFullDisk(t *testing.T) {
	path := os.Getenv(fullDiskIn)
	if path == "" {
		t.Skip("a part of TestAFullDiskLeavesWhatIsServed, which starts it")
	}
	signal.Ignore(syscall.SIGXFSZ)
	dir, err := facts.Open(path, Clock())
	if err != nil {
		t.Fatal(err)
	}
	current, err := dir.Current()
	if err != nil {
		t.Fatal(err)
	}
	live, err := os.Stat(filepath.Join(path, "snapshots", current, "facts.duckdb"))
	if err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	size := uint64(live.Size()) // #nosec G115 -- a file's size
	for _, end := range []uint64{0, 1, 4096, size / 2, size - 1, size + 1} {
		limit.Cur = end
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		if _, err := TryLoad(t.Context(), dir,
			Batch{Patients: []mapping.Patient{Patient("new")}}); err == nil {
			t.Errorf("a sync succeeds on a disk that ends at %d bytes", end)
		}
		if now, err := dir.Current(); now != current || err != nil {
			t.Errorf("Current() = %s, %v on a disk that ends at %d bytes", now, err, end)
		}
	}
}
