package gap_test

import (
	"math"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// at is a stratum of race crossed with site.
func at(race, site string, n, d float64) measure.Stratum {
	s := share(race, n, d)
	s.Components = []measure.Component{
		{Dimension: "race", Coding: s.Coding},
		{Dimension: "site", Coding: measure.Coding{Code: site, Label: site, State: "known"}},
	}
	s.Coding = measure.Coding{}
	return s
}

// TestAGapThatReversesWithinSites is the shape of the admissions to Berkeley (Bickel PJ et al.,
// Science 1975;187:398): each site serves group b better, and b goes where everybody is served
// worse.
func TestAGapThatReversesWithinSites(t *testing.T) {
	t.Parallel()
	results := rates(t, measure.Increase, share("a", 1550, 2000), share("b", 950, 2000))
	results[0].Groups[0].Strata["race*site"] = []measure.Stratum{
		at("a", "north", 1500, 1800), at("a", "south", 50, 200),
		at("b", "north", 190, 200), at("b", "south", 760, 1800),
	}
	found := gaps(t, results)
	if len(found) != 1 || len(found[0].Within) != 1 {
		t.Fatalf("gaps = %+v, want one with one look within", found)
	}
	w := found[0].Within[0]
	if w.By != "site" || !w.Reverses || w.Difference <= 0 || w.Layers != 2 || w.Covered != 1 {
		t.Errorf("within sites: %+v, want a difference above 0 that reverses", w)
	}
	if math.Abs(w.WithinPart+w.BetweenPart-found[0].Difference) > 1e-12 || w.WithinPart <= 0 {
		t.Errorf("parts %g and %g do not add up to %g", w.WithinPart, w.BetweenPart, found[0].Difference)
	}
	if !strings.Contains(found[0].Sentence, "Within each site it is the other way round") {
		t.Errorf("the sentence does not warn: %s", found[0].Sentence)
	}
}

func TestAGapThatHoldsWithinSitesIsNotWarnedOf(t *testing.T) {
	t.Parallel()
	results := rates(t, measure.Increase, share("a", 1600, 2000), share("b", 1200, 2000))
	results[0].Groups[0].Strata["race*site"] = []measure.Stratum{
		at("a", "north", 800, 1000), at("a", "south", 800, 1000),
		at("b", "north", 600, 1000), at("b", "south", 600, 1000),
	}
	found := gaps(t, results)
	if len(found) != 1 || len(found[0].Within) != 1 {
		t.Fatalf("gaps = %+v, want one with one look within", found)
	}
	w := found[0].Within[0]
	if w.Reverses || w.Fades || math.Abs(w.Difference+0.2) > 1e-12 || math.Abs(w.BetweenPart) > 1e-12 {
		t.Errorf("within sites: %+v, want all of the gap and no warning", w)
	}
	if strings.Contains(found[0].Sentence, "Within") {
		t.Errorf("the sentence warns: %s", found[0].Sentence)
	}
}

func TestCrossesForWithin(t *testing.T) {
	t.Parallel()
	got := strings.Join(gap.CrossesFor([]string{"race", "site", "race*sex"}), " ")
	if got != "race*site race*age_band site*age_band" {
		t.Errorf("CrossesFor = %s", got)
	}
}
