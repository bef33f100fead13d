package inequality

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const oracleFile = "who_summary_measures.json"

// oracleCase is one case of the file: computed in R 4.2.2, partly by healthequal itself, and a
// second time in Python.
type oracleCase struct {
	ID     string `json:"id"`
	Inputs struct {
		Estimate   []float64 `json:"estimate"`
		SE         []float64 `json:"se"`
		Order      []int     `json:"subgroup_order"`
		Population []float64 `json:"population"`
		Favourable int       `json:"favourable"`
		Scale      float64   `json:"scale"`
		Ordered    bool      `json:"ordered"`
		Reference  []int     `json:"reference_subgroup"`
	} `json:"inputs"`
	Expected map[string]any `json:"expected"`
}

func (c oracleCase) input() Input {
	in := Input{Scale: c.Inputs.Scale, Ordered: c.Inputs.Ordered, Direction: Adverse}
	if c.Inputs.Favourable == 1 {
		in.Direction = Favourable
	}
	for i, y := range c.Inputs.Estimate {
		g := Group{Estimate: y, Population: c.Inputs.Population[i]}
		if c.Inputs.SE != nil {
			g.SE = &c.Inputs.SE[i]
		}
		if c.Inputs.Order != nil {
			g.Rank = c.Inputs.Order[i]
		}
		if c.Inputs.Reference != nil {
			g.Reference = c.Inputs.Reference[i] == 1
		}
		in.Groups = append(in.Groups, g)
	}
	return in
}

// ours are our figures by their path in the file.
type ours map[string]float64

// value puts in an answer with its interval.
func (o ours) value(r *Result, path string, m Measure, v Variant) {
	value, ok := r.Value(m, v)
	if !ok {
		return
	}
	o[path] = value.Estimate
	o[path+".estimate"] = value.Estimate
	if value.Interval != nil {
		o[path+".se"] = value.Interval.SE
		o[path+".se_log"] = value.Interval.SE
		o[path+".lowerci"] = value.Interval.Lower
		o[path+".upperci"] = value.Interval.Upper
	}
}

func (o ours) array(path string, values []float64) {
	for i, v := range values {
		o[path+"."+string(rune('0'+i))] = v
	}
}

// scaled puts in the interval of the Scaled variant under the names the file has for it.
func (o ours) scaled(r *Result, path, suffix string, m Measure) {
	value, ok := r.Value(m, Scaled)
	if !ok || value.Interval == nil {
		return
	}
	o[path+".se"+suffix] = value.Interval.SE
	o[path+".lowerci"+suffix] = value.Interval.Lower
	o[path+".upperci"+suffix] = value.Interval.Upper
}

func figuresOf(t *testing.T, in Input) ours {
	t.Helper()
	r, err := Summarise(in)
	if err != nil {
		t.Fatal(err)
	}
	o := ours{}
	if r.Mean != nil {
		o["weighted_mean"] = *r.Mean
	}
	for path, m := range map[string]Measure{
		"aci": ACI, "rci": RCI, "aci_closed_form": ACI, "rci_closed_form": RCI, "par": PAR, "paf": PAF,
		"d": D, "r": R, "d_ref": D, "r_ref": R, "bgv": BGV, "bgsd": BGSD, "cov": COV, "mdmu": MDMU,
		"mdmw": MDMW, "mdru": MDRU, "mdrw": MDRW, "mdbu": MDBU, "mdbw": MDBW, "idisu": IDISU,
		"idisw": IDISW, "mld_x1000": MLD, "ti_x1000": TI,
	} {
		o.value(r, path, m, HEAT)
	}
	o.value(r, "d_max_min", D, MaxMin)
	o.value(r, "r_max_min", R, MaxMin)
	o.value(r, "mld_unscaled", MLD, Natural)
	o.value(r, "ti_unscaled", TI, Natural)
	o.scaled(r, "paf", "_percent", PAF)
	o.scaled(r, "mld_x1000", "_scaled_x1000", MLD)
	o.scaled(r, "ti_x1000", "_scaled_x1000", TI)
	o.regressions(t, r, in)
	return o
}

func (o ours) regressions(t *testing.T, r *Result, in Input) {
	t.Helper()
	if !in.Ordered {
		return
	}
	s, err := newSample(in)
	if err != nil {
		t.Fatal(err)
	}
	a := &answers{sample: s}
	o.array("rank", ridits(s.n))
	c := a.counts()
	for i, name := range []string{"logit_healthequal", "logit_standard", "linear_wls"} {
		path := "sii_rii_" + name
		f := a.fits()[i]
		o.array(path+".rank", c.x)
		o.array(path+".y", c.events)
		o.array(path+".pop_ceiled", c.n)
		o[path+".b0"], o[path+".b1"] = f.b0, f.b1
		o[path+".v0"], o[path+".v1"] = f.low, f.high
		o.value(r, path+".sii", SII, f.variant)
		o.value(r, path+".rii", RII, f.variant)
	}
}

// leaves flattens what the file expects.
func leaves(path string, expected any, into map[string]float64) {
	switch e := expected.(type) {
	case map[string]any:
		for name, v := range e {
			leaves(strings.TrimPrefix(path+"."+name, "."), v, into)
		}
	case []any:
		for i, v := range e {
			leaves(path+"."+string(rune('0'+i)), v, into)
		}
	case float64:
		into[path] = e
	}
}

func TestOracle(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", oracleFile))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Cases []oracleCase `json:"cases"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	compared, closed, fitted, at := 0, 0.0, 0.0, ""
	for _, c := range doc.Cases {
		got := figuresOf(t, c.input())
		want := map[string]float64{}
		leaves("", c.Expected, want)
		for path, w := range want {
			g, ok := got[path]
			if !ok {
				t.Errorf("%s: %s is not computed", c.ID, path)
				continue
			}
			compared++
			difference := math.Abs(g-w) / math.Max(math.Abs(w), 1e-300)
			tolerance, largest := 1e-9, &closed
			if strings.HasPrefix(path, "sii_rii_logit") {
				tolerance, largest = 1e-6, &fitted // R ends its iteration sooner than we do.
			}
			if difference > tolerance || math.IsNaN(g) {
				t.Errorf("%s: %s = %v, want %v", c.ID, path, g, w)
			}
			if difference > math.Max(closed, fitted) {
				at = c.ID + " " + path
			}
			*largest = math.Max(*largest, difference)
		}
	}
	if compared == 0 {
		t.Fatal("no figure of the file was compared")
	}
	t.Logf("%s: %d cases, %d values compared, largest relative difference %.2g (%s); "+
		"%.2g without the logistic fits",
		oracleFile, len(doc.Cases), compared, math.Max(closed, fitted), at, closed)
}
