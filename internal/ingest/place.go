package ingest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/equitylens/equitylens/fhir"
	"github.com/equitylens/equitylens/store/facts"
)

// placesFile says of a quarantine what may be shown of it: where refused lines stood and why they were
// refused, and nothing of what they hold.
const placesFile = "quarantine.json"

// mostPlaces is how many refused lines are listed one by one.
const mostPlaces = 200

// Quarantined is what may be shown of a quarantine.
type Quarantined struct {
	// Lines is how many there are.
	Lines int64 `json:"lines"`
	// Reasons counts all of them, the most frequent first.
	Reasons []RefusedFor `json:"reasons"`
	// First lists some of them, by file and line.
	First []Place `json:"first"`
}

// RefusedFor counts the lines that were refused for one reason.
type RefusedFor struct {
	Reason fhir.Reason `json:"reason"`
	// Element is the path of the element at fault, where there is one.
	Element string `json:"element,omitempty"`
	Count   int64  `json:"count"`
}

// Place is where a refused line stood.
type Place struct {
	File    string      `json:"file"`
	Line    int64       `json:"line"`
	Offset  int64       `json:"offset"`
	Length  int64       `json:"length"`
	Reason  fhir.Reason `json:"reason"`
	Element string      `json:"element,omitempty"`
}

// ErrNoQuarantine: the refused lines of a run or a snapshot are not kept, or not any more.
var ErrNoQuarantine = errors.New("no refused lines are kept of it")

// places counts refused lines while a run meets them.
type places struct {
	lines   int64
	reasons map[RefusedFor]int64
	first   []Place
}

func (p *places) add(place Place) {
	place.Element = ownElement(place.Element)
	p.lines++
	p.reasons[RefusedFor{Reason: place.Reason, Element: place.Element}]++
	if len(p.first) < mostPlaces {
		p.first = append(p.first, place)
	}
}

// ownElement keeps the path of an element of a type that is read, whose words are ours. Others may
// begin with anything.
func ownElement(element string) string {
	name, _, _ := strings.Cut(element, ".")
	if name == deletions || slices.Contains(facts.Types(), name) {
		return element
	}
	return ""
}

// save writes the places beside their quarantine.
func (p *places) save(folder string) error {
	out := Quarantined{Lines: p.lines, Reasons: []RefusedFor{}, First: slices.Clone(p.first)}
	for r, n := range p.reasons {
		r.Count = n
		out.Reasons = append(out.Reasons, r)
	}
	slices.SortFunc(out.Reasons, func(a, b RefusedFor) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason),
			cmp.Compare(a.Element, b.Element))
	})
	slices.SortStableFunc(out.First, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Offset, b.Offset))
	})
	text, err := json.Marshal(out)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, placesFile), text, ownerOnly)
	}
	if err != nil {
		return fmt.Errorf("write the places of refused lines: %w", err)
	}
	return nil
}

// SnapshotQuarantine says which lines were refused when a snapshot was made. The error is
// ErrNoQuarantine where that is not known.
func SnapshotQuarantine(dir *facts.Dir, snapshot string) (Quarantined, error) {
	ids, err := dir.IDs()
	if err != nil {
		return Quarantined{}, err
	}
	if !slices.Contains(ids, snapshot) {
		return Quarantined{}, ErrNoQuarantine
	}
	return readPlaces(dir.Kept(snapshot, placesFile))
}

// RunQuarantine says which lines a run refused: as long as its snapshot is kept, or if it published
// none, until the next run of its source. The error is ErrNoQuarantine afterwards.
func RunQuarantine(dir *facts.Dir, id string) (Quarantined, error) {
	runs, err := Runs(dir, 0)
	if err != nil {
		return Quarantined{}, err
	}
	at := slices.IndexFunc(runs, func(r RunRecord) bool { return r.ID == id })
	if at < 0 {
		return Quarantined{}, ErrNoQuarantine
	}
	run := runs[at]
	if run.Report.Snapshot != "" {
		return SnapshotQuarantine(dir, run.Report.Snapshot)
	}
	later := func(r RunRecord) bool { return r.Source == run.Source }
	if slices.ContainsFunc(runs[:at], later) {
		return Quarantined{}, ErrNoQuarantine
	}
	return readPlaces(dir.RunFile(run.Folder, placesFile))
}

func readPlaces(path string) (q Quarantined, err error) {
	text, err := os.ReadFile(path) // #nosec G304 -- of a snapshot or a run of the data directory
	if errors.Is(err, fs.ErrNotExist) {
		return q, ErrNoQuarantine
	}
	if err != nil {
		return q, fmt.Errorf("read the places of refused lines: %w", err)
	}
	if err := json.Unmarshal(text, &q); err != nil {
		return q, fmt.Errorf("read the places of refused lines: %w", err)
	}
	return q, nil
}
