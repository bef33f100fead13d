package server

import (
	"context"
	"errors"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"time"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/store/trail"
)

// problem is what a caller is told: everything that the package says to one stands in this file. What
// the routes of Config.Resources say comes by Refuse.
type problem struct {
	status int
	code   cpb.IssueTypeCode_Value
	text   string
	// expression names the parameter at fault.
	expression string
	// retryAfter is in seconds; 0 leaves it out.
	retryAfter int
	// need is the scope that the token lacks, where it is not that of the route.
	need string
	// more are further things that are wrong, of the same kind.
	more []r4.Issue
}

// Error is the text for the caller, which is as much as the log needs of a bad request.
func (p *problem) Error() string { return p.text }

func (p *problem) outcome() proto.Message {
	issues := append([]r4.Issue{{Code: p.code, Text: p.text, Expression: p.expression}}, p.more...)
	return r4.Outcome(issues...)
}

var (
	errNoRoute = errors.New("no such path")
	errMethod  = errors.New("no such method here")
	errAccept  = errors.New("no acceptable media type")
	errMedia   = errors.New("no such media type of a body")
	errPanic   = errors.New("a handler panicked")

	errCrossSite = errors.New("sent by another site")

	errNoReport  = errors.New("no such stored report")
	errNoLibrary = errors.New("no such library")
)

// statusClientClosed is what the log shows of a caller who did not wait. It is sent to nobody.
const statusClientClosed = 499

// cause is a row of the table from error to answer.
type cause struct {
	is     error
	answer problem
}

// causes is the one table from error to answer. The first row whose error is in the chain counts.
func causes() []cause {
	return []cause{
		{errNoRoute, problem{status: http.StatusNotFound, code: cpb.IssueTypeCode_NOT_FOUND,
			text: "there is nothing at this address"}},
		{errMethod, problem{status: http.StatusMethodNotAllowed, code: cpb.IssueTypeCode_NOT_SUPPORTED,
			text: "this address does not take this method; see the Allow header"}},
		{errAccept, problem{status: http.StatusNotAcceptable, code: cpb.IssueTypeCode_NOT_SUPPORTED,
			text: "the answer is FHIR R4 in JSON (application/fhir+json); the request does not accept it"}},
		{errMedia, problem{status: http.StatusUnsupportedMediaType, code: cpb.IssueTypeCode_NOT_SUPPORTED,
			text: "the body must be a FHIR resource in JSON (application/fhir+json)"}},
		{r4.ErrResource, problem{status: http.StatusBadRequest, code: cpb.IssueTypeCode_STRUCTURE,
			text: "the body is not a valid FHIR R4 resource"}},
		{ErrNoToken, problem{status: http.StatusUnauthorized, code: cpb.IssueTypeCode_LOGIN,
			text: "an access token is needed"}},
		{ErrBadToken, problem{status: http.StatusUnauthorized, code: cpb.IssueTypeCode_LOGIN,
			text: "the access token is not valid"}},
		{ErrScope, problem{status: http.StatusForbidden, code: cpb.IssueTypeCode_FORBIDDEN,
			text: "the access token does not cover this; see the WWW-Authenticate header"}},
		{ErrUnchecked, problem{status: http.StatusServiceUnavailable, code: cpb.IssueTypeCode_TRANSIENT,
			retryAfter: 5, text: "the access token could not be checked; ask again"}},
		{measure.ErrUnknownMeasure, problem{status: http.StatusNotFound,
			code: cpb.IssueTypeCode_NOT_FOUND, text: "there is no such measure"}},
		{measure.ErrUnknownDimension, problem{status: http.StatusBadRequest,
			code: cpb.IssueTypeCode_CODE_INVALID, expression: "stratifier",
			text: "a stratifier is not a dimension of this measure; its Measure lists them"}},
		{ErrNotPublic, problem{status: http.StatusForbidden, code: cpb.IssueTypeCode_SUPPRESSED,
			need: scope.Unsuppressed, text: "this is none of the questions that are answered to the " +
				"public; the scope " + scope.Unsuppressed + " covers it"}},
		{errUnknownPatient, problem{status: http.StatusNotFound, code: cpb.IssueTypeCode_NOT_FOUND,
			expression: "subject", text: "there is no such patient"}},
		{ErrUnknownGroup, problem{status: http.StatusNotFound, code: cpb.IssueTypeCode_NOT_FOUND,
			expression: "subject", text: "there is no such group"}},
		{errNoReport, problem{status: http.StatusNotFound, code: cpb.IssueTypeCode_NOT_FOUND,
			text: "there is no such stored report; $evaluate-measure answers for any period"}},
		{errNoLibrary, problem{status: http.StatusNotFound, code: cpb.IssueTypeCode_NOT_FOUND,
			text: "there is no such library; a Measure names its own"}},
		{errNoJob, problem{status: http.StatusNotFound, code: cpb.IssueTypeCode_NOT_FOUND,
			text: "there is no such job of this client, or no longer"}},
		{errJobLost, problem{status: http.StatusInternalServerError, code: cpb.IssueTypeCode_INCOMPLETE,
			text: "the server that worked on this has gone; ask again"}},
		{errMoved, problem{status: http.StatusServiceUnavailable, code: cpb.IssueTypeCode_TRANSIENT,
			retryAfter: 60, text: "the data were replaced while the answer was made; ask again"}},
		{errStopped, problem{status: http.StatusServiceUnavailable, code: cpb.IssueTypeCode_TRANSIENT,
			retryAfter: 60, text: "the server was stopped while it worked on this; ask again"}},
		{measure.ErrUnknownFilter, problem{status: http.StatusBadRequest,
			code: cpb.IssueTypeCode_CODE_INVALID, expression: "filter",
			text: "a filter names nothing that units can be filtered by, or a value that it cannot have"}},
		{measure.ErrOverlapping, problem{status: http.StatusBadRequest,
			code: cpb.IssueTypeCode_BUSINESS_RULE, expression: "stratifier",
			text: "the strata that are asked for overlap, so that the answer would be wrong"}},
		{measure.ErrNotImported, problem{status: http.StatusNotFound,
			code: cpb.IssueTypeCode_NOT_FOUND, expression: "periodStart",
			text: "this measure was imported, and not for this period"}},
		{errCrossSite, problem{status: http.StatusForbidden, code: cpb.IssueTypeCode_FORBIDDEN,
			text: "this was sent by a page of somebody else's; open our own page and try again"}},
		{trail.ErrNoEvent, problem{status: http.StatusNotFound, code: cpb.IssueTypeCode_NOT_FOUND,
			text: "there is no such event in the audit trail"}},
		{trail.ErrCursor, problem{status: http.StatusBadRequest, code: cpb.IssueTypeCode_VALUE,
			expression: cursorParameter,
			text:       "the cursor is none; take it from the link to the next page"}},
		{ErrNobody, problem{status: http.StatusNotFound, code: cpb.IssueTypeCode_NOT_FOUND,
			text: "no EHR or provider has the name before the bar; write <its name>|<sub>, or the id of " +
				"a program"}},
		{ErrRunning, problem{status: http.StatusConflict, code: cpb.IssueTypeCode_CONFLICT,
			text: "a sync is running already; GET /sync says how far it is"}},
		{gap.ErrNoReference, problem{status: http.StatusBadRequest,
			code: cpb.IssueTypeCode_CODE_INVALID, expression: "reference",
			text: "no stratum of that code can be the reference: none has it and enough people"}},
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
	if p.need != "" {
		challenge(w, p.need, ErrScope)
	}
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if !isFHIR(r.URL.Path) {
		http.Error(w, p.text, p.status)
		return
	}
	s.send(w, r, p.status, p.outcome())
}

func badRequest(code cpb.IssueTypeCode_Value, parameter, text string) error {
	return &problem{status: http.StatusBadRequest, code: code, text: text, expression: parameter}
}

func needsMatch() error {
	return &problem{status: http.StatusPreconditionRequired, code: cpb.IssueTypeCode_REQUIRED,
		text: "a change needs the header If-Match with the ETag of what it rests upon"}
}

func noSuchTag() error {
	return &problem{status: http.StatusPreconditionFailed, code: cpb.IssueTypeCode_CONFLICT,
		text: `the header If-Match names no version; it is the ETag of a read: W/"3"`}
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
		"reportType must be population, subject or subject-list; "+
			"summary and individual are other words for the first two")
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
		"a stratifier is the name of a dimension, or two or three names joined by *")
}

func notSupported(parameter, text string) error {
	return &problem{status: http.StatusNotImplemented, code: cpb.IssueTypeCode_NOT_SUPPORTED,
		text: text, expression: parameter}
}

// notConfigured says what this server does not do, because its operator has not given it the means.
func notConfigured(text string) error { return notSupported("", text) }

func noReleases() error {
	return notConfigured("no figures are released here: the scope " + scope.Unsuppressed +
		" is needed, and the audience internal")
}

func tooSmall(need string) error {
	return &problem{status: http.StatusForbidden, code: cpb.IssueTypeCode_FORBIDDEN, need: need,
		text: "the access token does not cover the scope " + need}
}

func unknownAudience() error {
	return badRequest(cpb.IssueTypeCode_CODE_INVALID, "audience",
		"audience must be internal, regulator or public")
}

func patientsAreInternal() error {
	return badRequest(cpb.IssueTypeCode_CONFLICT, "audience",
		"a report that names patients is for the audience internal alone")
}

func unknownPolicy() error {
	return badRequest(cpb.IssueTypeCode_CODE_INVALID, "racePolicy",
		"racePolicy must be omb1997_exclusive, ncqa_separate, alone_or_in_combination or spd15_2024")
}

func malformedFilter() error {
	return badRequest(cpb.IssueTypeCode_VALUE, "filter",
		"a filter is what is filtered by, a colon, and a code or ~ and a state: race:2106-3")
}

func noPayer() error {
	return badRequest(cpb.IssueTypeCode_NOT_SUPPORTED, "filter",
		"there is no filter by payer: no resource that is synced says who pays")
}

func malformedReference(parameter, form string) error {
	return badRequest(cpb.IssueTypeCode_VALUE, parameter,
		"the parameter "+parameter+" must be a reference to a resource here: "+form)
}

func malformedDateTime(parameter string) error {
	return badRequest(cpb.IssueTypeCode_VALUE, parameter,
		"the parameter "+parameter+" must be a date or a dateTime")
}

func malformedSearchDate(parameter string) error {
	return badRequest(cpb.IssueTypeCode_VALUE, parameter, "the parameter "+parameter+
		" must be a date or a dateTime after one of eq, ne, gt, ge, lt, le, sa, eb, ap, or none")
}

func onlyOfPatients(parameter string) error {
	return badRequest(cpb.IssueTypeCode_BUSINESS_RULE, parameter,
		"the parameter "+parameter+" is for reports of subjects alone")
}

func twoSubjects() error {
	return badRequest(cpb.IssueTypeCode_CONFLICT, "subject",
		"a question is about one subject or about one subjectGroup")
}

func groupIsNoSubject() error {
	return badRequest(cpb.IssueTypeCode_BUSINESS_RULE, "reportType",
		"a report of one subject is of a Patient; $evaluate answers with one for each member of a Group")
}

// tooMany says that a client shall come again later.
func tooMany(text string) error {
	return &problem{status: http.StatusTooManyRequests, code: cpb.IssueTypeCode_THROTTLED, text: text,
		retryAfter: 60}
}

// tooOften says when somebody may ask again.
func tooOften(wait time.Duration) error {
	return &problem{status: http.StatusTooManyRequests, code: cpb.IssueTypeCode_THROTTLED,
		text:       "too many requests; Retry-After says in how many seconds to ask again",
		retryAfter: max(1, int(math.Ceil(wait.Seconds())))}
}

func noSyncer() error { return notConfigured("nothing is pulled from an EHR here") }

func malformedForm() error {
	return badRequest(cpb.IssueTypeCode_INVALID, "",
		"the body must be a form with one parameter: subject, a person, or client, a program")
}

func tooLong() error {
	return tooCostly("periodEnd",
		"a period may be at most "+strconv.Itoa(maxYears)+" years long")
}

func tooManyJobs() error { return tooMany("too many requests wait for an answer here") }

func tooManyJobsOfClient() error {
	return tooMany("this client has too many jobs; delete those whose answers it has")
}

func tooCostly(parameter, text string) error {
	return &problem{status: http.StatusUnprocessableEntity, code: cpb.IssueTypeCode_TOO_COSTLY,
		text: text, expression: parameter}
}

func tooManyStratifiers() error {
	return tooCostly("stratifier",
		"at most "+strconv.Itoa(maxStratifiers)+" stratifiers may be asked for")
}

func tooManyCrossed() error {
	return tooCostly("stratifier", "at most three dimensions may be crossed")
}

func tooManyFilters() error {
	return tooCostly("filter", "at most "+strconv.Itoa(maxFilters)+" filters may be given")
}

func tooManyMeasures() error {
	return tooCostly("measureUrl", "at most "+strconv.Itoa(maxMeasures)+" measures may be asked for")
}

func tooManyEntries() error {
	return tooCostly("Bundle.entry", "a batch may have at most "+strconv.Itoa(maxBatch)+" entries")
}

func tooManySubjects(limit int) error {
	return tooCostly("subject",
		"the answer would name more than "+strconv.Itoa(limit)+" patients; ask for fewer")
}

func tooLarge() error {
	return tooCostly("", "the answer is too long to be kept; ask for less")
}

func unknownSearch(resource, name string) error {
	text := "there is a search parameter that " + resource + " does not have"
	if parameterName.MatchString(name) {
		text = resource + " cannot be searched by " + name
	}
	return badRequest(cpb.IssueTypeCode_NOT_SUPPORTED, "", text)
}
