package auth

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/ory/fosite"
)

const (
	// pushedPrefix is what request_uri of a pushed request starts with (RFC 9126 section 2.2).
	pushedPrefix = "urn:ietf:params:oauth:request_uri:"
	// pushedLife is how long a pushed request may wait for its browser.
	pushedLife = 90 * time.Second
)

// PushedAuthorization serves the endpoint of RFC 9126: a client says beforehand, and under its own
// name, what its browser will ask. Everything is checked here as it would be there, PKCE included,
// which fosite leaves to the browser (B8).
func (s *Server) PushedAuthorization() http.Handler {
	return s.crossOrigin(s.posted("a request is pushed by POST", "pushed request", s.push))
}

// push keeps a request, or returns why not and has written nothing.
func (s *Server) push(w http.ResponseWriter, r *http.Request) error {
	if !s.interactive() {
		return &refusal{
			status: http.StatusNotFound, code: unauthorizedClient, say: "nobody signs in to this server",
		}
	}
	form, err := readForm(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	client, err := s.identify(ctx, r, form)
	if err != nil {
		return err
	}
	if id := form.Get("client_id"); id != "" && id != client.ID {
		return refuse(invalidRequest, "client_id is another's", nil)
	}
	form.Set("client_id", client.ID)
	q, err := s.ask(ctx, form)
	if err != nil {
		return err
	}
	random := make([]byte, 32)
	if _, err := io.ReadFull(s.cfg.Rand, random); err != nil {
		return fmt.Errorf("auth: push: draw a name: %w", err)
	}
	uri := pushedPrefix + base64.RawURLEncoding.EncodeToString(random)
	request := &fosite.AuthorizeRequest{
		RedirectURI: q.redirect, ResponseTypes: q.ar.GetResponseTypes(), State: q.state,
		Request: fosite.Request{
			ID: q.ar.GetID(), RequestedAt: s.cfg.Now(), Client: client, Form: known(form),
			RequestedScope: q.ar.GetRequestedScopes(), Session: s.newSession(),
		},
	}
	request.Session.SetExpiresAt(fosite.PushedAuthorizeRequestContext, s.cfg.Now().Add(pushedLife))
	if err := s.grants.CreatePARSession(ctx, uri, request); err != nil {
		return err
	}
	s.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "request pushed", slog.String("client", client.ID))
	return writeJSON(w, http.StatusCreated, map[string]any{
		"request_uri": uri, "expires_in": int(pushedLife / time.Second),
	})
}

// writeJSON writes a document that no cache keeps.
func writeJSON(w http.ResponseWriter, status int, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("auth: write: %w", err)
	}
	h := w.Header()
	noStore(h)
	h.Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(text)
	return nil
}
