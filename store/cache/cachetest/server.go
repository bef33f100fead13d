package cachetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/equitylens/equitylens/store/cache"
)

// Server is a redis-server of this machine on a loopback port, with its own empty folder.
type Server struct {
	// Addr is where it listens, host:port.
	Addr string

	cmd  *exec.Cmd
	once sync.Once
}

// StartRedis starts a redis-server and ends it with the test; args are further options, such as
// "--maxmemory", "20mb". The test is skipped where the program is not installed.
func StartRedis(t testing.TB, args ...string) *Server {
	t.Helper()
	dir := t.TempDir()
	return start(t, "eady to accept connections", func(port string) []string {
		return append([]string{
			"--port", port, "--bind", "127.0.0.1", "--dir", dir,
			"--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction",
		}, args...)
	})
}

// StartSentinel starts a sentinel that watches the primary under the name "primary" and takes
// it for dead after 300 ms.
func StartSentinel(t testing.TB, primary *Server) *Server {
	t.Helper()
	host, port, err := net.SplitHostPort(primary.Addr)
	if err != nil {
		t.Fatalf("start sentinel: %v", err)
	}
	return start(t, "Sentinel ID is", func(own string) []string {
		// A sentinel keeps what it learns in its configuration file.
		file := filepath.Join(t.TempDir(), "sentinel.conf")
		text := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\n"+
			"sentinel monitor primary %s %s 1\n"+
			"sentinel down-after-milliseconds primary 300\n"+
			"sentinel failover-timeout primary 2000\n", own, filepath.Dir(file), host, port)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatalf("start sentinel: %v", err)
		}
		return []string{file, "--sentinel"}
	})
}

// start runs redis-server with the options for a free port until it prints the line that says
// it is ready. Another process may take the port in between, hence several attempts.
func start(t testing.TB, readyLine string, options func(port string) []string) *Server {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed: install the Debian package redis-server")
	}
	for range 5 {
		port := strconv.Itoa(freePort(t))
		// The context outlives the test's own, which ends before the cleanup that kills.
		cmd := exec.CommandContext(context.Background(), program, options(port)...)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatalf("start redis-server: %v", err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatalf("start redis-server: %v", err)
		}
		s := &Server{Addr: net.JoinHostPort("127.0.0.1", port), cmd: cmd}
		t.Cleanup(s.Kill)
		if ready(out, readyLine) {
			return s
		}
		s.Kill()
	}
	t.Fatal("redis-server found no free port in five attempts")
	return nil
}

// Do runs one command on the server and returns its answer as text.
func (s *Server) Do(t testing.TB, command ...any) string {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.Addr, Protocol: 2, DisableIdentity: true})
	defer func() { _ = c.Close() }()
	answer, err := c.Do(t.Context(), command...).Text()
	if err != nil {
		t.Fatalf("%v: %v", command, err)
	}
	return answer
}

// Await runs a command until its answer contains want.
func (s *Server) Await(t testing.TB, want string, command ...any) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(s.Do(t, command...), want) {
		<-tick.C
	}
}

// ready reads what the server prints until it accepts connections or ends. The rest is read and
// dropped, so that the server is never held up by a full pipe.
func ready(out io.Reader, line string) bool {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), line) {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return true
		}
	}
	return false
}

// freePort asks the system for a port that nobody listens on.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	defer func() { _ = l.Close() }()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("find a free port: no TCP address")
	}
	return addr.Port
}

// Kill ends the server without a chance to say goodbye (SIGKILL).
func (s *Server) Kill() {
	s.once.Do(func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	})
}

// Pid is the process of the server, for tests that pause it.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Open connects a store of its own to the server: its keys are those of the test alone. Time
// limits are generous, because a thousand callers may queue for a machine of two cores.
func (s *Server) Open(t testing.TB) *cache.Redis {
	t.Helper()
	r, err := cache.NewRedis(t.Context(), cache.RedisConfig{
		Addrs: []string{s.Addr}, Prefix: t.Name() + ":", Timeout: time.Minute,
	})
	if err != nil {
		t.Fatalf("NewRedis: %v", err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// Advance returns once d has passed. Redis expires by its own clock, which nobody can turn.
func (s *Server) Advance(d time.Duration) {
	timer := time.NewTimer(d + 5*time.Millisecond)
	defer timer.Stop()
	<-timer.C
}
