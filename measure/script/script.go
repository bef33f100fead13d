package script

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/mapping"
	"github.com/equitylens/equitylens/measure"
)

// Extension is how the name of a measure script ends.
const Extension = ".test"

// Script is a file of cohorts and of questions about them, read and found to be well formed.
type Script struct {
	// Name is the name of the file, for whoever reads a failure.
	Name  string
	evals []*eval
}

// Evals is the number of questions.
func (s *Script) Evals() int { return len(s.evals) }

// Measures lists the ids of the measures that are asked about, in the order of the questions.
func (s *Script) Measures() []string {
	ids := make([]string, len(s.evals))
	for i, e := range s.evals {
		ids[i] = e.question.Measure
	}
	return ids
}

// Load reads every script of a folder, in the order of their names. All faults of all files are
// reported at once, each with its line.
func Load(files fs.FS) ([]*Script, error) {
	names, err := fs.Glob(files, "*"+Extension)
	if err != nil {
		return nil, fmt.Errorf("list scripts: %w", err)
	}
	var scripts []*Script
	var faults []error
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			faults = append(faults, fmt.Errorf("read %s: %w", name, err))
			continue
		}
		s, err := Parse(path.Base(name), text)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		scripts = append(scripts, s)
	}
	return scripts, errors.Join(faults...)
}

// cohort is what one load holds: records as the mapping made them.
type cohort struct {
	line int
	// asOf is the moment of the data; the zero time leaves it to the newest date in the data.
	asOf time.Time
	// absent lists the resource types that no source has loaded, partial those loaded in part.
	absent, partial []string
	patients        []mapping.Patient
	encounters      []mapping.Encounter
	events          []mapping.AdverseEvent
	// people holds the ids of the patients of each name.
	people map[string][]phi.ID
}

// eval is one question and what is expected of its answer.
type eval struct {
	line int
	// text is the line, for whoever reads a failure.
	text     string
	cohort   *cohort
	question measure.Question
	// rate is the id of the group that the rows are about; "" where the measure has only one.
	rate string
	// reference is a word of a stratum, or a rule; "" if none is named.
	reference string

	rows []row
	gaps []gap
	// open allows strata that no row names.
	open bool
	// refusal is part of the message with which the question must be refused.
	refusal     string
	incomplete  []string
	overlapping bool
}

// expects reports whether anything is expected at all.
func (e *eval) expects() bool {
	return len(e.rows) > 0 || len(e.gaps) > 0 || e.open || e.refusal != "" || len(e.incomplete) > 0
}

// part names the value of one dimension. The dimension is "" where the row does not say it.
type part struct{ dimension, word string }

// row is the figures of one stratum, or of everybody, as they are expected.
type row struct {
	line int
	text string
	// name is the stratum as it is written; parts is empty for everybody.
	name  string
	parts []part

	numerator, denominator, excluded *number
	score                            figures
	interval                         figures
	// others are figures by their names, in the order in which they are written.
	others []other
}

// other is a figure that is asked for by its name.
type other struct {
	name string
	figures
}

// gap is a comparison of the scores of two strata, as it is expected.
type gap struct {
	line int
	text string
	// names is A-B, or A alone where the reference is the other; of a quotient A/B.
	names string
	// quotient says that the scores are divided.
	quotient bool
	figures
	// interval is that of a gap to the reference.
	interval figures
}
