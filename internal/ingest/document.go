package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// longestDocument bounds a file that is read whole.
const longestDocument = 64 << 20

// documentLines reads a file that is one JSON document as lines: one for a resource, one for each
// entry of a Bundle.
func documentLines(path string) ([]byte, error) {
	raw, err := readDocument(path)
	if err != nil {
		return nil, err
	}
	var bundle struct {
		ResourceType string `json:"resourceType"`
		Entry        []struct {
			Resource json.RawMessage `json:"resource"`
		} `json:"entry"`
	}
	if err := json.Unmarshal(raw, &bundle); err != nil {
		return nil, errors.New("not a JSON document")
	}
	var out bytes.Buffer
	if bundle.ResourceType != "Bundle" {
		err := json.Compact(&out, raw)
		return out.Bytes(), err
	}
	for _, e := range bundle.Entry {
		if len(e.Resource) == 0 {
			continue
		}
		if err := json.Compact(&out, e.Resource); err != nil {
			return nil, errors.New("not a JSON document")
		}
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}

func readDocument(path string) (raw []byte, err error) {
	f, err := os.Open(path) // #nosec G304 -- a file of the folder that the user named
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	raw, err = io.ReadAll(io.LimitReader(f, longestDocument+1))
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	if len(raw) > longestDocument {
		return nil, fmt.Errorf("longer than %d bytes, which is too long for one document", longestDocument)
	}
	return raw, nil
}
