package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// StatusError is an answer other than 2xx. It prints what was being done, the status and the issue
// codes; it never held the URL or the body.
type StatusError struct {
	// Op is what was being done, in words.
	Op     string
	Status int
	// Issues are those of the OperationOutcome, if the body was one.
	Issues []Issue
	// Reason is the error code of an OAuth answer, with its description where that is harmless.
	Reason string
	// Waits says that the answer carried a Retry-After; RetryAfter is what it asked for, not clamped.
	Waits      bool
	RetryAfter time.Duration
}

// Error returns for example "poll job: status 503 Service Unavailable: transient (error)".
func (e *StatusError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: status %d %s", e.Op, e.Status, http.StatusText(e.Status))
	sep := ": "
	if e.Reason != "" {
		b.WriteString(sep + e.Reason)
		sep = ", "
	}
	for i, issue := range e.Issues {
		if i == maxIssuesShown {
			fmt.Fprintf(&b, " and %d more", len(e.Issues)-i)
			break
		}
		b.WriteString(sep + issue.String())
		sep = ", "
	}
	return b.String()
}

// maxIssuesShown keeps an error to one line.
const maxIssuesShown = 3

// Transient reports whether an issue says so: http://hl7.org/fhir/R4/codesystem-issue-type.html,
// transient and those of its children that pass by themselves.
func (e *StatusError) Transient() bool {
	for _, issue := range e.Issues {
		switch issue.Code {
		case "transient", "lock-error", "timeout", "throttled":
			return true
		}
	}
	return false
}

// Temporary reports whether the same request may fare better later.
func (e *StatusError) Temporary() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return e.Status >= http.StatusInternalServerError && e.Transient()
}

// TransportError is a request that got no whole answer. It prints a description of our own making;
// the cause can be asked for with errors.Is and errors.As.
type TransportError struct {
	Op    string
	what  string
	cause error
}

// Error returns for example "read page of Patient: connection reset by peer".
func (e *TransportError) Error() string { return e.Op + ": " + e.what }

// Unwrap returns the cause without the URL that net/http wraps around it.
func (e *TransportError) Unwrap() error { return e.cause }

// Temporary reports whether the same request may fare better later: not if we refused it ourselves
// and not if the server is not who it should be.
func (e *TransportError) Temporary() bool {
	var certificate *tls.CertificateVerificationError
	return !refused(e.cause) && !errors.As(e.cause, &certificate)
}

// Temporary reports whether the request behind err may fare better later.
func Temporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// errStalled is the cause of a request that was given up because no byte came for StallTimeout.
var errStalled = errors.New("no bytes came in time")

// errTooLarge refuses a document beyond its cap.
var errTooLarge = errors.New("document is larger than its cap")

// refused reports whether one of our own rules stopped the request.
func refused(err error) bool {
	return errors.Is(err, ErrAddress) || errors.Is(err, ErrRedirect) || errors.Is(err, ErrOrigin) ||
		errors.Is(err, ErrURL)
}

// transportError turns what net/http returned into an error without a URL. If ctx has ended that is
// the cause, and the error is not temporary.
func transportError(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errStalled) {
		return fmt.Errorf("%s: %w", op, context.Cause(ctx))
	}
	if ctx.Err() != nil {
		err = errStalled
	}
	var wrapped *url.Error
	for errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return &TransportError{Op: op, what: describe(err), cause: err}
}

// describe puts an error of the network into words. Errors of net/http may quote a Location or the
// bytes of an answer, so what is not known here is named by its type alone.
func describe(err error) string {
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		errno       syscall.Errno
		timeout     net.Error
	)
	switch {
	case errors.Is(err, errStalled):
		return errStalled.Error()
	case refused(err):
		return policyText(err)
	case errors.As(err, &dns):
		return "resolve the server's name: " + dns.Err
	case errors.As(err, &certificate):
		return "verify the server's certificate: " + certificate.Err.Error()
	case errors.As(err, &record):
		return "the server does not speak TLS"
	case errors.As(err, &alert):
		return alert.Error()
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the server does not speak TLS"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "connection closed before the end"
	}
	return fmt.Sprintf("transport fault of type %T", err)
}

// policyText returns the text of our own refusal without the layers of net around it.
func policyText(err error) string {
	var op *net.OpError
	for errors.As(err, &op) {
		err = op.Err
	}
	return err.Error()
}
