package auth_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/auth/authtest"
)

// serve posts an encoded form to a handler without a network.
func serve(t testing.TB, handler http.Handler, form string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/oauth/token",
		strings.NewReader(form))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, request)
	return rec
}

// FuzzToken sends bodies from outside: no token, and no failure of ours.
func FuzzToken(f *testing.F) {
	r := newRig(f, nil)
	good := sign(f, r.assertion())
	f.Add("")
	f.Add(authtest.Form(good[1:], reports).Encode())
	f.Add(authtest.Form("a.b.c", reports).Encode())
	f.Add("grant_type=client_credentials&client_assertion=%00")
	f.Add("grant_type=client_credentials&client_assertion_type=x&scope=system%2F*.rs")
	f.Fuzz(func(t *testing.T, body string) {
		rec := serve(t, r.Token(), body)
		if rec.Code < 400 || rec.Code >= 500 {
			t.Errorf("answer = %d %s to %q", rec.Code, rec.Body, body)
		}
	})
}

// FuzzAssertion sends assertions from outside in a form that is good otherwise.
func FuzzAssertion(f *testing.F) {
	r := newRig(f, nil)
	good := sign(f, r.assertion())
	f.Add(good[:len(good)-4])
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, text string) {
		if text == good {
			return // It is the one that is good.
		}
		rec := serve(t, r.Token(), authtest.Form(text, reports).Encode())
		if rec.Code != http.StatusUnauthorized {
			t.Errorf("answer = %d %s to %q", rec.Code, rec.Body, text)
		}
	})
}
