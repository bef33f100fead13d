package decisions

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// errLooking refuses to write into a store that was opened as it stands.
var errLooking = errors.New("the store was opened to look at it")

// Write implements Store. Changes of one document are written in the order in which they are given.
// After an error that is not ErrConflict or ErrInvalid the changes are as a rule not written, but nobody
// can know where the connection broke while the answer was on its way: read before trying again.
func (d *Database) Write(ctx context.Context, changes ...Change) ([]Document, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	if d.looking {
		return nil, fmt.Errorf("write decisions: %w", errLooking)
	}
	written := make([]Document, len(changes))
	order := make([]int, len(changes))
	for i, c := range changes {
		document, err := d.prepare(c)
		if err != nil {
			return nil, fmt.Errorf("write decisions: change %d of %d: %w", i+1, len(changes), err)
		}
		written[i], order[i] = document, i
	}
	// Everybody takes the rows in one order, so that nobody waits for somebody who waits for them.
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(written[a].Kind, written[b].Kind), cmp.Compare(written[a].ID, written[b].ID))
	})
	err := d.transact(ctx, func(tx *sql.Tx) error {
		for _, i := range order {
			if err := put(ctx, tx, written[i]); err != nil {
				return fmt.Errorf("%s %s: %w", written[i].Kind, written[i].ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("write decisions: %w", err)
	}
	return written, nil
}

// prepare makes the document that a change will be.
func (d *Database) prepare(c Change) (Document, error) {
	document := c.Document
	document.Version = c.Expect + 1
	if document.At.IsZero() {
		document.At = d.now()
	}
	document.At = document.At.UTC().Truncate(time.Microsecond)
	document.Body = bytes.Clone(document.Body)
	document.Terms = nil
	if len(c.Terms) > 0 {
		document.Terms = maps.Clone(c.Terms)
	}
	return document, check(document)
}

// put writes a version if the one before is the newest. Of two that write the same version at once one
// waits for the other at the primary key, and then finds it taken.
func put(ctx context.Context, tx *sql.Tx, document Document) error {
	var have int
	err := tx.QueryRowContext(ctx, `select coalesce(max(version), 0) from decision where kind = $1 and id = $2`,
		string(document.Kind), document.ID).Scan(&have)
	if err != nil {
		return fmt.Errorf("read the version: %w", err)
	}
	if have != document.Version-1 {
		return fmt.Errorf("version %d is there, %d was expected: %w", have, document.Version-1, ErrConflict)
	}
	added, err := add(ctx, tx, document)
	if err != nil {
		return err
	}
	if !added {
		return fmt.Errorf("version %d has just been written: %w", document.Version, ErrConflict)
	}
	_, err = tx.ExecContext(ctx, `delete from term where kind = $1 and id = $2`,
		string(document.Kind), document.ID)
	if err != nil {
		return fmt.Errorf("remove old terms: %w", err)
	}
	return addTerms(ctx, tx, document)
}

// add inserts a version, unless it is there.
func add(ctx context.Context, tx *sql.Tx, document Document) (bool, error) {
	terms, err := json.Marshal(document.Terms)
	if err != nil {
		return false, fmt.Errorf("encode terms: %w", err)
	}
	if len(document.Terms) == 0 {
		terms = []byte("{}")
	}
	result, err := tx.ExecContext(ctx, `insert into decision
		(kind, id, version, written_at, author, terms, body) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict do nothing`,
		string(document.Kind), document.ID, document.Version, document.At.UnixMicro(), document.By,
		string(terms), document.Body)
	if err != nil {
		return false, fmt.Errorf("add the version: %w", err)
	}
	rows, err := result.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("add the version: %w", err)
	}
	return rows == 1, nil
}

func addTerms(ctx context.Context, tx *sql.Tx, document Document) error {
	for _, name := range slices.Sorted(maps.Keys(document.Terms)) {
		_, err := tx.ExecContext(ctx, `insert into term (kind, name, value, id) values ($1, $2, $3, $4)`,
			string(document.Kind), name, document.Terms[name], document.ID)
		if err != nil {
			return fmt.Errorf("add terms: %w", err)
		}
	}
	return nil
}

// tries bounds how often a transaction is done over that failed because of others.
const tries = 5

// transact runs a transaction to its end or not at all, and again where it failed because of others. It
// is a conflict if that does not help.
func (d *Database) transact(ctx context.Context, do func(*sql.Tx) error) (err error) {
	for range tries {
		if err = d.once(ctx, do); err == nil || !d.dialect.again(err) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrConflict, err)
}

// once runs a transaction. It reads what others have committed by the time of each statement, whatever
// the server would do of itself: that is what put relies upon.
func (d *Database) once(ctx context.Context, do func(*sql.Tx) error) error {
	var options sql.TxOptions
	if d.dialect.alone != "" {
		options.Isolation = sql.LevelReadCommitted
	}
	tx, err := d.write.BeginTx(ctx, &options)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(tx); err != nil {
		if undone := tx.Rollback(); undone != nil && !errors.Is(undone, sql.ErrTxDone) {
			err = errors.Join(err, fmt.Errorf("roll back: %w", undone))
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
