package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
	"github.com/equitylens/equitylens/internal/worldtest"
)

// newProgram is the program as the process makes it, with buffers for its streams.
func newProgram() (p *program, out, complaints *worldtest.Log) {
	out, complaints = &worldtest.Log{}, &worldtest.Log{}
	return &program{in: strings.NewReader(""), out: out, err: complaints, now: time.Now,
		version: "test"}, out, complaints
}

// outcome is what one run of the program left.
type outcome struct {
	code     int
	out, err string
}

// equitylens runs the program to its end.
func equitylens(t *testing.T, args ...string) outcome {
	t.Helper()
	return equitylensIn(t.Context(), args...)
}

func equitylensIn(ctx context.Context, args ...string) outcome {
	p, out, complaints := newProgram()
	code := p.run(ctx, args)
	return outcome{code, out.String(), complaints.String()}
}

// must runs the program, which has to end well.
func must(t *testing.T, args ...string) outcome {
	t.Helper()
	o := equitylens(t, args...)
	if o.code != exitOK {
		t.Fatalf("equitylens %s = %d\n%s%s", strings.Join(args, " "), o.code, o.out, o.err)
	}
	return o
}

// parse reads the one JSON document that was printed.
func parse(t *testing.T, text string, into any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("the output is no JSON document: %v\n%s", err, text)
	}
	if decoder.More() {
		t.Fatalf("the output is more than one JSON document:\n%s", text)
	}
}

// lacks names the members that a document of the contract lacks, or that are of another kind. The
// contract is an example: fields may be added to it, never changed.
func lacks(path string, contract, got any) []string {
	switch contract := contract.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return []string{path + " is no object"}
		}
		var faults []string
		for key, value := range contract {
			if key == "*" {
				for name, member := range object {
					faults = append(faults, lacks(path+"."+name, value, member)...)
				}
				continue
			}
			if _, ok := object[key]; !ok {
				faults = append(faults, path+"."+key+" is missing")
				continue
			}
			faults = append(faults, lacks(path+"."+key, value, object[key])...)
		}
		return faults
	case []any:
		list, ok := got.([]any)
		if !ok {
			return []string{path + " is no array"}
		}
		var faults []string
		for _, item := range list {
			if len(contract) > 0 {
				faults = append(faults, lacks(path+"[]", contract[0], item)...)
			}
		}
		return faults
	case string:
		if _, ok := got.(string); !ok {
			return []string{path + " is no string"}
		}
	case float64:
		if _, ok := got.(float64); !ok {
			return []string{path + " is no number"}
		}
	case bool:
		if _, ok := got.(bool); !ok {
			return []string{path + " is no boolean"}
		}
	}
	return nil
}

// checkContract holds a printed document against an example of it.
func checkContract(t *testing.T, example, text string) {
	t.Helper()
	var contract, got any
	parse(t, example, &contract)
	parse(t, text, &got)
	for _, fault := range lacks("document", contract, got) {
		t.Error(fault)
	}
}

// export writes a population as a hospital hands it out.
func exported(t *testing.T, who *population.Population, files int, packed bool) string {
	t.Helper()
	folder := t.TempDir()
	if err := who.WriteNDJSON(t.Context(), folder, files, packed); err != nil {
		t.Fatal(err)
	}
	return folder
}

// write writes files into a folder of their own, which it returns.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// loaded is a data directory with a snapshot, made once; tests that only read it share it.
var loaded = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "loaded")
	if err != nil {
		return "", err
	}
	files := filepath.Join(folder, "files")
	if err := os.Mkdir(files, 0o700); err != nil {
		return "", err
	}
	who := population.New(population.Config{Patients: 500, Seed: 6})
	if err := who.WriteNDJSON(context.Background(), files, 2, true); err != nil {
		return "", err
	}
	data := filepath.Join(folder, "data")
	if o := equitylensIn(context.Background(), "sync", "--from", files, "--data",
		data); o.code != exitOK {
		return "", &os.PathError{Op: "sync", Path: files, Err: os.ErrInvalid}
	}
	return data, nil
})

func loadedData(t *testing.T) string {
	t.Helper()
	data, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestMain gives the tests a folder that is gone with them, for what they share.
func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "program")
	if err == nil {
		err = os.Setenv("TMPDIR", folder)
	}
	if err != nil {
		return exitFailed
	}
	defer func() { _ = os.RemoveAll(folder) }()
	return m.Run()
}
