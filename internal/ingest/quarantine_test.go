package ingest_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/equitylens/equitylens/fhir"
)

// keptLine is a line of a quarantine, by the names that stand in the file.
type keptLine struct {
	File      string      `json:"file"`
	Line      int64       `json:"line"`
	Offset    int64       `json:"offset"`
	Length    int64       `json:"length"`
	SHA256    string      `json:"sha256"`
	Reason    fhir.Reason `json:"reason"`
	Element   string      `json:"element"`
	Diagnosis string      `json:"diagnosis"`
	Text      string      `json:"text"`
	Bytes     []byte      `json:"bytes"`
}

func readQuarantine(t *testing.T, path string) []keptLine {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatalf("the quarantine cannot be read: %v", err)
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the quarantine has mode %v, want that only its owner reads it", info.Mode())
	}
	var lines []keptLine
	in := bufio.NewScanner(file)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var k keptLine
		if err := json.Unmarshal(in.Bytes(), &k); err != nil {
			t.Fatalf("line %d of the quarantine: %v", len(lines)+1, err)
		}
		lines = append(lines, k)
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// check holds the hash against what was kept, and a place against what it must say.
func (k keptLine) check(t *testing.T) {
	t.Helper()
	text := k.Bytes
	if k.Text != "" {
		text = []byte(k.Text)
	}
	if len(text) == 0 || k.File == "" || k.Line < 1 || k.Offset < 0 || k.Reason == "" {
		t.Errorf("a kept line lacks its text or its place: file %q, line %d, byte %d, %s", k.File, k.Line,
			k.Offset, k.Reason)
	}
	sum := sha256.Sum256(text)
	if k.SHA256 != hex.EncodeToString(sum[:]) && int64(len(text)) >= k.Length {
		t.Errorf("the hash of line %d of %s is not that of what was kept", k.Line, k.File)
	}
}
