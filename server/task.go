package server

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
)

// task is a request that has been read and allowed, and only has to be worked out.
type task struct {
	// key tells the answer from every other one of the same data; empty for an answer that names
	// people, which is kept by nobody.
	key string
	// scopes are what the token of whoever fetches the answer must cover.
	scopes []string
	// do works the answer out. It calls note when it has got on.
	do func(ctx context.Context, note func(done, of int)) (proto.Message, error)
}

// operation answers what prepare makes of a request: at once, or later where the caller prefers it.
func (s *Server) operation(prepare func(*http.Request) (task, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t, err := prepare(r)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case s.cfg.Jobs != nil && prefers(r, "respond-async"):
			s.kickOff(w, r, t)
		default:
			s.answer(w, r, t)
		}
	})
}

// prefers reports whether the header Prefer of RFC 7240 holds a preference.
func prefers(r *http.Request, preference string) bool {
	for _, value := range r.Header.Values("Prefer") {
		for one := range strings.FieldsFuncSeq(value, func(c rune) bool { return c == ',' || c == ';' }) {
			if strings.EqualFold(strings.TrimSpace(one), preference) {
				return true
			}
		}
	}
	return false
}

// answer works a task out and writes it, unless the caller or we have the answer already.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, t task) {
	before, _ := s.cfg.Snapshots.Current()
	tag := s.tag(before, t)
	if tag != "" && matches(r, tag) {
		s.keepable(w, tag)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if tag != "" {
		if have, ok := s.kept.get(tag); ok {
			s.keepable(w, tag)
			s.deliver(w, r, have)
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.EvaluateTimeout)
	defer cancel()
	resource, err := t.do(ctx, func(int, int) {})
	if err != nil {
		// A database that was interrupted has words of its own for it; the context knows why.
		s.fail(w, r, errors.Join(err, ctx.Err()))
		return
	}
	have, err := write(resource)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if after, _ := s.cfg.Snapshots.Current(); tag != "" && after.ID == before.ID {
		// Otherwise nobody knows of which of the two snapshots the answer is.
		s.kept.add(tag, have)
		s.keepable(w, tag)
	}
	s.deliver(w, r, have)
}

// tag is the entity tag of an answer; empty for one that is not kept. It is weak, because two
// servers that answer the same question from the same data put different dates on it.
func (s *Server) tag(of Snapshot, t task) string {
	if t.key == "" || of.ID == "" {
		return ""
	}
	digest := sha256.Sum256([]byte(of.ID + "\n" + s.cfg.Version + "\n" + t.key))
	return `W/"` + base64.RawURLEncoding.EncodeToString(digest[:16]) + `"`
}

// matches reports whether If-None-Match names the tag. The comparison is the weak one (RFC 9110
// section 13.1.2).
func matches(r *http.Request, tag string) bool {
	for _, value := range r.Header.Values("If-None-Match") {
		for one := range strings.SplitSeq(value, ",") {
			one = strings.TrimSpace(one)
			if one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}

// keepable lets the caller, and nobody on the way, keep an answer that it asks about again.
func (s *Server) keepable(w http.ResponseWriter, tag string) {
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "private, no-cache")
}

// deliver writes an answer that is at hand.
func (s *Server) deliver(w http.ResponseWriter, r *http.Request, have written) {
	text := have.text
	h := w.Header()
	h.Set("Content-Type", fhirJSON)
	if have.zipped != nil && acceptsGzip(r) {
		text = have.zipped
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(http.StatusOK)
	if _, err := w.Write(text); err != nil {
		eventOf(r).status = statusClientClosed
	}
}

// acceptsGzip reads Accept-Encoding.
func acceptsGzip(r *http.Request) bool {
	for _, value := range r.Header.Values("Accept-Encoding") {
		for one := range strings.SplitSeq(value, ",") {
			coding, weight, weighted := strings.Cut(strings.TrimSpace(one), ";")
			if coding = strings.TrimSpace(coding); coding != "gzip" && coding != "*" {
				continue
			}
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			if !weighted || err == nil && q > 0 {
				return true
			}
		}
	}
	return false
}

// failed says in which measure something went wrong.
func failed(id string, err error) error { return fmt.Errorf("evaluate measure %s: %w", id, err) }
