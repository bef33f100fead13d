package decisions

import "context"

// Newest is the schema of this program.
const Newest = newest

// OpenAt opens a store and brings it to an older schema, as the program of then did.
func OpenAt(ctx context.Context, c Config, schema int) (*Database, error) {
	d, err := connect(ctx, c)
	if err != nil {
		return nil, err
	}
	return d, d.forward(ctx, schema)
}

// Exec runs a statement past everything that the store promises.
func (d *Database) Exec(ctx context.Context, statement string, args ...any) error {
	_, err := d.write.ExecContext(ctx, statement, args...)
	return err
}
