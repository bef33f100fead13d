package network_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/improvement/network"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/store/decisions"
)

// masked is a report in which two groups are hidden: 4 of 15 visits by Chinese speakers had an
// interpreter, and what covers that.
func masked(t testing.TB) network.Submission {
	t.Helper()
	s := small(t, "m1", 10)
	for i := range s.Reports[0].Rates {
		rows := s.Reports[0].Rates[i].Tables[0].Rows
		for j := range rows[:2] {
			rows[j].Sizes[measure.Numerator] = nil
		}
	}
	return s
}

// replaced changes the text of a submission once.
func replaced(t testing.TB, text []byte, old, with string) []byte {
	t.Helper()
	if !strings.Contains(string(text), old) {
		t.Fatalf("the submission does not hold %q", old)
	}
	return []byte(strings.Replace(string(text), old, with, 1))
}

func TestWhatWasTamperedWithIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	text, err := w.checker.Encode(masked(t))
	if err != nil {
		t.Fatal(err)
	}
	const report = `"resourceType":"MeasureReport",`
	const hidden = `"_count":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}`
	for _, tt := range []struct {
		name, old, with, want string
	}{
		{"a hidden count is shown", hidden, `"count":4`, "form of a submission"},
		{"a hidden count is shown as what it is not", hidden, `"count":111`, "form of a submission"},
		{"a count is changed", `"count":1000`, `"count":1001`, "differ"},
		{"a patient is named", report, report + `"subject":{"reference":"Patient/1"},`, "no submission has this element"},
		{"narrative is added", report, report + `"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">Ana</div>"},`, "no submission has this element"},
		{"something is contained", report, report + `"contained":[{"resourceType":"Patient"}],`, "no submission has this element"},
		{"an extension is added", report, report + `"extension":[{"url":"http://example.org/x","valueString":"Ana"}],`, "no submission has this element"},
		{"a display is added", `"code":"spanish"`, `"code":"spanish","display":"Ana"`, "no submission has this element"},
		{"a group is words", `"code":"spanish"`, `"code":"Ana Example"`, "form of a submission"},
		{"a language is made up", `"code":"language_group"`, `"code":"language"`, "form of a submission"},
		{"another resource is added", `"resourceType":"Task"`, `"resourceType":"Patient"`, "resource of this type"},
		{"a comment is added", `"linkId":"`, `"text":"Ana","linkId":"`, "no submission has this element"},
		{"an owner is named", `"intent":"plan"`, `"intent":"plan","owner":{"display":"Ana"}`, "no submission has this element"},
		{"the period is another", `"start":"2025-01-01","end":"2025-12-31"`, `"start":"2024-01-01","end":"2024-12-31"`, "form of a submission"},
		{"another member is named", `"value":"m1"`, `"value":"m2"`, "form of a submission"},
		{"a name is there twice", report, report + `"status":"complete",`, "twice"},
		{"a score is changed", `"value":0.6`, `"value":0.61`, "form of a submission"},
		{"a score of a hidden count is given", `"stratum":[{"value":{"coding":[{"system":"https://equitylens.org/fhir/CodeSystem/language-group","code":"chinese"}]},`, `"stratum":[{"measureScore":{"value":0.5},"value":{"coding":[{"system":"https://equitylens.org/fhir/CodeSystem/language-group","code":"chinese"}]},`, "form of a submission"},
		{"there is space", `{"resourceType":"Bundle",`, `{"resourceType": "Bundle",`, "form of a submission"},
		{"it goes on", `"type":"collection"`, `"type":"batch"`, "form of a submission"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			changed := replaced(t, text, tt.old, tt.with)
			_, err := w.desk.Accept(t.Context(), "program-m1", w.sign(t, "m1", changed))
			if !errors.Is(err, network.ErrRefused) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Accept = %v, want a refusal that says %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "Ana") {
				t.Errorf("the refusal repeats what was sent: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		found, err := w.store.Find(t.Context(), decisions.Query{Kind: decisions.Submission})
		if err == nil && len(found) > 0 {
			t.Errorf("%d refused submissions are kept", len(found))
		}
	})
}

func TestSignaturesThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	text, err := w.checker.Encode(small(t, "m1", 10))
	if err != nil {
		t.Fatal(err)
	}
	good := string(w.sign(t, "m1", text))
	parts := strings.Split(good, ".")
	other := string(w.sign(t, "m2", text))
	stranger, err := keys.Generate(jose.ES384)
	if err != nil {
		t.Fatal(err)
	}
	stranger.KeyID = w.keys["m1"].KeyID
	forged, err := network.Sign(text, stranger)
	if err != nil {
		t.Fatal(err)
	}
	typed := func(typ string) string {
		options := (&jose.SignerOptions{}).WithType(jose.ContentType(typ))
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES384, Key: w.keys["m1"]}, options)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(text)
		if err != nil {
			t.Fatal(err)
		}
		compact, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
	encode := base64.RawURLEncoding.EncodeToString
	for _, tt := range []struct{ name, client, in string }{
		{"nothing is signed", "program-m1", string(text)},
		{"the signature is dropped", "program-m1", parts[0] + "." + parts[1] + "."},
		{"the algorithm is none", "program-m1", encode([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."},
		{"the payload is another", "program-m1", parts[0] + "." + encode([]byte("{}")) + "." + parts[2]},
		{"another member has signed it", "program-m1", other},
		{"another member hands it in", "program-m2", good},
		{"another member signs and hands in", "program-m2", other},
		{"a stranger signs under its key id", "program-m1", forged},
		{"it is an assertion", "program-m1", typed("JWT")},
		{"it is empty", "program-m1", ""},
		{"it is too long", "program-m1", strings.Repeat("a", 5<<20)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := w.desk.Accept(t.Context(), tt.client, []byte(tt.in)); !errors.Is(err, network.ErrRefused) {
				t.Errorf("Accept = %v, want a refusal", err)
			}
		})
	}
	if _, err := w.desk.Accept(t.Context(), "somebody", []byte(good)); !errors.Is(err, network.ErrNoMember) {
		t.Errorf("Accept of a stranger = %v, want ErrNoMember", err)
	}
}

// each changes every table of every rate.
func each(s *network.Submission, change func(rate int, t *network.Table)) {
	for i := range s.Reports[0].Rates {
		for j := range s.Reports[0].Rates[i].Tables {
			change(i, &s.Reports[0].Rates[i].Tables[j])
		}
	}
}

func TestWhatTellsOfAFewIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	for _, tt := range []struct {
		name   string
		change func(s *network.Submission)
		want   string
	}{
		{"one hidden group alone", func(s *network.Submission) {
			each(s, func(rate int, t *network.Table) {
				if t.By == "sex" {
					met := *s.Reports[0].Rates[rate].Whole.Sizes[measure.Numerator]
					t.Rows[0].Sizes = visits(992, 0, met).Sizes
					for p := range t.Rows[1].Sizes {
						t.Rows[1].Sizes[p] = nil
					}
				}
			})
		}, "can be told"},
		{"a small count that is shown", func(s *network.Submission) {
			s.Reports[0].Rates[0].Tables[1].Rows[0].Sizes[measure.DenominatorExclusion] = size(4)
		}, "1 to 10"},
		{"a group in words", func(s *network.Submission) {
			s.Reports[0].Rates[0].Tables[0].Rows[2].Key = "zulu-speakers"
		}, "not a group"},
		{"counts that do not add up", func(s *network.Submission) {
			*s.Reports[0].Rates[0].Tables[1].Rows[0].Sizes[measure.Numerator] += 20
		}, "do not add up"},
		{"all but a few", func(s *network.Submission) {
			each(s, func(rate int, t *network.Table) {
				if rate == 0 && t.By == "sex" {
					t.Rows[0].Sizes, t.Rows[1].Sizes = visits(600, 0, 593).Sizes, visits(400, 0, 11).Sizes
				}
			})
			s.Reports[0].Rates[0].Whole = visits(1000, 0, 604)
			each(s, func(rate int, t *network.Table) {
				if rate == 0 && t.By == "language_group" {
					t.Rows[2].Sizes = visits(500, 0, 304).Sizes
				}
			})
		}, "can be told"},
		{"two hidden that sum to a few", func(s *network.Submission) {
			each(s, func(_ int, t *network.Table) {
				if t.By == "language_group" {
					for j, n := range []int64{4, 5, 991} {
						t.Rows[j].Sizes = visits(n, 0, n).Sizes
						if j < 2 {
							for p := range t.Rows[j].Sizes {
								t.Rows[j].Sizes[p] = nil
							}
						}
					}
				}
			})
		}, ""},
		{"a whole that is hidden", func(s *network.Submission) {
			s.Reports[0].Rates[0].Whole.Sizes[measure.Numerator] = nil
		}, "hidden"},
		{"the same visits counted otherwise", func(s *network.Submission) {
			s.Reports = append(s.Reports, network.Report{
				Measure: "telehealth-share", Version: "1.0.0",
				Rates: []network.Rate{{ID: "main", Whole: plain(1004, 500)}},
			})
		}, "difference could be a few"},
		{"a number that two rates count alike and tell apart", func(s *network.Submission) {
			s.Reports[0].Rates[1].Whole = visits(1100, 0, 200)
		}, "differ"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := small(t, "m1", 10)
			tt.change(&s)
			text, err := w.checker.Encode(s)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.checker.Check(text, "m1")
			if !errors.Is(err, network.ErrRefused) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Check = %v, want a refusal that says %q", err, tt.want)
			}
		})
	}
}

func TestWhatIsHiddenWellIsTaken(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	text, err := c.Encode(masked(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Check(text, "m1"); err != nil {
		t.Errorf("Check: %v", err)
	}
}

func TestSubmissionsFollowOneAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	first := small(t, "m1", 10)
	w.hand(t, first)
	if again := w.hand(t, first); again.New || again.Version != 1 {
		t.Errorf("the same bytes again: %+v", again)
	}
	next := func(minutes int, reason network.Reason, change func(*network.Submission)) network.Submission {
		s := small(t, "m1", 10)
		s.Reason, s.Created = reason, first.Created.Add(time.Duration(minutes)*time.Minute)
		if change != nil {
			change(&s)
		}
		return s
	}
	more := func(n int64) func(*network.Submission) {
		return func(s *network.Submission) {
			for i := range s.Reports[0].Rates {
				r := &s.Reports[0].Rates[i]
				for _, p := range []measure.Population{measure.InitialPopulation, measure.Denominator} {
					*r.Whole.Sizes[p] += n
					for _, t := range r.Tables {
						*t.Rows[len(t.Rows)-1].Sizes[p] += n
					}
				}
			}
		}
	}
	for _, tt := range []struct {
		name string
		in   network.Submission
		want string
	}{
		{"initial twice", next(1, network.Initial, nil), "progress or correction"},
		{"not newer", next(0, network.Progress, nil), "not newer"},
		{"other figures that are no correction", next(2, network.Progress, more(40)), "only a correction"},
		{"a correction by a few", next(2, network.Correction, more(3)), "differs by a few"},
		{"a quarter of the same year", next(2, network.Initial, func(s *network.Submission) {
			s.Period = year(t, "2025-Q2")
			s.Actions = nil
		}), "shares days"},
		{"a period that is not over", next(2, network.Initial, func(s *network.Submission) {
			s.Period = year(t, "2026-03")
		}), "not over"},
		{"from the future", next(600, network.Progress, nil), "future"},
		{"no calendar period", next(2, network.Initial, func(s *network.Submission) {
			s.Period = year(t, "2024-01-01/2024-02-10")
		}), "calendar"},
	} {
		text, err := w.checker.Encode(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.desk.Accept(t.Context(), "program-m1", w.sign(t, "m1", text))
		if !errors.Is(err, network.ErrRefused) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Accept = %v, want a refusal that says %q", tt.name, err, tt.want)
		}
	}
	if got := w.hand(t, next(3, network.Progress, func(s *network.Submission) { s.Actions = nil })); got.Version != 2 {
		t.Errorf("progress is version %d, want 2", got.Version)
	}
	if got := w.hand(t, next(4, network.Correction, more(40))); got.Version != 3 {
		t.Errorf("a correction is version %d, want 3", got.Version)
	}
	text, err := w.checker.Encode(first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.desk.Accept(t.Context(), "program-m1", w.sign(t, "m1", text)); !errors.Is(err, network.ErrRefused) {
		t.Errorf("a replay of the first one: %v, want a refusal", err)
	}
	history, err := w.store.History(t.Context(), decisions.Submission, network.IDOf("m1", first.Period))
	if err != nil || len(history) != 3 {
		t.Errorf("%d versions are kept (%v), want 3", len(history), err)
	}
}

// Two submissions, each of which hides two groups well, tell by how many these have grown: everybody,
// less those that are shown.
func TestACorrectionTellsNothingOfWhatItHides(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		whole, rest int64
		want        string
	}{
		{"three more where nothing is shown", 23, 20, "what it hides differs by a few"},
		{"twenty more where nothing is shown", 40, 20, ""},
		{"nobody more where nothing is shown", 20, 20, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			first := masked(t)
			w.hand(t, first)
			s := masked(t)
			s.Reason, s.Created = network.Correction, first.Created.Add(time.Minute)
			for i := range s.Reports[0].Rates {
				r := &s.Reports[0].Rates[i]
				*r.Whole.Sizes[measure.Numerator] += tt.whole
				for _, table := range r.Tables {
					row, grown := table.Rows[len(table.Rows)-1], tt.whole
					if table.Rows[0].Sizes[measure.Numerator] == nil {
						grown = tt.rest
					}
					if size := row.Sizes[measure.Numerator]; size != nil {
						*size += grown
					}
				}
			}
			text, err := w.checker.Encode(s)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.desk.Accept(t.Context(), "program-m1", w.sign(t, "m1", text))
			if tt.want == "" && err != nil || tt.want != "" &&
				(!errors.Is(err, network.ErrRefused) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("Accept = %v, want a refusal that says %q", err, tt.want)
			}
		})
	}
}
