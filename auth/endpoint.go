package auth

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The grant types there are.
const (
	clientCredentials = "client_credentials"
	authorizationCode = "authorization_code"
	refreshToken      = "refresh_token"
)

// grantTypes are those that this server knows: of people only where people sign in.
func (s *Server) grantTypes() []string {
	if s.interactive() {
		return []string{authorizationCode, refreshToken, clientCredentials}
	}
	return []string{clientCredentials}
}

// Token serves the token endpoint: POST with a form, a token or an error of RFC 6749.
func (s *Server) Token() http.Handler {
	return s.crossOrigin(s.posted("a token is asked for by POST", "token", s.exchange))
}

// exchange answers a request with a token, or returns why not and has written nothing.
func (s *Server) exchange(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	if err := s.checkTokenForm(form); err != nil {
		return err
	}
	ctx := r.Context()
	request, err := s.provider.NewAccessRequest(ctx, r, s.newSession())
	if err != nil {
		return err
	}
	response, err := s.provider.NewAccessResponse(ctx, request)
	if err != nil {
		return err
	}
	// fosite counts from its own clock and ends a fraction short, and tells the scopes that were
	// granted once, not those of this very token.
	response.SetExpiresIn(s.cfg.TokenLifetime)
	response.SetTokenType("Bearer")
	response.SetScopes(scopesOf(request))
	s.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "token issued",
		slog.String("client", request.GetClient().GetID()),
		slog.String("grant_type", form.Get("grant_type")),
		slog.String("scope", strings.Join(scopesOf(request), " ")))
	noStore(w.Header())
	s.provider.WriteAccessResponse(ctx, w, request, response)
	return nil
}

// checkTokenForm holds what concerns the request before anybody is asked who they are. fosite
// looks at the client first and calls an unknown grant type a malformed request (B14). A code
// without its verifier goes no further: fosite drops the challenge before it compares (B1).
func (s *Server) checkTokenForm(form url.Values) error {
	kind := form.Get("grant_type")
	switch {
	case kind == "":
		return refuse(invalidRequest, "grant_type is missing", nil)
	case !slices.Contains(s.grantTypes(), kind):
		return refuse(unsupportedGrantType,
			"the grant type is "+strings.Join(s.grantTypes(), " or "), nil)
	case kind == authorizationCode && form.Get("code") == "":
		return refuse(invalidRequest, "code is missing", nil)
	case kind == authorizationCode && form.Get("code_verifier") == "":
		return refuse(invalidRequest, "code_verifier is missing", nil)
	case kind == authorizationCode && form.Get("redirect_uri") == "":
		return refuse(invalidRequest, "redirect_uri is missing", nil)
	case kind == refreshToken && form.Get("refresh_token") == "":
		return refuse(invalidRequest, "refresh_token is missing", nil)
	}
	return s.onlyOurs(form)
}
