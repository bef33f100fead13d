//go:build linux

package decisions_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/equitylens/equitylens/store/decisions"
)

const (
	// shortDisk names the environment variable by which this test program, started a second time, is told
	// the folder to keep a store in whose files cannot grow.
	shortDisk = "EQUITYLENS_TEST_SHORT_DISK"
	// smallDisk names the one for the folder that a small disk is mounted on.
	smallDisk = "EQUITYLENS_TEST_SMALL_DISK"
)

// again runs a test of this program once more, in a process of its own.
func again(t *testing.T, test, variable, value string, attr *syscall.SysProcAttr) error {
	t.Helper()
	// #nosec G204 -- this program
	self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.v")
	self.Env = append(os.Environ(), variable+"="+value)
	self.SysProcAttr = attr
	out, err := self.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Errorf("%s: %v\n%s", test, err, out)
		return nil
	}
	t.Logf("%s", out)
	if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("%s", out)
	}
	return err
}

// TestAWriteThatTheDiskRefusesIsNone writes into files that end at ever larger sizes, which the system
// answers with an error in the middle of a write. The limit holds for a whole process, hence a second one.
func TestAWriteThatTheDiskRefusesIsNone(t *testing.T) {
	t.Parallel()
	if err := again(t, "TestWriteOnAShortDisk", shortDisk, t.TempDir(), nil); err != nil {
		t.Fatal(err)
	}
}

// TestWriteOnAShortDisk is the second process of TestAWriteThatTheDiskRefusesIsNone.
func TestWriteOnAShortDisk(t *testing.T) {
	folder := os.Getenv(shortDisk)
	if folder == "" {
		t.Skip("a part of TestAWriteThatTheDiskRefusesIsNone, which starts it")
	}
	signal.Ignore(syscall.SIGXFSZ)
	c := decisions.Config{Path: filepath.Join(folder, "decisions.db")}
	store := open(t, c)
	at := map[string]int{}
	for n := range 5 {
		if _, err := writeSet(t.Context(), store, fmt.Sprint("before-", n), at); err != nil {
			t.Fatal(err)
		}
	}
	var whole syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &whole); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for n := range 60 {
		log, err := os.Stat(c.Path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		short := whole
		short.Cur = uint64(log.Size() + int64(n*1193)) // #nosec G115 -- a file's size
		if n%10 == 0 {
			short.Cur = uint64(n) // #nosec G115 -- small
		}
		limit(t, short)
		_, err = writeSet(t.Context(), store, fmt.Sprint("short-", n), at)
		_, backup := store.Backup(t.Context(), filepath.Join(folder, fmt.Sprint("archive-", n)))
		limit(t, whole)
		if err != nil {
			refused++
		}
		if n%10 == 0 && (err == nil || backup == nil) {
			t.Errorf("files end at %d bytes: Write() = %v, Backup() = %v", n, err, backup)
		}
		_, there := os.Stat(filepath.Join(folder, fmt.Sprint("archive-", n)))
		if backup != nil && !errors.Is(there, fs.ErrNotExist) {
			t.Errorf("Backup() = %v, and there is a file", backup)
		}
		stands(t, c, at)
		// Once there is room it goes on, in the same process.
		if _, err := writeSet(t.Context(), store, fmt.Sprint("after-", n), at); err != nil {
			t.Fatalf("Write() once there is room: %v", err)
		}
	}
	t.Logf("%d of 60 writes were refused", refused)
	if refused < 10 {
		t.Errorf("%d of 60 writes were refused; is the limit still in the way of them?", refused)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	stands(t, c, at)
}

func limit(t *testing.T, to syscall.Rlimit) {
	t.Helper()
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &to); err != nil {
		t.Fatal(err)
	}
}

// stands fails the test unless the store holds what was acknowledged, and nothing that was refused.
func stands(t *testing.T, c decisions.Config, acknowledged map[string]int) {
	t.Helper()
	all := map[string]int{}
	for id, version := range acknowledged {
		all[id] = version
	}
	if surplus := outlived(t, c, all); surplus != 0 {
		t.Errorf("%d versions are there that were refused", surplus)
	}
}

// TestAFullAndAReadOnlyDisk has a small disk for itself, which takes a name space of mounts of its own.
func TestAFullAndAReadOnlyDisk(t *testing.T) {
	t.Parallel()
	err := again(t, "TestWriteOnASmallDisk", smallDisk, t.TempDir(), &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS})
	if errors.Is(err, fs.ErrPermission) {
		t.Skip("only root may mount a small disk")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestWriteOnASmallDisk is the second process of TestAFullAndAReadOnlyDisk.
func TestWriteOnASmallDisk(t *testing.T) {
	disk := os.Getenv(smallDisk)
	if disk == "" {
		t.Skip("a part of TestAFullAndAReadOnlyDisk, which starts it")
	}
	// What is mounted here is nobody else's.
	err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil {
		err = syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=600k,mode=0700")
	}
	if errors.Is(err, fs.ErrPermission) {
		t.Skip("only root may mount a small disk")
	}
	if err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 150<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	c := decisions.Config{Path: filepath.Join(disk, "decisions.db")}
	store := open(t, c)
	at := map[string]int{}
	var full error
	for n := 0; full == nil && n < 1000; n++ {
		_, full = writeSet(t.Context(), store, fmt.Sprint("fill-", n), at)
	}
	if full == nil || !strings.Contains(full.Error(), "full") {
		t.Errorf("Write() on a full disk = %v, want that it is full", full)
	}
	for n := range 5 {
		if _, err := writeSet(t.Context(), store, fmt.Sprint("full-", n), at); err == nil {
			break // A small one may find room.
		}
	}
	stands(t, c, at)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if _, err := writeSet(t.Context(), store, "room", at); err != nil {
		t.Errorf("Write() once there is room: %v", err)
	}
	stands(t, c, at)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	readOnly(t, c, disk, at)
}

// readOnly looks at what a disk says that nobody may write on.
func readOnly(t *testing.T, c decisions.Config, disk string, at map[string]int) {
	t.Helper()
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	store, err := decisions.Open(t.Context(), c)
	if err == nil {
		_, err = writeSet(t.Context(), store, "read-only", at)
		_ = store.Close() // Nothing was written.
	}
	if err == nil || !strings.Contains(err.Error(), "readonly") && !strings.Contains(err.Error(), "unable to open") {
		t.Errorf("Open() and Write() on a read-only disk = %v", err)
	}
	t.Logf("on a read-only disk: %v", err)
	missing := decisions.Config{Path: filepath.Join(disk, "new", "decisions.db")}
	if _, err := decisions.Open(t.Context(), missing); !errors.Is(err, syscall.EROFS) {
		t.Errorf("Open() of a new store on a read-only disk = %v, want %v", err, syscall.EROFS)
	}
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	stands(t, c, at)
}
