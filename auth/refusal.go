package auth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/store/cache"
)

// The error codes of RFC 6749 sections 4.1.2.1 and 5.2, RFC 8707, RFC 9126 and OpenID Connect that
// the endpoints answer with.
const (
	invalidRequest          = "invalid_request"
	invalidClient           = "invalid_client"
	invalidGrant            = "invalid_grant"
	invalidScope            = "invalid_scope"
	invalidTarget           = "invalid_target"
	invalidRequestURI       = "invalid_request_uri"
	unauthorizedClient      = "unauthorized_client"
	unsupportedGrantType    = "unsupported_grant_type"
	unsupportedResponseType = "unsupported_response_type"
	requestNotSupported     = "request_not_supported"
	requestURINotSupported  = "request_uri_not_supported"
	accessDenied            = "access_denied"
	loginRequired           = "login_required"
	consentRequired         = "consent_required"
	insufficientScope       = "insufficient_scope"
	invalidToken            = "invalid_token"
	temporarilyUnavailable  = "temporarily_unavailable"
	serverError             = "server_error"
)

// refusal is why something was not given. Code and say go to the client; cause and client to our
// log alone. None of them holds a part of an assertion, a code or a token.
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
	case invalidClient, invalidToken:
		status = http.StatusUnauthorized
	case insufficientScope:
		status = http.StatusForbidden
	case temporarilyUnavailable:
		status = http.StatusServiceUnavailable
	case serverError:
		status = http.StatusInternalServerError
	}
	return &refusal{status: status, code: code, say: say, cause: cause}
}

// asRefusal turns whatever ended a request into a refusal. fosite's hints and debug texts quote
// the request and the store, so of its errors the code alone is told (B19). Who comes second with
// one code or one refresh token is told the same, whether the first is long done or a moment
// ahead; fosite calls the latter a failure of the server, or asks to try again (B13, B15).
func asRefusal(err error) *refusal {
	var ours *refusal
	if errors.As(err, &ours) {
		return ours
	}
	if errors.Is(err, cache.ErrUnavailable) || errors.Is(err, cache.ErrFull) {
		return refuse(temporarilyUnavailable, "try again later", err)
	}
	for _, spent := range []error{
		fosite.ErrInvalidatedAuthorizeCode, fosite.ErrInactiveToken, fosite.ErrNotFound,
		fosite.ErrSerializationFailure, fosite.ErrTokenExpired, fosite.ErrInvalidGrant,
		fosite.ErrTokenSignatureMismatch, fosite.ErrInvalidTokenFormat,
	} {
		if errors.Is(err, spent) {
			return refuse(invalidGrant, "the code or token is not valid, or not any more", err)
		}
	}
	var theirs *fosite.RFC6749Error
	if errors.As(err, &theirs) && slices.Contains([]string{
		invalidRequest, invalidClient, invalidScope, unauthorizedClient, unsupportedGrantType,
		unsupportedResponseType, accessDenied,
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

// log writes one line about the refusal: what names what was refused.
func (r *refusal) log(ctx context.Context, log *slog.Logger, what string) {
	level := slog.LevelWarn
	if r.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	log.LogAttrs(ctx, level, what+" refused",
		slog.String("code", r.code), slog.String("client", r.client), slog.String("reason", r.Error()))
}

// noStore keeps an answer out of every cache (RFC 6749 section 5.1).
func noStore(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
}
