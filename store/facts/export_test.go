package facts

import (
	"database/sql"
	"testing"

	"github.com/duckdb/duckdb-go/v2"
)

// SetSchemaVersion makes a snapshot one of another version of the program.
func SetSchemaVersion(t *testing.T, d *Dir, id string, version int) {
	t.Helper()
	connector, err := duckdb.NewConnector(d.database(id), nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	if _, err := db.ExecContext(t.Context(), "UPDATE meta.snapshot SET schema_version = ?",
		version); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// MakeOldest makes a snapshot one of the oldest version that a run can add to.
func MakeOldest(t *testing.T, d *Dir, id string) {
	t.Helper()
	SetSchemaVersion(t, d, id, schemaWithQuality)
	connector, err := duckdb.NewConnector(d.database(id), nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	if _, err := db.ExecContext(t.Context(), "DROP TABLE base.answer"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// OldestSchema is the oldest version of a snapshot that a run can add to.
const OldestSchema = schemaWithQuality

// MostIssues is how many issues are told apart.
const MostIssues = mostIssues

// MostRecords is how many runs are remembered.
const MostRecords = mostRecords
