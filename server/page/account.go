package page

import (
	"net/http"
	"time"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/server/words"
)

// SignIn is the list of ways to sign in.
type SignIn struct{ Ways []Way }

// Way is one way to sign in.
type Way struct {
	// Name is that of the hospital or EHR whose sign-in it is.
	Name string
	// URL begins it.
	URL string
}

// SignIn writes the ways to sign in.
func (p *Pages) SignIn(w http.ResponseWriter, r *http.Request, status int, s SignIn) {
	ways := make([]Way, len(s.Ways))
	for i, way := range s.Ways {
		ways[i] = Way{Name: words.Plain(way.Name), URL: way.URL}
	}
	p.send(w, r, status, sheet{
		name:  "signin",
		title: func(w *voice) string { return w.Say("signin.title") },
		page:  func(*voice) any { return ways },
	})
}

// SignedOut is the page after signing out. Again is where to sign in again; "" leaves the link out.
type SignedOut struct{ Again string }

// SignedOut writes the page after signing out.
func (p *Pages) SignedOut(w http.ResponseWriter, r *http.Request, status int, s SignedOut) {
	p.send(w, r, status, sheet{
		name:  "signedout",
		title: func(w *voice) string { return w.Say("signedout.title") },
		page:  func(*voice) any { return s },
	})
}

// Account says who is signed in.
type Account struct {
	// Name is what the hospital's sign-in calls the person; Issuer names that sign-in.
	Name, Issuer string
	SignedIn     time.Time
	Roles        []role.Role
	// SignOut is where the form that ends the session is sent, by POST.
	SignOut string
}

// duty is a role and what it may do, in words.
type duty struct{ Role, May string }

func (w *voice) duties(roles []role.Role) []duty {
	out := make([]duty, 0, len(roles))
	for _, r := range roles {
		if w.Has("role." + string(r)) {
			out = append(out, duty{w.Label("role", string(r)), w.Label("may", string(r))})
		}
	}
	return out
}

// Account writes who is signed in and what they may do.
func (p *Pages) Account(w http.ResponseWriter, r *http.Request, status int, a Account) {
	p.send(w, r, status, sheet{
		name:  "account",
		title: func(w *voice) string { return w.Say("account.title") },
		page: func(w *voice) any {
			page := struct {
				Name, Issuer, SignedIn, SignOut string
				Duties                          []duty
			}{
				Name: words.Plain(a.Name), Issuer: words.Plain(a.Issuer), SignOut: a.SignOut, Duties: w.duties(a.Roles),
			}
			if !a.SignedIn.IsZero() {
				page.SignedIn = w.Moment(a.SignedIn)
			}
			return page
		},
	})
}

// Home is the first page after signing in.
type Home struct {
	Name  string
	Roles []role.Role
	// API is the base address of the FHIR API; Account the page of that name.
	API, Account string
}

// Home writes what there is to do here.
func (p *Pages) Home(w http.ResponseWriter, r *http.Request, status int, h Home) {
	p.send(w, r, status, sheet{
		name:  "home",
		title: func(w *voice) string { return w.Say("home.title") },
		page: func(w *voice) any {
			return struct {
				Name, API, Account string
				Duties             []duty
			}{Name: words.Plain(h.Name), API: h.API, Account: h.Account, Duties: w.duties(h.Roles)}
		},
	})
}
