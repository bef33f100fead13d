package decisions

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// connections is how many of the server one program takes.
	connections    = 8
	connectTimeout = 10 * time.Second
	// idleTime is after what time of rest a connection is given back.
	idleTime = 5 * time.Minute
)

// Errors of a server after which the same transaction may succeed. Source: PostgreSQL, appendix A.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// lockKey is the advisory lock of a database under which its schema is changed and an archive restored:
// the letters eqld.
const lockKey = "1701932132"

func postgresDialect() dialect {
	return dialect{
		name:     "postgresql",
		hasTable: `select count(to_regclass($1))`,
		alone:    `select pg_advisory_xact_lock(` + lockKey + `)`,
		again: func(err error) bool {
			var answer *pgconn.PgError
			return errors.As(err, &answer) &&
				(answer.Code == serializationFailure || answer.Code == deadlockDetected)
		},
	}
}

// openPostgres opens a pool. What is wrong with the URL is not told in the words of the driver, which
// repeat it with its password.
func (d *Database) openPostgres(address string) error {
	const form = "postgres://user@host:5432/database?sslmode=verify-full"
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return errors.New("read the URL of the PostgreSQL: it is not of the form " + form)
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return errors.New("read the URL of the PostgreSQL: it is not of the form " + form +
			", or a file that it names cannot be read")
	}
	if err := checkTLS(config); err != nil {
		return err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "equitylens"
	}
	d.dialect = postgresDialect()
	d.write = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(keepCommitted))
	d.write.SetMaxOpenConns(connections)
	d.write.SetMaxIdleConns(connections)
	d.write.SetConnMaxIdleTime(idleTime)
	d.read = d.write
	return nil
}

// keepCommitted makes every commit wait for the disk of the server, also where it is set not to. A
// server that waits for its replicas goes on doing so.
func keepCommitted(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `select set_config('synchronous_commit', 'on', false)
		where current_setting('synchronous_commit') in ('off', 'local')`)
	if err != nil {
		return fmt.Errorf("make commits wait for the disk: %w", err)
	}
	return nil
}

// checkTLS refuses to try it without encryption where encryption was refused, which is what sslmode is
// when nobody sets it. To have none at all is for the operator to say.
func checkTLS(config *pgx.ConnConfig) error {
	var encrypted, plain bool
	note := func(host string, secure bool) {
		if isLocal(host) {
			return
		}
		encrypted = encrypted || secure
		plain = plain || !secure
	}
	note(config.Host, config.TLSConfig != nil)
	for _, f := range config.Fallbacks {
		note(f.Host, f.TLSConfig != nil)
	}
	if encrypted && plain {
		return errors.New("the PostgreSQL is on another machine, so its URL has to say how it is encrypted: " +
			"sslmode=verify-full, require or disable")
	}
	return nil
}

// isLocal reports whether a host is a folder of sockets or this machine.
func isLocal(host string) bool {
	if strings.HasPrefix(host, "/") || host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
