package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// TestParametersReachTheQuestion asks by GET and by POST.
func TestParametersReachTheQuestion(t *testing.T) {
	t.Parallel()
	noRaceEthnicity := []string{
		"race", "ethnicity", "language", "language_group", "interpreter_need", "sex", "age_band", "site",
	}
	tests := []struct {
		name  string
		query url.Values
		want  measure.Question
	}{
		{"nothing but the period", nil, measure.Question{By: measure.Dimensions()}},
		{"bounds", url.Values{"bounds": {"true"}},
			measure.Question{By: measure.Dimensions(), Bounds: true}},
		{"no bounds", url.Values{"bounds": {"false"}}, measure.Question{By: measure.Dimensions()}},
		{"a policy", url.Values{"racePolicy": {"spd15_2024"}},
			measure.Question{By: measure.Dimensions(), Policy: mapping.PolicySPD15}},
		{"NCQA's, under which there is no race and ethnicity in one",
			url.Values{"racePolicy": {"ncqa_separate"}},
			measure.Question{By: noRaceEthnicity, Policy: mapping.PolicyNCQA}},
		{"filters, in order and once", url.Values{
			"filter": {"race:2106-3", "sex:female", "race:2028-9", "race:2106-3", "age_band:85+"},
		}, measure.Question{By: measure.Dimensions(), Where: measure.Filter{
			"race": {"2028-9", "2106-3"}, "sex": {"female"}, "age_band": {"85+"},
		}}},
		{"a filter by a state", url.Values{"filter": {"language:~asked-declined"}},
			measure.Question{By: measure.Dimensions(), Where: measure.Filter{
				"language": {"~asked-declined"},
			}}},
		{"a practitioner", url.Values{"practitioner": {"Practitioner/d1"}},
			measure.Question{By: measure.Dimensions(), Where: measure.Filter{"practitioner": {"d1"}}}},
		{"a practitioner by address", url.Values{
			"practitioner": {"https://quality.example.org/fhir/Practitioner/d1"},
		}, measure.Question{By: measure.Dimensions(), Where: measure.Filter{"practitioner": {"d1"}}}},
		{"a group", url.Values{"subject": {"Group/g"}}, measure.Question{
			By: measure.Dimensions(), People: []phi.ID{phi.New("p1"), phi.New("p2")},
		}},
		{"a group of nobody, which is not everybody", url.Values{"subject": {"Group/empty"}},
			measure.Question{By: measure.Dimensions(), People: []phi.ID{}}},
		{"a patient, counted", url.Values{"subject": {"p3"}, "reportType": {"population"}},
			measure.Question{By: measure.Dimensions(), People: []phi.ID{phi.New("p3")}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			period, err := measure.ParsePeriod("2018")
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Measure, tt.want.Period = "ed-left-without-being-seen", period
			f := newFixture(t)
			w := f.get(edOf2018+"&"+tt.query.Encode(), patientsScope)
			got := f.measures.whole()
			same := []cmp.Option{cmp.AllowUnexported(phi.ID{}), cmpopts.EquateComparable(phi.ID{})}
			if diff := cmp.Diff(tt.want, got, same...); diff != "" || w.Code != http.StatusOK {
				t.Errorf("GET = %d asks (-want +got):\n%s%s", w.Code, diff, w.Body)
			}
			if (tt.want.People == nil) != (got.People == nil) {
				t.Errorf("the people are %v, want %v", got.People, tt.want.People)
			}
			f = newFixture(t)
			w = f.postAs(patientsScope, evaluateED, typedAll(tt.query)...)
			if diff := cmp.Diff(tt.want, f.measures.whole(), same...); diff != "" || w.Code != 200 {
				t.Errorf("POST = %d asks (-want +got):\n%s%s", w.Code, diff, w.Body)
			}
		})
	}
}

// typedAll writes a query as parameters of the types that a client would use.
func typedAll(query url.Values) []string {
	all := []string{date("periodStart", "2018"), date("periodEnd", "2018")}
	for name, values := range query {
		for _, value := range values {
			switch {
			case name == "bounds":
				all = append(all, `{"name":"bounds","valueBoolean":`+value+`}`)
			case strings.Contains(value, "/") && !strings.Contains(value, ":"):
				all = append(all, `{"name":"`+name+`","valueReference":{"reference":"`+value+`"}}`)
			default:
				all = append(all, typed(name, "String", value))
			}
		}
	}
	return all
}

// TestGapsAreComparedWithTheReference: both the difference and the ratio, with a sentence.
func TestGapsAreComparedWithTheReference(t *testing.T) {
	t.Parallel()
	const url = `"https://equitylens.org/fhir/StructureDefinition/gap"`
	f := newFixture(t)
	if w := f.get(edOf2018, internalScope); strings.Contains(w.Body.String(), url) {
		t.Errorf("gaps that nobody asked for: %s", w.Body)
	}
	w := f.get(edOf2018+"&reference=2106-3", internalScope)
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	for _, want := range []string{url, `"difference"`, `"ratio"`, `"sentence"`, `"valueCode":"2028-9"`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the report has no %s: %s", want, w.Body)
		}
	}
}
