package visit

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/auth/smart"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/internal/bedside"
	"github.com/equitylens/equitylens/server/page"
)

// renewBefore is how long before its end a token is renewed, so that it does not end on the way.
const renewBefore = 30 * time.Second

// Launch takes a launch out of an EHR and sends the browser back to that EHR to ask for its leave.
func (d *Desk) Launch(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	begun, err := d.cfg.SMART.Launch(r.Context(), query.Get("iss"), query.Get("launch"))
	if err != nil {
		event, fault := d.cfg.Audit.Launch(audit.Chart{
			Agent: d.Agent(r, session.Person{}), Outcome: outcomeOf(err), Request: reference(w),
		})
		err = errors.Join(err, d.note(r.Context(), event, fault))
		d.fail(w, r, "a launch was not begun", err, d.ancestors, "")
		return
	}
	d.cfg.Sessions.SetBinding(w, begun, session.Framed(r))
	http.Redirect(w, r, begun.URL, http.StatusSeeOther)
}

// Callback takes the answer of an EHR or a provider, to a launch or to a sign-in.
func (d *Desk) Callback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	binding := d.cfg.Sessions.TakeBinding(w, r, query.Get("state"))
	v, err := d.cfg.SMART.Finish(r.Context(), query, binding)
	if err != nil {
		event, fault := d.cfg.Audit.SignIn(audit.Entry{
			Agent: d.Agent(r, session.Person{}), Outcome: outcomeOf(err), Request: reference(w),
		})
		err = errors.Join(err, d.note(r.Context(), event, fault))
		d.fail(w, r, "a launch or a sign-in was not completed", err, d.ancestors, "")
		return
	}
	if v.Kind == smart.KindLaunch {
		d.open(w, r, v)
		return
	}
	d.enter(w, r, v)
}

// open begins the session of a chart and leads to its page.
func (d *Desk) open(w http.ResponseWriter, r *http.Request, v smart.Visit) {
	ctx := r.Context()
	tenant := d.tenants[v.Tenant]
	who := d.person(v)
	who.Roles = withRole(who.Roles, role.Clinician)
	var err error
	if v.Context.Patient.Empty() {
		err = errNoPatient
	}
	event, fault := d.cfg.Audit.Launch(audit.Chart{
		Agent: d.Agent(r, who), Outcome: outcomeOf(err), Tenant: v.Tenant, Patient: v.Context.Patient,
		Encounter: v.Context.Encounter, Request: reference(w),
	})
	err = errors.Join(err, d.note(ctx, event, fault))
	handle := ""
	if err == nil {
		handle, err = d.cfg.Sessions.Start(ctx, w, session.Session{Person: who, Chart: &session.Chart{
			Tenant: v.Tenant, Patient: v.Context.Patient, Encounter: v.Context.Encounter,
			NeedPatientBanner: v.Context.NeedPatientBanner, Intent: v.Context.Intent,
			StyleURL: v.Context.StyleURL, Token: v.Token,
		}}, session.Framed(r))
	}
	if err != nil {
		d.fail(w, r, "a chart was not opened", err, tenant.FrameAncestors, "")
		return
	}
	http.Redirect(w, r, session.ChartPath(handle), http.StatusSeeOther)
}

// anew is the query parameter that asks for the chart as it is now, and not as it was read last.
const anew = "anew"

// Chart shows the page in the chart: of the session whose handle is in the path, and whose cookie the
// browser sends to that path alone.
func (d *Desk) Chart(w http.ResponseWriter, r *http.Request) {
	handle := strings.TrimPrefix(r.URL.Path, ChartPrefix)
	s, err := d.cfg.Sessions.OfChart(r, handle)
	if err == nil && s.Chart == nil {
		err = session.ErrNone
	}
	if err == nil {
		err = d.allowed(r.Context(), s)
	}
	if err != nil {
		d.fail(w, r, "a chart was not shown", err, d.ancestors, "")
		return
	}
	tenant := d.tenants[s.Chart.Tenant]
	view, err := d.read(r, &s, tenant)
	event, fault := d.cfg.Audit.ChartRead(audit.Chart{
		Agent: d.Agent(r, s.Person), Outcome: outcomeOf(err), Tenant: s.Chart.Tenant,
		Patient: s.Chart.Patient, Encounter: s.Chart.Encounter, Request: reference(w),
		Types: []string{"Patient", "Encounter", "AdverseEvent"},
	})
	if err := errors.Join(err, d.note(r.Context(), event, fault)); err != nil {
		d.fail(w, r, "a chart was not shown", err, tenant.FrameAncestors, r.URL.Path)
		return
	}
	d.cfg.Pages.Chart(w, r, http.StatusOK, page.Chart{
		View: view, FrameAncestors: tenant.FrameAncestors, Again: r.URL.Path + "?" + anew + "=1",
	})
}

// read reads the chart, with a token that was renewed where it had to be.
func (d *Desk) read(r *http.Request, s *session.Session, tenant Tenant) (bedside.View, error) {
	ctx := r.Context()
	token := s.Chart.Token
	if token.Refresh != "" && !d.cfg.Now().Add(renewBefore).Before(token.Expires) {
		if err := d.renew(r, s); err != nil {
			return bedside.View{}, err
		}
	}
	view, err := d.cfg.Charts.Read(ctx, d.access(r, *s, tenant))
	if errors.Is(err, bedside.ErrToken) && s.Chart.Token.Refresh != "" {
		if fault := d.renew(r, s); fault != nil {
			return bedside.View{}, fault
		}
		view, err = d.cfg.Charts.Read(ctx, d.access(r, *s, tenant))
	}
	return view, err
}

// renew puts a new token into the session. An EHR that refuses has ended the visit at the old token's end:
// its no is kept, so that nobody waits for a token that will not come.
func (d *Desk) renew(r *http.Request, s *session.Session) error {
	renewed, err := d.cfg.Sessions.Renew(r.Context(), *s, d.cfg.SMART.Refresh)
	switch {
	case errors.Is(err, smart.ErrDenied):
		chart := *s.Chart
		chart.Token.Refresh = ""
		s.Chart = &chart
		if err := d.cfg.Sessions.Save(r.Context(), *s); err != nil {
			return err
		}
		if d.cfg.Now().Before(chart.Token.Expires) {
			return nil
		}
		return errors.Join(bedside.ErrToken, err)
	case errors.Is(err, smart.ErrSpent):
		return errors.Join(bedside.ErrToken, err)
	case err != nil:
		return err
	}
	*s = renewed
	return nil
}

func (d *Desk) access(r *http.Request, s session.Session, tenant Tenant) bedside.Access {
	a := bedside.Access{
		Tenant: s.Chart.Tenant, BaseURL: s.Chart.Token.Base, Token: s.Chart.Token.Access,
		Scopes: s.Chart.Token.Scopes, Patient: s.Chart.Patient, Encounter: s.Chart.Encounter,
		Banner: s.Chart.NeedPatientBanner, Binding: s.ID, AllowLoopback: tenant.AllowLoopback,
		AllowPrivateNetworks: tenant.AllowPrivateNetworks, RootCAs: tenant.RootCAs,
	}
	if r.URL.Query().Has(anew) {
		a.Binding = "" // Neither what was kept is shown, nor is this kept.
	}
	return a
}
