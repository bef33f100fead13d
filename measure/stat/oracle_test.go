package stat_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/measure/stat"
)

// vector is one case of a file in testdata: computed in R 4.2.2 and a second time in Python. A null
// is a figure that does not exist.
type vector struct {
	Inputs   map[string]float64  `json:"inputs"`
	Expected map[string]*float64 `json:"expected"`
}

// close9 is the tolerance of the vectors: 1e-9 relative, 1e-12 absolute beside 0.
func close9(got, want float64) bool {
	return math.Abs(got-want) <= math.Max(1e-9*math.Abs(want), 1e-12)
}

// figures holds what we computed, by the oracle's name; a figure that does not exist is nil.
type figures map[string]*float64

func (f figures) pair(lower, upper string, lo, hi float64, ok bool) {
	if !ok {
		f[lower], f[upper] = nil, nil
		return
	}
	f[lower], f[upper] = &lo, &hi
}

func TestOracles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file string
		got  func(in map[string]float64) figures
	}{
		{"wilson_clopper.json", func(in map[string]float64) figures {
			f := figures{}
			lo, hi := stat.Wilson(in["x"], in["n"])
			f.pair("wilson_lower", "wilson_upper", lo, hi, true)
			lo, hi = stat.ClopperPearson(in["x"], in["n"])
			f.pair("clopper_pearson_lower", "clopper_pearson_upper", lo, hi, true)
			return f
		}},
		{"poisson_rate.json", func(in map[string]float64) figures {
			f := figures{}
			lo, hi := stat.Garwood(in["events"], in["exposure"])
			lo, hi = in["per"]*lo, in["per"]*hi
			f.pair("exact_rate_lower_per_1000", "exact_rate_upper_per_1000", lo, hi, true)
			lo, hi = stat.Garwood(in["events"], 1)
			f.pair("exact_count_lower", "exact_count_upper", lo, hi, true)
			lo, hi = stat.Byar(in["events"], 1)
			f.pair("byar_count_lower", "byar_count_upper", lo, hi, true)
			if in["events"] == 0 {
				delete(f, "byar_count_lower") // The vectors leave it out; ours is 0.
			}
			return f
		}},
		{"newcombe_difference.json", func(in map[string]float64) figures {
			f := figures{}
			lo, hi := stat.Newcombe(in["x1"], in["n1"], in["x2"], in["n2"])
			f.pair("newcombe10_lower", "newcombe10_upper", lo, hi, true)
			return f
		}},
		{"katz_riskratio.json", func(in map[string]float64) figures {
			f := figures{}
			lo, hi, ok := stat.Katz(in["x1"], in["n1"], in["x2"], in["n2"])
			f.pair("katz_lower", "katz_upper", lo, hi, ok)
			ratio, lo, hi := stat.Walter(in["x1"], in["n1"], in["x2"], in["n2"])
			f["walter_rr_plus_half"] = &ratio
			f.pair("walter_lower", "walter_upper", lo, hi, true)
			return f
		}},
		{"poisson_ratio.json", func(in map[string]float64) figures {
			f := figures{}
			lo, hi, ok := stat.RateRatioLog(in["x1"], in["t1"], in["x2"], in["t2"])
			f.pair("wald_lower", "wald_upper", lo, hi, ok)
			lo, hi, ok = stat.RateRatio(in["x1"], in["t1"], in["x2"], in["t2"])
			f.pair("exact_conditional_lower", "exact_conditional_upper", lo, hi, ok)
			lo, hi = stat.RateDifference(in["x1"], in["t1"], in["x2"], in["t2"])
			f.pair("mover_exact_rd_lower", "mover_exact_rd_upper", lo, hi, true)
			return f
		}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			compared := 0
			for i, c := range load(t, tt.file) {
				if c.Inputs["conf"] != 0.95 {
					continue // Other levels belong to funnel plots, which this package does not draw.
				}
				for name, got := range tt.got(c.Inputs) {
					want, held := c.Expected[name]
					if !held {
						continue
					}
					compared++
					if diff := cmp.Diff(want, got, cmp.Comparer(close9)); diff != "" {
						t.Errorf("case %d %v: %s (-want +got):\n%s", i, c.Inputs, name, diff)
					}
				}
			}
			if compared == 0 {
				t.Fatal("no figure of the file was compared")
			}
		})
	}
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
