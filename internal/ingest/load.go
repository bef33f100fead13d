package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/fhir/bulk"
	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/store/facts"
)

// tally is what was counted while loading. Each worker has its own; they are added up at the end.
type tally struct {
	read, refused map[string]int64
	reasons       map[refusal]int64
	other         map[string]int64
	issues        map[issue]*int64
	lines         map[int]int64
	validated     int64
	sites         map[string]string
}

type refusal struct {
	resourceType string
	reason       fhir.Reason
}

type issue struct {
	resourceType string
	mapping.Issue
}

func newTally() *tally {
	return &tally{
		read: map[string]int64{}, refused: map[string]int64{}, reasons: map[refusal]int64{},
		other: map[string]int64{}, issues: map[issue]*int64{}, lines: map[int]int64{},
		sites: map[string]string{},
	}
}

func addAll[K comparable](to, from map[K]int64) {
	for k, n := range from {
		to[k] += n
	}
}

func (t *tally) add(o *tally) {
	addAll(t.read, o.read)
	addAll(t.refused, o.refused)
	addAll(t.reasons, o.reasons)
	addAll(t.other, o.other)
	for k, n := range o.issues {
		if t.issues[k] == nil {
			t.issues[k] = new(int64)
		}
		*t.issues[k] += *n
	}
	addAll(t.lines, o.lines)
	t.validated += o.validated
	for k, v := range o.sites {
		t.sites[k] = v
	}
}

// loader reads the files of a delivery into a run.
type loader struct {
	cfg        *Config
	run        *facts.Run
	quarantine *quarantine
	buffers    sync.Pool
	lines      atomic.Int64
	// files is how many there are.
	files int
}

// job is a block of a file, for a worker.
type job struct {
	file  *File
	index int
	block fhir.Block
}

// load reads every file. One goroutine cuts blocks and the workers do the rest; a handful of blocks is
// all that is in memory at a time.
func (l *loader) load(ctx context.Context, files []File) (*tally, error) {
	// The context of the group ends with it, so that what comes after must not use it.
	group, inGroup := errgroup.WithContext(ctx)
	l.files = len(files)
	jobs := make(chan job, l.cfg.Workers)
	group.Go(func() error {
		defer close(jobs)
		return l.cut(inGroup, files, jobs)
	})
	tallies := make([]*tally, l.cfg.Workers)
	for i := range tallies {
		tallies[i] = newTally()
		group.Go(func() error { return l.work(inGroup, jobs, tallies[i]) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	total := newTally()
	for _, t := range tallies {
		total.add(t)
	}
	return total, l.delete(ctx, files, total)
}

func (l *loader) cut(ctx context.Context, files []File, jobs chan<- job) error {
	for i := range files {
		if files[i].Deleted {
			continue
		}
		if err := l.cutFile(ctx, &files[i], i, jobs); err != nil {
			return fmt.Errorf("read %s: %w", files[i].Label, err)
		}
		l.cfg.Progress(Progress{Phase: "load", Files: i + 1, Total: len(files), Lines: l.lines.Load()})
	}
	return nil
}

func (l *loader) cutFile(ctx context.Context, file *File, index int, jobs chan<- job) (err error) {
	in, err := open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	blocks := fhir.NewBlocks(in, fhir.DefaultBlock, l.cfg.LineCap)
	for {
		buffer, _ := l.buffers.Get().([]byte)
		block, err := blocks.Next(buffer)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case jobs <- job{file, index, block}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// open reads a file as lines, whatever it is on disk.
func open(file *File) (io.ReadCloser, error) {
	if !file.Document {
		return bulk.OpenNDJSON(file.Path)
	}
	lines, err := documentLines(file.Path)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(lines)), nil
}

func (l *loader) work(ctx context.Context, jobs <-chan job, t *tally) (err error) {
	writer, err := l.run.Writer(ctx)
	if err != nil {
		return err
	}
	validator, err := r4.NewValidator()
	if err != nil {
		return errors.Join(err, writer.Close()) //nolint:contextcheck // Closing outlives a cancelled run.
	}
	w := &worker{loader: l, decoder: fhir.NewDecoder(), writer: writer, validator: validator, tally: t}
	defer func() { //nolint:contextcheck // Closing outlives a cancelled run.
		t.sites = writer.Sites()
		err = errors.Join(err, writer.Close())
	}()
	for j := range jobs {
		if err := w.block(j); err != nil {
			return fmt.Errorf("load %s: %w", j.file.Label, err)
		}
		l.buffers.Put(j.block.Data[:0]) //nolint:staticcheck // a slice header is small beside its megabyte
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// worker decodes, maps and stages. It is for one goroutine.
type worker struct {
	*loader
	decoder   *fhir.Decoder
	writer    *facts.Writer
	validator *r4.Validator
	tally     *tally
	issues    []mapping.Issue
}

// tellEvery is after how many lines progress is told within a file.
const tellEvery = 1 << 16

func (w *worker) block(j job) error {
	for line := range j.block.Lines() {
		w.tally.lines[j.index]++
		if n := w.lines.Add(1); n%tellEvery == 0 {
			w.cfg.Progress(Progress{Phase: "load", Files: j.index, Total: w.files, Lines: n})
		}
		if err := w.line(j, line); err != nil {
			return fmt.Errorf("line %d, byte %d: %w", line.Number, line.Offset, err)
		}
	}
	return nil
}

// sampleEvery is how often a line that was accepted is also held against the full R4 rules.
const sampleEvery = 1000

func (w *worker) line(j job, line fhir.Line) error {
	if line.TooLong {
		return w.refuse(j, line, &fhir.RefusedError{Reason: fhir.TooLong})
	}
	resource, err := w.decoder.Decode(line.Bytes)
	var refused *fhir.RefusedError
	if errors.As(err, &refused) {
		return w.refuse(j, line, refused)
	}
	if err != nil {
		return err
	}
	if !slices.Contains(facts.Types(), resource.Type) {
		w.tally.other[strings.Clone(resource.Type)]++
		return nil
	}
	w.issues = w.issues[:0]
	if w.cfg.Strict || line.Number%sampleEvery == 1 {
		w.tally.validated++
		if w.validator.Validate(line.Bytes) != nil {
			if w.cfg.Strict {
				return w.refuse(j, line, &fhir.RefusedError{Reason: fhir.NotValid})
			}
			w.issues = append(w.issues, mapping.Issue{Kind: mapping.IssueKind(fhir.NotValid), Element: resource.Type})
		}
	}
	// The place of a line orders copies of one resource that claim to be equally new.
	const linesPerFile = 1 << 40
	return w.stage(resource, int64(j.index)*linesPerFile+line.Number)
}

// stage maps a resource and stages it with its issues, to which it adds those of the mapping.
func (w *worker) stage(r fhir.Resource, seq int64) error {
	var err error
	switch {
	case r.Patient != nil:
		var p mapping.Patient
		p, w.issues = w.cfg.Mapper.Patient(r.Patient, w.issues)
		err = w.writer.Patient(&p, seq, w.issues...)
		w.tally.read["Patient"]++
	case r.Encounter != nil:
		var e mapping.Encounter
		e, w.issues = w.cfg.Mapper.Encounter(r.Encounter, w.issues)
		err = w.writer.Encounter(&e, seq, w.issues...)
		w.tally.read["Encounter"]++
	case r.AdverseEvent != nil:
		var a mapping.AdverseEvent
		a, w.issues = w.cfg.Mapper.AdverseEvent(r.AdverseEvent, w.issues)
		err = w.writer.AdverseEvent(&a, seq, w.issues...)
		w.tally.read["AdverseEvent"]++
	}
	for _, i := range w.issues {
		w.note(r.Type, i)
	}
	return err
}

// mostIssues bounds the issues that a worker tells apart. Beyond it an issue loses its system and code,
// and still counts.
const mostIssues = 20_000

// note counts an issue. Its strings belong to the decoder, so those of a new key are copied; counts are
// pointers because assigning to a key that is there would put the decoder's strings in its place.
func (w *worker) note(resourceType string, i mapping.Issue) {
	key := issue{resourceType, i}
	n := w.tally.issues[key]
	if n == nil && len(w.tally.issues) >= mostIssues {
		key.System, key.Code = "", ""
		n = w.tally.issues[key]
	}
	if n == nil {
		key.resourceType = strings.Clone(resourceType)
		key.System, key.Code = strings.Clone(key.System), strings.Clone(key.Code)
		n = new(int64)
		w.tally.issues[key] = n
	}
	*n++
}

// refuse keeps a line in the quarantine and counts it by the type that it claims, else by that of its
// file.
func (w *worker) refuse(j job, line fhir.Line, cause *fhir.RefusedError) error {
	name := fhir.PeekType(line.Bytes)
	if !slices.Contains(facts.Types(), name) {
		name = j.file.Type
	}
	if name == "" {
		name = unknownType
	}
	w.tally.read[name]++
	w.tally.refused[name]++
	w.tally.reasons[refusal{name, cause.Reason}]++
	return w.quarantine.put(j.file.Label, line, cause)
}

// unknownType counts refused lines of which nobody can say what they were.
const unknownType = "unknown"
