package decisions_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/decisions/decisionstest"
)

// A password stands in the URL and nowhere else.
func TestAPasswordIsInNoError(t *testing.T) {
	t.Parallel()
	const canary = "canary-9182"
	folder := url.QueryEscape(t.TempDir())
	addresses := map[string]string{
		"another scheme":       "mysql://u:" + canary + "@host/db",
		"no URL":               "user=u password=" + canary + " host=h",
		"no port":              "postgres://u:" + canary + "@host:port/db",
		"a broken escape":      "postgres://u:" + canary + "%zz@host/db",
		"a slash in it":        "postgres://u:" + canary + "/more@127.0.0.1:1/db",
		"an unknown mode":      "postgres://u:" + canary + "@127.0.0.1:1/db?sslmode=" + canary,
		"a missing file":       "postgres://u:" + canary + "@127.0.0.1:1/db?sslrootcert=/none/" + canary,
		"nobody listens":       "postgres://u:" + canary + "@127.0.0.1:1/db?sslmode=disable",
		"no socket":            "postgres://u:" + canary + "@/db?host=" + folder,
		"a parameter":          "postgres://u@/db?password=" + canary + "&host=" + folder,
		"perhaps in the clear": "postgres://u:" + canary + "@192.0.2.1/db",
	}
	for name, address := range addresses {
		_, err := decisions.Open(t.Context(), decisions.Config{URL: address})
		if err == nil {
			t.Errorf("%s: Open() succeeds", name)
		}
		if strings.Contains(fmt.Sprint(err), canary) {
			t.Errorf("%s: Open() = %v, which holds the password", name, err)
		}
	}
	// Roles are of a whole server.
	var server decisionstest.Postgres
	t.Cleanup(server.Stop)
	server.SQL(t, server.URL(t), "create role secretive login superuser password 'right'")
	right := server.URLOf(t, "secretive", "right", "postgres")
	open(t, decisions.Config{URL: right, Now: decisionstest.Now})
	wrong := server.URLOf(t, "secretive", canary, "postgres")
	_, err := decisions.Open(t.Context(), decisions.Config{URL: wrong})
	if !strings.Contains(fmt.Sprint(err), "password authentication failed") || strings.Contains(err.Error(), canary) {
		t.Errorf("Open() with a wrong password = %v", err)
	}
}

// Where nobody says how another machine is spoken to, it is not spoken to.
func TestAnotherMachineIsNotSpokenToInTheClearByAccident(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		refused  bool
	}{
		{"nothing is said", "postgres://u@192.0.2.1/db", true},
		{"if the server wishes", "postgres://u@192.0.2.1/db?sslmode=prefer", true},
		{"if it has to be", "postgres://u@192.0.2.1/db?sslmode=allow", true},
		{"encrypted", "postgres://u@192.0.2.1/db?sslmode=require", false},
		{"in the clear, as was asked for", "postgres://u@192.0.2.1/db?sslmode=disable", false},
		{"this machine", "postgres://u@127.0.0.1:1/db", false},
		{"this machine by name", "postgres://u@localhost:1/db", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// Nobody is spoken to: it is too late before it begins.
			ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
			defer cancel()
			_, err := decisions.Open(ctx, decisions.Config{URL: test.in})
			if got := strings.Contains(fmt.Sprint(err), "sslmode="); got != test.refused {
				t.Errorf("Open() = %v, want refused: %t", err, test.refused)
			}
		})
	}
}

// The roles and grants that the documentation gives are enough, and not more than enough.
func TestARoleThatMayOnlyAddIsEnough(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/decisions.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 2 {
		t.Fatalf("the documentation has %d blocks of SQL, want the roles and the grants", len(blocks))
	}
	var server decisionstest.Postgres
	t.Cleanup(server.Stop)
	server.SQL(t, server.URL(t), blocks[0][1])
	owner := server.URLOf(t, "equitylens_owner", "", "equitylens")
	adding := server.URLOf(t, "equitylens", "", "equitylens")
	if _, err := decisions.Open(t.Context(), decisions.Config{URL: adding}); err == nil {
		t.Error("Open() makes the tables as the role that may only add")
	}
	open(t, decisions.Config{URL: owner})
	server.SQL(t, owner, blocks[1][1])
	store := open(t, decisions.Config{URL: adding})
	for i := range 2 {
		if _, err := store.Write(t.Context(), decisionstest.Change("a", i)); err != nil {
			t.Fatalf("Write(): %v", err)
		}
	}
	if _, err := store.Backup(t.Context(), filepath.Join(t.TempDir(), "archive")); err != nil {
		t.Errorf("Backup(): %v", err)
	}
	for _, statement := range []string{
		`delete from decision`, `update decision set author = 'x'`, `drop table decision`, `create table more (x int)`,
	} {
		err := store.Exec(t.Context(), statement)
		// Insufficient privilege.
		if err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v, want that the role may not", statement, err)
		}
	}
}

// A database that is set to forget commits, or to isolate more than is asked, does neither.
func TestSettingsOfTheServerDoNotMatter(t *testing.T) {
	t.Parallel()
	for _, isolation := range []string{"serializable", "repeatable read"} {
		t.Run(isolation, func(t *testing.T) {
			t.Parallel()
			address := postgres.URL(t)
			name := address[strings.LastIndex(address[:strings.Index(address, "?")], "/")+1 : strings.Index(address, "?")]
			postgres.SQL(t, address, `alter database `+name+` set synchronous_commit = off`)
			postgres.SQL(t, address, `alter database `+name+` set default_transaction_isolation = '`+isolation+`'`)
			store := open(t, decisions.Config{URL: address})
			const writers = 6
			var group sync.WaitGroup
			for range writers {
				group.Go(func() { countUp(t, store) })
			}
			group.Wait()
			history, err := store.History(t.Context(), decisions.Review, "a")
			if err != nil || len(history) != writers {
				t.Errorf("History() = %d versions, %v; want %d", len(history), err, writers)
			}
			err = store.Exec(t.Context(), `do $$ begin
				assert current_setting('synchronous_commit') = 'on', 'commits are forgotten';
				assert current_setting('default_transaction_isolation') = '`+isolation+`', 'it is not set';
			end $$`)
			if err != nil {
				t.Error(err)
			}
		})
	}
}
