package decisions

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// columns are those of a document, in the order in which scan reads them.
const columns = `d.kind, d.id, d.version, d.written_at, d.author, d.terms, d.body`

// Get implements Store.
func (d *Database) Get(ctx context.Context, kind Kind, id string) (Document, error) {
	found, err := d.of(ctx, `select `+columns+` from decision d
		where d.kind = $1 and d.id = $2 order by d.version desc limit 1`, kind, id)
	if err != nil {
		return Document{}, err
	}
	return found[0], nil
}

// History implements Store.
func (d *Database) History(ctx context.Context, kind Kind, id string) ([]Document, error) {
	return d.of(ctx, `select `+columns+` from decision d
		where d.kind = $1 and d.id = $2 order by d.version`, kind, id)
}

// of returns versions of one document. Of what could not have been written there is none, and it is not
// asked for: a database may stumble over the bytes.
func (d *Database) of(ctx context.Context, query string, kind Kind, id string) ([]Document, error) {
	if checkName(kind, id) != nil {
		return nil, ErrNotFound
	}
	var found []Document
	err := each(ctx, d.read, query, []any{string(kind), id}, func(document Document) error {
		found = append(found, document)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind, id, err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s %s: %w", kind, id, ErrNotFound)
	}
	return found, nil
}

// Find implements Store. A name without values matches nothing, as a value does that no document could
// have.
func (d *Database) Find(ctx context.Context, q Query) ([]Document, error) {
	if err := q.check(); err != nil {
		return nil, fmt.Errorf("find decisions: %w", err)
	}
	query, args, ok := q.statement()
	if !ok {
		return nil, nil
	}
	var found []Document
	err := each(ctx, d.read, query, args, func(document Document) error {
		found = append(found, document)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find decisions of kind %s: %w", q.Kind, err)
	}
	return found, nil
}

// statement writes the query out; ok is false where nothing can match. The parameters appear in the
// order of their numbers, by which SQLite counts them.
func (q Query) statement() (query string, args []any, ok bool) {
	var text strings.Builder
	parameter := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	text.WriteString(`select ` + columns + ` from decision d where d.kind = ` + parameter(string(q.Kind)) +
		` and d.id > ` + parameter(q.After) + ` and not exists (select 1 from decision n
		where n.kind = d.kind and n.id = d.id and n.version = d.version + 1)`)
	for _, name := range slices.Sorted(maps.Keys(q.Terms)) {
		values := slices.DeleteFunc(slices.Clone(q.Terms[name]), func(v string) bool { return checkValue(v) != nil })
		if checkTerm(name) != nil || len(values) == 0 {
			return "", nil, false
		}
		text.WriteString(` and d.id in (select t.id from term t where t.kind = $1 and t.name = ` +
			parameter(name) + ` and t.value in (`)
		for i, value := range values {
			if i > 0 {
				text.WriteString(`, `)
			}
			text.WriteString(parameter(value))
		}
		text.WriteString(`))`)
	}
	text.WriteString(` order by d.id`)
	if q.Limit > 0 {
		text.WriteString(` limit ` + parameter(q.Limit))
	}
	return text.String(), args, true
}

// each hands over what one statement finds, which is one state of the store whoever writes meanwhile.
func each(ctx context.Context, q querier, query string, args []any, do func(Document) error) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		document, err := scan(rows)
		if err != nil {
			return err
		}
		if err := do(document); err != nil {
			return err
		}
	}
	return rows.Err()
}

func scan(rows *sql.Rows) (Document, error) {
	var (
		document Document
		at       int64
		terms    []byte
	)
	err := rows.Scan(&document.Kind, &document.ID, &document.Version, &at, &document.By, &terms, &document.Body)
	if err != nil {
		return Document{}, fmt.Errorf("read a row: %w", err)
	}
	document.At = time.UnixMicro(at).UTC()
	if err := json.Unmarshal(terms, &document.Terms); err != nil {
		return Document{}, fmt.Errorf("decode the terms of %s %s: %w", document.Kind, document.ID, err)
	}
	if len(document.Terms) == 0 {
		document.Terms = nil
	}
	return document, nil
}
