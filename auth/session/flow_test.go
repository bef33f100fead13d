package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/auth/smart"
	"github.com/equitylens/equitylens/store/cache"
)

func TestBindingStaysInItsBrowser(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := newBrowser(t, site)
	one := smart.Begun{State: "s-1", Binding: strings.Repeat("A", 43)}
	two := smart.Begun{State: "s-2", Binding: strings.Repeat("B", 42) + "A"}
	for _, begun := range []smart.Begun{one, two} {
		w := httptest.NewRecorder()
		r.SetBinding(w, begun, false)
		b.keep(w, "/launch")
	}
	take := func(b *browser, state, want string) {
		t.Helper()
		w := httptest.NewRecorder()
		if got := r.TakeBinding(w, b.visit(t, "/callback"), state); got != want {
			t.Errorf("TakeBinding(%q) = %q, want %q", state, got, want)
		}
		b.keep(w, "/callback")
	}
	take(newBrowser(t, site), "s-1", "")
	take(b, "s-3", "")
	take(b, "", "")
	take(b, "s-2", two.Binding)
	take(b, "s-1", one.Binding)
	take(b, "s-1", "")
}

func TestBindingCookies(t *testing.T) {
	t.Parallel()
	const secure = "Path=/; Max-Age=600; HttpOnly; Secure; SameSite="
	for _, tt := range []struct {
		name             string
		framed, insecure bool
		prefix, want     string
	}{
		{"at the top", false, false, "__Host-equitylens-flow-", secure + "Lax"},
		{"in a frame", true, false, "__Host-equitylens-flow-", secure + "None; Partitioned"},
		{"on loopback", true, true, "equitylens-flow-", "Path=/; Max-Age=600; HttpOnly; SameSite=Lax"},
	} {
		r := newRig(t, func(cfg *session.Config) { cfg.Insecure = tt.insecure })
		w := httptest.NewRecorder()
		r.SetBinding(w, smart.Begun{State: "secret-state", Binding: strings.Repeat("A", 43)}, tt.framed)
		line := cookies(w)[0]
		if !strings.HasPrefix(line, tt.prefix) || !strings.HasSuffix(line, "; "+tt.want) ||
			strings.Contains(line, "secret-state") {
			t.Errorf("%s: %s", tt.name, line)
		}
	}
}

func TestFramed(t *testing.T) {
	t.Parallel()
	for dest, want := range map[string]bool{"document": false, "iframe": true, "frame": true, "": true} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, site+"/launch", nil)
		request.Header.Set("Sec-Fetch-Dest", dest)
		if got := session.Framed(request); got != want {
			t.Errorf("Framed(%q) = %t", dest, got)
		}
	}
}

// spender is an EHR that takes each refresh token once.
type spender struct {
	mu    sync.Mutex
	spent map[string]bool
	asked atomic.Int64
}

func (e *spender) refresh(_ context.Context, tenant string, old smart.Token) (smart.Token, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.spent[old.Refresh] {
		return smart.Token{}, smart.ErrSpent
	}
	e.asked.Add(1)
	e.spent[old.Refresh] = true
	old.Access, old.Refresh = tenant+"-"+old.Access, old.Refresh+"+"
	return old, nil
}

func TestRenewHappensOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := newBrowser(t, site)
	handle := r.start(t, b, chart("p-1"), true)
	s, err := r.OfChart(b.visit(t, session.ChartPath(handle)), handle)
	if err != nil {
		t.Fatal(err)
	}
	ehr := &spender{spent: map[string]bool{}}
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			got, err := r.Renew(t.Context(), s, ehr.refresh)
			if err != nil || got.Chart.Token.Access != "mercy-a-p-1" || got.Chart.Token.Refresh != "r-p-1+" ||
				got.Chart.Patient.Reveal() != "p-1" || got.ID != s.ID {
				t.Errorf("Renew = %v, %v", got, err)
			}
		})
	}
	all.Wait()
	if ehr.asked.Load() != 1 {
		t.Errorf("the EHR was asked %d times, want once", ehr.asked.Load())
	}
	if s.Chart.Token.Access != "a-p-1" {
		t.Error("Renew has changed the session of its caller")
	}
}

func TestRenewThatFails(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := newBrowser(t, site)
	handle := r.start(t, b, chart("p-1"), true)
	request := b.visit(t, session.ChartPath(handle))
	s, err := r.OfChart(request, handle)
	if err != nil {
		t.Fatal(err)
	}
	denied := func(context.Context, string, smart.Token) (smart.Token, error) {
		return smart.Token{}, &smart.DeniedError{Code: "invalid_grant"}
	}
	if _, err := r.Renew(t.Context(), s, denied); !errors.Is(err, smart.ErrDenied) {
		t.Errorf("denied: %v", err)
	}
	spent := func(context.Context, string, smart.Token) (smart.Token, error) {
		return smart.Token{}, smart.ErrSpent
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := r.Renew(ctx, s, spent); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody brings the token: %v", err)
	}
	if _, err := r.Renew(t.Context(), analyst(), spent); err == nil {
		t.Error("a session without a chart is renewed")
	}
	if err := r.EndChart(httptest.NewRecorder(), request, handle); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Renew(t.Context(), s, spent); !errors.Is(err, session.ErrNone) {
		t.Errorf("ended meanwhile: %v", err)
	}
	r.store.fail(true)
	if _, err := r.Renew(t.Context(), s, spent); !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("store down: %v", err)
	}
}

func TestCookiesOnPlainHTTP(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *session.Config) { cfg.Insecure = true })
	b := newBrowser(t, "http://127.0.0.1:8080")
	r.start(t, b, analyst(), false)
	handle := r.start(t, b, chart("p-1"), true)
	if _, err := r.Of(b.visit(t, "/")); err != nil {
		t.Errorf("sign-in: %v", err)
	}
	request := b.visit(t, session.ChartPath(handle))
	if _, err := r.OfChart(request, handle); err != nil {
		t.Errorf("chart: %v", err)
	}
	if n := len(b.visit(t, "/").Cookies()); n != 1 {
		t.Errorf("%d cookies go to the root, want that of the sign-in alone", n)
	}
	secure := newBrowser(t, site)
	r2 := newRig(t, nil)
	r2.start(t, secure, analyst(), false)
	plain := newBrowser(t, "http://equitylens.example")
	plain.jar = secure.jar
	if n := len(plain.visit(t, "/").Cookies()); n != 0 {
		t.Errorf("%d cookies go over plain http", n)
	}
	if !isCookie(request.Cookies()) {
		t.Error("no cookie of the chart was sent to the chart")
	}
}

func isCookie(list []*http.Cookie) bool {
	for _, c := range list {
		if c.Name == "equitylens-chart" {
			return true
		}
	}
	return false
}
