package facts

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// Result is what was counted of one measure, for every period of one length in a span, before a
// snapshot is published.
type Result struct {
	Measure string
	// Digest tells definitions apart: figures of another one are not those of this.
	Digest string
	// Step is the length of the periods in months, 1, 3 or 12; each starts at a multiple of it.
	Step int
	// First and Last are the numbers of the first and the last month of the span, by MonthNumber.
	First, Last int
	// Undated counts, for each rate, the units that no period holds.
	Undated []int64
	// Cells holds those in which there is anybody.
	Cells []ResultCell
}

// ResultCell is one rate in one period and one group. Dimension and Key are empty for all units.
type ResultCell struct {
	Month     int
	Dimension string
	Key       string
	Rate      int
	// Counts are those of the populations in the order of the columns of meta.result_cell.
	Counts [ResultCounts]float64
	// Values says how often each value was observed, of a continuous variable.
	Values map[float64]int64
}

// ResultCounts is how many populations a cell counts.
const ResultCounts = 7

// MonthNumber counts months: 12 times the year and those before.
func MonthNumber(day time.Time) int {
	const perYear = 12
	return perYear*day.Year() + int(day.Month()) - 1
}

// Merged opens what the run has merged, before it is published. It is closed with the run, and is of
// no more use once that is published.
func (r *Run) Merged(ctx context.Context) (*Snapshot, error) {
	if r.db == nil {
		return nil, ErrNotMerged
	}
	s := &Snapshot{db: r.db, Sites: map[string]string{}, borrowed: true}
	if err := s.load(ctx); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return nil, ErrNotMerged
		}
		return nil, err
	}
	return s, nil
}

// forgetResults drops the figures of the snapshot that the run adds to: they are of other data.
func (r *Run) forgetResults(ctx context.Context, _ Merge, _ *Merged) error {
	for _, table := range []string{"result", "result_cell", "result_value"} {
		if _, err := r.db.ExecContext(ctx, "DELETE FROM meta."+table); err != nil {
			return fmt.Errorf("forget the figures of old data: %w", err)
		}
	}
	return nil
}

// SaveResults puts figures into the snapshot that is about to be published.
func (r *Run) SaveResults(ctx context.Context, results []Result) (err error) {
	conn, err := r.db.connector.Connect(ctx)
	if err != nil {
		return fmt.Errorf("save results: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	appenders := map[string]*duckdb.Appender{}
	appendRow := func(table string, row ...driver.Value) error {
		if appenders[table] == nil {
			appender, err := duckdb.NewAppenderFromConn(conn.(connection).Conn, "meta", table)
			if err != nil {
				return err
			}
			appenders[table] = appender
		}
		return appenders[table].AppendRow(row...)
	}
	for i := range results {
		if err = results[i].rows(appendRow); err != nil {
			break
		}
	}
	for _, appender := range appenders {
		err = errors.Join(err, appender.Close())
	}
	if err != nil {
		return fmt.Errorf("save results: %w", withoutValues(err))
	}
	return nil
}

// rows writes a result as rows of the tables of meta.
func (r *Result) rows(appendRow func(table string, row ...driver.Value) error) error {
	step := uint8(r.Step) // #nosec G115 -- 1, 3 or 12
	for rate, undated := range r.Undated {
		err := appendRow("result", r.Measure, r.Digest, step, uint8(rate), int32(r.First), int32(r.Last), // #nosec G115 -- rates and months are few
			undated)
		if err != nil {
			return err
		}
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		place := []driver.Value{r.Measure, step, int32(c.Month), c.Dimension, c.Key, uint8(c.Rate)} // #nosec G115 -- as above
		row := slices.Clone(place)
		for _, n := range c.Counts {
			row = append(row, n)
		}
		if err := appendRow("result_cell", row...); err != nil {
			return err
		}
		for value, units := range c.Values {
			if err := appendRow("result_value", append(slices.Clone(place), value, units)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// Result reads the periods of a length that start in the months from first to last, by the dimensions
// named and for all units. It is false unless all of them were counted, of that definition. The cells
// of a month and a key are apart, in no order.
func (s *Snapshot) Result(
	ctx context.Context, measure, digest string, step, first, last int, dimensions []string,
) (Result, bool, error) {
	out := Result{Measure: measure, Digest: digest, Step: step, First: first, Last: last}
	if s.Info.SchemaVersion == schemaWithoutResults {
		return out, false, nil
	}
	const head = `SELECT undated FROM meta.result WHERE measure = ? AND digest = ? AND step = ?
		AND first_month <= ? AND last_month >= ? ORDER BY rate`
	err := s.each(ctx, head, func(rows *sql.Rows) error {
		var undated int64
		err := rows.Scan(&undated)
		out.Undated = append(out.Undated, undated)
		return err
	}, measure, digest, step, first, last+step-1)
	if err != nil {
		return out, false, fmt.Errorf("look up results of %s: %w", measure, err)
	}
	if len(out.Undated) == 0 {
		return out, false, nil
	}
	return out, true, out.read(ctx, s, dimensions)
}

// ResultSpan says from which to which month a measure was counted, starting with the first in which
// there is anybody. It is false where nothing was counted of that definition, or nobody is there.
func (s *Snapshot) ResultSpan(ctx context.Context, measure, digest string) (first, last int, ok bool, err error) {
	if s.Info.SchemaVersion == schemaWithoutResults {
		return 0, 0, false, nil
	}
	const query = `SELECT
		(SELECT min(month) FROM meta.result_cell WHERE measure = r.measure AND step = 1 AND dimension = ''),
		max(last_month)
		FROM meta.result r WHERE measure = ? AND digest = ? AND step = 1 GROUP BY measure`
	err = s.each(ctx, query, func(rows *sql.Rows) error {
		var from sql.NullInt64
		err := rows.Scan(&from, &last)
		first, ok = int(from.Int64), from.Valid
		return err
	}, measure, digest)
	if err != nil {
		return 0, 0, false, fmt.Errorf("look up results of %s: %w", measure, err)
	}
	return first, last, ok, nil
}

// schemaWithoutResults is the version of the snapshots that hold none.
const schemaWithoutResults = 1

// read fills the cells.
func (r *Result) read(ctx context.Context, s *Snapshot, dimensions []string) error {
	type place struct {
		month, rate    int
		dimension, key string
	}
	const where = ` WHERE measure = ? AND step = ? AND month BETWEEN ? AND ?
		AND (dimension = '' OR dimension IN (SELECT unnest(string_split(?, ','))))`
	args := []any{r.Measure, r.Step, r.First, r.Last, strings.Join(dimensions, ",")}
	at := map[place]int{}
	err := s.each(ctx, `SELECT month, dimension, key, rate, initial, measured, excluded, numerator_initial,
		numerator, excepted, numerator_excluded FROM meta.result_cell`+where, func(rows *sql.Rows) error {
		var c ResultCell
		n := &c.Counts
		err := rows.Scan(&c.Month, &c.Dimension, &c.Key, &c.Rate, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6])
		at[place{c.Month, c.Rate, c.Dimension, c.Key}] = len(r.Cells)
		r.Cells = append(r.Cells, c)
		return err
	}, args...)
	if err != nil {
		return fmt.Errorf("read results of %s: %w", r.Measure, err)
	}
	err = s.each(ctx, "SELECT month, dimension, key, rate, value, units FROM meta.result_value"+where,
		func(rows *sql.Rows) error {
			var p place
			var value float64
			var units int64
			if err := rows.Scan(&p.month, &p.dimension, &p.key, &p.rate, &value, &units); err != nil {
				return err
			}
			i, ok := at[p]
			if !ok {
				return nil // Values are stored of cells only.
			}
			if r.Cells[i].Values == nil {
				r.Cells[i].Values = map[float64]int64{}
			}
			r.Cells[i].Values[value] += units
			return nil
		}, args...)
	if err != nil {
		return fmt.Errorf("read results of %s: %w", r.Measure, err)
	}
	return nil
}
