package review_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
	. "github.com/equitylens/equitylens/store/facts/factstest"
)

// TestDeskOnARealSnapshot reviews an event of a snapshot, in a real store, and sees to it that nothing
// that is printed names anybody.
func TestDeskOnARealSnapshot(t *testing.T) {
	t.Parallel()
	const patient, encounter, id = "canary-patient-7413", "canary-encounter-7413", "canary-event-7413"
	dir := Open(t)
	Load(t, dir, Batch{
		Patients:   []mapping.Patient{Patient(patient)},
		Encounters: []mapping.Encounter{Encounter(encounter, patient, "IMP", "2026-01-01", "2026-01-09")},
		Events: []mapping.AdverseEvent{
			Event(id, patient, "2026-01-05", func(a *mapping.AdverseEvent) { a.Category = Known("device") }),
			Event(id+"-2", patient, "2026-01-06", func(a *mapping.AdverseEvent) { a.Category = Known("device") }),
			Event(id+"-3", "nobody", ""),
		},
	})
	snapshot := Current(t, dir)
	desk, err := review.New(review.Config{
		Records: database(t), Now: clock, Since: day("2026-01-01"), TwoPerson: review.TwoForEachOne,
		Hold: func(use func(review.Events) error) error { return use(snapshot) },
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := desk.Worklist(t.Context(), review.Filter{})
	if err != nil || len(list.Entries) != 3 || list.Sites["H1"] != "Hospital H1" {
		t.Fatalf("the worklist is %+v, %v; want the three events of the snapshot", list, err)
	}
	key := review.Key{Source: Source, ID: phi.New(id)}
	name := review.IDOf(key)
	c, err := desk.Case(t.Context(), name, "ana")
	if err != nil || c.Event.Patient != phi.New(patient) || c.Interpreter.Met != review.NotMet ||
		len(c.Fields) != len(facts.EventDimensions()) || len(c.Similar) != len(facts.EventDimensions()) {
		t.Errorf("the case is %+v, %v; want what the snapshot knows of it", c, err)
	}
	first, err := desk.Answer(t.Context(), name, 0, by("ana", review.Yes, review.LanguageAccess))
	if err != nil {
		t.Fatal(err)
	}
	_, conflict := desk.Answer(t.Context(), name, 0, by("bo", review.No))
	settled, err := desk.Answer(t.Context(), name, 1, by("bo", review.Yes, review.LanguageAccess))
	if err != nil || settled.Settlement == nil || settled.Settlement.How != review.Agreed {
		t.Fatalf("both agree, and the review is %+v, %v", settled, err)
	}
	answers, err := desk.Answers(t.Context())
	if err != nil || len(answers) != 1 || answers[0].Key != key {
		t.Errorf("the sync is told %+v, %v; want the answer of the event", answers, err)
	}
	clusters, err := desk.Clusters(t.Context(), review.Filter{}, 1)
	if err != nil || len(clusters) != len(review.ClusterDimensions()) {
		t.Errorf("clusters %+v, %v; want one a dimension", clusters, err)
	}
	_, unknown := desk.Case(t.Context(), "no-such-review", "ana")
	_, party := desk.Settle(t.Context(), name, 2, verdict("ana", review.No))

	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{list, c, first, settled, answers, clusters, conflict, unknown, party} {
		fmt.Fprintf(&out, "%v %+v %#v\n", v, v, v)
		log.Info("printed", "value", v)
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(out.String(), "canary") {
		t.Errorf("somebody is named:\n%s", out.String())
	}
}
