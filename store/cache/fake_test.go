package cache_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/store/cache"
)

// fakeRedis speaks RESP2 on loopback and answers as a test wants it.
type fakeRedis struct {
	listener net.Listener
	mu       sync.Mutex
	// answer gets each command, its name in capitals; an empty answer leaves the client waiting.
	answer func(command []string) string
}

// bulk writes a bulk string.
func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

func startFake(t *testing.T) *fakeRedis {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeRedis{listener: l}
	var open sync.WaitGroup
	conns := make(chan net.Conn, 1024)
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns <- c
			open.Go(func() { f.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		for {
			select {
			case c := <-conns:
				_ = c.Close()
				continue
			default:
			}
			break
		}
		open.Wait()
	})
	return f
}

// open connects a store.
func (f *fakeRedis) open(t *testing.T, timeout time.Duration) *cache.Redis {
	t.Helper()
	r, err := cache.NewRedis(t.Context(), cache.RedisConfig{
		Addrs: []string{f.listener.Addr().String()}, Timeout: timeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// serve answers one connection: the handshake itself, the rest by the test.
func (f *fakeRedis) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	for {
		command, err := readCommand(in)
		if err != nil {
			return
		}
		var out string
		switch command[0] {
		case "HELLO":
			out = "-ERR unknown command\r\n"
		case "CLIENT", "SELECT":
			out = "+OK\r\n"
		case "INFO":
			out = bulk("redis_version:7.0.15\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n")
		default:
			f.mu.Lock()
			out = f.answer(command)
			f.mu.Unlock()
		}
		if _, err := io.WriteString(c, out); err != nil {
			return
		}
	}
}

// readCommand reads one array of bulk strings.
func readCommand(in *bufio.Reader) ([]string, error) {
	count, err := readLength(in, '*')
	if err != nil {
		return nil, err
	}
	command := make([]string, count)
	for i := range command {
		length, err := readLength(in, '$')
		if err != nil {
			return nil, err
		}
		text := make([]byte, length+2)
		if _, err := io.ReadFull(in, text); err != nil {
			return nil, err
		}
		command[i] = string(text[:length])
	}
	if count == 0 {
		return nil, errors.New("empty command")
	}
	command[0] = strings.ToUpper(command[0])
	return command, nil
}

// readLength reads a line such as "*3".
func readLength(in *bufio.Reader, kind byte) (int, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, fmt.Errorf("line starts with %q, want %q", line[0], kind)
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}
