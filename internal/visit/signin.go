package visit

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/auth/smart"
	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/server/page"
)

// SignIn lists the ways to sign in. With a next, which is a path of ours, that is where each leads. Whoever
// has signed in may do so again: somebody who is sent here was not enough as they were, as where a program
// asks for a fresh sign-in, and would be sent back without end.
func (d *Desk) SignIn(w http.ResponseWriter, r *http.Request) {
	next := r.URL.Query().Get("next")
	if next != "" {
		if err := smart.CheckNext(next); err != nil {
			d.fail(w, r, "nobody was asked to sign in", err, nil, "")
			return
		}
	}
	var ways []page.Way
	for _, t := range d.cfg.Tenants {
		if t.SignIn {
			ways = append(ways, page.Way{Name: t.Name, URL: wayURL(t.Name, next)})
		}
	}
	if len(ways) == 1 && next != "" {
		http.Redirect(w, r, ways[0].URL, http.StatusSeeOther)
		return
	}
	d.cfg.Pages.SignIn(w, r, http.StatusOK, page.SignIn{Ways: ways})
}

func wayURL(tenant, next string) string {
	way := SignInPath + "/" + tenant
	if next != "" {
		way += "?next=" + url.QueryEscape(next)
	}
	return way
}

// SignInAt sends the browser to one EHR or provider, whose name is the end of the path.
func (d *Desk) SignInAt(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, SignInPath+"/")
	begin := d.cfg.SMART.SignIn
	if _, err := d.signedIn(r); err == nil {
		begin = d.cfg.SMART.SignInAgain
	}
	begun, err := begin(r.Context(), name, r.URL.Query().Get("next"))
	if err != nil {
		d.fail(w, r, "a sign-in was not begun", err, nil, SignInPath)
		return
	}
	d.cfg.Sessions.SetBinding(w, begun, false)
	http.Redirect(w, r, begun.URL, http.StatusSeeOther)
}

// enter begins the session of somebody who has signed in, if they are on the roster.
func (d *Desk) enter(w http.ResponseWriter, r *http.Request, v smart.Visit) {
	ctx := r.Context()
	who := d.person(v)
	var err error
	if len(who.Roles) == 0 {
		err = errNoRole
	}
	event, fault := d.cfg.Audit.SignIn(audit.Entry{
		Agent: d.Agent(r, who), Outcome: outcomeOf(err), Tenant: v.Tenant, Request: reference(w),
	})
	err = errors.Join(err, d.note(ctx, event, fault))
	if err == nil {
		fresh := session.Session{Person: who}
		if before, none := d.cfg.Sessions.Of(r); none == nil {
			fresh.ID = before.ID
		}
		_, err = d.cfg.Sessions.Start(ctx, w, fresh, false)
	}
	if err != nil {
		d.fail(w, r, "a sign-in was not completed", err, nil, SignInPath)
		return
	}
	next := v.Next
	if next == "" {
		next = HomePath
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// SignOut ends the session of the browser, if it has one.
func (d *Desk) SignOut(w http.ResponseWriter, r *http.Request) {
	s, err := d.cfg.Sessions.Of(r)
	if err == nil {
		err = d.cfg.Sessions.End(w, r)
		event, fault := d.cfg.Audit.SignOut(audit.Entry{
			Agent: d.Agent(r, s.Person), Outcome: outcomeOf(err), Tenant: s.Person.Tenant,
			Request: reference(w),
		})
		err = errors.Join(err, d.note(r.Context(), event, fault))
	}
	if err != nil && !errors.Is(err, session.ErrNone) {
		d.fail(w, r, "somebody was not signed out", err, nil, AccountPath)
		return
	}
	d.cfg.Pages.SignedOut(w, r, http.StatusOK, page.SignedOut{Again: SignInPath})
}

// Home says what there is to do here, to somebody who has signed in.
func (d *Desk) Home(w http.ResponseWriter, r *http.Request) {
	d.Signed(w, r, func(s session.Session) {
		d.cfg.Pages.Home(w, r, http.StatusOK, page.Home{
			Name: s.Person.Name, Roles: s.Person.Roles, API: d.cfg.API, Account: AccountPath,
		})
	})
}

// Account says who is signed in.
func (d *Desk) Account(w http.ResponseWriter, r *http.Request) {
	d.Signed(w, r, func(s session.Session) {
		d.cfg.Pages.Account(w, r, http.StatusOK, page.Account{
			Name: s.Person.Name, Issuer: s.Person.Tenant, SignedIn: s.Person.SignedIn,
			Roles: s.Person.Roles, SignOut: SignOutPath,
		})
	})
}

// Signed shows a page to somebody who has signed in, and sends everybody else to sign in, from where they
// come back to the address that they asked for.
func (d *Desk) Signed(w http.ResponseWriter, r *http.Request, show func(session.Session)) {
	s, err := d.signedIn(r)
	switch {
	case errors.Is(err, session.ErrNone):
		http.Redirect(w, r, SignInURL(r.URL.RequestURI()), http.StatusSeeOther)
	case err != nil:
		d.fail(w, r, "a page was not shown", err, nil, "")
	default:
		show(s)
	}
}
