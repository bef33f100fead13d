package review_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/store/facts"
)

func TestWhatIsWrongWithAnOpinion(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", review.MaxText)
	for _, tt := range []struct {
		name   string
		change func(*review.Opinion)
		want   []review.Fault
	}{
		{"nothing", func(*review.Opinion) {}, nil},
		{"no needs no evidence", func(o *review.Opinion) {
			o.Answer, o.Factors, o.Evidence, o.Else = review.No, nil, "", ""
		}, nil},
		{"undetermined needs none either", func(o *review.Opinion) {
			o.Answer, o.Factors, o.Evidence = review.Undetermined, nil, ""
		}, nil},
		{"all the room there is", func(o *review.Opinion) { o.Evidence, o.Else = long, " "+long+"\n" }, nil},
		{"nobody", func(o *review.Opinion) { o.Reviewer.Subject = " \u200e" },
			[]review.Fault{{Field: review.FieldReviewer, Problem: review.Required}}},
		{"yes needs evidence that can be seen", func(o *review.Opinion) { o.Evidence = "\u202e \r\n\x00" },
			[]review.Fault{{Field: review.FieldEvidence, Problem: review.Required}}},
		{"yes needs a factor", func(o *review.Opinion) { o.Factors = nil },
			[]review.Fault{{Field: review.FieldFactors, Problem: review.Required}}},
		{"no has none", func(o *review.Opinion) { o.Answer = review.No },
			[]review.Fault{{Field: review.FieldFactors, Problem: review.OnlyWithYes}}},
		{"a factor twice", func(o *review.Opinion) { o.Factors = []review.Factor{review.Data, review.Data} },
			[]review.Fault{{Field: review.FieldFactors, Problem: review.Twice}}},
		{"a factor that is none", func(o *review.Opinion) { o.Factors = append(o.Factors, "weather") },
			[]review.Fault{{Field: review.FieldFactors, Problem: review.UnknownCode}}},
		{"everything is said at once", func(o *review.Opinion) {
			*o = review.Opinion{
				Reviewer: review.Reviewer{Subject: "ana", Name: "\xff"}, Evidence: long + "x", Answer: "perhaps",
			}
		}, []review.Fault{
			{Field: review.FieldReviewer, Problem: review.NotText},
			{Field: review.FieldAnswer, Problem: review.UnknownCode},
			{Field: review.FieldDetection, Problem: review.Required},
			{Field: review.FieldEvidence, Problem: review.TooLong},
		}},
		{"not asked is no answer of a reviewer", func(o *review.Opinion) { o.Answer, o.Factors = "not-asked", nil },
			[]review.Fault{{Field: review.FieldAnswer, Problem: review.UnknownCode}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &snapshot{events: []facts.Event{event("v", "2026-06-01")}}
			desk := open(t, s, review.Config{})
			o := by("ana", review.Yes, review.Data)
			tt.change(&o)
			r, err := desk.Answer(t.Context(), idOf("v"), 0, o)
			var invalid *review.InvalidError
			var got []review.Fault
			if errors.As(err, &invalid) {
				got = invalid.Faults
			} else if err != nil {
				t.Fatal(err)
			}
			if d := gocmp.Diff(tt.want, got); d != "" {
				t.Errorf("faults (-want +got):\n%s", d)
			}
			if (r.Version == 1) != (len(tt.want) == 0) {
				t.Errorf("the version is %d after %v", r.Version, err)
			}
			if err != nil && strings.Contains(err.Error(), "daughter") {
				t.Errorf("the error quotes what was typed: %v", err)
			}
		})
	}
}

func TestWhatIsWrongWithAnAdjudication(t *testing.T) {
	t.Parallel()
	desk := open(t, &snapshot{events: []facts.Event{event("v", "2026-06-01")}}, review.Config{})
	bad := verdict("", review.Yes)
	bad.Evidence = ""
	_, err := desk.Settle(t.Context(), idOf("v"), 0, bad)
	const want = "the answer is not valid: reviewer: required; factors: required; evidence: required"
	if err == nil || err.Error() != want {
		t.Errorf("Settle() = %v, want %s", err, want)
	}
	_, err = desk.Reopen(t.Context(), idOf("v"), 0, review.Reviewer{Subject: "ana"}, " ")
	if err == nil || err.Error() != "the answer is not valid: reason: required" {
		t.Errorf("Reopen() without a reason = %v", err)
	}
}

func TestFreeTextIsCleaned(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in, want string
		problem        review.Problem
	}{
		{"plain words stay", "Señora Núñez said “no” 👩🏽‍⚕️", "Señora Núñez said “no” 👩🏽‍⚕️", ""},
		{"lines end alike", "a\r\nb\rc\u2028d\n", "a\nb\nc\nd", ""},
		{"a tab stays", "a\tb", "a\tb", ""},
		{"what turns the writing goes", "a\u202eb\u2066c\u200fd", "abcd", ""},
		{"what cannot be seen goes", "\ufeffa\x00\x1b[31mb\u0085", "a[31mb", ""},
		{"what is no text is refused", "a\xc3(", "", review.NotText},
		{"too long is refused, not cut", "123456789012345678901234567890123", "", review.TooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const most = 32
			got, problem := review.Clean(tt.in, max(most, len(tt.want)))
			if got != tt.want || problem != tt.problem {
				t.Errorf("Clean(%q) = %q, %q; want %q, %q", tt.in, got, problem, tt.want, tt.problem)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\r\n\u202eb")
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, in string) {
		got, problem := review.Clean(in, review.MaxText)
		if problem != "" {
			return
		}
		for _, r := range got {
			if r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("Clean(%q) holds %U", in, r)
			}
		}
		if again, _ := review.Clean(got, review.MaxText); again != got || strings.TrimSpace(got) != got {
			t.Errorf("Clean(%q) = %q, and cleaned again %q", in, got, again)
		}
	})
}
