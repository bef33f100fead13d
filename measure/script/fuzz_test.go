package script_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/measure/script"
)

// FuzzParse holds the parser to its two answers: a script that asks something, or faults that each
// name a line of the text.
func FuzzParse(f *testing.F) {
	names, err := filepath.Glob(filepath.Join(scripts, "*"+script.Extension))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("load\n  patient a x2\n  event patient=a encounter=a\neval m/r by a*b,c where d=e bounds\n  \"a b\"*c=d 1/2-1 0.5 0..1 e=-\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := script.Parse("s.test", text)
		if err == nil {
			if s.Evals() == 0 || len(s.Measures()) != s.Evals() {
				t.Errorf("a script without faults asks %d questions", s.Evals())
			}
			return
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(line, "s.test:") {
				t.Errorf("a fault names no line: %q", line)
			}
		}
	})
}
