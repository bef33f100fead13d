package stat_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/measure/stat"
)

// The vectors in testdata were computed in R 4.2.2 and a second time in Python. They hold to nine
// digits; Koopman's limits, which both find by search, to six.
const (
	nineDigits = 1e-9
	sixDigits  = 1e-6
	// besideZero is what a figure may differ from 0.
	besideZero = 1e-12
)

// inputs are those of one case. The writer of the vectors wrote lists of one as a plain number.
type inputs map[string]any

func (in inputs) number(name string) float64 {
	v, _ := in[name].(float64)
	return v
}

func (in inputs) list(name string) []float64 { return floats(in[name]) }

func floats(v any) []float64 {
	switch v := v.(type) {
	case float64:
		return []float64{v}
	case []any:
		list := make([]float64, len(v))
		for i, element := range v {
			list[i], _ = element.(float64)
		}
		return list
	}
	return nil
}

// figures holds what we computed, by the oracle's name: a float64, a list, a table, or nil where
// the figure does not exist.
type figures map[string]any

func (f figures) pair(name string, lo, hi float64) { f[name+"_lower"], f[name+"_upper"] = lo, hi }

// pairIf is pair of an interval that may not exist.
func (f figures) pairIf(name string, lo, hi float64, ok bool) {
	if ok {
		f.pair(name, lo, hi)
		return
	}
	f[name+"_lower"], f[name+"_upper"] = nil, nil
}

// comparison counts what was compared of one file.
type comparison struct {
	values  int
	largest float64
}

// compare reports every leaf of got that is not that of want.
func (c *comparison) compare(t *testing.T, place string, want, got any, tolerance float64) {
	t.Helper()
	switch want := want.(type) {
	case nil:
		c.values++
		if got != nil {
			t.Errorf("%s = %v, which should not exist", place, got)
		}
	case float64:
		c.values++
		g, ok := scalar(got)
		if !ok {
			t.Errorf("%s = %v, want %v", place, got, want)
			return
		}
		off := math.Abs(g - want)
		if want != 0 {
			c.largest = max(c.largest, off/math.Abs(want))
		}
		if !(off <= math.Max(tolerance*math.Abs(want), besideZero)) {
			t.Errorf("%s = %.15g, want %.15g", place, g, want)
		}
	case []any:
		elements := elementsOf(got)
		if len(elements) != len(want) {
			t.Errorf("%s has %d elements, want %d", place, len(elements), len(want))
			return
		}
		for i := range want {
			c.compare(t, fmt.Sprintf("%s[%d]", place, i), want[i], elements[i], tolerance)
		}
	default:
		t.Errorf("%s: the vector holds a %T", place, want)
	}
}

func scalar(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		return float64(v), true
	case []float64:
		if len(v) == 1 {
			return v[0], true
		}
	}
	return 0, false
}

func elementsOf(v any) []any {
	var elements []any
	switch v := v.(type) {
	case []float64:
		for _, e := range v {
			elements = append(elements, e)
		}
	case [][]float64:
		for _, e := range v {
			elements = append(elements, e)
		}
	}
	return elements
}

func TestOracles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file string
		got  func(in inputs) figures
	}{
		{"wilson_clopper.json", proportionFigures},
		{"poisson_rate.json", rateFigures},
		{"newcombe_difference.json", differenceFigures},
		{"katz_riskratio.json", ratioFigures},
		{"poisson_ratio.json", rateRatioFigures},
		{"dsr_fay_feuer.json", standardisedFigures},
		{"chisq_fisher.json", tableFigures},
		{"cochran_armitage.json", trendFigures},
		{"benjamini_hochberg.json", adjustedFigures},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			cases := load(t, tt.file)
			var c comparison
			ours, others := map[string]bool{}, map[string]bool{}
			for i, v := range cases {
				got := tt.got(v.Inputs)
				for name, want := range v.Expected {
					figure, computed := got[name]
					if !computed {
						others[name] = true
						continue
					}
					ours[name] = true
					tolerance := nineDigits
					if strings.HasPrefix(name, "koopman") {
						tolerance = sixDigits
					}
					c.compare(t, fmt.Sprintf("case %d %v: %s", i, v.Inputs, name), want, figure, tolerance)
				}
			}
			for name := range ours {
				delete(others, name) // Left out of some cases, for a reason that stands there.
			}
			left := strings.Join(slices.Sorted(maps.Keys(others)), " ")
			t.Logf("%s: %d cases, %d values compared, largest relative difference %.1e; left out: %s",
				tt.file, len(cases), c.values, c.largest, cmp.Or(left, "nothing"))
			if c.values == 0 {
				t.Fatal("no figure of the file was compared")
			}
		})
	}
}

// vector is one case of a file. A null is a figure that does not exist.
type vector struct {
	Inputs   inputs         `json:"inputs"`
	Expected map[string]any `json:"expected"`
}

func load(t *testing.T, file string) []vector {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Cases []vector `json:"cases"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", file, err))
	}
	return doc.Cases
}

func proportionFigures(in inputs) figures {
	x, n, level := in.number("x"), in.number("n"), stat.Level(in.number("conf"))
	f := figures{"estimate": stat.Count{Events: x, Of: n}.Value()}
	lo, hi := level.Wilson(x, n)
	f.pair("wilson", lo, hi)
	lo, hi = level.ClopperPearson(x, n)
	f.pair("clopper_pearson", lo, hi)
	return f
}

func rateFigures(in inputs) figures {
	x, exposure, per := in.number("events"), in.number("exposure"), in.number("per")
	level := stat.Level(in.number("conf"))
	f := figures{"rate_per_1000": per * stat.Count{Events: x, Of: exposure}.Value()}
	lo, hi := level.Garwood(x, exposure)
	f["exact_rate_lower_per_1000"], f["exact_rate_upper_per_1000"] = per*lo, per*hi
	lo, hi = level.Garwood(x, 1)
	f.pair("exact_count", lo, hi)
	lo, hi = level.Byar(x, 1)
	f.pair("byar_count", lo, hi)
	if x == 0 {
		delete(f, "byar_count_lower") // The vectors leave it out; ours is 0.
	}
	f["rse_percent"] = nil
	if rse, ok := stat.RelativeStandardError(x); ok {
		f["rse_percent"] = 100 * rse
	}
	return f
}

func differenceFigures(in inputs) figures {
	x1, n1, x2, n2 := in.number("x1"), in.number("n1"), in.number("x2"), in.number("n2")
	f := figures{"diff": x1/n1 - x2/n2}
	lo, hi := stat.Newcombe(x1, n1, x2, n2)
	f.pair("newcombe10", lo, hi)
	return f
}

func ratioFigures(in inputs) figures {
	x1, n1, x2, n2 := in.number("x1"), in.number("n1"), in.number("x2"), in.number("n2")
	f := figures{}
	lo, hi, ok := stat.Katz(x1, n1, x2, n2)
	f.pairIf("katz", lo, hi, ok)
	ratio, lo, hi := stat.Walter(x1, n1, x2, n2)
	f["walter_rr_plus_half"] = ratio
	f.pair("walter", lo, hi)
	if x2 > 0 { // The vectors leave out a ratio to 0; ours has a lower limit.
		lo, hi, ok = stat.Koopman(x1, n1, x2, n2)
		f.pairIf("koopman", lo, hi, ok)
		f["rr"] = (x1 / n1) / (x2 / n2)
	}
	return f
}

func rateRatioFigures(in inputs) figures {
	x1, t1, x2, t2 := in.number("x1"), in.number("t1"), in.number("x2"), in.number("t2")
	f := figures{
		"rate_ratio":               (x1 / t1) / (x2 / t2),
		"rate_difference":          x1/t1 - x2/t2,
		"exact_p_two_sided_minlik": stat.RateTest(x1, t1, x2, t2),
	}
	lo, hi, ok := stat.RateRatioLog(x1, t1, x2, t2)
	f.pairIf("wald", lo, hi, ok)
	lo, hi, ok = stat.RateRatio(x1, t1, x2, t2)
	f.pairIf("exact_conditional", lo, hi, ok)
	lo, hi = stat.RateDifference(x1, t1, x2, t2)
	f.pair("mover_exact_rd", lo, hi)
	return f
}

func standardisedFigures(in inputs) figures {
	d, ok := stat.DirectlyStandardised(in.list("counts"), in.list("person_time"), in.list("standard"))
	if !ok {
		return nil
	}
	per := in.number("mult")
	f := figures{
		"dsr": per * d.Rate, "var": per * per * d.Variance, "se": per * math.Sqrt(d.Variance),
		"crude": per * d.Crude,
	}
	lo, hi := d.FayFeuer()
	f.pair("fay_feuer", per*lo, per*hi)
	_, hi = d.Tiwari()
	f["tiwari_upper"] = per * hi
	lo, hi, ok = d.DobsonByar()
	f.pairIf("dobson_byar", per*lo, per*hi, ok)
	lo, hi, ok = d.DobsonExact()
	f.pairIf("dobson_exact", per*lo, per*hi, ok)
	return f
}

func tableFigures(in inputs) figures {
	rows, _ := in["table"].([]any)
	table := make([][]float64, len(rows))
	for i, row := range rows {
		table[i] = floats(row)
	}
	c, ok := stat.ChiSquareTest(table)
	if !ok {
		return nil
	}
	f := figures{
		"chisq": c.Statistic, "df": c.DF, "p": c.P, "expected_counts": c.Expected,
		"std_residuals": c.Residuals, "min_expected": c.Smallest, "g_statistic": c.G, "g_p": c.GP,
		"cramers_v": c.CramersV, "yates_chisq": nil, "yates_p": nil,
	}
	if c.Yates != nil {
		f["yates_chisq"], f["yates_p"] = c.Yates.Statistic, c.Yates.P
	}
	if p, ok := stat.FisherTable(table); ok {
		f["fisher_p"] = p
	}
	return f
}

func trendFigures(in inputs) figures {
	trend, ok := stat.TrendTest(in.list("x"), in.list("n"), in.list("score"))
	if !ok {
		return nil
	}
	return figures{
		"z": trend.Z, "chisq": trend.Z * trend.Z, "p_two_sided": trend.P, "slope_T": trend.T,
		"var": trend.Variance,
	}
}

func adjustedFigures(in inputs) figures {
	p := in.list("p")
	adjusted := stat.BenjaminiHochberg(p)
	found := 0
	for _, q := range adjusted {
		if q <= 0.05 {
			found++
		}
	}
	return figures{"BH": adjusted, "holm": stat.Holm(p), "n_reject_BH_05": found}
}

// TestStandardMillion compares the table of the standard population with the vectors, and the broad
// bands with the narrow ones they can be made of.
func TestStandardMillion(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "age_los.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Bands []struct {
			Labels   any       `json:"bands"`
			Standard []float64 `json:"us_2000_standard_million"`
		} `json:"bands"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	narrow := stat.USStandard2000()
	compared, whole := 0, 0.
	for _, scheme := range doc.Bands {
		labels, _ := scheme.Labels.([]any)
		for i, want := range scheme.Standard {
			compared++
			whole += want
			label := fmt.Sprint(labels[i])
			from := fmt.Sprint(narrow[i].From)
			if narrow[i].People != want || (label != from && !strings.HasPrefix(label, from+"-") &&
				label != from+"+") {
				t.Errorf("band %d is %v, want %v of %s", i, narrow[i], want, label)
			}
		}
	}
	if compared != len(narrow) || whole != 1e6 {
		t.Fatalf("%d bands of %v people were compared, want %d of a million",
			compared, whole, len(narrow))
	}
	t.Logf("age_los.json: 1 case, %d values compared, largest relative difference 0", compared)
	broad := stat.USStandard2000Broad()
	thousands := 0.
	for _, b := range broad {
		thousands += b.People
	}
	for i, b := range broad {
		if b.From < 45 {
			continue // 18 is not the border of a narrow band.
		}
		sum := 0.
		for _, n := range narrow {
			if n.From >= b.From && (i == len(broad)-1 || n.From < broad[i+1].From) {
				sum += n.People
			}
		}
		if math.Abs(b.People/thousands*1e6-sum) > 4 {
			t.Errorf("from %d: %v of %v thousand, and %v of the million", b.From, b.People, thousands, sum)
		}
	}
}
