package review_test

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// snapshot is a snapshot of events that are made up.
type snapshot struct {
	events []facts.Event
	alike  []facts.Alike
}

func (s *snapshot) hold(use func(review.Events) error) error { return use(s) }

func (s *snapshot) Events(_ context.Context, f facts.EventFilter) ([]facts.Event, error) {
	var out []facts.Event
	for _, e := range s.events {
		dated := e.Date.IsZero() && f.Undated || !e.Date.Before(f.From)
		if dated && (f.Keys == nil || slices.Contains(f.Keys, e.Key())) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b facts.Event) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.ID.Reveal(), b.ID.Reveal()))
	})
	return out, nil
}

func (s *snapshot) EventHeads(ctx context.Context, f facts.EventFilter) ([]facts.EventHead, error) {
	events, err := s.Events(ctx, f)
	heads := make([]facts.EventHead, len(events))
	for i := range events {
		heads[i] = events[i].EventHead
	}
	return heads, err
}

func (s *snapshot) Alike(context.Context, facts.EventKey) ([]facts.Alike, error) { return s.alike, nil }

func (s *snapshot) SiteLabels() map[string]string {
	return map[string]string{"H1": "Hillcrest", "H2": "Harbor"}
}

// shelf is a store of reviews in memory.
type shelf struct {
	mu       sync.Mutex
	versions map[string][]decisions.Document
}

func newShelf() *shelf { return &shelf{versions: map[string][]decisions.Document{}} }

func (s *shelf) History(_ context.Context, _ decisions.Kind, id string) ([]decisions.Document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.versions[id]) == 0 {
		return nil, decisions.ErrNotFound
	}
	return slices.Clone(s.versions[id]), nil
}

func (s *shelf) Get(ctx context.Context, kind decisions.Kind, id string) (decisions.Document, error) {
	all, err := s.History(ctx, kind, id)
	if err != nil {
		return decisions.Document{}, err
	}
	return all[len(all)-1], nil
}

func (s *shelf) Find(_ context.Context, q decisions.Query) (out []decisions.Document, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, versions := range s.versions {
		d := versions[len(versions)-1]
		matches := true
		for name, values := range q.Terms {
			matches = matches && slices.Contains(values, d.Terms[name])
		}
		if matches {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b decisions.Document) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

func (s *shelf) Write(_ context.Context, changes ...decisions.Change) (out []decisions.Document, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range changes {
		if len(s.versions[c.ID]) != c.Expect {
			return nil, decisions.ErrConflict
		}
		c.Version = c.Expect + 1
		s.versions[c.ID] = append(s.versions[c.ID], c.Document)
		out = append(out, c.Document)
	}
	return out, nil
}

// clock stands still on an afternoon.
func clock() time.Time { return time.Date(2026, 6, 15, 14, 30, 0, 123456789, time.UTC) }

func day(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

// event is a severe one at H1 of somebody who speaks Spanish.
func event(id, date string, changes ...func(*facts.Event)) facts.Event {
	e := facts.Event{
		EventHead: facts.EventHead{
			Source: "ehr", ID: phi.New(id), Actuality: "actual", Category: "wrong-dose", Severity: "severe",
			Seriousness: "~missing", Outcome: "resolved", Recorded: "~missing", Site: "H1",
		},
		Known: true, Linked: true, Need: "yes", Use: "none-documented",
		Groups: map[string]string{
			"site": "H1", "race_ethnicity": "2135-2", "language": "es", "interpreter_need": "yes", "sex": "female",
		},
	}
	if date != "" {
		e.Date = day(date)
	}
	for _, change := range changes {
		change(&e)
	}
	return e
}

func idOf(event string) string { return review.IDOf(review.Key{Source: "ehr", ID: phi.New(event)}) }

// by is an opinion of somebody that holds to the rules.
func by(subject string, answer review.Answer, factors ...review.Factor) review.Opinion {
	o := review.Opinion{
		Reviewer: review.Reviewer{Subject: subject, Name: strings.ToUpper(subject)}, Answer: answer,
		Factors: factors, Detection: review.Reported, Else: "a busy shift",
	}
	if answer == review.Yes {
		o.Evidence = "what the daughter said"
	}
	return o
}

func verdict(subject string, answer review.Answer, factors ...review.Factor) review.Settlement {
	o := by(subject, answer, factors...)
	return review.Settlement{
		Answer: o.Answer, Factors: o.Factors, Detection: o.Detection, By: o.Reviewer, Evidence: o.Evidence,
	}
}

// open makes a desk; cfg may leave out the store, the clock and the events.
func open(t testing.TB, s *snapshot, cfg review.Config) *review.Desk {
	t.Helper()
	cfg.Hold = s.hold
	if cfg.Records == nil {
		cfg.Records = newShelf()
	}
	if cfg.Now == nil {
		cfg.Now = clock
	}
	desk, err := review.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return desk
}

// database opens a real store for the rest of the test.
func database(t *testing.T) *decisions.Database {
	t.Helper()
	store, err := decisions.Open(t.Context(), decisions.Config{
		Path: filepath.Join(t.TempDir(), "decisions.db"), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func ids() gocmp.Option { return gocmp.Comparer(func(a, b phi.ID) bool { return a == b }) }
