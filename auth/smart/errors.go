package smart

import (
	"errors"
	"fmt"
	"slices"
)

// What a caller may decide on. No error of this package holds an identifier of a person, a token, a
// code, or words of another server.
var (
	// ErrUnknownIssuer means that no tenant is registered for the issuer of a launch.
	ErrUnknownIssuer = errors.New("smart: issuer is not registered")
	// ErrUnknownTenant means that no tenant has the name, or none for this use.
	ErrUnknownTenant = errors.New("smart: tenant is not registered")
	// ErrRequest means that what the browser brought cannot be used: no launch, or a next that is
	// not a path of ours.
	ErrRequest = errors.New("smart: request cannot be used")
	// ErrState means that no flow of this browser waits for this answer: state or binding are
	// missing or another's, or the flow has ended or been used.
	ErrState = errors.New("smart: no such flow in this browser")
	// ErrDenied means that the server said no; a *DeniedError says how.
	ErrDenied = errors.New("smart: denied by the server")
	// ErrUnavailable means that the server, or our own store, could not be asked.
	ErrUnavailable = errors.New("smart: unavailable")
	// ErrDiscovery means that the server's discovery document cannot be followed.
	ErrDiscovery = errors.New("smart: discovery document cannot be used")
	// ErrAnswer means that the server's answer is not what the protocol says.
	ErrAnswer = errors.New("smart: answer cannot be used")
	// ErrIdentity means that the id_token does not prove who the person is.
	ErrIdentity = errors.New("smart: identity is not proved")
	// ErrSpent means that the refresh token has been used, by another request that may not have
	// ended.
	ErrSpent = errors.New("smart: refresh token was used before")
)

// DeniedError is a server's no.
type DeniedError struct {
	// Code is a code of OAuth or OpenID Connect, or "other". The description that came with it is
	// dropped: it is text of anybody's making.
	Code string
	// Status is that of the token endpoint's answer; 0 where the browser brought the no.
	Status int
}

// Error implements error.
func (e *DeniedError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("%v: %s", ErrDenied, e.Code)
	}
	return fmt.Sprintf("%v: %s, status %d", ErrDenied, e.Code, e.Status)
}

// Unwrap makes it ErrDenied.
func (e *DeniedError) Unwrap() error { return ErrDenied }

// denial keeps of a server's error code what is known, so that it can carry no text.
func denial(code string, status int) *DeniedError {
	known := []string{
		"access_denied", "invalid_request", "unauthorized_client", "unsupported_response_type",
		"invalid_scope", "server_error", "temporarily_unavailable", "invalid_client", "invalid_grant",
		"unsupported_grant_type", "invalid_target", "login_required", "consent_required",
		"interaction_required", "account_selection_required", "invalid_launch",
	}
	if !slices.Contains(known, code) {
		code = "other"
	}
	return &DeniedError{Code: code, Status: status}
}
