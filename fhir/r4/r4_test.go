package r4_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	dpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/datatypes_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
)

func TestOutcome(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   []r4.Issue
		want string
	}{
		{
			"nothing said is still a valid outcome",
			nil,
			`{"issue":[{"code":"exception","severity":"error"}],"resourceType":"OperationOutcome"}`,
		},
		{
			"what is said stands",
			[]r4.Issue{{
				Severity: cpb.IssueSeverityCode_WARNING, Code: cpb.IssueTypeCode_NOT_SUPPORTED,
				Text: "no", Expression: "Parameters.parameter",
			}},
			`{"issue":[{"code":"not-supported","details":{"text":"no"},` +
				`"expression":["Parameters.parameter"],"severity":"warning"}],` +
				`"resourceType":"OperationOutcome"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			outcome := r4.Outcome(tt.in...)
			got, err := r4.Marshal(outcome)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("Outcome(%v) (-want +got):\n%s", tt.in, diff)
			}
			back, err := r4.Unmarshal(got)
			if err != nil || !proto.Equal(back.GetOperationOutcome(), outcome) {
				t.Errorf("Unmarshal(%s) = %v, %v", got, back, err)
			}
		})
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   string
	}{
		{"nothing", ""},
		{"no resource", `{}`},
		{"an unknown type", `{"resourceType":"Secret-Canary"}`},
		{"an unknown element", `{"resourceType":"Parameters","canary":1}`},
		{"a required element that is absent", `{"resourceType":"OperationOutcome"}`},
		{"a parameter whose resource is none", `{"resourceType":"Parameters","parameter":[{"name":"a",` +
			`"resource":{"resourceType":"Canary"}}]}`},
		{"Parameters with a resource in Parameters", `{"resourceType":"Parameters","parameter":[` +
			`{"name":"a","resource":{"resourceType":"Parameters","parameter":[{"name":"b",` +
			`"resource":{"resourceType":"Patient"}}]}}]}`},
		{"nesting without end", `{"resourceType":"Parameters","parameter":[` +
			strings.Repeat(`{"name":"canary","part":[`, 200) + strings.Repeat(`]}`, 200) + `]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := r4.Unmarshal([]byte(tt.in))
			if !errors.Is(err, r4.ErrResource) {
				t.Fatalf("Unmarshal(%.60s) = %v, want ErrResource", tt.in, err)
			}
			if strings.Contains(strings.ToLower(err.Error()), "canary") {
				t.Errorf("the error repeats the text: %v", err)
			}
		})
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Parameters","parameter":[{"name":"a","valueDate":"2018"}]}`))
	f.Add([]byte(`{"resourceType":"Parameters","parameter":[{"name":"a","valueDecimal":1e999}]}`))
	f.Add([]byte(`{"resourceType":"Parameters","parameter":[{"name":"a","resource":` +
		`{"resourceType":"Group","type":"person","actual":true}}]}`))
	f.Add([]byte(`{"resourceType":"Patient","contained":[{"resourceType":"Patient"}]}`))
	f.Add([]byte("{\"resourceType\":\"Patient\",\"id\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		resource, err := r4.Unmarshal(text)
		if (err == nil) != (resource != nil) {
			t.Errorf("Unmarshal(%q) = %v, %v", text, resource, err)
		}
	})
}

func TestDatatypes(t *testing.T) {
	t.Parallel()
	noon := time.Date(2018, 3, 4, 12, 30, 15, 999, time.UTC)
	tests := []struct {
		name string
		in   *dpb.Extension
		want string
	}{
		{"a share keeps its digits", r4.DecimalExtension("u", 1.0/3), "0.3333333333333333"},
		{"a small rate has no exponent", r4.DecimalExtension("u", 1e-9), "0.000000001"},
		{"a moment has seconds and an offset", r4.MomentExtension("u", noon), `"2018-03-04T12:30:15Z"`},
		{
			"a range has one unit at both ends",
			r4.RangeExtension("u", r4.Range(1, 2, r4.Unit{Text: "days", Code: "d"})),
			`{"high":{"code":"d","system":"http://unitsofmeasure.org","unit":"days","value":2},` +
				`"low":{"code":"d","system":"http://unitsofmeasure.org","unit":"days","value":1}}`,
		},
		{
			"a quantity without a UCUM code has no system",
			r4.QuantityExtension("u", r4.Quantity(2, r4.Unit{Text: "per 250"})),
			`{"unit":"per 250","value":2}`,
		},
		{"a concept without a code is its text", r4.ConceptExtension("u", r4.Concept("s", "", "words")),
			`{"text":"words"}`},
		{"false is a value", r4.BoolExtension("u", false), "false"},
		{"a code is a code", r4.CodeExtension("u", "x"), `"x"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			outcome := r4.Outcome()
			outcome.Extension = []*dpb.Extension{tt.in}
			text, err := r4.Marshal(outcome)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), ":"+tt.want+"}") {
				t.Errorf("%s does not hold %s", text, tt.want)
			}
			if _, err := r4.Unmarshal(text); err != nil {
				t.Errorf("Unmarshal(%s): %v", text, err)
			}
		})
	}
}
