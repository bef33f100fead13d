package review_test

import (
	"regexp"
	"testing"

	"github.com/equitylens/equitylens/improvement/review"
)

func TestEveryCodeSaysWhatItMeans(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	seen := map[string]bool{}
	for system, list := range map[string][]review.Concept{
		review.SystemAnswer: append(review.Answers(), review.NotAsked()), review.SystemFactor: review.Factors(),
		review.SystemDetection: review.Detections(),
	} {
		for _, c := range list {
			if !code.MatchString(c.Code) || seen[system+c.Code] {
				t.Errorf("%s: %q is no code, or there twice", system, c.Code)
			}
			seen[system+c.Code] = true
			for name, w := range map[string]review.Words{
				"display": c.Display, "definition": c.Definition, "example": c.Example,
			} {
				if w.English == "" || w.Spanish == "" || w.English == w.Spanish && c.Code != "no" {
					t.Errorf("the %s of %s is %+v", name, c.Code, w)
				}
				if w.In("es-MX") != w.Spanish || w.In("es") != w.Spanish || w.In("en") != w.English ||
					w.In("") != w.English {
					t.Errorf("the %s of %s is not in the language that was asked for", name, c.Code)
				}
			}
		}
	}
	for _, want := range []string{
		review.SystemAnswer + string(review.Yes), review.SystemAnswer + string(review.No),
		review.SystemAnswer + string(review.Undetermined), review.SystemAnswer + "not-asked",
		review.SystemFactor + string(review.LanguageAccess), review.SystemFactor + string(review.DigitalAccess),
		review.SystemFactor + string(review.Bias), review.SystemFactor + string(review.Transport),
		review.SystemFactor + string(review.Policy), review.SystemFactor + string(review.Discrimination),
		review.SystemFactor + string(review.Data), review.SystemFactor + string(review.OtherFactor),
		review.SystemDetection + string(review.Reported), review.SystemDetection + string(review.Triggered),
		review.SystemDetection + string(review.FoundInReview),
	} {
		if !seen[want] {
			t.Errorf("%s is in no table", want)
		}
	}
	if len(seen) != 15 {
		t.Errorf("there are %d codes, want 15", len(seen))
	}
}
