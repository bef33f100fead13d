package server

import (
	"net/http"
	"strings"
)

// Page is a route that somebody else answers: what a person sees in a browser.
type Page struct {
	Method string
	// Path is a template of the router. The handler reads what stands in it by PathValue.
	Path    string
	Handler http.Handler
	// Session says how the session of a browser decides who is answered; Public is the reason why
	// anyone is. One of them is set. A request that changes something is taken from our own pages
	// alone, either way.
	Session string
	Public  string
	// Body bounds the body of a request in bytes; 0 means Config.MaxBody.
	Body int64
}

// CDS holds the handlers of the CDS Hooks service: all of them or none. They answer in JSON, and
// prove by the JWT of the EHR who calls.
type CDS struct{ Discovery, Service, Feedback http.Handler }

// pageRoutes are the pages of Config.Pages, and the CDS service.
func (s *Server) pageRoutes() []Route {
	var all []Route
	for _, page := range s.cfg.Pages {
		route := Route{
			Method: page.Method, Path: page.Path, Session: page.Session, Public: page.Public,
			handler: page.Handler, body: page.Body, browser: true,
		}
		switch {
		case comesIn(page.Path):
			route.limit = s.limits.addresses
		case page.Session != "":
			route.limit = s.limits.pages
		}
		all = append(all, route)
	}
	if s.cfg.CDS == (CDS{}) {
		return all
	}
	const why, preflight = "the EHR proves who it is by a JWT of its own, which the service checks",
		"a browser asks whether it may call"
	service := "/cds-services/" + resourceID
	hook := func(method, path, why string, handler http.Handler) Route {
		return Route{
			Method: method, Path: path, Public: why, handler: handler, limit: s.limits.hooks,
		}
	}
	return append(all,
		hook(http.MethodGet, "/cds-services", "CDS Hooks wants it readable by anyone",
			s.cfg.CDS.Discovery),
		hook(http.MethodOptions, "/cds-services", preflight, s.cfg.CDS.Discovery),
		hook(http.MethodPost, service, why, s.cfg.CDS.Service),
		hook(http.MethodOptions, service, preflight, s.cfg.CDS.Service),
		hook(http.MethodPost, service+"/feedback", why, s.cfg.CDS.Feedback),
		hook(http.MethodOptions, service+"/feedback", preflight, s.cfg.CDS.Feedback),
	)
}

// comesIn reports whether people come in by a path, before anybody knows who they are: each time it
// costs us requests to an EHR.
func comesIn(path string) bool {
	for _, door := range []string{"/launch", "/signin", "/callback"} {
		if path == door || strings.HasPrefix(path, door+"/") {
			return true
		}
	}
	return false
}

// oauthRoutes are those of the authorization server. What it has no handler for is not there.
func (s *Server) oauthRoutes() []Route {
	get, post, options := http.MethodGet, http.MethodPost, http.MethodOptions
	o := s.cfg.OAuth
	var all []Route
	door := func(path string, handler http.Handler, why string, methods ...string) {
		for _, method := range methods {
			if handler != nil {
				all = append(all, Route{
					Method: method, Path: path, Public: why, handler: handler, limit: s.limits.addresses,
				})
			}
		}
	}
	discovery := func(path string, handler http.Handler, why string) {
		if handler != nil {
			all = append(all, Route{
				Method: get, Path: path, Public: why, handler: forEveryOrigin(handler),
			})
		}
	}
	discovery("/.well-known/jwks.json", o.Keys, "the public keys of our tokens")
	discovery("/.well-known/oauth-authorization-server", o.Metadata, "read before there is a token")
	discovery("/.well-known/openid-configuration", o.OpenID, "read before there is a token")
	discovery("/fhir/.well-known/smart-configuration", o.SMART, "read before there is a token")
	if o.Authorize != nil {
		o.Authorize = s.withoutCookies(o.Authorize)
	}
	door("/oauth/authorize", o.Authorize, "it is here that a person is asked who they are", get, post)
	door("/oauth/token", o.Token, "it is here that a client proves who it is", post, options)
	door("/oauth/par", o.PAR, "it is here that a client says what it will ask for", post, options)
	door("/oauth/introspect", o.Introspect, "the endpoint demands a client or a token itself",
		post, options)
	door("/oauth/revoke", o.Revoke, "the endpoint demands a client itself", post, options)
	return all
}
