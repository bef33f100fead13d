package decisions

import (
	"context"
	"fmt"
	"time"
)

// Status says what is in a store.
type Status struct {
	// Backend is sqlite or postgresql.
	Backend string
	// Schema is the number of the last step that was taken, Newest that of this program.
	Schema, Newest int
	// Kinds are those of which there is any document, in the order of Kinds.
	Kinds []Count
}

// Count is how many documents of one kind there are.
type Count struct {
	Kind      Kind
	Documents int
	// Versions counts every version of each of them.
	Versions int
	// Last is when the newest version of any of them was written.
	Last time.Time
}

// Status counts what is in the store.
func (d *Database) Status(ctx context.Context) (status Status, err error) {
	status = Status{Backend: d.dialect.name, Newest: newest}
	if status.Schema, err = d.schema(ctx); err != nil {
		return Status{}, fmt.Errorf("count decisions: %w", err)
	}
	for _, kind := range Kinds() {
		count := Count{Kind: kind}
		var last int64
		err := d.read.QueryRowContext(ctx, `select count(distinct id), count(*), coalesce(max(written_at), 0)
			from decision where kind = $1`, string(kind)).Scan(&count.Documents, &count.Versions, &last)
		if err != nil {
			return Status{}, fmt.Errorf("count decisions of kind %s: %w", kind, err)
		}
		if count.Documents == 0 {
			continue
		}
		count.Last = time.UnixMicro(last).UTC()
		status.Kinds = append(status.Kinds, count)
	}
	return status, nil
}
