package keys

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// document is the public JWKS with key_ops, which says on each key that it only verifies.
func document(set jose.JSONWebKeySet) ([]byte, error) {
	doc := struct {
		Keys []map[string]any `json:"keys"`
	}{Keys: []map[string]any{}}
	for _, jwk := range set.Keys {
		m, err := members(jwk)
		if err != nil {
			return nil, err
		}
		m["key_ops"] = []string{"verify"}
		doc.Keys = append(doc.Keys, m)
	}
	return json.Marshal(doc)
}

// Handler serves the public keys of all sets as one JWKS document. It is open to everyone and
// to every origin: EHRs, and browsers of people who look, read the same public facts.
func Handler(sets ...*Set) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		var all jose.JSONWebKeySet
		var maxAge time.Duration
		for i, s := range sets {
			all.Keys = append(all.Keys, s.Public().Keys...)
			if i == 0 || s.cfg.MaxAge < maxAge {
				maxAge = s.cfg.MaxAge
			}
		}
		text, err := document(all)
		if err != nil {
			http.Error(w, "keys are not available", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(maxAge.Seconds())))
		h.Set("Content-Length", strconv.Itoa(len(text)))
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(text)
	})
}
