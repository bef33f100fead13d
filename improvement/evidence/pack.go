package evidence

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/equitylens/equitylens/improvement/readiness"
	"github.com/equitylens/equitylens/measure/export"
	"github.com/equitylens/equitylens/measure/gap"
	"github.com/equitylens/equitylens/measure/release"
)

// ErrThere says that there is something already where a pack should be put. Nothing is overwritten.
var ErrThere = errors.New("there is something already")

// The files of a pack.
const (
	PageFile   = "evidence.html"
	TableFile  = "stratified.csv"
	BookFile   = "stratified.xlsx"
	BundleFile = "bundle.json"
	ReadmeFile = "README.txt"
)

// File is one file of a pack.
type File struct {
	Name string
	Body []byte
}

// Pack is the files of a pack, the README with their digests last.
type Pack struct{ Files []File }

// Make makes the pack of a material.
func Make(m Material, o Options) (Pack, error) {
	if o.Words == nil {
		return Pack{}, errors.New("evidence: make a pack: there are no words")
	}
	if m.Questionnaire == nil {
		q, err := readiness.Shipped()
		if err != nil {
			return Pack{}, fmt.Errorf("evidence: make a pack: %w", err)
		}
		m.Questionnaire = q
	}
	if m.Audience == release.Public {
		m = m.public()
	}
	gaps, err := gap.Of(m.Results, gap.Options{Reference: gap.Best, Even: true})
	if err != nil && !errors.Is(err, gap.ErrNoReference) {
		return Pack{}, fmt.Errorf("evidence: compare groups: %w", err)
	}
	b := newBuilder(m, o, gaps)
	makers := []struct {
		name string
		make func(*bytes.Buffer) error
	}{
		{PageFile, b.page},
		{TableFile, func(out *bytes.Buffer) error { return b.table().WriteCSV(out) }},
		{BookFile, func(out *bytes.Buffer) error { return b.table().WriteXLSX(out) }},
		{BundleFile, b.bundle},
	}
	var p Pack
	for _, maker := range makers {
		var out bytes.Buffer
		if err := maker.make(&out); err != nil {
			return Pack{}, fmt.Errorf("evidence: make %s: %w", maker.name, err)
		}
		p.Files = append(p.Files, File{maker.name, out.Bytes()})
	}
	p.Files = append(p.Files, File{ReadmeFile, b.readme(p.Files)})
	return p, nil
}

func (b *builder) table() export.Table {
	return export.Table{Results: b.m.Results, Gaps: b.gaps, Software: b.o.Software}
}

// readme says what the files are, with their digests.
func (b *builder) readme(files []File) []byte {
	var out strings.Builder
	line := func(text string) { out.WriteString(text + "\n") }
	line(b.title())
	line(b.audience())
	line("")
	line(b.w.Say("evidence.readme.made", b.w.Moment(b.m.Made), b.m.Info.ID, b.w.Moment(b.m.Info.DataAsOf),
		b.o.Software))
	line("")
	line(b.w.Say("evidence.readme.digests"))
	line("")
	for _, f := range files {
		line(fmt.Sprintf("%x  %s", sha256.Sum256(f.Body), f.Name))
	}
	line("")
	for _, f := range files {
		line(f.Name + ": " + b.about(f.Name))
	}
	return []byte(out.String())
}

// about says what a file is.
func (b *builder) about(name string) string {
	switch name {
	case PageFile:
		return b.w.Say("evidence.readme.page")
	case TableFile:
		return b.w.Say("evidence.readme.table")
	case BookFile:
		return b.w.Say("evidence.readme.book")
	}
	return b.w.Say("evidence.readme.bundle")
}

// Write puts the pack into a folder that is not there yet. It is there whole or not at all: the files are
// written beside it, and are on disk before the folder gets its name.
func (p Pack) Write(folder string) (err error) {
	if _, err := os.Lstat(folder); err == nil {
		return fmt.Errorf("evidence: put a pack at %s: %w", folder, ErrThere)
	}
	parent := filepath.Dir(folder)
	stage, err := os.MkdirTemp(parent, ".evidence-*")
	if err != nil {
		return fmt.Errorf("evidence: begin a pack: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(stage))
		}
	}()
	for _, f := range p.Files {
		if err := write(filepath.Join(stage, f.Name), f.Body); err != nil {
			return fmt.Errorf("evidence: write %s: %w", f.Name, err)
		}
	}
	if err := os.Chmod(stage, 0o750); err != nil { // #nosec G302 -- a folder
		return fmt.Errorf("evidence: finish a pack: %w", err)
	}
	if err := sync(stage); err != nil {
		return err
	}
	if err := os.Rename(stage, folder); err != nil {
		return fmt.Errorf("evidence: put a pack in its place: %w", err)
	}
	return sync(parent)
}

func write(path string, body []byte) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640) // #nosec G302 G304 -- for a group to read
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(body); err != nil {
		return err
	}
	return file.Sync()
}

// sync brings what a folder holds onto the disk.
func sync(folder string) (err error) {
	file, err := os.Open(folder) // #nosec G304 -- the operator names the folder
	if err != nil {
		return fmt.Errorf("evidence: open folder: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Sync(); err != nil {
		return fmt.Errorf("evidence: sync folder: %w", err)
	}
	return nil
}
