package export_test

import (
	"bytes"
	"encoding/csv"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/export"
	"github.com/equitylens/equitylens/measure/gap"
)

func at(v float64) *float64 { return &v }

// table has a negative number, a label that a spreadsheet would run, a hidden cell, a cross, and a score
// that is not there.
func table(label string, score float64) export.Table {
	period, err := measure.ParsePeriod("2025")
	if err != nil {
		panic(err)
	}
	known := func(code, label string) measure.Coding {
		return measure.Coding{Code: code, System: "urn:s", Label: label, State: "known"}
	}
	return export.Table{
		Software: "1.2.3",
		Results: []measure.Result{{
			Measure: "m", Version: "1.0.0", Snapshot: "20260101T000000Z-0001",
			DataAsOf: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Complete: true, Period: period,
			Policy: "ncqa_separate", Audience: "public",
			Filter: measure.Filter{"site": {"a", "b"}, "language": {"es"}},
			Groups: []measure.Group{{
				ID: "main", Scoring: measure.Proportion, Improvement: measure.Increase, Per: 1,
				Cell: measure.Cell{
					Populations: map[measure.Population]float64{
						measure.InitialPopulation: 120, measure.Denominator: 100, measure.Numerator: 25,
						measure.DenominatorExclusion: 0, measure.DenominatorException: 2,
					},
					Score: &score, Interval: &[2]float64{-0.125, 0.5},
				},
				Overlapping: []string{"race*sex"},
				Strata: map[string][]measure.Stratum{
					"race": {
						{Coding: known("1", label), Cell: measure.Cell{
							Populations: map[measure.Population]float64{measure.Denominator: 0},
						}, Share: at(0.25)},
						{Coding: known("2", "Hidden"), Cell: measure.Cell{Suppressed: true}},
					},
					"race*sex": {{Components: []measure.Component{
						{Dimension: "race", Coding: known("1", "One")}, {Dimension: "sex", Coding: known("f", "F")},
					}}},
				},
			}},
		}},
		Gaps: []gap.Gap{{
			Measure: "m", Rate: "main", Dimension: "race", Code: "1", Reference: "Two", Rule: gap.Best,
			Difference: -0.25, Ratio: at(0.5), P: at(1e-300), Interval: &[2]float64{-0.5, -0.1},
		}},
	}
}

// readCSV returns the rows by name of the column.
func readCSV(t *testing.T, text []byte) []map[string]string {
	t.Helper()
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func TestEveryRowSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := table("One", 0.25).WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	rows := readCSV(t, out.Bytes())
	if len(rows) != 4 {
		t.Fatalf("%d rows, want the group, two strata and a cross", len(rows))
	}
	for _, row := range rows {
		for name, want := range map[string]string{
			"measure": "m", "version": "1.0.0", "snapshot": "20260101T000000Z-0001",
			"data_as_of": "2026-01-02T03:04:05Z", "period_start": "2025-01-01", "period_end": "2025-12-31",
			"audience": "public", "race_policy": "ncqa_separate", "filter": "language=es; site=a,b",
			"software": "1.2.3", "complete": "true",
		} {
			if row[name] != want {
				t.Errorf("%s is %q, want %q", name, row[name], want)
			}
		}
	}
	want := map[string]string{
		"difference": "-0.25", "difference_low": "-0.5", "ratio": "0.5", "reference_rule": "best",
		"reference": "Two", "denominator": "0", "score": "", "numerator": "", "share": "0.25",
		"suppressed": "false", "dimension": "race",
	}
	for name, text := range want {
		if rows[1][name] != text {
			t.Errorf("row 1: %s is %q, want %q", name, rows[1][name], text)
		}
	}
	if p, err := strconv.ParseFloat(rows[1]["p"], 64); err != nil || p != 1e-300 {
		t.Errorf("p reads back as %g, %v", p, err)
	}
	if rows[2]["suppressed"] != "true" || rows[2]["denominator"] != "" {
		t.Errorf("the hidden row is %v, want it empty and said to be suppressed", rows[2])
	}
	if rows[3]["code"] != "1*f" || rows[3]["overlapping"] != "true" || rows[3]["label"] != "One*F" {
		t.Errorf("the cross is %v", rows[3])
	}
}

func TestLabelsAreNotRun(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"=cmd()", "+1", "-1", "@x", "\tx", "\rx", "\x00=x"} {
		var text, book bytes.Buffer
		if err := table(label, -0.25).WriteCSV(&text); err != nil {
			t.Fatal(err)
		}
		row := readCSV(t, text.Bytes())[1]
		if !strings.HasPrefix(row["label"], "'") {
			t.Errorf("CSV holds the label %q", row["label"])
		}
		if first := readCSV(t, text.Bytes())[0]; first["score"] != "-0.25" || first["interval_low"] != "-0.125" {
			t.Errorf("negative numbers became %q and %q", first["score"], first["interval_low"])
		}
		if err := table(label, -0.25).WriteXLSX(&book); err != nil {
			t.Fatal(err)
		}
		file, err := excelize.OpenReader(&book)
		if err != nil {
			t.Fatal(err)
		}
		kind, err := file.GetCellType("figures", "N3")
		if err != nil || (kind != excelize.CellTypeSharedString && kind != excelize.CellTypeInlineString) {
			t.Errorf("the label %q is a cell of type %v, %v; want text", label, kind, err)
		}
		if formula, err := file.GetCellFormula("figures", "N3"); err != nil || formula != "" {
			t.Errorf("the label %q is the formula %q, %v", label, formula, err)
		}
	}
}

// TestFormatsAgree reads all three back.
func TestFormatsAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		score := rapid.Float64().Filter(func(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }).
			Draw(r, "score")
		label := rapid.StringMatching(`[A-Za-z0-9,"; éß]{0,20}`).Draw(r, "label")
		what := table(label, score)
		var text, columns bytes.Buffer
		if err := what.WriteCSV(&text); err != nil {
			r.Fatal(err)
		}
		if err := what.WriteParquet(&columns); err != nil {
			r.Fatal(err)
		}
		got, err := parquet.Read[export.Row](bytes.NewReader(columns.Bytes()), int64(columns.Len()))
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(what.Rows(), got); diff != "" {
			r.Fatalf("Parquet reads back otherwise (-written +read):\n%s", diff)
		}
		rows := readCSV(t, text.Bytes())
		if read, err := strconv.ParseFloat(rows[0]["score"], 64); err != nil || read != score {
			r.Fatalf("CSV holds the score %q, want %g", rows[0]["score"], score)
		}
		if rows[1]["label"] != label {
			r.Fatalf("CSV holds the label %q, want %q", rows[1]["label"], label)
		}
	})
}

func TestTheWorkbookHoldsNumbersAsNumbers(t *testing.T) {
	t.Parallel()
	var book bytes.Buffer
	if err := table("One", -0.25).WriteXLSX(&book); err != nil {
		t.Fatal(err)
	}
	file, err := excelize.OpenReader(&book)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := file.GetRows("figures")
	if err != nil || len(rows) != 5 {
		t.Fatalf("%d rows, %v; want a header and four", len(rows), err)
	}
	for i, name := range rows[0] {
		if name != "score" {
			continue
		}
		cell, err := excelize.CoordinatesToCellName(i+1, 2)
		if err != nil {
			t.Fatal(err)
		}
		kind, err := file.GetCellType("figures", cell)
		if err != nil || (kind != excelize.CellTypeUnset && kind != excelize.CellTypeNumber) {
			t.Errorf("the score is a cell of type %v, %v; want a number", kind, err)
		}
		if rows[1][i] != "-0.25" {
			t.Errorf("the score is %q", rows[1][i])
		}
	}
	if said, err := file.GetRows("read me"); err != nil || len(said) < 5 {
		t.Errorf("the sheet that explains has %d rows, %v", len(said), err)
	}
}
