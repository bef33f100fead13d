package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/equitylens/equitylens/improvement/evidence"
)

// packFile reads a file of a pack.
func packFile(t *testing.T, folder, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// cell finds the value of a column in the row of a measure, dimension and code.
func tableCell(t *testing.T, table []byte, id, dimension, code, column string) string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	for _, row := range rows[1:] {
		if row[at["measure"]] == id && row[at["dimension"]] == dimension && row[at["code"]] == code {
			return row[at[column]]
		}
	}
	t.Fatalf("the table has no row of %s by %s for %q", id, dimension, code)
	return ""
}

func TestEvidenceIsMadeOfTheSnapshot(t *testing.T) {
	t.Parallel()
	data := ownData(t)
	folder := filepath.Join(t.TempDir(), "pack")
	must(t, "readiness", "answer", "accountable-leader", "1", "--period", "2025", "--comment", "seed of a comment", "--data", data)
	o := must(t, "evidence", "--period", "2025", "--out", folder, "--data", data)
	if !strings.Contains(o.err, "measure readmission-30-day") || !strings.Contains(o.out, "5 files") {
		t.Errorf("evidence = %q, %q", o.out, o.err)
	}
	readme := string(packFile(t, folder, evidence.ReadmeFile))
	for _, name := range []string{evidence.PageFile, evidence.TableFile, evidence.BookFile, evidence.BundleFile} {
		sum := fmt.Sprintf("%x  %s", sha256.Sum256(packFile(t, folder, name)), name)
		if !strings.Contains(readme, sum) {
			t.Errorf("README.txt lacks %q", sum)
		}
	}
	// The figures are those that evaluate prints.
	var r result
	parse(t, must(t, "evaluate", "telehealth-share", "--period", "2025", "--by", "language_group", "--format", "json",
		"--data", data).out, &r)
	table := packFile(t, folder, evidence.TableFile)
	for _, s := range r.Groups[0].Strata["language_group"] {
		if s.Code == "" {
			continue
		}
		want := fmt.Sprint(s.Populations["denominator"])
		if got := tableCell(t, table, "telehealth-share", "language_group", s.Code, "denominator"); got != want {
			t.Errorf("denominator of %s = %s, want %s", s.Code, got, want)
		}
	}
	page := string(packFile(t, folder, evidence.PageFile))
	for _, want := range []string{"seed of a comment", "Length of hospital stay", "It is a draft"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	var bundle struct{ ResourceType string }
	if err := json.Unmarshal(packFile(t, folder, evidence.BundleFile), &bundle); err != nil || bundle.ResourceType != "Bundle" {
		t.Errorf("bundle = %+v, %v", bundle, err)
	}
	again := equitylens(t, "evidence", "--period", "2025", "--out", folder, "--data", data)
	if again.code != exitUsage || !strings.Contains(again.err, "--out") {
		t.Errorf("over another pack: exit %d, %q", again.code, again.err)
	}
	outside := filepath.Join(t.TempDir(), "public")
	must(t, "evidence", "--period", "2025", "--audience", "public", "--lang", "es", "--out", outside, "--data", data)
	public := string(packFile(t, outside, evidence.PageFile))
	if strings.Contains(public, "seed of a comment") || !strings.Contains(public, `<html lang="es">`) ||
		!strings.Contains(string(packFile(t, outside, evidence.TableFile)), ",public,") {
		t.Error("the public pack is not public")
	}
}

func TestEvidenceIsRefused(t *testing.T) {
	t.Parallel()
	data := ownData(t)
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no snapshot", []string{"--period", "2025", "--data", t.TempDir()}, exitFailed, "no live snapshot"},
		{"a period that is none", []string{"--period", "soon", "--data", data}, exitUsage, "soon"},
		{"an audience of its own", []string{"--period", "2025", "--audience", "press", "--data", data}, exitUsage, "press"},
		{"a language of nobody", []string{"--period", "2025", "--lang", "fr", "--data", data}, exitUsage, "none of en, es"},
		{
			"what is not public", []string{"--period", "2025-01-03/2025-02-01", "--audience", "public", "--data", data},
			exitUsage, "not public",
		},
		{
			"a folder that cannot be", []string{"--period", "2025", "--out", filepath.Join(data, "no", "such"), "--data", data},
			exitFailed, "begin a pack",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := equitylens(t, append([]string{"evidence"}, c.args...)...)
			if o.code != c.code || !strings.Contains(o.err, c.want) {
				t.Errorf("exit %d, %q, want %d and %q", o.code, o.err, c.code, c.want)
			}
		})
	}
}
