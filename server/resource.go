package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"

	"github.com/equitylens/equitylens/fhir/audit"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/internal/phi"
)

// Resource is a route of the API that somebody else answers. It passes what every other route of
// the API passes: the token and its scope, the bounds, the audit trail; below /fhir the media types
// too.
type Resource struct {
	Method string
	// Path is a template of the router, "/fhir/AdverseEvent/{id}", where {id} is a FHIR id. The
	// handler reads what stands in it by PathValue.
	Path string
	// Scope is what a token must cover; Public is the reason why anyone is answered. One of them is
	// set.
	Scope  string
	Public string
	// Does is what the audit trail calls it. It must be set where there is a Scope.
	Does audit.Interaction
	// Handler answers; a Responder where the answer is a resource.
	Handler http.Handler
	// Body bounds the body of a request in bytes; 0 means Config.MaxBody.
	Body int64

	// Type is the resource type under which the CapabilityStatement lists the route, if it does. Of a
	// type it takes the Documentation and the Search of whichever route has them.
	Type          string
	Documentation string
	// Search are the parameters of a search.
	Search []SearchParameter
}

// Interactions that the routes of the package itself have not.
const (
	Update  = audit.Update
	History = audit.History
)

// SearchParameter is a parameter of a search, for the CapabilityStatement.
type SearchParameter struct {
	Name string
	// Definition is the id of the SearchParameter of R4, "AdverseEvent-date"; empty for one of ours.
	Definition string
	// Kind is token, date, reference, uri, string, number or quantity.
	Kind string
}

// Answer is what a Responder says.
type Answer struct {
	// Resource is one of the R4 protos; nil sends no body.
	Resource proto.Message
	// Status is 200 if it is not set.
	Status int
	// Version becomes the ETag W/"n" where Versioned says that there is one.
	Version   int
	Versioned bool
	// Modified becomes Last-Modified, unless it is zero.
	Modified time.Time
	// Location becomes the header of that name, unless it is empty.
	Location string
}

// Responder answers a request with a resource or says why not: an error of Refuse and its kin is
// told to the caller, any other becomes what the table of errors says, and is logged if it is ours.
type Responder func(r *http.Request) (Answer, error)

// ServeHTTP implements http.Handler.
func (f Responder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var plain *Server // What it does here needs nothing of a Server.
	answer, err := f(r)
	if err != nil {
		plain.fail(w, r, err)
		return
	}
	h := w.Header()
	if answer.Versioned {
		h.Set("ETag", `W/"`+strconv.Itoa(answer.Version)+`"`)
	}
	if !answer.Modified.IsZero() {
		h.Set("Last-Modified", answer.Modified.UTC().Format(http.TimeFormat))
	}
	if answer.Location != "" {
		h.Set("Location", answer.Location)
	}
	status := answer.Status
	if status == 0 {
		status = http.StatusOK
	}
	if answer.Resource == nil {
		w.WriteHeader(status)
		return
	}
	plain.send(w, r, status, answer.Resource)
}

// Fail answers with the problem of err, as a Responder does, for a handler that writes by itself.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	var plain *Server
	plain.fail(w, r, err)
}

// Refusal is what a caller is told. It goes out as it stands: it repeats nothing of a request but
// names, and holds no identifier of a person.
type Refusal struct {
	// Status is that of HTTP; 400 if it is not set.
	Status int
	// Expression is the path of the element, or the name of the parameter, that is at fault.
	Expression string
	Text       string
	// More are further elements that are at fault, for the same status.
	More []Refusal
}

// Refuse makes the error that tells a caller so.
func Refuse(r Refusal) error {
	codes := map[int]cpb.IssueTypeCode_Value{
		http.StatusBadRequest:           cpb.IssueTypeCode_VALUE,
		http.StatusForbidden:            cpb.IssueTypeCode_FORBIDDEN,
		http.StatusNotFound:             cpb.IssueTypeCode_NOT_FOUND,
		http.StatusConflict:             cpb.IssueTypeCode_CONFLICT,
		http.StatusGone:                 cpb.IssueTypeCode_DELETED,
		http.StatusPreconditionFailed:   cpb.IssueTypeCode_CONFLICT,
		http.StatusPreconditionRequired: cpb.IssueTypeCode_REQUIRED,
		http.StatusUnprocessableEntity:  cpb.IssueTypeCode_BUSINESS_RULE,
		http.StatusNotImplemented:       cpb.IssueTypeCode_NOT_SUPPORTED,
		http.StatusServiceUnavailable:   cpb.IssueTypeCode_TRANSIENT,
	}
	p := &problem{status: r.Status, text: r.Text, expression: r.Expression}
	if p.status == 0 {
		p.status = http.StatusBadRequest
	}
	p.code = codes[p.status]
	for _, one := range r.More {
		p.more = append(p.more, r4.Issue{Code: p.code, Text: one.Text, Expression: one.Expression})
	}
	if p.status == http.StatusServiceUnavailable {
		p.retryAfter = 60
	}
	return p
}

// Caller is whom the token of a request was given to; of a public route nobody, who covers nothing.
func Caller(ctx context.Context) Principal { return principalOf(ctx) }

// Demand refuses a caller whose token does not cover a scope that the request turned out to need
// beside that of its route.
func Demand(ctx context.Context, need string) error { return demand(principalOf(ctx), need) }

// About says whom the answer to a request names, for the audit trail, and nobody else. It must be
// called before the answer begins.
func About(r *http.Request, patients ...phi.ID) { about(r, patients...) }

// IfMatch reads the version that a change rests upon: W/"3" is 3. Without one the change is
// refused, for it might undo what somebody else has done in the meantime.
func IfMatch(r *http.Request) (version int, err error) {
	values := r.Header.Values("If-Match")
	if len(values) == 0 {
		return 0, needsMatch()
	}
	text, weak := strings.CutPrefix(values[0], "W/")
	inner := strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`)
	version, err = strconv.Atoi(inner)
	if err != nil || version < 0 || len(values) > 1 || !weak && text == inner ||
		text != `"`+inner+`"` || inner != strconv.Itoa(version) {
		return 0, noSuchTag()
	}
	return version, nil
}

// Body reads the body of a request, which must be FHIR in JSON.
func Body(r *http.Request) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || (kind != "application/fhir+json" && kind != "application/json") {
		return nil, errMedia
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read a resource: %w", err)
	}
	return text, nil
}

// resourceRoutes are the rows of Config.Resources.
func (s *Server) resourceRoutes() []Route {
	var all []Route
	for _, one := range s.cfg.Resources {
		route := Route{
			Method: one.Method, Path: strings.ReplaceAll(one.Path, "{id}", resourceID),
			Scope: one.Scope, Public: one.Public, does: one.Does, body: one.Body,
		}
		if one.Handler != nil {
			route.handler = withPathValues(one.Handler)
		}
		if one.Scope == "" {
			route.limit = s.limits.addresses
		}
		all = append(all, route)
	}
	return all
}

// checkResources refuses what the table of routes alone would let through.
func (c Config) checkResources() error {
	var faults []error
	for _, one := range c.Resources {
		if one.Scope != "" && one.Does == "" {
			faults = append(faults, fmt.Errorf("route %s %s: the audit trail has no word for it",
				one.Method, one.Path))
		}
		if _, known := resourceType(one.Type); one.Type != "" && !known {
			faults = append(faults, fmt.Errorf("route %s %s: %q is no resource type",
				one.Method, one.Path, one.Type))
		}
		for _, p := range one.Search {
			if _, known := searchKind(p.Kind); !known {
				faults = append(faults, fmt.Errorf("route %s %s: the parameter %s has no kind",
					one.Method, one.Path, p.Name))
			}
		}
	}
	return errors.Join(faults...)
}
