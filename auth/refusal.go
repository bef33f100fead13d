package auth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/ory/fosite"
)

// The error codes of RFC 6749 section 5.2 and RFC 8707 that the token endpoint answers with.
const (
	invalidRequest         = "invalid_request"
	invalidClient          = "invalid_client"
	invalidScope           = "invalid_scope"
	invalidTarget          = "invalid_target"
	unauthorizedClient     = "unauthorized_client"
	unsupportedGrantType   = "unsupported_grant_type"
	temporarilyUnavailable = "temporarily_unavailable"
	serverError            = "server_error"
)

// refusal is why a token was not given. Code and say go to the client; cause and client to our
// log alone. None of them holds a part of an assertion.
type refusal struct {
	status int
	code   string
	say    string
	// client is the id of a registered client, empty as long as nobody knows who asks.
	client string
	cause  error
}

// Error implements error.
func (r *refusal) Error() string {
	text := r.code + ": " + r.say
	if r.cause != nil {
		text += ": " + r.cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (r *refusal) Unwrap() error { return r.cause }

// refuse makes a refusal with the status that belongs to its code.
func refuse(code, say string, cause error) *refusal {
	status := http.StatusBadRequest
	switch code {
	case invalidClient:
		status = http.StatusUnauthorized
	case temporarilyUnavailable:
		status = http.StatusServiceUnavailable
	case serverError:
		status = http.StatusInternalServerError
	}
	return &refusal{status: status, code: code, say: say, cause: cause}
}

// asRefusal turns whatever ended a request into a refusal. fosite's hints and debug texts quote
// the request and the store, so of its errors the code alone is told (B19).
func asRefusal(err error) *refusal {
	var ours *refusal
	if errors.As(err, &ours) {
		return ours
	}
	var theirs *fosite.RFC6749Error
	if errors.As(err, &theirs) && slices.Contains([]string{
		invalidRequest, invalidClient, invalidScope, unauthorizedClient, unsupportedGrantType,
	}, theirs.ErrorField) {
		return refuse(theirs.ErrorField, "the request was refused", err)
	}
	return refuse(serverError, "the request could not be answered", err)
}

// answer writes the refusal as RFC 6749 section 5.2 wants it.
func (r *refusal) answer(w http.ResponseWriter) {
	h := w.Header()
	noStore(h)
	h.Set("Content-Type", "application/json;charset=UTF-8")
	switch r.status {
	case http.StatusUnauthorized:
		// RFC 9110 wants a challenge on every 401. There is no registered scheme for an
		// assertion in the body; Bearer names the family.
		h.Set("WWW-Authenticate", `Bearer error="`+r.code+`"`)
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "5")
	}
	body, err := json.Marshal(map[string]string{"error": r.code, "error_description": r.say})
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(body)
}

// log writes one line about the refusal.
func (r *refusal) log(ctx context.Context, log *slog.Logger) {
	level := slog.LevelWarn
	if r.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	log.LogAttrs(ctx, level, "token refused",
		slog.String("code", r.code), slog.String("client", r.client), slog.String("reason", r.Error()))
}

// noStore keeps an answer of the token endpoint out of every cache (RFC 6749 section 5.1).
func noStore(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
}
