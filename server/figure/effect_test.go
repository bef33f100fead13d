package figure_test

import (
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/server/words"
)

// trial is an action on Spanish of 2025-01-01, or on Spanish and Chinese together: score after the start
// of Spanish, and of everybody else beside what they had.
func trial(t *testing.T, m figure.Measure, es, others float64, months int, groups ...string) effect.Effect {
	t.Helper()
	results := monthsOf(t, m, 12+months, func(i int) []counts {
		spanish, more := 0.4, 0.0
		if i >= 12 {
			spanish, more = es, others
		}
		return []counts{{"spanish", "Spanish", "", math.Round(200 * spanish), 200},
			{"english", "English", "", math.Round(600 * (0.7 + more)), 600}, {"chinese", "Chinese", "", math.Round(100 * (0.6 + more)), 100},
			{"", "", string(mapping.Missing), 20, 40}}
	})
	goal := 0.5
	e, err := effect.Evaluate(results, action.Action{ID: "a-1", Start: "2025-01-01", State: action.InProgress,
		Finding: action.Finding{Kind: action.Gap, Period: "2024"},
		Aim: action.Aim{Measure: m.ID, Rate: m.Rate, Dimension: "language_group", Groups: groups,
			Reference: "english", Target: &goal}}, effect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEffectInWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		es, others float64
		months     int
		groups     []string
		want       effect.Verdict
	}{
		{"smaller", 0.55, 0, 12, []string{"spanish"}, effect.Smaller},
		{"two-groups", 0.55, 0, 12, []string{"spanish", "chinese"}, effect.Smaller},
		{"larger", 0.30, 0, 12, []string{"spanish"}, effect.Larger},
		{"none", 0.40, 0, 12, []string{"spanish"}, effect.NoChangeShown},
		{"together", 0.50, 0.1, 12, []string{"spanish"}, effect.EverybodyMoved},
		{"turned", 1, -0.2, 12, []string{"spanish"}, effect.Mixed},
		{"early", 0.55, 0, 2, []string{"spanish"}, effect.TooEarly},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, tag := range []language.Tag{language.English, language.Spanish} {
				m := interpreter(tag)
				m.Rate = "main"
				e := trial(t, m, tt.es, tt.others, tt.months, tt.groups...)
				if e.Verdict != tt.want {
					t.Fatalf("verdict %s, want %s", e.Verdict, tt.want)
				}
				figures := speaks(t, tag).Effect(e, m)
				drawn := ""
				for _, f := range figures {
					drawn += text(f) + pictures(t, f, chart.Wide, chart.Narrow) + "\n"
				}
				sane(t, tt.name, drawn)
				golden(t, filepath.Join("time", "effect-"+tt.name+"."+tag.String()+".txt"), text(figures[0]))
				if len(figures) < 4 && tt.want != effect.TooEarly {
					t.Errorf("%d figures", len(figures))
				}
				for i, id := range []string{"effect", "time-", "gap-"} {
					if i < len(figures) && !strings.HasPrefix(figures[i].ID, id) {
						t.Errorf("figure %d is %s, want %s", i, figures[i].ID, id)
					}
				}
			}
		})
	}
}

// TestStartOfAnActionIsMarked looks for the mark on the control chart of the groups.
func TestStartOfAnActionIsMarked(t *testing.T) {
	t.Parallel()
	m := interpreter(language.English)
	m.Rate = "main"
	figures := speaks(t, language.English).Effect(trial(t, m, 0.55, 0, 12, "spanish", "chinese"), m)
	c, ok := figures[1].Chart.(chart.Control)
	if !ok || len(c.Marks) != 1 || c.Marks[0].At != 12 {
		t.Fatalf("marks of %T are %+v", figures[1].Chart, c.Marks)
	}
	if c.Points[0].Centre == nil || *c.Points[0].Centre != *c.Points[23].Centre {
		t.Error("the centre line is not that from before the start")
	}
	if !strings.Contains(figures[1].Title, "Spanish and Chinese") {
		t.Errorf("the title is %q", figures[1].Title)
	}
}

func TestEveryCodeOfAnEffectHasWords(t *testing.T) {
	t.Parallel()
	for _, tag := range words.Languages() {
		w := speaks(t, tag).Words()
		for _, c := range effect.Cautions() {
			if !w.Has("effect.caution." + string(c)) {
				t.Errorf("caution %s has no words in %v", c, tag)
			}
		}
		for _, v := range effect.Verdicts() {
			if !w.Has("effect.verdict." + string(v)) {
				t.Errorf("verdict %s has no words in %v", v, tag)
			}
		}
		for _, r := range effect.Requirements() {
			if !w.Has("effect.missing." + string(r)) {
				t.Errorf("requirement %s has no words in %v", r, tag)
			}
		}
	}
}

// TestAVerdictWithoutFigures looks for numbers in what is said to those who may not have them.
func TestAVerdictWithoutFigures(t *testing.T) {
	t.Parallel()
	m := interpreter(language.English)
	m.Rate = "main"
	for _, tt := range []struct {
		name   string
		months int
		want   string
	}{
		{"smaller", 12, "the gap was smaller than before"},
		{"too early", 2, "It is too early to say"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := trial(t, m, 0.55, 0, tt.months, "spanish")
			e.Missing = nil // What is required has numbers of its own, which are those of everybody.
			said := strings.Join(speaks(t, language.English).Verdict(e), " ")
			if !strings.Contains(said, tt.want) || !strings.Contains(said, "does not show that the action is why") {
				t.Errorf("Verdict() = %q", said)
			}
			if found := regexp.MustCompile(`[0-9]`).FindString(said); found != "" {
				t.Errorf("Verdict() holds %s: %q", found, said)
			}
		})
	}
}

// TestWordsOfEffectsClaimNoCause looks for words that would say why.
func TestWordsOfEffectsClaimNoCause(t *testing.T) {
	t.Parallel()
	causes := regexp.MustCompile(`(?i)because|due to|leads? to|caus|thanks to|results? (from|in)|\beffect|impact|` +
		`worked|success|porque|debid|provoca|gracias a|a causa|conduce|efecto|impacto|a raíz|ocasiona|` +
		`consecuencia|funcion|éxito`)
	for _, tag := range words.Languages() {
		forms, err := words.Catalogue(tag, "effect")
		if err != nil {
			t.Fatal(err)
		}
		for key, f := range forms {
			for _, said := range []string{f.One, f.Other} {
				if found := causes.FindString(said); found != "" {
					t.Errorf("%s in %v says %q", key, tag, found)
				}
			}
		}
	}
}

func TestInsideOutsideInWords(t *testing.T) {
	t.Parallel()
	lo, hi, q, p := 0.41, 0.33, 0.001, 0.8
	stand := func(v *float64, n float64) effect.Side {
		return effect.Side{Score: v, Interval: &[2]float64{*v - 0.02, *v + 0.02}, N: n}
	}
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	c := effect.Comparison{
		Measure: "interpreter-documented", Version: "1.0.0", Snapshot: "s-1", DataAsOf: start.AddDate(2, 0, 0),
		Period:    measure.Period{Start: start, End: start.AddDate(1, 0, -1)},
		Dimension: "language_group", DaysInside: 40, DaysOutside: 325,
		Conditions: []effect.Named{{Name: "Crisis standards\u202e of care"}, {Name: "No telephone interpreters"}},
		All:        effect.Beside{Label: "all", Inside: stand(&hi, 900), Outside: stand(&lo, 8000)},
		Reference:  &gap.Chosen{Rule: gap.Best, Code: "english", Label: "English"},
		Groups: []effect.Beside{
			{Code: "english", Label: "English", State: "known", Inside: stand(&lo, 600), Outside: stand(&lo, 6000),
				Difference: &gap.Estimate{Interval: &[2]float64{-0.04, 0.04}}, P: &p, Q: &p},
			{Code: "spanish", Label: "Spanish", State: "known", Inside: stand(&hi, 250), Outside: stand(&lo, 1700),
				Difference: &gap.Estimate{Value: -0.08, Interval: &[2]float64{-0.12, -0.04}, Clear: true}, P: &q, Q: &q,
				GapChange: &gap.Estimate{Value: -0.08, Interval: &[2]float64{-0.13, -0.03}, Clear: true}},
			{State: string(mapping.Missing), Inside: effect.Side{}, Outside: stand(&lo, 300)},
		},
	}
	inBoth(t, "inside", func(teller *figure.Teller, tag language.Tag) figure.Figure {
		return teller.InsideOutside(c, interpreter(tag))
	})
}
