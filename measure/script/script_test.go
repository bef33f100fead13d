package script_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/measure/script"
)

// clock ticks a second at every reading.
func clock() func() time.Time {
	at := time.Date(2027, 7, 1, 2, 0, 0, 0, time.UTC)
	return func() time.Time {
		at = at.Add(time.Second)
		return at
	}
}

// runner runs scripts on the measures that ship.
func runner(t testing.TB, own ...measure.Definition) script.Runner {
	t.Helper()
	shipped, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	all, err := measure.Combine(shipped, own)
	if err != nil {
		t.Fatal(err)
	}
	return script.Runner{Definitions: all, Now: clock(), Folder: t.TempDir()}
}

// parse reads a script that has no fault.
func parse(t testing.TB, name, text string) *script.Script {
	t.Helper()
	s, err := script.Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a script and returns the reports of its failures.
func run(t testing.TB, r script.Runner, s *script.Script) string {
	t.Helper()
	failures, err := r.Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var reports []string
	for _, f := range failures {
		reports = append(reports, f.String())
	}
	return strings.Join(reports, "\n")
}

const scripts = "../testdata"

// own loads the definitions that the scripts bring with them, beside those that ship.
func own(t testing.TB) []measure.Definition {
	t.Helper()
	list, err := measure.Load(os.DirFS(filepath.Join(scripts, "own")))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestScripts runs every script of measure/testdata.
func TestScripts(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(os.DirFS(scripts), "*"+script.Extension)
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	definitions := own(t)
	for _, name := range names {
		t.Run(strings.TrimSuffix(name, script.Extension), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join(scripts, name))
			if err != nil {
				t.Fatal(err)
			}
			if report := run(t, runner(t, definitions...), parse(t, name, string(text))); report != "" {
				t.Error(report)
			}
		})
	}
}

// TestEveryMeasureHasAScript holds the catalogue against the scripts.
func TestEveryMeasureHasAScript(t *testing.T) {
	t.Parallel()
	list, err := script.Load(os.DirFS(scripts))
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for _, s := range list {
		for _, id := range s.Measures() {
			asked[id] = true
		}
	}
	for _, d := range runner(t).Definitions {
		if !asked[d.ID] {
			t.Errorf("no script asks about %s", d.ID)
		}
	}
}
