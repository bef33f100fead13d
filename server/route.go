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
)

// Route is one row of the table of everything that is served.
type Route struct {
	Method string
	// Path is the template that the router, the log and the metrics know.
	Path string
	// Scope is what a token must cover. It or Public is set, not both.
	Scope string
	// Public is the reason why anyone may ask.
	Public string

	handler http.Handler
	// body bounds the body of a request in bytes; 0 means Config.MaxBody.
	body int64
}

// fhirBase is where the FHIR API begins; errors below it are OperationOutcomes.
const fhirBase = "/fhir"

// resourceID matches a FHIR id in a route.
const resourceID = `{id:[A-Za-z0-9\-.]{1,64}}`

const (
	scopeMeasure = "system/Measure.rs"
	scopeLibrary = "system/Library.rs"
	scopeReport  = "system/MeasureReport.rs"
)

// Routes is the table. A GET is answered to a HEAD too. A request may need further scopes than that
// of its route, for what it asks; demand says so then.
func (s *Server) Routes() []Route {
	return slices.Concat(s.plainRoutes(), s.measureRoutes(), s.reportRoutes())
}

// plainRoutes are those that need no token.
func (s *Server) plainRoutes() []Route {
	get, post := http.MethodGet, http.MethodPost
	public := func(method, path, why string, handler http.Handler) Route {
		return Route{Method: method, Path: path, Public: why, handler: handler}
	}
	return []Route{
		public(get, "/healthz", "a probe has no token, and hears no more than that the process runs",
			http.HandlerFunc(s.health)),
		public(get, "/readyz", "a probe has no token, and hears only which data and how old",
			http.HandlerFunc(s.ready)),
		public(get, "/metrics", "a scraper has no token; the metrics hold no person and no figure",
			promhttp.HandlerFor(s.cfg.Registry, promhttp.HandlerOpts{})),
		public(get, "/.well-known/jwks.json", "the public keys of our tokens", s.cfg.OAuth.Keys),
		public(post, "/oauth/token", "it is here that a client proves who it is", s.cfg.OAuth.Token),
		public(get, "/fhir/.well-known/smart-configuration", "read before there is a token",
			s.cfg.OAuth.SMART),
		public(get, "/fhir/metadata", "FHIR wants it readable by anyone", s.fhir(s.capability)),
	}
}

// measureRoutes are about measures, and what is asked of them.
func (s *Server) measureRoutes() []Route {
	get, post := http.MethodGet, http.MethodPost
	evaluate, several := s.operation(s.evaluate), s.operation(s.evaluateSeveral)
	const one, all = "/$evaluate-measure", "/fhir/Measure/$evaluate"
	return []Route{
		scoped(get, "/fhir/Measure", scopeMeasure, s.fhir(s.searchMeasures)),
		scoped(get, "/fhir/Measure/"+resourceID, scopeMeasure, s.fhir(s.readMeasure)),
		scoped(get, "/fhir/Library", scopeLibrary, s.fhir(s.searchLibraries)),
		scoped(get, "/fhir/Library/"+resourceID, scopeLibrary, s.fhir(s.readLibrary)),
		scoped(get, "/fhir/Measure"+one, scopeReport, evaluate),
		scoped(post, "/fhir/Measure"+one, scopeReport, evaluate),
		scoped(get, "/fhir/Measure/"+resourceID+one, scopeReport, evaluate),
		scoped(post, "/fhir/Measure/"+resourceID+one, scopeReport, evaluate),
		scoped(get, all, scopeReport, several),
		scoped(post, all, scopeReport, several),
	}
}

// reportRoutes are about reports, and about requests that are answered later or together.
func (s *Server) reportRoutes() []Route {
	get, post, del := http.MethodGet, http.MethodPost, http.MethodDelete
	imports := scoped(post, "/fhir/MeasureReport/$import", scope.Import, http.HandlerFunc(s.imports))
	imports.body = s.cfg.MaxImport
	const job = "/fhir/$job/" + resourceID
	return []Route{
		scoped(get, "/fhir/MeasureReport", scopeReport, s.fhir(s.searchReports)),
		scoped(get, "/fhir/MeasureReport/"+resourceID, scopeReport, http.HandlerFunc(s.readReport)),
		imports,
		scoped(get, job, scopeReport, http.HandlerFunc(s.jobStatus)),
		scoped(del, job, scopeReport, http.HandlerFunc(s.cancelJob)),
		scoped(post, fhirBase, scopeReport, s.fhir(s.batch)),
	}
}

func scoped(method, path, need string, handler http.Handler) Route {
	return Route{Method: method, Path: path, Scope: need, handler: handler}
}

var scopeForm = regexp.MustCompile(`^system/[A-Z][A-Za-z]*\.(c?r?u?d?s?)$`)

// check refuses a row that nobody decided about.
func (r Route) check() error {
	switch {
	case r.handler == nil:
		return errors.New("it has no handler")
	case r.Scope == "" && r.Public == "":
		return errors.New("it has neither a scope nor a reason to be public")
	case r.Scope != "" && r.Public != "":
		return errors.New("it has a scope and a reason to be public")
	case r.Scope != "" && !scopeForm.MatchString(r.Scope) && !slices.Contains(scope.Own(), r.Scope):
		return fmt.Errorf("%q is neither a system scope nor one of ours", r.Scope)
	}
	return nil
}

// router builds the router of a table: for each path its methods, and 405 for any other method.
func (s *Server) router(table []Route) (http.Handler, error) {
	router := mux.NewRouter().SkipClean(true).UseEncodedPath()
	router.NotFoundHandler = s.notFound()
	allowed := map[string][]string{}
	for _, route := range table {
		if err := route.check(); err != nil {
			return nil, fmt.Errorf("route %s %s: %w", route.Method, route.Path, err)
		}
		methods := []string{route.Method}
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
		handler = s.authorized(route.Scope, handler)
	}
	if isFHIR(route.Path) {
		handler = s.negotiated(handler)
	}
	return named(route.Path, handler)
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
