package server

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

// problem is what a caller is told: everything that is said to one stands in this file.
type problem struct {
	status int
	code   cpb.IssueTypeCode_Value
	text   string
	// expression names the parameter at fault.
	expression string
	// retryAfter is in seconds; 0 leaves it out.
	retryAfter int
}

// Error is the text for the caller, which is as much as the log needs of a bad request.
func (p *problem) Error() string { return p.text }

var (
	errNoRoute = errors.New("no such path")
	errMethod  = errors.New("no such method here")
	errAccept  = errors.New("no acceptable media type")
	errMedia   = errors.New("no such media type of a body")
	errPanic   = errors.New("a handler panicked")
)

// statusClientClosed is what the log shows of a caller who did not wait. It is sent to nobody.
const statusClientClosed = 499

// causes is the one table from error to answer. The first row whose error is in the chain counts.
func causes() []struct {
	is     error
	answer problem
} {
	return []struct {
		is     error
		answer problem
	}{
		{errNoRoute, problem{status: http.StatusNotFound, code: cpb.IssueTypeCode_NOT_FOUND,
			text: "there is nothing at this address"}},
		{errMethod, problem{status: http.StatusMethodNotAllowed, code: cpb.IssueTypeCode_NOT_SUPPORTED,
			text: "this address does not take this method; see the Allow header"}},
		{errAccept, problem{status: http.StatusNotAcceptable, code: cpb.IssueTypeCode_NOT_SUPPORTED,
			text: "the answer is FHIR R4 in JSON (application/fhir+json); the request does not accept it"}},
		{errMedia, problem{status: http.StatusUnsupportedMediaType, code: cpb.IssueTypeCode_NOT_SUPPORTED,
			text: "the body must be a Parameters resource in JSON (application/fhir+json)"}},
		{r4.ErrResource, problem{status: http.StatusBadRequest, code: cpb.IssueTypeCode_STRUCTURE,
			text: "the body is not a valid FHIR R4 resource"}},
		{ErrNoToken, problem{status: http.StatusUnauthorized, code: cpb.IssueTypeCode_LOGIN,
			text: "an access token is needed"}},
		{ErrBadToken, problem{status: http.StatusUnauthorized, code: cpb.IssueTypeCode_LOGIN,
			text: "the access token is not valid"}},
		{ErrScope, problem{status: http.StatusForbidden, code: cpb.IssueTypeCode_FORBIDDEN,
			text: "the access token does not cover this; see the WWW-Authenticate header"}},
		{measure.ErrUnknownMeasure, problem{status: http.StatusNotFound,
			code: cpb.IssueTypeCode_NOT_FOUND, text: "there is no such measure"}},
		{measure.ErrUnknownDimension, problem{status: http.StatusBadRequest,
			code: cpb.IssueTypeCode_CODE_INVALID, expression: "stratifier",
			text: "a stratifier is not a dimension of this measure; its Measure lists them"}},
		{measure.ErrNoSnapshot, problem{status: http.StatusServiceUnavailable,
			code: cpb.IssueTypeCode_TRANSIENT, retryAfter: 60,
			text: "no data have been loaded yet; that is not a result of zero"}},
		{context.DeadlineExceeded, problem{status: http.StatusServiceUnavailable,
			code: cpb.IssueTypeCode_TIMEOUT, retryAfter: 60,
			text: "the evaluation took too long; ask for fewer stratifiers or a shorter period"}},
		{context.Canceled, problem{status: statusClientClosed, code: cpb.IssueTypeCode_TRANSIENT}},
	}
}

// internal is the answer to what no row knows.
func internal() *problem {
	return &problem{status: http.StatusInternalServerError, code: cpb.IssueTypeCode_EXCEPTION,
		text: "something went wrong here; the request id in X-Request-Id finds it in our log"}
}

// problemOf finds the answer to err.
func problemOf(err error) *problem {
	var said *problem
	if errors.As(err, &said) {
		return said
	}
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return &problem{status: http.StatusRequestEntityTooLarge, code: cpb.IssueTypeCode_TOO_LONG,
			text: "the body is longer than " + strconv.FormatInt(tooLong.Limit, 10) + " bytes"}
	}
	for _, row := range causes() {
		if errors.Is(err, row.is) {
			return &row.answer
		}
	}
	return internal()
}

// fail answers with the problem of err: an OperationOutcome below /fhir, a line of text elsewhere.
// err itself goes into the event of the request if it is ours, and to nobody else.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.status == statusClientClosed && r.Context().Err() == nil {
		p = internal() // Something of ours gave up; the caller is still there.
	}
	event := eventOf(r)
	event.status = p.status
	if p.status >= http.StatusInternalServerError {
		event.err = err
	}
	if p.status == statusClientClosed {
		return
	}
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if !isFHIR(r.URL.Path) {
		http.Error(w, p.text, p.status)
		return
	}
	outcome := r4.Outcome(r4.Issue{Code: p.code, Text: p.text, Expression: p.expression})
	s.send(w, r, p.status, outcome)
}

func badRequest(code cpb.IssueTypeCode_Value, parameter, text string) error {
	return &problem{status: http.StatusBadRequest, code: code, text: text, expression: parameter}
}

func malformedQuery() error {
	return badRequest(cpb.IssueTypeCode_INVALID, "", "the query is malformed")
}

func notParameters() error {
	return badRequest(cpb.IssueTypeCode_STRUCTURE, "", "the body is not a Parameters resource")
}

func missing(parameter string) error {
	return badRequest(cpb.IssueTypeCode_REQUIRED, parameter, "the parameter "+parameter+" is missing")
}

func repeated(parameter string) error {
	return badRequest(cpb.IssueTypeCode_INVALID, parameter,
		"the parameter "+parameter+" may be given once")
}

// parameterName is what a misspelt parameter may look like to be told back to who sent it.
var parameterName = regexp.MustCompile(`^[A-Za-z_\-]{1,40}$`)

func unknownParameter(name string) error {
	text := "there is a parameter that this operation does not have"
	if parameterName.MatchString(name) {
		text = "this operation has no parameter " + name
	}
	return badRequest(cpb.IssueTypeCode_NOT_SUPPORTED, "", text)
}

func malformedDate(parameter string) error {
	return badRequest(cpb.IssueTypeCode_VALUE, parameter,
		"the parameter "+parameter+" must be a date: YYYY, YYYY-MM or YYYY-MM-DD")
}

func malformedValue(parameter string) error {
	return badRequest(cpb.IssueTypeCode_VALUE, parameter,
		"the parameter "+parameter+" has no value of the right type")
}

func reversedPeriod() error {
	return badRequest(cpb.IssueTypeCode_VALUE, "periodEnd", "periodEnd is before periodStart")
}

func unknownReportType() error {
	return badRequest(cpb.IssueTypeCode_CODE_INVALID, "reportType",
		"reportType must be population; subject and subject-list are not supported")
}

func subjectMissing() error {
	return badRequest(cpb.IssueTypeCode_REQUIRED, "subject",
		"reportType subject needs the parameter subject")
}

func otherMeasure() error {
	return badRequest(cpb.IssueTypeCode_CONFLICT, "measure",
		"the parameter measure names another measure than the address")
}

func malformedStratifier() error {
	return badRequest(cpb.IssueTypeCode_VALUE, "stratifier",
		"a stratifier is the name of a dimension, or two names joined by *")
}

func notSupported(parameter, text string) error {
	return &problem{status: http.StatusNotImplemented, code: cpb.IssueTypeCode_NOT_SUPPORTED,
		text: text, expression: parameter}
}

func individualsNotSupported() error {
	return notSupported("reportType",
		"only population reports are made; reports of individual subjects are not supported")
}

func parameterNotSupported(parameter string) error {
	return notSupported(parameter, "the parameter "+parameter+" is not supported")
}

func tooCostly(text string) error {
	return &problem{status: http.StatusUnprocessableEntity, code: cpb.IssueTypeCode_TOO_COSTLY,
		text: text, expression: "stratifier"}
}

func tooManyStratifiers() error {
	return tooCostly("at most " + strconv.Itoa(maxStratifiers) + " stratifiers may be asked for")
}

func tooManyCrossed() error { return tooCostly("at most two dimensions may be crossed") }

func unknownSearch(name string) error {
	text := "there is a search parameter that Measure does not have"
	if parameterName.MatchString(name) {
		text = "Measure cannot be searched by " + name
	}
	return badRequest(cpb.IssueTypeCode_NOT_SUPPORTED, "", text)
}
