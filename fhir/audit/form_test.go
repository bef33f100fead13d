package audit_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/equitylens/equitylens/fhir/audit"
)

// TestAFormIsTheEvent: filled in, it is byte for byte the event that is made without it.
func TestAFormIsTheEvent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		// Words that try to look like what is filled in.
		words := rapid.SampledFrom([]string{
			"", "Measure/los", `"recorded":"2026-11-22T03:05:06.789Z"`, "2026-11-22T03:05:06.789Z",
			"request-1", `\"`, "é\u2028<b>", "0b5cbf4c-62f0-4f8a-8f5d-0a0d3c2a8f10",
		})
		a := audit.Access{
			Agent: rapid.SampledFrom([]audit.Agent{program(), person()}).Draw(r, "agent"),
			Interaction: rapid.SampledFrom(
				[]audit.Interaction{audit.Read, audit.Search, audit.Operation}).Draw(r, "interaction"),
			Resource: "Measure/los", Query: words.Draw(r, "query"),
			Subjects: []string{words.Draw(r, "subject") + "|1"},
			Details:  []audit.Detail{{Name: "period", Value: words.Draw(r, "detail")}},
			Outcome:  audit.Outcome{Words: words.Draw(r, "words")},
		}
		form, err := builder().Form(a)
		if err != nil {
			r.Fatal(err)
		}
		got, ok := form.Fill("request-1")
		a.Request = "request-1"
		want, err := builder().Access(a)
		if err != nil || !ok {
			r.Fatalf("Fill() = %v, Access() = %v", ok, err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			r.Fatalf("Fill() (-want +got):\n%s", diff)
		}
	})
}

func TestAFormTakesNoRequestThatNeedsAnEscape(t *testing.T) {
	t.Parallel()
	form, err := builder().Form(audit.Access{Interaction: audit.Search})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", `a"b`, "a b", "a\nb", "é"} {
		if text, ok := form.Fill(id); ok {
			t.Errorf("Fill(%q) = %s", id, text)
		}
	}
}

// BenchmarkForm prints what it costs to fill a form in.
func BenchmarkForm(b *testing.B) {
	form, err := builder().Form(audit.Access{Agent: person(), Interaction: audit.Operation})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		form.Fill("request-1")
	}
}
