package role_test

import (
	"errors"
	"testing"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
)

// TestScopesOfRoles is the table of least privilege, written out a second time: who may what.
func TestScopesOfRoles(t *testing.T) {
	t.Parallel()
	for need, may := range map[string][]role.Role{
		"openid":               role.All(),
		"user/Measure.rs":      {role.Analyst, role.Reviewer, role.Engineer},
		"user/MeasureReport.r": {role.Analyst, role.Reviewer},
		"user/MeasureReport.c": {},
		"user/AuditEvent.rs":   {role.Administrator},
		"user/Patient.r":       {},
		"user/*.rs":            {},
		"system/Measure.rs":    {},
		"patient/Patient.r":    {},
		scope.Unsuppressed:     {role.Analyst, role.Reviewer},
		scope.Patients:         {role.Reviewer},
		scope.Review:           {role.Reviewer},
		scope.Narrative:        {role.Reviewer},
		scope.Improve:          {role.Analyst, role.Reviewer},
		scope.Submit:           {},
		scope.Import:           {role.Engineer},
		scope.Sync:             {role.Engineer},
		scope.Admin:            {role.Administrator},
		scope.Introspect:       {},
	} {
		want, err := scope.Parse(need)
		if err != nil {
			t.Fatal(err)
		}
		allowed := map[role.Role]bool{}
		for _, r := range may {
			allowed[r] = true
		}
		for _, r := range role.All() {
			if got := role.Scopes(r).Covers(want); got != allowed[r] {
				t.Errorf("a %s may have %s: %v, want %v", r, need, got, allowed[r])
			}
		}
	}
}

func TestNobodyWithoutARole(t *testing.T) {
	t.Parallel()
	if got := role.Scopes(); len(got) != 0 {
		t.Errorf("Scopes() = %q, want none", got)
	}
}

func TestRolesAddUp(t *testing.T) {
	t.Parallel()
	both := role.Scopes(role.Engineer, role.Administrator)
	for _, need := range []string{scope.Sync, scope.Admin, "user/AuditEvent.rs"} {
		if s, _ := scope.Parse(need); !both.Covers(s) {
			t.Errorf("an engineer who is administrator may not have %s", need)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, r := range role.All() {
		if got, err := role.Parse(string(r)); err != nil || got != r {
			t.Errorf("Parse(%s) = %s, %v", r, got, err)
		}
	}
	if _, err := role.Parse("king"); !errors.Is(err, role.ErrUnknown) {
		t.Errorf("Parse(king) = %v, want ErrUnknown", err)
	}
}
