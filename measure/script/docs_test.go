package script_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure/script"
)

func documentation(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/scripts.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fence finds the fenced blocks.
var fence = regexp.MustCompile("(?ms)^```\n(.*?)^```$")

// TestTheDocumentedExampleHolds runs the example of docs/scripts.md as it stands there.
func TestTheDocumentedExampleHolds(t *testing.T) {
	t.Parallel()
	_, text, ok := strings.Cut(documentation(t), "\n## A complete example\n")
	block := fence.FindStringSubmatch(text)
	if !ok || block == nil {
		t.Fatal("docs/scripts.md has no complete example")
	}
	s := parse(t, "scripts.md", block[1])
	if s.Evals() < 3 {
		t.Errorf("the example asks %d questions", s.Evals())
	}
	if report := run(t, runner(t), s); report != "" {
		t.Error(report)
	}
}

// TestEveryWordIsDocumented holds docs/scripts.md against what the parser itself offers when it is
// given a word that it does not know.
func TestEveryWordIsDocumented(t *testing.T) {
	t.Parallel()
	text := documentation(t)
	offers := regexp.MustCompile(`there are ([a-z_, ]+)`)
	for _, kind := range []string{"patient", "encounter", "event"} {
		_, err := script.Parse("s.test", []byte("load\n  "+kind+" nothing=such\n"))
		if err == nil {
			t.Fatalf("%s may be nothing=such", kind)
		}
		offered := offers.FindStringSubmatch(err.Error())
		if offered == nil {
			t.Fatalf("no key of %s is offered: %v", kind, err)
		}
		for key := range strings.SplitSeq(offered[1], ", ") {
			if !regexp.MustCompile("(?m)^\\| [^|]*`" + key + "`[^|]* \\|").MatchString(text) {
				t.Errorf("the key %s of %s is not documented", key, kind)
			}
		}
	}
	words := []string{"as_of", "load", "eval", "all", "bounds", "gap", "ratio", "fail", "incomplete",
		"overlapping", "without", "partial"}
	for _, s := range slices.Concat(mapping.States()[1:]) {
		words = append(words, string(s))
	}
	for _, p := range mapping.Policies() {
		words = append(words, string(p))
	}
	for _, word := range words {
		if !regexp.MustCompile("`[^`]*\\b" + regexp.QuoteMeta(word) + "\\b[^`]*`").MatchString(text) {
			t.Errorf("%s is not documented", word)
		}
	}
}
