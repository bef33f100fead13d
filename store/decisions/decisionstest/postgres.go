package decisionstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Postgres is a server of this machine on a socket in a folder of its own. It starts when a test asks for
// a database first; whoever holds it has to stop it. The zero value is ready.
type Postgres struct {
	// Synced makes commits wait for the disk, as every server should that is not one of tests. What is
	// committed outlives the server either way, but not the machine.
	Synced bool

	once   sync.Once
	err    error
	bin    string
	folder string
	done   chan struct{}
	server *exec.Cmd

	mu        sync.Mutex
	databases int
}

// errAbsent says that the server is not installed.
var errAbsent = errors.New("no PostgreSQL is installed: install the Debian package postgresql")

// superuser is the role that owns the databases.
const superuser = "tester"

// URL makes an empty database and returns where it is. The test is skipped where no PostgreSQL is
// installed.
func (p *Postgres) URL(t testing.TB) string {
	t.Helper()
	p.start(t)
	p.mu.Lock()
	p.databases++
	name := "test" + strconv.Itoa(p.databases)
	p.mu.Unlock()
	p.run(t, "", "createdb", "-U", superuser, "-T", "template0", name)
	return p.address(superuser, "", name)
}

// URLOf returns where a database is for a role. The password is asked for of roles that are called
// secretive alone.
func (p *Postgres) URLOf(t testing.TB, role, password, database string) string {
	t.Helper()
	p.start(t)
	return p.address(role, password, database)
}

// SQL runs statements as the owner of a database and returns what they print.
func (p *Postgres) SQL(t testing.TB, address, text string) string {
	t.Helper()
	p.start(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatalf("read the URL of a database: %v", err)
	}
	return p.run(t, text, "psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-U", superuser,
		"-d", u.Path[1:])
}

// Crash kills the server at once with everything that it is doing, and starts it again.
func (p *Postgres) Crash(t testing.TB) {
	t.Helper()
	p.start(t)
	_ = p.server.Process.Signal(syscall.SIGQUIT) // It ends without writing anything down.
	<-p.done
	if err := p.serve(); err != nil {
		t.Fatalf("start PostgreSQL again: %v", err)
	}
}

// Stop ends the server, if it was ever started, and removes its folder.
func (p *Postgres) Stop() {
	if p.server != nil {
		_ = p.server.Process.Signal(syscall.SIGINT) // It ends connections and itself.
		<-p.done
	}
	if p.folder != "" {
		_ = os.RemoveAll(p.folder)
	}
}

func (p *Postgres) start(t testing.TB) {
	t.Helper()
	p.once.Do(func() { p.err = p.prepare() })
	if errors.Is(p.err, errAbsent) {
		t.Skip(p.err)
	}
	if p.err != nil {
		t.Fatalf("start PostgreSQL: %v", p.err)
	}
}

// prepare makes a cluster and serves it.
func (p *Postgres) prepare() error {
	var err error
	if p.bin, err = findPostgres(); err != nil {
		return err
	}
	id, other := account()
	parent := os.TempDir()
	if other {
		parent = "/tmp" // Others can come there, wherever this process keeps its own.
	}
	if p.folder, err = os.MkdirTemp(parent, "equitylens-postgres-"); err != nil {
		return err
	}
	if other {
		if err := os.Chown(p.folder, int(id.Uid), int(id.Gid)); err != nil {
			return err
		}
	}
	initdb := p.command("initdb", "-D", p.data(), "-U", superuser, "-A", "trust", "-E", "UTF8",
		"--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	// The one role that needs its password.
	rules := "local all secretive scram-sha-256\nlocal all all trust\n"
	if err := os.WriteFile(filepath.Join(p.data(), "pg_hba.conf"), []byte(rules), 0o600); err != nil {
		return err
	}
	return p.serve()
}

// serve starts the server and waits until it answers. It ends with this process, however that ends: the
// thread that starts it has to stay for that.
func (p *Postgres) serve() error {
	p.server = p.command("postgres", "-D", p.data(), "-c", "listen_addresses=", "-c", "max_connections=400",
		"-c", "unix_socket_directories="+p.folder, "-c", "shared_buffers=32MB",
		"-c", "fsync="+strconv.FormatBool(p.Synced))
	endWithParent(p.server.SysProcAttr)
	var log bytes.Buffer
	p.server.Stdout, p.server.Stderr = &log, &log
	started := make(chan error)
	p.done = make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		err := p.server.Start()
		started <- err
		if err == nil {
			_ = p.server.Wait() // It is ended by a signal.
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1500 {
		if p.command("pg_isready", "-h", p.folder).Run() == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("the server ended: %s", log.String())
		case <-tick.C:
		}
	}
	return errors.New("the server does not answer within half a minute")
}

func (p *Postgres) data() string { return filepath.Join(p.folder, "data") }

func (p *Postgres) address(role, password, name string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + name}
	if password != "" {
		u.User = url.UserPassword(role, password)
	}
	u.RawQuery = url.Values{"host": {p.folder}, "port": {"5432"}}.Encode()
	return u.String()
}

// run runs a program of the server's against it.
func (p *Postgres) run(t testing.TB, input, program string, args ...string) string {
	t.Helper()
	cmd := p.command(program, append([]string{"-h", p.folder}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", program, err, out)
	}
	return string(bytes.TrimSpace(out))
}

// command is a program of the server's. None of them runs as root.
func (p *Postgres) command(program string, args ...string) *exec.Cmd {
	// The server outlives the test that was first to ask for it.
	cmd := exec.CommandContext(context.Background(), filepath.Join(p.bin, program), args...)
	cmd.Dir = p.folder
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if id, ok := account(); ok {
		cmd.SysProcAttr.Credential = id
	}
	return cmd
}

// account is whose the server is where this process is root's, which PostgreSQL refuses.
func account() (*syscall.Credential, bool) {
	if os.Geteuid() != 0 {
		return nil, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			continue
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			continue
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, true
	}
	return nil, false
}

// findPostgres returns the folder of the newest server that is installed. Debian keeps it off the path.
func findPostgres() (string, error) {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // The pattern is valid.
	best, newest := "", -1
	for _, folder := range folders {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
		if err == nil && version > newest && complete(folder) {
			best, newest = folder, version
		}
	}
	if best != "" {
		return best, nil
	}
	out, err := exec.CommandContext(context.Background(), "pg_config", "--bindir").Output()
	if folder := string(bytes.TrimSpace(out)); err == nil && complete(folder) {
		return folder, nil
	}
	return "", errAbsent
}

func complete(folder string) bool {
	for _, program := range []string{"initdb", "postgres", "createdb", "psql", "pg_isready"} {
		if _, err := os.Stat(filepath.Join(folder, program)); err != nil {
			return false
		}
	}
	return true
}
