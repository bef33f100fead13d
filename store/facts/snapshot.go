package facts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"
)

// Info is what a snapshot says of itself.
type Info struct {
	ID            string
	SchemaVersion int
	DataAsOf      time.Time
	CreatedAt     time.Time
	Software      string
	Timezone      string
	Orphans       int64
	Digest        string
	Loads         []Load
}

// Snapshot is a published snapshot, open for reading. It may be used by many goroutines.
type Snapshot struct {
	Info Info
	// Sites names organisations by id.
	Sites map[string]string
	db    *database
	// borrowed says that the file is a run's, which closes it.
	borrowed bool
}

// readMemory bounds DuckDB while it answers.
const readMemory = "2GB"

// Snapshot opens a snapshot. Statements on it can read nothing but the snapshot, and change nothing.
func (d *Dir) Snapshot(ctx context.Context, id string) (*Snapshot, error) {
	path := d.database(id)
	if _, err := os.Stat(path); !snapshotID.MatchString(id) || err != nil {
		return nil, fmt.Errorf("snapshot %q: %w", id, ErrNoSnapshot)
	}
	db, err := openDatabase(ctx, path, options{readOnly: true, memory: readMemory})
	if err != nil {
		return nil, err
	}
	s := &Snapshot{db: db, Sites: map[string]string{}}
	if err := s.load(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return s, nil
}

func (s *Snapshot) load(ctx context.Context) error {
	var asOf sql.NullTime
	err := s.db.QueryRowContext(ctx, `SELECT id, schema_version, data_as_of, created_at, software,
		timezone, orphans, digest FROM meta.snapshot`).Scan(&s.Info.ID, &s.Info.SchemaVersion, &asOf,
		&s.Info.CreatedAt, &s.Info.Software, &s.Info.Timezone, &s.Info.Orphans, &s.Info.Digest)
	if err != nil {
		return fmt.Errorf("read snapshot: %w", err)
	}
	s.Info.DataAsOf = asOf.Time.UTC()
	const loads = `SELECT source, type, complete, reason, transaction_time, cursor, mode = 'full', read, refused,
		stored, deleted FROM meta.load ORDER BY source, type`
	err = s.each(ctx, loads, func(rows *sql.Rows) error {
		var l Load
		var at, cursor sql.NullTime
		err := rows.Scan(&l.Source, &l.Type, &l.Complete, &l.Reason, &at, &cursor, &l.Full, &l.Read, &l.Refused,
			&l.Stored, &l.Deleted)
		if at.Valid {
			l.TransactionTime = at.Time.UTC()
		}
		if cursor.Valid {
			l.Cursor = cursor.Time.UTC()
		}
		s.Info.Loads = append(s.Info.Loads, l)
		return err
	})
	if err != nil {
		return fmt.Errorf("read loads: %w", err)
	}
	err = s.each(ctx, "SELECT site, label FROM meta.site", func(rows *sql.Rows) error {
		var site, label string
		err := rows.Scan(&site, &label)
		s.Sites[site] = label
		return err
	})
	if err != nil {
		return fmt.Errorf("read sites: %w", err)
	}
	return nil
}

// Close lets go of the file.
func (s *Snapshot) Close() error {
	if s.borrowed {
		return nil
	}
	return s.db.Close()
}

// Query runs a statement and calls scan for every row.
func (s *Snapshot) Query(ctx context.Context, query string, scan func(*sql.Rows) error, args ...any) error {
	return s.each(ctx, query, scan, args...)
}

func (s *Snapshot) each(ctx context.Context, query string, scan func(*sql.Rows) error, args ...any) error {
	return s.db.each(ctx, query, scan, args...)
}

// each runs a statement and calls scan for every row.
func (db *database) each(ctx context.Context, query string, scan func(*sql.Rows) error, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Holds reports how far the snapshot holds a resource type: complete, partly with a reason, or not
// at all, which reads as absent.
func (s *Snapshot) Holds(resourceType string) (present, complete bool, reason string) {
	complete = true
	for _, l := range s.Info.Loads {
		if l.Type != resourceType {
			continue
		}
		present = true
		if !l.Complete {
			complete, reason = false, l.Reason
		}
	}
	return present, present && complete, reason
}

// Scratch is an empty snapshot in memory, for checking expressions where there is no data yet.
func Scratch(ctx context.Context) (*Snapshot, error) {
	db, err := openDatabase(ctx, "", options{})
	if err != nil {
		return nil, err
	}
	// One connection, because helper tables are temporary and an in-memory database is as well.
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	err = runScript(ctx, conn, schemaSQL+baseTables("")+"SET VARIABLE as_of = DATE '1970-01-01';\n")
	if err == nil {
		err = tabulate(ctx, conn)
	}
	if err == nil {
		err = runScript(ctx, conn, unitSQL+viewSQL)
	}
	if err := errors.Join(err, conn.Close()); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Snapshot{db: db, Sites: map[string]string{}}, nil
}
