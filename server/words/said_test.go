package words_test

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/language"
)

// module is the folder of the module, seen from here.
const module = "../.."

// speakers are the folders whose sources say sentences.
var speakers = []string{
	"server/figure", "server/page", "server/words", "internal/dashboard", "internal/room", "internal/reviewing",
	"internal/acting", "internal/institution", "improvement/evidence",
}

// action is what a template does, and quoted a string in it.
var (
	action = regexp.MustCompile(`{{[^}]*}}`)
	quoted = regexp.MustCompile(`"([^"\n]+)"`)
)

// literals are the strings of all programs of the module, and those of the speakers and their templates
// alone. What stands in a comment or in a test is not among them.
func literals(t *testing.T) (all, spoken map[string]bool) {
	t.Helper()
	all, spoken = map[string]bool{}, map[string]bool{}
	files := os.DirFS(module)
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && name != "."
		support := entry.Name() == "testdata" || strings.HasSuffix(entry.Name(), "test")
		if entry.IsDir() && (hidden || support) {
			return fs.SkipDir
		}
		speaks := slices.Contains(speakers, strings.TrimSuffix(path.Dir(name), "/templates"))
		switch ext := path.Ext(name); {
		case entry.IsDir(), strings.HasSuffix(name, "_test.go"):
			return nil
		case ext != ".go" && (ext != ".html" || !speaks):
			return nil
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		read := stringsOf
		if path.Ext(name) == ".html" {
			read = stringsOfTemplate
		}
		for _, one := range read(text) {
			all[one] = true
			spoken[one] = spoken[one] || speaks
		}
		return nil
	})
	if err != nil {
		t.Fatalf("read the sources: %v", err)
	}
	return all, spoken
}

// stringsOf are the string literals of a Go source.
func stringsOf(source []byte) []string {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(source))
	s.Init(file, source, nil, 0)
	var out []string
	for {
		_, kind, text := s.Scan()
		switch kind {
		case token.EOF:
			return out
		case token.STRING:
			if value, err := strconv.Unquote(text); err == nil {
				out = append(out, value)
			}
		default:
		}
	}
}

// stringsOfTemplate are the strings in the actions of a template.
func stringsOfTemplate(source []byte) []string {
	var out []string
	for _, one := range action.FindAll(source, -1) {
		for _, m := range quoted.FindAllSubmatch(one, -1) {
			out = append(out, string(m[1]))
		}
	}
	return out
}

// tables are the families whose codes stand in tables of mapping and of FHIR, or that are called as a
// dimension is, and so in no source; the tests of groups and of pages hold them against those.
var tables = []string{
	"language", "cdcrec", "race", "ethnicity", "category", "severity", "outcome", "class", "sex",
	"age_band", "language_group", "interpreter_need", "disposition", "scope",
	"quality.target", "quality.element", "quality.null",
}

// A key is said by its whole name, or as a code of a family: then a source begins a key with the family, and
// the code, or each part of one that has several, is a string of some program.
func TestEveryKeyIsSaid(t *testing.T) {
	t.Parallel()
	all, spoken := literals(t)
	known := func(code string) bool {
		for _, part := range strings.Split(code, ".") {
			if _, err := strconv.Atoi(part); err != nil && !all[part] && !all["."+part] {
				return all[code]
			}
		}
		return true
	}
	said := func(key string) bool {
		if spoken[key] {
			return true
		}
		for i, c := range key {
			family := key[:i]
			if c != '.' || !(spoken[family] || spoken[family+"."]) {
				continue
			}
			if slices.Contains(tables, family) || known(key[i+1:]) {
				return true
			}
		}
		return slices.ContainsFunc(tables, func(family string) bool {
			return strings.HasPrefix(key, family+".")
		})
	}
	for key := range forms(t, language.English) {
		if !said(key) {
			t.Errorf("%s is said nowhere", key)
		}
	}
}

// asked is where a source asks for a sentence by its whole key.
var asked = regexp.MustCompile(`\b(?:Say\(|say )"([a-z][A-Za-z0-9_.-]*[A-Za-z0-9])"[,)} ]`)

func TestEveryKeyThatIsAskedForIsThere(t *testing.T) {
	t.Parallel()
	keys := forms(t, language.English)
	count := 0
	for _, folder := range speakers {
		for _, pattern := range []string{"*.go", "templates/*.html"} {
			names, err := filepath.Glob(filepath.Join(module, folder, pattern))
			if err != nil {
				t.Fatalf("list the sources of %s: %v", folder, err)
			}
			for _, name := range names {
				if strings.HasSuffix(name, "_test.go") {
					continue
				}
				text, err := os.ReadFile(name)
				if err != nil {
					t.Fatalf("read a source: %v", err)
				}
				for _, m := range asked.FindAllSubmatch(text, -1) {
					count++
					if key := string(m[1]); keys[key].Other == "" {
						t.Errorf("%s says %s, which is in no catalogue", filepath.Base(name), key)
					}
				}
			}
		}
	}
	if count < 100 {
		t.Errorf("%d sentences are asked for, which are too few to be all", count)
	}
}
