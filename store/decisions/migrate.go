package decisions

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"path"
	"strconv"
)

// migrations are the steps of the schema, <dialect>/<number>.up.sql and .down.sql, from 1 without a hole.
//
//go:embed migrations
var migrations embed.FS

// newest is the schema that this program reads and writes.
const newest = 2

// ErrFirstStep refuses to go back to where there is no place for decisions.
var ErrFirstStep = errors.New("the first step of the schema holds the decisions and is not taken back")

// Back takes the newest step of the schema back, so that the program of before can open the store, and
// returns from which schema to which it went. Documents and versions stay. No program may be using the
// store meanwhile, and none of this version afterwards, because Open would take the step again.
func Back(ctx context.Context, c Config) (from, to int, err error) {
	c.Existing = true
	d, err := connect(ctx, c)
	if err != nil {
		return 0, 0, fmt.Errorf("go back: %w", err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.look(ctx); err != nil {
		return 0, 0, fmt.Errorf("go back: %w", err)
	}
	err = d.transact(ctx, func(tx *sql.Tx) error {
		if from, err = d.lockSchema(ctx, tx); err != nil {
			return err
		}
		if err := known(from); err != nil {
			return err
		}
		if from == 1 {
			return ErrFirstStep
		}
		if err := d.run(ctx, tx, from, "down"); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `delete from schema_step where number = $1`, from)
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("go back: %w", err)
	}
	return from, from - 1, nil
}

// known refuses the schema of a newer program.
func known(have int) error {
	if have > newest {
		return fmt.Errorf("its schema is %d, that of this program %d: %w", have, newest, ErrSchema)
	}
	return nil
}

// forward takes the steps that are missing, each in a transaction of its own. Where none is missing it
// only reads, so that a role without the right to make tables will do.
func (d *Database) forward(ctx context.Context, to int) error {
	have, err := d.schema(ctx)
	if err != nil {
		return err
	}
	if err := known(have); err != nil {
		return err
	}
	for number := have + 1; number <= to; number++ {
		err := d.transact(ctx, func(tx *sql.Tx) error { return d.step(ctx, tx, number) })
		if err != nil {
			return fmt.Errorf("take step %d of the schema: %w", number, err)
		}
	}
	return nil
}

// step takes a step, unless another program has taken it in the meantime.
func (d *Database) step(ctx context.Context, tx *sql.Tx, number int) error {
	have, err := d.lockSchema(ctx, tx)
	if err != nil || have >= number {
		return err
	}
	if err := d.run(ctx, tx, number, "up"); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `insert into schema_step (number, taken_at) values ($1, $2)`,
		number, d.now().UnixMicro())
	return err
}

// run runs the file of a step.
func (d *Database) run(ctx context.Context, tx *sql.Tx, number int, direction string) error {
	name := path.Join("migrations", d.dialect.name, strconv.Itoa(number)+"."+direction+".sql")
	text, err := migrations.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read step: %w", err)
	}
	_, err = tx.ExecContext(ctx, string(text))
	return err
}

// lockSchema makes the transaction the only one that changes the schema, and returns where it stands.
func (d *Database) lockSchema(ctx context.Context, tx *sql.Tx) (int, error) {
	if err := d.alone(ctx, tx); err != nil {
		return 0, err
	}
	_, err := tx.ExecContext(ctx, `create table if not exists schema_step (
		number bigint not null primary key, taken_at bigint not null)`)
	if err != nil {
		return 0, fmt.Errorf("make the table of steps: %w", err)
	}
	return lastStep(ctx, tx)
}

// alone waits for every other transaction that has to be alone.
func (d *Database) alone(ctx context.Context, tx *sql.Tx) error {
	if d.dialect.alone == "" {
		return nil
	}
	if _, err := tx.ExecContext(ctx, d.dialect.alone); err != nil {
		return fmt.Errorf("wait for the schema: %w", err)
	}
	return nil
}

// schema returns the number of the last step that was taken, 0 where there is no store.
func (d *Database) schema(ctx context.Context) (int, error) {
	var tables int
	if err := d.read.QueryRowContext(ctx, d.dialect.hasTable, "schema_step").Scan(&tables); err != nil {
		return 0, fmt.Errorf("look for the schema: %w", err)
	}
	if tables == 0 {
		return 0, nil
	}
	return lastStep(ctx, d.read)
}

// querier is a database or a transaction of it.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func lastStep(ctx context.Context, q querier) (number int, err error) {
	err = q.QueryRowContext(ctx, `select coalesce(max(number), 0) from schema_step`).Scan(&number)
	if err != nil {
		return 0, fmt.Errorf("read the schema: %w", err)
	}
	return number, nil
}
