package facts

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/equitylens/equitylens/mapping"
)

// Quality says how good the data of a snapshot are, but for its issues, which are many. All of it was
// counted when the snapshot was made, of everything that it holds.
type Quality struct {
	Completeness []Completeness
	Loose        []Loose
	// Loads says of each type of each source when it came, and how far.
	Loads []Load
}

// Completeness counts the people of whom one thing is known of a field. Everybody is in one state of
// each field, so the states of a field at a site add up to the people of that site, and sites and
// sources to all. States, sites and sources without people have no row.
type Completeness struct {
	// Source gave the patient.
	Source string
	// Site is the key of the patient's organisation: its id, named by Snapshot.Sites, or "~" and a state.
	Site string
	// Field is the name of a dimension: race, ethnicity, language, interpreter_need or sex.
	Field  string
	State  mapping.State
	People int64
}

// LooseEnd says why a resource is seen otherwise than one might think.
type LooseEnd string

// The loose ends.
const (
	// Orphan: an encounter or event whose patient is not here; no measure sees it.
	Orphan LooseEnd = "orphan"
	// Undated: a finished encounter without an end, or an event without a date; no period holds it.
	Undated LooseEnd = "undated"
	// Unlinked: an event that belongs to no encounter.
	Unlinked LooseEnd = "unlinked"
	// MergedAway: an id of a patient in whose place another one counts.
	MergedAway LooseEnd = "merged"
)

// Loose counts loose ends. An event without an encounter has no site, which is missing.
type Loose struct {
	Source string
	Site   string
	Type   string
	What   LooseEnd
	Count  int64
}

// Issue counts one thing that is odd in resources of a type.
type Issue struct {
	// Source and Site are "" for all of them: Site is that of the encounter, of the event's encounter, or
	// of the patient. Counts add up over sites and sources; People do not, because somebody may be
	// touched at two of them.
	Source string
	Site   string
	Type   string
	mapping.Issue
	// Count is how often it occurs, and People how many of those who are here it touches. An orphan
	// touches nobody.
	Count  int64
	People int64
}

// IssueFilter says which issues are meant. Its zero value means all of them, wherever they are.
type IssueFilter struct {
	// Source and Site narrow down where; "" is all of them together.
	Source string
	Site   string
	// Kinds are those that are meant; none means all.
	Kinds []mapping.IssueKind
	// Limit is how many are returned at most; 0 means all.
	Limit int
}

// counted refuses a snapshot of a program that did not count yet how good the data are.
func (s *Snapshot) counted() error {
	if s.Info.SchemaVersion < schemaWithQuality {
		return fmt.Errorf("read how good the data of snapshot %s are: %w", s.Info.ID, ErrSchema)
	}
	return nil
}

// Quality reads what was counted. The error wraps ErrSchema for a snapshot of an earlier version of the
// program, which holds no such figures.
func (s *Snapshot) Quality(ctx context.Context) (Quality, error) {
	q := Quality{Loads: s.Info.Loads}
	if err := s.counted(); err != nil {
		return Quality{}, err
	}
	const completeness = `SELECT source, site, field, state, people FROM meta.completeness
		ORDER BY source, site, field, people DESC, state`
	err := s.each(ctx, completeness, func(rows *sql.Rows) error {
		var c Completeness
		err := rows.Scan(&c.Source, &c.Site, &c.Field, &c.State, &c.People)
		q.Completeness = append(q.Completeness, c)
		return err
	})
	if err != nil {
		return Quality{}, fmt.Errorf("read completeness: %w", err)
	}
	const loose = `SELECT source, site, type, what, count FROM meta.loose ORDER BY source, site, type, what`
	err = s.each(ctx, loose, func(rows *sql.Rows) error {
		var l Loose
		err := rows.Scan(&l.Source, &l.Site, &l.Type, &l.What, &l.Count)
		q.Loose = append(q.Loose, l)
		return err
	})
	if err != nil {
		return Quality{}, fmt.Errorf("read loose ends: %w", err)
	}
	return q, nil
}

// Issues returns issues, those first that touch most people, and how many there are without the limit.
// The error wraps ErrSchema as that of Quality does.
func (s *Snapshot) Issues(ctx context.Context, f IssueFilter) (issues []Issue, total int, err error) {
	if err := s.counted(); err != nil {
		return nil, 0, err
	}
	kinds := make([]string, len(f.Kinds))
	for i, k := range f.Kinds {
		kinds[i] = string(k)
	}
	limit := sql.NullInt64{Int64: int64(f.Limit), Valid: f.Limit > 0}
	const query = `SELECT source, site, type, kind, element, system, code, count, people, count(*) OVER ()
		FROM meta.issue
		WHERE source = ? AND site = ? AND (len(?::VARCHAR[]) = 0 OR list_contains(?::VARCHAR[], kind))
		ORDER BY people DESC, count DESC, kind, type, element, system, code LIMIT ?`
	err = s.each(ctx, query, func(rows *sql.Rows) error {
		var i Issue
		err := rows.Scan(&i.Source, &i.Site, &i.Type, &i.Kind, &i.Element, &i.System, &i.Code, &i.Count, &i.People,
			&total)
		issues = append(issues, i)
		return err
	}, f.Source, f.Site, kinds, kinds, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("read issues: %w", err)
	}
	return issues, total, nil
}
