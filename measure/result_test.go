package measure_test

import (
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// clinic is two Spanish speakers, an English speaker and one who declined to say.
func clinic() Batch {
	language := func(v mapping.Value, group string) func(*mapping.Patient) {
		return func(p *mapping.Patient) {
			p.Language = v
			if p.LanguageGroup = v; v.State == mapping.Known {
				p.LanguageGroup = Known(group)
			}
		}
	}
	visit := func(id, patient, start, end string, far bool) mapping.Encounter {
		return Encounter(id, patient, "AMB", start, end,
			func(e *mapping.Encounter) { e.Telehealth = far })
	}
	stay := Encounter("s", "a", "IMP", "2026-03-01T10:00:00Z", "2026-03-05T10:00:00Z")
	return Batch{
		Patients: []mapping.Patient{
			Patient("a", language(Known("es"), "spanish")), Patient("b", language(Known("es"), "spanish")),
			Patient("c", language(Known("en"), "english")),
			Patient("d", language(State(mapping.AskedDeclined), "")),
		},
		Encounters: []mapping.Encounter{
			visit("1", "a", "2026-01-05", "2026-01-05", true), visit("2", "b", "2026-01-06", "2026-01-06",
				false),
			visit("3", "c", "2026-02-06", "2026-02-06", false), visit("4", "d", "2026-02-07", "2026-02-07",
				true),
			visit("5", "d", "2026-02-07", "", true), stay,
		},
		Events: []mapping.AdverseEvent{Event("v", "a", "2026-03-02")},
	}
}

// loads are of one moment; absent types are left out, and those in partial say why they are
// incomplete.
func loads(absent string, partial map[string]string) facts.Merge {
	var out facts.Merge
	for _, l := range Full(Source) {
		if l.Type == absent {
			continue
		}
		l.TransactionTime = time.Date(2026, 6, 30, 6, 0, 0, 0, time.UTC)
		if reason, ok := partial[l.Type]; ok {
			l.Complete, l.Reason = false, reason
		}
		out.Loads = append(out.Loads, l)
	}
	return out
}

func evaluate(t *testing.T, b Batch, id, period string, by ...string) measure.Result {
	t.Helper()
	dir := Open(t)
	Load(t, dir, b)
	p, err := measure.ParsePeriod(period)
	if err != nil {
		t.Fatal(err)
	}
	result, err := measure.NewEngine(Current(t, dir), shipped(t)).Evaluate(t.Context(), measure.Question{Measure: id, Period: p, By: by})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestResultAsJSON holds the contract of evaluate --format json.
func TestResultAsJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file, id string
		by       []string
		merge    facts.Merge
	}{
		{"testdata/telehealth-share.golden.json", "telehealth-share",
			[]string{"language_group", "language_group*sex"}, loads("", nil)},
		{"testdata/harm-per-1000-days.golden.json", "harm-per-1000-days", []string{"site"}, loads("",
			nil)},
		{"testdata/length-of-stay.golden.json", "length-of-stay", nil, loads("", nil)},
		{"testdata/absent.golden.json", "harm-per-1000-days", []string{"race"}, loads("AdverseEvent",
			nil)},
		{"testdata/partial.golden.json", "ed-stay-over-8h", []string{"race"},
			loads("", map[string]string{"Encounter": "two files were not delivered"})},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			t.Parallel()
			b := clinic()
			b.Merge = test.merge
			text, err := json.MarshalIndent(evaluate(t, b, test.id, "2026", test.by...), "", " ")
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, '\n')
			if *update {
				if err := os.WriteFile(test.file, text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(test.file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tree(t, want), tree(t, text), digits); d != "" {
				t.Errorf("%s (-want +got):\n%s", test.file, d)
			}
		})
	}
}

// digits lets the last digits of a float64 differ, as processors do.
var digits = cmp.Comparer(func(a, b float64) bool {
	return math.Abs(a-b) <= 1e-9*max(1,
		math.Abs(a))
})

func tree(t *testing.T, text []byte) (out any) {
	t.Helper()
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhatIsAbsentIsNotZero(t *testing.T) {
	t.Parallel()
	b := clinic()
	b.Merge = loads("AdverseEvent", nil)
	for _, id := range []string{"harm-per-1000-days", "reporting-ratio", "inequity-factor-captured"} {
		result := evaluate(t, b, id, "2026", "race", "site")
		if result.Complete || len(result.Incomplete) != 1 ||
			result.Incomplete[0] != "AdverseEvent: no source has loaded it" {
			t.Errorf("%s: complete %t, incomplete %q", id, result.Complete, result.Incomplete)
		}
		for _, g := range result.Groups {
			if len(g.Populations) != 0 || g.Score != nil || g.Interval != nil || len(g.Strata) != 0 {
				t.Errorf("%s counts what was never loaded: %+v", id, g.Cell)
			}
		}
	}
	if result := evaluate(t, b, "telehealth-share", "2026"); !result.Complete ||
		result.Groups[0].Score == nil {
		t.Errorf("telehealth-share needs no events: complete %t, score %v", result.Complete,
			result.Groups[0].Score)
	}
}

func TestWhatIsPartialHasNumbersAndSaysSo(t *testing.T) {
	t.Parallel()
	b := clinic()
	b.Merge = loads("", map[string]string{"Encounter": "two files were not delivered"})
	result := evaluate(t, b, "telehealth-share", "2026")
	want := []string{"Encounter: two files were not delivered"}
	if d := cmp.Diff(want, result.Incomplete); d != "" || result.Complete {
		t.Errorf("complete %t, incomplete (-want +got):\n%s", result.Complete, d)
	}
	if g := result.Groups[0]; g.Populations[measure.Denominator] != 4 || g.Score == nil ||
		*g.Score != 0.5 {
		t.Errorf("cell = %+v, want 2 of 4", g.Cell)
	}
}

func TestUndatedUnitsAreInNoPeriod(t *testing.T) {
	t.Parallel()
	for _, period := range []string{"2026", "0000", "9999-12", "0001-01-01/9999-12-31"} {
		if g := evaluate(t, clinic(), "telehealth-share", period).Groups[0]; g.Undated != 1 {
			t.Errorf("%s: undated %d, want 1", period, g.Undated)
		}
	}
}

func TestNoScoreOfNothing(t *testing.T) {
	t.Parallel()
	for _, d := range shipped(t) {
		for _, g := range evaluate(t, clinic(), d.ID, "2020", "race").Groups {
			if g.Score != nil || g.Interval != nil || len(g.Strata["race"]) != 0 {
				t.Errorf("%s, group %s of an empty period: %+v", d.ID, g.ID, g)
			}
		}
	}
}

func TestEvaluateRefuses(t *testing.T) {
	t.Parallel()
	engine := measure.NewEngine(scratch(t), shipped(t))
	year, _ := measure.ParsePeriod("2026")
	if _, err := engine.Evaluate(t.Context(), measure.Question{Measure: "nosuch", Period: year}); !errors.Is(err,
		measure.ErrUnknownMeasure) {
		t.Errorf("Evaluate(nosuch) = %v, want ErrUnknownMeasure", err)
	}
	_, err := engine.Evaluate(t.Context(), measure.Question{Measure: "telehealth-share", Period: year, By: []string{"race", "shoe"}})
	if !errors.Is(err, measure.ErrUnknownDimension) {
		t.Errorf("Evaluate(by shoe) = %v, want ErrUnknownDimension", err)
	}
}

// TestWhatIsNotFiniteIsNoObservation: a quotient by zero is excluded like what is absent.
func TestWhatIsNotFiniteIsNoObservation(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, clinic())
	year, _ := measure.ParsePeriod("2026")
	for _, text := range []string{"days / 0.0", "0.0 / 0.0", "'nan'::double", "null::integer"} {
		d := measure.Definition{ID: "own", Unit: measure.StayUnit, Scoring: measure.ContinuousVariable,
			DatedBy: "end",
			Observe: map[measure.Population]string{measure.MeasurePopulation: text},
			Populations: map[measure.Population]string{measure.InitialPopulation: "true",
				measure.MeasurePopulation: "true"}}
		result, err := measure.NewEngine(Current(t, dir), []measure.Definition{d}).
			Evaluate(t.Context(), measure.Question{Measure: "own", Period: year, By: []string{"race"}})
		if err != nil {
			t.Fatal(err)
		}
		g := result.Groups[0]
		if g.Populations[measure.MeasurePopulation] != 1 ||
			g.Populations[measure.MeasureExclusion] != 1 ||
			g.Score != nil && !math.IsNaN(*g.Score) {
			t.Errorf("observe %s: %+v, want one stay that is excluded and no score", text, g.Cell)
		}
	}
}

// TestExpressionsReachNothingButTheSnapshot: neither a file nor another database nor a change.
func TestExpressionsReachNothingButTheSnapshot(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, clinic())
	year, _ := measure.ParsePeriod("2026")
	for _, text := range []string{
		"(select count(*) from read_text('/etc/passwd')) > 0",
		"(select count(*) from read_csv('/etc/passwd')) > 0",
		"(select count(*) from '/etc/passwd') > 0",
		"(select count(*) from glob('/*')) > 0",
		"true)::BOOLEAN, false) AS i0 FROM encounter; DROP VIEW encounter; SELECT coalesce((true",
		"true)::BOOLEAN, false) AS i0 FROM encounter; COPY encounter TO 'out.csv'; SELECT coalesce((true",
	} {
		_, err := measure.NewEngine(Current(t, dir), []measure.Definition{of(measure.EncounterUnit,
			text)}).
			Evaluate(t.Context(), measure.Question{Measure: "own", Period: year})
		if err == nil {
			t.Errorf("Evaluate(%s) succeeds", text)
		}
	}
}
