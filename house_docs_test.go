package equitylens_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("read %s: %v", name, err)
	}
	return string(text)
}

// A row of these documents is a promise, and the test that it names is what keeps it.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	t.Parallel()
	all, _ := sources(t)
	exists := map[string]bool{}
	for _, s := range all {
		for _, d := range s.file.Decls {
			if function, ok := d.(*ast.FuncDecl); ok && s.test && function.Recv == nil {
				exists[function.Name.Name] = true
			}
		}
	}
	name := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	row := regexp.MustCompile(`(?m)^\| (?:\d+|\S.*) \|.*\|$`)
	for _, path := range []string{"docs/threats.md", "docs/conformance.md"} {
		text := readText(t, path)
		found := name.FindAllStringSubmatch(text, -1)
		if len(found) < 20 {
			t.Errorf("%s names %d tests; is its form still `TestName`?", path, len(found))
		}
		for _, m := range found {
			if !exists[m[1]] {
				t.Errorf("%s names %s, which does not exist", path, m[1])
			}
		}
		if len(row.FindAllString(text, -1)) < 20 {
			t.Errorf("%s has hardly a row", path)
		}
	}
}

// The figures at the head of the checklist are those of its rows, and each row is held by a test or says
// that it is not claimed.
func TestTheChecklistIsCounted(t *testing.T) {
	t.Parallel()
	text := readText(t, "docs/conformance.md")
	said := regexp.MustCompile(`\*\*(\d+) checks: (\d+) held by a test, (\d+) not claimed, 0 not held\.\*\*`)
	rows := regexp.MustCompile(`(?m)^\| [AB]\d+\.\d+ \|.*\|$`).FindAllString(text, -1)
	held, left := 0, 0
	for _, row := range rows {
		switch {
		case strings.Contains(row, "`Test"):
			held++
		case strings.HasSuffix(row, "| not claimed |"):
			left++
		default:
			t.Errorf("neither held nor left out: %s", row)
		}
	}
	want := []string{strconv.Itoa(len(rows)), strconv.Itoa(held), strconv.Itoa(left)}
	if m := said.FindStringSubmatch(text); m == nil || !slices.Equal(m[1:], want) {
		t.Errorf("it says %q of %v checks, held and not claimed", m, want)
	}
}

// Every numbered row names at least one test.
func TestThreatsAreTested(t *testing.T) {
	t.Parallel()
	row := regexp.MustCompile(`^\| (\d+) \|`)
	for line := range strings.Lines(readText(t, "docs/threats.md")) {
		if m := row.FindStringSubmatch(line); m != nil && !strings.Contains(line, "`Test") {
			t.Errorf("row %s names no test", m[1])
		}
	}
}

// What the documents point at is there: files, folders, targets of make.
func TestDocumentsPointAtWhatExists(t *testing.T) {
	t.Parallel()
	documents, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatalf("list documents: %v", err)
	}
	documents = append(documents, "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
	file := regexp.MustCompile("`((?:auth|cmd|deploy|docs|fhir|internal|mapping|measure|scripts|server|store)/[A-Za-z0-9_./-]*)`")
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	target := regexp.MustCompile("`make ([a-z-]+)")
	makefile := readText(t, "Makefile")
	for _, document := range documents {
		text := readText(t, document)
		var paths []string
		for _, m := range file.FindAllStringSubmatch(text, -1) {
			paths = append(paths, m[1])
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			paths = append(paths, filepath.Join(filepath.Dir(document), m[1]))
		}
		slices.Sort(paths)
		for _, path := range slices.Compact(paths) {
			if _, err := os.Stat(filepath.FromSlash(path)); err != nil {
				t.Errorf("%s points at %s, which is not there", document, path)
			}
		}
		for _, m := range target.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s names make %s, which is no target", document, m[1])
			}
		}
	}
}
