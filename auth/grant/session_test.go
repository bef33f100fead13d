package grant_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ory/fosite"

	"github.com/equitylens/equitylens/auth/grant"
)

func TestSessionsComeBackFromJSON(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]*grant.Session{
		"empty": {}, "of a person": session("ada"), "with a short family": {FamilyLife: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := json.Marshal(in)
			must(t, err)
			got := &grant.Session{}
			must(t, json.Unmarshal(text, got))
			if diff := cmp.Diff(in, got); diff != "" {
				t.Errorf("%s came back otherwise (-want +got):\n%s", text, diff)
			}
		})
	}
}

func TestTheEndsOfTokensAreNotKept(t *testing.T) {
	t.Parallel()
	s := &grant.Session{}
	s.SetExpiresAt(fosite.AccessToken, time.Unix(1, 0))
	text, err := json.Marshal(s)
	must(t, err)
	if string(text) != "{}" {
		t.Errorf("%s, want {}", text)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	t.Parallel()
	s := session("ada")
	s.Context["list"] = []string{"a"}
	s.Context["numbers"] = []any{1, 2.5, json.Number("3"), nil, true}
	s.SetExpiresAt(fosite.AccessToken, time.Unix(1, 0))
	c, ok := s.Clone().(*grant.Session)
	if !ok {
		t.Fatalf("Clone is a %T", s.Clone())
	}
	want := session("ada")
	want.Context["list"] = []any{"a"}
	want.Context["numbers"] = []any{1, 2.5, json.Number("3"), nil, true}
	want.SetExpiresAt(fosite.AccessToken, time.Unix(1, 0))
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("Clone (-want +got):\n%s", diff)
	}
	s.Roles[0] = "administrator"
	s.Context["patient"] = "patient-1"
	list, _ := s.Context["fhirContext"].([]any)
	object, _ := list[0].(map[string]any)
	object["reference"] = "Patient/1"
	s.SetExpiresAt(fosite.AccessToken, time.Unix(2, 0))
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("Clone changed with its original (-want +got):\n%s", diff)
	}
}

func TestNoSession(t *testing.T) {
	t.Parallel()
	var none *grant.Session
	if none.GetSubject() != "" || !none.GetExpiresAt(fosite.AccessToken).IsZero() ||
		none.Clone() != nil || none.GetUsername() != "" {
		t.Error("a nil session says something")
	}
	if got := session("ada").GetSubject(); got != "ada" {
		t.Errorf("GetSubject = %q", got)
	}
}
