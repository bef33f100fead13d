package auth

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// maxBody bounds a request. An assertion under a certificate chain is below 16 KiB.
const maxBody = 64 << 10

// readForm reads the body of a POST. Parameters in the URL are refused, because a URL is logged by
// whatever stands between; so is a parameter that is there twice, of which two programs may
// believe two values.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, refuse(invalidRequest,
			"the body has to be application/x-www-form-urlencoded", nil)
	}
	if r.URL.RawQuery != "" {
		return nil, refuse(invalidRequest, "parameters belong in the body", nil)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			no := refuse(invalidRequest, "the body is too large", nil)
			no.status = http.StatusRequestEntityTooLarge
			return nil, no
		}
		return nil, refuse(invalidRequest, "the body is not a form", nil)
	}
	return r.PostForm, once(r.PostForm)
}

// readQuery reads the parameters of a GET.
func readQuery(r *http.Request) (url.Values, error) {
	if len(r.URL.RawQuery) > maxBody {
		return nil, refuse(invalidRequest, "the address is too long", nil)
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(invalidRequest, "the parameters are malformed", nil)
	}
	return query, once(query)
}

// once refuses what is there twice (RFC 6749 sections 3.1 and 3.2).
func once(form url.Values) error {
	for _, values := range form {
		if len(values) > 1 {
			return refuse(invalidRequest, "a parameter is there twice", nil)
		}
		if strings.ContainsRune(values[0], 0) {
			return refuse(invalidRequest, "a parameter holds a zero byte", nil)
		}
	}
	return nil
}

// posted serves an endpoint that takes POST alone, and says so to everybody else. The error of answer,
// which has written nothing then, is logged as what was refused and becomes the answer.
func (s *Server) posted(
	say, what string, answer func(http.ResponseWriter, *http.Request) error,
) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			no := refuse(invalidRequest, say, nil)
			no.status = http.StatusMethodNotAllowed
			no.answer(w)
			return
		}
		if err := answer(w, r); err != nil {
			no := asRefusal(err)
			no.log(r.Context(), s.cfg.Logger, what)
			no.answer(w)
		}
	})
}
