package server

import (
	"net/http"
	"slices"
)

// crossOrigin lets programs in a browser that come from the origins of the configuration call the
// API. They send a token by themselves, and no cookie means anything there, so that nothing is
// given to a page that it could not ask for without the browser.
func (s *Server) crossOrigin(next http.Handler) http.Handler {
	if len(s.cfg.Origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isFHIR(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if !slices.Contains(s.cfg.Origins, origin) {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers",
			"Content-Location, ETag, Last-Modified, Location, Retry-After, WWW-Authenticate, X-Progress, "+
				"X-Request-Id")
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			next.ServeHTTP(w, r)
			return
		}
		eventOf(r).route = "preflight"
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE")
		h.Set("Access-Control-Allow-Headers",
			"Accept, Authorization, Content-Type, If-Match, If-None-Match, Prefer")
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	})
}

// forEveryOrigin lets any page read what anybody may read.
func forEveryOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		next.ServeHTTP(w, r)
	})
}

// ownOrigin refuses a request that changes something and that a page of somebody else's made a
// browser send (CSRF). A request of no browser, which has no cookies to misuse, is let through.
func (s *Server) ownOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.crossSite.Check(r) != nil {
			s.fail(w, r, errCrossSite)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// withoutCookies takes the cookies from a request that changes something and comes from somebody
// else's page. It is for the authorization endpoint, which SMART lets an app send a form to: such a
// form can begin to ask, and can answer nothing in the name of who sits at the browser.
func (s *Server) withoutCookies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.crossSite.Check(r) != nil {
			r = r.Clone(r.Context())
			r.Header.Del("Cookie")
		}
		next.ServeHTTP(w, r)
	})
}
