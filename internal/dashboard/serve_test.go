package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/internal/dashboard"
	"github.com/equitylens/equitylens/measure"
)

func TestWhoSeesPages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, path string
		roles      []role.Role
		want       int
		says       string
	}{
		{"nobody is sent to sign in", dashboard.ComparePath, nil, http.StatusSeeOther, ""},
		{"an analyst sees figures", dashboard.ComparePath, []role.Role{role.Analyst}, http.StatusOK, ""},
		{"an engineer sees none", dashboard.ComparePath, []role.Role{role.Engineer}, http.StatusForbidden, ""},
		{"an engineer sees the data", dashboard.QualityPath, []role.Role{role.Engineer}, http.StatusOK, ""},
		{"a clinician has a page of their own", "/", []role.Role{role.Clinician}, http.StatusOK, "home"},
		{"an unknown parameter is told", "/compare?colour=red", []role.Role{role.Analyst},
			http.StatusBadRequest, "colour"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := rigOf(t, madeUp, c.roles...)
			got := r.get(c.path)
			if got.status != c.want || !strings.Contains(got.body, c.says) {
				t.Errorf("status %d, want %d with %q: %s", got.status, c.want, c.says, got.body)
			}
		})
	}
}

// TestWhereACoordinatorWithoutDataBegins asks for pages where nothing has been synced.
func TestWhereACoordinatorWithoutDataBegins(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, path string
		network    bool
		want       int
		leads      string
	}{
		{"at the network, if there is one", "/", true, http.StatusSeeOther, "/network"},
		{"at nothing else", "/", false, http.StatusServiceUnavailable, ""},
		{"a page of figures says that there are none", "/compare", true, http.StatusServiceUnavailable, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := attacked(t, firstTwin, func(cfg *dashboard.Config) {
				cfg.Network = c.network
				cfg.Hold = func(func(dashboard.Snapshot) error) error { return measure.ErrNoSnapshot }
			}, role.Analyst)
			if got := r.get(c.path); got.status != c.want || got.header.Get("Location") != c.leads {
				t.Errorf("status %d to %q, want %d to %q", got.status, got.header.Get("Location"), c.want, c.leads)
			}
		})
	}
}

func TestNothingIsShownThatTheTrailDoesNotHold(t *testing.T) {
	t.Parallel()
	r := newRig(t, madeUp)
	r.open(t, "/measures?period=2025").sound()
	if len(r.notes.events) != 1 || !strings.Contains(r.notes.events[0], "AuditEvent") {
		t.Errorf("the trail holds %q", r.notes.events)
	}
	r.notes.broken = http.ErrHandlerTimeout
	if got := r.get("/measures?period=2025"); got.status != http.StatusInternalServerError {
		t.Errorf("status %d without a trail", got.status)
	}
}
