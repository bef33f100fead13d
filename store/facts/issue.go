package facts

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"sync"

	"github.com/equitylens/equitylens/mapping"
)

// issueKey tells issues of resources apart.
type issueKey struct {
	resourceType string
	mapping.Issue
}

// mostIssues bounds the issues that are told apart, and so the memory of an export in which every
// resource has a code of its own. Beyond it an issue loses its system and code, and still counts.
const mostIssues = 20_000

// issueBook numbers the issues of a snapshot. Its numbers are those of base.issue, so that resources of
// earlier runs keep theirs. It is shared by the Writers of a run.
type issueBook struct {
	db *database

	mu      sync.Mutex
	numbers map[issueKey]numbered
	next    uint32
	// fresh are those that base.issue does not hold yet, in the order of their numbers.
	fresh []issueKey
}

// numbered is an issue of the book, with strings of its own.
type numbered struct {
	no  uint32
	key issueKey
}

// openIssueBook goes on where the snapshot ended that the run adds to.
func openIssueBook(ctx context.Context, db *database) (*issueBook, error) {
	b := &issueBook{db: db, numbers: map[issueKey]numbered{}}
	err := db.each(ctx, `SELECT no, type, kind, element, system, code FROM base.issue`, func(rows *sql.Rows) error {
		var no uint32
		var key issueKey
		err := rows.Scan(&no, &key.resourceType, &key.Kind, &key.Element, &key.System, &key.Code)
		b.numbers[key] = numbered{no, key}
		b.next = max(b.next, no+1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the issues of the live snapshot: %w", err)
	}
	return b, nil
}

// number looks an issue up, or gives it the next number. What it keeps are copies.
func (b *issueBook) number(key issueKey) numbered {
	b.mu.Lock()
	defer b.mu.Unlock()
	found, ok := b.numbers[key]
	if !ok && len(b.numbers) >= mostIssues {
		key.System, key.Code = "", ""
		found, ok = b.numbers[key]
	}
	if ok {
		return found
	}
	key = issueKey{strings.Clone(key.resourceType), mapping.Issue{
		Kind: mapping.IssueKind(strings.Clone(string(key.Kind))), Element: strings.Clone(key.Element),
		System: strings.Clone(key.System), Code: strings.Clone(key.Code),
	}}
	found = numbered{b.next, key}
	b.numbers[key] = found
	b.next++
	b.fresh = append(b.fresh, key)
	return found
}

// save writes down what is new. It is a step of Merge.
func (b *issueBook) save(ctx context.Context, _ Merge, _ *Merged) error {
	columns := make([][]string, 5)
	for _, key := range b.fresh {
		for i, text := range []string{key.resourceType, string(key.Kind), key.Element, key.System, key.Code} {
			columns[i] = append(columns[i], text)
		}
	}
	if len(b.fresh) == 0 {
		return nil
	}
	first := b.next - uint32(len(b.fresh)) // #nosec G115 -- as many as were numbered
	_, err := b.db.ExecContext(ctx, `INSERT INTO base.issue
		SELECT unnest(range(?::UINTEGER, ?::UINTEGER)), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]),
			unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[])`,
		first, b.next, columns[0], columns[1], columns[2], columns[3], columns[4])
	if err != nil {
		return fmt.Errorf("note issues: %w", withoutValues(err))
	}
	b.fresh = nil
	return nil
}

// issues are the numbers of what was odd in a resource, as a cell.
func (w *Writer) issues(resourceType string, issues []mapping.Issue) driver.Value {
	if len(issues) == 0 {
		return nil
	}
	numbers := make([]uint32, len(issues))
	for i, issue := range issues {
		key := issueKey{resourceType, issue}
		no, ok := w.numbers[key]
		if !ok {
			found := w.book.number(key)
			no = found.no
			// By the book's own key: the strings of the issue are the caller's, and change.
			w.numbers[found.key] = no
		}
		numbers[i] = no
	}
	return numbers
}
