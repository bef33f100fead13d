package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestKeysAreReplacedInTwoSteps goes through the two steps as an operator does, with a clock that moves.
func TestKeysAreReplacedInTwoSteps(t *testing.T) {
	t.Parallel()
	data, now := t.TempDir(), time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	run := func(args ...string) (int, string, string) {
		p, out, complaints := newProgram()
		p.now = func() time.Time { return now }
		code := p.run(t.Context(), append(append([]string{"keys"}, args...), "--data", data))
		return code, out.String(), complaints.String()
	}
	states := func() map[string]string {
		code, out, complaints := run("list", "--json")
		if code != exitOK {
			t.Fatalf("keys list: %d %s", code, complaints)
		}
		var list []struct{ Set, Kid, State string }
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			t.Fatal(err)
		}
		of := map[string]string{}
		for _, k := range list {
			if k.Set == "tokens" {
				of[k.Kid] = k.State
			}
		}
		return of
	}
	var first string
	for kid, state := range states() {
		if state != "active" {
			t.Errorf("the first key is %s", state)
		}
		first = kid
	}
	if code, _, complaints := run("promote", "tokens"); code != exitFailed || !strings.Contains(complaints, "keys prepare") {
		t.Errorf("promote without a next key: %d %s", code, complaints)
	}
	if code, _, complaints := run("prepare", "tokens"); code != exitOK {
		t.Fatalf("prepare: %d %s", code, complaints)
	}
	if code, _, complaints := run("promote", "tokens"); code != exitFailed || !strings.Contains(complaints, "2026-05-01 08:05") {
		t.Errorf("promote at once: %d %s", code, complaints)
	}
	now = now.Add(6 * time.Minute)
	if code, _, complaints := run("promote", "tokens"); code != exitOK {
		t.Fatalf("promote: %d %s", code, complaints)
	}
	after := states()
	if len(after) != 2 || after[first] != "retired" {
		t.Errorf("after promote the keys are %v", after)
	}
	if code, _, complaints := run("drop", "tokens", first); code != exitOK || len(states()) != 1 {
		t.Errorf("drop: %d %s", code, complaints)
	}
	if code, _, _ := run("list", "client"); code != exitUsage {
		t.Errorf("list with an argument ended with %d, want %d", code, exitUsage)
	}
	if code, _, complaints := run("prepare", "kings"); code != exitUsage || !strings.Contains(complaints, "tokens, identity or client") {
		t.Errorf("prepare of no set: %d %s", code, complaints)
	}
}
