package form_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/improvement/form"
)

// callers holds that an error is one that the caller is told, and says what is wrong.
func callers(t *testing.T, err error, sent []byte) {
	t.Helper()
	var invalid *form.InvalidError
	if err == nil {
		return
	}
	if !errors.As(err, &invalid) {
		t.Fatalf("an error that is none of the caller: %v", err)
	}
	if len(invalid.Faults) == 0 {
		t.Fatalf("a refusal of %q without a fault", sent)
	}
}

// FuzzReadAdverseEvent: what is taken differs from what is served in the answer alone.
func FuzzReadAdverseEvent(f *testing.F) {
	served := open().AdverseEvent(event(), reviewOf(event(), settled))
	text, err := r4.Marshal(served)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"resourceType":"AdverseEvent"}`))
	f.Add([]byte(`{"resourceType":"AdverseEvent","actuality":"actual","subject":{"display":"x"},"extension":[{}]}`))
	f.Fuzz(func(t *testing.T, sent []byte) {
		if len(sent) > 8<<10 {
			return
		}
		got, _, err := form.ReadAdverseEvent(sent, served, form.FindingOf(event(), reviewOf(event(), settled)))
		callers(t, err, sent)
		if err != nil {
			return
		}
		again := open().AdverseEvent(event(), reviewOf(event(), standing(got)))
		if _, _, err := form.ReadAdverseEvent(marshal(t, again), served, got); err != nil && got.Answer != "" {
			t.Errorf("what was taken cannot be written: %v", err)
		}
	})
}

// FuzzReadActionTask: what is taken can be written and taken again.
func FuzzReadActionTask(f *testing.F) {
	for _, one := range []*action.Action{act(), act(closed)} {
		text, err := r4.Marshal(open().ActionTask(one))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		if len(sent) > 8<<10 {
			return
		}
		got, err := open().ReadActionTask(sent, nil)
		callers(t, err, sent)
		if err != nil {
			return
		}
		got.ID = act().ID // Which the register would give it.
		again, err := open().ReadActionTask(marshal(t, open().ActionTask(&got)), nil)
		again.ID = got.ID
		if err != nil {
			t.Fatalf("what was taken cannot be taken again: %v", err)
		}
		if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("taken twice (-first +second):\n%s", diff)
		}
	})
}

// FuzzReadQuestionnaireResponse: every reply is to an item that people answer, or a comment.
func FuzzReadQuestionnaireResponse(f *testing.F) {
	q, stands := questionnaire(f), assessment(f)
	text, err := r4.Marshal(open().QuestionnaireResponse(q, stands))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, sent []byte) {
		if len(sent) > 8<<10 {
			return
		}
		got, err := form.ReadQuestionnaireResponse(sent, q, stands)
		callers(t, err, sent)
		seen := map[string]bool{}
		for _, reply := range got.Changed {
			item, _, ok := q.Item(reply.Item)
			if err == nil && (!ok || seen[reply.Item] || item.FromData() && reply.Level != nil) {
				t.Errorf("a reply to %q among %v", reply.Item, slices.Sorted(maps.Keys(seen)))
			}
			seen[reply.Item] = true
		}
	})
}
