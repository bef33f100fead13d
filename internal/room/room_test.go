package room_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/auth/role"
	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/improvement/review"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/internal/room"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/server/page"
	"github.com/equitylens/equitylens/store/decisions"
)

func TestNewWantsWhatItNeeds(t *testing.T) {
	t.Parallel()
	if _, err := room.New(room.Config{}); err == nil {
		t.Error("New of an empty Config is no error")
	}
}

func TestOpenIsForThoseWhoseRolesCoverIt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, need string
		roles      []role.Role
		want       int
	}{
		{"nobody has signed in", scope.Review, nil, http.StatusSeeOther},
		{"a reviewer and reviews", scope.Review, []role.Role{role.Reviewer}, http.StatusOK},
		{"an analyst and reviews", scope.Review, []role.Role{role.Analyst}, http.StatusForbidden},
		{"an analyst and actions", scope.Improve, []role.Role{role.Analyst}, http.StatusOK},
		{"an engineer and actions", scope.Improve, []role.Role{role.Engineer}, http.StatusForbidden},
		{"an administrator and reviews", scope.Review, []role.Role{role.Administrator}, http.StatusForbidden},
		{"a clinician and reviews", scope.Review, []role.Role{role.Clinician}, http.StatusForbidden},
		{"one of two roles", scope.Review, []role.Role{role.Engineer, role.Reviewer}, http.StatusOK},
		{"what everybody may see", "", []role.Role{role.Clinician}, http.StatusOK},
		{"a need that is no scope", "not a scope", []role.Role{role.Reviewer}, http.StatusForbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, made := newRig(t, room.Config{}, test.roles...), false
			got := r.ask(test.need, func(*room.Visit) (room.Show, error) {
				made = true
				return text("shown"), nil
			}, "/reviews?state=open")
			if got.Code != test.want || made != (test.want == http.StatusOK) {
				t.Errorf("status %d, want %d; the page was made: %t", got.Code, test.want, made)
			}
			if shown := got.Body.String() == "shown"; shown != made {
				t.Errorf("the page was shown: %t, made: %t", shown, made)
			}
			want := 1
			if len(test.roles) == 0 {
				want = 0
			}
			if len(r.trail.noted) != want {
				t.Errorf("the trail holds %d looks, want %d", len(r.trail.noted), want)
			}
		})
	}
}

func TestSomebodyWhoSignsInComesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, room.Config{})
	for _, form := range [][]string{nil, {"answer=yes"}} {
		got := r.ask(scope.Review, nil, "/reviews/r1?lang=es", form...)
		if want := "/signin?next=" + url.QueryEscape("/reviews/r1?lang=es"); got.Header().Get("Location") != want {
			t.Errorf("sent %q, they are led to %s, want %s", form, got.Header().Get("Location"), want)
		}
	}
}

func TestTheTrailNamesWhoseRecordWasShown(t *testing.T) {
	t.Parallel()
	r := newRig(t, room.Config{}, role.Reviewer)
	r.ask(scope.Review, func(v *room.Visit) (room.Show, error) {
		v.About(phi.New("patient-9"), phi.New("patient-9"), phi.ID{})
		v.Detail("review", "r1")
		return text("shown"), nil
	}, "/reviews/r1")
	if len(r.trail.noted) != 1 || strings.Count(r.trail.noted[0], "Patient/patient-9") != 1 ||
		!strings.Contains(r.trail.noted[0], "pseudonym-of-u") {
		t.Errorf("the trail holds %q", r.trail.noted)
	}
}

func TestAChangeIsInTheTrailWithItsVersion(t *testing.T) {
	t.Parallel()
	r := newRig(t, room.Config{}, role.Reviewer)
	got := r.ask(scope.Review, func(v *room.Visit) (room.Show, error) {
		v.About(phi.New("patient-9"))
		v.Did(room.Deed{Code: "review-answered", Display: "review answered", Resource: "AdverseEvent/r1", Version: 3})
		return room.See(v.To("/reviews/r1", url.Values{"done": {"answered"}, "none": {""}})), nil
	}, "/reviews/r1?lang=es", "answer=yes")
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/reviews/r1?done=answered&lang=es" {
		t.Errorf("status %d to %s", got.Code, got.Header().Get("Location"))
	}
	if len(r.trail.acted) != 1 || len(r.trail.noted) != 0 {
		t.Fatalf("the trail holds %q and %q", r.trail.acted, r.trail.noted)
	}
	for _, want := range []string{
		`"review-answered"`, `AdverseEvent/r1`, `Patient/patient-9`, `"action":"U"`, `"outcome":"0"`, `"3"`, `"r-1"`,
	} {
		if !strings.Contains(r.trail.acted[0], want) {
			t.Errorf("the event does not hold %s:\n%s", want, r.trail.acted[0])
		}
	}
}

func TestNothingIsShownWithoutATrail(t *testing.T) {
	t.Parallel()
	for _, form := range [][]string{nil, {"answer=yes"}} {
		r := newRig(t, room.Config{}, role.Reviewer)
		r.trail.broken = true
		got := r.ask(scope.Review, func(*room.Visit) (room.Show, error) { return text("shown"), nil }, "/reviews", form...)
		if got.Code != http.StatusInternalServerError || strings.Contains(got.Body.String(), "shown") {
			t.Errorf("sent %q, status %d: %s", form, got.Code, got.Body)
		}
		if !strings.Contains(r.log.String(), errTrail.Error()) {
			t.Errorf("the log does not say why: %s", r.log)
		}
		if strings.Contains(got.Body.String(), errTrail.Error()) {
			t.Error("the page says what goes on inside")
		}
	}
}

func TestErrorsBecomePages(t *testing.T) {
	t.Parallel()
	own := errors.New("there is a rule against it")
	for _, test := range []struct {
		name  string
		err   error
		want  int
		says  string
		loged bool
	}{
		{"no such page", room.ErrNotFound, 404, "There is no such page", false},
		{"no such decision", fmt.Errorf("read: %w", decisions.ErrNotFound), 404, "There is no such page", false},
		{"a conflict", fmt.Errorf("write: %w", decisions.ErrConflict), 409, "Somebody else was faster", false},
		{"no right", room.ErrForbidden, 403, "You may not see this page", false},
		{"no snapshot", measure.ErrNoSnapshot, 503, "There are no figures yet", true},
		{"another schema", decisions.ErrSchema, 503, "Not available right now", true},
		{"too late", context.DeadlineExceeded, 503, "Not available right now", true},
		{"bad input", &room.InputError{Field: "from", Why: "want a day"}, 400, "from: want a day", false},
		{"too large", &http.MaxBytesError{Limit: 1}, 413, "This is too much at once", false},
		{"a rule of others", fmt.Errorf("x: %w", own), 409, "Somebody else was faster", false},
		{"anything else", errors.New("secret inside"), 500, "Something went wrong here", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, room.Config{Faults: []room.Fault{{Is: own, Status: 409, Kind: page.Conflict}}}, role.Reviewer)
			got := r.ask(scope.Review, func(*room.Visit) (room.Show, error) { return nil, test.err }, "/reviews")
			if got.Code != test.want || !strings.Contains(got.Body.String(), test.says) {
				t.Errorf("status %d, want %d and %q:\n%s", got.Code, test.want, test.says, got.Body)
			}
			if strings.Contains(got.Body.String(), "secret inside") {
				t.Error("the page says what goes on inside")
			}
			if (r.log.String() != "") != test.loged {
				t.Errorf("the log says %q", r.log)
			}
			if len(r.trail.noted) != 1 || strings.Contains(r.trail.noted[0], `"outcome":"0"`) {
				t.Errorf("the trail holds %q", r.trail.noted)
			}
		})
	}
}

func TestARefusalIsInTheTrail(t *testing.T) {
	t.Parallel()
	r := newRig(t, room.Config{}, role.Reviewer)
	r.ask(scope.Review, func(v *room.Visit) (room.Show, error) {
		v.Refused("somebody else was faster")
		return text("both"), nil
	}, "/reviews/r1", "answer=yes")
	if len(r.trail.acted) != 1 || !strings.Contains(r.trail.acted[0], `"outcome":"4"`) ||
		!strings.Contains(r.trail.acted[0], "/reviews/r1") {
		t.Errorf("the trail holds %q", r.trail.acted)
	}
}

func TestWhoIsKnownByTheNameOfTheTrail(t *testing.T) {
	t.Parallel()
	r := newRig(t, room.Config{}, role.Reviewer)
	var got review.Reviewer
	r.ask(scope.Review, func(v *room.Visit) (room.Show, error) {
		got = v.Who()
		return text("shown"), nil
	}, "/reviews")
	if diff := cmp.Diff(review.Reviewer{Subject: "pseudonym-of-u", Name: "Ann"}, got); diff != "" {
		t.Errorf("Who (-want +got):\n%s", diff)
	}
}

func TestBoardLeadsWhereTheReaderMayGo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		role role.Role
		want []string
	}{
		{role.Reviewer, []string{"/", "/measures", "/compare", "/quality", "/reviews", "/actions", "/readiness", "/account"}},
		{role.Analyst, []string{"/", "/measures", "/compare", "/quality", "/actions", "/readiness", "/account"}},
		{role.Engineer, []string{"/quality", "/account"}},
		{role.Clinician, []string{"/account"}},
	} {
		t.Run(string(test.role), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, room.Config{}, test.role)
			var board page.Board
			r.ask("", func(v *room.Visit) (room.Show, error) {
				board = v.Board("Title", "/account")
				return text("shown"), nil
			}, "/account?lang=es")
			var got []string
			for _, link := range board.Nav {
				path, _, _ := strings.Cut(link.URL, "?")
				got = append(got, path)
				if link.URL != path+"?lang=es" || link.Current != (path == "/account") || link.Text == "" {
					t.Errorf("a link is %+v", link)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("the pages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, address string
		want          url.Values
		why           string
	}{
		{"nothing", "/r", url.Values{}, ""},
		{"what is known", "/r?state=open&lang=es", url.Values{"state": {"open"}}, ""},
		{"many of one that may", "/r?site=a&site=b", url.Values{"site": {"a", "b"}}, ""},
		{"many of one that may not", "/r?state=a&state=b", nil, "state: stands in the address twice"},
		{"what is not known", "/r?%3Cscript%3E=1", nil, "the address has a parameter that the page does not know"},
		{"what cannot be read", "/r?a=%zz", nil, "the parameters of the address cannot be read"},
		{"too much", "/r?state=" + strings.Repeat("x", 5000), nil, "the address is longer than 4096 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, room.Config{}, role.Reviewer)
			r.ask("", func(v *room.Visit) (room.Show, error) {
				got, err := v.Query("state", "site*")
				why := ""
				if err != nil {
					why = err.Error()
				}
				if diff := cmp.Diff(test.want, got); diff != "" || why != test.why {
					t.Errorf("Query() = error %q, want %q (-want +got):\n%s", why, test.why, diff)
				}
				return text("shown"), nil
			}, test.address)
		})
	}
}

func TestRouteBoundsTheForm(t *testing.T) {
	t.Parallel()
	r := newRig(t, room.Config{}, role.Reviewer)
	route := r.Route(http.MethodPost, "/reviews", scope.Review, func(*room.Visit) (room.Show, error) {
		return text("shown"), nil
	})
	if route.Body != room.MaxForm || route.Session == "" || route.Public != "" {
		t.Errorf("Route() = %+v", route)
	}
	w := httptest.NewRecorder()
	route.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/reviews", nil))
	if w.Code != http.StatusOK {
		t.Errorf("status %d", w.Code)
	}
}
