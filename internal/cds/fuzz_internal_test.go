package cds

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func FuzzCall(f *testing.F) {
	f.Add([]byte(`{"hook":"patient-view","hookInstance":"d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",` +
		`"context":{"userId":"Practitioner/1","patientId":"2","encounterId":"3"},"prefetch":{"patient":null}}`))
	f.Add([]byte(`{"fhirServer":"x","fhirAuthorization":{"access_token":"a","token_type":"Bearer"}}`))
	f.Add([]byte(`[{"hook":1}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := parseCall(body)
		if err != nil {
			var p *problem
			if !errors.As(err, &p) || p.status != http.StatusBadRequest {
				t.Fatalf("parseCall(%q) = %v, want a problem", body, err)
			}
			return
		}
		if c.Hook != hook || !idShaped(c.Context.Patient) || strings.Contains(c.Context.Patient, "/") {
			t.Errorf("parseCall(%q) = %+v", body, c)
		}
		if c.Access != nil && strings.ContainsAny(c.Access.Token, "\r\n ") {
			t.Errorf("parseCall(%q) takes a token that breaks a header", body)
		}
		patient, encounter, ok := c.documents()
		if ok && (len(patient) == 0 || len(encounter) == 0) {
			t.Errorf("parseCall(%q): nothing is taken for a resource", body)
		}
	})
}

func FuzzJWT(f *testing.F) {
	f.Add("Bearer eyJhbGciOiJub25lIn0.e30.")
	f.Add("Bearer eyJhbGciOiJFUzM4NCIsImtpZCI6ImsxIiwidHlwIjoiSldUIn0.eyJpc3MiOiJ4In0.AAAA")
	f.Add("Basic x")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, header string) {
		token, said, err := parseToken(http.Header{"Authorization": {header}})
		if err != nil {
			if !errors.Is(err, errCaller) {
				t.Errorf("parseToken(%q) = %v", header, err)
			}
			return
		}
		alg := token.Headers[0].Algorithm
		if alg == "none" || strings.HasPrefix(alg, "HS") || token.Headers[0].KeyID == "" {
			t.Errorf("parseToken(%q) accepts %s", header, alg)
		}
		life, err := said.check(now, []string{"https://x/y"})
		if err == nil && (life <= 0 || life > maxTokenLife+skew) {
			t.Errorf("parseToken(%q) lives for %v", header, life)
		}
	})
}

func FuzzFeedback(f *testing.F) {
	f.Add([]byte(`{"feedback":[{"card":"f6b95768-b1c8-40dc-8385-bf3504b82ffb","outcome":"accepted",` +
		`"outcomeTimestamp":"2026-03-01T00:00:00Z"}]}`))
	f.Add([]byte(`{"feedback":null}`))
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := parseFeedback(body, "general", now)
		if (err == nil) != (len(list) > 0) || len(list) > maxItems {
			t.Errorf("parseFeedback(%q) = %v, %v", body, list, err)
		}
		for _, item := range list {
			if item.At.After(now.Add(maxAhead)) || len(item.Card) != 36 {
				t.Errorf("parseFeedback(%q) = %+v", body, item)
			}
		}
	})
}
