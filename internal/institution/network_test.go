package institution_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/net/html/atom"

	"github.com/equitylens/equitylens/auth/jwks"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/improvement/network"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/page/pagetest"
)

func periodOf(t testing.TB, name string) measure.Period {
	t.Helper()
	p, err := measure.ParsePeriod(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ring holds the registered keys of the members.
type ring map[string]jose.JSONWebKeySet

// Keys implements network.Keys.
func (r ring) Keys(_ context.Context, client string, header jose.Header) ([]jose.JSONWebKey, error) {
	return jwks.Fitting(r[client], header), nil
}

// visits is the figure of a proportion: all, and met.
func visits(all, met int64) network.Figure {
	none := int64(0)
	return network.Figure{Sizes: map[measure.Population]*int64{
		measure.InitialPopulation: &all, measure.Denominator: &all, measure.DenominatorExclusion: &none,
		measure.Numerator: &met,
	}}
}

// interpreters is a report of interpreter-documented of a member: so many hundred visits, of which so many
// of ten had one.
func interpreters(n, ofTen int64) network.Report {
	report := network.Report{Measure: "interpreter-documented", Version: "1.0.0"}
	for id, of := range map[string]int64{"main": ofTen, "arranged": 2, "ad-hoc": 1} {
		var rows []network.Row
		met := int64(0)
		for i, key := range []string{"chinese", "other", "spanish"} {
			all := []int64{20, 30, 50}[i] * n
			rows = append(rows, network.Row{Key: key, Figure: visits(all, all*of/10)})
			met += all * of / 10
		}
		report.Rates = append(report.Rates, network.Rate{
			ID: id, Whole: visits(100*n, met), Tables: []network.Table{{By: "language_group", Rows: rows}},
		})
	}
	order := map[string]int{"main": 0, "arranged": 1, "ad-hoc": 2}
	sorted := make([]network.Rate, len(report.Rates))
	for _, r := range report.Rates {
		sorted[order[r.ID]] = r
	}
	report.Rates = sorted
	return report
}

// membership is a coordinator of members, all but the last of whom have handed in for 2025.
func membership(t testing.TB, w *world, members int) *network.Desk {
	t.Helper()
	list, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	q, err := shippedQuestions()
	if err != nil {
		t.Fatal(err)
	}
	registered, signing := ring{}, map[string]jose.JSONWebKey{}
	cfg := network.Config{
		Records: w.records, Definitions: list, Questionnaire: q, Keys: registered,
		Secret: []byte("0123456789abcdef0123456789abcdef"), Now: w.clock.Now, Logger: slog.New(slog.DiscardHandler),
	}
	for i := range members {
		id := fmt.Sprintf("m%d", i+1)
		key, err := keys.Generate(jose.ES384)
		if err != nil {
			t.Fatal(err)
		}
		signing[id], registered["program-"+id] = key, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}
		cfg.Members = append(cfg.Members, network.Member{ID: id, Name: "Hospital " + id, Client: "program-" + id})
	}
	desk, err := network.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	checker, err := network.NewChecker(network.CheckConfig{Definitions: list, Questionnaire: q, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	levels := map[string]int{}
	for _, i := range q.Items() {
		levels[i.ID] = 2
	}
	for i := range members - 1 {
		id, ofTen := cfg.Members[i].ID, int64(6)
		if i == 1 {
			ofTen = 3
		}
		s := network.Submission{
			Member: id, Period: periodOf(t, "2025"), Created: w.clock.Now().Add(-time.Hour), Reason: network.Initial,
			Software: "1.0.0", Snapshot: network.DigestOf("snapshot of " + id),
			Reports:  []network.Report{interpreters(int64(12+5*i), ofTen)},
			Adoption: &network.Adoption{Questionnaire: q.Version, Final: true, Levels: levels},
		}
		if i == 0 {
			s.Actions = []network.Action{{
				Cause: "language-access", Measure: "interpreter-documented", Rate: "main", Dimension: "language_group",
				Groups: []string{"spanish"}, Start: "2025-03-01", State: network.Running, Demonstrated: true,
			}}
		}
		payload, err := checker.Encode(s)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := network.Sign(payload, signing[id])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := desk.Accept(t.Context(), "program-"+id, []byte(signed)); err != nil {
			t.Fatalf("Accept(%s): %v", id, err)
		}
	}
	return desk
}

// viewed is what somebody sees of a network.
func viewed(desk *network.Desk, as network.Viewer) func(context.Context, measure.Period) (network.Overview, error) {
	return func(ctx context.Context, p measure.Period) (network.Overview, error) {
		return desk.Overview(ctx, p, as, network.UsualDimensions()...)
	}
}

func TestACoordinatorSeesMembersByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.coordinated = viewed(membership(t, w, 8), network.Viewer{Coordinator: true})
	b := w.analyst(t, "ann")
	page := b.open("/network?period=2025")
	page.Sound()
	page.Says("2025: 7 of 8 members have handed in.", "7 have adopted the habit; 7 answered", "One has demonstrated",
		"It does not show that the action is why.", "Interpreter documented: each member by its size",
		"One of 7 is beyond the outer limits", "Hospital m2 (30.0 of 100", "lower than all together, the worse side",
		"A member outside is a question and not a verdict", "not yet", "version 1")
	if n := len(page.All(pagetest.Tag(atom.Svg))); n != 2 {
		t.Errorf("%d pictures", n)
	}
	by := b.open("/network?period=2025&measure=interpreter-documented&rate=arranged&by=language_group&group=other")
	by.Sound()
	by.Says("Other language: each member by its size", "By group", "All 7 are within the limits of chance.", "20")
	if got := by.Field("nothing", "group"); got != "" {
		t.Errorf("a form that is not there holds %q", got)
	}
	// A group of another dimension, which a form may still hold, is none.
	b.open("/network?period=2025&by=race_ethnicity&group=other").Says("Interpreter documented: each member by its size")
	b.open("/network?period=2024").Says("Nobody has handed in figures for this period.", "2024: 0 of 8 members")
}

func TestAMemberSeesItselfByNameAndTheOthersByNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := 0
	broken := false
	view := viewed(membership(t, w, 8), network.Viewer{Member: "m1"})
	w.fetched = func(ctx context.Context, p measure.Period) (network.Overview, error) {
		asked++
		if broken {
			return network.Overview{}, errors.New("dial tcp: connection refused")
		}
		return view(ctx, p)
	}
	b := w.analyst(t, "ann")
	address := "/network?period=2025"
	page := b.open(address)
	page.Sound()
	page.Says("Hospital m1 (you)", "Member 3", "Every other member has a number", "What you handed in", "Asked of the coordinator")
	for _, other := range []string{"Hospital m2", "Hospital m7", "Hospital m8"} {
		page.Silent(other)
	}
	b.open(address + "&by=language_group&group=spanish")
	if asked != 1 {
		t.Errorf("the coordinator was asked %d times", asked)
	}
	w.clock.Advance(6 * time.Minute)
	broken = true
	stale := b.open(address)
	stale.Sound()
	stale.Says("What is shown is from March 10, 2026", "Hospital m1 (you)")
	stale.Silent("connection refused")
	if !strings.Contains(w.log.String(), "connection refused") {
		t.Error("the log does not say why")
	}
	b.open(address)
	if asked != 2 {
		t.Errorf("a coordinator that is gone was asked %d times", asked)
	}
	never := b.open("/network?period=2024")
	never.Sound()
	never.Says("The coordinator could not be reached.")
	w.clock.Advance(time.Minute)
	broken = false
	b.open(address).Silent("could not be reached")
}

func TestWithoutANetworkThePageSaysHowToJoin(t *testing.T) {
	t.Parallel()
	page := newWorld(t).analyst(t, "ann").open("/network")
	page.Sound()
	page.Says("This installation is in no network.", "network.coordinator", "equitylens network submit --period 2025")
}

func TestACoordinatorWhoseStoreIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.coordinated = viewed(membership(t, w, 3), network.Viewer{Coordinator: true})
	b := w.analyst(t, "ann")
	if err := w.records.Close(); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"/network", path} {
		if got := b.get(address); got.status < http.StatusInternalServerError || strings.Contains(got.body, "sql") {
			t.Errorf("GET %s: status %d", address, got.status)
		}
	}
}

// TestWhatTheCoordinatorSaysIsText holds names and titles of another program to be text.
func TestWhatTheCoordinatorSaysIsText(t *testing.T) {
	t.Parallel()
	for i, evil := range hostile() {
		if raceDetector && i%3 != 0 {
			continue // It takes ten times as long, and nothing goes on at once here.
		}
		t.Run(evil, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			view := viewed(membership(t, w, 5), network.Viewer{Member: "m1"})
			w.fetched = func(ctx context.Context, p measure.Period) (network.Overview, error) {
				o, err := view(ctx, p)
				for i := range o.Standings {
					o.Standings[i].Name = evil
				}
				for i := range o.Figures {
					f := &o.Figures[i]
					f.Measure, f.Rate, f.Title, f.Version = "new-measure", evil, evil, evil
					if f.Group != "" {
						f.Group, f.Label = evil, evil
					}
					for k := range f.Standings {
						f.Standings[k].Name = evil
					}
				}
				return o, err
			}
			b := w.analyst(t, "ann")
			inert(t, b.open("/network?period=2025"))
			inert(t, b.open("/network?period=2025&by=language_group"))
		})
	}
}
