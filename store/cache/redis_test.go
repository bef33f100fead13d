package cache_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/cache/cachetest"
)

func TestRedisThatMayEvictIsRefused(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"allkeys-lru", "volatile-lru", "volatile-ttl", "allkeys-random"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			server := cachetest.StartRedis(t, "--maxmemory-policy", policy)
			_, err := cache.NewRedis(t.Context(), cache.RedisConfig{Addrs: []string{server.Addr}})
			if err == nil || !strings.Contains(err.Error(), `maxmemory-policy is "`+policy+`"`) {
				t.Errorf("NewRedis = %v, want it to name the policy", err)
			}
		})
	}
}

func TestRedisReplicaIsRefused(t *testing.T) {
	t.Parallel()
	primary := cachetest.StartRedis(t)
	replica := cachetest.StartRedis(t, "--replicaof", strings.ReplaceAll(primary.Addr, ":", " "))
	_, err := cache.NewRedis(t.Context(), cache.RedisConfig{Addrs: []string{replica.Addr}})
	if err == nil || !strings.Contains(err.Error(), "replica") {
		t.Errorf("NewRedis = %v, want a refusal of the replica", err)
	}
}

func TestRedisStartLogsTheVersion(t *testing.T) {
	t.Parallel()
	server := cachetest.StartRedis(t, "--requirepass", "open sesame")
	var log strings.Builder
	r, err := cache.NewRedis(t.Context(), cache.RedisConfig{
		Addrs: []string{server.Addr}, Password: "open sesame",
		Logger: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if !strings.Contains(log.String(), `"version":"`) || strings.Contains(log.String(), "sesame") {
		t.Errorf("log = %s, want a version and no password", log.String())
	}
	_, err = cache.NewRedis(t.Context(), cache.RedisConfig{Addrs: []string{server.Addr}})
	if !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("NewRedis without the password = %v, want ErrUnavailable", err)
	}
}

func TestRedisConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		in   cache.RedisConfig
	}{
		{"no address", cache.RedisConfig{}},
		{"two addresses and no reason", cache.RedisConfig{Addrs: []string{"a:1", "b:1"}}},
		{"a database in a cluster", cache.RedisConfig{Addrs: []string{"a:1"}, Cluster: true, DB: 1}},
		{"a master in a cluster", cache.RedisConfig{Addrs: []string{"a:1"}, Cluster: true, Master: "m"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := cache.NewRedis(t.Context(), c.in); err == nil {
				t.Error("NewRedis = nil, want an error")
			}
		})
	}
}

// TestKilledRedisIsLoud kills the server with SIGKILL while many write: every write is either
// acknowledged or an error that says so, and a dead server never reads as a miss.
func TestKilledRedisIsLoud(t *testing.T) {
	t.Parallel()
	server := cachetest.StartRedis(t)
	store := server.Open(t)
	var wait sync.WaitGroup
	var half sync.WaitGroup
	half.Add(8)
	for w := range 8 {
		wait.Go(func() {
			halfway := sync.OnceFunc(half.Done)
			defer halfway()
			for i := 0; ; i++ {
				if i == 50 {
					halfway()
				}
				key := cache.Key("batch", strconv.Itoa(w), strconv.Itoa(i))
				_, err := store.SetIfAbsent(t.Context(), key, []byte("v"), time.Minute)
				if err == nil {
					continue
				}
				if !errors.Is(err, cache.ErrUnavailable) {
					t.Errorf("SetIfAbsent on a dying server = %v, want ErrUnavailable", err)
				}
				return
			}
		})
	}
	half.Wait()
	server.Kill()
	wait.Wait()
	for name, err := range map[string]error{
		"get":    second(store.Get(t.Context(), "k")),
		"take":   second(store.Take(t.Context(), "k")),
		"set":    store.Set(t.Context(), "k", nil, time.Minute),
		"delete": store.Delete(t.Context(), "k"),
		"apply":  store.Apply(t.Context(), cache.Batch{Del: []string{"k"}}),
		"ping":   store.Ping(t.Context()),
	} {
		if !errors.Is(err, cache.ErrUnavailable) || errors.Is(err, cache.ErrNotFound) {
			t.Errorf("%s on a dead server = %v, want ErrUnavailable", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestFullRedisRefusesAndKeeps fills a server of 20 MB: it says that it is full, and everything
// that it has accepted is still there.
func TestFullRedisRefusesAndKeeps(t *testing.T) {
	t.Parallel()
	store := cachetest.StartRedis(t, "--maxmemory", "20mb").Open(t)
	value := make([]byte, 1<<20)
	stored := 0
	for ; ; stored++ {
		err := store.Set(t.Context(), strconv.Itoa(stored), value, time.Hour)
		if errors.Is(err, cache.ErrFull) {
			break
		}
		if err != nil || stored > 30 {
			t.Fatalf("write %d = %v, want ErrFull before 30 MB", stored, err)
		}
	}
	_, err := store.SetIfAbsent(t.Context(), "jti", value, time.Hour)
	if !errors.Is(err, cache.ErrFull) {
		t.Errorf("SetIfAbsent on a full server = %v, want ErrFull", err)
	}
	for i := range stored {
		if e, err := store.Get(t.Context(), strconv.Itoa(i)); err != nil || len(e.Value) != len(value) {
			t.Errorf("value %d: %d bytes, %v", i, len(e.Value), err)
		}
	}
}

// TestForeignValueIsNoValue reads bytes that this program did not write.
func TestForeignValueIsNoValue(t *testing.T) {
	t.Parallel()
	fake := startFake(t)
	fake.answer = func(command []string) string {
		switch command[0] {
		case "GET", "GETDEL":
			return bulk("short")
		}
		return "+OK\r\n"
	}
	store := fake.open(t, 0)
	if _, err := store.Get(t.Context(), "k"); !errors.Is(err, cache.ErrCorrupt) {
		t.Errorf("Get = %v, want ErrCorrupt", err)
	}
	rejected := 0
	s, err := cache.Seal(store, cache.SealConfig{
		Keys: newRing(t), Rejected: func() { rejected++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "k"); !errors.Is(err, cache.ErrNotFound) || rejected != 1 {
		t.Errorf("sealed Get = %v with %d rejects, want ErrNotFound and 1", err, rejected)
	}
}

// TestSlowRedisHonoursTheDeadline asks a server that never answers.
func TestSlowRedisHonoursTheDeadline(t *testing.T) {
	t.Parallel()
	fake := startFake(t)
	fake.answer = func([]string) string { return "" }
	for _, c := range []struct {
		name     string
		timeout  time.Duration
		deadline time.Duration
	}{
		{"of the context", time.Hour, 30 * time.Millisecond},
		{"of the configuration", 30 * time.Millisecond, time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := fake.open(t, c.timeout)
			ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
			defer cancel()
			_, err := store.Get(ctx, "k")
			if !errors.Is(err, cache.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Get = %v, want ErrUnavailable for a deadline", err)
			}
		})
	}
}

// TestSwappedRepliesDoNotLeak asks a server that answers with the value of another key, as a
// client with shifted replies would see it.
func TestSwappedRepliesDoNotLeak(t *testing.T) {
	t.Parallel()
	fake := startFake(t)
	values := map[string]string{}
	fake.answer = func(command []string) string {
		switch command[0] {
		case "SET":
			values[command[1]] = command[2]
			return "+OK\r\n"
		case "GET", "GETDEL":
			for key, value := range values {
				if key != command[1] {
					return bulk(value)
				}
			}
			return "$-1\r\n"
		case "EVALSHA", "EVAL":
			return bulk("AAAAAAAAAAAAAAAA")
		}
		return "+OK\r\n"
	}
	store := fake.open(t, 0)
	rejected := 0
	s, err := cache.Seal(store, cache.SealConfig{
		Keys: newRing(t), Rejected: func() { rejected++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"alice", "bob"} {
		if err := s.Set(t.Context(), key, []byte("of "+key), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"alice", "bob"} {
		if e, err := s.Get(t.Context(), key); !errors.Is(err, cache.ErrNotFound) {
			t.Errorf("Get(%s) = %q, %v, want ErrNotFound", key, e.Value, err)
		}
		if v, err := s.Take(t.Context(), key); !errors.Is(err, cache.ErrNotFound) {
			t.Errorf("Take(%s) = %q, %v, want ErrNotFound", key, v, err)
		}
	}
	if rejected != 4 {
		t.Errorf("counted %d rejects, want 4", rejected)
	}
	if won, err := s.SetIfAbsent(t.Context(), "jti", nil, time.Minute); won || err != nil {
		t.Errorf("SetIfAbsent with another's answer = %v, %v, want false", won, err)
	}
	err = s.Apply(t.Context(), cache.Batch{Del: []string{"k"}})
	if !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("Apply with another's answer = %v, want ErrUnavailable", err)
	}
}
