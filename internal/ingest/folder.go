package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/bulk"
	"github.com/equitylens/equitylens/store/facts"
)

// Folder is a folder of NDJSON files, plain or gzip, several a type; or of single resources and
// Bundles in .json files. It is what a hospital is handed: all that there is of the types in it.
type Folder struct {
	Path string
	// ID names the source; "" means "folder".
	ID string
}

// Name returns the name of the source.
func (f Folder) Name() string {
	if f.ID == "" {
		return "folder"
	}
	return f.ID
}

var readable = regexp.MustCompile(`(?i)\.(ndjson|jsonl|json)(\.gz)?$`)

// Fetch looks at every file of the folder; nothing is copied.
func (f Folder) Fetch(
	_ context.Context, _ string, _ map[string]facts.Load, progress func(Progress),
) (Delivery, error) {
	entries, err := os.ReadDir(f.Path)
	if err != nil {
		return Delivery{}, fmt.Errorf("open folder: %w", err)
	}
	var out Delivery
	seen := 0
	for _, e := range entries {
		if e.IsDir() || !readable.MatchString(e.Name()) {
			continue
		}
		seen++
		file, reason, err := look(filepath.Join(f.Path, e.Name()))
		file.Label = label(e.Name(), seen)
		if err != nil {
			return Delivery{}, fmt.Errorf("look at %s: %w", file.Label, err)
		}
		if reason != "" {
			out.Skipped = append(out.Skipped, Skipped{Name: file.Label, Reason: reason})
			continue
		}
		out.Files = append(out.Files, file)
		loaded := slices.ContainsFunc(out.Loads, func(l facts.Load) bool { return l.Type == file.Type })
		if file.Type != "" && !file.Deleted && !loaded {
			out.Loads = append(out.Loads, facts.Load{Source: f.Name(), Type: file.Type, Complete: true, Full: true})
		}
	}
	progress(Progress{Phase: "fetch", Files: len(out.Files), Total: len(out.Files)})
	if len(out.Files) == 0 {
		return out, fmt.Errorf("%s holds no .ndjson, .ndjson.gz or .json file with Patient, Encounter or "+
			"AdverseEvent resources", f.Path)
	}
	return out, nil
}

// label names a file in reports. A document is often one patient's and called after them, so one that
// is not called after its type is known by its place among the files that are read, by name.
func label(name string, place int) string {
	stem, document := strings.CutSuffix(strings.TrimSuffix(strings.ToLower(name), ".gz"), ".json")
	called := func(t string) bool { return strings.EqualFold(t, stem) }
	if document && !slices.ContainsFunc(facts.Types(), called) {
		return fmt.Sprintf("file %d of the folder", place)
	}
	return name
}

// look says what a file is from its name and its first line.
func look(path string) (file File, skip string, err error) {
	name := filepath.Base(path)
	file = File{Path: path, Type: typeInName(name)}
	lower := strings.ToLower(name)
	if strings.Contains(lower, "deleted") {
		file.Deleted = true
		return file, "", nil
	}
	if strings.HasSuffix(lower, ".json") {
		raw, err := readDocument(path)
		if err != nil {
			return file, "", err
		}
		file.Document = json.Valid(raw)
	}
	first, err := firstLine(&file)
	if err != nil {
		return file, "", err
	}
	said := fhir.PeekType(first)
	switch {
	case slices.Contains(facts.Types(), said):
		file.Type = said
	case said != "" && file.Type == "":
		return file, "holds " + said + ", which no measure uses", nil
	case said == "" && file.Type == "" && len(first) > 0 && json.Valid(first):
		return file, "holds no FHIR resources", nil
	case len(first) == 0 && file.Type == "":
		return file, "is empty", nil
	}
	return file, "", nil
}

// typeInName finds a resource type that is used in a file name such as 1.Patient.ndjson.gz.
func typeInName(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z') })
	for _, t := range facts.Types() {
		if slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, t) }) {
			return t
		}
	}
	return ""
}

func firstLine(file *File) (line []byte, err error) {
	in, err := open(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	block, err := fhir.NewBlocks(in, fhir.DefaultBlock, fhir.DefaultLineCap).Next(nil)
	if err != nil {
		return nil, ignoreEnd(err)
	}
	for l := range block.Lines() {
		return bytes.Clone(l.Bytes), nil
	}
	return nil, nil
}

// ignoreEnd lets the loader meet the fault of a file in its place, with its line number.
func ignoreEnd(err error) error {
	if errors.Is(err, bulk.ErrBomb) || errors.Is(err, bulk.ErrNested) {
		return err
	}
	return nil
}
