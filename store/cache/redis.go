package cache

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// RedisConfig configures NewRedis. Addrs alone is required.
type RedisConfig struct {
	// Addrs are host:port of one server; of the sentinels when Master is set; of the first known
	// nodes when Cluster is set.
	Addrs []string
	// Master is the name that the sentinels know the primary by; empty means no Sentinel.
	Master string
	// Cluster says that Addrs is a Redis Cluster. DB has to be 0 then.
	Cluster bool

	Username string
	Password string
	// SentinelUsername and SentinelPassword are for the sentinels themselves.
	SentinelUsername string
	SentinelPassword string
	// TLS is the configuration of the connection; nil means plain TCP.
	TLS *tls.Config
	// DB is the number of the logical database.
	DB int

	// Prefix stands before every key, so that two programs can share a server; empty means
	// "equitylens:".
	Prefix string
	// Timeout bounds each read and write on the wire and the wait for a connection from the
	// pool, under whatever deadline the context carries; 0 means 2 s.
	Timeout time.Duration
	// DialTimeout bounds one attempt to connect; 0 means Timeout.
	DialTimeout time.Duration
	// MaxRetries is how often an operation that may be repeated without harm is tried again; 0
	// means 2, a negative number means never. Take and Apply are never tried again, because a
	// lost answer cannot be told from a lost race.
	MaxRetries int
	// PoolSize bounds the connections to one server; 0 means ten for each processor.
	PoolSize int

	// Rand gives the version of each write; nil means crypto/rand.
	Rand io.Reader
	// Logger gets one line at the start; nil means none.
	Logger *slog.Logger
}

// Redis is the Store on a Redis server of version 6.2 or newer, a Sentinel group or a Cluster.
// It reads from primaries alone: a replica may not know yet that an assertion was spent.
type Redis struct {
	client  redis.UniversalClient
	prefix  string
	retries int
	rand    io.Reader
	absent  *redis.Script
	apply   *redis.Script
}

// NewRedis connects, and refuses a server that may evict: one whose maxmemory-policy is not
// noeviction forgets spent assertions and codes when memory runs short.
func NewRedis(ctx context.Context, cfg RedisConfig) (*Redis, error) {
	if len(cfg.Addrs) == 0 {
		return nil, errors.New("cache: redis without an address")
	}
	if cfg.Cluster && (cfg.DB != 0 || cfg.Master != "") {
		return nil, errors.New("cache: redis cluster has neither a database number nor a master name")
	}
	if !cfg.Cluster && cfg.Master == "" && len(cfg.Addrs) > 1 {
		return nil, errors.New("cache: several redis addresses need a master name or cluster")
	}
	cfg = cfg.withDefaults()
	// The client has one logger for the whole process, which writes text to stderr. Whatever it
	// says there comes back to us as an error too.
	logging.Disable()
	r := &Redis{
		client:  redis.NewUniversalClient(cfg.options()),
		prefix:  cfg.Prefix,
		retries: max(cfg.MaxRetries, 0),
		rand:    cfg.Rand,
		absent:  redis.NewScript(absentScript),
		apply:   redis.NewScript(applyScript),
	}
	if err := r.checkStart(ctx, cfg.Logger); err != nil {
		_ = r.client.Close()
		return nil, fmt.Errorf("cache: start on redis: %w", err)
	}
	return r, nil
}

// withDefaults fills what the caller left at zero.
func (c RedisConfig) withDefaults() RedisConfig {
	if c.Prefix == "" {
		c.Prefix = "equitylens:"
	}
	if c.Timeout == 0 {
		c.Timeout = 2 * time.Second
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = c.Timeout
	}
	if c.MaxRetries == 0 {
		c.MaxRetries = 2
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// options turns the configuration into that of the client. The client's own retries are off
// because they repeat every command alike. CLIENT SETINFO and maintenance notifications are off
// because their late answers are what once shifted replies between requests (GO-2025-3540), and
// RESP2 because nothing here uses pushed messages.
func (c RedisConfig) options() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs:                 c.Addrs,
		MasterName:            c.Master,
		IsClusterMode:         c.Cluster,
		Username:              c.Username,
		Password:              c.Password,
		SentinelUsername:      c.SentinelUsername,
		SentinelPassword:      c.SentinelPassword,
		TLSConfig:             c.TLS,
		DB:                    c.DB,
		Protocol:              2,
		DisableIdentity:       true,
		MaxRetries:            -1,
		DialTimeout:           c.DialTimeout,
		DialerRetries:         1,
		ReadTimeout:           c.Timeout,
		WriteTimeout:          c.Timeout,
		PoolTimeout:           c.Timeout,
		PoolSize:              c.PoolSize,
		ContextTimeoutEnabled: true,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled,
		},
	}
}

// Ping asks the server for a sign of life: the readiness of the program.
func (r *Redis) Ping(ctx context.Context) error {
	if err := r.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping: %w", unavailable(ctx, err))
	}
	return nil
}

// Close ends all connections. Values stay on the server until they expire.
func (r *Redis) Close() error {
	if err := r.client.Close(); err != nil {
		return fmt.Errorf("cache: close redis: %w", err)
	}
	return nil
}
