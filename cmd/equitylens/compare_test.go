package main

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
)

const compareContract = `{"measure":"","snapshot":"","data_as_of":"","period":{},"rate":"","scoring":"",
	"improvement":"","per":1.0,"dimension":"","all":{"label":"","n":0.0},
	"groups":[{"label":"","state":"","n":0.0}],"sentences":[""]}`

// counts are events and units of age bands, added up by hand.
type counts map[string][2]float64

func (c counts) add(band string, s measure.Cell) {
	c[band] = [2]float64{c[band][0] + s.Populations[measure.Numerator],
		c[band][1] + s.Populations[measure.Denominator] - s.Populations[measure.DenominatorExclusion]}
}

// agesOf reads the cross of language group and age out of what evaluate prints.
func agesOf(t *testing.T, id string) (all counts, of map[string]counts) {
	t.Helper()
	o := must(t, "evaluate", id, "--period", "2025", "--by", "language_group*age_band", "--format",
		"json", "--data", loadedData(t))
	var r result
	parse(t, o.out, &r)
	all, of = counts{}, map[string]counts{}
	for _, s := range r.Groups[0].Strata["language_group*age_band"] {
		group, band := s.Components[0].Code, s.Components[1].Code
		if band == "" {
			continue
		}
		all.add(band, s.Cell)
		if group != "" {
			if of[group] == nil {
				of[group] = counts{}
			}
			of[group].add(band, s.Cell)
		}
	}
	return all, of
}

// TestCompareByHand computes the standardised scores, the expected events and χ² of the document again,
// from the figures that evaluate prints.
func TestCompareByHand(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"telehealth-share", "harm-per-1000-days"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			o := must(t, "compare", id, "--period", "2025", "--by", "language_group", "--json", "--data",
				loadedData(t))
			checkContract(t, compareContract, o.out)
			var c gap.Comparison
			parse(t, o.out, &c)
			all, of := agesOf(t, id)
			total := 0.0
			for _, n := range all {
				total += n[1]
			}
			standardised := 0
			for _, g := range c.Groups {
				if g.State != "known" || g.Score == nil {
					continue
				}
				rate, expected, empty := 0.0, 0.0, false
				for band, n := range all {
					own := of[g.Code][band]
					expected += own[1] * n[0] / n[1]
					empty = empty || own[1] == 0
					rate += c.Per * n[1] / total * own[0] / own[1]
				}
				if g.Indirect != nil {
					same(t, "expected of "+g.Label, g.Indirect.Expected, expected)
				}
				if empty != (g.Direct == nil) {
					t.Errorf("%s: an empty band %t, standardised %+v", g.Label, empty, g.Direct)
				}
				if g.Direct != nil {
					standardised++
					same(t, "standardised score of "+g.Label, g.Direct.Score, rate)
				}
			}
			if standardised == 0 {
				t.Error("no group was standardised; nothing was tested")
			}
			if id == "telehealth-share" && c.Test.Method == gap.ChiSquareTest {
				same(t, "χ²", *c.Test.Statistic, chiSquare(c.Groups))
			}
		})
	}
}

// chiSquare is Pearson's of the known groups.
func chiSquare(groups []gap.Compared) float64 {
	var events, units, sum float64
	known := slices.DeleteFunc(slices.Clone(groups), func(g gap.Compared) bool {
		return g.State != "known" || g.Score == nil
	})
	for _, g := range known {
		events, units = events+*g.Events, units+g.N
	}
	for _, g := range known {
		with := g.N * events / units
		off := (*g.Events - with) * (*g.Events - with)
		sum += off/with + off/(g.N-with)
	}
	return sum
}

func same(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
		t.Errorf("%s = %.12g, by hand %.12g", what, got, want)
	}
}

func TestCompareTable(t *testing.T) {
	t.Parallel()
	o := must(t, "compare", "telehealth-share", "--period", "2025", "--by", "race", "--standard",
		"us2000", "--reference", "largest", "--data", loadedData(t))
	for _, want := range []string{"AGE-STANDARDISED", "O/E", "reference", "all groups alike?",
		"index of disparity", "no ACI, RCI, SII, RII", "(largest), ages of us2000"} {
		if !strings.Contains(o.out, want) {
			t.Errorf("the table lacks %q:\n%s", want, o.out)
		}
	}
	overlapping := must(t, "compare", "telehealth-share", "--period", "2025", "--by", "race",
		"--race-policy", "alone_or_in_combination", "--data", loadedData(t))
	if !strings.Contains(overlapping.out, "no gaps: The groups overlap") {
		t.Errorf("overlapping groups are compared:\n%s", overlapping.out)
	}
}

const trendContract = `{"measure":"","snapshot":"","period":{},"rate":"","dimension":"",
	"months":[{"period":{}}],"series":[{"label":"","points":[{"month":"","n":0.0}],"signals":[]}],
	"gaps":[{"group":"","code":"","months":[{"month":""}],"clear":true}],"sentences":[]}`

// TestTrendByHand holds each point against the evaluation of its month, and p̄ against all of them.
func TestTrendByHand(t *testing.T) {
	t.Parallel()
	o := must(t, "trend", "telehealth-share", "--period", "2025", "--by", "sex", "--chart", "p",
		"--json", "--data", loadedData(t))
	checkContract(t, trendContract, o.out)
	var found gap.TrendReport
	parse(t, o.out, &found)
	if len(found.Months) != 12 {
		t.Fatalf("%d months, want 12", len(found.Months))
	}
	sums := map[string][2]float64{}
	for m, month := range found.Months {
		var r result
		parse(t, must(t, "evaluate", "telehealth-share", "--period", month.Name(), "--by", "sex",
			"--format", "json", "--data", loadedData(t)).out, &r)
		for _, s := range r.Groups[0].Strata["sex"] {
			i := slices.IndexFunc(found.Series, func(f gap.Series) bool {
				return f.Code == s.Code && f.State == s.State
			})
			point := found.Series[i].Points[m]
			same(t, point.Month+" of "+s.Label, *point.Value, *s.Score)
			sum := sums[s.Code]
			sums[s.Code] = [2]float64{sum[0] + s.Populations[measure.Numerator],
				sum[1] + s.Populations[measure.Denominator] - s.Populations[measure.DenominatorExclusion]}
		}
	}
	checked := 0
	for _, s := range found.Series {
		if sum := sums[s.Code]; s.Code != "" && s.Refused == nil {
			checked++
			centre := sum[0] / sum[1]
			same(t, "the centre of "+s.Label, *s.Points[0].Centre, centre)
			upper := centre + 3*math.Sqrt(centre*(1-centre)/s.Points[0].N)
			same(t, "the upper limit of "+s.Label, *s.Points[0].Upper, min(upper, 1))
		}
	}
	if checked < 2 {
		t.Errorf("%d charts were checked, want two sexes", checked)
	}
}

func TestTrendTable(t *testing.T) {
	t.Parallel()
	o := must(t, "trend", "readmission-30-day", "--period", "2024-01-01/2025-12-31", "--by", "sex",
		"--since", "2025-01-10", "--rules", "shewhart,ihi", "--data", loadedData(t))
	for _, want := range []string{"MONTH", "2025-12", "CHART", "CHANGE OF THE DIFFERENCE",
		"before (2024-01-01/2024-12-31) and after (2025-02-01/2025-12-31) 2025-01-10", "not why"} {
		if !strings.Contains(o.out, want) {
			t.Errorf("the table lacks %q:\n%s", want, o.out)
		}
	}
}

func TestWrongQuestionsOfComparison(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, line, says string }{
		{"two dimensions", "compare telehealth-share --period 2025 --by race,sex", "one dimension"},
		{"no measure", "compare --period 2025 --by race", "name one measure"},
		{"an unknown standard", "compare telehealth-share --period 2025 --by race --standard mars", "us2000"},
		{"an unknown rate", "compare telehealth-share --period 2025 --by race --rate x", `"x"`},
		{"an unknown reference", "compare telehealth-share --period 2025 --by race --reference x", `"x"`},
		{"an unknown chart", "trend telehealth-share --period 2025 --by race --chart pie", "p-prime"},
		{"a chart that does not fit", "trend telehealth-share --period 2025 --by race --chart u",
			"does not fit"},
		{"unknown rules", "trend telehealth-share --period 2025 --by race --rules my", "anhoej"},
		{"a day that is none", "trend telehealth-share --period 2025 --by race --since May", "May"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := equitylens(t, append(strings.Fields(test.line), "--data", loadedData(t))...)
			if o.code != exitUsage || !strings.Contains(o.err, test.says) {
				t.Errorf("%s = %d, %s; want %d and %q", test.line, o.code, o.err, exitUsage, test.says)
			}
		})
	}
}
