package report

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure"
)

// ReadConfig says what the reports of another engine leave out. The zero value takes what they say.
type ReadConfig struct {
	// Scoring is that of reports which do not name one.
	Scoring measure.Scoring
	// Improvement is that of reports which do not name one. Empty means Context.
	Improvement measure.Improvement
	// Unit is what was counted. Empty means what the reports say, or else encounters where a count is
	// above 1, or else patients.
	Unit measure.Unit
	// MaxBytes bounds the input. 0 means DefaultMaxBytes.
	MaxBytes int64
	// MaxFaults bounds how many faults are listed; further ones are counted. 0 means
	// DefaultMaxFaults.
	MaxFaults int
}

// The bounds of a ReadConfig that names none.
const (
	// DefaultMaxBytes holds about 100,000 reports of 2.5 KB.
	DefaultMaxBytes = 256 << 20
	// DefaultMaxFaults is as many as a person reads before mending the first.
	DefaultMaxFaults = 20
)

// maxUnits bounds the units of one patient in one population, maxMembers those of the input that come
// of counts: a few bytes could claim any number of them.
const (
	maxUnits   = 10_000
	maxMembers = 4_000_000
)

// Place is where in the input a resource is.
type Place struct {
	// Line is counted from 1, where the input is NDJSON; else 0.
	Line int
	// Entry is the place in a Bundle, counted from 1; else 0. Parameter is that of a Bundle in
	// Parameters.
	Parameter int
	Entry     int
}

// String names the place for people; "" of the input as a whole.
func (p Place) String() string {
	var words []string
	for _, part := range []struct {
		name  string
		count int
	}{{"line", p.Line}, {"parameter", p.Parameter}, {"entry", p.Entry}} {
		if part.count > 0 {
			words = append(words, fmt.Sprintf("%s %d", part.name, part.count))
		}
	}
	return strings.Join(words, ", ")
}

// Fault is one thing that keeps the input from being read. It names no person.
type Fault struct {
	Place
	// Element is a path such as "MeasureReport.group[0].population[1]"; empty where there is none.
	Element string
	Cause   string
}

// String joins what is known.
func (f Fault) String() string {
	var words []string
	for _, word := range []string{f.Place.String(), f.Element, f.Cause} {
		if word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, ": ")
}

// ReadError lists what is wrong with reports.
type ReadError struct {
	Faults []Fault
	// More counts the faults that are not listed.
	More int
}

// Error has one fault a line.
func (e *ReadError) Error() string {
	lines := []string{"read measure reports:"}
	for _, fault := range e.Faults {
		lines = append(lines, fault.String())
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", e.More))
	}
	return strings.Join(lines, "\n")
}

// ErrTooLarge says that the input is longer than the ReadConfig allows.
var ErrTooLarge = errors.New("too many bytes")

// Read makes Imports of individual MeasureReports: one alone, a Bundle, Parameters with Bundles, or
// NDJSON of any of them. Reports of several measures and periods give an Import each, ordered by
// measure, then period. Either all is read or nothing: faults come as a *ReadError.
func Read(in io.Reader, cfg ReadConfig) ([]measure.Import, error) {
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = DefaultMaxBytes
	}
	if cfg.MaxFaults == 0 {
		cfg.MaxFaults = DefaultMaxFaults
	}
	text, err := io.ReadAll(io.LimitReader(in, cfg.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read measure reports: %w", err)
	}
	if int64(len(text)) > cfg.MaxBytes {
		return nil, fmt.Errorf("read measure reports: %w: the bound is %d", ErrTooLarge, cfg.MaxBytes)
	}
	reader, err := r4.NewReader()
	if err != nil {
		return nil, fmt.Errorf("read measure reports: %w", err)
	}
	r := reading{cfg: cfg, reader: reader, faults: &faults{max: cfg.MaxFaults}}
	r.documents(text)
	if r.found == 0 && r.faults.none() {
		r.faults.add(Place{}, "", "there is no individual MeasureReport")
	}
	imports := r.imports()
	if err := r.faults.err(); err != nil {
		return nil, err
	}
	return imports, nil
}

// faults gathers up to a number of faults, and counts the rest.
type faults struct {
	listed []Fault
	more   int
	max    int
}

func (f *faults) add(at Place, element, cause string) {
	fault := Fault{Place: at, Element: element, Cause: cause}
	if len(f.listed) >= f.max {
		f.more++
		return
	}
	f.listed = append(f.listed, fault)
}

func (f *faults) none() bool { return len(f.listed) == 0 }

func (f *faults) err() error {
	if f.none() {
		return nil
	}
	return &ReadError{Faults: slices.Clone(f.listed), More: f.more}
}
