package visit_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/internal/visit"
)

func TestRoster(t *testing.T) {
	t.Parallel()
	roster := visit.Roster{
		Claim: "groups",
		Values: map[role.Role][]string{
			role.Analyst:       {"quality", "safety"},
			role.Administrator: {"admins"},
		},
		Named: map[string][]role.Role{
			"north|Practitioner/1": {role.Reviewer},
			"north|00u1":           {role.Analyst},
		},
	}
	nested := roster
	nested.Claim = "realm_access.roles"
	type object = map[string]any
	for _, c := range []struct {
		name                      string
		roster                    visit.Roster
		tenant, subject, fhirUser string
		claims                    object
		want                      []role.Role
	}{
		{"nobody", roster, "north", "x", "Practitioner/9", nil, nil},
		{"by fhirUser", roster, "north", "x", "Practitioner/1", nil, []role.Role{role.Reviewer}},
		{"by subject", roster, "north", "00u1", "", nil, []role.Role{role.Analyst}},
		{"the same id elsewhere", roster, "south", "00u1", "Practitioner/1", nil, nil},
		{"no id at all", roster, "north", "", "", nil, nil},
		{"a claim that is a text", roster, "south", "x", "", object{"groups": "safety"}, []role.Role{role.Analyst}},
		{"a claim that is a list", roster, "south", "x", "", object{"groups": []any{"admins", 1, "quality"}},
			[]role.Role{role.Analyst, role.Administrator}},
		{"a text that holds a value", roster, "south", "x", "", object{"groups": "no quality"}, nil},
		{"another claim", roster, "south", "x", "", object{"roles": []any{"admins"}}, nil},
		{"a claim of another kind", roster, "south", "x", "", object{"groups": object{"quality": true}}, nil},
		{"both ways, each role once", roster, "north", "00u1", "Practitioner/1", object{"groups": []any{"quality"}},
			[]role.Role{role.Analyst, role.Reviewer}},
		{"a nested claim", nested, "x", "y", "", object{"realm_access": object{"roles": []any{"admins"}}},
			[]role.Role{role.Administrator}},
		{"a claim with a dot in its name", nested, "x", "y", "", object{"realm_access.roles": "admins"},
			[]role.Role{role.Administrator}},
		{"no claim configured", visit.Roster{Values: roster.Values}, "x", "y", "", object{"": "admins"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := c.roster.Roles(c.tenant, c.subject, c.fhirUser, c.claims)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Roles (-want +got):\n%s", diff)
			}
		})
	}
}
