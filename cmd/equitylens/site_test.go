package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/equitylens/equitylens/auth/keys"
	"github.com/equitylens/equitylens/fhir/fhirtest"
	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// site is a hospital with its fake EHR, and the configuration of our program there.
type site struct {
	ehr    *fhirtest.Server
	folder string
	config string
	data   string
}

// ourKeys are those by which every EHR of these tests knows us, made once.
var ourKeys = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "keys")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "client.json")
	set, err := keys.Open(path, keys.Config{})
	if err != nil {
		return "", err
	}
	_, err = set.Signing(jose.ES384)
	return path, err
})

// openSite starts a fake EHR and writes a configuration that names it. change may bend the EHR.
func openSite(
	t *testing.T, who *population.Population, change func(*fhirtest.Config), faults ...fhirtest.Fault,
) *site {
	t.Helper()
	path, err := ourKeys()
	if err != nil {
		t.Fatal(err)
	}
	set, err := keys.Open(path, keys.Config{})
	if err != nil {
		t.Fatal(err)
	}
	public := set.Public()
	settings := fhirtest.Config{
		Population: who, Faults: faults, Now: time.Now, Polls: -1, Bomb: 1 << 28, HugeLine: 20 << 20,
		TinyFiles: 30,
		Clients:   []fhirtest.Client{{ID: "equitylens", Keys: &public}},
	}
	if change != nil {
		change(&settings)
	}
	s := &site{folder: t.TempDir()}
	if s.ehr, err = fhirtest.NewServer(settings); err != nil {
		t.Fatal(err)
	}
	base, err := s.ehr.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.ehr.Close() })
	s.data = filepath.Join(s.folder, "data")
	s.write(t, fmt.Sprintf(`data: data
client_keys_file: %s
sources:
  - name: ehr
    base_url: %s
    client_id: equitylens
    algorithm: ES384
    loopback: true
log: {level: debug, format: json}
`, path, base))
	return s
}

// write writes the configuration.
func (s *site) write(t *testing.T, text string) {
	t.Helper()
	s.config = filepath.Join(s.folder, "equitylens.yaml")
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// add appends to the configuration.
func (s *site) add(t *testing.T, text string) {
	t.Helper()
	before, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, string(before)+text)
}

// register makes a key for a client of ours and writes its public half where a configuration can
// name it.
func (s *site) register(t *testing.T, name string) (key jose.JSONWebKey, path string) {
	t.Helper()
	key, err := keys.Generate(jose.ES384)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(s.folder, name+".jwks")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return key, path
}
