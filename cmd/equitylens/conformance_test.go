package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/authtest"
	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// The tests of this file and of those named conformance_… run the checks of Inferno's test kits for
// SMART servers against the whole program, which serves under a name of its own over TLS, with an EHR at
// which people sign in.

// lensURL is the public name of the program.
const lensURL = "https://lens.example.org"

// The redirect addresses of the two programs through which people ask.
const (
	boardRedirect  = "https://board.example.org/back"
	officeRedirect = "https://office.example.org/back?from=lens"
)

// The staff of the fake EHR, by what they may do with us.
const (
	analystUser   = "wen-adeyemi"
	reviewerUser  = "ines-kallio"
	adminUser     = "sam-ortega"
	clinicianUser = "rosa-delmar"
)

// everyScope is all that any person may be granted.
const everyScope = "openid fhirUser profile offline_access user/Measure.rs user/Library.rs " +
	"user/MeasureReport.rs user/AuditEvent.rs equitylens/unsuppressed equitylens/patients " +
	"equitylens/admin equitylens/sync"

// programScope is what the program without people is registered for.
const programScope = "system/Measure.rs system/MeasureReport.rs equitylens/unsuppressed"

// figuresPath asks for a figure, eventsPath for the audit trail.
const (
	figuresPath = "/fhir/Measure/language-recorded/$evaluate-measure?periodStart=2025&periodEnd=2025"
	eventsPath  = "/fhir/AuditEvent"
)

// lens is a running program as the visitors of its public name see it.
type lens struct {
	*serving
	ehr *fhirtest.Server
	// config is its configuration, address where it listens.
	config  string
	address string
	roots   *x509.CertPool
	// office is the key of the confidential client and of the program without people.
	office jose.JSONWebKey
}

// lensKeys are the signing keys of all programs of these tests, made once.
var lensKeys = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "lens-keys")
	if err != nil {
		return "", err
	}
	for name, alg := range map[string]jose.SignatureAlgorithm{
		"token.json": jose.ES384, "identity.json": jose.RS256,
	} {
		set, err := keys.Open(filepath.Join(folder, name), keys.Config{
			Algorithms: []jose.SignatureAlgorithm{alg},
		})
		if err != nil {
			return "", err
		}
		if _, err := set.Signing(alg); err != nil {
			return "", err
		}
	}
	return folder, nil
})

// openHospital writes the configuration of a program at which people of an EHR sign in, and which knows
// three clients. more is added to it.
func openHospital(t *testing.T, more string) (*site, jose.JSONWebKey) {
	t.Helper()
	who := population.New(population.Config{Patients: 20, Seed: 5})
	base := ""
	s := openSite(t, who, func(c *fhirtest.Config) {
		c.SignInAs, c.AppLaunchURL = analystUser, lensURL+"/launch"
		c.Apps = []fhirtest.App{{
			ClientID: "equitylens-people", RedirectURIs: []string{lensURL + "/callback"},
			Auth: fhirtest.PrivateKey, Keys: c.Clients[0].Keys,
		}}
	})
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if m := regexp.MustCompile(`base_url: (\S+)`).FindSubmatch(text); m != nil {
		base = string(m[1])
	}
	s.data = copied(t)
	s.write(t, strings.Replace(string(text), "data: data\n", "data: "+s.data+"\n", 1))
	folder, err := lensKeys()
	if err != nil {
		t.Fatal(err)
	}
	key, jwks := s.register(t, "office")
	certFile, keyFile, _ := certificate(t, s.folder)
	s.add(t, fmt.Sprintf(`ehrs:
  - {name: ehr, client_id: equitylens-people, base_url: %s, loopback: true, chart: true, sign_in: true,
     algorithm: ES384}
people:
  role_claim: groups
  roles:
    quality-analyst: [quality]
    equity-reviewer: [patient-safety]
    administrator: [administrators]
    clinician: [clinicians]
server:
  public_url: %s
  tls: {cert_file: %s, key_file: %s}
  token_keys_file: %s/token.json
  identity_keys_file: %s/identity.json
  rate_limits: {per_address: 0, per_client: 0}
  clients:
    - {id: board, name: Ward Board, public: true, redirect_uris: ["%s"], scopes: [%s]}
    - {id: office, jwks_file: %s, redirect_uris: ["%s"], scopes: [%s]}
    - {id: robot, jwks_file: %s, scopes: [%s]}
    - {id: inspector, jwks_file: %s, scopes: [equitylens/introspect]}
%s`, base, lensURL, certFile, keyFile, folder, folder,
		boardRedirect, commaed(everyScope), jwks, officeRedirect, commaed(everyScope), jwks,
		commaed(programScope), jwks, more))
	return s, key
}

// commaed writes scopes as a list of the configuration.
func commaed(scopes string) string { return strings.Join(strings.Fields(scopes), ", ") }

// openLens starts a program and its EHR.
func openLens(t *testing.T) *lens {
	t.Helper()
	s, key := openHospital(t, "")
	return s.open(t, key)
}

// open starts one more program with the configuration of the site.
func (s *site) open(t *testing.T, office jose.JSONWebKey) *lens {
	t.Helper()
	l := &lens{ehr: s.ehr, config: s.config, office: office, roots: rootsOf(t, s)}
	l.serving = serve(t, s.config, l.client(t, nil))
	for line := range strings.Lines(l.log.String()) {
		var said struct{ Msg, Address string }
		if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "listening" {
			l.address = said.Address
		}
	}
	if l.address == "" || l.url != lensURL {
		t.Fatalf("it serves at %q as %q", l.address, l.url)
	}
	return l
}

// rootsOf trusts the certificate of a site.
func rootsOf(t *testing.T, s *site) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.folder, "tls.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return roots
}

// client reaches the program by its public name and everything else by its address. It follows no
// redirect.
func (l *lens) client(t *testing.T, jar http.CookieJar) *http.Client {
	t.Helper()
	var dialer net.Dialer
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr == "lens.example.org:443" {
				addr = l.address
			}
			return dialer.DialContext(ctx, network, addr)
		},
		// The certificate of these tests names the address.
		TLSClientConfig: &tls.Config{RootCAs: l.roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// visitor is somebody at a browser.
type visitor struct {
	t      *testing.T
	client *http.Client
	// seen is every page and header that the browser was shown.
	seen strings.Builder
}

// visitor opens a browser without a cookie.
func (l *lens) visitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, client: l.client(t, jar)}
}

// sight is what a browser stands at.
type sight struct {
	at     *url.URL
	status int
	header http.Header
	body   string
}

// follow asks and follows redirects as a browser does, up to an address that is not ours or the EHR's,
// which it does not open.
func (v *visitor) follow(request *http.Request) sight {
	v.t.Helper()
	const most = 12
	for range most {
		answer, err := v.client.Do(request)
		if err != nil {
			v.t.Fatalf("%s %s: %v", request.Method, request.URL.Path, err)
		}
		body, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			v.t.Fatalf("read %s: %v", request.URL.Path, err)
		}
		v.seen.Write(body)
		_ = answer.Header.Write(&v.seen)
		at := sight{at: request.URL, status: answer.StatusCode, header: answer.Header, body: string(body)}
		next, err := answer.Location()
		if err != nil {
			return at
		}
		if name := next.Hostname(); name != "lens.example.org" && name != "127.0.0.1" {
			at.at, at.body = next, ""
			return at
		}
		request = v.request(http.MethodGet, next.String(), nil)
	}
	v.t.Fatalf("the browser is sent from one address to the next; it is at %s", request.URL.Path)
	return sight{}
}

// request is one that a browser makes because somebody clicked.
func (v *visitor) request(method, address string, form url.Values) *http.Request {
	v.t.Helper()
	request, err := http.NewRequestWithContext(v.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header.Set("Sec-Fetch-Dest", "document")
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return request
}

// get opens an address.
func (v *visitor) get(address string) sight {
	v.t.Helper()
	return v.follow(v.request(http.MethodGet, address, nil))
}

// handleField is the hidden field of the page that asks for consent.
var handleField = regexp.MustCompile(`name="handle" value="([^"]+)"`)

// answer submits the form of a page that asks for consent.
func (v *visitor) answer(asked sight, answer string) sight {
	v.t.Helper()
	m := handleField.FindStringSubmatch(asked.body)
	if asked.status != http.StatusOK || m == nil {
		v.t.Fatalf("no question for consent, but %d at %s:\n%s", asked.status, asked.at.Path, asked.body)
	}
	request := v.request(http.MethodPost, lensURL+"/oauth/authorize", url.Values{
		authHandle: {html.UnescapeString(m[1])}, "answer": {answer},
	})
	request.Header.Set("Origin", lensURL)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return v.follow(request)
}

// authHandle is the name of that field.
const authHandle = "handle"

// boardForm and officeForm are good authorization requests of the two clients.
func boardForm(scope string) url.Values {
	return authtest.AuthorizeForm("board", boardRedirect, lensURL+"/fhir", scope)
}

func officeForm(scope string) url.Values {
	return authtest.AuthorizeForm("office", officeRedirect, lensURL+"/fhir", scope)
}

// authorize asks by GET, signs in and allows. It returns what the client is sent.
func (v *visitor) authorize(form url.Values) url.Values {
	v.t.Helper()
	return v.back(v.answer(v.get(lensURL+"/oauth/authorize?"+form.Encode()), "allow"), form)
}

// back checks that a browser was sent to the client of a form with its state, and returns the rest.
func (v *visitor) back(at sight, form url.Values) url.Values {
	v.t.Helper()
	got := at.at.Query()
	if to := form.Get("redirect_uri"); !strings.HasPrefix(at.at.String(), to) ||
		got.Get("state") != form.Get("state") || got.Get("iss") != lensURL {
		v.t.Fatalf("sent to %s, status %d, want %s\n%s", at.at, at.status, to, at.body)
	}
	return got
}

// code is an authorization code of the public client for a person who signs in in a new browser.
func (l *lens) code(t *testing.T, user, scope string) string {
	t.Helper()
	if err := l.ehr.SignInAs(user); err != nil {
		t.Fatal(err)
	}
	got := l.visitor(t).authorize(boardForm(scope))
	if got.Get("code") == "" {
		t.Fatalf("no code but %v", got)
	}
	return got.Get("code")
}

// post sends a form to one of our endpoints.
func (l *lens) post(t *testing.T, path string, form url.Values) authtest.Answer {
	t.Helper()
	answer, err := authtest.Post(t.Context(), l.serving.client, lensURL+path, form)
	if err != nil && (answer.Status != http.StatusOK || path != "/oauth/revoke") {
		t.Fatalf("%s: %v", path, err)
	}
	return answer
}

// tokens are what the public client gets for a person.
func (l *lens) tokens(t *testing.T, user, scope string) authtest.Answer {
	t.Helper()
	answer := l.post(t, "/oauth/token", authtest.CodeForm("board", boardRedirect, l.code(t, user, scope)))
	if answer.Status != http.StatusOK {
		t.Fatalf("token: %d %v", answer.Status, answer.Body)
	}
	return answer
}

// signed adds an assertion of a client to a form.
func (l *lens) signed(t *testing.T, client string, form url.Values) url.Values {
	t.Helper()
	assertion, err := authtest.Assertion{
		ClientID: client, Audience: lensURL + "/oauth/token", Key: l.office,
	}.Sign()
	if err != nil {
		t.Fatal(err)
	}
	form.Set("client_assertion_type", authtest.AssertionType)
	form.Set("client_assertion", assertion)
	return form
}

// status asks our API with a token.
func (l *lens) status(path, token string) int {
	l.t.Helper()
	status, _ := l.do(http.MethodGet, path, token, "")
	return status
}

// document reads a JSON document that needs no token.
func (l *lens) document(t *testing.T, path string, into any) http.Header {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, lensURL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://anywhere.example.org")
	answer, err := l.serving.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK ||
		!strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		t.Fatalf("%s = %d %s", path, answer.StatusCode, answer.Header.Get("Content-Type"))
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return answer.Header
}

// lifetime is how long a token of an answer is good for.
func lifetime(t *testing.T, answer authtest.Answer) time.Duration {
	t.Helper()
	seconds, ok := answer.Body["expires_in"].(float64)
	if !ok || seconds <= 0 {
		t.Errorf("expires_in is %v, want a number of seconds", answer.Body["expires_in"])
	}
	return time.Duration(seconds) * time.Second
}
