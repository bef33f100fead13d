package smart

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/internal/phi"
)

func TestAnswersThatDeviate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer members
		want   error
		check  func(Visit, time.Time) bool
	}{
		{"no token_type", members{"token_type": nil}, nil, nil},
		{"another case of it", members{"token_type": "BEARER"}, nil, nil},
		{"another token_type", members{"token_type": "DPoP"}, ErrAnswer, nil},
		{"an empty token_type", members{"token_type": ""}, ErrAnswer, nil},
		{"no access_token", members{"access_token": nil}, ErrAnswer, nil},
		{"an access_token of two lines", members{"access_token": "a\r\nX: b"}, ErrAnswer, nil},
		{"an access_token in another case", members{"access_token": nil, "Access_Token": "x"}, ErrAnswer, nil},
		{"no scope", members{"scope": nil}, nil, func(v Visit, _ time.Time) bool {
			return v.Token.Scopes.String() == "launch openid fhirUser offline_access patient/*.rs"
		}},
		{"fewer scopes and a strange one", members{"scope": "patient/Patient.read patient/strange.x x"}, nil,
			func(v Visit, _ time.Time) bool { return v.Token.Scopes.String() == "patient/Patient.read x" }},
		{"no identity, and said so", members{"scope": "launch patient/*.rs", "id_token": nil}, nil,
			func(v Visit, _ time.Time) bool { return v.Identity == nil }},
		{"no identity, and not said so", members{"id_token": nil}, ErrIdentity, nil},
		{"an identity of nobody, though none is granted",
			members{"scope": "launch", "id_token": "a.b.c"}, ErrIdentity, nil},
		{"no expires_in", members{"expires_in": nil}, nil, func(v Visit, now time.Time) bool {
			return v.Token.Expires.Equal(now.Add(assumedLife))
		}},
		{"expires_in as text", members{"expires_in": "60"}, nil, func(v Visit, now time.Time) bool {
			return v.Token.Expires.Equal(now.Add(time.Minute))
		}},
		{"expires_in below zero", members{"expires_in": -1}, nil, func(v Visit, now time.Time) bool {
			return v.Token.Expires.Equal(now.Add(assumedLife))
		}},
		{"expires_in of an age", members{"expires_in": 1e18}, nil, func(v Visit, now time.Time) bool {
			return v.Token.Expires.Equal(now.Add(longestLife))
		}},
		{"expires_in that is no number", members{"expires_in": "NaN"}, nil, func(v Visit, now time.Time) bool {
			return v.Token.Expires.Equal(now.Add(assumedLife))
		}},
		{"no refresh_token", members{"refresh_token": nil}, nil, func(v Visit, _ time.Time) bool {
			return v.Token.Refresh == ""
		}},
		{"no context", members{"patient": nil, "encounter": nil}, nil, func(v Visit, _ time.Time) bool {
			return v.Context.Patient.Empty() && v.Context.Encounter.Empty()
		}},
		{"a patient by reference", members{"patient": "Patient/p-1"}, ErrAnswer, nil},
		{"a patient by address", members{"patient": "https://ehr.example/fhir/Patient/p-1"}, ErrAnswer, nil},
		{"a patient by number", members{"patient": 17}, ErrAnswer, nil},
		{"a patient that is empty", members{"patient": ""}, ErrAnswer, nil},
		{"a patient that is a folder", members{"patient": ".."}, ErrAnswer, nil},
		{"a patient with a query", members{"patient": "1?x=y"}, ErrAnswer, nil},
		{"a patient that is an object", members{"patient": members{"id": "1"}}, ErrAnswer, nil},
		{"an encounter by number", members{"encounter": 17}, ErrAnswer, nil},
		{"a long id", members{"patient": strings.Repeat("e", 80)}, nil, func(v Visit, _ time.Time) bool {
			return len(v.Context.Patient.Reveal()) == 80
		}},
		{"a banner that is needed", members{"need_patient_banner": true}, nil, banner(true)},
		{"a banner as text", members{"need_patient_banner": "true"}, nil, banner(true)},
		{"no banner as text", members{"need_patient_banner": "false"}, nil, banner(false)},
		{"no word of a banner", members{"need_patient_banner": nil}, nil, banner(true)},
		{"a style over plain http", members{"smart_style_url": "http://style.example/"}, nil, noStyle},
		{"a style that is a script", members{"smart_style_url": "javascript:alert(1)"}, nil, noStyle},
		{"a style that is a number", members{"smart_style_url": 1}, nil, noStyle},
		{"an intent with a line break", members{"intent": "a\nb", "fhirContext": "x"}, nil, func(v Visit, _ time.Time) bool {
			return v.Context.Intent == "" && v.Context.FHIR == nil
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.ehr.answer = tt.answer
			visit, err := r.visit(t)
			if !errors.Is(err, tt.want) {
				t.Fatalf("Finish = %v, want %v", err, tt.want)
			}
			if tt.check != nil && !tt.check(visit, r.clock.Now()) {
				t.Errorf("visit with scopes %q, expires %s", visit.Token.Scopes, visit.Token.Expires)
			}
		})
	}
}

func banner(want bool) func(Visit, time.Time) bool {
	return func(v Visit, _ time.Time) bool { return v.Context.NeedPatientBanner == want }
}

func noStyle(v Visit, _ time.Time) bool { return v.Context.StyleURL == "" }

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"a","patient":"1","fhirContext":[{"reference":"A/1"}],"expires_in":1}`,
		`{"access_token":"a","need_patient_banner":"true","smart_style_url":"https://a"}`, `[]`, `null`, `{`,
	} {
		f.Add([]byte(seed))
	}
	now := time.Unix(1_700_000_000, 0)
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := readAnswer(body, []string{"launch"}, now)
		if err != nil {
			return
		}
		life := a.token.Expires.Sub(now)
		if a.token.Access == "" || strings.ContainsAny(a.token.Access, " \r\n") || life <= 0 || life > longestLife {
			t.Fatalf("token %q for %s", a.token.Access, life)
		}
		c, err := a.context()
		if err != nil {
			return
		}
		for _, id := range []phi.ID{c.Patient, c.Encounter} {
			if !id.Empty() && !isID(id.Reveal()) {
				t.Fatalf("id %q", id.Reveal())
			}
		}
		if c.StyleURL != "" && !strings.HasPrefix(c.StyleURL, "https://") || len(c.FHIR) > maxContext {
			t.Fatalf("style %q, %d entries", c.StyleURL, len(c.FHIR))
		}
	})
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	visit := Visit{
		Token:    Token{Access: "canary-a", Refresh: "canary-r", Scopes: scope.Set{{Name: "launch"}}},
		Identity: &Identity{Subject: "canary-s", Name: "canary-n", FHIRUser: "canary-f"},
		Context:  Context{Patient: phi.New("canary-p"), FHIR: []Reference{{Reference: phi.New("canary-c")}}},
	}
	var log strings.Builder
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).LogAttrs(t.Context(), slog.LevelInfo, "x",
			slog.Any("token", visit.Token), slog.Any("identity", *visit.Identity))
	}
	text := log.String() + fmt.Sprintf("%v %+v %#v %s", visit, visit, visit.Token, *visit.Identity)
	if context, err := json.Marshal(visit.Context); err != nil || strings.Contains(text+string(context), "canary") {
		t.Errorf("printed: %s %s, %v", text, context, err)
	}
}
