package decisions

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	// The driver of SQLite.
	_ "github.com/mattn/go-sqlite3"
)

const (
	ownerOnly = 0o700
	ownerFile = 0o600
	// readers is how many look into the file at once; a writer holds up none of them.
	readers = 4
)

func sqliteDialect() dialect {
	return dialect{
		name:     "sqlite",
		hasTable: `select count(*) from sqlite_master where type = 'table' and name = $1`,
		// Who writes has the file for itself, so nothing fails because of others but by their lasting
		// longer than anybody would wait.
		again: func(error) bool { return false },
	}
}

// openSQLite opens a file twice: once to write, with a connection whose transactions have the file from
// their first statement on, and once to read. A write is in the log of the file and synced before its
// transaction ends (synchronous=FULL), and another program that writes is waited for ten seconds.
func (d *Database) openSQLite(path string, existing bool) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("find the file: %w", err)
	}
	if err := makeFile(path, existing); err != nil {
		return err
	}
	d.dialect = sqliteDialect()
	options := url.Values{
		"_busy_timeout": {"10000"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_foreign_keys": {"1"},
	}
	writing := (&url.URL{Scheme: "file", Path: path, RawQuery: options.Encode() + "&_txlock=immediate"}).String()
	reading := (&url.URL{Scheme: "file", Path: path, RawQuery: options.Encode() + "&_query_only=1"}).String()
	if d.write, err = sql.Open("sqlite3", writing); err != nil {
		return fmt.Errorf("open the file: %w", err)
	}
	d.write.SetMaxOpenConns(1)
	if d.read, err = sql.Open("sqlite3", reading); err != nil {
		return fmt.Errorf("open the file: %w", errors.Join(err, d.write.Close()))
	}
	d.read.SetMaxOpenConns(readers)
	d.read.SetMaxIdleConns(readers)
	return nil
}

// makeFile makes an empty file, and takes from one that is there the rights of others. It never opens a
// file that is there: to close it again would end the locks that this process holds on it by another
// connection.
func makeFile(path string, existing bool) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && !existing {
		if err := makeEmpty(path); err != nil {
			return fmt.Errorf("make the file: %w", err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	if info.Mode().Perm()&^ownerFile == 0 {
		return nil
	}
	if err := os.Chmod(path, ownerFile); err != nil {
		return fmt.Errorf("keep the file from others: %w", err)
	}
	return nil
}

// makeEmpty gives an empty file its name once it is closed, and leaves one that has come in between.
func makeEmpty(path string) (err error) {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, ownerOnly); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, ".decisions-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	if err := errors.Join(file.Chmod(ownerFile), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(folder)
}

// syncFolder makes the names in a folder outlive the machine.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
