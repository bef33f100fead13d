package facts

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Load is what one run brought of one resource type.
type Load struct {
	Source string
	Type   string
	// Complete is false if the source said, or the counts showed, that something is missing; Reason
	// says what.
	Complete bool
	Reason   string
	// TransactionTime is the moment of the data, by the clock of the server.
	TransactionTime time.Time
	// Cursor is from when the next increment has to ask; the zero time asks for everything.
	Cursor time.Time
	// Full says that the load is everything the source has: what it does not hold is gone.
	Full    bool
	Read    int64
	Refused int64
	// Stored and Deleted are set by Merge: distinct resources that the snapshot now holds from this
	// run, and resources that it no longer holds.
	Stored  int64
	Deleted int64
}

// Merge is what a run is merged with.
type Merge struct {
	Loads []Load
	// MaxShrink is the largest share by which a type may shrink, 0 to 1. 1 allows all.
	MaxShrink      float64
	Software       string
	MappingVersion string
	Timezone       string
	// Sites names organisations by id.
	Sites map[string]string
}

// Merged is the outcome of a merge.
type Merged struct {
	Snapshot string
	DataAsOf time.Time
	Loads    []Load
	// Orphans counts encounters and events whose patient is not here; Undated counts those that no
	// period can hold; Unlinked counts events without an encounter; Merges counts retired patients.
	Orphans, Undated, Unlinked, Merges int64
	// Digest is equal for equal base tables, in whatever order they were loaded. Unchanged says that it is
	// that of the live snapshot.
	Digest    string
	Unchanged bool
}

// ShrunkError says that a type lost more than a run may take away.
type ShrunkError struct {
	Type          string
	Before, After int64
	Max           float64
}

func (e *ShrunkError) Error() string {
	return fmt.Sprintf("%s would shrink from %d to %d resources, by more than the allowed share of %g",
		e.Type, e.Before, e.After, e.Max)
}

// Merge settles what was staged into the base tables and derives the units. The writers must be
// closed.
func (r *Run) Merge(ctx context.Context, in Merge) (Merged, error) {
	out := Merged{Snapshot: r.stamp(r.dir.now()), Loads: in.Loads}
	for i := range out.Loads {
		if err := r.mergeType(ctx, &out.Loads[i], in.MaxShrink); err != nil {
			return Merged{}, err
		}
	}
	steps := []func(context.Context, Merge, *Merged) error{
		r.book.save, r.settleMeta, r.deriveUnits, r.forgetResults, r.writeSnapshotRow,
	}
	for _, step := range steps {
		if err := step(ctx, in, &out); err != nil {
			return Merged{}, err
		}
	}
	return out, nil
}

// newest orders copies of one resource: mapping.Version, then the copy read last.
const newest = "updated DESC, version DESC, seq DESC"

func (r *Run) mergeType(ctx context.Context, load *Load, maxShrink float64) error {
	m := &typeMerge{run: r, table: tableOf(load.Type), load: load, brought: "base.%s_staged"}
	before, err := m.count(ctx, "SELECT count(*) FROM base.%s WHERE source = ?", load.Source)
	if err != nil {
		return err
	}
	if err := m.dropDuplicates(ctx); err != nil {
		return err
	}
	if load.Full {
		err = m.replace(ctx)
	} else {
		err = m.upsert(ctx)
	}
	if err != nil {
		return err
	}
	if err := m.delete(ctx); err != nil {
		return err
	}
	after, err := m.count(ctx, "SELECT count(*) FROM base.%s WHERE source = ?", load.Source)
	if err != nil {
		return err
	}
	if float64(before-after) > maxShrink*float64(before) {
		return &ShrunkError{Type: load.Type, Before: before, After: after, Max: maxShrink}
	}
	return nil
}

// typeMerge merges one resource type.
type typeMerge struct {
	run   *Run
	table string
	load  *Load
	// brought names the table of the rows that this run brought.
	brought string
}

func (m *typeMerge) sql(statement string) string {
	return strings.ReplaceAll(statement, "%s", m.table)
}

func (m *typeMerge) count(ctx context.Context, query string, args ...any) (n int64, err error) {
	if err := m.run.db.QueryRowContext(ctx, m.sql(query), args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("merge %s: %w", m.load.Type, err)
	}
	return n, nil
}

func (m *typeMerge) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	result, err := m.run.db.ExecContext(ctx, m.sql(statement), args...)
	if err != nil {
		return 0, fmt.Errorf("merge %s: %w", m.load.Type, err)
	}
	return result.RowsAffected()
}

// dropDuplicates keeps the newest staged copy of every id. Most exports have none, which one pass
// over the hashes of the ids shows.
func (m *typeMerge) dropDuplicates(ctx context.Context) error {
	const twice = `SELECT hash(id) AS h FROM base.%s_staged GROUP BY h HAVING count(*) > 1`
	n, err := m.count(ctx, "SELECT count(*) FROM ("+twice+")")
	if err != nil || n == 0 {
		return err
	}
	_, err = m.exec(ctx, `DELETE FROM base.%s_staged WHERE rowid IN (
		SELECT copy FROM (
			SELECT rowid AS copy, row_number() OVER (PARTITION BY id ORDER BY `+newest+`) AS place
			FROM base.%s_staged WHERE hash(id) IN (`+twice+`))
		WHERE place > 1)`)
	return err
}

// replace puts what was staged in the place of all that the source gave before.
func (m *typeMerge) replace(ctx context.Context) error {
	gone, err := m.count(ctx, `SELECT count(*) FROM base.%s b WHERE source = ?
		AND NOT EXISTS (FROM base.%s_staged s WHERE s.id = b.id)`, m.load.Source)
	if err != nil {
		return err
	}
	m.load.Deleted = gone
	others, err := m.count(ctx, "SELECT count(*) FROM base.%s WHERE source <> ?", m.load.Source)
	if err != nil {
		return err
	}
	if others > 0 {
		if _, err := m.exec(ctx, "DELETE FROM base.%s WHERE source = ?", m.load.Source); err != nil {
			return err
		}
		return m.upsert(ctx)
	}
	// Nobody else's rows are in the way: the staged table takes the place of the old one, uncopied.
	m.load.Stored, err = m.count(ctx, "SELECT count(*) FROM base.%s_staged")
	if err != nil {
		return err
	}
	if _, err := m.exec(ctx, "DROP TABLE base.%s"); err != nil {
		return err
	}
	m.brought = "base.%s"
	_, err = m.exec(ctx, "ALTER TABLE base.%s_staged RENAME TO %s")
	return err
}

// upsert lets the newer copy win, and the staged one where both are equally new.
func (m *typeMerge) upsert(ctx context.Context) error {
	_, err := m.exec(ctx, `DELETE FROM base.%s_staged WHERE rowid IN (
		SELECT s.rowid FROM base.%s_staged s JOIN base.%s b ON b.id = s.id
		WHERE (b.updated, b.version) > (s.updated, s.version))`)
	if err != nil {
		return err
	}
	if _, err := m.exec(ctx, `DELETE FROM base.%s WHERE id IN (SELECT id FROM base.%s_staged)`); err != nil {
		return err
	}
	return m.insert(ctx)
}

func (m *typeMerge) insert(ctx context.Context) error {
	stored, err := m.exec(ctx, "INSERT INTO base.%s FROM base.%s_staged")
	m.load.Stored = stored
	return err
}

// delete applies the deletions of the source, after its output.
func (m *typeMerge) delete(ctx context.Context) error {
	fromRun, err := m.count(ctx, `SELECT count(*) FROM `+m.brought+` WHERE id IN (
		SELECT id FROM stage.deleted WHERE type = ?)`, m.load.Type)
	if err != nil {
		return err
	}
	gone, err := m.exec(ctx, `DELETE FROM base.%s WHERE id IN (
		SELECT id FROM stage.deleted WHERE type = ?)`, m.load.Type)
	if err != nil {
		return err
	}
	m.load.Stored -= fromRun
	m.load.Deleted += gone
	return nil
}
