package ingest_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/internal/ingest"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/store/facts"
)

// captured is the measure of the answers.
const captured = "inequity-factor-captured"

// recorded is an event as it stands in the base tables.
type recorded struct {
	id, actuality, inequity string
	day                     int
}

// counts are the figures of the measure: asked and answered with yes, of all that harmed.
type counts struct{ Asked, Yes, Of float64 }

// countsOf is the measure, computed without the views, the units and the engine.
func countsOf(events []recorded, answers map[string]string) counts {
	var out counts
	for _, e := range events {
		if e.actuality != mapping.Actual {
			continue
		}
		answer := e.inequity
		if a, ok := answers[e.id]; ok {
			answer = a
		}
		out.Of++
		if answer == "yes" || answer == "no" || answer == "undetermined" {
			out.Asked++
		}
		if answer == "yes" {
			out.Yes++
		}
	}
	return out
}

// eventsOf reads those of a snapshot whose patients are here and whose day is within a year.
func eventsOf(t *testing.T, s *facts.Snapshot, year int) []recorded {
	t.Helper()
	var out []recorded
	err := s.Query(t.Context(), `SELECT b.id, b.actuality, b.inequity, b.date FROM base.adverse_event b
		WHERE b.rowid IN (SELECT no FROM event) AND year(DATE '1970-01-01' + b.date) = ? ORDER BY b.id`,
		func(rows *sql.Rows) error {
			var e recorded
			err := rows.Scan(&e.id, &e.actuality, &e.inequity, &e.day)
			out = append(out, e)
			return err
		}, year)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// stored asks for the figures that were counted before the snapshot was published.
func stored(t *testing.T, s *facts.Snapshot, definitions []measure.Definition) counts {
	t.Helper()
	year, err := measure.ParsePeriod("2025")
	if err != nil {
		t.Fatal(err)
	}
	q := measure.Question{Measure: captured, Period: year}
	e := measure.NewEngine(s, definitions)
	kept, ok, err := e.Stored(t.Context(), q)
	if err != nil || !ok {
		t.Fatalf("the measure is stored: %t, %v", ok, err)
	}
	main, yes := kept.Groups[0].Populations, kept.Groups[1].Populations
	return counts{Asked: main[measure.Numerator], Yes: yes[measure.Numerator], Of: main[measure.Denominator]}
}

func TestTheMeasureCountsTheAnswersOfReviews(t *testing.T) {
	t.Parallel()
	definitions, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	store := openStore(t)
	store.config.Results = measure.Precomputation{Definitions: definitions}
	var answers []facts.Answer
	store.config.Answers = func(context.Context) ([]facts.Answer, error) { return answers, nil }
	store.sync(t, folderOfPeople(t))
	open := func() *facts.Snapshot {
		s, err := store.Snapshot(t.Context(), store.live(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	before := open()
	events := eventsOf(t, before, 2025)
	if d := cmp.Diff(countsOf(events, nil), stored(t, before, definitions)); d != "" {
		t.Fatalf("without answers (-by hand +stored):\n%s", d)
	}
	// Every third event is answered, each time otherwise.
	laid := map[string]string{}
	for i, e := range events {
		if i%3 == 0 {
			laid[e.id] = facts.AnswerCodes()[i/3%3]
			answers = append(answers, facts.Answer{Source: "ehr", ID: phi.New(e.id), Answer: laid[e.id]})
		}
	}
	answers = append(answers, facts.Answer{Source: "ehr", ID: phi.New("gone"), Answer: "yes"})
	report := store.sync(t, ingest.Refresh{Dir: store.Dir})
	if !report.Complete || report.Unchanged || report.Snapshot == before.Info.ID {
		t.Errorf("the report of the refresh is %+v", report)
	}
	after := open()
	if d := cmp.Diff(countsOf(events, laid), stored(t, after, definitions)); d != "" {
		t.Errorf("with answers (-by hand +stored):\n%s", d)
	}
	if a, b := countsOf(events, nil), countsOf(events, laid); a == b || b.Asked <= a.Asked {
		t.Errorf("the answers change nothing, so that nothing is under test: %+v, %+v", a, b)
	}
	if d := cmp.Diff(before.Info.Loads, after.Info.Loads); d != "" || !after.Info.DataAsOf.Equal(before.Info.DataAsOf) {
		t.Errorf("a refresh is no load (-before +after):\n%s", d)
	}
	// What a review takes back is as it was.
	answers = nil
	store.sync(t, ingest.Refresh{Dir: store.Dir})
	if d := cmp.Diff(countsOf(events, nil), stored(t, open(), definitions)); d != "" {
		t.Errorf("after all were taken back (-by hand +stored):\n%s", d)
	}
	// A program that does not know the reviews keeps them.
	answers = []facts.Answer{{Source: "ehr", ID: phi.New(events[0].id), Answer: "yes"}}
	store.sync(t, ingest.Refresh{Dir: store.Dir})
	store.config.Answers = nil
	store.sync(t, folderOfPeople(t))
	want := countsOf(events, map[string]string{events[0].id: "yes"})
	if d := cmp.Diff(want, stored(t, open(), definitions)); d != "" {
		t.Errorf("after a sync that is not told (-by hand +stored):\n%s", d)
	}
}

func TestNothingIsPublishedWithoutTheAnswers(t *testing.T) {
	t.Parallel()
	cause := errors.New("the store is gone")
	s := openStore(t)
	s.config.Answers = func(context.Context) ([]facts.Answer, error) { return nil, cause }
	if _, err := ingest.Sync(t.Context(), s.config, folderOfPeople(t)); !errors.Is(err, cause) || s.live(t) != "" {
		t.Errorf("Sync = %v with %q live, want %v and none", err, s.live(t), cause)
	}
	s.config.Answers = func(context.Context) ([]facts.Answer, error) {
		return []facts.Answer{{Source: "ehr", ID: phi.New("e"), Answer: "perhaps"}}, nil
	}
	if _, err := ingest.Sync(t.Context(), s.config, folderOfPeople(t)); !errors.Is(err, facts.ErrAnswer) || s.live(t) != "" {
		t.Errorf("Sync = %v with %q live, want ErrAnswer and none", err, s.live(t))
	}
	s.config.Answers = nil
	s.sync(t, folderOfPeople(t)) // The run that failed is in nobody's way.
}

func TestARefreshNeedsASnapshot(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	if _, err := ingest.Sync(t.Context(), s.config, ingest.Refresh{Dir: s.Dir}); !errors.Is(err, facts.ErrNoSnapshot) {
		t.Errorf("Sync = %v, want ErrNoSnapshot", err)
	}
}
