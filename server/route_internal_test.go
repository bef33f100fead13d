package server

import (
	"net/http"
	"strings"
	"testing"
)

func TestARouteThatNobodyDecidedAboutIsRefused(t *testing.T) {
	t.Parallel()
	handler := http.NotFoundHandler()
	tests := []struct {
		name string
		in   Route
		want string
	}{
		{"neither scope nor reason", Route{Method: "GET", Path: "/x", handler: handler}, "neither"},
		{"both", Route{Method: "GET", Path: "/x", Scope: scopeMeasure, Public: "why", handler: handler},
			"more than one"},
		{"a scope that is none", Route{Method: "GET", Path: "/x", Scope: "anything", handler: handler},
			"neither a system scope"},
		{"a scope and a session",
			Route{Method: "GET", Path: "/x", Scope: scopeMeasure, Session: "how", handler: handler},
			"more than one"},
		{"a session on the API",
			Route{Method: "GET", Path: "/fhir/x", Session: "how", handler: handler}, "GET /fhir/x"},
		{"a path without a slash",
			Route{Method: "GET", Path: "x", Public: "why", handler: handler}, "slash"},
		{"a person's scope", Route{Method: "GET", Path: "/x", Scope: "user/Measure.rs", handler: handler},
			"neither a system scope"},
		{"no handler", Route{Method: "GET", Path: "/x", Public: "why"}, "no handler"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := (&Server{}).router([]Route{tt.in})
			if err == nil || !strings.Contains(err.Error(), tt.want) ||
				!strings.Contains(err.Error(), "GET "+tt.in.Path) {
				t.Errorf("router(%v) = %v, want an error that names the route and %q", tt.in, err, tt.want)
			}
		})
	}
}
