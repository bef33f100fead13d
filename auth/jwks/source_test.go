package jwks

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/internal/dial"
)

// publisher publishes keys by a clock that moves by hand.
type publisher struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	asked  int
	now    time.Time
}

func newPublisher(t *testing.T) *publisher {
	t.Helper()
	p := &publisher{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked++
		answer := p.answer
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	p.publish(t, "max-age=3600", "a")
	return p
}

// source reads from it, following as many redirects as hops.
func (p *publisher) source(pause time.Duration, guard dial.Guard, hops int) *Source {
	return New(Config{Now: p.clock, Pause: pause, Client: &http.Client{
		Transport:     dial.NewTransport(dial.Config{Guard: guard, Connect: time.Minute, Header: time.Minute}),
		CheckRedirect: dial.Home(hops),
	}})
}

// times is how often it was asked.
func (p *publisher) times() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func (p *publisher) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// then lets time pass and says what is answered from there on; nil changes nothing.
func (p *publisher) then(d time.Duration, answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
	if answer != nil {
		p.answer = answer
	}
}

// publish answers with new keys of these ids.
func (p *publisher) publish(t *testing.T, cacheControl string, ids ...string) {
	t.Helper()
	text := keyDocument(t, ids...)
	p.then(0, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", cacheControl)
		_, _ = w.Write(text)
	})
}

// keyDocument is a document of new keys.
func keyDocument(t testing.TB, ids ...string) []byte {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, id := range ids {
		key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: id})
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// has asks for a key by its id.
func has(id string) func(jose.JSONWebKeySet) bool {
	return func(set jose.JSONWebKeySet) bool { return len(set.Key(id)) > 0 }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func TestSourceOverTime(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	s := p.source(2*time.Second, dial.Guard{Loopback: true}, 0)
	step := func(what, id string, want bool, kind error, asked int) {
		t.Helper()
		got, err := s.Try(t.Context(), p.URL, has(id))
		if got != want || !errors.Is(err, kind) || p.times() != asked {
			t.Errorf("%s: %t, %v after %d readings, want %t, %v after %d", what, got, err, p.times(), want, kind, asked)
		}
	}
	step("keys that were just read are not read again", "x", false, nil, 1)
	step("kept keys are used", "a", true, nil, 1)
	step("an unknown id is looked up once", "x", false, nil, 2)
	step("and not again at once", "y", false, nil, 2)
	p.publish(t, "max-age=3600", "b")
	p.then(askAgain-time.Second, nil)
	step("nor a little later", "b", false, nil, 2)
	p.then(time.Second, nil)
	step("a rotated key is found", "b", true, nil, 3)
	step("the old one is gone", "a", false, nil, 3)
	p.then(askAgain, status(http.StatusBadGateway))
	step("a reading that fails is an error for who needs it", "c", false, ErrUnavailable, 4)
	step("and does not take away what is kept", "b", true, nil, 4)
	p.then(time.Hour, nil)
	step("keys that have expired are not used", "b", false, ErrUnavailable, 5)
	step("who failed is left alone for a while", "b", false, ErrUnavailable, 5)
	p.publish(t, "no-store", "b")
	p.then(2*time.Second, nil)
	step("and asked again", "b", true, nil, 6)
	step("what may not be kept is read each time", "b", true, nil, 7)
}

func TestWhyThereAreNoKeys(t *testing.T) {
	t.Parallel()
	elsewhere := newPublisher(t)
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   error
	}{
		{"busy", status(http.StatusTooManyRequests), ErrUnavailable},
		{"down", status(http.StatusServiceUnavailable), ErrUnavailable},
		{"broken off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ErrUnavailable},
		{"gone", http.NotFound, ErrUnusable},
		{"no content", status(http.StatusNoContent), ErrUnusable},
		{"HTML", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, ErrUnusable},
		{"without end", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"keys":[]}` + strings.Repeat(" ", maxBytes)))
		}, ErrUnusable},
		{"elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		}, ErrUnusable},
		{"to itself for ever", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/", http.StatusFound)
		}, ErrUnusable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPublisher(t)
			p.then(0, tt.answer)
			_, err := p.source(0, dial.Guard{Loopback: true}, 2).Try(t.Context(), p.URL+"/secret", has("a"))
			if !errors.Is(err, tt.want) || strings.Contains(err.Error(), "127.0.0.1") ||
				strings.Contains(err.Error(), "secret") {
				t.Errorf("Try = %v, want %v and no address", err, tt.want)
			}
		})
	}
	if elsewhere.times() != 0 {
		t.Error("another origin was asked")
	}
}

func TestGuardHolds(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	_, err := p.source(0, dial.Guard{Private: true}, 0).Try(t.Context(), p.URL, has("a"))
	if !errors.Is(err, ErrUnusable) || !errors.Is(err, dial.ErrAddress) || p.times() != 0 {
		t.Errorf("Try = %v after %d readings", err, p.times())
	}
}

func TestManyShareOneReadingThatOutlivesThem(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	publish, begun, answer := p.answer, make(chan struct{}), make(chan struct{})
	p.then(0, func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-answer
		publish(w, r)
	})
	s := p.source(0, dial.Guard{Loopback: true}, 0)
	first, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := s.Try(first, p.URL, has("a")); !errors.Is(err, ErrUnavailable) ||
			!errors.Is(err, context.Canceled) {
			t.Errorf("who gave up: %v", err)
		}
	})
	<-begun
	for range 20 {
		all.Go(func() {
			if ok, err := s.Try(t.Context(), p.URL, has("a")); !ok || err != nil {
				t.Errorf("who waited: %t, %v", ok, err)
			}
		})
	}
	cancel()
	close(answer)
	all.Wait()
	if p.times() != 1 {
		t.Errorf("%d readings, want one", p.times())
	}
}

// TestAddressesThatMovedAreForgotten keeps a server that names another address each time from filling
// our memory.
func TestAddressesThatMovedAreForgotten(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	s := p.source(0, dial.Guard{Loopback: true}, 0)
	for range 5 {
		p.then(time.Hour, nil)
		if ok, err := s.Try(t.Context(), p.URL+"/"+p.clock().Format("15"), has("a")); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if len(s.kept) != 1 {
		t.Errorf("%d documents are kept, want the last", len(s.kept))
	}
}
