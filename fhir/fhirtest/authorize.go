package fhirtest

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The endpoints of the authorization server.
const (
	authorizePath  = "/auth/authorize"
	signInPath     = "/auth/sign-in"
	tokenPath      = "/auth/token" // #nosec G101 -- a path
	introspectPath = "/auth/introspect"
	keysPath       = "/auth/jwks"
)

// visit is what one authorization gave: everything that a code and its tokens have in common.
type visit struct {
	app    string
	scopes []string
	user   User
	at     time.Time
	nonce  string
	// launch is the chart that it was started from; nil without one.
	launch *LaunchContext
	// ended says that nothing of it is good any more; guarded by Server.mu.
	ended bool
}

// code is an authorization code.
type code struct {
	visit     *visit
	redirect  string
	challenge string
	ends      time.Time
	spent     bool
}

// question is an authorization request that waits for somebody to sign in.
type question struct {
	request authorization
	ends    time.Time
}

// authorization is an authorization request that has passed every check.
type authorization struct {
	app       App
	redirect  string
	state     string
	nonce     string
	challenge string
	hint      string
	scopes    []string
	launch    *LaunchContext
}

const (
	codeLife     = 60 * time.Second
	questionLife = 10 * time.Minute
	// challengeSize is the length of a SHA-256 in base64url; RFC 7636, section 4.2.
	challengeSize = 43
)

// serveAuthorize is the authorization endpoint, by GET and by POST:
// https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code
//
// Whoever comes out of a chart is signed in at the EHR already and is not asked anything.
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, mostFormSize)
	if err := r.ParseForm(); err != nil {
		s.problem(w, "The request cannot be read.")
		return
	}
	app, known := s.apps[r.Form.Get("client_id")]
	if !known || len(r.Form["client_id"]) != 1 {
		s.problem(w, "The app is not registered at this hospital.")
		return
	}
	redirect := r.Form.Get("redirect_uri")
	if !slices.Contains(app.RedirectURIs, redirect) || len(r.Form["redirect_uri"]) != 1 {
		s.problem(w, "The address that the app wants the answer at is not registered.")
		return
	}
	request, err := s.readAuthorization(r, app)
	if err != nil {
		s.sendBack(w, r, redirect, url.Values{"error": {err.code}, "error_description": {err.reason},
			"state": {r.Form.Get("state")}})
		return
	}
	if request.launch != nil {
		user, _ := s.user(request.launch.User)
		s.approve(w, r, request, user)
		return
	}
	if user, ok := s.withoutAsking(request); ok {
		s.approve(w, r, request, user)
		return
	}
	if r.Form.Get("prompt") == "none" {
		s.sendBack(w, r, redirect, url.Values{"error": {"login_required"},
			"error_description": {"nobody is signed in"}, "state": {request.state}})
		return
	}
	s.askWho(w, r, request)
}

func badRequest(reason string) *oauthError { return &oauthError{"invalid_request", reason} }

// readAuthorization is strict: what a lax server would let pass is refused here.
func (s *Server) readAuthorization(r *http.Request, app App) (authorization, *oauthError) {
	form := r.Form
	for name, values := range form {
		if len(values) > 1 {
			return authorization{}, badRequest(name + " is there twice")
		}
	}
	a := authorization{app: app, redirect: form.Get("redirect_uri"), state: form.Get("state"),
		nonce: form.Get("nonce"), challenge: form.Get("code_challenge"), hint: form.Get("login_hint")}
	asked := strings.Fields(form.Get("scope"))
	signInOnly := !slices.ContainsFunc(asked, func(scope string) bool {
		return strings.Contains(scope, "/") || scope == "launch"
	})
	switch {
	case form.Get("response_type") != "code":
		return a, &oauthError{"unsupported_response_type", "only code"}
	case form.Has("request"):
		return a, &oauthError{"request_not_supported", "no request objects"}
	case form.Has("request_uri"):
		return a, &oauthError{"request_uri_not_supported", "no request objects"}
	case form.Has("max_age"):
		return a, badRequest("max_age is not supported")
	case a.state == "":
		return a, badRequest("state is missing")
	case form.Get("code_challenge_method") != "S256":
		return a, badRequest("code_challenge_method is not S256")
	case !isChallenge(a.challenge):
		return a, badRequest("code_challenge is no SHA-256")
	case form.Get("aud") != s.base(r) && (form.Has("aud") || !signInOnly):
		return a, badRequest("aud is not the FHIR base")
	case len(asked) == 0:
		return a, &oauthError{"invalid_scope", "scope is missing"}
	case slices.Contains(asked, "launch") != (form.Get("launch") != ""):
		return a, badRequest("launch and the scope launch go together")
	}
	if handle := form.Get("launch"); handle != "" {
		context, ok := s.takeLaunch(handle)
		if !ok {
			return a, badRequest("launch is unknown, spent or too old")
		}
		a.launch = &context
	}
	inChart := a.launch != nil && a.launch.Patient != ""
	a.scopes = userGranted(asked, app.Scopes, s.config.Withhold, inChart)
	if len(a.scopes) == 0 {
		return a, &oauthError{"invalid_scope", "nothing that is asked for may be granted"}
	}
	return a, nil
}

func isChallenge(text string) bool {
	_, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && len(text) == challengeSize
}

// withoutAsking is who signs in where the server is told not to ask.
func (s *Server) withoutAsking(a authorization) (User, bool) {
	s.mu.Lock()
	id := s.signInAs
	s.mu.Unlock()
	if id == "" {
		return User{}, false
	}
	if user, ok := s.user(a.hint); ok {
		return user, true
	}
	return s.user(id)
}

// approve makes the code and sends the browser back to the app.
func (s *Server) approve(w http.ResponseWriter, r *http.Request, a authorization, user User) {
	value := s.secret()
	now := s.config.Now()
	v := &visit{app: a.app.ClientID, scopes: a.scopes, user: user, at: now, nonce: a.nonce,
		launch: a.launch}
	s.mu.Lock()
	for id, c := range s.codes {
		if c.ends.Add(s.config.UserTokenLife).Before(now) {
			delete(s.codes, id)
		}
	}
	s.codes[value] = &code{visit: v, redirect: a.redirect, challenge: a.challenge,
		ends: now.Add(codeLife)}
	s.mu.Unlock()
	s.sendBack(w, r, a.redirect, url.Values{"code": {value}, "state": {a.state}})
}

// sendBack answers at the app's redirect URI; iss is that of RFC 9207.
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, redirect string,
	query url.Values) {
	target, err := url.Parse(redirect)
	if err != nil {
		s.problem(w, "The app's address cannot be read.")
		return
	}
	all := target.Query()
	for name, values := range query {
		if values[0] != "" {
			all.Set(name, values[0])
		}
	}
	all.Set("iss", s.base(r))
	target.RawQuery = all.Encode()
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}
