package chart

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// svgOf draws a picture, which cannot fail into memory.
func svgOf(t testing.TB, c Chart, width int) string {
	t.Helper()
	var b bytes.Buffer
	if err := SVG(&b, c, Options{Width: width}); err != nil {
		t.Fatalf("SVG(%T, %d): %v", c, width, err)
	}
	return b.String()
}

func TestPicturesAreAsTheyWere(t *testing.T) {
	t.Parallel()
	for name, c := range every() {
		for _, width := range []int{Wide, Narrow} {
			if _, small := c.(Sparkline); small {
				width /= 4
			}
			file := filepath.Join("testdata", fmt.Sprintf("%s-%d.svg", name, width))
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				got := svgOf(t, c, width)
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatalf("read the golden file (make golden writes it): %v", err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", file, diff)
				}
			})
		}
	}
}
