package smart

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/equitylens/equitylens/internal/dial"
)

func TestDiscoveryIsChecked(t *testing.T) {
	t.Parallel()
	evil := "https://a@127.0.0.1/token"
	for _, tt := range []struct {
		name           string
		config, openid members
		want           error
	}{
		{"as it should be", nil, nil, nil},
		{"S256 beside plain", members{"code_challenge_methods_supported": []string{"plain", "S256"}}, nil, nil},
		{"relative endpoints", members{"authorization_endpoint": "auth/authorize", "token_endpoint": "/token"}, nil, nil},
		{"who signs is said in openid-configuration", members{"issuer": nil, "jwks_uri": nil}, nil, nil},
		{"no PKCE", members{"code_challenge_methods_supported": nil}, nil, ErrDiscovery},
		{"plain alone", members{"code_challenge_methods_supported": []string{"plain"}}, nil, ErrDiscovery},
		{"no authorization endpoint", members{"authorization_endpoint": nil}, nil, ErrDiscovery},
		{"no token endpoint", members{"token_endpoint": ""}, nil, ErrDiscovery},
		{"plain http", members{"token_endpoint": "http://ehr.example/token"}, nil, ErrDiscovery},
		{"a script", members{"authorization_endpoint": "javascript:alert(1)"}, nil, ErrDiscovery},
		{"a user", members{"token_endpoint": evil}, nil, ErrDiscovery},
		{"a fragment", members{"token_endpoint": "/token#x"}, nil, ErrDiscovery},
		{"another type", members{"token_endpoint": 1}, nil, ErrDiscovery},
		{"keys over plain http", members{"jwks_uri": "http://ehr.example/keys"}, nil, ErrDiscovery},
		{"openid-configuration of another", members{"jwks_uri": nil},
			members{"issuer": "https://evil.example"}, ErrDiscovery},
		{"openid-configuration without keys", members{"jwks_uri": nil}, members{"jwks_uri": nil}, ErrDiscovery},
		{"an issuer that is no address", members{"issuer": "mercy", "jwks_uri": nil}, nil, ErrDiscovery},
		{"256 KiB", members{"capabilities": strings.Repeat("x", maxBody)}, nil, ErrDiscovery},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.ehr.config, r.ehr.openid = tt.config, tt.openid
			begun, err := r.Launch(t.Context(), r.ehr.base(), "launch-1")
			if !errors.Is(err, tt.want) || err != nil && strings.Contains(err.Error(), "127.0.0.1") {
				t.Fatalf("Launch = %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				return
			}
			if _, err := r.Finish(t.Context(), r.ehr.authorize(t, begun), begun.Binding); err != nil {
				t.Errorf("Finish = %v", err)
			}
		})
	}
}

func TestRelativeEndpointsAreBelowTheBase(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.ehr.config = members{"authorization_endpoint": "auth/authorize?site=1"}
	begun := r.launch(t)
	if !strings.HasPrefix(begun.URL, r.ehr.base()+"/auth/authorize?") || params(t, begun).Get("site") != "1" {
		t.Errorf("the browser goes to %s", begun.URL)
	}
}

// answering is an issuer that answers everything alike.
func answering(t *testing.T, r *rig, handler http.HandlerFunc) {
	t.Helper()
	r.ehr.Config.Handler = handler
}

func TestDiscoveryThatLeadsAway(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(other.Close)
	for _, tt := range []struct {
		name, to string
		status   int
		want     error
	}{
		{"to another origin", other.URL, 302, ErrDiscovery},
		{"to the metadata service", "http://169.254.169.254/latest", 307, ErrDiscovery},
		{"to itself for ever", "/fhir/.well-known/smart-configuration", 302, ErrDiscovery},
		{"to a file", "file:///etc/passwd", 302, ErrDiscovery},
		{"nowhere", "", 404, ErrDiscovery},
		{"into a fault", "", 503, ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			answering(t, r, func(w http.ResponseWriter, _ *http.Request) {
				if tt.to != "" {
					w.Header().Set("Location", tt.to)
				}
				w.WriteHeader(tt.status)
			})
			_, err := r.Launch(t.Context(), r.ehr.base(), "launch-1")
			if !errors.Is(err, tt.want) || strings.Contains(err.Error(), "169.254") {
				t.Errorf("Launch = %v, want %v", err, tt.want)
			}
		})
	}
	if asked.Load() != 0 {
		t.Error("a redirect to another origin was followed")
	}
}

func TestDiscoveryFollowsARedirectAtHome(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	next := r.ehr.Config.Handler
	answering(t, r, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Query().Has("moved") || !strings.Contains(q.URL.Path, "well-known") {
			next.ServeHTTP(w, q)
			return
		}
		http.Redirect(w, q, q.URL.Path+"?moved", http.StatusFound)
	})
	if _, err := r.visit(t); err != nil {
		t.Error(err)
	}
}

func TestDiscoveryIsKept(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, cache string
		keep        time.Duration
	}{
		{"as long as the server says", "public, max-age=600", 10 * time.Minute},
		{"an hour at most", "max-age=99999999", time.Hour},
		{"five minutes when nothing is said", "", 5 * time.Minute},
		{"a minute when it may not", "no-store", time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.ehr.cache = tt.cache
			for range 3 {
				r.launch(t)
			}
			r.clock.Advance(tt.keep - time.Second)
			r.launch(t)
			if n := r.ehr.times("smart-configuration"); n != 1 {
				t.Errorf("read %d times within %s, want once", n, tt.keep)
			}
			r.clock.Advance(time.Second)
			r.launch(t)
			if n := r.ehr.times("smart-configuration"); n != 2 {
				t.Errorf("read %d times after %s, want twice", n, tt.keep)
			}
		})
	}
}

func TestDiscoveryIsReadOnceForAll(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := r.Launch(t.Context(), r.ehr.base(), "launch-1"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := r.ehr.times("smart-configuration"); n != 1 {
		t.Errorf("read %d times, want once", n)
	}
}

func TestOriginsStayAsTheyWereFirst(t *testing.T) {
	t.Parallel()
	for name, moved := range map[string]members{
		"token endpoint":         {"token_endpoint": "https://evil.example/token"},
		"authorization endpoint": {"authorization_endpoint": "https://evil.example/authorize"},
		"keys":                   {"jwks_uri": "https://evil.example/keys"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.launch(t)
			r.ehr.change(func(e *ehr) { e.config = moved })
			r.clock.Advance(time.Hour)
			if _, err := r.Launch(t.Context(), r.ehr.base(), "launch-1"); !errors.Is(err, ErrDiscovery) {
				t.Errorf("Launch = %v", err)
			}
			if !strings.Contains(r.log.String(), "tenant=mercy") {
				t.Error("nobody is told")
			}
			r.ehr.change(func(e *ehr) { e.config = members{"token_endpoint": e.URL + "/token"} })
			r.launch(t)
		})
	}
}

// names is a resolver by which every name is one address.
func names(t *testing.T, address net.IP) *net.Resolver {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = packets.Close() })
	go func() {
		question := make([]byte, 512)
		for {
			n, from, err := packets.ReadFrom(question)
			if err != nil {
				return
			}
			_, _ = packets.WriteTo(reply(question[:n], address), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", packets.LocalAddr().String())
	}}
}

// reply answers a question of RFC 1035 with one address of its kind, A or AAAA, or with none.
func reply(question []byte, address net.IP) []byte {
	end := 12
	for end < len(question) && question[end] != 0 {
		end += int(question[end]) + 1
	}
	end += 5
	data := []byte(address.To4())
	if data == nil {
		data = address.To16()
	}
	kind := byte(1)
	if len(data) == net.IPv6len {
		kind = 28
	}
	out := append([]byte{}, question[:end]...)
	copy(out[2:12], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
	if question[end-3] != kind {
		return out
	}
	out[7] = 1
	out = append(out, 0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 0, 0, byte(len(data)))
	return append(out, data...)
}

func TestAddressesAreCheckedWhenDialled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, address string
		private       bool
	}{
		{"loopback", "127.0.0.1", true},
		{"loopback over IPv6", "::1", true},
		{"private network", "10.1.2.3", false},
		{"metadata service", "169.254.169.254", true},
		{"metadata service over IPv6", "fd00:ec2::254", true},
		{"link-local", "169.254.7.7", true},
		{"loopback in disguise", "64:ff9b::7f00:1", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(cfg *Config, e *ehr) {
				cfg.resolver = names(t, net.ParseIP(tt.address))
				c := &cfg.Tenants[0]
				// The name is registered and looks harmless; where it leads is decided by DNS, now.
				c.Issuer = strings.Replace(e.base(), "127.0.0.1", "ehr.example", 1)
				c.AllowPrivateNetworks = tt.private
			})
			_, err := r.SignIn(t.Context(), "mercy", "/")
			if !errors.Is(err, dial.ErrAddress) || !errors.Is(err, ErrDiscovery) {
				t.Errorf("SignIn = %v", err)
			}
			if r.ehr.times("") != 0 {
				t.Error("the address was reached")
			}
		})
	}
}

func TestLoopbackHasToBeAllowed(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		r := newRig(t, func(cfg *Config, e *ehr) {
			cfg.Tenants[0].AllowLoopback = false
			cfg.Tenants[0].Issuer = strings.Replace(e.base(), "127.0.0.1", host, 1)
		})
		if _, err := r.SignIn(t.Context(), "mercy", "/"); !errors.Is(err, dial.ErrAddress) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestServerMustProveItself(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *Config, _ *ehr) { cfg.Tenants[0].RootCAs = nil })
	if _, err := r.Launch(t.Context(), r.ehr.base(), "launch-1"); !errors.Is(err, ErrUnavailable) ||
		!strings.Contains(err.Error(), "certificate") {
		t.Errorf("Launch = %v", err)
	}
}
