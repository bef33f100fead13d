package server

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/r4"
)

// fhirJSON is the media type of every answer below /fhir.
const fhirJSON = "application/fhir+json; charset=utf-8"

// negotiated refuses a request that accepts no FHIR R4 in JSON. The parameter _format stands above
// the header Accept (http://hl7.org/fhir/R4/http.html#parameters).
func (s *Server) negotiated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !acceptable(r) {
			s.fail(w, r, errAccept)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func acceptable(r *http.Request) bool {
	if format := r.URL.Query().Get("_format"); format != "" {
		// A + that nobody escaped has become a space.
		return format == "json" || acceptableRange(strings.Replace(format, "fhir json", "fhir+json", 1))
	}
	ranges := r.Header.Values("Accept")
	if len(ranges) == 0 {
		return true
	}
	for _, one := range strings.Split(strings.Join(ranges, ","), ",") {
		if acceptableRange(one) {
			return true
		}
	}
	return false
}

// acceptableRange reports whether a media range covers FHIR R4 in JSON.
func acceptableRange(text string) bool {
	kind, parameters, err := mime.ParseMediaType(text)
	if err != nil {
		return false
	}
	if q, given := parameters["q"]; given {
		if weight, err := strconv.ParseFloat(q, 64); err != nil || weight <= 0 {
			return false
		}
	}
	if v := parameters["fhirversion"]; v != "" && v != "4.0" {
		return false
	}
	switch kind {
	case "*/*", "application/*", "application/json", "application/fhir+json", "text/json":
		return true
	}
	return false
}

// fhirHandler answers one request with a resource or says why not.
type fhirHandler func(r *http.Request) (proto.Message, error)

func (s *Server) fhir(handle fhirHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resource, err := handle(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.send(w, r, http.StatusOK, resource)
	})
}

// send writes a resource. One that cannot be written is a fault of ours and a 500 without a body.
func (s *Server) send(w http.ResponseWriter, r *http.Request, status int, resource proto.Message) {
	text, err := r4.Marshal(resource)
	if err != nil {
		e := eventOf(r)
		e.err = err
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", fhirJSON)
	w.WriteHeader(status)
	if _, err := w.Write(append(text, '\n')); err != nil {
		eventOf(r).status = statusClientClosed
	}
}
