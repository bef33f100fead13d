package fhirtest

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// refresh is a refresh token. A spent one is kept, so that its second use ends the visit.
type refresh struct {
	visit *visit
	ends  time.Time
	spent bool
}

const (
	// onlineLife and offlineLife bound a chain of refresh tokens.
	onlineLife  = 12 * time.Hour
	offlineLife = 30 * 24 * time.Hour
	// styleName is the file that smart_style_url points at, tenantName what the context says.
	stylePath  = "/ehr/smart-style.json"
	tenantName = "saguaro-valley"
)

func badGrant(reason string) *oauthError { return &oauthError{"invalid_grant", reason} }

// app authenticates a registered app in the one way that it is registered for.
func (s *Server) app(r *http.Request, form url.Values) (App, error) {
	if form.Get("client_assertion") != "" {
		if form.Get("client_assertion_type") != assertionType {
			return App{}, badClient("client_assertion_type is not jwt-bearer")
		}
		client, err := s.authenticate(r.Context(), form.Get("client_assertion"), s.origin(r)+tokenPath)
		if err != nil {
			return App{}, err
		}
		return s.appFor(client.ID, PrivateKey)
	}
	if id, secret, ok := r.BasicAuth(); ok {
		// RFC 6749, section 2.3.1: both are encoded as form values first.
		id, idErr := url.QueryUnescape(id)
		secret, secretErr := url.QueryUnescape(secret)
		app, err := s.appFor(id, SecretBasic)
		if err != nil {
			return App{}, err
		}
		if idErr != nil || secretErr != nil ||
			subtle.ConstantTimeCompare([]byte(secret), []byte(app.Secret)) != 1 {
			return App{}, badClient("the secret is wrong")
		}
		return app, nil
	}
	return s.appFor(form.Get("client_id"), Public)
}

func (s *Server) appFor(id, auth string) (App, error) {
	app, ok := s.apps[id]
	if !ok || app.Auth != auth {
		return App{}, badClient("the app is not registered, or authenticates in another way")
	}
	return app, nil
}

// exchangeCode is https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-access-token
func (s *Server) exchangeCode(r *http.Request, form url.Values) (object, error) {
	app, err := s.app(r, form)
	if err != nil {
		return nil, err
	}
	v, err := s.spendCode(app, form)
	if err != nil {
		return nil, err
	}
	body, err := s.give(r, v, v.scopes)
	if err != nil {
		return nil, err
	}
	if slices.Contains(v.scopes, "openid") {
		token, err := s.idToken(r, v)
		if err != nil {
			return nil, err
		}
		body["id_token"] = token
	}
	if life := chainLife(v.scopes); life > 0 {
		body["refresh_token"] = s.giveRefresh(v, s.config.Now().Add(life))
	}
	return body, nil
}

// spendCode takes a code once. Whatever is wrong with the request, the code is spent; a second use
// ends all that the first one gave (RFC 6749, section 4.1.2).
func (s *Server) spendCode(app App, form url.Values) (*visit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.codes[form.Get("code")]
	if !ok || c.visit.app != app.ClientID {
		return nil, badGrant("the code is unknown")
	}
	if c.spent && !s.faults[CodeTwice] {
		c.visit.ended = true
		return nil, badGrant("the code was used before")
	}
	c.spent = true
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	switch {
	case !s.config.Now().Before(c.ends):
		return nil, badGrant("the code has expired")
	case form.Get("redirect_uri") != c.redirect:
		return nil, badGrant("redirect_uri is not that of the authorization request")
	case len(form.Get("code_verifier")) < challengeSize, challenge != c.challenge:
		return nil, badGrant("code_verifier is not what the code_challenge was made of")
	}
	return c.visit, nil
}

// exchangeRefresh is
// https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#refresh-access-token with rotation:
// every refresh token is good once.
func (s *Server) exchangeRefresh(r *http.Request, form url.Values) (object, error) {
	app, err := s.app(r, form)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	old, ok := s.refreshes[form.Get("refresh_token")]
	switch {
	case !ok || old.visit.app != app.ClientID || old.visit.ended || !s.config.Now().Before(old.ends),
		s.faults[RefusesRefresh]:
		err = badGrant("the refresh token is unknown, ended or expired")
	case old.spent:
		old.visit.ended = true
		err = badGrant("the refresh token was used before")
	}
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	scopes := old.visit.scopes
	if asked := strings.Fields(form.Get("scope")); len(asked) > 0 {
		for _, scope := range asked {
			if !slices.Contains(scopes, scope) {
				s.mu.Unlock()
				return nil, &oauthError{"invalid_scope", "more than was granted"}
			}
		}
		scopes = asked
	}
	old.spent = true
	s.mu.Unlock()
	body, err := s.give(r, old.visit, scopes)
	if err != nil {
		return nil, err
	}
	body["refresh_token"] = s.giveRefresh(old.visit, old.ends)
	return body, nil
}

// give makes an access token of a visit, and the response around it with the launch context:
// https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
func (s *Server) give(r *http.Request, v *visit, scopes []string) (object, error) {
	token := s.keep(grant{client: v.app, scopes: scopes, visit: v}, s.config.UserTokenLife)
	body := object{"access_token": token, "token_type": "Bearer", "scope": strings.Join(scopes, " "),
		"expires_in": int(s.config.UserTokenLife.Seconds())}
	if s.faults[NoTokenType] {
		delete(body, "token_type")
	}
	if v.launch == nil || !slices.Contains(v.scopes, "launch") {
		return body, nil
	}
	body["need_patient_banner"] = v.launch.NeedPatientBanner
	body["smart_style_url"] = s.window(r) + stylePath
	body["tenant"] = tenantName
	for name, value := range map[string]string{"patient": v.launch.Patient,
		"encounter": v.launch.Encounter, "intent": v.launch.Intent} {
		if value != "" {
			body[name] = value
		}
	}
	return body, nil
}

func (s *Server) giveRefresh(v *visit, ends time.Time) string {
	token := s.secret()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	for id, r := range s.refreshes {
		if r.ends.Before(now) {
			delete(s.refreshes, id)
		}
	}
	s.refreshes[token] = &refresh{visit: v, ends: ends}
	return token
}

// chainLife is how long refreshing may go on; 0 means not at all.
func chainLife(scopes []string) time.Duration {
	switch {
	case slices.Contains(scopes, "offline_access"):
		return offlineLife
	case slices.Contains(scopes, "online_access"):
		return onlineLife
	}
	return 0
}

// keep stores a grant under a new token.
func (s *Server) keep(g grant, life time.Duration) string {
	token := s.secret()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	for t, old := range s.tokens {
		if old.ends.Before(now) {
			delete(s.tokens, t)
		}
	}
	g.given, g.ends = now, now.Add(life)
	s.tokens[token] = g
	return token
}

// serveIntrospection is RFC 7662 with what SMART App Launch 2.2.0 adds. Who asks is a registered
// app with a credential, or a program with a good access token.
func (s *Server) serveIntrospection(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, mostFormSize)
	if err := r.ParseForm(); err != nil {
		s.refuseToken(w, badRequest("the form cannot be read"))
		return
	}
	if err := s.mayIntrospect(r.Context(), r); err != nil {
		s.refuseToken(w, err)
		return
	}
	g, ok := s.live(r.PostForm.Get("token"))
	if !ok {
		answer(w, http.StatusOK, "application/json", object{"active": false})
		return
	}
	body := object{"active": true, "client_id": g.client, "scope": strings.Join(g.scopes, " "),
		"exp": g.ends.Unix(), "iat": g.given.Unix(), "token_type": "Bearer"}
	if v := g.visit; v != nil {
		body["iss"], body["sub"], body["fhirUser"] = s.base(r), v.user.ID, s.fhirUser(r, v.user)
		if l := v.launch; l != nil {
			body["patient"], body["need_patient_banner"] = l.Patient, l.NeedPatientBanner
			if l.Encounter != "" {
				body["encounter"] = l.Encounter
			}
			if l.Intent != "" {
				body["intent"] = l.Intent
			}
		}
	}
	answer(w, http.StatusOK, "application/json", body)
}

func (s *Server) mayIntrospect(ctx context.Context, r *http.Request) error {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(kind, "bearer") {
		if _, ok := s.live(token); !ok {
			return badClient("the access token is not good")
		}
		return nil
	}
	if assertion := r.PostForm.Get("client_assertion"); assertion != "" {
		_, err := s.authenticate(ctx, assertion, s.origin(r)+tokenPath)
		return err
	}
	app, err := s.app(r, r.PostForm)
	if err == nil && app.Auth == Public {
		return badClient("the app has no credential")
	}
	return err
}
