package smart

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	visit, err := r.visit(t)
	if err != nil {
		t.Fatal(err)
	}
	next, err := r.Refresh(t.Context(), "mercy", visit.Token)
	if err != nil {
		t.Fatal(err)
	}
	if next.Access != "access-refresh-1" || next.Refresh != "refresh-1+" || next.Base != visit.Token.Base ||
		next.Scopes.String() != visit.Token.Scopes.String() || !next.Expires.Equal(r.clock.Now().Add(5*time.Minute)) {
		t.Error("the next token is not that of the answer")
	}
	form, _ := r.ehr.form(0)
	if form.Get("grant_type") != "refresh_token" || form.Get("refresh_token") != "refresh-1" ||
		form.Get("client_id") != "equitylens" {
		t.Errorf("request of grant %s", form.Get("grant_type"))
	}
	if _, err := r.Refresh(t.Context(), "mercy", visit.Token); !errors.Is(err, ErrSpent) {
		t.Errorf("the spent one: %v", err)
	}
	if _, err := r.Refresh(t.Context(), "mercy", next); err != nil {
		t.Errorf("the next one: %v", err)
	}
	if n := r.ehr.times("/token"); n != 3 {
		t.Errorf("%d token requests, want three", n)
	}
}

func TestRefreshTokenIsUsedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	old := Token{Access: "a", Refresh: "r"}
	var won atomic.Int64
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			if _, err := r.Refresh(t.Context(), "mercy", old); err == nil {
				won.Add(1)
			} else if !errors.Is(err, ErrSpent) {
				t.Errorf("Refresh = %v", err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || r.ehr.times("/token") != 1 {
		t.Errorf("%d of 1000 came through with %d requests, want one", won.Load(), r.ehr.times("/token"))
	}
}

func TestRefreshTokenThatStays(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]members{
		"is not named": {"refresh_token": nil}, "is named": {"refresh_token": "r"},
	} {
		r := newRig(t, nil)
		r.ehr.answer = answer
		tok := Token{Refresh: "r"}
		for range 3 {
			var err error
			if tok, err = r.Refresh(t.Context(), "mercy", tok); err != nil || tok.Refresh != "r" {
				t.Errorf("%s: Refresh = %v", name, err)
			}
		}
	}
}

func TestRefreshThatFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		token       http.HandlerFunc
		want, again error
	}{
		{"refused", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		}, ErrDenied, ErrSpent},
		{"too busy", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}, ErrUnavailable, nil},
		{"a fault that may have come after the deed", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
		}, ErrUnavailable, ErrSpent},
		{"an answer that is lost", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			ErrUnavailable, ErrSpent},
		{"an answer that cannot be read", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("<html>"))
		}, ErrAnswer, ErrSpent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.ehr.token = tt.token
			if _, err := r.Refresh(t.Context(), "mercy", Token{Refresh: "r"}); !errors.Is(err, tt.want) {
				t.Errorf("Refresh = %v, want %v", err, tt.want)
			}
			r.ehr.change(func(e *ehr) { e.token = nil })
			if _, err := r.Refresh(t.Context(), "mercy", Token{Refresh: "r"}); !errors.Is(err, tt.again) {
				t.Errorf("again: %v, want %v", err, tt.again)
			}
		})
	}
}

func TestRefreshOfAServerThatIsNotReached(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.launch(t) // Discovery is known.
	r.Close()
	r.ehr.Close()
	for range 2 {
		if _, err := r.Refresh(t.Context(), "mercy", Token{Refresh: "r"}); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Refresh = %v", err)
		}
	}
}

func TestRefreshNeedsATenantAndAToken(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	if _, err := r.Refresh(t.Context(), "other", Token{Refresh: "r"}); !errors.Is(err, ErrUnknownTenant) {
		t.Errorf("unknown tenant: %v", err)
	}
	if _, err := r.Refresh(t.Context(), "mercy", Token{Access: "a"}); !errors.Is(err, ErrRequest) {
		t.Errorf("no refresh token: %v", err)
	}
}
