package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/authtest"
)

// checkTokens holds a token response to what Inferno demands of every one. Its scopes are want.
func checkTokens(t *testing.T, what string, answer authtest.Answer, want string) {
	t.Helper()
	if answer.Status != http.StatusOK {
		t.Fatalf("%s: %d %v", what, answer.Status, answer.Body)
	}
	if answer.Text("access_token") == "" || !strings.EqualFold(answer.Text("token_type"), "bearer") {
		t.Errorf("%s: %v", what, answer.Body)
	}
	if lifetime(t, answer) > time.Hour {
		t.Errorf("%s: the token is good for %v", what, answer.Body["expires_in"])
	}
	if got := sorted(answer.Text("scope")); !slices.Equal(got, sorted(want)) {
		t.Errorf("%s: scope is %v, want %v", what, got, sorted(want))
	}
	if answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("Pragma") != "no-cache" {
		t.Errorf("%s: may be kept: %v", what, answer.Header)
	}
	for _, name := range []string{"patient", "encounter", "fhirContext", "need_patient_banner"} {
		if answer.Body[name] != nil {
			t.Errorf("%s: there is no chart, yet %s is %v", what, name, answer.Body[name])
		}
	}
}

// sorted lists scopes in order.
func sorted(scopes string) []string { return slices.Sorted(strings.FieldsSeq(scopes)) }

// analystScope is what an analyst is given of everything.
const analystScope = "openid fhirUser profile offline_access user/Measure.rs user/Library.rs " +
	"user/MeasureReport.rs equitylens/unsuppressed"

// TestConformanceA4 gets a code in every way and exchanges it.
func TestConformanceA4(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	authorize := lensURL + "/oauth/authorize"

	t.Run("a public client by GET", func(t *testing.T) {
		code := l.visitor(t).authorize(boardForm(everyScope)).Get("code")
		answer := l.post(t, "/oauth/token", authtest.CodeForm("board", boardRedirect, code))
		checkTokens(t, "token", answer, analystScope)
		if answer.Text("refresh_token") == "" || answer.Text("id_token") == "" {
			t.Errorf("no refresh_token or no id_token: %v", answer.Body)
		}
		if got := l.status(figuresPath, answer.Text("access_token")); got != http.StatusOK {
			t.Errorf("the token opens a figure with %d", got)
		}
	})
	t.Run("a confidential client by POST from its own page", func(t *testing.T) {
		v, form := l.visitor(t), officeForm(everyScope)
		request := v.request(http.MethodPost, authorize, form)
		request.Header.Set("Origin", "https://office.example.org")
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		got := v.back(v.answer(v.follow(request), "allow"), form)
		if got.Get("from") != "lens" {
			t.Errorf("the query of the redirect address is lost: %v", got)
		}
		exchange := authtest.CodeForm("office", officeRedirect, got.Get("code"))
		exchange.Del("client_id")
		checkTokens(t, "token", l.post(t, "/oauth/token", l.signed(t, "office", exchange)), analystScope)
	})
	t.Run("a pushed request", func(t *testing.T) {
		for _, client := range []string{"board", "office"} {
			form := boardForm(everyScope)
			if client == "office" {
				form = officeForm(everyScope)
			}
			pushed := url.Values{}
			for name := range form {
				pushed.Set(name, form.Get(name))
			}
			if client == "office" {
				pushed = l.signed(t, "office", pushed)
			}
			answer := l.post(t, "/oauth/par", pushed)
			if answer.Status != http.StatusCreated || lifetime(t, answer) > 10*time.Minute {
				t.Fatalf("%s: push: %d %v", client, answer.Status, answer.Body)
			}
			v := l.visitor(t)
			front := url.Values{
				"client_id": {client}, "request_uri": {answer.Text("request_uri")},
				// What the browser adds is not looked at.
				"scope": {"equitylens/admin"}, "state": {"another-state-0123"},
			}
			got := v.back(v.answer(v.get(authorize+"?"+front.Encode()), "allow"), form)
			exchange := authtest.CodeForm(client, form.Get("redirect_uri"), got.Get("code"))
			if client == "office" {
				exchange = l.signed(t, "office", exchange)
			}
			checkTokens(t, client, l.post(t, "/oauth/token", exchange), analystScope)
			again := l.visitor(t).get(authorize + "?" + front.Encode())
			if again.status != http.StatusBadRequest {
				t.Errorf("%s: the pushed request counts twice: %d at %s", client, again.status, again.at)
			}
		}
	})
	t.Run("a person who says no", func(t *testing.T) {
		v, form := l.visitor(t), boardForm(everyScope)
		got := v.back(v.answer(v.get(authorize+"?"+form.Encode()), "deny"), form)
		if got.Get("error") != "access_denied" || got.Has("code") {
			t.Errorf("the client is told %v", got)
		}
	})
	t.Run("somebody who has signed in already", func(t *testing.T) {
		v := l.visitor(t)
		if got := v.get(lensURL + "/account"); got.status != http.StatusOK || got.at.Path != "/account" {
			t.Fatalf("account = %d at %s", got.status, got.at)
		}
		for _, prompt := range []string{"", "login", "consent", "select_account"} {
			form := boardForm(everyScope)
			form.Set("prompt", prompt)
			if v.authorize(form).Get("code") == "" {
				t.Errorf("prompt=%s: no code", prompt)
			}
		}
		form := boardForm(everyScope)
		form.Set("max_age", "0")
		if v.authorize(form).Get("code") == "" {
			t.Error("max_age=0: no code")
		}
		form.Set("prompt", "none")
		form.Del("max_age")
		if got := v.back(v.get(authorize+"?"+form.Encode()), form); got.Get("error") != "consent_required" {
			t.Errorf("prompt=none: %v", got)
		}
	})
	t.Run("prompt=none with nobody there", func(t *testing.T) {
		v, form := l.visitor(t), boardForm(everyScope)
		form.Set("prompt", "none")
		if got := v.back(v.get(authorize+"?"+form.Encode()), form); got.Get("error") != "login_required" {
			t.Errorf("the client is told %v", got)
		}
	})
	l.end()
}

// TestConformanceA5 refreshes with and without scope.
func TestConformanceA5(t *testing.T) {
	t.Parallel()
	l := openLens(t)
	first := l.tokens(t, analystUser, everyScope)
	all := l.post(t, "/oauth/token", authtest.RefreshForm("board", first.Text("refresh_token")))
	checkTokens(t, "refresh", all, analystScope)
	form := authtest.RefreshForm("board", all.Text("refresh_token"))
	form.Set("scope", "user/Measure.rs")
	less := l.post(t, "/oauth/token", form)
	checkTokens(t, "refresh with scope", less, "user/Measure.rs")
	if got := l.status("/fhir/Measure", less.Text("access_token")); got != http.StatusOK {
		t.Errorf("the smaller token opens what it names with %d", got)
	}
	if got := l.status(figuresPath, less.Text("access_token")); got != http.StatusForbidden {
		t.Errorf("the smaller token opens more with %d", got)
	}
	again := l.post(t, "/oauth/token", authtest.RefreshForm("board", less.Text("refresh_token")))
	checkTokens(t, "refresh after that", again, analystScope)
	if all.Text("refresh_token") == first.Text("refresh_token") ||
		again.Text("access_token") == all.Text("access_token") {
		t.Error("a refresh gives what was there before")
	}

	got := l.visitor(t).authorize(officeForm(everyScope))
	held := l.post(t, "/oauth/token", l.signed(t, "office",
		authtest.CodeForm("office", officeRedirect, got.Get("code"))))
	checkTokens(t, "confidential client", held, analystScope)
	bare := authtest.RefreshForm("office", held.Text("refresh_token"))
	if answer := l.post(t, "/oauth/token", bare); answer.Status != http.StatusUnauthorized {
		t.Errorf("a confidential client refreshes without its key: %d", answer.Status)
	}
	renewed := l.post(t, "/oauth/token", l.signed(t, "office", bare))
	checkTokens(t, "confidential refresh", renewed, analystScope)
	short := l.tokens(t, analystUser, "openid user/Measure.rs")
	if short.Text("refresh_token") != "" {
		t.Error("a refresh token was given that nobody asked for")
	}
	l.end()
}
