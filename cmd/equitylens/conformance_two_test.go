package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/store/cache/cachetest"
)

// openTwo starts two programs behind one name, with one Redis and one set of files.
func openTwo(t *testing.T) (one, two *lens) {
	t.Helper()
	redis := cachetest.StartRedis(t)
	s, key := openHospital(t, "")
	s.add(t, fmt.Sprintf("cache: {redis: {addresses: [%q]}}\n", redis.Addr))
	return s.open(t, key), s.open(t, key)
}

// between opens a browser whose requests a load balancer deals out to two programs in turn.
func between(t *testing.T, one, two *lens) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := one.client(t, jar)
	client.Transport = &dealer{to: []http.RoundTripper{client.Transport, two.client(t, nil).Transport}}
	return &visitor{t: t, client: client}
}

// dealer sends each request for the public name to the next of its programs.
type dealer struct {
	to   []http.RoundTripper
	next atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (d *dealer) RoundTrip(r *http.Request) (*http.Response, error) {
	return d.to[int(d.next.Add(1))%len(d.to)].RoundTrip(r)
}

// TestTwoProgramsAreOne has two programs share what may expire: what the one gives, the other knows.
func TestTwoProgramsAreOne(t *testing.T) {
	t.Parallel()
	one, two := openTwo(t)

	t.Run("a sign-in with consent goes through both", func(t *testing.T) {
		v := between(t, one, two)
		code := v.authorize(boardForm(everyScope)).Get("code")
		answer := one.post(t, "/oauth/token", authtest.CodeForm("board", boardRedirect, code))
		checkTokens(t, "token", answer, analystScope)
		for range 4 {
			if got := v.get(lensURL + "/account"); got.status != http.StatusOK || got.at.Path != "/account" {
				t.Errorf("account: %d at %s", got.status, got.at)
			}
		}
	})
	t.Run("a chart opened at one is read at the other", func(t *testing.T) {
		v := between(t, one, two)
		who := one.ehr.Situations()[0]
		launch, err := one.ehr.Launch(fhirtest.LaunchContext{Patient: who.Patient, Encounter: who.Encounter})
		if err != nil {
			t.Fatal(err)
		}
		opened := v.get(launch)
		for range 3 {
			if opened.status != http.StatusOK || !strings.HasPrefix(opened.at.Path, "/chart/") {
				t.Fatalf("chart: %d at %s\n%s", opened.status, opened.at.Path, opened.body)
			}
			opened = v.get(opened.at.String())
		}
		stranger := between(t, one, two)
		if got := stranger.get(opened.at.String()); got.status != http.StatusUnauthorized {
			t.Errorf("the address of the chart opens it without its cookie: %d", got.status)
		}
	})
	t.Run("a code counts once at both together", func(t *testing.T) {
		code := one.code(t, analystUser, everyScope)
		given := together(20, func(i int) bool {
			l := []*lens{one, two}[i%2]
			return l.post(t, "/oauth/token", authtest.CodeForm("board", boardRedirect, code)).Status ==
				http.StatusOK
		})
		if given != 1 {
			t.Errorf("the code was exchanged %d times", given)
		}
	})
	t.Run("a refresh token counts once at both together", func(t *testing.T) {
		held := one.tokens(t, analystUser, everyScope)
		form := authtest.RefreshForm("board", held.Text("refresh_token"))
		given := together(20, func(i int) bool {
			return []*lens{one, two}[i%2].post(t, "/oauth/token", form).Status == http.StatusOK
		})
		if given != 1 {
			t.Errorf("the refresh token was used %d times", given)
		}
	})
	t.Run("an assertion counts once at both together", func(t *testing.T) {
		form := one.signed(t, "robot", url.Values{
			"grant_type": {"client_credentials"}, "scope": {programScope},
		})
		given := together(20, func(i int) bool {
			return []*lens{one, two}[i%2].post(t, "/oauth/token", form).Status == http.StatusOK
		})
		if given != 1 {
			t.Errorf("the assertion was used %d times", given)
		}
	})
	t.Run("what is revoked at one is over at the other", func(t *testing.T) {
		held := one.tokens(t, analystUser, everyScope)
		if got := two.status(figuresPath, held.Text("access_token")); got != http.StatusOK {
			t.Fatalf("the other program does not know the token: %d", got)
		}
		form := url.Values{"client_id": {"board"}, "token": {held.Text("refresh_token")}}
		if answer := one.post(t, "/oauth/revoke", form); answer.Status != http.StatusOK {
			t.Fatalf("revocation = %d", answer.Status)
		}
		if got := two.status(figuresPath, held.Text("access_token")); got != http.StatusUnauthorized {
			t.Errorf("the other program takes a revoked token: %d", got)
		}
		two.refused(t, "a token revoked at the other",
			authtest.RefreshForm("board", held.Text("refresh_token")), "invalid_grant")
	})
	t.Run("signing out at one is signing out at the other", func(t *testing.T) {
		v := between(t, one, two)
		v.get(lensURL + "/account")
		request := v.request(http.MethodPost, lensURL+"/signout", nil)
		request.Header.Set("Sec-Fetch-Site", "same-origin")
		if got := v.follow(request); got.status != http.StatusOK {
			t.Fatalf("sign-out: %d", got.status)
		}
		if err := one.ehr.SignInAs(""); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got := v.get(lensURL + "/account"); got.at.Hostname() != "127.0.0.1" {
				t.Errorf("after signing out: %d at %s", got.status, got.at)
			}
		}
		if err := one.ehr.SignInAs(analystUser); err != nil {
			t.Fatal(err)
		}
	})
	one.end()
	two.end()
	must(t, "audit", "verify", "--config", one.config)
}

// TestAnAdministratorEndsWhatBothProgramsGave ends the sessions and tokens of one person at both, and
// those of nobody else.
func TestAnAdministratorEndsWhatBothProgramsGave(t *testing.T) {
	t.Parallel()
	one, two := openTwo(t)
	bystander := one.tokens(t, reviewerUser, everyScope)
	held := one.tokens(t, analystUser, everyScope)
	v := between(t, one, two)
	if got := v.get(lensURL + "/account"); got.at.Path != "/account" {
		t.Fatalf("account: %d at %s", got.status, got.at)
	}
	program := one.token("robot", one.office, programScope)
	admin := two.tokens(t, adminUser, everyScope).Text("access_token")

	for _, name := range []string{"ehr|" + analystUser, "robot"} {
		if got := two.sendAway(t, admin, name); got != http.StatusNoContent {
			t.Errorf("end %s = %d", name, got)
		}
	}
	if got := two.sendAway(t, held.Text("access_token"), "robot"); got == http.StatusNoContent {
		t.Error("anybody ends anybody")
	}
	if err := one.ehr.SignInAs(""); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]*lens{"the first": one, "the second": two} {
		if got := l.status(figuresPath, held.Text("access_token")); got != http.StatusUnauthorized {
			t.Errorf("%s takes the token of somebody who was sent away: %d", name, got)
		}
		if got := l.status("/fhir/Measure", program); got != http.StatusUnauthorized {
			t.Errorf("%s takes the token of a program that was sent away: %d", name, got)
		}
		if got := l.status("/fhir/Measure", bystander.Text("access_token")); got != http.StatusOK {
			t.Errorf("%s has ended somebody else: %d", name, got)
		}
		l.refused(t, name, authtest.RefreshForm("board", held.Text("refresh_token")), "invalid_grant")
	}
	for range 2 {
		if got := v.get(lensURL + "/account"); got.at.Hostname() != "127.0.0.1" {
			t.Errorf("the session of somebody who was sent away: %d at %s", got.status, got.at)
		}
	}
	one.end()
	two.end()
}

// sendAway asks to end what somebody was given.
func (l *lens) sendAway(t *testing.T, token, name string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost,
		lensURL+"/admin/end", strings.NewReader(url.Values{"subject": {name}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := l.serving.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode
}

// together tries many times at once and counts what succeeded.
func together(tries int, try func(i int) bool) int64 {
	var given atomic.Int64
	var all sync.WaitGroup
	for i := range tries {
		all.Go(func() {
			if try(i) {
				given.Add(1)
			}
		})
	}
	all.Wait()
	return given.Load()
}
