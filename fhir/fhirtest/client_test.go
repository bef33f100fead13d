package fhirtest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/worldtest"
)

func newClock() *worldtest.Clock { return worldtest.At(time.Date(2026, 2, 1, 8, 0, 0, 0, time.UTC)) }

// caller is a minimal backend client: just enough to talk to the server, and no more robust than
// that.
type caller struct {
	t      *testing.T
	base   string
	origin string
	key    jose.JSONWebKey
	clock  *worldtest.Clock
	http   *http.Client
	token  string
	server *Server
	next   int
}

func ecKey(t *testing.T) jose.JSONWebKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: "ec", Algorithm: string(jose.ES384), Use: "sig"}
}

func rsaKey(t *testing.T) jose.JSONWebKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: "rsa", Algorithm: string(jose.RS384), Use: "sig"}
}

// start runs a server with a small population and returns a caller with a token.
func start(t *testing.T, c Config) *caller {
	t.Helper()
	caller := startWithoutToken(t, c)
	caller.login("system/*.rs")
	return caller
}

func startWithoutToken(t *testing.T, c Config) *caller {
	t.Helper()
	caller := &caller{t: t, clock: newClock(), key: ecKey(t)}
	if c.Population == nil {
		c.Population = population.New(population.Config{Patients: 60, Seed: 3})
	}
	c.Now = caller.clock.Now
	if c.TLS {
		c.Now = time.Now
		caller.clock.Set(time.Now())
	}
	if c.Clients == nil {
		c.Clients = []Client{{ID: "nightly", Keys: publicKeys(caller.key)}}
	}
	server, err := NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	caller.server = server
	caller.base, err = server.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Close() = %v", err)
		}
	})
	u, err := url.Parse(caller.base)
	if err != nil {
		t.Fatal(err)
	}
	caller.origin = u.Scheme + "://" + u.Host
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	if certificate := server.Certificate(); certificate != nil {
		pool := x509.NewCertPool()
		pool.AddCert(certificate)
		transport.TLSClientConfig = tlsConfig(pool)
	}
	caller.http = &http.Client{Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return caller
}

func publicKeys(keys ...jose.JSONWebKey) *jose.JSONWebKeySet {
	var set jose.JSONWebKeySet
	for _, k := range keys {
		set.Keys = append(set.Keys, k.Public())
	}
	return &set
}

// claims are those of a good assertion.
func (c *caller) claims() jwt.Claims {
	c.next++
	return jwt.Claims{Issuer: "nightly", Subject: "nightly",
		Audience: jwt.Audience{c.origin + tokenPath},
		Expiry:   jwt.NewNumericDate(c.clock.Now().Add(4 * time.Minute)),
		ID:       "jti-" + time.Duration(c.next).String()}
}

func (c *caller) assertion(key jose.JSONWebKey, algorithm jose.SignatureAlgorithm,
	claims jwt.Claims) string {
	c.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		c.t.Fatal(err)
	}
	out, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// ask posts to the token endpoint.
func (c *caller) ask(form url.Values) (int, map[string]any) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.origin+tokenPath,
		strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, _, body := c.send(request)
	var out map[string]any
	if err := json.Unmarshal(body, &out); err != nil {
		c.t.Fatalf("token response %q: %v", body, err)
	}
	return status, out
}

func tokenForm(assertion, scope string) url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {assertionType},
		"client_assertion": {assertion}, "scope": {scope}}
}

func (c *caller) login(scope string) map[string]any {
	c.t.Helper()
	algorithm := jose.ES384
	if _, ok := c.key.Key.(crypto.Signer).Public().(*rsa.PublicKey); ok {
		algorithm = jose.RS384
	}
	status, out := c.ask(tokenForm(c.assertion(c.key, algorithm, c.claims()), scope))
	if status != http.StatusOK {
		c.t.Fatalf("token: status %d, %v", status, out)
	}
	c.token, _ = out["access_token"].(string)
	return out
}

func (c *caller) send(request *http.Request) (int, http.Header, []byte) {
	c.t.Helper()
	status, header, body, err := c.try(request)
	if err != nil {
		c.t.Fatal(err)
	}
	return status, header, body
}

func (c *caller) try(request *http.Request) (int, http.Header, []byte, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, body, err
}

// request makes one with the token; a target without a scheme is below the base or the origin.
func (c *caller) request(method, target string, body io.Reader) *http.Request {
	c.t.Helper()
	switch {
	case strings.HasPrefix(target, "/fhir/"):
		target = c.origin + target
	case strings.HasPrefix(target, "/"):
		target = c.base + target
	}
	request, err := http.NewRequestWithContext(context.WithoutCancel(c.t.Context()), method, target,
		body)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	return request
}

func (c *caller) get(target string) (int, http.Header, []byte) {
	c.t.Helper()
	return c.send(c.request(http.MethodGet, target, nil))
}

// kickOff starts an export and returns its status URL.
func (c *caller) kickOff(target string) string {
	c.t.Helper()
	request := c.request(http.MethodGet, target, nil)
	request.Header.Set("Prefer", "respond-async")
	status, header, body := c.send(request)
	if status != http.StatusAccepted {
		c.t.Fatalf("kick-off %s: status %d, %s", target, status, body)
	}
	return header.Get("Content-Location")
}

type manifestFile struct {
	Type  string
	URL   string
	Count int
}

type manifest struct {
	TransactionTime     string
	Request             string
	RequiresAccessToken bool
	Output              []manifestFile
	Deleted             []manifestFile
	Error               []manifestFile
	Outcome             []manifestFile
	Link                []struct{ Relation, URL string }
	raw                 map[string]any
}

// finish polls until the manifest is there.
func (c *caller) finish(statusURL string) manifest {
	c.t.Helper()
	for range 10 {
		status, _, body := c.get(statusURL)
		if status == http.StatusOK {
			var m manifest
			if err := json.Unmarshal(body, &m); err != nil {
				c.t.Fatal(err)
			}
			if err := json.Unmarshal(body, &m.raw); err != nil {
				c.t.Fatal(err)
			}
			return m
		}
		if status != http.StatusAccepted {
			c.t.Fatalf("poll: status %d, %s", status, body)
		}
	}
	c.t.Fatal("the export never ends")
	return manifest{}
}

// export runs an export to its manifest.
func (c *caller) export(target string) manifest {
	c.t.Helper()
	return c.finish(c.kickOff(target))
}

// of returns the files of one type.
func (m manifest) of(resourceType string) []manifestFile {
	var out []manifestFile
	for _, f := range m.Output {
		if f.Type == resourceType {
			out = append(out, f)
		}
	}
	return out
}

// lines are the lines of a file that are not blank.
func lines(body []byte) []string {
	var out []string
	for _, line := range strings.Split(string(body), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
