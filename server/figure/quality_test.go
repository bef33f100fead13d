package figure_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/figure"
	"github.com/equitylens/equitylens/store/facts"
)

// people are made-up counts of what is known of somebody.
func people(known, declined, missing, unmapped int64) map[mapping.State]int64 {
	return map[mapping.State]int64{mapping.Known: known, mapping.AskedDeclined: declined, mapping.Missing: missing,
		mapping.Unmapped: unmapped}
}

func someData() figure.Data {
	return figure.Data{Snapshot: "s-1", AsOf: time.Date(2026, 2, 1, 7, 0, 0, 0, time.UTC)}
}

func TestOnRecordSays(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]figure.OnRecord{
		"onrecord": {{Label: "North", Counts: people(90, 4, 6, 0)}, {Label: "South <b>", Counts: people(40, 0, 50, 10)},
			{Label: "East", Counts: people(0, 0, 0, 0)}, {Label: "All", All: true, Counts: people(130, 4, 56, 10)}},
		"onrecord-one":  {{Label: "North", Counts: people(90, 10, 0, 0)}},
		"onrecord-none": {{Label: "North"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBoth(t, name, func(s *figure.Teller, _ language.Tag) figure.Figure {
				return s.OnRecord("completeness-site", "Race", "Site", rows, someData())
			})
		})
	}
}

// oddities are one issue of every kind, and some that touch many or nobody.
func oddities() []facts.Issue {
	var out []facts.Issue
	for i, kind := range mapping.IssueKinds() {
		out = append(out, facts.Issue{Type: "Patient", Count: int64(10 * i), People: int64(i), Issue: mapping.Issue{
			Kind: kind, Element: "Patient.extension(us-core-race).ombCategory"}})
	}
	return append(out, facts.Issue{Type: "Encounter", Count: 1200, People: 1, Issue: mapping.Issue{
		Kind: mapping.ContradictoryCodes, Element: "Encounter.class"}})
}

func TestOdditiesSay(t *testing.T) {
	t.Parallel()
	codes := []facts.Issue{
		{Count: 1500, People: 1200, Issue: mapping.Issue{Kind: mapping.UnmappedCode, System: "urn:x", Code: "7",
			Element: "Patient.communication.language"}},
		{Count: 1, Issue: mapping.Issue{Kind: mapping.UnmappedCode, Element: "Nobody.knows"}},
	}
	loose := []facts.Loose{
		{Source: "ehr", Site: "o-1", Type: "Encounter", What: facts.Undated, Count: 1},
		{Source: "ehr", Site: "~missing", Type: "AdverseEvent", What: facts.Orphan, Count: 1200},
		{Source: "ehr", Site: "o-2", Type: "Encounter", What: facts.Undated, Count: 3},
	}
	at := time.Date(2026, 2, 1, 7, 0, 0, 0, time.UTC)
	loads := []facts.Load{
		{Source: "ehr", Type: "Patient", Complete: true, Full: true, TransactionTime: at, Read: 2000, Stored: 1999},
		{Source: "ehr", Type: "Encounter", Reason: "a file is lost", Refused: 3, Deleted: 4},
	}
	share := 0.845
	result := measure.Result{Period: period(t, "2025"), Groups: []measure.Group{
		{ID: "race", Scoring: measure.Proportion, Per: 1, Cell: measure.Cell{Score: &share}},
		{ID: "ethnicity", Scoring: measure.Proportion, Per: 1, Cell: measure.Cell{Suppressed: true}},
		{ID: "language", Scoring: measure.Proportion, Per: 1},
	}}
	for name, of := range map[string]func(*figure.Teller) figure.Figure{
		"odd":        func(s *figure.Teller) figure.Figure { return s.Odd(oddities()) },
		"odd-none":   func(s *figure.Teller) figure.Figure { return s.Odd(nil) },
		"codes":      func(s *figure.Teller) figure.Figure { return s.Codes(codes) },
		"codes-none": func(s *figure.Teller) figure.Figure { return s.Codes(nil) },
		"loose": func(s *figure.Teller) figure.Figure {
			return s.Loose(loose, map[string]string{"o-1": "Harbor\u202e Clinic"})
		},
		"loose-none": func(s *figure.Teller) figure.Figure { return s.Loose(nil, nil) },
		"loads":      func(s *figure.Teller) figure.Figure { return s.Loads(loads) },
		"loads-none": func(s *figure.Teller) figure.Figure { return s.Loads(nil) },
		"published": func(s *figure.Teller) figure.Figure {
			var rates []figure.Measure
			for _, g := range result.Groups {
				rates = append(rates, s.MeasureOf(shipped(t, "real-completeness"), g))
			}
			return s.Published(result, rates)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBoth(t, "quality-"+name, func(s *figure.Teller, _ language.Tag) figure.Figure { return of(s) })
		})
	}
}

// TestEveryKindAndStateHasWords holds that nothing of the closed sets is told by its code.
func TestEveryKindAndStateHasWords(t *testing.T) {
	t.Parallel()
	for _, tag := range []language.Tag{language.English, language.Spanish} {
		s := speaks(t, tag)
		for _, kind := range mapping.IssueKinds() {
			for _, key := range []string{"quality.issue.", "quality.issue.do."} {
				if !s.Words().Has(key + string(kind)) {
					t.Errorf("%v: %s%s has no words", tag, key, kind)
				}
			}
		}
		calls := s.Calls()
		for i, state := range mapping.States() {
			if row := calls.Rows[i].Cells; row[1].Text == string(state) || row[2].Text == string(state) {
				t.Errorf("%v: %s calls for %q", tag, state, row)
			}
		}
		for _, element := range []string{
			"Patient.extension(us-core-race)", "Patient.extension(us-core-ethnicity)", "Patient.communication.language",
			"Patient.extension(patient-interpreterRequired)", "Patient.gender", "Encounter.class", "Encounter.status",
			"Encounter.priority", "Encounter.hospitalization.dischargeDisposition", "AdverseEvent.category",
			"AdverseEvent.severity", "AdverseEvent.seriousness", "AdverseEvent.outcome", "AdverseEvent.actuality",
			"AdverseEvent.extension(contributingFactor).item",
		} {
			if name := s.Element(element); name == element || strings.Contains(name, ".") {
				t.Errorf("%v: %s is called %q", tag, element, name)
			}
			for _, target := range mapping.Targets(element) {
				// Names of nations and of languages are their own, and one code is a word.
				own := []string{mapping.SystemCDCREC, mapping.SystemBCP47}
				if name := s.Target(target); name == "" || name == target.Code && name != "Serious" &&
					!slices.Contains(own, target.System) {
					t.Errorf("%v: %s|%s is called %q", tag, target.System, target.Code, name)
				}
			}
		}
	}
}

func TestTheWholeSays(t *testing.T) {
	t.Parallel()
	s := speaks(t, language.English)
	rows := []figure.OnRecord{{Label: "Race", Counts: people(90, 4, 6, 0)}, {Label: "Sex", Counts: people(100, 0, 0, 0)}}
	for want, got := range map[string][]string{
		"Of 100 patients, an answer is on record for 94 of 100 under “Race” and 100 of 100 under “Sex”. " +
			"Every code that the sources send is known.": s.Whole(rows, 0),
		"There are no people in this part of the data.": s.Whole([]figure.OnRecord{{Label: "Race"}}, 3),
	} {
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%q, want %q", text, want)
		}
	}
	if text := s.Whole(rows, 1)[1]; !strings.HasPrefix(text, "One local code") {
		t.Error(text)
	}
}
