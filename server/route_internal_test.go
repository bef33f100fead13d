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
			"a scope and a reason"},
		{"a scope that is none", Route{Method: "GET", Path: "/x", Scope: "anything", handler: handler},
			"neither a system scope"},
		{"no handler", Route{Method: "GET", Path: "/x", Public: "why"}, "no handler"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := (&Server{}).router([]Route{tt.in})
			if err == nil || !strings.Contains(err.Error(), tt.want) ||
				!strings.Contains(err.Error(), "GET /x") {
				t.Errorf("router(%v) = %v, want an error that names GET /x and %q", tt.in, err, tt.want)
			}
		})
	}
}
