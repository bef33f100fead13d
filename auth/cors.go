package auth

import "net/http"

// crossOrigin lets public clients in a browser read the answers of an endpoint: from the origins
// of their redirect addresses and from no other. No endpoint that is called so looks at a cookie.
// It answers the preflight itself.
func (s *Server) crossOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		known := s.origins[origin]
		if known {
			h.Set("Access-Control-Allow-Origin", origin)
		}
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		if known {
			h.Set("Access-Control-Allow-Methods", http.MethodPost)
			h.Set("Access-Control-Allow-Headers", "Content-Type")
			h.Set("Access-Control-Max-Age", "600")
		}
		h.Set("Allow", "OPTIONS, POST")
		w.WriteHeader(http.StatusNoContent)
	})
}
