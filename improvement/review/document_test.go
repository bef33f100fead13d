package review_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/improvement/review"
)

// TestTheDocumentSaysWhatTheCodesMean finds every code in docs/reviews.md, as its table has it.
func TestTheDocumentSaysWhatTheCodesMean(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/reviews.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range [][]review.Concept{
		append(review.Answers(), review.NotAsked()), review.Factors(), review.Detections(),
	} {
		for _, c := range list {
			row := fmt.Sprintf("| `%s` | %s | %s | %s |", c.Code, c.Display.English, c.Definition.English,
				c.Example.English)
			if !strings.Contains(string(text), "\n"+row+"\n") {
				t.Errorf("docs/reviews.md lacks the row\n%s", row)
			}
		}
	}
	for _, system := range []string{review.SystemAnswer, review.SystemFactor, review.SystemDetection} {
		if !strings.Contains(string(text), "`"+system+"`") {
			t.Errorf("docs/reviews.md does not name %s", system)
		}
	}
}
