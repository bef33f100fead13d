package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/improvement/network"
)

// TestEightInstitutionsHandIn goes the whole way once: eight syncs, releases, self-assessments and
// actions, eight signed submissions over HTTP with tokens, what is refused, and what members then see.
func TestEightInstitutionsHandIn(t *testing.T) {
	t.Parallel()
	withoutRaceDetector(t)
	data := t.TempDir()
	o := must(t, "demo-network", "--once", "--json", "--show-refusal", "--scale", "0.08", "--data", data,
		"--listen", "127.0.0.1:0")
	var got network.Overview
	parse(t, o.out, &got)
	if got.Members != 8 || got.HandedIn != 8 || len(got.Standings) != 8 || got.Assessed == 0 {
		t.Errorf("the coordinator sees %d of %d members, %d of them assessed", got.HandedIn, got.Members, got.Assessed)
	}
	pooled := 0
	for _, f := range got.Figures {
		if f.Enough {
			pooled++
		}
	}
	if pooled == 0 {
		t.Error("nothing is pooled")
	}
	if refused := strings.Count(o.err, "was refused: hand in submission: status 422"); refused != 2 {
		t.Errorf("%d of 2 submissions that were tampered with were refused:\n%s", refused, o.err)
	}
	again := must(t, "demo-network", "--once", "--json", "--data", data, "--listen", "127.0.0.1:0")
	var same network.Overview
	parse(t, again.out, &same)
	if same.HandedIn != 8 {
		t.Errorf("the second time %d members have handed in", same.HandedIn)
	}
	lookAtASubmission(t, filepath.Join(data, "members", "harbor"))
	lookAtTheNetwork(t, data)
}

// lookAtASubmission writes, prints and verifies that of a member.
func lookAtASubmission(t *testing.T, data string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "equitylens.yaml")
	text := fmt.Sprintf(`data: %s
disclosure:
  public_measures: [interpreter-documented]
network:
  coordinator:
    url: http://127.0.0.1:1
    member: harbor
    client_id: program-of-harbor
    algorithm: ES384
    loopback: true
`, data)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	printed := must(t, "network", "submit", "--config", file, "--period", "2025", "--dry-run").out
	for _, never := range []string{"Interpreters by telephone", "Language services", "Patient/", "narrative", "display"} {
		if strings.Contains(printed, never) {
			t.Errorf("the submission holds %q", never)
		}
	}
	signed := filepath.Join(t.TempDir(), "2025.jws")
	must(t, "network", "submit", "--config", file, "--period", "2025", "--out", signed)
	if o := must(t, "network", "verify", "--config", file, signed); !strings.Contains(o.out, "the signature is good") {
		t.Errorf("verify says %q", o.out)
	}
	whole, err := os.ReadFile(signed) // #nosec G304 -- made above
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(signed, whole[:len(whole)-8], 0o600); err != nil {
		t.Fatal(err)
	}
	if o := equitylens(t, "network", "verify", "--config", file, signed); o.code != exitFailed {
		t.Errorf("a signature that was cut is good: %d %s", o.code, o.out)
	}
}

func TestWhoIsInNoNetwork(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for _, args := range [][]string{
		{"network", "submit", "--period", "2025", "--data", data},
		{"network", "show", "--period", "2025", "--data", data},
	} {
		if o := equitylens(t, args...); o.code != exitFailed || !strings.Contains(o.err, "network") {
			t.Errorf("equitylens %s = %d %s", strings.Join(args, " "), o.code, o.err)
		}
	}
}
