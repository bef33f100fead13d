package auth

import (
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"github.com/ory/fosite"
)

// clientCredentials is the one grant type there is.
const clientCredentials = "client_credentials"

// maxBody bounds a token request. An assertion under a certificate chain is below 16 KiB.
const maxBody = 64 << 10

// Token serves the token endpoint: POST with a form, a token or an error of RFC 6749.
func (s *Server) Token() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			no := refuse(invalidRequest, "a token is asked for by POST", nil)
			no.status = http.StatusMethodNotAllowed
			no.answer(w)
			return
		}
		if err := s.exchange(w, r); err != nil {
			no := asRefusal(err)
			no.log(r.Context(), s.cfg.Logger)
			no.answer(w)
		}
	})
}

// exchange answers a request with a token, or returns why not and has written nothing.
func (s *Server) exchange(w http.ResponseWriter, r *http.Request) error {
	if err := s.readForm(w, r); err != nil {
		return err
	}
	ctx := r.Context()
	request, err := s.provider.NewAccessRequest(ctx, r, &fosite.DefaultSession{})
	if err != nil {
		return err
	}
	response, err := s.provider.NewAccessResponse(ctx, request)
	if err != nil {
		return err
	}
	// fosite counts from its own clock and ends a fraction short.
	response.SetExpiresIn(s.cfg.TokenLifetime)
	s.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "token issued",
		slog.String("client", request.GetClient().GetID()),
		slog.String("scope", strings.Join(request.GetGrantedScopes(), " ")))
	noStore(w.Header())
	s.provider.WriteAccessResponse(ctx, w, request, response)
	return nil
}

// readForm reads the body and holds what concerns the request before anybody is asked who they
// are. fosite looks at the client first and calls an unknown grant type a malformed request
// (B14).
func (s *Server) readForm(w http.ResponseWriter, r *http.Request) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return refuse(invalidRequest, "the body has to be application/x-www-form-urlencoded", nil)
	}
	if r.URL.RawQuery != "" {
		// A URL is logged by whatever stands between, an assertion must not be.
		return refuse(invalidRequest, "parameters belong in the body", nil)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			no := refuse(invalidRequest, "the body is too large", nil)
			no.status = http.StatusRequestEntityTooLarge
			return no
		}
		return refuse(invalidRequest, "the body is not a form", nil)
	}
	for _, values := range r.PostForm {
		if len(values) > 1 {
			return refuse(invalidRequest, "a parameter is there twice", nil)
		}
	}
	switch r.PostForm.Get("grant_type") {
	case "":
		return refuse(invalidRequest, "grant_type is missing", nil)
	case clientCredentials:
	default:
		return refuse(unsupportedGrantType, "the grant type is client_credentials", nil)
	}
	// SMART calls it aud, RFC 8707 resource, fosite audience. A token for another API is not
	// ours to give.
	for _, name := range []string{"aud", "resource", "audience"} {
		if asked := r.PostForm.Get(name); asked != "" && asked != s.cfg.Audience {
			return refuse(invalidTarget, "tokens are given for this server's own API alone", nil)
		}
	}
	return nil
}
