package cache_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/store/cache"
	"github.com/equitylens/equitylens/store/cache/cachetest"
)

// TestContractOnRedisCluster runs the suite on a cluster of one node that owns every slot: the
// client routes by slot and the server refuses what crosses one, as on a large cluster.
func TestContractOnRedisCluster(t *testing.T) {
	t.Parallel()
	server := cachetest.StartRedis(t, "--cluster-enabled", "yes")
	server.Do(t, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
	server.Await(t, "cluster_state:ok", "CLUSTER", "INFO")
	cachetest.Run(t, func(t *testing.T) cachetest.Home {
		r, err := cache.NewRedis(t.Context(), cache.RedisConfig{
			Addrs: []string{server.Addr}, Cluster: true,
			Prefix: t.Name() + ":", Timeout: time.Minute,
		})
		if err != nil {
			t.Fatalf("NewRedis: %v", err)
		}
		t.Cleanup(func() { _ = r.Close() })
		return cachetest.Home{Store: r, Advance: server.Advance}
	})
}

// TestSentinelFailover kills the primary: until a replica has taken over every call is loud, and
// then the same store goes on where it was.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	primary := cachetest.StartRedis(t)
	replica := cachetest.StartRedis(t, "--replicaof", strings.ReplaceAll(primary.Addr, ":", " "))
	replica.Await(t, "master_link_status:up", "INFO", "replication")
	sentinel := cachetest.StartSentinel(t, primary)
	sentinel.Await(t, "slaves=1", "INFO", "sentinel")

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	store, err := cache.NewRedis(ctx, cache.RedisConfig{
		Addrs: []string{sentinel.Addr}, Master: "primary",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if err := store.Set(ctx, "k", []byte("before"), time.Hour); err != nil {
		t.Fatal(err)
	}
	replica.Await(t, "keys=1", "INFO", "keyspace")

	primary.Kill()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		won, err := store.SetIfAbsent(ctx, "jti", []byte("v"), time.Hour)
		if won {
			break
		}
		if !errors.Is(err, cache.ErrUnavailable) {
			t.Fatalf("SetIfAbsent without a primary = %v, %v, want ErrUnavailable", won, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("no new primary")
		}
	}
	if e, err := store.Get(ctx, "k"); err != nil || string(e.Value) != "before" {
		t.Errorf("Get on the new primary = %q, %v", e.Value, err)
	}
}
