package gap_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

// crossed is one result by race crossed with site.
func crossed(t *testing.T, strata ...measure.Stratum) measure.Result {
	t.Helper()
	r := rates(t, measure.Increase, share("a", 1550, 2000), share("b", 950, 2000))[0]
	r.Groups[0].Strata["race*site"] = strata
	return r
}

func TestLayers(t *testing.T) {
	t.Parallel()
	whole := crossed(t,
		at("a", "north", 1500, 1800), at("b", "north", 190, 200),
		at("a", "south", 50, 200), at("b", "south", 760, 1800))
	t.Run("each layer can be compared by itself", func(t *testing.T) {
		t.Parallel()
		layers := gap.Layers(whole, "site", "race")
		var names []string
		for _, l := range layers {
			names = append(names, l.Coding.Code)
			c := compared(t, l.Result, gap.Options{Reference: "a"})
			b := groupOf(t, c, "b")
			if b.Gap == nil {
				t.Fatalf("at %s nothing is compared: %+v", l.Coding.Code, b)
			}
			switch l.Coding.Code {
			case "north":
				near(t, "the gap in the north", b.Gap.Difference, 190./200-1500./1800)
				near(t, "everybody in the north", *c.All.Score, 1690./2000)
			case "south":
				near(t, "the gap in the south", b.Gap.Difference, 760./1800-50./200)
			}
		}
		if diff := cmp.Diff([]string{"north", "south"}, names); diff != "" {
			t.Errorf("layers (-want +got):\n%s", diff)
		}
		if _, ok := whole.Groups[0].Strata["race*site"]; !ok || whole.Groups[0].Score != nil {
			t.Error("the result itself is changed")
		}
	})
	t.Run("the figures of a site are those of the result where it has them", func(t *testing.T) {
		t.Parallel()
		r := crossed(t, at("a", "north", 1500, 1800), at("b", "north", 190, 200))
		site := share("north", 1, 2)
		site.Label = "north"
		south := share("south", 3, 4)
		r.Groups[0].Strata["site"] = []measure.Stratum{south, site}
		layers := gap.Layers(r, "site", "race")
		if len(layers) != 1 || layers[0].Result.Groups[0].Populations[measure.Denominator] != 2 {
			t.Errorf("Layers = %+v, want the north alone, with 2 below the line", layers)
		}
	})
	t.Run("what is hidden hides what it adds up to", func(t *testing.T) {
		t.Parallel()
		hidden := at("b", "north", 190, 200)
		hidden.Cell = measure.Cell{Suppressed: true}
		layers := gap.Layers(crossed(t, at("a", "north", 1500, 1800), hidden), "site", "race")
		want := measure.Cell{Suppressed: true}
		if diff := cmp.Diff(want, layers[0].Result.Groups[0].Cell); diff != "" {
			t.Errorf("everybody in the north (-want +got):\n%s", diff)
		}
	})
	t.Run("there is none without the cross", func(t *testing.T) {
		t.Parallel()
		if got := gap.Layers(whole, "age_band", "race"); len(got) != 0 {
			t.Errorf("Layers = %+v, want none", got)
		}
	})
	t.Run("groups that overlap do so in a layer", func(t *testing.T) {
		t.Parallel()
		r := crossed(t, at("a", "north", 1500, 1800), at("b", "north", 190, 200))
		r.Groups[0].Overlapping = []string{"race*site"}
		g := gap.Layers(r, "site", "race")[0].Result.Groups[0]
		if !slices.Equal(g.Overlapping, []string{"race"}) || g.Score != nil {
			t.Errorf("the layer has Overlapping %v and a score %v", g.Overlapping, g.Score)
		}
	})
}

// TestLayersKeepEverybody proves that cutting loses nobody and counts nobody twice, whichever way round
// the cross is.
func TestLayersKeepEverybody(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		turned := rapid.Bool().Draw(rt, "turned")
		var strata []measure.Stratum
		want := map[[2]string]float64{}
		for _, race := range []string{"a", "b", "c"} {
			for _, site := range []string{"north", "south", "west"} {
				n := rapid.Float64Range(0, 9).Draw(rt, race+site)
				if n < 1 {
					continue
				}
				s := at(race, site, 0, float64(int(n)))
				if turned {
					slices.Reverse(s.Components)
				}
				strata = append(strata, s)
				want[[2]string{race, site}] = float64(int(n))
			}
		}
		r := crossed(t)
		key := "race*site"
		if turned {
			key = "site*race"
		}
		r.Groups[0].Strata = map[string][]measure.Stratum{key: strata}
		got := map[[2]string]float64{}
		for _, l := range gap.Layers(r, "site", "race") {
			all := 0.0
			for _, s := range l.Result.Groups[0].Strata["race"] {
				got[[2]string{s.Code, l.Coding.Code}] += s.Populations[measure.Denominator]
				all += s.Populations[measure.Denominator]
			}
			if of := l.Result.Groups[0].Populations[measure.Denominator]; of != all {
				rt.Errorf("%s holds %g, its groups %g", l.Coding.Code, of, all)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Errorf("cells (-want +got):\n%s", diff)
		}
	})
}
