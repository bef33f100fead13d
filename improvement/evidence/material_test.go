package evidence_test

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/effect"
	"github.com/equitylens/equitylens/improvement/evidence"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
	"github.com/equitylens/equitylens/measure/stat"
	"github.com/equitylens/equitylens/server/words"
	"github.com/equitylens/equitylens/store/facts"
)

var made = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

// english and spanish read the catalogues once.
var (
	english = sync.OnceValues(func() (*words.Words, error) { return words.New(words.Languages()[0], time.UTC) })
	spanish = sync.OnceValues(func() (*words.Words, error) { return words.New(words.Languages()[1], time.UTC) })
)

func options(t testing.TB, language string) evidence.Options {
	t.Helper()
	read := english
	if language == "es" {
		read = spanish
	}
	w, err := read()
	if err != nil || w.Tag().String() != language {
		t.Fatalf("there are no words of %s: %v", language, err)
	}
	return evidence.Options{Words: w, Organization: "Hillcrest", Software: "1.2.3"}
}

// shipped are the definitions and the questionnaire, which are read once; nobody changes them.
var (
	shippedDefinitions   = sync.OnceValues(func() ([]measure.Definition, error) { return measure.Load(catalog.Files()) })
	shippedQuestionnaire = sync.OnceValues(readiness.Shipped)
)

func definitions(t testing.TB) []measure.Definition {
	t.Helper()
	list, err := shippedDefinitions()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(list)
}

func questionnaire(t testing.TB) *readiness.Questionnaire {
	t.Helper()
	q, err := shippedQuestionnaire()
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func year(t testing.TB, name string) measure.Period {
	t.Helper()
	p, err := measure.ParsePeriod(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// cellOf is a share.
func cellOf(n, d float64) measure.Cell {
	score := n / d
	lo, hi := stat.Wilson(n, d)
	return measure.Cell{
		Populations: map[measure.Population]float64{
			measure.InitialPopulation: d, measure.Denominator: d, measure.Numerator: n,
		},
		Score: &score, Interval: &[2]float64{lo, hi},
	}
}

// resultOf is a result of every rate of a definition, with two groups that differ in each dimension. The
// labels of sites are those that are given.
func resultOf(t testing.TB, d measure.Definition, sites ...string) measure.Result {
	t.Helper()
	r := measure.Result{
		Measure: d.ID, Version: d.Version, Title: d.Title, Snapshot: "20260301T020000Z-7", Complete: true,
		DataAsOf: made.Add(-time.Hour), Period: year(t, "2025"),
	}
	codes := map[string][2]string{
		"race_ethnicity": {"2028-9", "2054-5"}, "language_group": {"english", "spanish"},
		"interpreter_need": {"no", "yes"}, "sex": {"female", "male"}, "age_band": {"18-44", "65-74"},
	}
	for _, rate := range d.Rates() {
		g := measure.Group{
			ID: rate.ID, Title: rate.Title, Scoring: d.Scoring, Improvement: rate.Improvement, Per: 1, NotBy: rate.NotBy,
			Cell: cellOf(700, 1200), Strata: map[string][]measure.Stratum{},
		}
		for dimension, pair := range codes {
			g.Strata[dimension] = []measure.Stratum{
				{Coding: measure.Coding{Code: pair[0], Label: pair[0], State: "known"}, Cell: cellOf(500, 700)},
				{Coding: measure.Coding{Code: pair[1], Label: pair[1], State: "known"}, Cell: cellOf(180, 450)},
				{Coding: measure.Coding{Label: "Missing", State: "missing"}, Cell: cellOf(20, 50)},
			}
		}
		for n, label := range sites {
			g.Strata["site"] = append(g.Strata["site"], measure.Stratum{
				Coding: measure.Coding{Code: "H" + strconv.Itoa(n), Label: label, State: "known"}, Cell: cellOf(300, 600),
			})
		}
		r.Groups = append(r.Groups, g)
	}
	return r
}

// material is one of everything. What is typed holds text.
func material(t testing.TB, text string) evidence.Material {
	t.Helper()
	m := evidence.Material{
		Period: year(t, "2025"), Audience: release.Internal, Made: made, Definitions: definitions(t),
		Questionnaire: questionnaire(t),
		Info: facts.Info{
			ID: "20260301T020000Z-7", DataAsOf: made.Add(-time.Hour), Software: "1.2.0", Digest: "d1e2",
			Loads: []facts.Load{{Source: "ehr", Type: "Patient", Complete: true, TransactionTime: made.Add(-time.Hour)}},
		},
		Completeness: []facts.Completeness{
			{Source: "ehr", Site: "H0", Field: "race", State: "known", People: 900},
			{Source: "ehr", Site: "H1", Field: "race", State: "missing", People: 7712345},
		},
		Conditions: []action.Condition{{ID: "c1", Name: text + " surge", Site: "H0", Start: "2025-02-01"}},
	}
	for _, d := range m.Definitions {
		if slices.Contains([]string{"interpreter-documented", "real-completeness", "inequity-factor-captured"}, d.ID) {
			m.Results = append(m.Results, resultOf(t, d, text+" North", "South"))
		}
	}
	m.Assessment = assessment(t, text)
	m.Acts = []evidence.Act{act(t, text)}
	m.Reviews = &evidence.Reviews{
		Tally: review.Tally{Events: 40, Settled: 30, Withdrawn: 1, Ways: []review.Way{
			{
				Detection: review.Reported, Events: 29,
				Answers: map[review.Answer]int{review.Yes: 9, review.No: 17, review.Undetermined: 3},
				Factors: map[review.Factor]int{review.LanguageAccess: 8123456},
			},
			{Detection: review.Triggered, Events: 1, Answers: map[review.Answer]int{review.No: 1}},
		}},
		Agreement: review.Agreement{Exists: true, Measured: stat.Agreement{
			N: 12, Observed: 0.75, Kappa: stat.Estimate{Value: 0.5, Lo: 0.1, Hi: 0.9},
		}},
	}
	return m
}

func assessment(t testing.TB, text string) *readiness.Assessment {
	t.Helper()
	q := questionnaire(t)
	a := readiness.Assessment{
		ID: "readiness-2025", Period: "2025", Questionnaire: q.Version, State: readiness.Draft, At: made, Version: 3,
		Answers: map[string]readiness.Answer{}, Reopened: text + " reopened",
	}
	for n, i := range q.Items() {
		if !i.FromData() {
			level := readiness.Level(n % 4)
			a.Answers[i.ID] = readiness.Answer{
				Item: i.ID, Level: &level, Comment: text + " comment", By: review.Reviewer{Subject: "p1", Name: text + " name"},
			}
		}
	}
	a = q.Lay(a, readiness.Figures{
		readiness.RaceRecorded: {Value: 0.7123, Of: 5000}, readiness.DataAge: {Value: 3},
		readiness.InequityAsked: {Missing: readiness.Nobody},
	})
	a.State = readiness.Final
	return &a
}

// trend is two years of the figure of an aim, month by month.
func trend(t testing.TB, aim action.Aim) gap.TrendReport {
	t.Helper()
	list := definitions(t)
	i := slices.IndexFunc(list, func(d measure.Definition) bool { return d.ID == aim.Measure })
	var months []measure.Result
	for m := range 24 {
		r := resultOf(t, list[i])
		first := time.Date(2024, time.Month(m+3), 1, 0, 0, 0, 0, time.UTC)
		r.Period = measure.Period{Start: first, End: first.AddDate(0, 1, -1)}
		months = append(months, r)
	}
	report, err := gap.Trend(months, "", aim.Dimension, gap.Options{Reference: gap.Best})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func act(t testing.TB, text string) evidence.Act {
	t.Helper()
	target, score := 0.9, 0.41237
	aim := action.Aim{
		Measure: "interpreter-documented", Dimension: "language_group", Groups: []string{"spanish"}, Target: &target,
	}
	side := effect.Side{Score: &score, Interval: &[2]float64{0.3, 0.5}, N: 9241777}
	moved := effect.Moved{Label: "x", Code: "spanish", Before: side, After: side, Change: &gap.Estimate{
		Value: 0.1, Interval: &[2]float64{0.05, 0.15}, Clear: true,
	}}
	other := effect.Against{
		Other: effect.Moved{Code: "english", Before: side, After: side}, Change: gap.Estimate{Value: -0.1},
	}
	return evidence.Act{
		Action: action.Action{
			ID: "a1", Title: text + " title", What: text + " what", Cause: review.LanguageAccess, Owner: text + " owner",
			Aim: aim, Start: "2025-03-01", Due: "2025-12-31", State: action.InProgress,
			Result: &action.Result{
				Outcome: action.Reduced, Summary: text + " summary", At: made, By: review.Reviewer{Name: text + " closer"},
			},
		},
		Effect: &effect.Effect{
			Action: "a1", Aim: aim, Start: "2025-03-01", Measure: "interpreter-documented", Rate: "main",
			Scoring: measure.Proportion, Improvement: measure.Increase, Per: 1, Verdict: effect.Smaller,
			Missing: []effect.Requirement{effect.NeedsMonths}, Before: effect.Span{From: "2024-03", To: "2025-02", Months: 12},
			After: effect.Span{From: "2025-03", To: "2026-02", Months: 12}, Target: moved, Groups: []effect.Moved{moved}, Trend: trend(t, aim), Gap: &other, Comparison: &other,
			Cautions: []effect.Caution{effect.Season}, Sentence: text + " sentence",
			Overlaps: []effect.Named{{ID: "a2", Name: text + " overlap"}},
		},
	}
}
