package server

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gorilla/mux"
	"github.com/klauspost/compress/gzhttp"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/fhir/audit"
)

// Route is one row of the table of everything that is served. One of Scope, Session and Public says
// who is answered.
type Route struct {
	Method string
	// Path is the template that the router, the log and the metrics know.
	Path string
	// Scope is what a token must cover.
	Scope string
	// Session says how the session of a browser decides.
	Session string
	// Public is the reason why anyone may ask.
	Public string

	handler http.Handler
	// body bounds the body of a request in bytes; 0 means Config.MaxBody.
	body int64
	// does is what the audit trail calls it; empty where the handler sees to that.
	does audit.Interaction
	// limit bounds how often one address may ask; nil is without bound.
	limit *limiter
	// browser says that the handler looks at cookies: what changes something is taken from our own
	// pages alone.
	browser bool
}

// What the routes of the API do, for the audit trail.
const (
	reads    = audit.Read
	searches = audit.Search
	operates = audit.Operation
)

// fhirBase is where the FHIR API begins; errors below it are OperationOutcomes.
const fhirBase = "/fhir"

// resourceID matches a FHIR id in a route.
const resourceID = `{id:[A-Za-z0-9\-.]{1,64}}`

const (
	scopeMeasure = "system/Measure.rs"
	scopeLibrary = "system/Library.rs"
	scopeReport  = "system/MeasureReport.rs"
	scopeTrail   = "system/AuditEvent.rs"
)

// Routes is the table. A GET is answered to a HEAD too. A request may need further scopes than that
// of its route, for what it asks; demand says so then.
func (s *Server) Routes() []Route {
	return slices.Concat(s.plainRoutes(), s.oauthRoutes(), s.measureRoutes(), s.reportRoutes(),
		s.trailRoutes(), s.resourceRoutes(), s.adminRoutes(), s.pageRoutes())
}

// plainRoutes are those that need no token and are no part of OAuth.
func (s *Server) plainRoutes() []Route {
	public := func(path, why string, handler http.Handler) Route {
		return Route{Method: http.MethodGet, Path: path, Public: why, handler: handler}
	}
	return []Route{
		public("/healthz", "a probe has no token, and hears no more than that the process runs",
			http.HandlerFunc(s.health)),
		public("/readyz", "a probe has no token, and hears only which data and how old",
			http.HandlerFunc(s.ready)),
		public("/metrics", "a scraper has no token; the metrics hold no person and no figure",
			promhttp.HandlerFor(s.cfg.Registry, promhttp.HandlerOpts{})),
		public("/fhir/metadata", "FHIR wants it readable by anyone",
			forEveryOrigin(s.fhir(s.capability))),
	}
}

// measureRoutes are about measures, and what is asked of them.
func (s *Server) measureRoutes() []Route {
	get, post := http.MethodGet, http.MethodPost
	evaluate, several := s.operation(s.evaluate), s.operation(s.evaluateSeveral)
	const one, all = "/$evaluate-measure", "/fhir/Measure/$evaluate"
	return []Route{
		scoped(get, "/fhir/Measure", scopeMeasure, searches, s.fhir(s.searchMeasures)),
		scoped(get, "/fhir/Measure/"+resourceID, scopeMeasure, reads, s.fhir(s.readMeasure)),
		scoped(get, "/fhir/Library", scopeLibrary, searches, s.fhir(s.searchLibraries)),
		scoped(get, "/fhir/Library/"+resourceID, scopeLibrary, reads, s.fhir(s.readLibrary)),
		scoped(get, "/fhir/Measure"+one, scopeReport, operates, evaluate),
		scoped(post, "/fhir/Measure"+one, scopeReport, operates, evaluate),
		scoped(get, "/fhir/Measure/"+resourceID+one, scopeReport, operates, evaluate),
		scoped(post, "/fhir/Measure/"+resourceID+one, scopeReport, operates, evaluate),
		scoped(get, all, scopeReport, operates, several),
		scoped(post, all, scopeReport, operates, several),
	}
}

// reportRoutes are about reports, and about requests that are answered later or together.
func (s *Server) reportRoutes() []Route {
	get, post, del := http.MethodGet, http.MethodPost, http.MethodDelete
	imports := scoped(post, "/fhir/MeasureReport/$import", scope.Import, operates,
		http.HandlerFunc(s.imports))
	imports.body = s.cfg.MaxImport
	const job = "/fhir/$job/" + resourceID
	return []Route{
		scoped(get, "/fhir/MeasureReport", scopeReport, searches, s.fhir(s.searchReports)),
		scoped(get, "/fhir/MeasureReport/"+resourceID, scopeReport, reads,
			http.HandlerFunc(s.readReport)),
		imports,
		scoped(get, job, scopeReport, reads, http.HandlerFunc(s.jobStatus)),
		scoped(del, job, scopeReport, audit.Delete, http.HandlerFunc(s.cancelJob)),
		scoped(post, fhirBase, scopeReport, audit.Batch, s.fhir(s.batch)),
	}
}

func scoped(method, path, need string, does audit.Interaction, handler http.Handler) Route {
	return Route{Method: method, Path: path, Scope: need, does: does, handler: handler}
}

var scopeForm = regexp.MustCompile(`^system/[A-Z][A-Za-z]*\.(c?r?u?d?s?)$`)

// check refuses a row that nobody decided about.
func (r Route) check() error {
	decided := 0
	for _, text := range []string{r.Scope, r.Session, r.Public} {
		if text != "" {
			decided++
		}
	}
	switch {
	case r.handler == nil:
		return errors.New("it has no handler")
	case r.Method == "" || !strings.HasPrefix(r.Path, "/"):
		return errors.New("it has no method, or its path does not begin with a slash")
	case decided == 0:
		return errors.New("it has neither a scope nor a session nor a reason to be public")
	case decided > 1:
		return errors.New("it has more than one of a scope, a session and a reason to be public")
	case r.Session != "" && isFHIR(r.Path):
		return errors.New("it is part of the API, where a session decides nothing")
	case r.Scope != "" && !scopeForm.MatchString(r.Scope) && !slices.Contains(scope.Own(), r.Scope):
		return fmt.Errorf("%q is neither a system scope nor one of ours", r.Scope)
	}
	return nil
}

// router builds the router of a table: for each path its methods, and 405 for any other method.
func (s *Server) router(table []Route) (http.Handler, error) {
	router := mux.NewRouter().SkipClean(true).UseEncodedPath()
	router.NotFoundHandler = s.notFound()
	allowed, seen := map[string][]string{}, map[string]bool{}
	for _, route := range table {
		if err := route.check(); err != nil {
			return nil, fmt.Errorf("route %s %s: %w", route.Method, route.Path, err)
		}
		methods := []string{route.Method}
		if seen[route.Method+" "+route.Path] {
			return nil, fmt.Errorf("route %s %s: it is there twice", route.Method, route.Path)
		}
		seen[route.Method+" "+route.Path] = true
		if route.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		allowed[route.Path] = append(allowed[route.Path], methods...)
		router.Path(route.Path).Methods(methods...).Handler(s.guarded(route))
	}
	for path, methods := range allowed {
		slices.Sort(methods)
		router.Path(path).Handler(s.notAllowed(path, strings.Join(methods, ", ")))
	}
	return router, nil
}

// guarded wraps the handler of a route with what every request to it passes.
func (s *Server) guarded(route Route) http.Handler {
	handler := http.MaxBytesHandler(route.handler, cmp.Or(route.body, s.cfg.MaxBody))
	if isFHIR(route.Path) && route.Scope != "" {
		// Only what needs a token is large; a token itself is never compressed.
		handler = gzhttp.GzipHandler(handler)
	}
	if route.Scope != "" {
		handler = s.authorized(route, s.recorded(route, handler))
	}
	if isFHIR(route.Path) {
		handler = s.negotiated(handler)
	}
	if route.browser {
		handler = s.ownOrigin(handler)
	}
	if route.Scope == "" {
		handler = withPathValues(handler)
	}
	return named(route.Path, s.limitedBy(route.limit, handler))
}

// withPathValues makes what stands in the path known to a handler that does not know the router.
func withPathValues(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range mux.Vars(r) {
			r.SetPathValue(name, value)
		}
		next.ServeHTTP(w, r)
	})
}

func isFHIR(path string) bool { return path == fhirBase || strings.HasPrefix(path, fhirBase+"/") }

// notFound is the one answer to every path that is not served.
func (s *Server) notFound() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, errNoRoute)
	})
}

func (s *Server) notAllowed(path, methods string) http.Handler {
	return named(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", methods)
		s.fail(w, r, errMethod)
	}))
}
