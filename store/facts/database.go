package facts

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"strings"

	_ "embed" // The schema.

	"github.com/duckdb/duckdb-go/v2"

	"github.com/equitylens/equitylens/mapping"
)

//go:embed schema.sql
var schemaSQL string

//go:embed base.sql
var baseSQL string

//go:embed unit.sql
var unitSQL string

//go:embed view.sql
var viewSQL string

//go:embed quality.sql
var qualitySQL string

// SchemaVersion is counted up when a table of base or meta changes. A snapshot of another version than
// this and the ones that upgrade knows cannot be added to; a full sync makes a new one.
const SchemaVersion = 4

// schemaWithQuality is the first version that counts how good the data are, and the oldest that a run
// can add to: it lacks nothing but base.answer, and the units are derived anew by every run.
const schemaWithQuality = 3

// canAdd reports whether a run can add to a snapshot of a version.
func canAdd(version int) bool { return version >= schemaWithQuality && version <= SchemaVersion }

// database is one DuckDB file.
type database struct {
	connector connector
	*sql.DB
}

// connector makes connections that can be closed after a cancelled statement.
type connector struct{ *duckdb.Connector }

// Connect opens a connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return connection{conn.(*duckdb.Conn)}, nil
}

// connection is one of DuckDB. A statement that is cancelled between its preparation and its execution
// leaves the native connection holding itself, so that closing it frees nothing, and the next opening
// of the same file waits in a busy loop for ever, with a lock that every other opening needs.
type connection struct{ *duckdb.Conn }

// Close runs one more statement, which makes DuckDB drop what the last one left, and then closes.
// Whether that statement succeeds says nothing: the transaction may be an aborted one.
func (c connection) Close() error {
	_, _ = c.ExecContext(context.Background(), "SELECT 1", nil)
	return c.Conn.Close()
}

// options of a DuckDB file. http://duckdb.org/docs/configuration/overview
type options struct {
	readOnly bool
	// memory bounds DuckDB's own memory, such as "512MB"; what does not fit is spilled to temp.
	memory  string
	temp    string
	threads int
}

func openDatabase(ctx context.Context, path string, o options) (*database, error) {
	settings := url.Values{}
	if o.readOnly {
		settings.Set("access_mode", "READ_ONLY")
	}
	if o.memory != "" {
		settings.Set("memory_limit", o.memory)
	}
	if o.temp != "" {
		settings.Set("temp_directory", o.temp)
	}
	if o.threads > 0 {
		settings.Set("threads", fmt.Sprint(o.threads))
	}
	opened, err := duckdb.NewConnector(path+"?"+settings.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := &database{connector: connector{opened}, DB: sql.OpenDB(connector{opened})}
	if err := db.lockDown(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// lockDown puts extensions and files outside the database out of reach of every later statement, a
// measure's expression included; lock_configuration makes that final. DuckDB shares one instance
// among all who open a file in one process, so that another may have done it already.
func (db *database) lockDown(ctx context.Context) error {
	err := db.script(ctx, `SET preserve_insertion_order = false; SET enable_external_access = false;
		SET lock_configuration = true;`)
	if err == nil {
		return nil
	}
	var locked bool
	const query = "SELECT current_setting('lock_configuration')"
	if second := db.QueryRowContext(ctx, query).Scan(&locked); second != nil || !locked {
		return errors.Join(err, second)
	}
	return nil
}

// script runs statements one after the other, and names the one that fails by its first line.
func (db *database) script(ctx context.Context, text string) error {
	return runScript(ctx, db.DB, text)
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func runScript(ctx context.Context, db execer, text string) error {
	for _, statement := range strings.SplitAfter(text, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", headline(statement), err)
		}
	}
	return nil
}

// headline is the first line of a statement that is not a comment.
func headline(statement string) string {
	for line := range strings.Lines(statement) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "--") {
			return line
		}
	}
	return "statement"
}

// baseTables is base.sql for the tables themselves, or with a suffix for other ones of the same shape.
func baseTables(suffix string) string { return strings.ReplaceAll(baseSQL, "$", suffix) }

// Key is how the store writes a value of a dimension: the code if it is known, else "~" and the
// state.
func Key(v mapping.Value) string {
	if v.State == mapping.Known {
		return v.Code
	}
	if v.State == "" {
		return "~" + string(mapping.Missing)
	}
	return "~" + string(v.State)
}

// ValueOf reads a key back.
func ValueOf(key string) mapping.Value {
	if state, ok := strings.CutPrefix(key, "~"); ok {
		return mapping.Value{State: mapping.State(state)}
	}
	return mapping.Value{State: mapping.Known, Code: key}
}
