package decisions

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Config says where the decisions are.
type Config struct {
	// Path is the file of SQLite. It is made if it is not there, readable by its owner alone. It has to be
	// on a disk of this machine: file systems of a network do not keep the locks that SQLite needs.
	Path string
	// URL is that of a PostgreSQL, postgres://…, and goes before Path. It may hold a password, and is in no
	// error.
	URL string
	// Now stamps documents that come without a time; nil is the clock of the machine.
	Now func() time.Time
	// Existing opens a store as it stands, to look at it: it is neither made nor brought to another schema,
	// and nothing can be written. Where there is none, opening it fails with fs.ErrNotExist.
	Existing bool
}

// Database is the store on SQLite or PostgreSQL.
type Database struct {
	// write is a single connection on SQLite, which has one writer at a time anyway; on PostgreSQL both
	// are the same pool.
	write, read *sql.DB
	dialect     dialect
	now         func() time.Time
	// looking is that of a store that was opened as it stands.
	looking bool
}

// Database is what the users of the store ask for.
var _ Store = (*Database)(nil)

// Open opens the store, makes it where there is none, and brings it to the schema of this program. A
// store of a newer program is refused with ErrSchema.
func Open(ctx context.Context, c Config) (*Database, error) {
	d, err := connect(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open decisions: %w", err)
	}
	if c.Existing {
		err = d.look(ctx)
	} else {
		err = d.forward(ctx, newest)
	}
	if err != nil {
		return nil, fmt.Errorf("open decisions: %w", errors.Join(err, d.Close()))
	}
	return d, nil
}

// connect opens the store as it stands; a file is made, empty, unless only an existing one is wanted.
func connect(ctx context.Context, c Config) (*Database, error) {
	d := &Database{now: c.Now, looking: c.Existing}
	if d.now == nil {
		d.now = time.Now
	}
	var err error
	switch {
	case c.URL != "":
		err = d.openPostgres(c.URL)
	case c.Path != "":
		err = d.openSQLite(c.Path, c.Existing)
	default:
		err = errors.New("neither the path of a file nor the URL of a PostgreSQL is given")
	}
	if err != nil {
		return nil, err
	}
	if err := d.write.PingContext(ctx); err != nil {
		place := d.dialect.name
		if c.URL == "" {
			place += ": " + c.Path // What SQLite says does not name the file.
		}
		return nil, fmt.Errorf("connect to %s: %w", place, errors.Join(err, d.Close()))
	}
	return d, nil
}

// look makes sure that there is a store, and one that this program can read.
func (d *Database) look(ctx context.Context) error {
	have, err := d.schema(ctx)
	if err != nil {
		return err
	}
	if have == 0 {
		return fmt.Errorf("no decision was ever kept there: %w", fs.ErrNotExist)
	}
	return known(have)
}

// Close waits for what is being asked and closes the store.
func (d *Database) Close() error {
	err := d.read.Close()
	if d.write != d.read {
		err = errors.Join(err, d.write.Close())
	}
	if err != nil {
		return fmt.Errorf("close decisions: %w", err)
	}
	return nil
}

// dialect is what the two databases do not have in common.
type dialect struct {
	// name is sqlite or postgresql, which is also the folder of its migrations.
	name string
	// hasTable counts the tables of a name.
	hasTable string
	// alone makes a transaction wait for every other one that changes the schema or restores; "" where a
	// transaction that writes is alone anyway.
	alone string
	// again reports whether a transaction failed only because of others, and can be tried again.
	again func(error) bool
}
