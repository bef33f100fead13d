package decisions_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/decisions/decisionstest"
)

// fill puts documents into a store as the program of the first schema did: they had no table of terms.
func fill(t *testing.T, d *decisions.Database) {
	t.Helper()
	for _, row := range []struct {
		id      string
		version int
		terms   string
	}{
		{"a", 1, `{"state":"open","site":"ñ'\"<"}`}, {"a", 2, `{"state":"settled"}`}, {"b", 1, `{"state":"open"}`},
		{"c", 1, `{}`},
	} {
		err := d.Exec(t.Context(), `insert into decision (kind, id, version, written_at, author, terms, body)
			values ('review', $1, $2, $3, 'somebody', $4, $5)`,
			row.id, row.version, int64(row.version)*1000, row.terms, []byte(`{"n":1}`))
		if err != nil {
			t.Fatalf("fill the store: %v", err)
		}
	}
}

// lines is all that a store holds.
func lines(t *testing.T, store decisions.Store) []string {
	t.Helper()
	var all []string
	for _, kind := range decisions.Kinds() {
		newest, err := store.Find(t.Context(), decisions.Query{Kind: kind})
		if err != nil {
			t.Fatalf("Find(): %v", err)
		}
		for _, n := range newest {
			history, err := store.History(t.Context(), kind, n.ID)
			if err != nil {
				t.Fatalf("History(): %v", err)
			}
			for _, d := range history {
				all = append(all, fmt.Sprintf("%s %s %d %s %s %v %s",
					d.Kind, d.ID, d.Version, d.At.Format("2006-01-02T15:04:05.000000Z07:00"), d.By, d.Terms, d.Body))
			}
		}
	}
	return all
}

func TestEveryOlderSchemaIsBroughtForwardWithWhatItHolds(t *testing.T) {
	t.Parallel()
	want := []string{
		`review a 1 1970-01-01T00:00:00.001000Z somebody map[site:ñ'"< state:open] {"n":1}`,
		`review a 2 1970-01-01T00:00:00.002000Z somebody map[state:settled] {"n":1}`,
		`review b 1 1970-01-01T00:00:00.001000Z somebody map[state:open] {"n":1}`,
		`review c 1 1970-01-01T00:00:00.001000Z somebody map[] {"n":1}`,
	}
	for schema := 1; schema < decisions.Newest; schema++ {
		onBoth(t, func(t *testing.T, c decisions.Config) {
			older, err := decisions.OpenAt(t.Context(), c, schema)
			if err != nil {
				t.Fatalf("OpenAt(%d): %v", schema, err)
			}
			fill(t, older)
			if err := older.Close(); err != nil {
				t.Fatalf("Close(): %v", err)
			}
			store := open(t, c)
			if d := cmp.Diff(want, lines(t, store)); d != "" {
				t.Errorf("brought forward from schema %d (-want +got):\n%s", schema, d)
			}
			for value, ids := range map[string]string{"open": "b", "settled": "a", "ñ'\"<": ""} {
				q := decisions.Query{Kind: decisions.Review, Terms: map[string][]string{"state": {value}}}
				found, err := store.Find(t.Context(), q)
				if err != nil || len(found) != len(ids) || ids != "" && found[0].ID != ids {
					t.Errorf("Find(%s) = %v, %v; want %s", value, found, err, ids)
				}
			}
		})
	}
}

func TestOneStepBackAndForwardAgainKeepsEveryVersion(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, c decisions.Config) {
		store, err := decisions.Open(t.Context(), c)
		if err != nil {
			t.Fatalf("Open(): %v", err)
		}
		first := decisionstest.Change("a", 0)
		first.Terms = map[string]string{"state": "open"}
		second := decisionstest.Change("a", 1)
		second.Terms = map[string]string{"state": "settled"}
		for _, change := range []decisions.Change{first, second, decisionstest.Change("b", 0)} {
			if _, err := store.Write(t.Context(), change); err != nil {
				t.Fatalf("Write(): %v", err)
			}
		}
		want := lines(t, store)
		if err := store.Close(); err != nil {
			t.Fatalf("Close(): %v", err)
		}
		for schema := decisions.Newest; schema > 1; schema-- {
			from, to, err := decisions.Back(t.Context(), c)
			if err != nil || from != schema || to != schema-1 {
				t.Fatalf("Back() = %d, %d, %v; want %d, %d", from, to, err, schema, schema-1)
			}
		}
		if _, _, err := decisions.Back(t.Context(), c); !errors.Is(err, decisions.ErrFirstStep) {
			t.Errorf("Back() = %v, want ErrFirstStep", err)
		}
		store = open(t, c)
		if d := cmp.Diff(want, lines(t, store)); d != "" {
			t.Errorf("after a step back and forward (-want +got):\n%s", d)
		}
		found, err := store.Find(t.Context(), decisions.Query{
			Kind: decisions.Review, Terms: map[string][]string{"state": {"settled"}},
		})
		if err != nil || len(found) != 1 {
			t.Errorf("Find() = %v, %v; want one", found, err)
		}
	})
}

func TestAStoreOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, c decisions.Config) {
		store := open(t, c)
		err := store.Exec(t.Context(), `insert into schema_step (number, taken_at) values ($1, 0)`, decisions.Newest+7)
		if err != nil {
			t.Fatal(err)
		}
		existing := c
		existing.Existing = true
		_, opened := decisions.Open(t.Context(), c)
		_, looked := decisions.Open(t.Context(), existing)
		_, _, back := decisions.Back(t.Context(), c)
		for name, err := range map[string]error{"Open": opened, "Open existing": looked, "Back": back} {
			if !errors.Is(err, decisions.ErrSchema) {
				t.Errorf("%s() = %v, want ErrSchema", name, err)
			}
			for _, number := range []int{decisions.Newest, decisions.Newest + 7} {
				if !strings.Contains(fmt.Sprint(err), fmt.Sprint(number)) {
					t.Errorf("%s() = %v, which does not name %d", name, err, number)
				}
			}
		}
	})
}

func TestAStepThatBreaksLeavesTheOneBefore(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, c decisions.Config) {
		older, err := decisions.OpenAt(t.Context(), c, 1)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, older)
		// What the step makes last is in its way.
		if err := older.Exec(t.Context(), `create table other (x text)`); err != nil {
			t.Fatal(err)
		}
		if err := older.Exec(t.Context(), `create index term_of_decision on other (x)`); err != nil {
			t.Fatal(err)
		}
		if err := older.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := decisions.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "step 2") {
				t.Fatalf("Open() = %v, want an error that names step 2", err)
			}
		}
		c.Existing = true
		status, err := open(t, c).Status(t.Context())
		if err != nil || status.Schema != 1 || status.Kinds[0].Versions != 4 {
			t.Errorf("Status() = %+v, %v; want schema 1 and 4 versions", status, err)
		}
	})
}

// A store that is only looked at stays as it is.
func TestLookingChangesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, c decisions.Config) {
		looking := c
		looking.Existing = true
		for range 2 {
			if _, err := decisions.Open(t.Context(), looking); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("Open() of nothing = %v, want fs.ErrNotExist", err)
			}
		}
		if _, _, err := decisions.Back(t.Context(), c); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Back() of nothing = %v, want fs.ErrNotExist", err)
		}
		older, err := decisions.OpenAt(t.Context(), c, 1)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, older)
		if err := older.Close(); err != nil {
			t.Fatal(err)
		}
		store := open(t, looking)
		if _, err := store.Write(t.Context(), decisionstest.Change("z", 0)); err == nil {
			t.Error("Write() succeeds")
		}
		if _, err := store.Restore(t.Context(), "archive"); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Restore() = %v, want that it was opened to look", err)
		}
		archive, err := store.Backup(t.Context(), filepath.Join(t.TempDir(), "archive"))
		if err != nil || archive.Documents != 3 || archive.Versions != 4 {
			t.Errorf("Backup() = %+v, %v", archive, err)
		}
		status, err := store.Status(t.Context())
		if err != nil || status.Schema != 1 || status.Newest != decisions.Newest {
			t.Errorf("Status() = %+v, %v; want schema 1", status, err)
		}
	})
}

// Every step can be taken and taken back on either database, and nothing else is in the folder.
func TestStepsHaveNoHoles(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^(\d+)\.(up|down)\.sql$`)
	for name := range backends {
		files, err := os.ReadDir(filepath.Join("migrations", name))
		if err != nil || len(files) != 2*decisions.Newest {
			t.Errorf("%s has %d files, %v; want %d", name, len(files), err, 2*decisions.Newest)
		}
		for _, file := range files {
			if !form.MatchString(file.Name()) {
				t.Errorf("%s holds %s", name, file.Name())
			}
		}
	}
}

// The database itself keeps what is written, whoever comes past the program.
func TestNothingThatIsWrittenCanBeChanged(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, c decisions.Config) {
		store := open(t, c)
		if _, err := store.Write(t.Context(), decisionstest.Change("a", 0)); err != nil {
			t.Fatal(err)
		}
		want := lines(t, store)
		statements := []string{`update decision set author = 'another'`, `delete from decision`}
		if c.URL != "" {
			statements = append(statements, `truncate decision`)
		}
		for _, statement := range statements {
			err := store.Exec(t.Context(), statement)
			if err == nil || !strings.Contains(err.Error(), "a version of a decision is never") {
				t.Errorf("%s: %v", statement, err)
			}
		}
		if d := cmp.Diff(want, lines(t, store)); d != "" {
			t.Errorf("afterwards (-want +got):\n%s", d)
		}
	})
}
