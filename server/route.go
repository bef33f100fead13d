package server

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gorilla/mux"
	"github.com/klauspost/compress/gzhttp"
	"github.com/prometheus/client_golang/prometheus/promhttp"
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
}

// fhirBase is where the FHIR API begins; errors below it are OperationOutcomes.
const fhirBase = "/fhir"

// measureID matches a FHIR id in a route.
const measureID = `{id:[A-Za-z0-9\-.]{1,64}}`

const (
	scopeMeasure = "system/Measure.rs"
	scopeReport  = "system/MeasureReport.rs"
)

// Routes is the table. A GET is answered to a HEAD too.
func (s *Server) Routes() []Route {
	get, post := http.MethodGet, http.MethodPost
	return []Route{
		{get, "/healthz", "", "a probe has no token, and hears no more than that the process runs",
			http.HandlerFunc(s.health)},
		{get, "/readyz", "", "a probe has no token, and hears only which data and how old",
			http.HandlerFunc(s.ready)},
		{get, "/metrics", "", "a scraper has no token; the metrics hold no person and no figure",
			promhttp.HandlerFor(s.cfg.Registry, promhttp.HandlerOpts{})},
		{get, "/.well-known/jwks.json", "", "the public keys of our tokens", s.cfg.OAuth.Keys},
		{post, "/oauth/token", "", "it is here that a client proves who it is", s.cfg.OAuth.Token},
		{get, "/fhir/.well-known/smart-configuration", "", "read before there is a token",
			s.cfg.OAuth.SMART},
		{get, "/fhir/metadata", "", "FHIR wants it readable by anyone",
			s.fhir(s.capability)},

		{get, "/fhir/Measure", scopeMeasure, "", s.fhir(s.searchMeasures)},
		{get, "/fhir/Measure/" + measureID, scopeMeasure, "", s.fhir(s.readMeasure)},
		{get, "/fhir/Measure/$evaluate-measure", scopeReport, "", s.fhir(s.evaluate)},
		{post, "/fhir/Measure/$evaluate-measure", scopeReport, "", s.fhir(s.evaluate)},
		{get, "/fhir/Measure/" + measureID + "/$evaluate-measure", scopeReport, "", s.fhir(s.evaluate)},
		{post, "/fhir/Measure/" + measureID + "/$evaluate-measure", scopeReport, "", s.fhir(s.evaluate)},
	}
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
	case r.Scope != "" && !scopeForm.MatchString(r.Scope):
		return fmt.Errorf("%q is not a system scope", r.Scope)
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
	handler := http.MaxBytesHandler(route.handler, s.cfg.MaxBody)
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
