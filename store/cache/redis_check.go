package cache

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// oldestRedis is the first version with GETDEL, which Take is made of.
const oldestRedis = "6.2"

// checkStart asks every primary whether it is fit to hold what must not be forgotten early.
func (r *Redis) checkStart(ctx context.Context, log *slog.Logger) error {
	if cluster, ok := r.client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error {
			return checkServer(ctx, c, log)
		})
	}
	return checkServer(ctx, r.client, log)
}

// checkServer reads version, role and eviction policy of one server.
func checkServer(ctx context.Context, c redis.UniversalClient, log *slog.Logger) error {
	text, err := c.Info(ctx).Result()
	if err != nil {
		return fmt.Errorf("read server information: %w", unavailable(ctx, err))
	}
	info := parseInfo(text)
	version := info["redis_version"]
	if !atLeast(version, oldestRedis) {
		return fmt.Errorf("redis %q is older than %s", version, oldestRedis)
	}
	if info["role"] == "slave" {
		return errors.New("server is a replica: writes need the primary")
	}
	policy, ok := info["maxmemory_policy"]
	if !ok {
		policy, err = configuredPolicy(ctx, c)
		if err != nil {
			return err
		}
	}
	if policy != "noeviction" {
		return fmt.Errorf("maxmemory-policy is %q, want \"noeviction\": "+
			"a server that evicts forgets spent assertions and codes", policy)
	}
	log.InfoContext(ctx, "redis ready",
		slog.String("version", version), slog.String("mode", info["redis_mode"]))
	return nil
}

// configuredPolicy asks CONFIG for the policy, for servers whose INFO does not tell.
func configuredPolicy(ctx context.Context, c redis.UniversalClient) (string, error) {
	got, err := c.ConfigGet(ctx, "maxmemory-policy").Result()
	if err != nil {
		return "", fmt.Errorf("read maxmemory-policy by CONFIG, as INFO does not show it: %w",
			unavailable(ctx, err))
	}
	return got["maxmemory-policy"], nil
}

// parseInfo reads the "name:value" lines of INFO.
func parseInfo(text string) map[string]string {
	info := make(map[string]string)
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if name, value, ok := strings.Cut(strings.TrimSpace(lines.Text()), ":"); ok {
			info[name] = value
		}
	}
	return info
}

// atLeast compares dotted versions number by number; a version that is not one is too old.
func atLeast(version, oldest string) bool {
	have := strings.Split(version, ".")
	for i, w := range strings.Split(oldest, ".") {
		if i >= len(have) {
			return false
		}
		h, err := strconv.Atoi(have[i])
		if err != nil {
			return false
		}
		o, err := strconv.Atoi(w)
		if err != nil {
			return false
		}
		if h != o {
			return h > o
		}
	}
	return true
}
