package visit

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/auth/smart"
)

// A person is known by what the operator knows of an EHR, so that the operator can name them: not by an
// issuer that stands in its discovery document alone.
func TestPersonIsNamedByWhatIsConfigured(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	d := &Desk{cfg: Config{Now: func() time.Time { return now }}}
	identity := &smart.Identity{Issuer: "https://ehr.example.org/oauth2", Subject: "s-1"}
	user := &smart.Identity{
		Issuer: "https://ehr.example.org/oauth2", Subject: "s-1", FHIRUser: "Practitioner/p-1",
	}
	ehr := smart.Token{Base: "https://ehr.example.org/fhir"}
	tests := []struct {
		name string
		in   smart.Visit
		want session.Person
	}{
		{"nobody", smart.Visit{Tenant: "north", Token: ehr}, session.Person{Tenant: "north"}},
		{"a user of an EHR", smart.Visit{Tenant: "north", Token: ehr, Identity: user}, session.Person{
			Tenant: "north", Issuer: "https://ehr.example.org/fhir", Subject: "s-1", SignedIn: now,
			FHIRUser: "https://ehr.example.org/fhir/Practitioner/p-1",
		}},
		{"a user without a resource", smart.Visit{Tenant: "north", Token: ehr, Identity: identity},
			session.Person{
				Tenant: "north", Issuer: "https://ehr.example.org/fhir", Subject: "s-1", SignedIn: now,
			}},
		{"somebody of a provider", smart.Visit{Tenant: "login", Identity: identity}, session.Person{
			Tenant: "login", Issuer: "https://ehr.example.org/oauth2", Subject: "s-1", SignedIn: now,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, d.person(test.in)); diff != "" {
				t.Errorf("person (-want +got):\n%s", diff)
			}
		})
	}
}
