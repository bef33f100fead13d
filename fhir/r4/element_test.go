package r4_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/r4"
)

func TestReaderNamesElements(t *testing.T) {
	t.Parallel()
	const head = `{"resourceType":"MeasureReport","status":"complete","type":"individual",` +
		`"measure":"m","period":{"start":"2018"}`
	tests := []struct {
		name string
		in   string
		want []string
	}{
		{"nothing is at fault", head + `}`, nil},
		{"no JSON", `{"canary`, []string{"invalid JSON"}},
		{"a type that R4 does not have", `{"resourceType":"canary"}`, []string{"unknown resource type"}},
		{
			"a contained one", head + `,"contained":[{"resourceType":"canary"}]}`,
			[]string{"MeasureReport.contained[0]: unknown resource type"},
		},
		{
			"what is absent", `{"resourceType":"MeasureReport","status":"complete"}`,
			[]string{
				`MeasureReport: missing required field "type"`,
				`MeasureReport: missing required field "measure"`,
				`MeasureReport: missing required field "period"`,
			},
		},
		{
			"a value of another kind", head + `,"group":[{"population":[{"count":"canary"}]}]}`,
			[]string{"MeasureReport.group[0].population[0].count: expected integer"},
		},
		{
			"an element that R4 does not have", head + `,"canary":1}`,
			[]string{"MeasureReport: unknown field"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reader, err := r4.NewReader()
			if err != nil {
				t.Fatal(err)
			}
			resource, faults := reader.Read([]byte(tt.in))
			var got []string
			for _, fault := range faults {
				got = append(got, fault.Error())
				if !errors.Is(fault, r4.ErrResource) {
					t.Errorf("%v is no ErrResource", fault)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Read(%s) (-want +got):\n%s", tt.in, diff)
			}
			if (resource == nil) != (faults != nil) {
				t.Errorf("Read(%s) = %v beside %v", tt.in, resource, faults)
			}
		})
	}
}

// FuzzReader holds every fault to names of elements, for the text may be about a person.
func FuzzReader(f *testing.F) {
	f.Add(`{"resourceType":"Patient","id":"7f3canary","gender":"7f3canary"}`)
	f.Add(`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"7f3canary":1}}]}`)
	f.Add(`{"resourceType":"Patient","extension":[{"url":"7f3canary","7f3canary":"x"}]}`)
	reader, err := r4.NewReader()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		resource, faults := reader.Read([]byte(text))
		if (resource == nil) != (faults != nil) {
			t.Errorf("Read(%q) = %v, %v", text, resource, faults)
		}
		for _, fault := range faults {
			if strings.Contains(fault.Error(), "7f3canary") {
				t.Errorf("Read(%q) repeats it: %v", text, fault)
			}
		}
	})
}

func TestTargetOfReferences(t *testing.T) {
	t.Parallel()
	text := `{"resourceType":"MeasureReport","status":"complete","type":"individual","measure":"m",` +
		`"period":{"start":"2018"},"evaluatedResource":[{"reference":"Encounter/1"},` +
		`{"reference":"#a"},{"reference":"urn:uuid:1f2e"},{"reference":"https://ehr/fhir/Encounter/2"},` +
		`{"display":"words"}]}`
	resource, err := r4.Unmarshal([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, reference := range resource.GetMeasureReport().GetEvaluatedResource() {
		got = append(got, r4.Target(reference))
	}
	want := []string{"Encounter/1", "#a", "urn:uuid:1f2e", "https://ehr/fhir/Encounter/2", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Target (-want +got):\n%s", diff)
	}
	if got := r4.Target(nil); got != "" {
		t.Errorf("Target(nil) = %q", got)
	}
	if got := r4.Target(r4.Refer("Patient", "1")); got != "Patient/1" {
		t.Errorf("Target of Refer = %q", got)
	}
}
