package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/internal/config"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/decisions/decisionstest"
)

// decided returns a data directory in which something was decided, through the program's own door.
func decided(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	p, _, _ := newProgram()
	store, err := p.decisions(t.Context(), &config.Config{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		c := decisionstest.Change("r-1", i)
		c.Terms = map[string]string{"state": "open"}
		c.Body = []byte(`{"evidence": "words of canary-5521"}`)
		if _, err := store.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	action := decisionstest.Change("a-1", 0)
	action.Kind = decisions.Action
	if _, err := store.Write(t.Context(), action); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return data
}

const statusContract = `{"backend": "sqlite", "schema": 2, "schema_of_program": 2, "kinds": [
	{"kind": "review", "documents": 1, "versions": 2, "last": "2026-03-01T00:00:00Z"}]}`

const historyContract = `[{"version": 1, "at": "2026-03-01T00:00:00.000001Z", "by": "x", "terms": {"state": "open"}}]`

func TestDecisionsAreBackedUpAndRestored(t *testing.T) {
	t.Parallel()
	data, other := decided(t), t.TempDir()
	file := filepath.Join(t.TempDir(), "backup.ndjson")
	if o := must(t, "decisions", "backup", file, "--data", data); !strings.Contains(o.out, "2 decisions with 3 versions") {
		t.Errorf("backup says %q", o.out)
	}
	if o := equitylens(t, "decisions", "backup", file, "--data", data); o.code != exitFailed ||
		!strings.Contains(o.err, "exists") {
		t.Errorf("backup over a file = %+v", o)
	}
	must(t, "decisions", "restore", file, "--data", other)
	if o := equitylens(t, "decisions", "restore", file, "--data", other); o.code != exitFailed ||
		!strings.Contains(o.err, "holds decisions already") {
		t.Errorf("restore over decisions = %+v", o)
	}
	want := must(t, "decisions", "history", "review", "r-1", "--bodies", "--json", "--data", data)
	got := must(t, "decisions", "history", "review", "r-1", "--bodies", "--json", "--data", other)
	if want.out != got.out || !strings.Contains(got.out, "canary-5521") {
		t.Errorf("restored:\n%s\nwant:\n%s", got.out, want.out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text[:len(text)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	if o := equitylens(t, "decisions", "restore", file, "--data", empty); o.code != exitFailed ||
		!strings.Contains(o.err, "not a whole archive") {
		t.Errorf("restore of half a file = %+v", o)
	}
	if o := must(t, "decisions", "status", "--json", "--data", empty); !strings.Contains(o.out, `"kinds": []`) {
		t.Errorf("status = %s", o.out)
	}
}

func TestDecisionsAreLookedAt(t *testing.T) {
	t.Parallel()
	data := decided(t)
	o := must(t, "decisions", "status", "--json", "--data", data)
	checkContract(t, statusContract, o.out)
	o = must(t, "decisions", "status", "--data", data)
	for _, want := range []string{"sqlite, schema 2\n", "review  1          2", "action  1          1"} {
		if !strings.Contains(o.out, want) {
			t.Errorf("status says %q, want %q in it", o.out, want)
		}
	}
	o = must(t, "decisions", "history", "review", "r-1", "--json", "--data", data)
	checkContract(t, historyContract, o.out)
	if strings.Contains(o.out, "canary") {
		t.Errorf("history without --bodies says %s", o.out)
	}
	o = must(t, "decisions", "history", "review", "r-1", "--data", data)
	if strings.Contains(o.out, "canary") || strings.Count(o.out, "tester") != 2 {
		t.Errorf("history without --bodies says %s", o.out)
	}
	if o := equitylens(t, "decisions", "history", "revue", "r-1", "--data", data); o.code != exitFailed ||
		!strings.Contains(o.err, "incident, review, action") {
		t.Errorf("history of no kind = %+v", o)
	}
	if o := equitylens(t, "decisions", "history", "review", "none", "--data", data); o.code != exitFailed ||
		!strings.Contains(o.err, "no such decision") {
		t.Errorf("history of nothing = %+v", o)
	}
}

// Who reads the words of a decision is in the audit trail, and the words are not.
func TestWordsOfDecisionsAreReadOnTheRecord(t *testing.T) {
	t.Parallel()
	data := decided(t)
	must(t, "decisions", "history", "review", "r-1", "--data", data)
	if _, err := os.Stat(filepath.Join(data, "audit")); err == nil {
		t.Error("an audit trail is there, and nobody has read any words")
	}
	if o := must(t, "decisions", "history", "review", "r-1", "--bodies", "--data", data); !strings.Contains(o.out, "canary") {
		t.Errorf("history --bodies says %s", o.out)
	}
	if o := must(t, "audit", "verify", "--data", data); !strings.Contains(o.out, " 1 events") {
		t.Errorf("with the words: %s", o.out)
	}
	files, err := filepath.Glob(filepath.Join(data, "audit", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the audit trail has %d files, %v", len(files), err)
	}
	said := ""
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		said += string(text)
	}
	if strings.Contains(said, "canary") || !strings.Contains(said, "review r-1") {
		t.Errorf("the audit trail says %s", said)
	}
}

func TestTheSchemaOfDecisionsGoesOneStepBack(t *testing.T) {
	t.Parallel()
	data := decided(t)
	if o := must(t, "decisions", "back", "--data", data); o.out != "the schema is 1, it was 2\n" {
		t.Errorf("back says %q", o.out)
	}
	// Looking at it does not take the step again.
	for range 2 {
		if o := must(t, "decisions", "status", "--data", data); !strings.Contains(o.out, "schema 1; forward or serve brings it to 2") {
			t.Errorf("status says %q", o.out)
		}
	}
	must(t, "decisions", "history", "review", "r-1", "--data", data)
	must(t, "decisions", "backup", filepath.Join(t.TempDir(), "backup"), "--data", data)
	if o := equitylens(t, "decisions", "back", "--data", data); o.code != exitFailed ||
		!strings.Contains(o.err, "is not taken back") {
		t.Errorf("back once more = %+v", o)
	}
	for range 2 {
		if o := must(t, "decisions", "forward", "--data", data); o.out != "sqlite, schema 2\n" {
			t.Errorf("forward says %q", o.out)
		}
	}
}

func TestThereIsNothingDecidedYet(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "none")
	for _, args := range [][]string{
		{"status"}, {"history", "review", "r-1"}, {"backup", filepath.Join(t.TempDir(), "backup")}, {"back"},
	} {
		o := equitylens(t, append(append([]string{"decisions"}, args...), "--data", data)...)
		if o.code != exitFailed || o.err == "" {
			t.Errorf("%s of nothing = %+v", args[0], o)
		}
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("looking has made a data directory")
	}
}

// The URL of a PostgreSQL is read from its file, and neither it nor its password is said.
func TestThePostgreSQLOfDecisionsIsNamedByAFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	named := filepath.Join(folder, "url")
	site := filepath.Join(folder, "equitylens.yaml")
	text := "data: " + folder + "\ndecisions:\n  postgres_url_file: " + named + "\n"
	if err := os.WriteFile(site, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ in, want string }{
		"no file":        {"", "no such file"},
		"an empty file":  {"\n", "is empty"},
		"not a URL":      {"canary-5522\n", "postgres://"},
		"nobody listens": {"postgres://user:canary-5522@127.0.0.1:1/db\n", "connect"},
	} {
		if test.in != "" {
			if err := os.WriteFile(named, []byte(test.in), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		o := equitylens(t, "decisions", "status", "--config", site)
		if test.in == "" {
			o = equitylens(t, "decisions", "status", "--config", write(t, map[string]string{
				"equitylens.yaml": "decisions:\n  postgres_url_file: none\n",
			})+"/equitylens.yaml")
		}
		if o.code != exitFailed || !strings.Contains(o.err, test.want) || strings.Contains(o.err, "canary") {
			t.Errorf("%s: %+v, want %q", name, o, test.want)
		}
	}
	var server decisionstest.Postgres
	t.Cleanup(server.Stop)
	if err := os.WriteFile(named, []byte(server.URL(t)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "backup")
	must(t, "decisions", "backup", file, "--data", decided(t))
	must(t, "decisions", "restore", file, "--config", site)
	if o := must(t, "decisions", "status", "--config", site); !strings.Contains(o.out, "postgresql, schema 2") ||
		!strings.Contains(o.out, "review  1          2") {
		t.Errorf("status = %s", o.out)
	}
	if _, err := os.Stat(filepath.Join(folder, decisionsFile)); err == nil {
		t.Error("there is an SQLite file too")
	}
}
