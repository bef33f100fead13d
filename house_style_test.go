package equitylens_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	longestFile     = 500
	longestFunction = 80
)

var generated = regexp.MustCompile(`^// Code generated .* DO NOT EDIT\.$`)

func isGenerated(s source) bool {
	for _, group := range s.file.Comments {
		for _, comment := range group.List {
			if generated.MatchString(comment.Text) {
				return true
			}
		}
	}
	return false
}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	t.Parallel()
	all, set := sources(t)
	for _, s := range all {
		if isGenerated(s) {
			continue
		}
		if s.lines > longestFile {
			t.Errorf("%s has %d lines, more than %d", s.path, s.lines, longestFile)
		}
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			function, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := set.Position(function.End()).Line - set.Position(function.Pos()).Line + 1
			if lines > longestFunction {
				t.Errorf("%s: %s has %d lines, more than %d", s.path, function.Name.Name, lines, longestFunction)
			}
		}
	}
}

func TestNothingRunsBeforeMain(t *testing.T) {
	t.Parallel()
	all, set := sources(t)
	for _, s := range all {
		for _, d := range s.file.Decls {
			function, ok := d.(*ast.FuncDecl)
			if ok && function.Recv == nil && function.Name.Name == "init" {
				t.Errorf("%v: init hides an order of events", set.Position(function.Pos()))
			}
		}
	}
}

var unfinished = regexp.MustCompile(`\b(` + "TO" + "DO|FIX" + "ME|X" + "XX" + `)\b`)

func TestNothingIsLeftForLater(t *testing.T) {
	t.Parallel()
	all, set := sources(t)
	for _, s := range all {
		for _, group := range s.file.Comments {
			for _, comment := range group.List {
				if unfinished.MatchString(comment.Text) {
					t.Errorf("%v: %s", set.Position(comment.Pos()), comment.Text)
				}
			}
		}
	}
}

func TestWhatIsExportedIsExplained(t *testing.T) {
	t.Parallel()
	all, set := sources(t)
	for _, s := range all {
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			for _, name := range unexplained(d) {
				t.Errorf("%v: %s has no comment", set.Position(d.Pos()), name)
			}
		}
	}
}

// saidElsewhere are methods that an interface of the standard library has explained.
var saidElsewhere = []string{"Error", "Unwrap", "String"}

// unexplained names what a declaration exports without a word.
func unexplained(d ast.Decl) []string {
	if function, ok := d.(*ast.FuncDecl); ok {
		said := function.Recv != nil && slices.Contains(saidElsewhere, function.Name.Name)
		if function.Name.IsExported() && function.Doc == nil && exportedReceiver(function) && !said {
			return []string{function.Name.Name}
		}
		return nil
	}
	group, ok := d.(*ast.GenDecl)
	if !ok || group.Tok == token.IMPORT || group.Doc != nil {
		return nil
	}
	var names []string
	for _, spec := range group.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && spec.Doc == nil && spec.Comment == nil {
				names = append(names, spec.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				if name.IsExported() && spec.Doc == nil && spec.Comment == nil {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// exportedReceiver is true of functions, and of methods that a reader of the documentation can see.
func exportedReceiver(function *ast.FuncDecl) bool {
	if function.Recv == nil || len(function.Recv.List) == 0 {
		return true
	}
	kind := function.Recv.List[0].Type
	if star, ok := kind.(*ast.StarExpr); ok {
		kind = star.X
	}
	name, ok := kind.(*ast.Ident)
	return ok && name.IsExported()
}

func TestCommentsAreSentences(t *testing.T) {
	t.Parallel()
	all, set := sources(t)
	for _, s := range all {
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			doc := docOf(d)
			if doc == nil {
				continue
			}
			text := strings.TrimSpace(doc.Text())
			if text != "" && !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, ":") &&
				!strings.Contains(lastLine(text), "://") && !strings.HasPrefix(lastLine(text), "\t") {
				t.Errorf("%v: the comment does not end with a full stop", set.Position(doc.Pos()))
			}
		}
	}
}

func docOf(d ast.Decl) *ast.CommentGroup {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Doc
	case *ast.GenDecl:
		return d.Doc
	}
	return nil
}

func lastLine(text string) string { return text[strings.LastIndexByte(text, '\n')+1:] }
