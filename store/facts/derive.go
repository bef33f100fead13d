package facts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/equitylens/equitylens/mapping"
)

// settleMeta replaces what meta says of the loaded types, and drops the stage.
func (r *Run) settleMeta(ctx context.Context, in Merge, out *Merged) error {
	now := r.dir.now().UTC()
	for i := range out.Loads {
		l := &out.Loads[i]
		if err := r.keepIncomplete(ctx, l); err != nil {
			return err
		}
		mode := "incremental"
		if l.Full {
			mode = "full"
		}
		_, err := r.db.ExecContext(ctx, `INSERT OR REPLACE INTO meta.load VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`,
			l.Source, l.Type, l.Complete, l.Reason, nullTime(l.TransactionTime), nullTime(l.Cursor), now, mode,
			l.Read, l.Refused, l.Stored, l.Deleted)
		if err != nil {
			return fmt.Errorf("note load of %s: %w", l.Type, err)
		}
	}
	for site, label := range in.Sites {
		if _, err := r.db.ExecContext(ctx, `INSERT OR REPLACE INTO meta.site VALUES (?,?)`, site, label); err != nil {
			return fmt.Errorf("note a site: %w", err)
		}
	}
	statements := []string{"DROP SCHEMA stage CASCADE"}
	for _, table := range tables {
		statements = append(statements, "DROP TABLE IF EXISTS base."+table+"_staged")
	}
	for _, statement := range statements {
		if _, err := r.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// keepIncomplete carries on what was missing of a type before: an increment does not bring it.
func (r *Run) keepIncomplete(ctx context.Context, l *Load) error {
	if l.Full || !l.Complete {
		return nil
	}
	const before = `SELECT reason FROM meta.load WHERE source = ? AND type = ? AND NOT complete`
	var reason string
	err := r.db.QueryRowContext(ctx, before, l.Source, l.Type).Scan(&reason)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the last load of %s: %w", l.Type, err)
	}
	l.Complete, l.Reason = false, reason
	return nil
}

func nullTime(t time.Time) sql.NullTime { return sql.NullTime{Time: t.UTC(), Valid: !t.IsZero()} }

// deriveUnits rebuilds the unit schema. It runs on one connection, because its helper tables are
// temporary, and right after a checkpoint, because rows are numbered by their place.
func (r *Run) deriveUnits(ctx context.Context, _ Merge, out *Merged) error {
	conn, err := r.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("derive units: %w", err)
	}
	defer func() { _ = conn.Close() }()
	const clear = `DROP VIEW IF EXISTS encounter;
DROP VIEW IF EXISTS stay;
DROP VIEW IF EXISTS event;
DROP SCHEMA IF EXISTS unit CASCADE;
CHECKPOINT;
`
	if err := runScript(ctx, conn, clear); err != nil {
		return err
	}
	if out.DataAsOf, err = dataAsOf(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "SET VARIABLE as_of = ?::DATE", out.DataAsOf.Format(time.DateOnly)); err != nil {
		return fmt.Errorf("derive units: %w", err)
	}
	if err := tabulate(ctx, conn); err != nil {
		return err
	}
	if err := runScript(ctx, conn, unitSQL); err != nil {
		return fmt.Errorf("derive units: %w", err)
	}
	if err := runScript(ctx, conn, viewSQL); err != nil {
		return fmt.Errorf("define views: %w", err)
	}
	return r.countQuality(ctx, conn, out)
}

// countQuality fills what meta says of how good the data are. The figures of out are its sums.
func (r *Run) countQuality(ctx context.Context, conn *sql.Conn, out *Merged) error {
	if err := runScript(ctx, conn, qualitySQL); err != nil {
		return fmt.Errorf("count how good the data are: %w", withoutValues(err))
	}
	const sums = `SELECT coalesce(sum(count) FILTER (what = 'orphan'), 0)::BIGINT,
		coalesce(sum(count) FILTER (what = 'merged'), 0)::BIGINT,
		coalesce(sum(count) FILTER (what = 'undated'), 0)::BIGINT,
		coalesce(sum(count) FILTER (what = 'unlinked'), 0)::BIGINT FROM meta.loose`
	err := conn.QueryRowContext(ctx, sums).Scan(&out.Orphans, &out.Merges, &out.Undated, &out.Unlinked)
	if err != nil {
		return fmt.Errorf("count loose ends: %w", err)
	}
	return nil
}

// dataAsOf is the oldest transactionTime of what the snapshot holds. Where no server gave one it is the
// newest meta.lastUpdated, and where there is none the newest date of what has happened.
func dataAsOf(ctx context.Context, conn *sql.Conn) (time.Time, error) {
	var moment sql.NullTime
	var err error
	for _, query := range []string{
		`SELECT min(transaction_time) FROM meta.load`,
		`SELECT make_timestamp(max(updated)) FROM (
			SELECT max(updated) AS updated FROM base.patient
			UNION ALL SELECT max(updated) FROM base.encounter
			UNION ALL SELECT max(updated) FROM base.adverse_event)
		WHERE updated > 0`,
		`SELECT max(moment) FROM (
			SELECT coalesce(make_timestamp(greatest(end_at, start_at)),
				DATE '1970-01-01' + greatest(end_date, start_date)) AS moment
			FROM base.encounter WHERE status NOT IN ('planned', 'cancelled', 'entered-in-error')
			UNION ALL SELECT coalesce(make_timestamp(date_at), DATE '1970-01-01' + date)
			FROM base.adverse_event)`,
	} {
		if err = conn.QueryRowContext(ctx, query).Scan(&moment); err != nil || moment.Valid {
			break
		}
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("find the newest date: %w", err)
	}
	return moment.Time.UTC(), nil
}

// tabulate writes out what mapping knows and the units need, so that each rule stands in one place.
func tabulate(ctx context.Context, conn *sql.Conn) error {
	var needs, races, spd15 []string
	for _, encounter := range needValues() {
		for _, patient := range needValues() {
			need := mapping.ResolveNeed(encounter, patient)
			needs = append(needs, fmt.Sprintf("('%s', '%s', '%s')", Key(encounter), Key(patient), Key(need)))
		}
	}
	for bits := 1; bits <= math.MaxUint8; bits++ {
		if codes := mapping.RaceSet(bits).List(); codes != nil {
			races = append(races, fmt.Sprintf("(%d, '%s')", bits, strings.Join(codes, setSeparator)))
		}
		if codes := mapping.SPD15Set(bits).List(); codes != nil {
			spd15 = append(spd15, fmt.Sprintf("(%d, '%s')", bits, strings.Join(codes, setSeparator)))
		}
	}
	for _, table := range []struct {
		definition string
		rows       []string
	}{
		{"need_resolution (encounter interpreter_need, patient interpreter_need, need interpreter_need)", needs},
		{"race_key (bits UTINYINT, key VARCHAR)", races},
		{"spd15_key (bits UTINYINT, key VARCHAR)", spd15},
	} {
		name, _, _ := strings.Cut(table.definition, " ")
		for _, statement := range []string{
			"CREATE TEMP TABLE " + table.definition,
			// #nosec G202 -- the rows are words of our own.
			"INSERT INTO " + name + " VALUES " + strings.Join(table.rows, ", "),
		} {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("tabulate %s: %w", name, err)
			}
		}
	}
	return nil
}

// setSeparator joins the codes of a set into its key. No code holds it.
const setSeparator = "+"

func needValues() []mapping.Value {
	values := []mapping.Value{
		{State: mapping.Known, Code: mapping.Yes}, {State: mapping.Known, Code: mapping.No},
	}
	for _, state := range mapping.States()[1:] {
		values = append(values, mapping.Value{State: state})
	}
	return values
}

func (r *Run) writeSnapshotRow(ctx context.Context, in Merge, out *Merged) error {
	digest := ""
	for _, table := range append(slices.Clone(tables), "answer") {
		var rows int64
		var mix string
		columns := "* EXCLUDE (seq, issues)"
		if table == "answer" {
			columns = "*"
		}
		query := fmt.Sprintf(`SELECT count(*), printf('%%x', coalesce(bit_xor(hash(t)), 0)) FROM (
			SELECT %s FROM base.%s) t`, columns, table)
		if err := r.db.QueryRowContext(ctx, query).Scan(&rows, &mix); err != nil {
			return fmt.Errorf("digest %s: %w", table, err)
		}
		digest += fmt.Sprintf("%s:%d:%s ", table, rows, mix)
	}
	out.Digest = digest[:len(digest)-1]
	const before = `SELECT count(*) > 0 FROM meta.snapshot WHERE digest = ?`
	if err := r.db.QueryRowContext(ctx, before, out.Digest).Scan(&out.Unchanged); err != nil {
		return fmt.Errorf("compare with the live snapshot: %w", err)
	}
	if _, err := r.db.ExecContext(ctx, "DELETE FROM meta.snapshot"); err != nil {
		return fmt.Errorf("write snapshot row: %w", err)
	}
	_, err := r.db.ExecContext(ctx, "INSERT INTO meta.snapshot VALUES (?,?,?,?,?,?,?,?,?)",
		out.Snapshot, SchemaVersion, nullTime(out.DataAsOf), r.dir.now().UTC(), in.Software,
		in.MappingVersion, in.Timezone, out.Orphans, out.Digest)
	if err != nil {
		return fmt.Errorf("write snapshot row: %w", err)
	}
	return nil
}
