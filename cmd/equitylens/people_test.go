package main

import (
	"errors"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth"
	"github.com/equitylens/equitylens/auth/grant"
	"github.com/equitylens/equitylens/auth/smart"
	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/store/cache"
)

// TestWhoIsEnded: an EHR is known by its base without a slash at its end, a provider as it spells itself.
func TestWhoIsEnded(t *testing.T) {
	t.Parallel()
	given := time.Now().Add(-time.Minute)
	r := &reception{
		bars: grant.New(grant.Config{Store: cache.NewMemory(cache.MemoryConfig{}), Now: time.Now}),
		list: []outside{
			{name: "ehr", smart: smart.Tenant{Issuer: "https://ehr.example.org/fhir/"}},
			{name: "hospital", smart: smart.Tenant{Issuer: "https://login.example.org/", OIDC: true}},
		},
	}
	for _, c := range []struct {
		name, in, barred string
		want             error
	}{
		{"somebody of an EHR", "ehr|1", auth.Pseudonym("https://ehr.example.org/fhir", "1"), nil},
		{"somebody of a provider", "hospital|1", auth.Pseudonym("https://login.example.org/", "1"), nil},
		{"a program, or a subject of the audit trail", "dashboard", "dashboard", nil},
		{"an EHR that is not known", "south|1", "", server.ErrNobody},
		{"nobody of an EHR", "ehr|", "", server.ErrNobody},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := r.End(t.Context(), c.in); !errors.Is(err, c.want) {
				t.Fatalf("End(%s) = %v, want %v", c.in, err, c.want)
			}
			if c.want != nil {
				return
			}
			if barred, err := r.bars.Barred(t.Context(), c.barred, "", given); !barred || err != nil {
				t.Errorf("%s was not ended: %v", c.in, err)
			}
		})
	}
}
