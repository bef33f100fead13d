package auth

import (
	"strings"
	"testing"

	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/grant"
)

// TestAScopeThatARoleHasLostIsInNoNewToken looks at grants from before the table of roles, or the
// names of roles, became others.
func TestAScopeThatARoleHasLostIsInNoNewToken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, granted string
		session       *grant.Session
		want          string
	}{
		{"a role that has it", "openid user/Measure.rs",
			&grant.Session{Subject: "p", Roles: []string{"quality-analyst"}}, "openid user/Measure.rs"},
		{"a role that has lost it", "openid equitylens/sync",
			&grant.Session{Subject: "p", Roles: []string{"quality-analyst"}}, "openid"},
		{"a role that is no more", "openid user/Measure.rs",
			&grant.Session{Subject: "p", Roles: []string{"soothsayer"}}, ""},
		{"a program", "system/Measure.rs", &grant.Session{}, "system/Measure.rs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := fosite.NewAccessRequest(c.session)
			r.GrantTypes = fosite.Arguments{refreshToken}
			for _, text := range strings.Fields(c.granted) {
				r.GrantScope(text)
			}
			if got := strings.Join(scopesOf(r), " "); got != c.want {
				t.Errorf("scopesOf = %q, want %q", got, c.want)
			}
		})
	}
}
