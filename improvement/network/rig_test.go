package network_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/jwks"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/improvement/network"
	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/catalog"
	"github.com/equitylens/equitylens/store/decisions"
)

// now is the clock of the tests.
func now() time.Time { return time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC) }

func year(t testing.TB, name string) measure.Period {
	t.Helper()
	p, err := measure.ParsePeriod(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func shipped(t testing.TB) []measure.Definition {
	t.Helper()
	list, err := measure.Load(catalog.Files())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// parsed reads the questionnaire once for all tests.
var parsed = sync.OnceValues(readiness.Shipped)

func questionnaire(t testing.TB) *readiness.Questionnaire {
	t.Helper()
	q, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func newChecker(t testing.TB) *network.Checker {
	t.Helper()
	c, err := network.NewChecker(network.CheckConfig{
		Definitions: shipped(t), Questionnaire: questionnaire(t), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// size is a count that is shown; -1 is one that is hidden.
func size(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

// visits is the figure of a proportion: all, left out, met.
func visits(all, out, met int64) network.Figure {
	return network.Figure{Sizes: map[measure.Population]*int64{
		measure.InitialPopulation: size(all), measure.Denominator: size(all),
		measure.DenominatorExclusion: size(out), measure.Numerator: size(met),
	}}
}

// plain is the figure of a proportion that leaves nobody out.
func plain(all, met int64) network.Figure {
	f := visits(all, 0, met)
	delete(f.Sizes, measure.DenominatorExclusion)
	return f
}

// interpreters is a report of interpreter-documented of a member of some size.
func interpreters(n int64) network.Report {
	rate := func(id string, ofTen int64) network.Rate {
		met := func(all int64) int64 { return all * ofTen / 10 }
		row := func(key string, all int64) network.Row {
			return network.Row{Key: key, Figure: visits(all, 0, met(all))}
		}
		r := network.Rate{ID: id, Tables: []network.Table{
			{By: "language_group", Rows: []network.Row{
				row("chinese", 20*n), row("other", 30*n), row("spanish", 50*n),
			}},
			{By: "sex", Rows: []network.Row{row("female", 60*n), row("male", 40*n)}},
		}}
		r.Whole = visits(100*n, 0, met(20*n)+met(30*n)+met(50*n))
		return r
	}
	return network.Report{Measure: "interpreter-documented", Version: "1.0.0", Rates: []network.Rate{
		rate("main", 6), rate("arranged", 2), rate("ad-hoc", 1),
	}}
}

// small is a whole submission.
func small(t testing.TB, member string, n int64) network.Submission {
	t.Helper()
	return network.Submission{
		Member: member, Period: year(t, "2025"), Created: now().Add(-time.Hour), Reason: network.Initial,
		Software: "1.0.0", Snapshot: network.DigestOf("snapshot of " + member),
		Reports: []network.Report{interpreters(n)},
		Adoption: &network.Adoption{
			Questionnaire: questionnaire(t).Version, Final: true, Levels: levels(t, 2),
		},
		Actions: []network.Action{{
			Cause: "language-access", Measure: "interpreter-documented", Rate: "main",
			Dimension: "language_group", Groups: []string{"spanish"}, Start: "2025-03-01",
			State: network.Running, Demonstrated: true,
		}},
	}
}

// levels answers every item alike.
func levels(t testing.TB, level int) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, i := range questionnaire(t).Items() {
		out[i.ID] = level
	}
	return out
}

// ring holds the registered keys of the members.
type ring map[string]jose.JSONWebKeySet

// Keys implements network.Keys.
func (r ring) Keys(_ context.Context, client string, header jose.Header) ([]jose.JSONWebKey, error) {
	return jwks.Fitting(r[client], header), nil
}

// world is a coordinator with members that have keys.
type world struct {
	desk    *network.Desk
	checker *network.Checker
	store   decisions.Store
	keys    map[string]jose.JSONWebKey
}

func newWorld(t testing.TB, members int) *world {
	t.Helper()
	w := &world{checker: newChecker(t), keys: map[string]jose.JSONWebKey{}}
	store, err := decisions.Open(t.Context(), decisions.Config{
		Path: filepath.Join(t.TempDir(), "decisions.db"), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.store = store
	all, registered := []network.Member{}, ring{}
	for i := range members {
		id := fmt.Sprintf("m%d", i+1)
		key, err := keys.Generate(jose.ES384)
		if err != nil {
			t.Fatal(err)
		}
		w.keys[id] = key
		registered["program-"+id] = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}
		all = append(all, network.Member{ID: id, Name: "Hospital " + id, Client: "program-" + id})
	}
	w.desk, err = network.New(network.Config{
		Records: store, Members: all, Definitions: shipped(t), Questionnaire: questionnaire(t),
		Keys: registered, Secret: []byte("0123456789abcdef0123456789abcdef"), Now: now,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// sign signs as a member does.
func (w *world) sign(t testing.TB, member string, payload []byte) []byte {
	t.Helper()
	signed, err := network.Sign(payload, w.keys[member])
	if err != nil {
		t.Fatal(err)
	}
	return []byte(signed)
}

// hand hands in a submission that must be taken.
func (w *world) hand(t testing.TB, s network.Submission) network.Receipt {
	t.Helper()
	payload, err := w.checker.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := w.desk.Accept(t.Context(), "program-"+s.Member, w.sign(t, s.Member, payload))
	if err != nil {
		t.Fatalf("Accept(%s): %v", s.Member, err)
	}
	return receipt
}
