package action_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/equitylens/equitylens/improvement/action"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/decisions/decisionstest"
)

func TestConditionsAreDeclaredEndedAndWithdrawn(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r := register(store(t), newClock())
	crisis, err := r.SaveCondition(ctx, action.Condition{Name: "Crisis standards of care", Start: "2026-01-05"},
		analyst())
	if err != nil {
		t.Fatal(err)
	}
	phones, err := r.SaveCondition(ctx, action.Condition{Name: "No telephone interpreters", Site: "org-2",
		Start: "2025-11-01", End: "2025-11-20"}, analyst())
	if err != nil {
		t.Fatal(err)
	}
	if crisis, err = r.EndCondition(ctx, crisis.ID, crisis.Version, "2026-01-31", analyst()); err != nil {
		t.Fatal(err)
	}
	all, err := r.Conditions(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]action.Condition{phones, crisis}, all); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	if _, err := r.WithdrawCondition(ctx, phones.ID, phones.Version, analyst()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.EndCondition(ctx, phones.ID, phones.Version, "2025-12-01", analyst()); !errors.Is(err, decisions.ErrConflict) {
		t.Errorf("EndCondition of an old version = %v, want ErrConflict", err)
	}
	all, err = r.Conditions(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]action.Condition{crisis}, all); diff != "" {
		t.Errorf("conditions after one was withdrawn (-want +got):\n%s", diff)
	}
	history, err := r.ConditionHistory(ctx, crisis.ID)
	if err != nil || len(history) != 2 || history[0].End != "" || history[1].End != "2026-01-31" ||
		history[1].By != "p-1" {
		t.Errorf("history = %+v, %v", history, err)
	}
}

func TestConditionsThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   action.Condition
		want []action.Fault
	}{
		{"without a name", action.Condition{Start: "2026-01-05"},
			[]action.Fault{{Field: "name", Wrong: action.Absent}}},
		{"that ends before it starts", action.Condition{Name: "x", Start: "2026-01-05", End: "2026-01-04"},
			[]action.Fault{{Field: "end", Wrong: action.BeforeStart}}},
		{"of one day", action.Condition{Name: "x", Start: "2026-01-05", End: "2026-01-05"}, nil},
		{"at no site", action.Condition{Name: "x", Start: "2026-01-05", Site: "a b"},
			[]action.Fault{{Field: "site", Wrong: action.NotOne}}},
		{"on days that are none", action.Condition{Name: "x", Start: "5.1.2026", End: "x"},
			[]action.Fault{{Field: "start", Wrong: action.NoDay}, {Field: "end", Wrong: action.NoDay}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := register(decisionstest.NewTwin(time.Time{}), newClock())
			_, err := r.SaveCondition(t.Context(), tt.in, analyst())
			var invalid *action.InvalidError
			if tt.want == nil && err == nil {
				return
			}
			if !errors.As(err, &invalid) {
				t.Fatalf("SaveCondition = %v, want *InvalidError", err)
			}
			if diff := cmp.Diff(tt.want, invalid.Faults, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}
