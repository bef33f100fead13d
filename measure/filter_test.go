package measure_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

func TestFilterCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		in     measure.Filter
		policy mapping.Policy
		// want is a part of the message; "" for none.
		want string
	}{
		{"nothing", nil, "", ""},
		{"codes and a state", measure.Filter{"race": {"2106-3", "two-or-more", "~asked-declined"}}, "", ""},
		{"everything at once", measure.Filter{"race_ethnicity": {"2135-2"}, "ethnicity": {"2186-5"},
			"language": {"yue"}, "language_group": {"sign"}, "interpreter_need": {"yes"}, "sex": {"other"},
			"age_band": {"85+"}, "site": {"H-1.a"}, "practitioner": {"d1"}}, "", ""},
		{"a payer", measure.Filter{"payer": {"medicaid"}}, "", "payer: no resource that is synced says who pays"},
		{"another word", measure.Filter{"gender": {"male"}}, "", `"gender" is none of race, ethnicity`},
		{"a recorded set", measure.Filter{"race_set": {"2106-3"}}, "", `"race_set" is none of`},
		{"no value", measure.Filter{"race": {}}, "", "race: no value is listed"},
		{"a label", measure.Filter{"race": {"White"}}, "", `"White" is none of 1002-5, 2028-9`},
		{"a state without its sign", measure.Filter{"sex": {"missing"}}, "", `"missing" is none of female`},
		{"a state that does not exist", measure.Filter{"sex": {"~declined"}}, "", `"~declined" is no state`},
		{"known is no state to be filtered by", measure.Filter{"sex": {"~known"}}, "", "is no state"},
		{"a language with a region", measure.Filter{"language": {"es-MX"}}, "", "is not a language code"},
		{"a reference", measure.Filter{"practitioner": {"Practitioner/1"}}, "", "is not the id of a resource"},
		{"a practitioner in no state", measure.Filter{"practitioner": {"~missing"}}, "", "is not the id"},
		{"two values in one", measure.Filter{"site": {"H1\nH2"}}, "", "is not the id of a resource"},
		{"Middle Eastern by 1997", measure.Filter{"race": {"2118-8"}}, "", `"2118-8" is none of`},
		{"Middle Eastern by 2024", measure.Filter{"race": {"2118-8"}}, mapping.PolicySPD15, ""},
		{"two or more where groups overlap", measure.Filter{"race": {"two-or-more"}}, mapping.PolicyAlone,
			`"two-or-more" is none of`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := test.in.Check(test.policy)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("Check(%v) = %v", test.in, err)
			case test.want != "" && (!errors.Is(err, measure.ErrUnknownFilter) ||
				!strings.Contains(err.Error(), test.want)):
				t.Errorf("Check(%v) = %v\nwant %s", test.in, err, test.want)
			}
		})
	}
}

// TestWhoIsFilteredByIsNotRepeated: an id that is wrong may be that of a patient.
func TestWhoIsFilteredByIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"practitioner", "site", "language"} {
		err := measure.Filter{key: {"Patient/mary-miller"}}.Check("")
		if err == nil || strings.Contains(err.Error(), "mary") {
			t.Errorf("Check(%s) = %v", key, err)
		}
	}
}

func TestQuestionsThatAreRefused(t *testing.T) {
	t.Parallel()
	engine := measure.NewEngine(scratch(t), shipped(t))
	year, _ := measure.ParsePeriod("2026")
	tests := []struct {
		name string
		in   measure.Question
		want error
		says string
	}{
		{"another policy", measure.Question{Policy: "omb2030"}, measure.ErrUnknownDimension,
			`race policy "omb2030" is none of omb1997_exclusive`},
		{"race and ethnicity in one under NCQA", measure.Question{Policy: mapping.PolicyNCQA,
			By: []string{"sex*race_ethnicity"}}, measure.ErrUnknownDimension, "keeps race and ethnicity apart"},
		{"a set crossed with itself", measure.Question{Policy: mapping.PolicyAlone,
			By: []string{"race*sex*race_ethnicity"}}, measure.ErrOverlapping, "the same recorded set"},
		{"the categories of 2024 crossed with themselves", measure.Question{Policy: mapping.PolicySPD15,
			By: []string{"race_ethnicity*race"}}, measure.ErrOverlapping, "the same recorded set"},
		{"a filter by what the policy does not have", measure.Question{Policy: mapping.PolicyNCQA,
			Where: measure.Filter{"race_ethnicity": {"2135-2"}}}, measure.ErrUnknownDimension, "keeps race"},
		{"a filter by payer", measure.Question{Where: measure.Filter{"payer": {"1"}}},
			measure.ErrUnknownFilter, "Coverage"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			q := test.in
			q.Measure, q.Period = "telehealth-share", year
			_, evaluated := engine.Evaluate(t.Context(), q)
			_, monthly := engine.Months(t.Context(), q)
			listed := engine.Members(t.Context(), q, func(measure.Member) error { return nil })
			for _, err := range []error{evaluated, monthly, listed} {
				if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%+v: %v\nwant %s", test.in, err, test.says)
				}
			}
		})
	}
}

// TestValuesStayValues: what is asked never becomes part of a statement.
func TestValuesStayValues(t *testing.T) {
	t.Parallel()
	dir := Open(t)
	Load(t, dir, clinic())
	engine := measure.NewEngine(Current(t, dir), shipped(t))
	year, _ := measure.ParsePeriod("2026")
	for _, text := range []string{"a') OR true --", "a'", "?", "a\x00b", "'; DROP VIEW encounter; --"} {
		result, err := engine.Evaluate(t.Context(), measure.Question{Measure: "telehealth-share", Period: year,
			People: []phi.ID{phi.New(text)}, By: []string{"race"}})
		if err != nil {
			t.Errorf("people %q: %v", text, err)
			continue
		}
		if n := result.Groups[0].Populations[measure.InitialPopulation]; n != 0 {
			t.Errorf("people %q: %g units, want none", text, n)
		}
	}
	result, err := engine.Evaluate(t.Context(), measure.Question{Measure: "telehealth-share", Period: year,
		People: []phi.ID{}})
	if err != nil || result.Groups[0].Populations[measure.InitialPopulation] != 0 {
		t.Errorf("nobody: %v, %v; want none", result.Groups[0].Populations, err)
	}
}
