package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/auth/session"
	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/store/cache"
)

// same compares sessions whole, ids of people included.
func same(want, got session.Session) string {
	return cmp.Diff(want, got, cmp.AllowUnexported(scope.Scope{}),
		cmp.Comparer(func(a, b phi.ID) bool { return a == b }), cmpopts.IgnoreFields(session.Session{}, "ID"))
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := newBrowser(t, site)
	if handle := r.start(t, b, analyst(), true); handle != "" {
		t.Errorf("a sign-in has the handle %q", handle)
	}
	for _, path := range []string{"/", "/account", "/chart/x"} {
		got, err := r.Of(b.visit(t, path))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if diff := same(analyst(), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if _, err := r.Of(newBrowser(t, site).visit(t, "/")); !errors.Is(err, session.ErrNone) {
		t.Errorf("another browser: %v", err)
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		s                session.Session
		framed, insecure bool
		want             string
	}{
		{"of a sign-in", analyst(), false, false, "__Host-equitylens; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"of a sign-in are never for frames", analyst(), true, false,
			"__Host-equitylens; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"of a chart in a frame", chart("p"), true, false,
			"__Secure-equitylens-chart; Path=/chart/HANDLE; HttpOnly; Secure; SameSite=None; Partitioned"},
		{"of a chart in a window of its own", chart("p"), false, false,
			"__Secure-equitylens-chart; Path=/chart/HANDLE; HttpOnly; Secure; SameSite=Lax"},
		{"of a sign-in on loopback", analyst(), false, true, "equitylens; Path=/; HttpOnly; SameSite=Lax"},
		{"of a chart on loopback", chart("p"), true, true,
			"equitylens-chart; Path=/chart/HANDLE; HttpOnly; SameSite=Lax"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(cfg *session.Config) { cfg.Insecure = tt.insecure })
			w := httptest.NewRecorder()
			handle, err := r.Start(t.Context(), w, tt.s, tt.framed)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{strings.Replace(tt.want, "HANDLE", handle, 1)}
			if diff := cmp.Diff(want, cookies(w)); diff != "" {
				t.Errorf("Set-Cookie (-want +got):\n%s", diff)
			}
			value := w.Result().Cookies()[0].Value
			if len(value) != 43 {
				t.Errorf("a cookie of %d characters, want 43 of 256 bits", len(value))
			}
			if tt.s.Chart != nil && len(handle) != 22 {
				t.Errorf("a handle of %d characters, want 22 of 128 bits", len(handle))
			}
		})
	}
}

// TestTwoChartsSideBySide opens two charts in one browser, as two frames of an EHR do.
func TestTwoChartsSideBySide(t *testing.T) {
	t.Parallel()
	for _, framed := range []bool{true, false} {
		r := newRig(t, nil)
		b := newBrowser(t, site)
		one, two := r.start(t, b, chart("p-1"), framed), r.start(t, b, chart("p-2"), framed)
		for range 2 {
			for handle, patient := range map[string]string{one: "p-1", two: "p-2"} {
				got, err := r.OfChart(b.visit(t, session.ChartPath(handle)), handle)
				if err != nil {
					t.Fatal(err)
				}
				if diff := same(chart(patient), got); diff != "" {
					t.Errorf("chart of another patient (-want +got):\n%s", diff)
				}
			}
		}
		none := func(name string, request *http.Request, handle string) {
			t.Helper()
			if s, err := r.OfChart(request, handle); !errors.Is(err, session.ErrNone) || s.Chart != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		none("a handle without its cookie", newBrowser(t, site).visit(t, session.ChartPath(one)), one)
		none("the cookie of another handle", b.visit(t, session.ChartPath(two)), one)
		none("a handle that was never given", b.visit(t, session.ChartPath(one)), strings.Repeat("A", 22))
		none("a handle that is none", b.visit(t, session.ChartPath(one)), "../"+one)
		none("no handle", b.visit(t, session.ChartPath(one)), "")
		if _, err := r.Of(b.visit(t, session.ChartPath(one))); !errors.Is(err, session.ErrNone) {
			t.Errorf("a chart is taken for a sign-in: %v", err)
		}
	}
}

func TestSignInOpensNoChart(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := newBrowser(t, site)
	r.start(t, b, analyst(), false)
	handle := strings.Repeat("A", 22)
	request := b.visit(t, session.ChartPath(handle))
	for _, c := range request.Cookies() {
		request.AddCookie(&http.Cookie{Name: "__Secure-equitylens-chart", Value: c.Value})
	}
	if _, err := r.OfChart(request, handle); !errors.Is(err, session.ErrNone) {
		t.Errorf("OfChart = %v", err)
	}
}

func TestSessionEndsInTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *session.Config) { cfg.Life, cfg.Idle = 2*time.Hour, 30*time.Minute })
	alive := func(b *browser, want bool) {
		t.Helper()
		_, err := r.Of(b.visit(t, "/"))
		if want && err != nil || !want && !errors.Is(err, session.ErrNone) {
			t.Errorf("at %s: %v, want alive %t", r.clock.Now().Format(time.TimeOnly), err, want)
		}
	}
	idle, busy := newBrowser(t, site), newBrowser(t, site)
	r.start(t, idle, analyst(), false)
	r.start(t, busy, analyst(), false)
	for range 4 {
		r.clock.Advance(29 * time.Minute)
		alive(busy, true)
	}
	alive(idle, false)
	r.clock.Advance(4*time.Minute - time.Second)
	alive(busy, true)
	r.clock.Advance(time.Second)
	alive(busy, false) // Two hours, though it was in use all the time.
}

// TestSessionEndsByOurClock has a store whose clock stands still, as that of another machine may.
func TestSessionEndsByOurClock(t *testing.T) {
	t.Parallel()
	slow := cache.NewMemory(cache.MemoryConfig{Now: func() time.Time {
		return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	}})
	r := newRig(t, func(cfg *session.Config) { cfg.Store = slow })
	b := newBrowser(t, site)
	r.start(t, b, analyst(), false)
	r.clock.Advance(30*time.Minute - time.Second)
	if _, err := r.Of(b.visit(t, "/")); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(30 * time.Minute)
	if _, err := r.Of(b.visit(t, "/")); !errors.Is(err, session.ErrNone) {
		t.Errorf("Of = %v", err)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := newBrowser(t, site)
	r.start(t, b, analyst(), false)
	for range 16 {
		r.clock.Advance(30*time.Minute - time.Second)
		if _, err := r.Of(b.visit(t, "/")); err != nil {
			t.Fatal(err)
		}
	}
	r.clock.Advance(16 * time.Second)
	if _, err := r.Of(b.visit(t, "/")); !errors.Is(err, session.ErrNone) {
		t.Errorf("after eight hours: %v", err)
	}
	for _, cfg := range []session.Config{{}, {Store: r.store, Life: -1}, {Store: r.store, Idle: -1}} {
		if _, err := session.New(cfg); err == nil {
			t.Error("New takes a configuration without sense")
		}
	}
}

func TestCookieIsNeverTheOneThatCame(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := newBrowser(t, site)
	r.start(t, b, analyst(), false)
	before := b.visit(t, "/")
	old, err := r.Of(before)
	if err != nil {
		t.Fatal(err)
	}
	again := analyst()
	again.ID = old.ID
	r.start(t, b, again, false)
	now, err := r.Of(b.visit(t, "/"))
	if err != nil || now.ID == old.ID {
		t.Errorf("the session is the same after a sign-in, %v", err)
	}
	if _, err := r.Of(before); !errors.Is(err, session.ErrNone) {
		t.Errorf("the earlier cookie: %v", err)
	}
}

func TestForgedCookie(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := newBrowser(t, site)
	r.start(t, b, analyst(), false)
	good := b.visit(t, "/").Cookies()[0]
	s, err := r.Of(b.visit(t, "/"))
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{
		"", "x", good.Value[1:], good.Value + "A", "A" + good.Value[1:] + "=", flip(good.Value), s.ID,
		strings.Repeat("A", 43), strings.Repeat("A", 5000),
	} {
		request := newBrowser(t, site).visit(t, "/")
		request.AddCookie(&http.Cookie{Name: good.Name, Value: value})
		if _, err := r.Of(request); !errors.Is(err, session.ErrNone) {
			t.Errorf("cookie %.50q: %v", value, err)
		}
		// A neighbouring host that plants a cookie does not lock anybody out.
		request.AddCookie(good)
		if got, err := r.Of(request); err != nil || got.ID != s.ID {
			t.Errorf("cookie %.50q before the right one: %v", value, err)
		}
	}
}

// flip changes the first character.
func flip(text string) string {
	if text[0] == 'A' {
		return "B" + text[1:]
	}
	return "A" + text[1:]
}

func TestEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := newBrowser(t, site)
	r.start(t, b, analyst(), false)
	one, two := r.start(t, b, chart("p-1"), true), r.start(t, b, chart("p-2"), true)
	before := b.visit(t, session.ChartPath(one))
	w := httptest.NewRecorder()
	if err := r.EndChart(w, before, one); err != nil {
		t.Fatal(err)
	}
	path := "Path=" + session.ChartPath(one) + "; Max-Age=0; HttpOnly; Secure; SameSite="
	const name = "__Secure-equitylens-chart; "
	want := []string{name + path + "Lax", name + path + "None; Partitioned"}
	if diff := cmp.Diff(want, cookies(w)); diff != "" {
		t.Errorf("Set-Cookie (-want +got):\n%s", diff)
	}
	b.keep(w, session.ChartPath(one))
	if len(b.visit(t, session.ChartPath(one)).CookiesNamed("__Secure-equitylens-chart")) != 0 {
		t.Error("the browser still has the cookie")
	}
	if _, err := r.OfChart(before, one); !errors.Is(err, session.ErrNone) {
		t.Errorf("the chart that was ended: %v", err)
	}
	if _, err := r.OfChart(b.visit(t, session.ChartPath(two)), two); err != nil {
		t.Errorf("the other chart: %v", err)
	}
	before = b.visit(t, "/")
	w = httptest.NewRecorder()
	if err := r.End(w, before); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Of(before); !errors.Is(err, session.ErrNone) {
		t.Errorf("the sign-in that was ended: %v", err)
	}
	if err := r.End(w, newBrowser(t, site).visit(t, "/")); err != nil {
		t.Errorf("nothing to end: %v", err)
	}
	if err := r.EndChart(w, newBrowser(t, site).visit(t, "/"), "x"); err != nil {
		t.Errorf("no chart to end: %v", err)
	}
}

func TestEndAllOf(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	mine, theirs, later := newBrowser(t, site), newBrowser(t, site), newBrowser(t, site)
	r.start(t, mine, analyst(), false)
	inChart := chart("p-1")
	inChart.Person = analyst().Person
	handle := r.start(t, mine, inChart, true)
	other := analyst()
	other.Person.Subject = "u-2"
	r.start(t, theirs, other, false)
	r.clock.Advance(time.Minute)
	if err := r.EndAllOf(t.Context(), "https://ehr.example", "u-1"); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(time.Second)
	r.start(t, later, analyst(), false)
	if _, err := r.Of(mine.visit(t, "/")); !errors.Is(err, session.ErrNone) {
		t.Errorf("a session that was ended: %v", err)
	}
	if _, err := r.OfChart(mine.visit(t, session.ChartPath(handle)), handle); !errors.Is(err, session.ErrNone) {
		t.Errorf("a chart that was ended: %v", err)
	}
	if _, err := r.Of(theirs.visit(t, "/")); err != nil {
		t.Errorf("another person: %v", err)
	}
	if _, err := r.Of(later.visit(t, "/")); err != nil {
		t.Errorf("a session that began later: %v", err)
	}
}

func TestStoreIsDown(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := newBrowser(t, site)
	r.start(t, b, analyst(), false)
	handle := r.start(t, b, chart("p-1"), true)
	s, err := r.Of(b.visit(t, "/"))
	if err != nil {
		t.Fatal(err)
	}
	r.store.fail(true)
	check := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, cache.ErrUnavailable) || errors.Is(err, session.ErrNone) {
			t.Errorf("%s = %v", name, err)
		}
	}
	_, err = r.Of(b.visit(t, "/"))
	check("Of", err)
	_, err = r.OfChart(b.visit(t, session.ChartPath(handle)), handle)
	check("OfChart", err)
	check("Save", r.Save(t.Context(), s))
	check("EndAllOf", r.EndAllOf(t.Context(), "i", "s"))
	w := httptest.NewRecorder()
	_, err = r.Start(t.Context(), w, analyst(), false)
	check("Start", err)
	if len(cookies(w)) != 0 {
		t.Error("a cookie was given for a session that is not kept")
	}
	check("End", r.End(w, b.visit(t, "/")))
	if len(cookies(w)) != 1 {
		t.Error("the browser keeps the cookie of a session that it wanted to end")
	}
	r.store.fail(false)
	if _, err := r.Of(b.visit(t, "/")); err != nil {
		t.Errorf("after it came back: %v", err)
	}
}

func TestSave(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := newBrowser(t, site)
	handle := r.start(t, b, chart("p-1"), true)
	request := b.visit(t, session.ChartPath(handle))
	s, err := r.OfChart(request, handle)
	if err != nil {
		t.Fatal(err)
	}
	s.Chart.Token.Access = "other"
	if err := r.Save(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	got, err := r.OfChart(request, handle)
	if err != nil || got.Chart.Token.Access != "other" || got.ID != s.ID {
		t.Errorf("after Save: %v", err)
	}
	if err := r.EndChart(httptest.NewRecorder(), request, handle); err != nil {
		t.Fatal(err)
	}
	if err := r.Save(t.Context(), s); !errors.Is(err, session.ErrNone) {
		t.Errorf("Save of a session that has ended = %v", err)
	}
	if _, err := r.OfChart(request, handle); !errors.Is(err, session.ErrNone) {
		t.Errorf("Save has raised it from the dead: %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := newBrowser(t, site)
	handle := r.start(t, b, chart("p-1"), true)
	request := b.visit(t, session.ChartPath(handle))
	var found atomic.Int64
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if i%20 == 0 {
				r.clock.Advance(2 * time.Minute) // So that some mark it as used at the same time.
			}
			s, err := r.OfChart(request, handle)
			if err != nil || s.Chart.Patient.Reveal() != "p-1" {
				t.Errorf("OfChart = %v", err)
				return
			}
			found.Add(1)
		})
	}
	all.Wait()
	if found.Load() != 200 {
		t.Errorf("%d of 200 found it", found.Load())
	}
}

func TestNothingIsPrinted(t *testing.T) {
	t.Parallel()
	s := chart("canary")
	s.Person = session.Person{Subject: "canary", Name: "canary"}
	s.ID = "digest"
	text := fmt.Sprintf("%v %+v %#v %s", s, s, s, s)
	if strings.Contains(text, "canary") || !strings.Contains(text, "digest") {
		t.Errorf("printed: %s", text)
	}
}
