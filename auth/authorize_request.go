package auth

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/scope"
)

// minState is the shortest state that is not easily guessed (RFC 6819 section 4.4.1.8); fosite
// has the same.
const minState = 8

// maxText bounds each parameter but scope, which may be eight times as long.
const maxText = 2048

// authorizeParams are the parameters of an authorization request that mean something here. What
// else is sent is neither kept nor passed on: no secret, no assertion, no unsigned request object
// (B7, B9).
func authorizeParams() []string {
	return []string{
		"response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce",
		"aud", "resource", "audience", "code_challenge", "code_challenge_method", "prompt",
		"max_age",
	}
}

// question is an authorization request that was checked. Where a check has failed it holds what
// came before: redirect is nil as long as nobody knows where an answer may go.
type question struct {
	ar       fosite.AuthorizeRequester
	client   *registered
	redirect *url.URL
	state    string
	nonce    string
	// asked is the part of the scopes that the client may have at all.
	asked  scope.Set
	prompt []string
	// maxAge is how long ago a person may have signed in; negative means any time.
	maxAge time.Duration
}

// ask checks an authorization request. Client and address come first, because nothing may be sent
// to an address that is not the client's.
func (s *Server) ask(ctx context.Context, form url.Values) (*question, error) {
	q := &question{maxAge: -1}
	client, ok := s.clients[form.Get("client_id")]
	if !ok || !client.uses(authorizationCode) {
		no := refuse(invalidClient, "no such program is registered for signing in", nil)
		no.status = http.StatusBadRequest
		return q, no
	}
	redirect := client.redirectTo(form.Get("redirect_uri"))
	if redirect == nil {
		no := refuse(invalidRequest, "redirect_uri is not one that the program has registered", nil)
		no.client = client.ID
		return q, no
	}
	q.client, q.redirect, q.state = client, redirect, form.Get("state")
	q.nonce, q.prompt = form.Get("nonce"), strings.Fields(form.Get("prompt"))
	for _, check := range []func(url.Values) error{
		checkShape, checkChallenge, s.checkTarget, q.readPrompt, q.readScopes,
	} {
		if err := check(form); err != nil {
			no := asRefusal(err)
			no.client = client.ID
			return q, no
		}
	}
	var err error
	q.ar, err = s.provider.NewAuthorizeRequest(ctx, q.request(form, s.cfg.Audience))
	if err != nil {
		no := asRefusal(err)
		no.client = client.ID
		return q, no
	}
	return q, nil
}

// request is the request as fosite is shown it: with the allowed part of the scopes, and the
// audience under the name by which fosite knows it.
func (q *question) request(form url.Values, audience string) *http.Request {
	shown := url.Values{}
	for _, name := range authorizeParams() {
		if form.Has(name) {
			shown.Set(name, form.Get(name))
		}
	}
	for _, name := range []string{"aud", "resource", "prompt", "max_age", "response_mode"} {
		shown.Del(name)
	}
	shown.Set("scope", q.asked.String())
	shown.Set("audience", audience)
	return &http.Request{
		Method: http.MethodGet, URL: &url.URL{}, Header: http.Header{}, Form: shown,
		PostForm: url.Values{}, //nolint:forbidigo // A field, not http.PostForm.
	}
}

// checkShape holds what is the same for every request.
func checkShape(form url.Values) error {
	switch {
	case form.Has("request"):
		return refuse(requestNotSupported, "request objects are not read", nil)
	case form.Has("request_uri"):
		return refuse(requestURINotSupported, "request_uri is for pushed requests alone", nil)
	case form.Get("response_type") == "":
		return refuse(invalidRequest, "response_type is missing", nil)
	case form.Get("response_type") != "code":
		return refuse(unsupportedResponseType, "the response type is code", nil)
	case form.Has("response_mode") && form.Get("response_mode") != "query":
		return refuse(invalidRequest, "the response mode is query", nil)
	case len(form.Get("state")) < minState:
		return refuse(invalidRequest, "state has to have 8 characters at least", nil)
	case len(form.Get("scope")) > maxText*8:
		return refuse(invalidRequest, "scope is too long", nil)
	}
	// Each is kept while a person signs in, and anybody may ask.
	for _, name := range authorizeParams() {
		if name != "scope" && len(form.Get(name)) > maxText {
			return refuse(invalidRequest, name+" is too long", nil)
		}
	}
	return nil
}

// checkChallenge wants PKCE by S256 (RFC 7636): 32 bytes in base64url.
func checkChallenge(form url.Values) error {
	challenge := form.Get("code_challenge")
	if challenge == "" {
		return refuse(invalidRequest, "code_challenge is missing", nil)
	}
	if form.Get("code_challenge_method") != "S256" {
		return refuse(invalidRequest, "the code_challenge_method is S256", nil)
	}
	sum, err := base64.RawURLEncoding.Strict().DecodeString(challenge)
	if err != nil || len(sum) != 32 {
		return refuse(invalidRequest, "code_challenge is no SHA-256 in base64url", nil)
	}
	return nil
}

// checkTarget wants aud (SMART) or resource (RFC 8707) to be there, and every one of them to be our
// API, letter by letter.
func (s *Server) checkTarget(form url.Values) error {
	if !form.Has("aud") && !form.Has("resource") {
		return refuse(invalidRequest, "aud is missing: the base URL of the API", nil)
	}
	return s.onlyOurs(form)
}

// onlyOurs refuses a target that is not our API. SMART calls it aud, RFC 8707 resource, fosite
// audience. A token for another API is not ours to give.
func (s *Server) onlyOurs(form url.Values) error {
	for _, name := range []string{"aud", "resource", "audience"} {
		if form.Has(name) && form.Get(name) != s.cfg.Audience {
			return refuse(invalidTarget, "tokens are given for this server's own API alone", nil)
		}
	}
	return nil
}

// readPrompt reads prompt and max_age of OpenID Connect Core 3.1.2.1.
func (q *question) readPrompt(form url.Values) error {
	for _, word := range q.prompt {
		switch word {
		case "none", "login", "consent", "select_account":
		default:
			return refuse(invalidRequest, "prompt is none, login, consent or select_account", nil)
		}
	}
	if slices.Contains(q.prompt, "none") && len(q.prompt) > 1 {
		return refuse(invalidRequest, "prompt is none and something else", nil)
	}
	if !form.Has("max_age") {
		return nil
	}
	seconds, err := strconv.Atoi(form.Get("max_age"))
	if err != nil || seconds < 0 || seconds > 1<<30 {
		return refuse(invalidRequest, "max_age is not a number of seconds", nil)
	}
	q.maxAge = time.Duration(seconds) * time.Second
	return nil
}

// readScopes keeps the part of the scopes that the client may have. What is malformed is not
// granted, like anything else that is not allowed. Access of programs is not for people to give.
func (q *question) readScopes(form url.Values) error {
	var asked scope.Set
	for _, text := range strings.Fields(form.Get("scope")) {
		if s, err := scope.Parse(text); err == nil && s.Context != scope.System {
			asked = append(asked, s)
		}
	}
	q.asked = scope.Narrow(asked, q.client.scopes)
	if len(q.asked) == 0 {
		return refuse(invalidScope,
			"none of the scopes asked for is allowed to this program", nil)
	}
	return nil
}

// fresh reports whether a person has signed in recently enough for the request, which came at
// since. Who has just signed in because of it is fresh whatever it asks, or it would never end.
func (q *question) fresh(p Person, since, now time.Time) bool {
	if !p.SignedIn.Before(since) {
		return true
	}
	if slices.Contains(q.prompt, "login") || slices.Contains(q.prompt, "select_account") {
		return false
	}
	return q.maxAge < 0 || now.Sub(p.SignedIn) <= q.maxAge
}
