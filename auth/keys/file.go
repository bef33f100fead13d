package keys

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// maxFile bounds the file that is read: hundreds of keys.
const maxFile = 1 << 20

// lifecycle is what a key in the file has beside the members of a JWK. Tools that do not know
// these members ignore them (RFC 7517 section 4).
type lifecycle struct {
	State   State      `json:"equitylens_state,omitempty"`
	Since   *time.Time `json:"equitylens_since,omitempty"`
	Retires *time.Time `json:"equitylens_retires,omitempty"`
}

// Reload reads the file again, for a process that shares it with the one that rotates.
func (s *Set) Reload() error {
	loaded, err := read(s.path)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = loaded
	return nil
}

// loadOrCreate reads the file, or makes it with one active key of each algorithm.
func (s *Set) loadOrCreate() error {
	err := s.Reload()
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var fresh []key
	for _, alg := range s.cfg.Algorithms {
		jwk, err := Generate(alg)
		if err != nil {
			return err
		}
		fresh = append(fresh, key{jwk: jwk, state: Active, since: s.cfg.Now()})
	}
	if err := create(s.path, fresh); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.Reload()
}

// read parses a private JWKS file. A key without a state, as other tools write it, is active if
// it is the first of its algorithm, and else next.
func read(path string) ([]key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("keys: read: %w", err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("keys: read %s: more than %d bytes", path, maxFile)
	}
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("keys: read: %w", err)
	}
	var file struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("keys: read %s: not a JWKS", path)
	}
	var all []key
	active := make(map[string]bool)
	ids := make(map[string]bool)
	for i, raw := range file.Keys {
		k, err := parse(raw)
		if err != nil {
			return nil, fmt.Errorf("keys: read %s: key %d: %w", path, i, err)
		}
		if ids[k.jwk.KeyID] {
			return nil, fmt.Errorf("keys: read %s: key %d: id is there twice", path, i)
		}
		ids[k.jwk.KeyID] = true
		if k.state == "" {
			k.state = Next
			if !active[k.jwk.Algorithm] {
				k.state = Active
			}
		}
		if k.state == Active && active[k.jwk.Algorithm] {
			return nil, fmt.Errorf("keys: read %s: key %d: a second active key of %s",
				path, i, k.jwk.Algorithm)
		}
		active[k.jwk.Algorithm] = active[k.jwk.Algorithm] || k.state == Active
		all = append(all, k)
	}
	return all, nil
}

// parse reads one private key. Its errors hold nothing of the key.
func parse(raw json.RawMessage) (key, error) {
	var k key
	var life lifecycle
	if err := json.Unmarshal(raw, &k.jwk); err != nil {
		return key{}, errors.New("not a JWK of a supported type")
	}
	if err := json.Unmarshal(raw, &life); err != nil {
		return key{}, errors.New("state or time of retirement is not readable")
	}
	if k.jwk.IsPublic() || !k.jwk.Valid() {
		return key{}, errors.New("not a valid private key")
	}
	if k.jwk.Algorithm == "" {
		return key{}, errors.New("no alg")
	}
	if !Fits(jose.SignatureAlgorithm(k.jwk.Algorithm), k.jwk.Key) {
		return key{}, fmt.Errorf("alg %q does not fit the key, or the key is too short", k.jwk.Algorithm)
	}
	if k.jwk.Use != "" && k.jwk.Use != "sig" {
		return key{}, errors.New("use is not sig")
	}
	k.jwk.Use = "sig"
	if k.jwk.KeyID == "" {
		id, err := thumbprint(k.jwk)
		if err != nil {
			return key{}, err
		}
		k.jwk.KeyID = id
	}
	k.state = life.State
	if life.Since != nil {
		k.since = *life.Since
	}
	switch k.state {
	case "", Next, Active:
	case Retired:
		if life.Retires == nil {
			return key{}, errors.New("retired without a time")
		}
		k.retires = *life.Retires
	default:
		return key{}, errors.New("unknown state")
	}
	return k, nil
}

// encode writes the keys as a private JWKS.
func encode(all []key) ([]byte, error) {
	file := struct {
		Keys []map[string]any `json:"keys"`
	}{Keys: []map[string]any{}}
	for _, k := range all {
		members, err := members(k.jwk)
		if err != nil {
			return nil, err
		}
		members["equitylens_state"] = k.state
		if !k.since.IsZero() {
			members["equitylens_since"] = k.since.UTC()
		}
		if k.state == Retired {
			members["equitylens_retires"] = k.retires.UTC()
		}
		file.Keys = append(file.Keys, members)
	}
	return json.MarshalIndent(file, "", "  ")
}

// members returns a JWK as its JSON members, so that others can be added.
func members(jwk jose.JSONWebKey) (map[string]any, error) {
	text, err := jwk.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("keys: encode: %w", err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("keys: encode: %w", err)
	}
	return m, nil
}

// write replaces the file whole or not at all.
func write(path string, all []key) error {
	return save(path, all, os.Rename)
}

// create writes a new file whole, or fails with fs.ErrExist when another was first.
func create(path string, all []key) error {
	return save(path, all, os.Link)
}

// save writes a temporary file, which its owner alone may read, and moves it to its place.
func save(path string, all []key, place func(from, to string) error) (err error) {
	text, err := encode(all)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keys: write: %w", err)
	}
	tmp, err := os.CreateTemp(dir, ".keys-*")
	if err != nil {
		return fmt.Errorf("keys: write: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(text)
	if err == nil {
		err = tmp.Sync()
	}
	if closed := tmp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = place(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("keys: write: %w", err)
	}
	return syncDir(dir)
}

// syncDir makes the new name itself durable.
func syncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return fmt.Errorf("keys: write: %w", err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("keys: write: %w", err)
	}
	return nil
}
