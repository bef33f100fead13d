// Package equitylens_test holds the tests of the house itself: who may import whom, and the few rules
// of style that are worth a failing build. They need nothing but go/parser, so that they run wherever
// the other tests run; .golangci.yml asks for the same and more.
package equitylens_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/equitylens/equitylens"

// floors is the import direction: a package may import packages of lower floors, never of its own or a
// higher one. A new package must be given a floor here, which is the moment to ask whether it is needed.
// A folder that is not here and ends in "test" stands one floor above what it supports. Tests may look
// anywhere: what they import is in no program.
var floors = map[string]int{
	"internal/dial":            0,
	"internal/phi":             0,
	"internal/worldtest":       0,
	"fhir":                     0,
	"fhir/r4":                  0,
	"fhir/fhirtest/population": 0,
	"auth/keys":                0,
	"auth/scope":               0,
	"measure/catalog":          0,
	"measure/stat":             0,
	"store/cache":              0,
	"store/decisions":          0,
	"store/trail":              0,

	"auth/grant":              1,
	"auth/role":               1,
	"auth/jwks":               1,
	"fhir/audit":              1,
	"fhir/client":             1,
	"mapping":                 1,
	"measure/disclose":        1,
	"measure/stat/inequality": 1,
	"measure/stat/spc":        1,
	"server/chart":            1,
	"store/ledger":            1,

	"fhir/bulk":   2,
	"auth":        2,
	"auth/smart":  2,
	"store/facts": 2,

	"auth/session": 3,
	"measure":      3,

	"internal/imports": 4,
	"internal/ingest":  4,
	"measure/gap":      4,
	"measure/release":  4,
	"measure/report":   4,
	"server/words":     4,

	"internal/bedside": 3,
	"internal/cds":     4,

	"improvement/review":    3,
	"improvement/readiness": 4,
	"improvement/action":    4,
	"improvement/effect":    5,
	"improvement/form":      6,
	"improvement/evidence":  7,
	"improvement/network":   7,
	"internal/incident":     5,

	"measure/export": 5,
	"measure/script": 5,
	"server/figure":  6,

	"internal/config": 6,
	"server":          6,
	"server/page":     7,

	"internal/dashboard": 8,
	"internal/live":      7,
	"internal/room":      8,
	"internal/visit":     8,

	"internal/acting":      9,
	"internal/exchange":    9,
	"internal/institution": 9,
	"internal/reviewing":   9,

	"cmd/equitylens": 10,
	"deploy/fakeehr": 10,
	"internal/bench": 10,
}

// doors names the dependencies that only some folders may import, so that a library can be replaced by
// changing one of them.
var doors = []struct {
	library string
	folders []string
}{
	{"github.com/duckdb/", []string{"store/facts", "internal/bench"}},
	{"github.com/redis/go-redis/", []string{"store/cache"}},
	{"github.com/mattn/go-sqlite3", []string{"store/decisions"}},
	{"github.com/jackc/", []string{"store/decisions"}},
	{"github.com/ory/fosite", []string{"auth"}},
	{"github.com/gorilla/mux", []string{"server"}},
	{"github.com/google/fhir/", []string{"fhir/r4", "fhir/audit", "improvement/form", "measure/report", "server", "internal/bench"}},
	{"github.com/valyala/fastjson", []string{"fhir"}},
	{"github.com/parquet-go/", []string{"measure/export"}},
	{"github.com/xuri/", []string{"measure/export"}},
	{"github.com/goccy/go-yaml", []string{"improvement/readiness", "internal/config", "measure", "deploy"}},
	{"github.com/spf13/cobra", []string{"cmd"}},
	{"github.com/gofrs/flock", []string{"store/facts"}},
	{"github.com/robfig/cron/", []string{"internal/config", "cmd"}},
	{"github.com/prometheus/", []string{"server", "cmd"}},
	{"gonum.org/v1/gonum", []string{"measure/stat"}},
	{"gonum.org/v1/plot", []string{"server/chart"}},
	{"github.com/chromedp/", []string{"server/page", "internal/acting", "internal/institution", "internal/reviewing", "cmd/equitylens"}},
	{"golang.org/x/time", []string{"server"}},
	{"golang.org/x/text", []string{"mapping", "measure/report", "server/figure", "server/page", "server/words", "internal/cds", "internal/incident"}},
	{"golang.org/x/crypto", []string{"store/cache"}},
}

// forTests are libraries that no program links: a browser, and what tests compare and search with.
var forTests = []string{
	"github.com/chromedp/", "github.com/google/go-cmp", "pgregory.net/rapid", "go.uber.org/goleak",
	"golang.org/x/mod", "golang.org/x/net",
}

// pure names the packages that know no network, file, clock or log, and what would break that.
var (
	pure = []string{
		"mapping", "measure/stat", "measure/stat/inequality", "measure/stat/spc", "measure/disclose", "auth/scope",
		"auth/role", "server/chart",
	}
	impure = []string{"net", "net/http", "os", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand"}
)

// source is a parsed file of the module.
type source struct {
	path   string
	folder string
	test   bool
	lines  int
	file   *ast.File
}

// support reports whether the file only ever serves tests.
func (s source) support() bool {
	return s.test || strings.HasSuffix(s.folder, "test") || strings.Contains(s.folder, "test/")
}

// sources parses every Go file of the module.
func sources(t *testing.T) ([]source, *token.FileSet) {
	t.Helper()
	var all []source
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(name)
		all = append(all, source{
			path: slashed, folder: path.Dir(slashed), test: strings.HasSuffix(name, "_test.go"),
			lines: set.Position(file.End()).Line, file: file,
		})
		return nil
	})
	if err != nil {
		t.Fatalf("parse the module: %v", err)
	}
	if len(all) == 0 {
		t.Fatal("no Go file was found")
	}
	return all, set
}

func imports(s source) []string {
	paths := make([]string, 0, len(s.file.Imports))
	for _, i := range s.file.Imports {
		text, _ := strconv.Unquote(i.Path.Value) // The parser has accepted it.
		paths = append(paths, text)
	}
	return paths
}

func within(folder string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		return folder == f || strings.HasPrefix(folder, f+"/")
	})
}

func TestDependenciesComeInByTheirDoors(t *testing.T) {
	t.Parallel()
	all, _ := sources(t)
	for _, s := range all {
		for _, imported := range imports(s) {
			for _, door := range doors {
				if strings.HasPrefix(imported, door.library) && !within(s.folder, door.folders) {
					t.Errorf("%s imports %s; only %s may", s.path, imported, strings.Join(door.folders, ", "))
				}
			}
		}
	}
}

func TestLibrariesForTestsAreInNoProgram(t *testing.T) {
	t.Parallel()
	all, _ := sources(t)
	for _, s := range all {
		for _, imported := range imports(s) {
			ours := func(library string) bool { return strings.HasPrefix(imported, library) }
			if !s.support() && slices.ContainsFunc(forTests, ours) {
				t.Errorf("%s imports %s; only tests may", s.path, imported)
			}
		}
	}
}

func TestImportsRunDownwards(t *testing.T) {
	t.Parallel()
	all, _ := sources(t)
	for _, s := range all {
		if s.test {
			continue
		}
		own, known := floorOf(s.folder)
		if !known {
			t.Errorf("%s: the folder %s has no floor in house_test.go", s.path, s.folder)
			continue
		}
		for _, imported := range imports(s) {
			folder, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			if below, ok := floorOf(folder); !ok || below >= own {
				t.Errorf("%s (floor %d) imports %s (floor %d); imports run downwards", s.path, own, folder, below)
			}
		}
	}
}

func floorOf(folder string) (int, bool) {
	if floor, ok := floors[folder]; ok {
		return floor, true
	}
	floor, ok := floors[path.Dir(folder)]
	return floor + 1, ok && strings.HasSuffix(folder, "test")
}

func TestPurePackagesKnowNoWorld(t *testing.T) {
	t.Parallel()
	all, _ := sources(t)
	for _, s := range all {
		if s.test || !slices.Contains(pure, s.folder) {
			continue
		}
		for _, imported := range imports(s) {
			if slices.Contains(impure, imported) {
				t.Errorf("%s imports %s; %s is pure", s.path, imported, s.folder)
			}
		}
	}
}

func TestEveryPackageSaysOnceWhatItIs(t *testing.T) {
	t.Parallel()
	all, _ := sources(t)
	comments := map[string][]string{}
	for _, s := range all {
		key := s.folder
		if s.test {
			if s.folder != "." && s.folder != "deploy" {
				continue // The tests of a package need no words of their own.
			}
			key += " tests"
		}
		if _, ok := comments[key]; !ok {
			comments[key] = nil
		}
		if s.file.Doc != nil {
			comments[key] = append(comments[key], s.path)
		}
	}
	for folder, files := range comments {
		if len(files) != 1 {
			t.Errorf("%s has %d package comments %v, want one", folder, len(files), files)
		}
	}
}

// forbidden are calls that take in the world behind the back of the caller: the clock, the process, a
// client without a timeout. A zero value of a Config may still mean time.Now, which is no call.
var forbidden = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "Tick"},
	"os":   {"Exit", "Getenv", "LookupEnv", "Environ"},
	"fmt":  {"Print", "Printf", "Println"},
	"log":  {"Print", "Printf", "Println", "Fatal", "Fatalf", "Fatalln", "Panic", "Panicf"},
	"log/slog": {
		"Debug", "Info", "Warn", "Error", "Log", "Default", "SetDefault",
		"DebugContext", "InfoContext", "WarnContext", "ErrorContext",
	},
	"net/http":     {"Get", "Head", "Post", "PostForm", "NewRequest", "HandleFunc", "Handle"},
	"math/rand":    {"Int", "Intn", "Float64", "Shuffle", "Perm", "Seed", "Int63", "Uint64"},
	"math/rand/v2": {"Int", "IntN", "Float64", "Shuffle", "Perm", "Int64", "Uint64", "N"},
}

func TestTheWorldIsPassedIn(t *testing.T) {
	t.Parallel()
	all, set := sources(t)
	for _, s := range all {
		if s.support() || s.file.Name.Name == "main" {
			continue
		}
		names := importNames(s)
		ast.Inspect(s.file, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok && selector.Sel.Name == "DefaultClient" {
				t.Errorf("%v: http.DefaultClient has no timeout", set.Position(n.Pos()))
			}
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			selector, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			name, ok := selector.X.(*ast.Ident)
			if ok && slices.Contains(forbidden[names[name.Name]], selector.Sel.Name) {
				t.Errorf("%v: %s.%s is not for a package; take it as a value", set.Position(n.Pos()),
					name.Name, selector.Sel.Name)
			}
			return true
		})
	}
}

// importNames maps the name by which a file knows a package to its path.
func importNames(s source) map[string]string {
	names := map[string]string{}
	for i, imported := range imports(s) {
		name := path.Base(strings.TrimSuffix(imported, "/v2"))
		if given := s.file.Imports[i].Name; given != nil {
			name = given.Name
		}
		names[name] = imported
	}
	return names
}

func TestModuleStandsOnItsOwn(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatalf("read go.mod: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "replace") || strings.HasPrefix(line, "exclude") {
			t.Errorf("go.mod holds %q; others could not require the module", strings.TrimSpace(line))
		}
	}
	// Newer versions link a library that is not served for every platform.
	if !strings.Contains(string(text), "github.com/duckdb/duckdb-go/v2 v2.10505.0") {
		t.Error("go.mod asks for another duckdb-go than v2.10505.0")
	}
}
