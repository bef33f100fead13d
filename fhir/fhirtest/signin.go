package fhirtest

import (
	"net/http"
	"net/url"
)

// signInPage asks who is there.
type signInPage struct {
	App    string
	Handle string
	// Hint is the user who is chosen already.
	Hint   string
	Scopes []string
	Action string
}

// askWho shows the page on which one of the made-up users is chosen. There is no password: nobody
// here is anybody.
func (s *Server) askWho(w http.ResponseWriter, r *http.Request, a authorization) {
	handle := s.secret()
	now := s.config.Now()
	s.mu.Lock()
	for h, q := range s.questions {
		if q.ends.Before(now) {
			delete(s.questions, h)
		}
	}
	s.questions[handle] = question{request: a, ends: now.Add(questionLife)}
	s.mu.Unlock()
	hint := a.hint
	if _, ok := s.user(hint); !ok && len(s.users) > 0 {
		hint = s.users[0].ID
	}
	// The form's answer is a redirect to the app, which form-action governs as well.
	s.show(w, http.StatusOK, "sign-in.html", page{Title: "Sign in", Users: s.users,
		Data: signInPage{App: a.app.Name, Handle: handle, Hint: hint, Scopes: a.scopes,
			Action: s.window(r) + signInPath}}, "", originOf(a.redirect))
}

// serveSignIn takes the answer of that page.
func (s *Server) serveSignIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, mostFormSize)
	if err := r.ParseForm(); err != nil {
		s.problem(w, "The form cannot be read.")
		return
	}
	s.mu.Lock()
	q, ok := s.questions[r.PostForm.Get("handle")]
	delete(s.questions, r.PostForm.Get("handle"))
	s.mu.Unlock()
	if !ok || !s.config.Now().Before(q.ends) {
		s.problem(w, "This page has been answered already, or is too old. Start again from the app.")
		return
	}
	user, ok := s.user(r.PostForm.Get("user"))
	if r.PostForm.Get("answer") == "deny" || !ok {
		s.sendBack(w, r, q.request.redirect, url.Values{"error": {"access_denied"},
			"error_description": {"nobody signed in"}, "state": {q.request.state}})
		return
	}
	s.approve(w, r, q.request, user)
}
